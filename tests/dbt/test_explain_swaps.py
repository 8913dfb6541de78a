"""Of two periods in which one thing differs, one term says so; whatever differs, the terms tie."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given

from pipelines.errors import UsageError
from pipelines.rerun.bridge_subject import Wanted, find_subject
from pipelines.rerun.bridge_terms import ROUNDING, make_parts, make_terms
from pipelines.rerun.engine import Scope, open_rerun
from pipelines.rerun.explain import compute_terms, explain_bill, run_states
from pipelines.rerun.period_swap import LINES, QUANTITIES, PeriodSwap
from tests.property.runs import run_batches, seeds

from .altered import publish_altered
from .golden import Golden

JANUARY, FEBRUARY = Scope("actual", "2026-01"), Scope("actual", "2026-02")

# February has the lines, the use and the rules of January, and then one change.
SAME = (
    "select * replace ('2026-02' as period_id {change}) from {{relation}} "
    "where period_id = '2026-01'"
)
AS_WELL = "from {{relation}} where period_id = '2026-01' union all by name "
RULES = {
    "model.tower_rules": "select * replace (null::date as valid_to) from {relation} "
    "where rule_id <> 'software-2026'"
}


def repeat_january(change: str = "") -> str:
    """January's rows and the same for February, with a change of the latter."""
    return (AS_WELL + SAME.replace("{change}", f", {change}" if change else "")).format()


def change_quantity(driver: str, sender: str, receiver: str, quantity: int) -> str:
    return repeat_january(
        f"case when driver_id = '{driver}' and sender_id = '{sender}' and receiver_id = "
        f"'{receiver}' then cast({quantity} as decimal(38, 12)) else quantity end as quantity"
    )


DEARER = "case when account_id = '6000' then amount_units * 2 else amount_units end as amount_units"


@pytest.mark.parametrize(
    ("service", "changes", "expected"),
    [
        ("erp", {}, {}),
        # Labour 1,000 more: compute 600, half of it erp's, and desk 400, a fifth of it; 40 of 100.
        ("erp", {LINES: repeat_january(DEARER)}, {"pool_cost": "152.00"}),
        # 680 over 70 seats and not over 100: 40 x (9.7143 - 6.80) = 116.5714.
        ("erp", {QUANTITIES: change_quantity("seats", "erp", "cc-ops", 30)}, {"rate": "116.57"}),
        # 10 seats more at 6.80; 50 x (680 / 110 - 6.80) = -30.9091.
        (
            "erp",
            {QUANTITIES: change_quantity("seats", "erp", "cc-sales", 50)},
            {"volume": "68.00", "rate": "-30.91"},
        ),
        # 400 over 120 tickets: 40 x (3.3333 - 4.00) = -26.6667. No mix, though a service uses more.
        ("desk", {QUANTITIES: change_quantity("tickets", "desk", "erp", 40)}, {"rate": "-26.67"}),
        # The desk passes a third on to erp and not a fifth: 400 x (40 / 120 - 20 / 100) x 0.4.
        ("erp", {QUANTITIES: change_quantity("tickets", "desk", "erp", 40)}, {"mix": "21.33"}),
        # Hours 150 of 200 and not 50 of 100: 1,200 x 0.25 x 0.4.
        ("erp", {QUANTITIES: change_quantity("hours", "compute", "erp", 150)}, {"mix": "120.00"}),
    ],
)
def test_one_change_is_said_by_its_term(
    bill_bridge: Golden,
    tmp_path: Path,
    service: str,
    changes: dict[str, str],
    expected: dict[str, str],
) -> None:
    unchanged = {LINES: repeat_january(), QUANTITIES: repeat_january()}
    workspace = publish_altered(bill_bridge, tmp_path, {**RULES, **unchanged, **changes})
    bridge = explain_bill(workspace, "2026-02", "2026-01", Wanted(service, "cc-sales"))
    found = {name: str(amount) for name, amount in bridge.terms.items() if amount}
    # What is 66.67 on a bill and 66.666.. here differs by cents, which have a term of their own.
    assert abs(Decimal(found.pop(ROUNDING, "0.00"))) <= Decimal("0.01")
    assert found == expected


@run_batches(3)
@given(seeds)
def test_terms_tie_whatever_differs(
    bill_bridge: Golden, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    """Money of both signs, use that appears and vanishes: every bill, every part, to the cent."""
    draw = random.Random(seed)
    factors = ", ".join(str(draw.choice((-3, -1, 0, 1, 2, 7, 1000003))) for _ in range(40))
    uses = ", ".join(str(draw.choice((0, 0, 1, 2, 3, 17, 999))) for _ in range(60))
    chosen = f"hash(concat({seed}, rowid_text)) % "
    alter = (
        "select * exclude (rowid_text) replace ({column}) "
        "from (select *, {name} as rowid_text from {{relation}})"
    )
    selects = {
        LINES: alter.format(
            column=f"amount_units * [{factors}][1 + ({chosen} 40)::int] as amount_units",
            name="ledger_line_id",
        ),
        QUANTITIES: alter.format(
            column=f"quantity * [{uses}][1 + ({chosen} 60)::int] as quantity",
            name="concat_ws('|', period_id, driver_id, sender_id, receiver_id)",
        ),
    }
    workspace = publish_altered(bill_bridge, tmp_path_factory.mktemp("altered"), selects)
    with open_rerun(workspace, FEBRUARY) as rerun:
        states = run_states(rerun, PeriodSwap(rerun, JANUARY))
        wanted = [Wanted(service) for service in ("desk", "erp", "crm", "print", "vault", "mail")]
        wanted += [Wanted(business_unit_id=unit) for unit in ("market", "factory", "staff")]
        for item in wanted:
            try:
                subject = find_subject(rerun.connection, FEBRUARY, JANUARY, item)
            except UsageError:
                continue  # nobody used it, or it had no cost, in both
            lines = compute_terms(states, subject)
            for line, own in lines.items():
                start = states.start.amount_of(line) if subject.wants_before(line) else 0
                end = states.end.amount_of(line) if subject.wants_after(line) else 0
                assert sum(own.values()) == end - start
            bills = (subject.before.amounts, subject.after.amounts)
            terms, before, after = make_terms(lines.values(), *bills, 2)
            assert sum(terms.values()) == after - before
            place = 0 if item.service_id is None else 1
            parts = make_parts(lines, bills, terms, subject.part_names, place, 2)
            for term, amount in terms.items():
                assert sum((part.terms[term] for part in parts), Decimal(0)) == amount
            for part in parts:
                assert sum(part.terms.values()) == part.change
                assert abs(part.terms[ROUNDING]) <= Decimal("0.20")
