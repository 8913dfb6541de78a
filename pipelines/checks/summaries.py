"""Read what was measured of the sources: each at a glance, and period by period."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.checks.check import quote_text
from pipelines.checks.plan import CheckedSource, CheckPlan
from pipelines.checks.results import PeriodFigures, SourceFigures

if TYPE_CHECKING:
    import duckdb


def read_periods(
    connection: duckdb.DuckDBPyConnection, plan: CheckPlan
) -> tuple[PeriodFigures, ...]:
    """Per source, period and currency what was delivered, beside the one before."""
    rows = connection.execute(
        """
        select
            now.source_id, now.period_id, now.currency_code, now.record_count,
            previous.record_count, now.amount_local, previous.amount_local, now.last_date,
        from figures.periods as now
        left join figures.calendar as calendar on now.period_id = calendar.period_id
        left join figures.calendar as before on calendar.position - 1 = before.position
        left join figures.periods as previous
            on
                now.source_id = previous.source_id
                and now.currency_code = previous.currency_code
                and previous.period_id = before.period_id
        order by now.source_id, now.period_id desc, now.currency_code
        """
    ).fetchall()
    order = {source.source_id: number for number, source in enumerate(plan.sources)}
    return tuple(sorted((PeriodFigures(*row) for row in rows), key=lambda p: order[p.source_id]))


def read_sources(
    connection: duckdb.DuckDBPyConnection, plan: CheckPlan
) -> tuple[SourceFigures, ...]:
    """Every source of the plan at a glance."""
    return tuple(_read_source(connection, source) for source in plan.sources)


def _read_source(connection: duckdb.DuckDBPyConnection, source: CheckedSource) -> SourceFigures:
    named = quote_text(source.source_id)

    def read(query: str) -> tuple[int | str | Decimal | None, ...]:
        row = connection.execute(query).fetchone()
        return () if row is None else row

    records, latest = read(
        f"select coalesce(sum(record_count), 0), coalesce(max(period_id), '') "
        f"from figures.periods where source_id = {named}"
    )
    of_latest = f"where source_id = {named} and period_id = {quote_text(str(latest))}"
    optional, filled = read(
        f"select coalesce(sum(record_count), 0), coalesce(sum(filled_count), 0) "
        f"from figures.filled {of_latest}"
    )
    codes, unknown = read(
        f"select coalesce(sum(named_count), 0), coalesce(sum(unknown_count), 0) "
        f"from figures.unknown {of_latest}"
    )
    behind = read(f"select periods_behind from figures.lateness where source_id = {named}")
    dates = [file.landed_date for file in source.files]
    return SourceFigures(
        source_id=source.source_id,
        source_name=source.title,
        contract_id=source.contract_id,
        scenario_id=source.scenario_id,
        record_count=int(records or 0),
        file_count=len(source.files),
        landed_date=max(dates, default=None),
        latest_period_id=str(latest),
        periods_behind=int(behind[0]) if behind and behind[0] is not None else None,
        optional_count=int(optional or 0),
        filled_count=int(filled or 0),
        named_count=int(codes or 0),
        unknown_count=int(unknown or 0),
    )
