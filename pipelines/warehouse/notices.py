"""What deliveries hold that no figure shows, or that a figure may show in the wrong period.

Two things are noticed, each an open item that names the source and what to set:

- records of a dated feed outside the calendar: they count in no period;
- budgets that lie in so few periods of a fiscal year that they look like amounts for a year, half a
  year or a quarter, and whose source does not declare what its amounts are for.

Neither is refused: use and tickets of other years are often part of an export, and a budget for one
month is one. Cost outside the calendar is refused before (`refuse_lines_outside_calendar`).

Known limit: budgets are judged as the whole of a source. A yearly amount among monthly ones of
other accounts is not noticed, because costs that fall due once a year are budgeted so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from pipelines.contracts.contract import load_contract
from pipelines.workspace.phasing import PERIODS_OF

if TYPE_CHECKING:
    import duckdb

    from pipelines.workspace.config import WorkspaceConfig

DATED_CONTRACTS = (
    "headcount",
    "licences",
    "outages",
    "practical_capacity",
    "service_usage",
    "tickets",
    "timesheets",
)
"""Feeds whose records count in the period that they name. Rates are looked up, not counted."""
LEAST_PERIODS = 4
"""With fewer periods of a fiscal year in the calendar, a budget in one of them says nothing."""
NAMED = 6


class Notice(NamedTuple):
    """One open item. `period_id`: where it belongs; None where no period of the calendar does."""

    item_kind: str
    source_id: str
    period_id: str | None
    item_name: str
    what_to_do: str


def create_notices(connection: duckdb.DuckDBPyConnection, config: WorkspaceConfig) -> None:
    """Create model.notices from the lake and the calendar (model.periods)."""
    connection.execute(
        "create or replace table model.notices (item_kind varchar, source_id varchar, "
        "period_id varchar, item_name varchar, what_to_do varchar)"
    )
    found = [
        *_find_records_outside_calendar(connection, config),
        *_find_undeclared_phasing(connection, config),
    ]
    if found:
        connection.executemany("insert into model.notices values (?, ?, ?, ?, ?)", found)


def _find_records_outside_calendar(
    connection: duckdb.DuckDBPyConnection, config: WorkspaceConfig
) -> Iterator[Notice]:
    feeds = "\nunion all\n".join(_select_outside(contract_id) for contract_id in DATED_CONTRACTS)
    rows = connection.execute(
        f"""
        with span as (
            select min(period_start) as first_day, max(period_end) as end_day from model.periods
        )
        select source_id, cast(sum(record_count) as bigint), min(month), max(month)
        from ({feeds}) as outside
        group by source_id
        order by source_id
        """,
        {"zone": config.time_zone},
    ).fetchall()
    calendar = config.calendar
    for source_id, count, first, last in rows:
        records = "1 record" if count == 1 else f"{count:,} records"
        span = first if first == last else f"{first} to {last}"
        yield Notice(
            "outside_calendar",
            source_id,
            None,
            f"{records} of {source_id} outside the calendar ({span})",
            f"The calendar is {calendar.first_period} to {calendar.last_period}, and they count in "
            "no period: extend 'calendar' in apportion.yml if they belong to its years",
        )


def _select_outside(contract_id: str) -> str:
    """SQL for the records of a contract outside the calendar, by source and month."""
    contract = load_contract(contract_id)
    field = contract.field(str(contract.period_field))
    if field.type == "period":
        return f"""
            select _source_id as source_id, period_id as month, count(*) as record_count
            from lake.{contract_id}
            where _scenario_id <> 'restated'
                and period_id not in (select period_id from model.periods)
            group by all"""
    begins = f"(({field.name} at time zone 'UTC') at time zone $zone)"
    ends = begins
    if any(item.name == "ended_at" for item in contract.fields):
        # What lasts counts in every period that it touches.
        begins, ends = field.name, "ended_at"
    return f"""
            select _source_id as source_id, strftime({begins}, '%Y-%m') as month,
                count(*) as record_count
            from lake.{contract_id} cross join span
            where _scenario_id <> 'restated' and ({ends} < first_day or {begins} >= end_day)
            group by all"""


def _find_undeclared_phasing(
    connection: duckdb.DuckDBPyConnection, config: WorkspaceConfig
) -> Iterator[Notice]:
    """Budgets that lie in one period of a fiscal year, or in periods three or more apart."""
    undeclared = [
        source_id
        for source_id, source in config.sources.items()
        if source.contract == "budget" and source.phasing is None
    ]
    rows = connection.execute(
        """
        select budget._source_id, periods.fiscal_year, periods.fiscal_period, budget.period_id,
            budget.currency_code, sum(budget.amount_local)
        from lake.budget as budget
        inner join model.periods as periods using (period_id)
        where list_contains($sources, budget._source_id) and budget._scenario_id <> 'restated'
        group by all order by all
        """,
        {"sources": undeclared},
    ).fetchall()
    lengths = dict(
        connection.execute(
            "select fiscal_year, count(*) from model.periods group by all"
        ).fetchall()
    )
    for source_id in undeclared:
        own = [row[1:] for row in rows if row[0] == source_id]
        years: dict[int, dict[int, str]] = defaultdict(dict)
        for year, number, period_id, _, _ in own:
            years[year][number] = period_id
        spans = [_name_span(list(numbers), lengths[year]) for year, numbers in years.items()]
        if not spans or None in spans:
            continue
        periods = [period_id for numbers in years.values() for period_id in numbers.values()]
        yield _describe_phasing(source_id, str(spans[0]), periods, own)


def _name_span(numbers: Sequence[int], length: int) -> str | None:
    """What amounts in these periods of a fiscal year seem to be for; None for their periods."""
    if length < LEAST_PERIODS or len(numbers) == length:
        return None
    if len(numbers) == 1:
        return "year"
    gap = min(later - earlier for earlier, later in pairwise(numbers))
    fitting = [span for span, size in PERIODS_OF.items() if gap >= size]
    return fitting[-1] if fitting else None


def _describe_phasing(
    source_id: str,
    span: str,
    periods: Sequence[str],
    rows: Sequence[tuple[int, int, str, str, Decimal]],
) -> Notice:
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for *_, currency, amount in rows:
        totals[currency] += amount
    money = ", ".join(f"{currency} {totals[currency]:,.2f}" for currency in sorted(totals))
    named = ", ".join(periods[:NAMED]) + (", ..." if len(periods) > NAMED else "")
    what = span.replace("_", " ")
    return Notice(
        "undeclared_phasing",
        source_id,
        periods[0],
        f"{money} of {source_id} in {named} only",
        f"If these amounts are for a {what}, declare it in apportion.yml: 'phasing: {{over: "
        f"{span}, by: even}}' at the source '{source_id}'; if each is for its own period, "
        "'phasing: {over: period}'",
    )
