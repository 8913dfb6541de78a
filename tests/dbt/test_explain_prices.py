"""Bridges of services that have a price, through tests/golden/prices, worked by hand.

January has every policy. In February mail and cloud are used, cloud at a market price, and fax has
its fee; all else has ended. Read the other way, from February to January, all else is new.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.cli.main import run
from pipelines.rerun.bridge_subject import Wanted
from pipelines.rerun.explain import Bridge, explain_bill
from pipelines.rerun.explain_units import explain_units
from pipelines.workspace.workspace import Workspace

from .altered import publish_altered
from .golden import Golden

JANUARY, FEBRUARY = "2026-01", "2026-02"
DEARER_MAIL = (
    "select * replace (case when service_id = 'mail' then date '2026-02-01' end as valid_to) "
    "from {relation} union all by name select * replace ('mail-2' as price_id, "
    "unit_price_rate + 0.5 as unit_price_rate, base_fee_amount + 2 as base_fee_amount, "
    "date '2026-02-01' as valid_from) from {relation} where service_id = 'mail'"
)
"""From February on each unit of mail costs 0.50 more and the base fee 12.00 and not 10.00."""


def explain(workspace: Workspace, wanted: Wanted, *, is_back: bool = False) -> Bridge:
    periods = (JANUARY, FEBRUARY) if is_back else (FEBRUARY, JANUARY)
    bridge = explain_bill(workspace, *periods, wanted)
    assert bridge.before + sum(bridge.terms.values()) == bridge.after
    assert sum(bridge.netted.values()) == bridge.change
    for part in bridge.parts:
        assert part.before + sum(part.terms.values()) == part.after
    for term, amount in bridge.terms.items():
        if bridge.parts:
            assert sum(part.terms[term] for part in bridge.parts) == amount
    if bridge.recovery is not None:
        costs = sum(bridge.recovery.cost_terms.values())
        change = bridge.recovery.charged_change - costs
        assert bridge.recovery.before + change == bridge.recovery.after
    return bridge


def show(bridge: Bridge) -> dict[str, str]:
    return {term: str(amount) for term, amount in bridge.terms.items() if amount}


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        # cc-b: 150 units are 400 + 50 x 3 = 550, each 3.6667; 50 less are 183.33. 100 units are 400
        # and not 366.67: 33.33 back. cc-c used nothing and has no line any more: its fee of 10.00.
        ("mail", {"volume": "-183.33", "tiers": "33.33", "base_fee": "-10.00"}),
        # 49.75 + 40.00 + 1.50 of units; the maximum took 4.75 and the minimum gave 18.50.
        ("storage", {"volume": "-91.25", "bounds": "-13.75"}),
        # 600 x 0.1000000001 + 400 x 0.25, and 5 x 0.1000000001.
        ("calls", {"volume": "-160.50"}),
        # A cent, none and a cent of credit.
        ("bits", {}),
        # The cost of 10.20 ends, and 7.5 % of it: 0.765.
        ("wan", {"pool_cost": "-10.20", "mark_up": "-0.77"}),
        ("desk", {"base_fee": "-60.00"}),
        ("portal", {"volume": "-100.00"}),
        # The same 10 units cost 40.00 and are charged at 2.50.
        ("cloud", {"policy": "-15.00"}),
        # 5.00 each, whatever it costs.
        ("fax", {}),
    ],
)
def test_a_service_with_a_price_changes_or_ends(
    prices: Golden, service: str, expected: dict[str, str]
) -> None:
    assert show(explain(prices.workspace, Wanted(service))) == expected


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        # cc-b: 50 more at 4.00, and 150 units at 550 and not at 600. cc-c is new with its base fee.
        ("mail", {"volume": "200.00", "tiers": "-50.00", "base_fee": "10.00"}),
        ("storage", {"volume": "91.25", "bounds": "13.75"}),
        ("calls", {"volume": "160.50"}),
        # Nobody's use was known in February, so that the whole cost of January is volume.
        ("wan", {"volume": "10.20", "mark_up": "0.77"}),
        ("desk", {"base_fee": "60.00"}),
        ("portal", {"volume": "100.00"}),
        ("cloud", {"policy": "15.00"}),
    ],
)
def test_a_service_is_new(prices: Golden, service: str, expected: dict[str, str]) -> None:
    assert show(explain(prices.workspace, Wanted(service), is_back=True)) == expected


def test_what_the_cost_did_is_a_matter_of_the_recovery(prices: Golden) -> None:
    """Fax is charged 15.00 in both months and cost 9.00 in January: 6.00 recovered, then 15.00.
    South is charged 676.15: 410.00 of mail and 5.00 of fax are left of it."""
    bridge = explain(prices.workspace, Wanted("fax"))
    assert bridge.recovery is not None
    costs = {term: str(item) for term, item in bridge.recovery.cost_terms.items() if item}
    assert costs == {"pool_cost": "-9.00"}
    assert (str(bridge.recovery.before), str(bridge.recovery.after)) == ("6.00", "15.00")
    assert "account 6007 costs 9.00 less in all" in bridge.recovery.causes["pool_cost"]
    assert explain(prices.workspace, Wanted("print")).recovery is None
    south = explain(prices.workspace, Wanted(business_unit_id="south"))
    assert (str(south.before), str(south.after)) == ("676.15", "415.00")


def test_another_price_at_the_same_use(prices: Golden, tmp_path: Path) -> None:
    """cc-a uses 100 in both months: 100 x 0.50 and 2.00 of base fee. cc-b as before, and besides
    100 x 0.50 and 2.00; cc-c loses its 10.00."""
    workspace = publish_altered(prices, tmp_path, {"model.rate_card": DEARER_MAIL})
    line = explain(workspace, Wanted("mail", "cc-a"))
    assert show(line) == {"price": "50.00", "base_fee": "2.00"}
    assert line.causes["price"] == "4.00 EUR -> 4.50 EUR per unit"
    assert line.causes["base_fee"] == "base fee or agreed amount 10.00 EUR -> 12.00 EUR"
    assert show(explain(workspace, Wanted("mail"))) == {
        "volume": "-183.33",
        "price": "100.00",
        "tiers": "33.33",
        "base_fee": "-6.00",
    }
    unit = explain_units(workspace, FEBRUARY, JANUARY)["north"]
    mail = next(item for item in unit.services if item.service_id == "mail")
    # cc-a and cc-c together.
    assert {term: str(item) for term, item in mail.terms.items() if item} == {
        "price": "50.00",
        "base_fee": "-8.00",
    }


def test_the_terms_of_a_unit_sum_to_its_charges(prices: Golden) -> None:
    """North is charged 410 + 10 for mail, 45 + 20, 160, 3.66, 30, 33.33 + 33.33, 40, 5 + 5: 795.32;
    then 410, 25 and 5 + 5."""
    for unit, bridge in explain_units(prices.workspace, FEBRUARY, JANUARY).items():
        assert bridge.before + sum(bridge.terms.values()) == bridge.after
        for item in bridge.services:
            assert item.before + sum(item.terms.values()) == item.after
        if unit == "north":
            assert (str(bridge.before), str(bridge.after)) == ("795.32", "445.00")
            assert str(bridge.terms["policy"]) == "-15.00"
            assert bridge.recovery is not None


def test_the_command_names_price_and_volume_and_never_the_cost(
    prices: Golden, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the 160.00 less, 150.00 are left of volume and tiers of cc-b; fax did not change."""
    place = [FEBRUARY, "--against", JANUARY, "--workspace", str(prices.workspace.root)]
    assert run(["explain", *place, "--service", "mail", "--format", "markdown"]) == 0
    text = capsys.readouterr().out
    for line in (
        "**Mail charges 160.00 EUR less in 2026-02 than in 2026-01, mostly because the quantity "
        "used changed (-150.00)**",
        "| Volume | -183.33 | 114.6 | -150.00 | Shop -183.33: 150 -> 100 unit at 3.6667 EUR |",
        "| Price tiers | +33.33 | -20.8 | 0.00 |  |",
        "| Base and fixed fees | -10.00 | 6.2 | -10.00 | Office -10.00: base fee or agreed amount "
        "10.00 EUR -> none |",
        "| Recovery 2026-01 | 80.00 |  |",
        "| Cost: pool cost | -100.00 | Mail +100.00: account 6000 costs 100.00 more in all |",
        "| Recovery 2026-02 | -180.00 |  |",
    ):
        assert line in text, text
    assert run(["explain", *place, "--service", "fax", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["finding"] == "Fax charges the same in 2026-02 as in 2026-01: 15.00 EUR"
    assert all(Decimal(item["amount"]) == 0 for item in answer["terms"])
    assert answer["headline_term"] is None
    assert answer["materiality"] == {"amount": "0", "percent": "1"}
    assert answer["recovery"]["cost_terms"]["pool_cost"] == "-9.00"
