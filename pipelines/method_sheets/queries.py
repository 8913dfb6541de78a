"""The published rows that a method sheet is made of.

Assumes a reader over the marts by their bare names. All sums are made here in SQL, of the latest
version of the period; a sheet adds nothing. The order of rows is fixed, so that the same
publication gives the same sheet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
Read = Callable[[str, Mapping[str, Any]], list[Row]]
"""Rows of a query with named parameters; a missing value is None, an amount is a Decimal."""


@dataclass(frozen=True)
class SheetRows:
    """All rows of one service in one period."""

    run: Row
    facts: Row
    offerings: list[Row]
    cost: Row | None
    prices: list[Row]
    method: Row | None
    units: list[Row]
    other_users: list[Row]
    sources: list[Row]
    pools: list[Row]
    rules: list[Row]
    deliveries: list[Row]


def latest(mart: str) -> str:
    """SQL for the rows of one scenario and period in its latest version."""
    return (
        f"(select * from {mart} where scenario_id = $scenario and period_id = $period "
        "qualify version = max(version) over ())"
    )


def read_run(read: Read) -> Row:
    """The run that is published."""
    return read(
        "select run_id, built_at, workspace_name, currency_code from dim_run "
        "order by built_at desc limit 1",
        {},
    )[0]


def read_latest_period(read: Read, scenario_id: str) -> str | None:
    """The latest period with charges; None before there are any."""
    rows = read(
        "select max(period_id) as period_id from fct_charges_monthly where scenario_id = $scenario",
        {"scenario": scenario_id},
    )
    period_id = rows[0]["period_id"]
    return None if period_id is None else str(period_id)


def has_figures(read: Read, scenario_id: str, period_id: str) -> bool:
    """Whether the period has charge lines."""
    rows = read(
        f"select count(*) as line_count from {latest('fct_charges_monthly')}",
        {"scenario": scenario_id, "period": period_id},
    )
    return bool(rows[0]["line_count"])


def list_services(read: Read) -> list[str]:
    """Ids of all services by category and name."""
    rows = read(
        "select service_id from dim_services "
        "order by category_name, lower(service_name), service_id",
        {},
    )
    return [str(row["service_id"]) for row in rows]


def read_rows(
    read: Read, scenario_id: str, period_id: str, service_id: str, contracts: Mapping[str, str]
) -> SheetRows | None:
    """The rows of one service; None if the catalogue does not have it. `contracts` is the
    contract by kind of driver."""
    key = {"scenario": scenario_id, "period": period_id, "service": service_id}
    facts = read("select * from dim_services where service_id = $service", {"service": service_id})
    if not facts:
        return None
    method = _first(
        read(f"from {latest('fct_service_methods_monthly')} where service_id = $service", key)
    )
    kind = method["driver_kind"] if method else None
    return SheetRows(
        run=read_run(read),
        facts=facts[0],
        offerings=read(
            "select offering_name, description from dim_service_offerings "
            "where service_id = $service order by offering_name, offering_id",
            {"service": service_id},
        ),
        cost=_first(
            read(
                "select *, full_amount - direct_amount as received_amount "
                f"from {latest('fct_service_costs_monthly')} where service_id = $service",
                key,
            )
        ),
        prices=read(
            f"from {latest('fct_prices_monthly')} where service_id = $service order by tier_number",
            key,
        ),
        method=method,
        units=read(UNITS, key),
        other_users=read(OTHER_USERS, key),
        sources=read(SOURCES, key),
        pools=read(POOLS, key),
        rules=read(RULES, key),
        deliveries=read(
            "select source_name, latest_period_id, landed_date from rpt_data_sources "
            "where contract_id = $contract and scenario_id = $scenario order by source_order",
            {"contract": contracts.get(str(kind), ""), "scenario": scenario_id},
        ),
    )


def _first(rows: list[Row]) -> Row | None:
    return rows[0] if rows else None


UNITS = f"""
    select
        business_unit_id,
        min(business_unit_name) as business_unit_name,
        disposition = 'allocated' as is_borne,
        sum(quantity) as quantity,
        sum(cost_amount) as amount,
        sum(charged_amount) as charged_amount,
        sum(sum(quantity)) over () as total_quantity,
        sum(sum(cost_amount)) over () as total_amount
    from {latest("fct_charges_monthly")}
    where service_id = $service
    group by business_unit_id, disposition = 'allocated'
    having sum(cost_amount) <> 0 or sum(quantity) <> 0 or sum(charged_amount) <> 0
    order by is_borne desc, amount desc, business_unit_id
"""

OTHER_USERS = f"""
    select
        consumer_name,
        quantity,
        bill_amount as amount,
        service_cost_amount as total_amount
    from {latest("rpt_fairness")}
    where service_id = $service and consumer_kind = 'service'
    order by bill_amount desc, consumer_id
"""

SOURCES = f"""
    select
        from_service_id,
        from_service_name,
        from_service_id = $service as is_own,
        amount,
        sum(amount) over () as total_amount,
        sum(amount) filter (from_service_id <> $service) over () as other_amount
    from {latest("fct_service_cost_sources_monthly")}
    where service_id = $service and amount <> 0
    order by from_service_id <> $service, amount desc, from_service_id
"""

POOLS = f"""
    with parts as (
        select
            cost_pool_id,
            min(cost_pool_name) as cost_pool_name,
            sum(delivered_amount) as delivered_amount,
            sum(direct_amount) as direct_amount
        from {latest("fct_service_cost_breakdown_monthly")}
        where service_id = $service and cost_pool_id not like '(%'
        group by cost_pool_id
    ),

    -- What a service passes on to others leaves IT through them: then its own cost is shown.
    shown as (
        select
            cost_pool_id,
            cost_pool_name,
            case
                when sum(abs(delivered_amount)) over () = 0 then direct_amount
                else delivered_amount
            end as amount
        from parts
    )

    select *, sum(amount) over () as total_amount
    from shown
    where amount <> 0
    order by amount desc, cost_pool_id
"""

RULES = f"""
    select
        stop_code,
        rule_id,
        method,
        to_tagged_service,
        driver_name,
        owner_name,
        reason,
        amount,
        sum(amount) over (partition by stop_code) as total_amount
    from {latest("fct_service_rules_monthly")}
    where service_id = $service and amount <> 0
    order by stop_code desc, abs(amount) desc, rule_id
"""
