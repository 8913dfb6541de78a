"""A year of the sample company: twelve months closed in order by two people through the commands,
with a late invoice, a dispute and a reopening among them; what was charged ties everywhere, and
whatever is done to a closed month is found."""

from __future__ import annotations

import csv
import json
import shutil
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from pipelines.close.desk import open_desk
from pipelines.close.verify import verify
from pipelines.warehouse.reader import open_published
from pipelines.workspace.workspace import Workspace
from tests.e2e.closed_year import (
    DISPUTED,
    LATE,
    MONTHS,
    PRICED_FROM,
    REOPENED,
    LateCost,
    Year,
    read_month,
)
from tests.e2e.command import run_here
from tests.e2e.sample_ledger import count_ledger
from tests.tampering import TAMPERING, Closes, tamper
from tests.workspace_copies import copy_workspace

CENT = Decimal("0.01")


def test_every_month_is_closed_and_verified(year: Year) -> None:
    listed = json.loads(run_here("period", "list", "--json", "--workspace", year.root))
    states = {row["period_id"]: (row["state"], row["version"]) for row in listed}
    expected = {month: ("closed", 2 if month == REOPENED else 1) for month in MONTHS}
    assert {month: states[month] for month in MONTHS} == expected
    found = json.loads(run_here("verify", "--deep", "--json", "--workspace", year.root))
    assert (found["closes"], found["problems"]) == (len(MONTHS) + 1, [])


def test_closed_months_are_what_they_were_when_they_were_closed(year: Year) -> None:
    newest = {month: amount for (month, _), amount in sorted(year.charged.items())}
    assert {month: read_month(year.root, month)["items"] for month in MONTHS} == newest


@pytest.mark.parametrize("month", MONTHS)
def test_ledger_charges_bills_and_journal_tie(year: Year, tmp_path: Path, month: str) -> None:
    found = read_month(year.root, month)
    certificate, cents = found["certificate"], found["cents"]
    delivered = count_ledger()[month]
    assert certificate["ledger", "delivered"] == delivered
    assert cents["ledger", "delivered"] == delivered.quantize(CENT, ROUND_HALF_UP)
    for amounts in (certificate, cents):
        accounted = [
            amount
            for (identity, term), amount in amounts.items()
            if identity == "ledger" and term not in ("delivered", "difference")
        ]
        assert sum(accounted) == amounts["ledger", "delivered"]
    # The cents of the terms are dealt so that they sum to the ledger's.
    cost, recovery = cents["ledger", "charged_cost"], cents["charged", "recovery"]
    assert cost + recovery == found["charges"]
    assert abs(certificate["ledger", "charged_cost"] - cost) < CENT
    # Services have prices from July on; until then they are charged at cost.
    assert (recovery != 0) == (month >= PRICED_FROM)
    assert found["charges"] == certificate["charged", "charged"] == found["kinds"]["charge"]
    assert found["items"] == certificate["billed", "billed"]
    assert _sum_statements(year.root, month, tmp_path) == found["units"]
    assert _sum_journal(year.root, month, tmp_path) == found["items"]
    assert _sum_focus(year.root, month, tmp_path) == found["items"]


@pytest.mark.parametrize("late", LATE, ids=lambda late: late.month)
def test_late_invoice_is_posted_as_notes_in_the_open_month(year: Year, late: LateCost) -> None:
    """The notes sum to what the invoice changes in the charges, which is no more than the invoice:
    the rest is showback, or the cost of a service with a price, whose charge does not change."""
    found = read_month(year.root, late.posted)
    notes = found["kinds"]["correction"]
    assert found["certificate"]["billed", "corrections"] == notes
    with open_published(Workspace.open(year.root)) as marts:
        sums = marts.execute(
            "select scenario_id, sum(charged_amount) from fct_charges_monthly "
            "where period_id = ? and scenario_id in ('actual', 'restated') group by all",
            [late.month],
        ).fetchall()
    charged = dict(sums)
    assert notes == charged["restated"] - charged["actual"]
    assert 0 < notes <= Decimal(late.amount)


@pytest.mark.parametrize("late", LATE, ids=lambda late: late.month)
def test_accepted_dispute_is_an_adjustment_in_the_open_month(year: Year, late: LateCost) -> None:
    found = read_month(year.root, late.posted)
    assert found["kinds"]["adjustment"] == -DISPUTED
    assert found["certificate"]["billed", "adjustments"] == -DISPUTED


def _sum_statements(root: Path, month: str, directory: Path) -> dict[str, Decimal]:
    """The total of each business unit's statement, as written."""
    place = ("--output", directory, "--workspace", root)
    written = json.loads(run_here("bill", month, "--json", *place))
    return {file["business_unit_id"]: Decimal(file["total"]) for file in written}


def _sum_focus(root: Path, month: str, directory: Path) -> Decimal:
    """What the rows of the FOCUS export bill, from the file."""
    place = ("--output", directory / "focus", "--workspace", root)
    written = json.loads(run_here("export", "focus", month, "--json", *place))
    path = Path(written["directory"]) / "cost_and_usage.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return sum((Decimal(row["BilledCost"]) for row in csv.DictReader(file)), Decimal(0))


def _sum_journal(root: Path, month: str, directory: Path) -> Decimal:
    """What the consumers' cost centres are debited with, from the file; it balances."""
    place = ("--output", directory, "--workspace", root)
    written = json.loads(run_here("journal", month, "--layout", "generic", "--json", *place))
    with Path(written["path"]).open(encoding="utf-8", newline="") as file:
        entries = list(csv.DictReader(file))
    balances: dict[str, Decimal] = defaultdict(Decimal)
    for entry in entries:
        amount = Decimal(entry["debit"] or 0) - Decimal(entry["credit"] or 0)
        balances[entry["legal_entity"]] += amount
        balances["consumers"] += amount if entry["account"] == "6980" else 0
    consumers = balances.pop("consumers")
    assert set(balances.values()) == {Decimal(0)}
    assert consumers == Decimal(written["total"])
    return consumers


@pytest.mark.parametrize("kind", TAMPERING)
def test_tampering_with_the_year_is_found(year: Year, tmp_path: Path, kind: str) -> None:
    root = copy_workspace(year.root, tmp_path / "company")
    for month in MONTHS[:2]:
        # The other closes are linked to the year's own files.
        name = f"{month}.v1"
        shutil.rmtree(root / "warehouse" / "closed" / name)
        shutil.copytree(
            year.root / "warehouse" / "closed" / name, root / "warehouse" / "closed" / name
        )
    with open_desk(Workspace.open(root)) as desk:
        tamper(Closes(desk, MONTHS[0], MONTHS[1]), kind)
        assert verify(desk.workspace, desk.books).problems != []
    shutil.rmtree(root)


def test_year_is_whole_after_all_that_was_done_to_copies(year: Year) -> None:
    assert "all as they were closed" in run_here("verify", "--workspace", year.root)
