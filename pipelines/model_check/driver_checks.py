"""What the drivers do: those without data where money waits for it, and ids that nobody knows."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.model_check.finding import ModelFinding, join_names, join_periods
from pipelines.model_check.stops import SERVICE_MATCHES, TOWER_CELLS, CheckedRun

QUANTITIES = "drivers.fct_driver_quantities"
POOL_CELLS = "stops.int_cost_pools__cells"
KNOWN_SERVICES = "stops.int_services__known"
KNOWN_CONSUMERS = "stops.int_consumers__known"
USAGE = "metering.met_service_usage"
SHOWN_NAMES = 5

_USED_DRIVERS = f"""
    select cells.scenario_id, cells.period_id, rules.driver_id,
        'rule ' || rules.rule_id as user_name
    from {POOL_CELLS} as cells
    inner join model.tower_rules as rules on cells.tower_rule_id = rules.rule_id
    where cells.disposition = 'allocated'
    union
    select matches.scenario_id, matches.period_id, rules.driver_id, 'rule ' || rules.rule_id
    from {SERVICE_MATCHES} as matches
    inner join model.service_rules as rules on matches.rule_id = rules.rule_id
    union
    select versions.scenario_id, versions.period_id, services.driver_id,
        'service ' || services.service_id
    from model.services as services
    cross join model.period_versions as versions
"""

_UNKNOWN_IDS = f"""
    select quantities.scenario_id, quantities.period_id, quantities.driver_id,
        quantities.receiver_kind as kind, quantities.receiver_id as id
    from {QUANTITIES} as quantities
    left join model.towers as towers on quantities.receiver_id = towers.tower_id
    left join {KNOWN_SERVICES} as services on quantities.receiver_id = services.service_id
    left join {KNOWN_CONSUMERS} as consumers
        on quantities.receiver_id = consumers.cost_centre_id
        and quantities.period_id = consumers.period_id
    where
        quantities.quantity > 0
        and case quantities.receiver_kind
            when 'tower' then towers.tower_id is null
            when 'service' then services.service_id is null
            when 'consumer' then consumers.cost_centre_id is null
        end
    union
    select quantities.scenario_id, quantities.period_id, quantities.driver_id,
        drivers.sender_kind, quantities.sender_id
    from {QUANTITIES} as quantities
    inner join model.drivers as drivers on quantities.driver_id = drivers.driver_id
    left join model.towers as towers on quantities.sender_id = towers.tower_id
    left join {KNOWN_SERVICES} as services on quantities.sender_id = services.service_id
    where
        quantities.quantity > 0
        and case drivers.sender_kind
            when 'tower' then towers.tower_id is null
            when 'service' then services.service_id is null
        end
    union
    select usage.scenario_id, usage.period_id, null, 'service', usage.service_id
    from {USAGE} as usage
    anti join {KNOWN_SERVICES} as services on usage.service_id = services.service_id
"""

MASTERS = {
    "tower": ("tower", "cost_model/towers.yml"),
    "service": ("service", "cost_model/services.yml"),
    "consumer": ("cost centre", "the deliveries of cost centres"),
}
"""Kind of an id -> what it is called, and where it would be known."""


def check_drivers(run: CheckedRun) -> list[ModelFinding]:
    """Drivers without data, and ids in their data that no master knows."""
    run.rerun.run((QUANTITIES, POOL_CELLS, TOWER_CELLS, SERVICE_MATCHES, KNOWN_SERVICES))
    run.rerun.run((KNOWN_CONSUMERS, USAGE))
    return [*_find_without_data(run), *_find_unknown(run)]


def _find_without_data(run: CheckedRun) -> Iterator[ModelFinding]:
    """Periods in which a driver is to split money and has no quantity above zero."""
    rows = run.rerun.connection.execute(
        f"""
        select
            used.scenario_id,
            used.driver_id,
            list(distinct used.period_id),
            list(distinct used.user_name order by used.user_name)
        from ({_USED_DRIVERS}) as used
        anti join (
            select distinct scenario_id, period_id, driver_id
            from {QUANTITIES} where quantity > 0
        ) as measured
            on used.scenario_id = measured.scenario_id
            and used.period_id = measured.period_id
            and used.driver_id = measured.driver_id
        where used.driver_id is not null
        group by all
        order by used.driver_id, used.scenario_id
        """
    ).fetchall()
    for scenario_id, driver_id, periods, users in rows:
        yield ModelFinding(
            "warning",
            "Driver without data",
            run.find_place("drivers", driver_id),
            driver_id,
            f"has no quantity in {join_periods(periods, run.calendar)}; the fallback of "
            f"{join_names(users, SHOWN_NAMES)} applies",
            "a quantity in every period with money",
            "Deliver it, or use another driver from that time on.",
            scenario_id,
            min(periods),
        )


def _find_unknown(run: CheckedRun) -> Iterator[ModelFinding]:
    """Ids in the quantities of drivers that no master knows: their share is not mapped."""
    rows = run.rerun.connection.execute(
        f"""
        select
            -- A budget often stands on the quantities of the actual periods: 'actual' comes first.
            min(scenario_id),
            driver_id,
            kind,
            list(distinct period_id),
            list(distinct id order by id)
        from ({_UNKNOWN_IDS})
        -- What came without an id has one in brackets; there is nothing to add to a master.
        where id not like '(%'
        group by driver_id, kind
        order by driver_id nulls last, kind
        """
    ).fetchall()
    for scenario_id, driver_id, kind, periods, names in rows:
        called, master = MASTERS[kind]
        yield ModelFinding(
            "warning",
            f"Unknown {called}",
            None if driver_id is None else run.find_place("drivers", driver_id),
            driver_id,
            f"use in {join_periods(periods, run.calendar)} names {join_names(names, SHOWN_NAMES)}",
            f"a {called} that is in {master}",
            f"Add it to {master}, or correct the delivery.",
            scenario_id,
            min(periods),
        )
