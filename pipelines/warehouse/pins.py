"""Which deliveries the closed periods were made of, where others count today.

A close names its inputs in its manifest. While the same deliveries count, a closed period is read
like any other and nothing is pinned. Where a delivery came late, took the place of another one, or
was corrected, the period is *pinned* for that contract: its actual figures go on being made of what
they were closed with. Where what changed is money or use, it is *restated* as well: the scenario
`restated` reads what counts today, and the difference is posted in an open period.

Rates and the organisation are frozen: they are pinned, and a change of them restates nothing.

Assumes that the periods of a delivery are those of its records, as landing counted them. Where that
does not tell (a contract without a period, a moment in time, a source that updates its records),
what the period reads then and now is compared by content when the warehouse is prepared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from pipelines.contracts.contract import list_contract_ids, load_contract
from pipelines.contracts.periods import PeriodClock
from pipelines.errors import ControlError
from pipelines.landing.load_log import name_directory
from pipelines.landing.quarantine_log import NO_DECISIONS, Correction, LoadDecisions, read_decisions
from pipelines.landing.typed_records import has_records
from pipelines.warehouse.closed_periods import MANIFEST_NAME, find_directory, list_closed
from pipelines.warehouse.lake_views import ActiveLoad, read_published_replaced
from pipelines.warehouse.latest_records import find_updated_key
from pipelines.warehouse.pinned_records import (
    FROZEN,
    SPANNED,
    is_by_clock,
    select_of_period,
)

if TYPE_CHECKING:
    import duckdb
    from sqlalchemy import Connection

    from pipelines.books.books import Books
    from pipelines.workspace.workspace import Workspace

ACTUAL = "actual"
UNPINNED = ("budget", "outages")
"""A budget is no actual; outages say how good a service was, and nobody pays by them."""


@dataclass(frozen=True)
class Pin:
    """What a closed period reads of a contract: the loads that its close was made of."""

    contract_id: str
    period_id: str
    version: int
    loads: tuple[ActiveLoad, ...]
    changed_files: tuple[str, ...] = ()
    """Names of the files that count today and did not then, or the other way round."""
    is_certain: bool = True
    """False where only a comparison of the records tells whether anything differs."""


@dataclass(frozen=True)
class Pins:
    """All pins of a build. Nothing is pinned where no closed period has other inputs today."""

    pins: tuple[Pin, ...] = ()
    also_restated: tuple[tuple[str, int], ...] = ()
    """Closed periods (with versions) that are restated because notes were posted for them."""

    def of_contract(self, contract_id: str) -> list[Pin]:
        return [pin for pin in self.pins if pin.contract_id == contract_id]

    @property
    def restated(self) -> dict[str, int]:
        """Closed periods whose money or use differs today, and their closed version."""
        found = {pin.period_id: pin.version for pin in self.pins if pin.contract_id not in FROZEN}
        return dict(sorted((found | dict(self.also_restated)).items()))

    @property
    def restates_or_pins(self) -> bool:
        """Whether any closed period is read otherwise than an open one."""
        return bool(self.pins or self.also_restated)

    def list_changed_files(self, period_id: str) -> tuple[str, ...]:
        """Which files made a period restated."""
        own = [
            name
            for pin in self.pins
            if pin.period_id == period_id and pin.contract_id not in FROZEN
            for name in pin.changed_files
        ]
        return tuple(dict.fromkeys(own))

    def describe(self) -> list[str]:
        """Lines that differ where anything differs, for the fingerprint of a run."""
        return [
            f"{pin.contract_id} of {pin.period_id} as of version {pin.version}: "
            + " ".join(sorted(map(_identify, pin.loads)))
            for pin in self.pins
        ]


NO_PINS = Pins()


def find_pins(workspace: Workspace, books: Books, active: Sequence[ActiveLoad]) -> Pins:
    """Compare the inputs of every closed period with the loads that count today.

    Costs one query and nothing else where no period is closed. Raises ControlError where the books
    or the manifest do not know what a close was made of.
    """
    with books.read() as connection:
        closed = list_closed(connection)
        if not closed:
            return NO_PINS
        known = _read_loads(workspace, connection)
        periods_of = _read_load_periods(connection, [period for period, _ in closed])
    contracts = [name for name in list_contract_ids() if _is_pinned(name)]
    now = _group_by_contract(load for load in active if load.scenario_id == ACTUAL)
    pins: list[Pin] = []
    for period_id, version in closed:
        then = _group_by_contract(_read_inputs(workspace, period_id, version, known))
        for contract_id in contracts:
            loads = tuple(then.get(contract_id, ()))
            own = Pin(contract_id, period_id, version, loads)
            pin = _compare(own, now.get(contract_id, ()), periods_of)
            if pin is not None:
                _refuse_lost_records(pin)
                pins.append(pin)
    return Pins(tuple(pins))


def _group_by_contract(loads: Iterable[ActiveLoad]) -> dict[str, list[ActiveLoad]]:
    groups: dict[str, list[ActiveLoad]] = {}
    for load in loads:
        groups.setdefault(load.contract_id, []).append(load)
    return groups


def _refuse_lost_records(pin: Pin) -> None:
    for load in pin.loads:
        if not has_records(load.directory):
            raise ControlError(
                f"{pin.period_id} was closed with {load.file_name} of {load.source_id}, whose "
                f"records are no longer in {load.directory}. Restore them from a backup."
            )


def settle_pins(
    connection: duckdb.DuckDBPyConnection,
    pins: Pins,
    active: Sequence[ActiveLoad],
    clock: PeriodClock,
    select_loads: Callable[[str, Sequence[ActiveLoad]], str],
) -> Pins:
    """The pins without those whose period reads the same records then and now.

    `select_loads` gives the SQL of the records of a contract's loads.
    """
    return replace(
        pins,
        pins=tuple(
            pin
            for pin in pins.pins
            if pin.is_certain or _differs(connection, pin, active, clock, select_loads)
        ),
    )


def write_pins(connection: duckdb.DuckDBPyConnection, pins: Pins) -> None:
    """Create model.pins, so that a trace and a rerun read the records that the run read."""
    connection.execute(
        "create or replace table model.pins (contract_id varchar, period_id varchar, "
        "closed_version integer, loads varchar, changed_files varchar[])"
    )
    rows: list[tuple[Any, ...]] = [
        (
            pin.contract_id,
            pin.period_id,
            pin.version,
            json.dumps([_pack(load) for load in pin.loads]),
            list(pin.changed_files),
        )
        for pin in pins.pins
    ] + [(None, period_id, version, "[]", []) for period_id, version in pins.restated.items()]
    if rows:
        connection.executemany("insert into model.pins values (?, ?, ?, ?, ?)", rows)


def read_pins(workspace: Workspace, published: duckdb.DuckDBPyConnection) -> Pins:
    """The pins of a published run; none where it was published before there were any."""
    (there,) = published.execute(
        "select count(*) from information_schema.tables "
        "where table_schema = 'model' and table_name = 'pins'"
    ).fetchall()[0]
    if not there:
        return NO_PINS
    rows = published.execute(
        "select contract_id, period_id, closed_version, loads, changed_files from model.pins "
        "order by all"
    ).fetchall()
    return Pins(
        tuple(
            Pin(
                contract,
                period,
                version,
                _find_readable(_unpack(workspace, item) for item in json.loads(loads)),
                tuple(files),
            )
            for contract, period, version, loads, files in rows
            if contract is not None
        ),
        tuple((period, version) for contract, period, version, _, _ in rows if contract is None),
    )


def _find_readable(loads: Iterable[ActiveLoad]) -> tuple[ActiveLoad, ...]:
    """The loads whose records are still in the lake: what is gone cannot be traced."""
    return tuple(load for load in loads if has_records(load.directory))


def name_files(loads: Sequence[ActiveLoad], pins: Pins) -> dict[str, str]:
    """File names by SHA-256, of what counts and of what closed periods read."""
    pinned = [load for pin in pins.pins for load in pin.loads]
    return {load.sha256: load.file_name for load in (*pinned, *loads)}


def describe_inputs(
    published: duckdb.DuckDBPyConnection,
) -> list[dict[str, Any]]:
    """What a manifest says of the deliveries that a published run was made of, in their order."""
    corrections: dict[int, list[dict[str, Any]]] = {}
    for load_id, correction_id, rows, overtaken in published.execute(
        "select load_id, correction_id, row_numbers, overtaken_row_numbers "
        "from model.corrections order by load_id, correction_id"
    ).fetchall():
        item = {"correction_id": correction_id, "rows": rows, "overtaken": overtaken}
        corrections.setdefault(load_id, []).append(item)
    replaced = read_published_replaced(published)
    return [
        {
            "source_id": source_id,
            "scenario_id": scenario_id,
            "file_name": file_name,
            "sha256": sha256,
            "reading": _parse_reading(directory),
            "corrections": corrections.get(load_id, []),
            **({"without_periods": list(replaced[load_id])} if load_id in replaced else {}),
        }
        for load_id, source_id, scenario_id, file_name, sha256, directory in published.execute(
            "select load_id, source_id, scenario_id, file_name, file_id, directory_name "
            "from model.loads order by load_id"
        ).fetchall()
    ]


def _is_pinned(contract_id: str) -> bool:
    if contract_id in FROZEN or contract_id in SPANNED:
        return True
    return load_contract(contract_id).period_field is not None and contract_id not in UNPINNED


def _compare(pin: Pin, now: Sequence[ActiveLoad], periods_of: dict[int, set[str]]) -> Pin | None:
    """The pin, where other loads are relevant to its period today; None where the same are."""
    contract = load_contract(pin.contract_id)
    # Landing counts periods by the clock of UTC, and a record that is updated may change its own.
    is_vague = (
        contract.period_field is None
        or is_by_clock(contract)
        or any(load.updated_key for load in (*pin.loads, *now))
    )

    def is_relevant(load: ActiveLoad) -> bool:
        periods = periods_of.get(load.load_id)
        if pin.period_id in load.replaced_periods:
            return False
        return is_vague or periods is None or pin.period_id in periods

    before = {_identify(load): load for load in pin.loads if is_relevant(load)}
    after = {_identify(load): load for load in now if is_relevant(load)}
    if before.keys() == after.keys():
        return None
    changed = [after[key] for key in after if key not in before]
    changed += [before[key] for key in before if key not in after]
    is_vague = is_vague or any(load.load_id not in periods_of for load in changed)
    return replace(
        pin,
        loads=tuple(before.values()),
        changed_files=tuple(dict.fromkeys(load.file_name for load in changed)),
        is_certain=not is_vague,
    )


def _differs(
    connection: duckdb.DuckDBPyConnection,
    pin: Pin,
    active: Sequence[ActiveLoad],
    clock: PeriodClock,
    select_loads: Callable[[str, Sequence[ActiveLoad]], str],
) -> bool:
    """Whether the records of the period are others today. What only happened later is none."""
    now = [
        load
        for load in active
        if load.contract_id == pin.contract_id and load.scenario_id == ACTUAL
    ]
    before, after = (
        select_of_period(pin.contract_id, select_loads(pin.contract_id, loads), pin, clock)
        for loads in (pin.loads, now)
    )
    row = connection.execute(
        f"select exists (from ({before}) except all from ({after})) "
        f"or exists (from ({after}) except all from ({before}))"
    ).fetchone()
    assert row is not None
    return bool(row[0])


def _identify(load: ActiveLoad) -> str:
    """What decides the records of a load."""
    released = [
        f"{item.correction_id}-{list(item.overtaken)}" for item in load.decisions.corrections
    ]
    return " ".join([load.source_id, load.sha256, str(load.reading), *sorted(released)])


def _read_inputs(
    workspace: Workspace, period_id: str, version: int, known: dict[tuple[str, str], ActiveLoad]
) -> list[ActiveLoad]:
    """The actual loads of a close, in the order they came."""
    path = find_directory(workspace, period_id, version) / MANIFEST_NAME
    try:
        inputs = json.loads(path.read_text("utf-8"))["inputs"]
    except (OSError, ValueError, KeyError):
        raise ControlError(
            f"{path}: expected the manifest of the close of {period_id}, found none that can be "
            "read. Restore the directory from a backup; 'apportion verify' says what is missing."
        ) from None
    found = []
    for item in inputs:
        if item["scenario_id"] != ACTUAL:
            continue
        load = known.get((item["source_id"], item["sha256"]))
        if load is None:
            raise ControlError(
                f"{period_id} was closed with {item['file_name']} of {item['source_id']} (sha256 "
                f"{item['sha256'][:12]}…), and the books know no such delivery. Restore books and "
                "lake from a backup."
            )
        found.append(_as_it_was(workspace, load, item))
    return sorted(found, key=lambda load: load.load_id)


def _as_it_was(workspace: Workspace, load: ActiveLoad, item: dict[str, Any]) -> ActiveLoad:
    """The load with the reading and corrections of the close. Manifests that do not name them are
    older than both were asked for: what counts today counted then."""
    if "reading" not in item:
        return load
    corrections = tuple(
        Correction(entry["correction_id"], tuple(entry["rows"]), tuple(entry["overtaken"]))
        for entry in item["corrections"]
    )
    return replace(
        load,
        reading=item["reading"],
        directory=workspace.lake / load.source_id / name_directory(load.sha256, item["reading"]),
        decisions=LoadDecisions((), corrections),
        replaced_periods=tuple(item.get("without_periods", ())),
        periods=workspace.config.calendar.spans,
    )


def _read_loads(workspace: Workspace, connection: Connection) -> dict[tuple[str, str], ActiveLoad]:
    """Every load that the books know, superseded ones too, as they are read today."""
    from sqlalchemy import select

    from pipelines.books.tables import loads

    decisions = read_decisions(connection)
    sources = workspace.config.sources
    return {
        (row.source_id, row.sha256): ActiveLoad(
            row.load_id,
            row.source_id,
            row.contract_id,
            row.scenario_id,
            row.file_name,
            row.sha256,
            row.records_accepted,
            row.records_quarantined,
            workspace.lake / row.source_id / name_directory(row.sha256, row.reading),
            decisions.get(row.load_id, NO_DECISIONS),
            row.landed_at,
            row.is_original_kept,
            row.reading,
            find_updated_key(sources[row.source_id], row.contract_id)
            if row.source_id in sources
            else (),
            periods=workspace.config.calendar.spans,
        )
        for row in connection.execute(select(loads))
    }


def _read_load_periods(connection: Connection, closed: Iterable[str]) -> dict[int, set[str]]:
    """By load the periods of its records; a load without any is left out."""
    from sqlalchemy import select

    from pipelines.books.tables import load_periods

    wanted = set(closed)
    found: dict[int, set[str]] = {}
    for load_id, period_id in connection.execute(
        select(load_periods.c.load_id, load_periods.c.period_id)
    ):
        own = found.setdefault(load_id, set())
        if period_id in wanted:
            own.add(period_id)
    return found


def _pack(load: ActiveLoad) -> dict[str, Any]:
    return {
        "load_id": load.load_id,
        "source_id": load.source_id,
        "contract_id": load.contract_id,
        "file_name": load.file_name,
        "sha256": load.sha256,
        "reading": load.reading,
        "corrections": [asdict(item) for item in load.decisions.corrections],
        "without_periods": list(load.replaced_periods),
    }


def _unpack(workspace: Workspace, item: dict[str, Any]) -> ActiveLoad:
    source_id, contract_id = item["source_id"], item["contract_id"]
    sources = workspace.config.sources
    corrections = tuple(
        Correction(entry["correction_id"], tuple(entry["rows"]), tuple(entry["overtaken"]))
        for entry in item["corrections"]
    )
    return ActiveLoad(
        item["load_id"],
        source_id,
        contract_id,
        ACTUAL,
        item["file_name"],
        item["sha256"],
        0,
        0,
        workspace.lake / source_id / name_directory(item["sha256"], item["reading"]),
        LoadDecisions((), corrections),
        reading=item["reading"],
        updated_key=find_updated_key(sources[source_id], contract_id)
        if source_id in sources
        else (),
        replaced_periods=tuple(item.get("without_periods", ())),
        periods=workspace.config.calendar.spans,
    )


def _parse_reading(directory_name: str) -> int:
    """The inverse of `name_directory`."""
    _, _, reading = directory_name.partition(".")
    return int(reading or 1)
