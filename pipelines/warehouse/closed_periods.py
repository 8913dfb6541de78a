"""The frozen files of closed periods, as the warehouse sees them.

Each (period, version) that the books call closed has a directory of its own in `warehouse/closed/`,
with one DuckDB file that readers attach, a Parquet copy of every table and a manifest. The books'
row names the manifest by its hash; a directory that no row names is no close.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import ControlError
from pipelines.warehouse.publication import PublishedFile

if TYPE_CHECKING:
    import duckdb
    from sqlalchemy import Connection

    from pipelines.books.books import Books
    from pipelines.workspace.workspace import Workspace

CLOSED_NAME = "closed"
MANIFEST_NAME = "manifest.json"
PARQUET_NAME = "parquet"
CLOSED_ROLE = "closed"


def name_close(period_id: str, version: int) -> str:
    """Name of the directory and of the DuckDB file in it."""
    return f"{period_id}.v{version}"


def find_directory(workspace: Workspace, period_id: str, version: int) -> Path:
    """Where the frozen files of a (period, version) lie."""
    return workspace.warehouse / CLOSED_NAME / name_close(period_id, version)


def list_closed_files(workspace: Workspace, books: Books) -> tuple[PublishedFile, ...]:
    """The DuckDB files that count: of every closed period the newest version, in the order of the
    periods. A period that is open again counts no closed one. Raises ControlError where the files
    of a close are gone."""
    with books.read() as connection:
        newest = _list_newest(connection)
    return tuple(
        _describe(workspace, period, version)
        for period, (version, state) in sorted(newest.items())
        if state == "closed"
    )


def list_reopened(books: Books) -> dict[str, int]:
    """Periods in a later version than the first, open or closed, and the version."""
    with books.read() as connection:
        newest = _list_newest(connection)
    return {period: version for period, (version, _) in sorted(newest.items()) if version > 1}


def list_closed(connection: Connection) -> list[tuple[str, int]]:
    """Closed periods in order, each with its closed version. One that is open again is left out."""
    newest = _list_newest(connection)
    return [
        (name, version) for name, (version, state) in sorted(newest.items()) if state == "closed"
    ]


def attach_closed(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, closed: Sequence[PublishedFile]
) -> Iterator[tuple[PublishedFile, str]]:
    """Each frozen file under a name, for as long as it is looked at."""
    for file in closed:
        path = str(workspace.warehouse / file.name).replace("'", "''")
        connection.execute(f"attach '{path}' as frozen_period (read_only)")
        try:
            yield file, "frozen_period"
        finally:
            connection.execute("detach frozen_period")


def refuse_moved_periods(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, closed: Sequence[PublishedFile]
) -> None:
    """Raise ControlError where the calendar (model.periods) gives a closed period other days,
    another fiscal year or another number in it than it was closed with, or no longer has it."""
    problems = []
    for file, database in attach_closed(connection, workspace, closed):
        before, now = (
            connection.execute(
                f"select * from {source}model.periods where period_id = ?", [file.period_id]
            ).fetchone()
            for source in (f"{database}.", "")
        )
        if before != now:
            problems.append(f"{_say_period(before)}, in the calendar {_say_period(now)}")
    if problems:
        raise ControlError(
            "the calendar would change closed periods, so nothing was built: "
            + "; ".join(problems)
            + ". Set 'calendar' in apportion.yml so that closed periods stay what they were."
        )


def _say_period(row: tuple[Any, ...] | None) -> str:
    if row is None:
        return "there is no such period"
    period_id, start, end, year, number = row
    last = end - timedelta(days=1)
    return f"{period_id} is {start} to {last}, number {number} of {year}"


def refuse_changed_history(workspace: Workspace, books: Books, database: Path) -> None:
    """Raise ControlError where a fresh build has other charges of a closed period than its frozen
    file. Readers would go on seeing the frozen ones, and figures that span periods would not tie to
    them."""
    import duckdb

    problems = []
    with duckdb.connect(str(database), read_only=True) as connection:
        for number, file in enumerate(list_closed_files(workspace, books)):
            path = str(workspace.warehouse / file.name).replace("'", "''")
            connection.execute(f"attach '{path}' as closed_{number} (read_only)")
            row = connection.execute(
                _CHANGED_CHARGES.format(database=f"closed_{number}"), [file.period_id]
            ).fetchone()
            assert row is not None
            if row[0]:
                problems.append(
                    f"{file.period_id}: {row[0]} charges, the largest of {row[1]} to {row[2]}, "
                    f"was {row[3]}, would be {row[4]}"
                )
    if problems:
        raise ControlError(
            "closed periods would change, so nothing was published:\n  "
            + "\n  ".join(problems)
            + "\nWhat closed periods were made of is pinned, so a rule has changed them. Give the "
            "changed rule a valid_from after them, or reopen the period."
        )


_CHANGED_CHARGES = """
with built as (
    select service_id, cost_centre_id, disposition,
        sum(cost_amount) as cost_amount, sum(charged_amount) as charged_amount
    from marts.fct_charges_monthly where scenario_id = 'actual' and period_id = $1
    group by all
),
frozen as (
    select service_id, cost_centre_id, disposition,
        sum(cost_amount) as cost_amount, sum(charged_amount) as charged_amount
    from {database}.marts.fct_charges_monthly where scenario_id = 'actual' and period_id = $1
    group by all
),
changed as (
    select service_id, cost_centre_id, frozen.cost_amount as before, built.cost_amount as after,
        abs(coalesce(built.cost_amount, 0) - coalesce(frozen.cost_amount, 0)) as size
    from built full join frozen using (service_id, cost_centre_id, disposition)
    where built.cost_amount is distinct from frozen.cost_amount
        or built.charged_amount is distinct from frozen.charged_amount
)
select count(*), arg_max(service_id, size), arg_max(cost_centre_id, size),
    arg_max(coalesce(before, 0), size), arg_max(coalesce(after, 0), size)
from changed
"""


def _list_newest(connection: Connection) -> dict[str, tuple[int, str]]:
    from sqlalchemy import select

    from pipelines.books.tables import periods

    rows = connection.execute(
        select(periods.c.period_id, periods.c.version, periods.c.state)
        .where(periods.c.scenario_id == "actual")
        .order_by(periods.c.version)
    )
    return {row.period_id: (row.version, row.state) for row in rows}


def _describe(workspace: Workspace, period_id: str, version: int) -> PublishedFile:
    path = find_directory(workspace, period_id, version) / MANIFEST_NAME
    name = name_close(period_id, version)
    try:
        entries = json.loads(path.read_text("utf-8"))["files"]
        (entry,) = [item for item in entries if item["name"] == f"{name}.duckdb"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ControlError(
            f"{path}: expected the manifest of the close of {period_id}, found none that can be "
            "read. Restore the directory from a backup; 'apportion verify' says what is missing."
        ) from None
    return PublishedFile(
        f"{CLOSED_NAME}/{name}/{name}.duckdb",
        CLOSED_ROLE,
        entry["sha256"],
        entry["bytes"],
        period_id,
        version,
    )
