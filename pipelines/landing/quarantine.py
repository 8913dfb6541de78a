"""The quarantine desk, reading: which records wait, why, since when, and how much money they hold.

Reads the lake's quarantine files of the loads that count, with the decisions of the books. A
superseded load takes its quarantined records with it: they are not listed. Money of an open or
discarded record is what can be read of the delivery; of a released record it is what counts now.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelines.errors import ControlError, UsageError
from pipelines.landing.field_checks import landed_period
from pipelines.landing.quarantine_log import STATES, RecordDecision, State
from pipelines.landing.typed_records import QUARANTINE_NAME
from pipelines.warehouse.lake_views import ActiveLoad, as_glob, as_text
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

SHORTEST_HASH = 8
"""Characters of a file's hash that may stand for it, at least."""


@dataclass(frozen=True)
class FoundProblem:
    """One thing wrong with a record: which field, what was found there, and why it is wrong."""

    field: str
    found: str | None
    reason: str


@dataclass(frozen=True)
class QuarantinedRecord:
    """One quarantined record and where it stands."""

    source_id: str
    file_name: str
    file_id: str
    row_number: int
    line_number: int | None
    """Line of the file in which it begins; None where the format has none, or it is not known."""
    period_id: str | None
    currency_code: str | None
    amount_local: Decimal | None
    """None where the amount cannot be read, or the contract has none."""
    problems: tuple[FoundProblem, ...]
    state: State
    since: str
    """When it landed or, once decided, when that was."""
    person_name: str | None
    """Who decided; None while it is open."""
    why: str | None


@dataclass(frozen=True)
class QuarantineTotal:
    """Records and money of one source, state and currency ('?' where a record names none)."""

    source_id: str
    state: State
    currency_code: str
    records: int
    amount_local: Decimal
    unreadable_records: int
    """Records whose amount cannot be read; they are in `records` and not in the amount."""


@dataclass(frozen=True)
class RecordDetails:
    """One record as it was delivered, every problem of it, and the decision that counts."""

    record: QuarantinedRecord
    delivered: dict[str, str | None]
    decision: RecordDecision | None


def list_records(
    loads: Sequence[ActiveLoad], state: State | None = "open"
) -> list[QuarantinedRecord]:
    """Records of those loads in one state, or in all with None, by source, file and record."""
    with open_quarantine(loads) as connection:
        rows = connection.execute(
            "select load_id, row_number, line_number, period_id, currency_code, amount_local, "
            "problems, state, since, person_name, why from quarantine_records "
            "where $state is null or state = $state order by source_id, load_id, row_number",
            {"state": state},
        ).fetchall()
    by_id = {load.load_id: load for load in loads}
    return [_make_record(by_id[row[0]], row[1:]) for row in rows]


def sum_records(loads: Sequence[ActiveLoad], state: State | None = "open") -> list[QuarantineTotal]:
    """The same records, counted and summed by source, state and currency."""
    with open_quarantine(loads) as connection:
        rows = connection.execute(
            "select source_id, state, coalesce(currency_code, '?') as code, count(*), "
            "coalesce(sum(amount_local), 0), count(*) filter (has_amount and amount_local is null) "
            "from quarantine_records where $state is null or state = $state "
            "group by source_id, state, code order by source_id, state, code",
            {"state": state},
        ).fetchall()
    return [QuarantineTotal(*row) for row in rows]


def show_record(load: ActiveLoad, row_number: int) -> RecordDetails:
    """One record as delivered. Raises UsageError if it is not in quarantine."""
    with open_quarantine([load]) as connection:
        row = connection.execute(
            "select row_number, line_number, period_id, currency_code, amount_local, problems, "
            "state, since, person_name, why, cast(record as varchar) from quarantine_records "
            "where row_number = ?",
            [row_number],
        ).fetchone()
    if row is None:
        raise refuse_unknown_record(load, [row_number])
    decision = next((d for d in load.decisions.current if d.row_number == row_number), None)
    return RecordDetails(_make_record(load, row[:-1]), json.loads(row[-1]), decision)


