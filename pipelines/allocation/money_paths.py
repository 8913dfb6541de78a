"""The ways of the money, from a cell of the cost pools to what became of it, as exact shares.

One set of ways serves a trace from either end: from a charge one keeps the ways that reach it, from
a source those that leave it, so that a part is the same fraction wherever one stands. A share is
the product of the weights that the engine split by; nothing is divided by an amount.

Every end is an end: money that left the flow (recovery, capitalised, out of scope), that no rule
took (unmapped), that nobody used (unallocated, idle), and the charge lines. The shares of a cell's
ways sum to 1.

Assumes the tables of the stops of one published run. Known limit: the engine rounds at every stop
to a millionth of a minor unit, which shares do not; a trace says the difference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import duckdb


class Figures(NamedTuple):
    """Which set of figures: scenario, period and version."""

    scenario_id: str
    period_id: str
    version: int


class Cell(NamedTuple):
    """What the rules see of a cost line, hence what its shares depend on."""

    cost_pool_id: str
    tower_rule_id: str | None
    cost_centre_id: str
    tagged_service_id: str | None
    tagged_consumer_id: str | None


class End(NamedTuple):
    """A charge line, by what it is unique by within its figures."""

    service_id: str
    cost_centre_id: str
    disposition: str


@dataclass(frozen=True)
class Way:
    """One way of a cell's money up to the service through which it leaves IT."""

    cell: Cell
    tower_id: str
    direct_service_id: str
    """The service at which it arrived; pseudo members in brackets for money that reached none."""
    service_id: str
    """The service through which it leaves, itself or one that uses it."""
    disposition: str
    """`allocated`, or why it is in no service."""
    share: Fraction
    """Of the cell."""


Receivers = dict[str, dict[End, Fraction]]
"""By service, the share of what leaves through it that each charge line bears."""


def find_ways(
    connection: duckdb.DuckDBPyConnection,
    figures: Figures,
    ledger_line_ids: Sequence[str] | None = None,
    service_id: str | None = None,
) -> list[Way]:
    """The ways of the cells of some lines (None: of all) that end in a service (None: in any)."""
    parameters = figures._asdict() | {"lines": ledger_line_ids, "service": service_id}
    rows = connection.execute(_WAYS_SQL, parameters).fetchall()
    ways = []
    for *cell, tower, direct, service, disposition, t1, t2, s1, s2, d1, d2 in rows:
        share = Fraction(int(t1) * int(s1) * int(d1), int(t2) * int(s2) * int(d2))
        ways.append(Way(Cell(*cell), tower, direct, service, disposition, share))
    return ways


def find_receivers(
    connection: duckdb.DuckDBPyConnection, figures: Figures, service_id: str | None = None
) -> Receivers:
    """Who bears what leaves through each service, untagged money only."""
    rows = connection.execute(
        """
        select service_id, receiver_id, receiver_disposition, weight, weight_total
        from stops.int_consumers__weights
        where scenario_id = $scenario_id and period_id = $period_id and version = $version
            and ($service is null or service_id = $service)
        order by all
        """,
        figures._asdict() | {"service": service_id},
    ).fetchall()
    found: Receivers = defaultdict(lambda: defaultdict(Fraction))
    for service, receiver, disposition, weight, total in rows:
        found[service][End(service, receiver, disposition)] += Fraction(int(weight), int(total))
    return found


def find_known_consumers(connection: duckdb.DuckDBPyConnection, period_id: str) -> set[str]:
    """Cost centres that a tag may name."""
    rows = connection.execute(
        "select cost_centre_id from stops.int_consumers__known where period_id = ?", [period_id]
    ).fetchall()
    return {row[0] for row in rows}


def find_ends(way: Way, receivers: Receivers, known_consumers: set[str]) -> dict[End, Fraction]:
    """The charge lines that a way leads to, with their shares of it, which sum to 1."""
    if way.disposition != "allocated":
        name = f"({way.disposition})"
        return {End(way.service_id, name, way.disposition): Fraction(1)}
    consumer = way.cell.tagged_consumer_id
    if consumer is None:
        return receivers.get(way.service_id, {})
    disposition = "allocated" if consumer in known_consumers else "unmapped"
    return {End(way.service_id, consumer, disposition): Fraction(1)}


