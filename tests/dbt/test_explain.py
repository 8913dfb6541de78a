"""Bridges between two bills against terms worked by hand: tests/golden/bill_bridge/README.md."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

import pytest

from pipelines.cli.main import run
from pipelines.errors import ControlError, UsageError
from pipelines.rerun.bridge_subject import Subject, Wanted, find_subject
from pipelines.rerun.bridge_terms import TERMS, make_terms
from pipelines.rerun.charge_terms import PRICE_TERMS
from pipelines.rerun.engine import Rerun, Scope, open_rerun
from pipelines.rerun.explain import States, compute_terms, explain_bill, run_states
from pipelines.rerun.period_swap import CONSUMER_CELLS, LINES, PeriodSwap

from .golden import GOLDEN_DIRECTORY, Golden

JANUARY, FEBRUARY = Scope("actual", "2026-01"), Scope("actual", "2026-02")
NAMES = ("service_id", "cost_centre_id", "business_unit_id")

with (GOLDEN_DIRECTORY / "bill_bridge" / "expected" / "bridges.csv").open(encoding="utf-8") as file:
    EXPECTED = list(csv.DictReader(file))


class Swapped(NamedTuple):
    """The two periods, run once for all bills."""

    rerun: Rerun
    states: States

    def find_subject(self, wanted: Wanted) -> Subject:
        return find_subject(self.rerun.connection, FEBRUARY, JANUARY, wanted)


@pytest.fixture(scope="module")
def swapped(bill_bridge: Golden) -> Iterator[Swapped]:
    with open_rerun(bill_bridge.workspace, FEBRUARY) as rerun:
        yield Swapped(rerun, run_states(rerun, PeriodSwap(rerun, JANUARY)))


@pytest.mark.parametrize(
    "row", EXPECTED, ids=[" ".join(filter(None, map(row.get, NAMES))) for row in EXPECTED]
)
def test_terms_are_as_worked_by_hand(swapped: Swapped, row: dict[str, str]) -> None:
    subject = swapped.find_subject(Wanted(*(row[name] or None for name in NAMES)))
    lines = compute_terms(swapped.states, subject)
    bills = (subject.before.amounts, subject.after.amounts)
    terms, before, after = make_terms(lines.values(), *bills, 2)
    found = {"before": before, **terms, "after": after}
    assert {name: str(amount) for name, amount in found.items()} == {
        name: amount for name, amount in row.items() if name not in NAMES
    }


def test_an_earlier_period_is_explained_against_a_later_one(bill_bridge: Golden) -> None:
    wanted = Wanted("erp", "cc-sales")
    bridge = explain_bill(bill_bridge.workspace, "2026-01", "2026-02", wanted)
    assert {name: str(amount) for name, amount in bridge.terms.items()} == {
        "restatement": "0.00",
        "rules": "76.50",
        "organisation": "0.00",
        "pool_cost": "-54.60",
        "volume": "-166.00",
        "rate": "66.40",
        "mix": "-126.40",
        **dict.fromkeys((*PRICE_TERMS, "rounding"), "0.00"),
    }
    assert (bridge.before, bridge.after) == (Decimal("476.10"), Decimal("272.00"))
    assert bridge.parts == []


def test_parts_sum_to_the_bridge_in_every_row_and_column(bill_bridge: Golden) -> None:
    wanted = Wanted(business_unit_id="market")
    bridge = explain_bill(bill_bridge.workspace, "2026-02", "2026-01", wanted)
    assert [part.part_id for part in bridge.parts] == ["crm", "erp", "desk", "print", "vault"]
    for term, amount in bridge.terms.items():
        assert sum(part.terms[term] for part in bridge.parts) == amount
    for part in bridge.parts:
        assert sum(part.terms.values()) == part.change


def test_with_every_input_swapped_the_period_is_what_was_published(swapped: Swapped) -> None:
    """What the last state is taken for: the rerun stands before its quantities are swapped."""
    with open_rerun(swapped.rerun.workspace, FEBRUARY) as rerun:
        swap = PeriodSwap(rerun, JANUARY)
        swap.start()
        for take in (swap.take_rules, swap.take_organisation, swap.take_money, swap.take_drivers):
            take()
        rerun.run((CONSUMER_CELLS,))
        where = f"where {FEBRUARY.as_condition()}"
        published = f"from published.{CONSUMER_CELLS} {where}"
        assert rerun.connection.execute(f"select count(*) from ({published})").fetchone() != (0,)
        assert (
            rerun.connection.execute(
                f"(from {CONSUMER_CELLS} except all {published}) union all "
                f"({published} except all from {CONSUMER_CELLS})"
            ).fetchall()
            == []
        )


class LosingSwap(PeriodSwap):
    """A swap that loses a line of the other period."""

    def start(self) -> None:
        super().start()
        self.rerun.replace(LINES, "from {relation} where account_id <> '6000'")


class GrowingSwap(PeriodSwap):
    """A swap of rules that brings cost with it."""

    def take_rules(self) -> None:
        super().take_rules()
        self.rerun.replace(LINES, "from {relation} union all by name from {relation}")


@pytest.mark.parametrize(
    ("swap", "message"),
    [
        (LosingSwap, "the other period run again expected"),
        (GrowingSwap, "the total with rules swapped expected 176000000000, found 352000000000"),
    ],
)
def test_states_that_do_not_tie_are_refused(
    bill_bridge: Golden, swap: type[PeriodSwap], message: str
) -> None:
    with (
        open_rerun(bill_bridge.workspace, FEBRUARY) as rerun,
        pytest.raises(ControlError, match=message),
    ):
        run_states(rerun, swap(rerun, JANUARY))


def test_actual_is_explained_against_budget(small_company: Golden) -> None:
    """The budget has no quantities of its own and borrows the actual ones: all is pool cost."""
    bridge = explain_bill(
        small_company.workspace,
        "2026-01",
        "2026-01",
        Wanted("crm"),
        against_scenario_id="budget",
    )
    assert (bridge.before, bridge.after) == (Decimal("295.00"), Decimal("651.93"))
    assert bridge.terms["pool_cost"] == Decimal("356.93")


def test_command_says_who_pays_more_and_why(
    bill_bridge: Golden, capsys: pytest.CaptureFixture[str]
) -> None:
    """Netted by line: desk has 120.00 of rules and 32.00 of pool cost, for its volume and rate
    cancel; erp 61.00 of volume and 143.10 of mix; crm of cc-sales -4.50, -153.00 and -191.25 of
    rules, volume and mix; crm of cc-hr 45.00 and 18.75 of organisation and rate; printing -100.00
    of pool cost; vault 40.00 of volume. Rules are 115.50, of a change of 11.10."""
    place = ["2026-02", "--against", "2026-01", "--workspace", str(bill_bridge.workspace.root)]
    assert run(["explain", *place, "--business-unit", "market", "--format", "markdown"]) == 0
    text = capsys.readouterr().out
    for line in (
        # It pays 111.10 more, and is shown 100.00 less: neither is what the terms sum to.
        "**Market is charged and shown 11.10 EUR more in 2026-02 than in 2026-01, mostly because "
        "other rules hold (+115.50)**",
        "| Rules | -51.00 | -459.5 | +115.50 | Software -51.00: tower rule software-2025 -> "
        "software-2026 |",
        "| Organisation | +45.00 | 405.4 | +45.00 | People (cc-hr) joined: +45.00 |",
        "| Pool cost | -27.60 | -248.6 | -68.00 | Printing -150.00: account 6600 costs 150.00 less "
        "in all |",
        "| Volume | +199.20 | 1794.6 | -52.00 | Resource Planning, Sales +133.20: 40 -> 60 seat at "
        "6.66 EUR |",
        # The tickets of the desk and their dearer rate cancel, so that they are no cause of either.
        "| Use by others | -42.60 | -383.8 | +18.75 |  |",
        "| Mix of drivers | -111.90 | -1008.1 | -48.15 | Compute -127.50: Customer Relations has "
        "50.0 % -> 25.0 % of it by Hours |",
        "| Printing | 100.00 |  |  | -150.00 | +50.00 |  |  | 0.00 |",
        "| All | 1,072.00 | -51.00 | +45.00 | -27.60 | +199.20 | -42.60 | -111.90 | 1,083.10 |",
        "Swapped in this order: restatement, rules, organisation, pool cost, volume, use by "
        "others, mix of drivers. ",
        "Of it shown and not charged (showback): 100.00 in 2026-01, 0.00 in 2026-02.",
    ):
        assert line in text


def test_new_charge_of_a_showback_is_said_to_be_one(
    bill_bridge: Golden, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["2026-02", "--against", "2026-01", "--workspace", str(bill_bridge.workspace.root)]
    charge = ["--service", "print", "--cost-centre", "cc-ops"]
    assert run(["explain", *place, *charge]) == 0
    text = capsys.readouterr().out
    assert "Operations is shown 50.00 EUR less for Printing" in text
    assert "There is no such charge in 2026-01." in text
    assert "This is a showback: the cost is shown, and nothing is charged." in text
    assert run(["explain", *place, *charge, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["order"] == list(TERMS)
    assert sum(Decimal(item["amount"]) for item in answer["terms"]) == Decimal(answer["change"])
    assert answer["terms"][4] == {
        "term": "volume",
        "amount": "-50.00",
        "netted": "-50.00",
        "cause": "0 -> 10 page at -5.00 EUR",
    }
    assert run(["explain", *place, *charge, "--format", "csv"]) == 0
    assert "Volume,-50.00,100.0,-50.00,0 -> 10 page at -5.00 EUR\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("against", "wanted", "message"),
    [
        ("2026-01", Wanted(), "expected the bill to explain"),
        ("2026-01", Wanted(None, "cc-hr", "market"), "exclude each other"),
        ("2026-01", Wanted("erpp"), "services are crm, desk, erp, mail, print, vault"),
        ("2026-01", Wanted("vault", "cc-ops"), r"consumers are \(unallocated\), cc-hr"),
        ("2026-01", Wanted(business_unit_id="sales"), "business units are factory, market, staff"),
        ("2025-12", Wanted("erp"), "nothing is published of actual '2025-12'"),
        ("2026-02", Wanted("erp"), "against another period, found 2026-02 twice"),
    ],
)
def test_what_cannot_be_explained_is_refused(
    bill_bridge: Golden, against: str, wanted: Wanted, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        explain_bill(bill_bridge.workspace, "2026-02", against, wanted)
