"""The README's worked charge is what the program publishes, stop by stop.

`tests/unit/docs/test_worked_example.py` works the figures out from the CSV files and holds the
README to them; here the published sample is held to the same figures. The engine cuts at eight
decimals where the README shows four, so that amounts are compared as the README shows them;
charges have cents and are compared as they are.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.e2e.command import ROOT, ask_sql
from tests.unit.docs.test_worked_example import PERIOD, SERVICE, TOWER, Example, show

POOLS = {
    "software": "Software & SaaS",
    "staffing": "Staffing",
    "outside": "Outside Services",
    "misc": "Misc Costs",
}
MONTH = f"scenario_id = 'actual' and period_id = '{PERIOD}'"


@pytest.fixture(scope="module")
def example() -> Example:
    return Example(ROOT / "data" / "samples" / "inbox")


def ask_amounts(sample: Path, sql: str) -> dict[str, str]:
    """Answers of two columns, name and amount, with the amount as the README shows it."""
    return {str(row["name"]): show(Decimal(str(row["amount"]))) for row in ask_sql(sample, sql)}


def test_ledger_and_pools(sample: Path, example: Example) -> None:
    found = ask_amounts(
        sample,
        "select cost_pool_name || ' ' || cost_centre_id as name, sum(amount) as amount "
        "from fct_ledger_lines inner join (select distinct cost_pool_id, cost_pool_name "
        f"from fct_cost_pools_monthly) using (cost_pool_id) where {MONTH} group by all",
    )
    worked = {
        f"{POOLS[kind]} {centre}": show(amount)
        for (kind, centre), amount in example.eur.items()
        if kind in ("software", "staffing")
    }
    assert worked
    assert {name: found[name] for name in worked} == worked


def test_tower(sample: Path, example: Example) -> None:
    found = ask_amounts(
        sample,
        "select cost_pool_name as name, sum(amount) as amount from fct_towers_monthly "
        "inner join (select distinct cost_pool_id, cost_pool_name from fct_cost_pools_monthly) "
        f"using (cost_pool_id) where {MONTH} and tower_id = '{TOWER}' group by all",
    )
    tower = example.in_tower
    worked = {kind: tower[kind] for kind in ("software", "staffing", "outside")}
    worked["misc"] = tower["training"] + tower["travel"]
    assert {POOLS[kind]: show(amount) for kind, amount in worked.items()} == {
        name: found[name] for name in POOLS.values()
    }


@pytest.mark.parametrize("column", ["direct_amount", "delivered_amount"])
def test_direct_and_delivered_cost_of_the_service(
    sample: Path, example: Example, column: str
) -> None:
    found = ask_amounts(
        sample,
        f"select cost_pool_name as name, sum({column}) as amount "
        "from fct_service_cost_breakdown_monthly "
        f"where {MONTH} and service_id = '{SERVICE}' group by all",
    )
    assert found == {POOLS[kind]: show(amount) for kind, amount in example.direct.items()}


def test_charges_in_cents(sample: Path, example: Example) -> None:
    rows = ask_sql(
        sample,
        "select cost_centre_id, charged_amount, quantity from fct_charges_monthly "
        f"where {MONTH} and service_id = '{SERVICE}'",
    )
    charged = {str(row["cost_centre_id"]): Decimal(str(row["charged_amount"])) for row in rows}
    used = {str(row["cost_centre_id"]): Decimal(str(row["quantity"])) for row in rows}
    assert charged == example.charged
    assert used == example.used
