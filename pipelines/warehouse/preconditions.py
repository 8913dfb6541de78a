"""Refuse a build whose deliveries cannot give right figures, before anything is computed.

Each check guards against money that would silently vanish in a join, and says what to deliver or
to declare.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.contracts.periods import OUTSIDE
from pipelines.errors import ControlError
from pipelines.warehouse.pinned_records import write_bill_period
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

NAMED = 8

# Cost lines by source, period and currency, whatever kind of delivery they came in.
COST_LINES = """
    select _source_id as source_id, period_id, currency_code from lake.general_ledger
    union all
    select
        budget._source_id, coalesce(phasing.period_id, budget.period_id), budget.currency_code
    from lake.budget as budget
    left join model.phasing as phasing
        on budget._source_id = phasing.source_id and budget.period_id = phasing.delivered_period_id
    union all
    select _source_id, {bill_period}, billing_currency
    from lake.cloud_bill
"""

# Depreciation is made by the build, in the periods of the ledger.
DEPRECIATION_LINES = """
    select assets._source_id, periods.period_id, assets.currency_code
    from lake.assets as assets
    inner join model.feeds as feeds on assets._source_id = feeds.source_id
    inner join model.periods as periods
        on coalesce(assets.in_service_date, assets.purchase_date) < periods.period_end
        and coalesce(assets.in_service_date, assets.purchase_date)
            + to_months(cast(assets.useful_life_months as integer)) > periods.period_start
        and (assets.retired_date is null or assets.retired_date > periods.period_start)
    where periods.period_id in (select period_id from lake.general_ledger)
"""


def _select_cost_lines(workspace: Workspace) -> str:
    return COST_LINES.format(bill_period=write_bill_period(workspace.config.clock))


def refuse_lines_outside_calendar(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace
) -> None:
    """Cost of a period that the calendar does not have would silently vanish in a join."""
    rows = connection.execute(
        f"""
        select source_id, period_id, count(*)
        from ({_select_cost_lines(workspace)}) as lines
        anti join model.periods as periods on lines.period_id = periods.period_id
        group by all
        order by all
        """
    ).fetchall()
    if rows:
        calendar = workspace.config.calendar
        found = "; ".join(
            f"{source}: {count} lines of {period}" for source, period, count in rows[:NAMED]
        )
        remedy = "Extend 'calendar' in apportion.yml"
        if again := sorted({source for source, period, _ in rows if period.endswith(OUTSIDE)}):
            # What period a day belongs to is read from it when it lands.
            remedy += f", then read the files again: 'apportion land --reread {again[0]}'"
        raise ControlError(
            f"there is cost outside the calendar {calendar.first_period} to "
            f"{calendar.last_period}: {found}. {remedy}; nothing was lost."
        )


def refuse_broken_years(connection: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """An amount for a year or quarter of which the calendar lacks periods would lose their part."""
    sources = [
        name
        for name, source in workspace.config.sources.items()
        if source.phasing is not None and source.phasing.over != "period"
    ]
    rows = connection.execute(
        """
        select coalesce(loads.file_name, budget._file_id), min(budget._row_number),
            budget._source_id, budget.period_id, count(*)
        from lake.budget as budget
        left join model.loads as loads
            on budget._source_id = loads.source_id and budget._file_id = loads.file_id
        where list_contains($sources, budget._source_id)
            and not exists (
                from model.phasing as phasing
                where phasing.source_id = budget._source_id
                    and phasing.delivered_period_id = budget.period_id
            )
        group by all order by all
        """,
        {"sources": sources},
    ).fetchall()
    if rows:
        found = "; ".join(
            f"{file} record {row}: {count} lines of {period} (source '{source}')"
            for file, row, source, period, count in rows[:NAMED]
        )
        calendar = workspace.config.calendar
        raise ControlError(
            "there are amounts for a fiscal year, half-year or quarter that the calendar "
            f"{calendar.first_period} to {calendar.last_period} does not hold whole: {found}. "
            "Extend 'calendar' in apportion.yml, so that all its periods get their part; "
            "nothing was lost."
        )


def refuse_missing_rates(connection: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Cost in a currency without a rate would become nothing. A detail feed of a month for which
    there is no ledger yet is no cost: its rates may still be to come."""
    config = workspace.config
    rows = connection.execute(
        f"""
        select lines.currency_code, lines.period_id, count(*)
        from ({_select_cost_lines(workspace)} union all {DEPRECIATION_LINES}) as lines
        semi join model.period_versions as versions on lines.period_id = versions.period_id
        anti join lake.exchange_rates as rates
            on rates.rate_type = $type and rates.to_currency_code = $currency
            and lines.period_id = rates.period_id
            and lines.currency_code = rates.from_currency_code
        where lines.currency_code <> $currency
        group by all
        order by all
        """,
        {"type": config.rate_type, "currency": config.currency},
    ).fetchall()
    if rows:
        found = "; ".join(
            f"{code} for {period} ({count} lines)" for code, period, count in rows[:NAMED]
        )
        raise ControlError(
            f"{len(rows)} exchange rates of type '{config.rate_type}' to {config.currency} are "
            f"missing: {found}. Deliver them to a source with the contract exchange_rates; "
            "nothing was lost."
        )


