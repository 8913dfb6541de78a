"""Show the lake to SQL: one view per contract over the records of every active load.

The books say which loads exist, which were superseded, and what was decided on quarantined
records; files that they do not name are never read. A released record is a record of its contract
under the file and row of its original; one that is open or discarded is in model.quarantine. A
contract without loads is an empty table of the right types, so that the model is the same for
every company.
"""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.books.books import Books
from pipelines.contracts.contract import (
    DUCKDB_TYPES,
    Contract,
    ContractField,
    list_contract_ids,
    load_contract,
    load_contract_in,
)
from pipelines.contracts.periods import MONTHS, MONTHS_OF_UTC, PeriodClock, Periods
from pipelines.landing.field_checks import landed_period
from pipelines.landing.holds import is_counting
from pipelines.landing.load_log import name_directory, read_replaced_periods
from pipelines.landing.quarantine_log import (
    NO_DECISIONS,
    Correction,
    LoadDecisions,
    read_decisions,
)
from pipelines.landing.typed_records import (
    MEASURES_COLUMN,
    QUARANTINE_NAME,
    RECORDS_NAME,
    read_view,
)
from pipelines.warehouse import pinned_records
from pipelines.warehouse.latest_records import find_updated_key, keep_latest_records
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

    from pipelines.warehouse.pins import Pins


PLUMBING = ("_source_id", "_scenario_id", "_file_id")


@dataclass(frozen=True)
class ActiveLoad:
    """One load that counts: what it is and where its records lie."""

    load_id: int
    source_id: str
    contract_id: str
    scenario_id: str
    file_name: str
    sha256: str
    records_accepted: int
    records_quarantined: int
    """As landed; `records_open` says how many of them still wait for a decision."""
    directory: Path
    decisions: LoadDecisions = NO_DECISIONS
    landed_at: str = ""
    is_original_kept: bool = True
    reading: int = 1
    updated_key: tuple[str, ...] = ()
    """Fields by which its records take the place of earlier ones, where its source says so."""
    replaced_periods: tuple[str, ...] = ()
    """Periods in which another load of its source counts instead."""
    periods: Periods = MONTHS
    """Those of the workspace's calendar."""

    @property
    def contract(self) -> Contract:
        """The contract of its records, in the workspace's calendar."""
        return load_contract_in(self.contract_id, self.periods)

    @property
    def records_open(self) -> int:
        return self.records_quarantined - len(self.decisions.current)


def list_active_loads(workspace: Workspace, books: Books) -> list[ActiveLoad]:
    """Loads of configured sources that count, in the order they came: no other load superseded
    them, and they are not held."""
    from sqlalchemy import select

    from pipelines.books.tables import loads

    with books.read() as connection:
        rows = connection.execute(
            select(loads)
            .where(loads.c.superseded_by.is_(None), is_counting(loads))
            .order_by(loads.c.load_id)
        ).all()
        decisions = read_decisions(connection)
        replaced = read_replaced_periods(connection)
    return [
        ActiveLoad(
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
            find_updated_key(workspace.config.sources[row.source_id], row.contract_id),
            replaced.get(row.load_id, ()),
            workspace.config.calendar.spans,
        )
        for row in rows
        if row.source_id in workspace.config.sources
    ]


def create_lake_views(
    connection: duckdb.DuckDBPyConnection,
    loads: list[ActiveLoad],
    contract_ids: Sequence[str] | None = None,
    *,
    pins: Pins | None = None,
    clock: PeriodClock = MONTHS_OF_UTC,
) -> None:
    """Create schema `lake` with a view per contract, or of `contract_ids` only.

    Columns: those of the contract, then _source_id, _scenario_id, _file_id (sha256), _row_number;
    for contracts without a period also _counts_from and _counts_until. `pins`: what closed periods
    read instead of the active loads; `clock` says which records are theirs.
    """
    connection.execute("create schema if not exists lake")
    for contract_id in list_contract_ids() if contract_ids is None else contract_ids:
        own = [load for load in loads if load.contract_id == contract_id]
        body = select_loads(connection, contract_id, own)
        shown = None
        if pins is not None and pins.restates_or_pins:
            shown = _show_closed(connection, contract_id, body, pins, clock)
        if shown is None:
            shown = body
            if contract_id in pinned_records.SPANNED:
                shown = f"select *, {pinned_records.SPAN_COLUMNS} from ({body})"
        # A contract without loads is a table, which stays when what reads the lake is dropped.
        kind = "view" if own else "table"
        connection.execute(f"create or replace {kind} lake.{contract_id} as {shown}")


