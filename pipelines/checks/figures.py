"""Measure every source once, so that all its checks can be judged from a few small tables.

What it does: one scan per source counts its records, sums its money, counts how often its optional
fields are filled and how many records break each condition, by period and currency; one more scan
per reference counts the codes that no master knows. The tables go into the schema `figures` of the
file that is checked, beside a view per source in the schema `subjects`.

Assumes: the file is the checks' own and may be written to; it has `lake.<contract_id>` for every
contract of the plan.

Guarantees: money is summed and compared as decimals. Tables and views of the lake are not changed.
Nothing is held per record: memory grows with periods, currencies and distinct codes, not with
records, because no window function and no list looks at all of them.

| table | one row per |
|---|---|
| `figures.calendar` | period, in order |
| `figures.periods` | source, period, currency: records and money |
| `figures.broken` | source, check, period, currency with broken records: their number |
| `figures.filled` | source, period, optional field: how often it is filled |
| `figures.unknown` | source, reference, period, currency: what no master knows |
| `figures.volumes`, `figures.amounts`, `figures.fills` | the same with the period before |
| `figures.lateness` | source that has periods: how far it is behind the control total |
| `figures.deliveries` | source with a limit in days, period: when it landed |
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from pipelines.checks.check import Check, quote_text
from pipelines.checks.plan import CheckedSource, CheckPlan
from pipelines.checks.references import ReferenceCheck, list_references, select_known_codes
from pipelines.contracts.contract import Contract
from pipelines.contracts.periods import MONTHS, Periods
from pipelines.errors import ApportionError

if TYPE_CHECKING:
    import duckdb

MONEY = "decimal(38, 12)"
UNKNOWN_NAMED = 5
"""How many unknown codes a sentence names."""


class CheckBrokenError(ApportionError):
    """A check could not be evaluated at all; that is a defect, not a finding."""

    def __init__(self, subject: str, check_id: str, reason: str) -> None:
        super().__init__(
            f"check {subject}.{check_id}: expected a result, got an error: {reason}. "
            "The delivery was not judged by it; report this as a defect."
        )


def name_view(source_id: str) -> str:
    """The view over the records of one source."""
    return f"subjects.source_{source_id}"


def create_figures(connection: duckdb.DuckDBPyConnection, plan: CheckPlan) -> None:
    """Make the empty tables of the figures, anew where there are some."""
    connection.execute("drop schema if exists figures cascade")
    connection.execute("create schema figures")
    where = "source_id varchar, period_id varchar, currency_code varchar"
    for table, columns in {
        "periods": f"{where}, record_count bigint, amount_local {MONEY}, last_date date",
        "broken": f"{where}, check_id varchar, broken_count bigint",
        "filled": "source_id varchar, period_id varchar, field_name varchar, "
        "record_count bigint, filled_count bigint",
        "unknown": f"{where}, check_id varchar, named_count bigint, unknown_count bigint, "
        f"named_size {MONEY}, unknown_size {MONEY}, unknown_amount {MONEY}, codes varchar[], "
        "code_count bigint",
        "lateness": "source_id varchar, period_id varchar, control_period_id varchar, "
        "periods_behind bigint",
        "deliveries": "source_id varchar, period_id varchar, ended_date date, landed_date date, "
        "is_delivered boolean, days_late bigint",
    }.items():
        connection.execute(f"create table figures.{table} ({columns})")
    connection.execute(f"create table figures.known as {select_known_codes(plan)}")


def measure_source(
    connection: duckdb.DuckDBPyConnection, source: CheckedSource, checks: Sequence[Check]
) -> None:
    """One scan over the records of a source: counts, money, filled fields, broken records.

    Raises CheckBrokenError for a condition that cannot be evaluated.
    """
    import duckdb

    conditions = {c.check_id: c.condition for c in checks if c.condition is not None}
    optional = [field.name for field in source.contract.fields if not field.is_required]
    try:
        connection.execute(
            f"create or replace temp table scanned as {_scan(source, conditions, optional)}"
        )
    except duckdb.Error as error:
        check_id = _find_broken_condition(connection, source, conditions)
        raise CheckBrokenError(source.source_id, check_id, str(error)) from error
    named = quote_text(source.source_id)
    connection.execute(
        f"insert into figures.periods select {named}, period_id, currency_code, record_count, "
        "amount_local, last_date from scanned"
    )
    for check_id in conditions:
        column = f'"broken {check_id}"'
        connection.execute(
            f"insert into figures.broken select {named}, period_id, currency_code, '{check_id}', "
            f"{column} from scanned where {column} > 0"
        )
    for name in optional:
        connection.execute(
            f"insert into figures.filled select {named}, period_id, '{name}', sum(record_count), "
            f'sum("filled {name}") from scanned group by period_id'
        )


def _scan(source: CheckedSource, conditions: dict[str, str], optional: Sequence[str]) -> str:
    contract = source.contract
    amount = contract.amount_field
    columns = [
        f"{select_period(contract)} as period_id",
        f"{select_currency(contract)} as currency_code",
        "count(*) as record_count",
        f"{f'sum({amount})' if amount else 'null'} as amount_local",
        f"cast(max({contract.day_field or 'null'}) as date) as last_date",
        *(f'count({name}) as "filled {name}"' for name in optional),
        *(
            f'count(*) filter (where {condition}) as "broken {check_id}"'
            for check_id, condition in conditions.items()
        ),
    ]
    listed = ", ".join(columns)
    # By all: a name there would be taken for the column of that name, not for what is selected.
    return f"select {listed} from {name_view(source.source_id)} group by all"


def select_period(contract: Contract) -> str:
    """SQL for the period of a record; '' where there is none."""
    name = contract.period_field
    if name is None:
        return "''"
    if contract.field(name).type == "period":
        return f"coalesce({name}, '')"
    return f"coalesce({contract.field(name).periods.of_day(name)}, '')"


def select_currency(contract: Contract) -> str:
    """SQL for the currency of a record's money; '' where there is none."""
    name = contract.currency_field
    return "''" if name is None or contract.amount_field is None else f"coalesce({name}, '')"