def refuse_negative_quantities(connection: duckdb.DuckDBPyConnection) -> None:
    """Use below zero would count as none, unless the split of its service says how it counts.

    Use is the one kind of delivery whose contract lets a negative quantity pass: corrections come
    as such. What counts is the sum of a receiver in a period. Other kinds are guarded in the build.
    """
    rows = connection.execute(
        """
        with refusing as (
            select parts.rule_id as service_id, services.unit_code
            from model.split_parts as parts
            inner join model.services as services on parts.rule_id = services.service_id
            inner join model.drivers as drivers on parts.driver_id = drivers.driver_id
            where parts.stop_code = 'consumers' and parts.negative = 'refuse'
                and drivers.driver_kind = 'service_usage'
        ),
        used as (
            select records.*, sum(quantity) over (
                partition by _scenario_id, period_id, service_id, receiver_kind, receiver_id
            ) as receiver_quantity
            from lake.service_usage as records
            inner join refusing using (service_id, unit_code)
        )
        select coalesce(loads.file_name, used._file_id), used._row_number, used.receiver_id,
            used.quantity, used.unit_code, used.service_id, used.period_id
        from used
        left join model.loads as loads
            on used._source_id = loads.source_id and used._file_id = loads.file_id
        where used.receiver_quantity < 0 and used.quantity < 0
        order by 1, 2
        """
    ).fetchall()
    if rows:
        found = "; ".join(
            f"{file} record {row}: {receiver} used {quantity.normalize():f} {unit} of {service} in "
            f"{period}"
            for file, row, receiver, quantity, unit, service, period in rows[:NAMED]
        )
        raise ControlError(
            f"{len(rows)} records of use make the use of a receiver negative: {found}. Correct "
            "the delivery, or let the split of the service say how it counts: 'negative: clamp' "
            "for none, 'negative: absolute' for use without its sign."
        )


def refuse_lines_without_measure(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace
) -> None:
    """Bill lines that landed before their feed counted by a cost which they do not have."""
    for source_id, source in workspace.config.sources.items():
        feed = source.detail_feed
        if feed is None or source.contract != "cloud_bill":
            continue
        rows = connection.execute(
            f"""
            select coalesce(loads.file_name, bill._file_id), count(*), min(bill._row_number)
            from lake.cloud_bill as bill
            left join model.loads as loads
                on bill._source_id = loads.source_id and bill._file_id = loads.file_id
            where bill._source_id = $source and bill.{feed.measure} is null
            group by all
            order by all
            """,
            {"source": source_id},
        ).fetchall()
        if rows:
            found = "; ".join(
                f"{file}: {count:,} records, the first is record {first}"
                for file, count, first in rows[:NAMED]
            )
            raise ControlError(
                f"{source_id} is counted by {feed.measure}, and {len(rows)} of its files have "
                f"records without it: {found}. Set 'measure: billed_cost' in its detail_feed, or "
                f"land these files again: 'apportion land --reread {source_id}'."
            )
