"""Money through shared services to consumers, split by the macro twice, many companies a query."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import duckdb
import pyarrow as pa

from .companies import Company
from .macros import load_macros


def charge(
    companies: list[Company], weights: list[dict[tuple[str, str], int]]
) -> list[dict[str, int]]:
    """Engine units that each consumer of each company is charged."""
    costs = [(i, s, Decimal(cost)) for i, c in enumerate(companies) for s, cost in c.costs.items()]
    passed = [(i, s, t, w) for i, found in enumerate(weights) for (s, t), w in found.items()]
    used = [
        (number, service, receiver, weight)
        for number, company in enumerate(companies)
        for service, kind, receiver, weight in company.edges
        if kind == "consumer"
    ]
    with duckdb.connect() as connection:
        connection.register("costs", _make_table(costs, "company_id, sender, amount"))
        connection.register("passed", _make_table(passed, "company_id, sender, receiver, weight"))
        connection.register("used", _make_table(used, "company_id, sender, receiver, weight"))
        rows = connection.execute(
            f"with delivered as ({_write_split('costs', 'passed')}) "
            f"{_write_split('delivered', 'used')}"
        ).fetchall()
    charges: list[dict[str, int]] = [{} for _ in companies]
    for number, receiver, amount in rows:
        charges[number][receiver] = int(amount)
    return charges


def _write_split(amounts: str, weights: str) -> str:
    """Amounts of senders split over receivers: company_id, sender (the receiver), amount."""
    macros = load_macros()
    weight = "cast(weight as hugeint)"
    ranges = macros.weight_ranges(weight, "company_id, sender", "receiver")
    names = ("cast(amount as hugeint)", "weight_from", "weight_to", "weight_total")
    return f"""
        select company_id, receiver as sender, sum({macros.allocate_by_driver(*names)}) as amount
        from {amounts}
        inner join (select *, {ranges} from {weights}) as ranged using (company_id, sender)
        group by all
    """


def _make_table(rows: Sequence[tuple[object, ...]], names: str) -> pa.Table:
    columns = [list(column) for column in zip(*rows, strict=True)]
    return pa.table(dict(zip(names.split(", "), columns, strict=True)))