def _find_broken_condition(
    connection: duckdb.DuckDBPyConnection, source: CheckedSource, conditions: dict[str, str]
) -> str:
    """Which condition broke the scan; 'records' if it was none of them."""
    import duckdb

    for check_id, condition in conditions.items():
        try:
            connection.execute(
                f"select count(*) filter (where {condition}) from {name_view(source.source_id)}"
            )
        except duckdb.Error:
            return check_id
    return "records"


def measure_references(
    connection: duckdb.DuckDBPyConnection, source: CheckedSource, plan: CheckPlan
) -> None:
    """One scan per reference, over the periods that are judged."""
    for reference in list_references(source, plan):
        connection.execute(_count_unknown(source, reference))


def _count_unknown(source: CheckedSource, reference: ReferenceCheck) -> str:
    contract = source.contract
    amount = contract.amount_field or f"cast(null as {MONEY})"
    judged = ""
    if contract.period_field is not None:
        judged = f"""and {select_period(contract)} in (
            select distinct period_id from figures.periods
            where source_id = {quote_text(source.source_id)}
            order by period_id desc limit {source.checks.latest_periods})"""
    return f"""
        insert into figures.unknown by name
        with named as (
            select
                {select_period(contract)} as period_id,
                {select_currency(contract)} as currency_code,
                {reference.field} as code,
                count(*) as record_count,
                sum({amount}) as amount_local,
                sum(abs({amount})) as size,
            from {name_view(source.source_id)}
            where {reference.field} is not null and ({reference.where}) {judged}
            group by all
        ),
        looked_up as (
            select named.*, known.code is null as is_unknown
            from named
            left join figures.known as known
                on known.master = '{reference.master}' and named.code = known.code
        )
        select
            {quote_text(source.source_id)} as source_id,
            '{reference.check_id}' as check_id,
            period_id,
            currency_code,
            cast(sum(record_count) as bigint) as named_count,
            cast(coalesce(sum(record_count) filter (where is_unknown), 0) as bigint)
                as unknown_count,
            sum(size) as named_size,
            coalesce(sum(size) filter (where is_unknown), 0) as unknown_size,
            coalesce(sum(amount_local) filter (where is_unknown), 0) as unknown_amount,
            coalesce(min(code, {UNKNOWN_NAMED}) filter (where is_unknown), []) as codes,
            count(distinct code) filter (where is_unknown) as code_count,
        from looked_up
        group by period_id, currency_code
    """


def compare_periods(connection: duckdb.DuckDBPyConnection, periods: Periods = MONTHS) -> None:
    """Set each period beside the one before it, for all sources at once.

    A period without a record that follows one with some, and comes before the latest, is a
    period with nothing. `age` counts back from the latest period of the source, which has 1.
    """
    _create_calendar(connection, periods)
    connection.execute(
        """
        create or replace view figures.months as
        with delivered as (
            select distinct figures.source_id, calendar.position
            from figures.periods as figures
            inner join figures.calendar as calendar using (period_id)
        ),
        candidates as (
            select source_id, position from delivered
            union
            select source_id, position + 1
            from delivered
            qualify position < max(position) over (partition by source_id)
        )
        select
            candidates.source_id,
            calendar.period_id,
            previous.period_id as previous_period_id,
            row_number() over (
                partition by candidates.source_id order by candidates.position desc
            ) as age,
        from candidates
        inner join figures.calendar as calendar using (position)
        left join figures.calendar as previous on candidates.position - 1 = previous.position
        """
    )
    connection.execute(_compare("volumes", "sum(record_count)", "record_count", ()))
    connection.execute(_compare("amounts", "sum(amount_local)", "amount_local", ("currency_code",)))
    connection.execute(
        """
        create or replace table figures.fills as
        select
            months.source_id,
            months.period_id,
            months.previous_period_id,
            months.age,
            fills.field_name,
            fills.record_count,
            fills.filled_count,
            previous.record_count as previous_record_count,
            previous.filled_count as previous_filled_count,
        from figures.months as months
        inner join figures.filled as fills
            on months.source_id = fills.source_id and months.period_id = fills.period_id
        left join figures.filled as previous
            on
                months.source_id = previous.source_id
                and months.previous_period_id = previous.period_id
                and fills.field_name = previous.field_name
        """
    )


