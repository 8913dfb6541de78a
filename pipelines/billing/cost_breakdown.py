"""What the charges of a unit cost, by service and cost pool, in cents that add up.

Cents are made at the charge line, so that a service's cost in cents is a little off its exact
parts: less than a cent for each of its lines. The cents of a service are dealt to its pools by
largest remainder, so that rows and columns of the table sum exactly and no line of rounding is
needed. More than a cent per line is a contradiction between the marts, and refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal

from pipelines.billing.cost_queries import PoolCost
from pipelines.billing.errors import UntiedStatementError
from pipelines.billing.records import ZERO, PoolAmount, ServiceCost, StatementLine, sum_amounts

CENT = Decimal("0.01")


def break_down(
    number: str, charged: Sequence[StatementLine], pools: Mapping[str, Sequence[PoolCost]]
) -> tuple[tuple[PoolAmount, ...], tuple[ServiceCost, ...]]:
    """The pools of all charged lines, largest first, and their services in the same order.

    Both are empty where no breakdown is published. Raises UntiedStatementError where the pools of a
    service are not its cost.
    """
    lines: dict[str, list[StatementLine]] = {}
    for line in charged:
        lines.setdefault(line.service_id, []).append(line)
    if not any(pools.get(service_id) for service_id in lines):
        return (), ()
    services = []
    for service_id, found in lines.items():
        cost = sum_amounts(line.cost_amount for line in found)
        parts = pools.get(service_id, ())
        exact = sum((part.amount for part in parts), ZERO)
        if abs(cost - exact) > CENT * len(found) or (cost and not parts):
            what = f"the cost pools of {service_id} against the cost of its lines"
            raise UntiedStatementError(number, what, cost, exact)
        amount = sum_amounts(line.charged_amount for line in found)
        name = found[0].service_name
        services.append(ServiceCost(service_id, name, deal_cents(cost, parts), cost, amount))
    services.sort(key=lambda item: (-item.charged, item.service_name, item.service_id))
    return _sum_pools(services, pools), tuple(services)


def deal_cents(cost: Decimal, parts: Sequence[PoolCost]) -> dict[str, Decimal]:
    """`cost`, which has cents, by cost pool: each part rounded down, and the cents that are open
    given to those that lost most."""
    found = [part for part in parts if part.amount] or list(parts)
    floors = [part.amount.quantize(CENT, ROUND_FLOOR) for part in found]
    order = sorted(
        range(len(found)),
        key=lambda item: (floors[item] - found[item].amount, found[item].cost_pool_id),
    )
    open_cents = int((cost - sum(floors, ZERO)) / CENT)
    every, more = divmod(open_cents, len(found)) if found else (0, 0)
    for place, item in enumerate(order):
        floors[item] += CENT * (every + (place < more))
    dealt = {part.cost_pool_id: amount for part, amount in zip(found, floors, strict=True)}
    return {part.cost_pool_id: dealt.get(part.cost_pool_id, ZERO) for part in parts}


def _sum_pools(
    services: Sequence[ServiceCost], pools: Mapping[str, Sequence[PoolCost]]
) -> tuple[PoolAmount, ...]:
    names: dict[str, str] = {}
    amounts: dict[str, Decimal] = {}
    exact: dict[str, Decimal] = {}
    for service in services:
        for part in pools.get(service.service_id, ()):
            pool = part.cost_pool_id
            names[pool] = part.cost_pool_name
            exact[pool] = exact.get(pool, ZERO) + part.amount
            amounts[pool] = amounts.get(pool, ZERO) + service.parts[pool]
    found = [PoolAmount(pool, names[pool], exact[pool], amounts[pool]) for pool in names]
    return tuple(sorted(found, key=lambda pool: (-pool.amount, pool.cost_pool_id)))
