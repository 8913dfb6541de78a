"""Bridges of all business units out of one rerun, against tests/golden/bill_bridge/README.md.

What units are charged is what they bear there less printing, which is shown: 100.00 of Market in
January, -150.00 of its pool cost and +50.00 of its volume; of Factory -50.00 of volume in February.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from pipelines.errors import UsageError
from pipelines.rerun.charge_terms import Policy
from pipelines.rerun.engine import Scope, open_rerun
from pipelines.rerun.explain_units import (
    UnitBridge,
    UnitInputs,
    explain_units,
    make_unit_bridges,
    read_inputs,
)
from pipelines.rerun.period_swap import PeriodSwap

from .golden import Golden

JANUARY, FEBRUARY = Scope("actual", "2026-01"), Scope("actual", "2026-02")


@pytest.fixture(scope="module")
def inputs(bill_bridge: Golden) -> Iterator[UnitInputs]:
    with open_rerun(bill_bridge.workspace, FEBRUARY) as rerun:
        yield read_inputs(rerun, PeriodSwap(rerun, JANUARY))


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


def test_services_of_a_unit_sum_to_it_in_every_term(inputs: UnitInputs) -> None:
    for bridge in make_unit_bridges(inputs).values():
        for term, amount in bridge.terms.items():
            assert sum(item.terms[term] for item in bridge.services) == amount
        for item in bridge.services:
            assert item.before + sum(item.terms.values()) == item.after
        assert "print" not in {item.service_id for item in bridge.services}


def test_a_service_that_is_charged_from_now_on_enters_by_its_policy(inputs: UnitInputs) -> None:
    """Printing of 100.00 was shown to cc-sales, and would be charged at cost in February: that is
    policy. Its cost then falls by 150.00 and 10 pages less at -5.00 give 50.00 back."""
    before, after = inputs.facts
    lines = {
        line: item._replace(charged=item.cost) if line[0] == "print" else item
        for line, item in after.lines.items()
    }
    charged = replace(after, policies={**after.policies, "print": Policy()}, lines=lines)
    market = make_unit_bridges(replace(inputs, facts=(before, charged)))["market"]
    (printing,) = [item for item in market.services if item.service_id == "print"]
    assert {term: str(amount) for term, amount in printing.terms.items() if amount} == {
        "policy": "100.00",
        "pool_cost": "-150.00",
        "volume": "50.00",
    }
    assert (printing.before, printing.after) == (Decimal("0.00"), Decimal("0.00"))
    assert not any(printing.netted.values())


def test_a_period_is_not_explained_against_itself(bill_bridge: Golden) -> None:
    with pytest.raises(UsageError, match="found 2026-02 twice"):
        explain_units(bill_bridge.workspace, "2026-02", "2026-02")