def _create_calendar(connection: duckdb.DuckDBPyConnection, periods: Periods) -> None:
    """The periods from the one before the first delivered one to the last, in order."""
    row = connection.execute(
        "select min(period_id), max(period_id) from figures.periods "
        f"where regexp_full_match(period_id, '{periods.id_pattern}')"
    ).fetchone()
    listed = periods.days
    if periods.are_months and row is not None and row[0] is not None:
        before = periods.find_days(row[0]).start - timedelta(days=1)
        listed = tuple(periods.list_between(periods.find_period(before), row[1]))
    connection.execute(
        "create or replace table figures.calendar as select "
        "unnest(cast($periods as varchar[])) as period_id, "
        "unnest(range(len($periods))) as position",
        {"periods": [item.period_id for item in listed]},
    )


def _compare(table: str, figure: str, name: str, further: tuple[str, ...]) -> str:
    """SQL for a figure per source, period and `further` keys, with that of the month before."""
    keys = "".join(f", {key}" for key in further)
    same = "".join(f" and series.{key} = totals.{key}" for key in further)
    same_before = "".join(f" and series.{key} = previous.{key}" for key in further)
    return f"""
        create or replace table figures.{table} as
        with totals as (
            select
                source_id, period_id{keys},
                {figure} as {name},
                cast(sum(record_count) as bigint) as records,
            from figures.periods
            group by source_id, period_id{keys}
            having {figure} is not null
        ),
        series as (
            select months.*, keys.* exclude (source_id)
            from figures.months as months
            inner join (select distinct source_id{keys} from totals) as keys
                on months.source_id = keys.source_id
        )
        select
            series.source_id,
            series.period_id,
            series.previous_period_id,
            series.age{"".join(f", series.{key}" for key in further)},
            coalesce(totals.{name}, 0) as {name},
            previous.{name} as previous_{name},
            coalesce(totals.records, 0) as records,
            previous.records as previous_records,
        from series
        left join totals
            on series.source_id = totals.source_id and series.period_id = totals.period_id{same}
        left join totals as previous
            on
                series.source_id = previous.source_id
                and series.previous_period_id = previous.period_id{same_before}
        where totals.{name} is not null or previous.{name} is not null
    """


def measure_lateness(connection: duckdb.DuckDBPyConnection, plan: CheckPlan) -> None:
    """How far each source of actual figures is behind the control total, and when it landed."""
    latest = dict(
        connection.execute(
            "select source_id, max(period_id) from figures.months group by source_id"
        ).fetchall()
    )
    control = latest.get(plan.control_source)
    for source in plan.sources:
        period = latest.get(source.source_id)
        if period is None or source.scenario_id != "actual":
            continue
        if control is not None and source.source_id != plan.control_source:
            connection.execute(
                "insert into figures.lateness values (?, ?, ?, ?)",
                [source.source_id, period, control, _count_periods(connection, period, control)],
            )
        if source.checks.freshness.days_after_period_end is not None:
            _measure_deliveries(connection, source, plan)


def _count_periods(connection: duckdb.DuckDBPyConnection, first: str, last: str) -> int:
    """Periods from one to another: 1 from 2026-01 to 2026-02."""
    row = connection.execute(
        "select last.position - first.position from figures.calendar as first, "
        "figures.calendar as last where first.period_id = ? and last.period_id = ?",
        [first, last],
    ).fetchone()
    assert row is not None
    return int(row[0])


def _measure_deliveries(
    connection: duckdb.DuckDBPyConnection, source: CheckedSource, plan: CheckPlan
) -> None:
    """When the latest period landed, and which of the periods since should have by today."""
    period = select_period(source.contract)
    rows = connection.execute(
        f"select {period}, list(distinct _file_id) from {name_view(source.source_id)} "
        f"where {period} = (select max(period_id) from figures.months where source_id = ?) "
        "group by all",
        [source.source_id],
    ).fetchall()
    landed = {item.file_id: item.landed_date for item in source.files}
    for latest, file_ids in rows:
        dates = [landed[file_id] for file_id in file_ids if file_id in landed]
        if dates:
            _add_delivery(connection, source, plan, latest, min(dates), is_delivered=True)
        for item in plan.periods.list_ended(latest, plan.today):
            _add_delivery(connection, source, plan, item.period_id, plan.today, is_delivered=False)


def _add_delivery(
    connection: duckdb.DuckDBPyConnection,
    source: CheckedSource,
    plan: CheckPlan,
    period_id: str,
    reached: date,
    *,
    is_delivered: bool,
) -> None:
    last_day = plan.periods.find_days(period_id).end - timedelta(days=1)
    limit = source.checks.freshness.days_after_period_end or 0
    connection.execute(
        "insert into figures.deliveries values (?, ?, ?, ?, ?, ?)",
        [
            source.source_id,
            period_id,
            last_day,
            reached if is_delivered else None,
            is_delivered,
            (reached - last_day).days - limit,
        ],
    )