def select_loads(
    connection: duckdb.DuckDBPyConnection, contract_id: str, loads: Sequence[ActiveLoad]
) -> str:
    """SQL of the records of a contract's loads, with what says where each came from."""
    fields = load_contract(contract_id).fields
    if not loads:
        columns = ", ".join(
            f'cast(null as {DUCKDB_TYPES[field.type]}) as "{field.name}"' for field in fields
        )
        plumbing = ", ".join(f"cast(null as varchar) as {name}" for name in PLUMBING)
        return f"select {columns}, {plumbing}, cast(null as bigint) as _row_number where false"
    selects = [
        f"select {_select_fields(connection, relation, fields)}, "
        f"{as_text(load.source_id)} as _source_id, "
        f"{as_text(load.scenario_id)} as _scenario_id, {as_text(load.sha256)} as _file_id, "
        f"_row_number from {relation}"
        for load in loads
        for relation in list_relations(load)
    ]
    return keep_latest_records(" union all ".join(selects), loads)


def _show_closed(
    connection: duckdb.DuckDBPyConnection,
    contract_id: str,
    active: str,
    pins: Pins,
    clock: PeriodClock,
) -> str | None:
    """The records with those of closed periods as they were closed, None where nothing differs."""
    pinned = [
        (pin.period_id, select_loads(connection, contract_id, pin.loads))
        for pin in pins.of_contract(contract_id)
    ]
    restated = sorted(pins.restated)
    if contract_id in pinned_records.FROZEN:
        if not pinned:
            return None
        if contract_id == pinned_records.RATES:
            return pinned_records.show_rates(active, pinned)
        return pinned_records.show_organisation(active, pinned, clock.periods)
    if contract_id in pinned_records.SPANNED:
        own = dict(pinned)
        periods = {
            pin.period_id for name in pinned_records.SPANNED for pin in pins.of_contract(name)
        }
        pinned = [(name, own.get(name, "from active")) for name in sorted(periods)]
        return pinned_records.show_spans(active, pinned, restated, clock.periods)
    if load_contract(contract_id).period_field is None:
        return None
    return pinned_records.show_periods(contract_id, active, pinned, restated, clock)


def _select_fields(
    connection: duckdb.DuckDBPyConnection, relation: str, fields: tuple[ContractField, ...]
) -> str:
    """The fields of a contract from a file that was written when it may have had fewer."""
    rows = connection.execute(f"describe select * from {relation}").fetchall()
    there = {row[0] for row in rows}
    return ", ".join(
        f'"{field.name}"'
        if field.name in there or field.is_required
        else f'cast(null as {DUCKDB_TYPES[field.type]}) as "{field.name}"'
        for field in fields
    )


