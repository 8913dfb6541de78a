"""Bridges of all business units out of one rerun, against tests/golden/bill_bridge/README.md.

What units are charged is what they bear there less printing, which is shown: 100.00 of Market in
January, -150.00 of its pool cost and +50.00 of its volume; of Factory -50.00 of volume in February.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

import pytest

from pipelines.errors import UsageError
from pipelines.rerun.bridge_subject import read_units
from pipelines.rerun.engine import Scope, open_rerun
from pipelines.rerun.explain import States, run_states
from pipelines.rerun.explain_units import (
    PeriodCharges,
    UnitBridge,
    explain_units,
    make_unit_bridges,
    read_charges,
)
from pipelines.rerun.period_swap import PeriodSwap

from .golden import Golden

JANUARY, FEBRUARY = Scope("actual", "2026-01"), Scope("actual", "2026-02")


class Inputs(NamedTuple):
    """What bridges are made of."""

    states: States
    bills: tuple[PeriodCharges, PeriodCharges]
    units: tuple[dict[str, str], dict[str, str]]


@pytest.fixture(scope="module")
def inputs(bill_bridge: Golden) -> Iterator[Inputs]:
    with open_rerun(bill_bridge.workspace, FEBRUARY) as rerun:
        states = run_states(rerun, PeriodSwap(rerun, JANUARY))
        connection = rerun.connection
        bills = (read_charges(connection, JANUARY), read_charges(connection, FEBRUARY))
        units = (read_units(connection, "2026-01"), read_units(connection, "2026-02"))
        yield Inputs(states, bills, units)


def show(bridge: UnitBridge) -> dict[str, str]:
    terms = {term: str(amount) for term, amount in bridge.terms.items() if amount}
    return {"before": str(bridge.before), **terms, "after": str(bridge.after)}


def test_units_are_charged_as_worked_by_hand(bill_bridge: Golden) -> None:
    found = explain_units(bill_bridge.workspace, "2026-02", "2026-01")
    assert {unit: show(bridge) for unit, bridge in found.items()} == {
        "factory": {
            "before": "588.00",
            "rules": "66.00",
            "pool_cost": "83.60",
            "volume": "39.00",
            "rate": "-136.80",
            "mix": "143.10",
            "after": "782.90",
        },
        "market": {
            "before": "972.00",
            "rules": "-51.00",
            "organisation": "45.00",
            "pool_cost": "122.40",
            "volume": "149.20",
            "rate": "-42.60",
            "mix": "-111.90",
            "after": "1083.10",
        },
        "staff": {
            "before": "60.00",
            "rules": "-15.00",
            "organisation": "-45.00",
            "after": "0.00",
        },
    }


def test_services_of_a_unit_sum_to_it_in_every_term(inputs: Inputs) -> None:
    for bridge in make_unit_bridges(*inputs, 2).values():
        for term, amount in bridge.terms.items():
            assert sum(item.terms[term] for item in bridge.services) == amount
        for item in bridge.services:
            assert item.before + sum(item.terms.values()) == item.after
        assert "print" not in {item.service_id for item in bridge.services}


def test_what_a_charge_is_above_its_cost_is_price(inputs: Inputs) -> None:
    """erp costs cc-sales 272.00 and then 476.10. Charged at 300.00 and 500.00, it is 28.00 and
    23.90 above its cost, so that the price takes 4.10 away."""
    line = ("erp", "cc-sales")
    bills = tuple(
        replace(bill, charged=bill.charged | {line: Decimal(amount)})
        for bill, amount in zip(inputs.bills, ("300.00", "500.00"), strict=True)
    )
    market = make_unit_bridges(inputs.states, (bills[0], bills[1]), inputs.units, 2)["market"]
    assert market.terms["price"] == Decimal("-4.10")
    assert (market.before, market.after) == (Decimal("1000.00"), Decimal("1107.00"))
    assert market.before + sum(market.terms.values()) == market.after


def test_a_service_that_is_charged_from_now_on_enters_by_its_price(inputs: Inputs) -> None:
    """Printing of 100.00 was shown to cc-sales; it is charged in February, when its cost is 0.00:
    the cost of before is taken back as price, and the charges of printing are 0.00 in both."""
    before, after = inputs.bills
    bills = (before, replace(after, shown=frozenset()))
    market = make_unit_bridges(inputs.states, bills, inputs.units, 2)["market"]
    (printing,) = [item for item in market.services if item.service_id == "print"]
    assert {term: str(amount) for term, amount in printing.terms.items() if amount} == {
        "pool_cost": "-150.00",
        "volume": "50.00",
        "price": "100.00",
    }
    assert (printing.before, printing.after) == (Decimal("0.00"), Decimal("0.00"))


def test_a_period_is_not_explained_against_itself(bill_bridge: Golden) -> None:
    with pytest.raises(UsageError, match="found 2026-02 twice"):
        explain_units(bill_bridge.workspace, "2026-02", "2026-02")