def find_load(loads: Sequence[ActiveLoad], source_id: str, file: str) -> ActiveLoad:
    """The load of a source that a file's name or the beginning of its hash names.

    Raises UsageError where there is none or more than one; `loads` are those that count.
    """
    own = [load for load in loads if load.source_id == source_id]
    is_hash = len(file) >= SHORTEST_HASH
    found = [
        load
        for load in own
        if load.file_name == file or (is_hash and load.sha256.startswith(file.lower()))
    ]
    if len(found) == 1:
        return found[0]
    if found:
        hashes = ", ".join(load.sha256[:12] for load in found)
        raise UsageError(
            f"{len(found)} loads of source '{source_id}' are called '{file}'; "
            f"name one by the beginning of its hash: {hashes}"
        )
    if not own:
        known = ", ".join(sorted({load.source_id for load in loads})) or "none"
        raise UsageError(f"no load of a source '{source_id}' counts; sources with loads: {known}")
    raise UsageError(
        f"source '{source_id}': no load that counts is called '{file}'. A file that was superseded "
        "took its quarantined records with it; 'apportion quarantine list' shows the others."
    )


def refuse_unknown_record(load: ActiveLoad, rows: Sequence[int]) -> UsageError:
    """The failure of asking for records that are not in quarantine."""
    numbers = ", ".join(map(str, rows[:5]))
    return UsageError(
        f"{load.source_id}/{load.file_name}: record {numbers} is not in quarantine; "
        f"'apportion quarantine list --source {load.source_id}' shows those that are"
    )