def create_load_tables(
    connection: duckdb.DuckDBPyConnection,
    loads: list[ActiveLoad],
    measures: Mapping[str, str] | None = None,
) -> None:
    """Create model.loads and model.quarantine: what the run reads, and what it could not.

    A quarantined record is 'open' or 'discarded'; a released one is read, and not among them.
    `measures`: by source, the field whose sum ties where it is not the amount of its contract.
    """
    connection.execute(
        "create or replace table model.loads (load_id bigint, source_id varchar, "
        "contract_id varchar, scenario_id varchar, file_name varchar, file_id varchar, "
        "records_accepted bigint, "
        "records_quarantined bigint, directory_name varchar)"
    )
    rows = [
        (
            load.load_id,
            load.source_id,
            load.contract_id,
            load.scenario_id,
            load.file_name,
            load.sha256,
            load.records_accepted,
            load.records_quarantined,
            load.directory.name,
        )
        for load in loads
    ]
    if rows:
        connection.executemany("insert into model.loads values (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    _create_quarantine_table(connection, loads, measures or {})
    _create_correction_table(connection, loads)
    _create_replaced_table(connection, loads)


def _create_quarantine_table(
    connection: duckdb.DuckDBPyConnection, loads: list[ActiveLoad], measures: Mapping[str, str]
) -> None:
    connection.execute(
        "create or replace table model.quarantine (source_id varchar, file_name varchar, "
        "file_id varchar, row_number bigint, period_id varchar, currency_code varchar, "
        "amount_local decimal(38, 12), reason varchar, record varchar, state varchar, "
        "has_period boolean, has_amount boolean)"
    )
    for load in loads:
        if not load.records_quarantined:
            continue
        contract = load_contract(load.contract_id)
        path = as_glob(load.directory / QUARANTINE_NAME)
        measure = measures.get(load.source_id, contract.amount_field)
        connection.execute(
            "insert into model.quarantine select $source_id, $file_name, $file_id, "
            "_row_number, period_id, currency_code, "
            f"{_select_measure(connection, path, contract, measure)}, "
            "array_to_string("
            "list_transform(_problems, lambda p: p.field || ' ' || p.reason), '; '), "
            "cast(record as varchar), "
            "case when _row_number in (select unnest(cast($discarded as bigint[]))) "
            "then 'discarded' else 'open' end, $has_period, $has_amount "
            "from read_parquet($path) "
            "where _row_number not in (select unnest(cast($released as bigint[]))) "
            "and coalesce(period_id not in (select unnest(cast($replaced as varchar[]))), true)",
            {
                "source_id": load.source_id,
                "file_name": load.file_name,
                "file_id": load.sha256,
                "path": path,
                "discarded": load.decisions.discarded_rows,
                "released": load.decisions.released_rows,
                "replaced": list(load.replaced_periods),
                "has_period": contract.period_field is not None,
                "has_amount": contract.amount_field is not None,
            },
        )


def _select_measure(
    connection: duckdb.DuckDBPyConnection, path: str, contract: Contract, measure: str | None
) -> str:
    """SQL for the amount of a quarantined record that ties; NULL where it cannot be read. A file
    that was written before other measures were kept has only the amount of its contract."""
    if measure == contract.amount_field:
        return "amount_local"
    rows = connection.execute("describe select * from read_parquet(?)", [path]).fetchall()
    if MEASURES_COLUMN not in {row[0] for row in rows}:
        return "cast(null as decimal(38, 12))"
    return f"cast(json_extract_string({MEASURES_COLUMN}, '$.{measure}') as decimal(38, 12))"


def list_relations(load: ActiveLoad) -> list[str]:
    """What to select a load's records from, in SQL: its records, and those released since."""
    view = read_view(load.directory)
    path = as_text(as_glob(load.directory / RECORDS_NAME))
    relations = [f"({view})" if view is not None else f"read_parquet({path})"]
    relations += _list_released(load)
    if not load.replaced_periods or load.contract.period_field is None:
        return relations
    named = ", ".join(map(as_text, load.replaced_periods))
    period = landed_period(load.contract)
    counting = f"where coalesce({period} not in ({named}), true)"
    return [f"(select * from {relation} {counting})" for relation in relations]


def _list_released(load: ActiveLoad) -> list[str]:
    """The records of a load that were released since, in SQL."""
    relations = []
    for correction in load.decisions.corrections:
        path = as_text(as_glob(correction.find_path(load.directory)))
        relation = f"read_parquet({path})"
        if correction.overtaken:
            rows = ", ".join(map(str, correction.overtaken))
            relation = f"(select * from {relation} where _row_number not in ({rows}))"
        relations.append(relation)
    return relations


def _create_correction_table(
    connection: duckdb.DuckDBPyConnection, loads: list[ActiveLoad]
) -> None:
    """Create model.corrections, so that a trace reads the records that the run read."""
    connection.execute(
        "create or replace table model.corrections (load_id bigint, correction_id varchar, "
        "row_numbers bigint[], overtaken_row_numbers bigint[])"
    )
    rows = [
        (load.load_id, item.correction_id, list(item.rows), list(item.overtaken))
        for load in loads
        for item in load.decisions.corrections
    ]
    if rows:
        connection.executemany("insert into model.corrections values (?, ?, ?, ?)", rows)


def _create_replaced_table(connection: duckdb.DuckDBPyConnection, loads: list[ActiveLoad]) -> None:
    """Create model.replaced_periods: the periods of loads in which another one counts instead."""
    connection.execute(
        "create or replace table model.replaced_periods (load_id bigint, period_id varchar)"
    )
    rows = [(load.load_id, period) for load in loads for period in load.replaced_periods]
    if rows:
        connection.executemany("insert into model.replaced_periods values (?, ?)", rows)


def read_published_replaced(published: duckdb.DuckDBPyConnection) -> dict[int, tuple[str, ...]]:
    """By load the periods that a published run did not read of it; none where it was published
    before loads were replaced by period."""
    (there,) = published.execute(
        "select count(*) from information_schema.tables "
        "where table_schema = 'model' and table_name = 'replaced_periods'"
    ).fetchall()[0]
    if not there:
        return {}
    rows = published.execute(
        "select load_id, list(period_id order by period_id) from model.replaced_periods "
        "group by load_id"
    ).fetchall()
    return {load_id: tuple(periods) for load_id, periods in rows}


def read_corrections(published: duckdb.DuckDBPyConnection) -> dict[int, LoadDecisions]:
    """The corrections that a published run read, by load, from its model.corrections."""
    found: dict[int, list[Correction]] = {}
    for load_id, correction_id, rows, overtaken in published.execute(
        "select load_id, correction_id, row_numbers, overtaken_row_numbers "
        "from model.corrections order by load_id, correction_id"
    ).fetchall():
        found.setdefault(load_id, []).append(
            Correction(correction_id, tuple(rows), tuple(overtaken))
        )
    return {load_id: LoadDecisions((), tuple(items)) for load_id, items in found.items()}


def as_glob(path: Path) -> str:
    """The path as DuckDB takes it: a glob, in which `[1]` would mean the directory `1`."""
    return glob.escape(str(path))


def as_text(value: str) -> str:
    """A text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"