# The stops int_towers__cells to int_delivered_services__cells once more, with the weights in place
# of the amounts. Weights come as pairs (part, whole).
_WAYS_SQL = """
with cells as (
    select distinct
        cost_pool_id, tower_rule_id, cost_centre_id, tagged_service_id, tagged_consumer_id,
        disposition
    from fct_ledger_lines
    where scenario_id = $scenario_id and period_id = $period_id and version = $version
        and ($lines is null or list_contains($lines, ledger_line_id))
),
towers as (
    select cells.* replace (weights.receiver_disposition as disposition),
        case
            when weights.receiver_disposition = 'allocated' then weights.receiver_id
            else '(' || weights.receiver_disposition || ')'
        end as tower_id,
        weights.weight as t1, weights.weight_total as t2
    from cells
    inner join stops.int_towers__weights as weights
        on cells.tower_rule_id = weights.rule_id and cells.cost_centre_id = weights.sender_id
        and weights.scenario_id = $scenario_id and weights.period_id = $period_id
        and weights.version = $version
    where cells.disposition = 'allocated'
    union all
    select
        * replace (case when disposition = 'allocated' then 'unmapped' else disposition end
            as disposition),
        '(' || case when disposition = 'allocated' then 'unmapped' else disposition end || ')'
            as tower_id,
        1 as t1, 1 as t2
    from cells
    where disposition <> 'allocated' or tower_rule_id is null
),
matched as (
    select towers.*, matches.rule_id,
        coalesce(matches.to_tagged_service, false) as to_tagged_service
    from towers
    left join stops.int_services__rule_matches as matches
        on towers.disposition = 'allocated'
        and towers.tower_id = matches.tower_id and towers.cost_pool_id = matches.cost_pool_id
        and (towers.tagged_service_id is not null) = matches.is_tagged
        and matches.scenario_id = $scenario_id and matches.period_id = $period_id
),
services as (
    select matched.* replace (weights.receiver_disposition as disposition),
        case
            when weights.receiver_disposition = 'allocated' then weights.receiver_id
            else '(' || weights.receiver_disposition || ')'
        end as direct_service_id,
        weights.weight as s1, weights.weight_total as s2
    from matched
    inner join stops.int_services__weights as weights
        on matched.rule_id = weights.rule_id and matched.tower_id = weights.sender_id
        and weights.scenario_id = $scenario_id and weights.period_id = $period_id
        and weights.version = $version
    where matched.disposition = 'allocated' and not matched.to_tagged_service
    union all
    select
        matched.* replace (
            case when known.service_id is null then 'unmapped' else 'allocated' end as disposition
        ),
        coalesce(known.service_id, '(unmapped)') as direct_service_id, 1 as s1, 1 as s2
    from matched
    left join stops.int_services__known as known on matched.tagged_service_id = known.service_id
    where matched.disposition = 'allocated' and matched.to_tagged_service
    union all
    select
        * replace (case when disposition = 'allocated' then 'unmapped' else disposition end
            as disposition),
        '(' || case when disposition = 'allocated' then 'unmapped' else disposition end || ')'
            as direct_service_id,
        1 as s1, 1 as s2
    from matched
    where disposition <> 'allocated' or (rule_id is null and not to_tagged_service)
),
delivered as (
    select services.*, ranges.to_service_id as service_id, ranges.weight as d1,
        ranges.weight_total as d2
    from services
    inner join stops.int_delivered_services__ranges as ranges
        on services.direct_service_id = ranges.from_service_id
        and ranges.scenario_id = $scenario_id and ranges.period_id = $period_id
        and ranges.version = $version
    where services.disposition = 'allocated' and services.tagged_consumer_id is null
    union all
    select *, direct_service_id as service_id, 1 as d1, 1 as d2
    from services
    where disposition <> 'allocated' or tagged_consumer_id is not null
)
select
    cost_pool_id, tower_rule_id, cost_centre_id, tagged_service_id, tagged_consumer_id,
    tower_id, direct_service_id, service_id, disposition, t1, t2, s1, s2, d1, d2
from delivered
where $service is null or service_id = $service
order by all
"""