@contextmanager
def open_quarantine(loads: Sequence[ActiveLoad]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the view `quarantine_records` over the quarantined records of `loads`.

    Per record: load_id, source_id, row_number, line_number, period_id, currency_code, amount_local
    (what counts now), delivered_currency_code, delivered_amount_local, has_amount (its contract
    has one), problems, record, state, since, person_name, why. Raises ControlError if the lake is
    damaged.
    """
    import duckdb

    with duckdb.connect(":memory:") as connection:
        _create_decisions(connection, loads)
        selects = [_select_records(load) for load in loads if load.records_quarantined]
        try:
            connection.execute(
                "create view quarantine_records as "
                + (" union all ".join(selects) or f"from ({_EMPTY})")
            )
            yield connection
        except duckdb.IOException as error:
            reason = str(error).split("\n")[0]
            raise ControlError(
                f"the lake lacks a file that the books name: {reason}. Run 'apportion doctor'."
            ) from error


_EMPTY = (
    "select null::bigint as load_id, null::varchar as source_id, null::bigint as row_number, "
    "null::bigint as line_number, "
    "null::varchar as period_id, null::varchar as currency_code, "
    "null::decimal(38, 12) as amount_local, null::varchar as delivered_currency_code, "
    "null::decimal(38, 12) as delivered_amount_local, null::boolean as has_amount, "
    "null::varchar[] as problems, null::varchar as record, null::varchar as state, "
    "null::varchar as since, null::varchar as person_name, null::varchar as why where false"
)


def _create_decisions(connection: duckdb.DuckDBPyConnection, loads: Sequence[ActiveLoad]) -> None:
    """The decisions as a table, given in columns: that costs no statement per decision."""
    rows = [(load.load_id, item) for load in loads for item in load.decisions.current]
    connection.execute(
        "create temp table decisions as select "
        "unnest(cast($load_ids as bigint[])) as load_id, "
        "unnest(cast($rows as bigint[])) as row_number, "
        "unnest(cast($states as varchar[])) as state, "
        "unnest(cast($corrections as varchar[])) as correction_id, "
        "unnest(cast($persons as varchar[])) as person_name, "
        "unnest(cast($whys as varchar[])) as why, "
        "unnest(cast($times as varchar[])) as decided_at",
        {
            "load_ids": [load_id for load_id, _ in rows],
            "rows": [item.row_number for _, item in rows],
            "states": [STATES[item.decision] for _, item in rows],
            "corrections": [item.correction_id for _, item in rows],
            "persons": [item.person_name for _, item in rows],
            "whys": [item.why for _, item in rows],
            "times": [item.decided_at for _, item in rows],
        },
    )


def _select_records(load: ActiveLoad) -> str:
    """One select per load: its quarantined records beside what was decided and released."""
    contract = load.contract
    return f"""
        select
            cast({load.load_id} as bigint) as load_id,
            {as_text(load.source_id)} as source_id,
            delivered._row_number as row_number,
            delivered._line_number as line_number,
            case when decisions.state = 'released' then released.period_id
                else delivered.period_id end as period_id,
            case when decisions.state = 'released' then released.currency_code
                else delivered.currency_code end as currency_code,
            case when decisions.state = 'released' then released.amount_local
                else delivered.amount_local end as amount_local,
            delivered.currency_code as delivered_currency_code,
            delivered.amount_local as delivered_amount_local,
            {contract.amount_field is not None} as has_amount,
            delivered._problems as problems,
            delivered.record,
            coalesce(decisions.state, 'open') as state,
            coalesce(decisions.decided_at, {as_text(load.landed_at)}) as since,
            decisions.person_name,
            decisions.why
        from (
            -- Quarantines of earlier versions have no lines.
            select null::bigint as _line_number where false union all by name
            from read_parquet({as_text(as_glob(load.directory / QUARANTINE_NAME))})
        ) as delivered
        left join decisions
            on decisions.load_id = {load.load_id} and decisions.row_number = delivered._row_number
        left join ({_select_released(load)}) as released
            on released.correction_id = decisions.correction_id
            and released.row_number = delivered._row_number
    """


def _select_released(load: ActiveLoad) -> str:
    """Period, currency and amount of the records in the load's corrections."""
    contract = load.contract
    period, currency, amount = landed_period(contract), "null", "null"
    if contract.currency_field:
        currency = f'"{contract.currency_field}"'
    if contract.amount_field:
        amount = f'"{contract.amount_field}"'
    values = (
        f"_row_number as row_number, cast({period} as varchar) as period_id, "
        f"cast({currency} as varchar) as currency_code, "
        f"cast({amount} as decimal(38, 12)) as amount_local"
    )
    selects = [
        f"select {as_text(item.correction_id)} as correction_id, {values} "
        f"from read_parquet({as_text(as_glob(item.find_path(load.directory)))})"
        for item in load.decisions.corrections
    ]
    return " union all ".join(selects) or (
        "select null::varchar as correction_id, null::bigint as row_number, "
        "null::varchar as period_id, null::varchar as currency_code, "
        "null::decimal(38, 12) as amount_local where false"
    )


def _make_record(load: ActiveLoad, row: tuple[Any, ...]) -> QuarantinedRecord:
    number, line, period, currency, amount, problems, state, since, person, why = row
    found = tuple(FoundProblem(p["field"], p["found"], p["reason"]) for p in problems)
    return QuarantinedRecord(
        load.source_id,
        load.file_name,
        load.sha256,
        number,
        line,
        period,
        currency,
        amount,
        found,
        state,
        since,
        person,
        why,
    )


def list_loads(
    workspace: Workspace, loads: Sequence[ActiveLoad], source_id: str | None
) -> list[ActiveLoad]:
    """The loads of one source, or all. Raises UsageError if apportion.yml has no such source."""
    if source_id is None:
        return list(loads)
    if source_id not in workspace.config.sources:
        known = ", ".join(sorted(workspace.config.sources)) or "none"
        raise UsageError(f"no source is called '{source_id}'; apportion.yml has: {known}")
    return [load for load in loads if load.source_id == source_id]
