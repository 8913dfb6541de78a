"""Write the statements of a period, one PDF and one workbook per business unit.

Assumes a published workspace. All statements are loaded and found to add up before the first file
is written, so a refused one leaves no partial set behind; each file then appears complete or not
at all. Figures are read once, from one publication, also if another one appears meanwhile.

One process renders all files. `write_bill` needs nothing but its arguments, so that it can be
handed to spawned processes; forked ones hang in typst.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.billing import queries
from pipelines.billing.files import safe_name
from pipelines.billing.pdf import write_pdf
from pipelines.billing.statement import Statement, load_statement
from pipelines.billing.xlsx import write_xlsx
from pipelines.errors import ControlError, UsageError
from pipelines.warehouse.reader import open_published
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

Progress = Callable[[int, int, str], None]
"""Called with what is done, what there is in all, and the business unit just finished."""


class UnbilledChargesError(ControlError):
    """Charges that no statement would show, so that all statements would not be all charges."""

    def __init__(self, period_id: str, amount: Decimal, cost_centres: list[str]) -> None:
        super().__init__(
            f"period {period_id}: {amount:,.2f} are charged to cost centres that belong to no "
            f"business unit at the start of the period: {queries.list_some(cost_centres)}. "
            "Nothing was written. Give them a business unit from that day on and run again, or "
            "write the statements of single units by name."
        )


@dataclass(frozen=True)
class BillFiles:
    """The files of one statement, and the total that both of them state."""

    business_unit_id: str
    business_unit_name: str
    statement_number: str
    total: Decimal
    currency_code: str
    pdf: Path
    xlsx: Path


def write_bills(
    workspace: Workspace,
    period_id: str,
    business_unit_ids: Sequence[str] | None,
    directory: Path,
    on_progress: Progress | None = None,
    *,
    scenario_id: str = "actual",
) -> list[BillFiles]:
    """Write the statements of the named business units, or of all that are billed, in their order.

    Raises UsageError for a period or unit without bills, NothingPublishedError before the first
    run, and ControlError where a statement does not tie to the marts or, for all units, where
    their statements would not be all that is charged.
    """
    with open_published(workspace) as connection:
        unit_ids = _choose_units(connection, scenario_id, period_id, business_unit_ids)
        _refuse_shared_names(unit_ids)
        statements = [
            load_statement(connection, period_id, unit_id, scenario_id) for unit_id in unit_ids
        ]
    written = []
    for statement in statements:
        written.append(write_bill(statement, directory))
        if on_progress is not None:
            on_progress(len(written), len(statements), statement.recipient.name)
    return written


def write_bill(statement: Statement, directory: Path) -> BillFiles:
    """Write the two files of one statement."""
    stem = bill_name(statement)
    files = BillFiles(
        business_unit_id=statement.recipient.business_unit_id,
        business_unit_name=statement.recipient.name,
        statement_number=statement.number,
        total=statement.total,
        currency_code=statement.currency_code,
        pdf=directory / f"{stem}.pdf",
        xlsx=directory / f"{stem}.xlsx",
    )
    write_pdf(statement, files.pdf)
    write_xlsx(statement, files.xlsx)
    return files


def remove_stale_bills(directory: Path, period_id: str, written: Sequence[BillFiles]) -> list[Path]:
    """Delete statements of the period that were not written now, and name them.

    For a directory that holds the statements of all units: one that an earlier run wrote for a
    unit that is no longer billed would still look valid to whoever sends the directory's files.
    """
    kept = {path for files in written for path in (files.pdf, files.xlsx)}
    found = [
        path for ending in ("pdf", "xlsx") for path in directory.glob(f"{period_id}_*.{ending}")
    ]
    stale = sorted(path for path in found if path not in kept)
    for path in stale:
        path.unlink()
    return stale


def bill_name(statement: Statement) -> str:
    """`<period>_<business unit>`, with the scenario in front unless it is the actual one."""
    stem = f"{statement.period.period_id}_{safe_name(statement.recipient.business_unit_id)}"
    if statement.scenario_id == "actual":
        return stem
    return f"{safe_name(statement.scenario_id)}_{stem}"


def _choose_units(
    connection: duckdb.DuckDBPyConnection,
    scenario_id: str,
    period_id: str,
    business_unit_ids: Sequence[str] | None,
) -> list[str]:
    if business_unit_ids is not None:
        return list(dict.fromkeys(business_unit_ids))
    _, version = queries.read_period(connection, scenario_id, period_id)
    amount, cost_centres = queries.read_billed_to_nobody(
        connection, scenario_id, period_id, version
    )
    if cost_centres:
        raise UnbilledChargesError(period_id, amount, cost_centres)
    return list(queries.read_billed_units(connection, scenario_id, period_id, version))


def _refuse_shared_names(unit_ids: Sequence[str]) -> None:
    """Two units must not meet in one file where a file system ignores case."""
    seen: dict[str, str] = {}
    for unit_id in unit_ids:
        other = seen.setdefault(safe_name(unit_id).casefold(), unit_id)
        if other != unit_id:
            raise UsageError(
                f"business units {other} and {unit_id}: their files would have the same name on "
                "some systems. Write them into separate directories."
            )
