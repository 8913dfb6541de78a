"""A year of the sample company: twelve months closed in order by two people through the commands,
with a late invoice, a dispute and a reopening among them; what was charged ties everywhere, and
whatever is done to a closed month is found."""

from __future__ import annotations

import csv
import json
import shutil
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.close.desk import open_desk
from pipelines.close.verify import verify
from pipelines.warehouse.reader import open_published
from pipelines.workspace.workspace import Workspace
from tests.closed_periods import APPROVER, PREPARER
from tests.e2e.command import run_here
from tests.e2e.sample_ledger import count_ledger
from tests.tampering import TAMPERING, Closes, tamper
from tests.workspace_copies import copy_workspace

MONTHS = ("2025-11", "2025-12", *(f"2026-{month:02d}" for month in range(1, 11)))
LATE_AFTER, LATE_MONTH = "2026-03", "2026-02"
"""When the late invoice arrives, and the month whose cost it is."""
REOPENED = "2026-06"
PRICED_FROM = "2026-07"
WHY = ("--why", "as the sample has it")
CENT = Decimal("0.01")
POSTED = "2026-04"
"""The first open month then: notes and adjustments stand on its bills."""
DISPUTED = Decimal("100.00")
LATE_INVOICE = {
    "line_id": "2026029901",
    "period_id": LATE_MONTH,
    "posting_date": "2026-02-27",
    "legal_entity_id": "DE01",
    "account_id": "6110",
    "cost_centre_id": "CC9050",
    "vendor_name": "Erpwerk Consulting",
    "document_id": "",
    "description": "Invoice received late",
    "currency_code": "EUR",
    "amount_local": "12345.67",
}


@dataclass
class Year:
    """The workspace after twelve closes and a reopening."""

    root: Path
    charged: dict[tuple[str, int], Decimal] = field(default_factory=dict)
    """What each close charged at the moment of the close, by period and version."""


@pytest.fixture(scope="module")
def year(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Year:
    root = tmp_path_factory.mktemp("year") / "company"
    shutil.copytree(sample, root, ignore=shutil.ignore_patterns("evidence", "bills"))
    done = Year(root)
    for month in MONTHS:
        close_month(done, month)
        if month == LATE_AFTER:
            deliver_late_invoice(root)
            dispute_line(root)
            run_here("build", "--workspace", root)
        if month == REOPENED:
            reopen_month(done, month)
    return done


def close_month(year: Year, month: str) -> None:
    """Petra calculates; Anton reviews, accepts what the sample leaves open, approves and closes."""
    place = ("--workspace", year.root)
    petra, anton = ("--as", PREPARER, *place), ("--as", APPROVER, *place)
    calculated = json.loads(run_here("period", "calculate", month, "--json", *petra))
    run_here("period", "review", month, *anton)
    if calculated["blockers"]:
        assert "is blocked by" in run_here("period", "approve", month, *anton, expect=4)
    for blocker in calculated["blockers"]:
        run_here("period", "accept", month, blocker["blocker_id"], *WHY, *anton)
    assert "somebody else must approve" in run_here("period", "approve", month, *petra, expect=4)
    run_here("period", "approve", month, *anton)
    closed = json.loads(run_here("close", month, "--json", *anton))["state"]
    year.charged[month, closed["version"]] = read_month(year.root, month)["items"]


def deliver_late_invoice(root: Path) -> None:
    """The ledger of the year comes again with one line more, of a month that is closed; Anton lets
    it count."""
    source = root / "inbox" / "general_ledger" / "general_ledger_2026.csv"
    target = source.with_name("general_ledger_2026_again.csv")
    with source.open(encoding="utf-8", newline="") as file:
        names, *_ = csv.reader(file)
    line = ",".join(LATE_INVOICE[name] for name in names)
    target.write_text(source.read_text("utf-8") + line + "\n", "utf-8")
    assert "held" in run_here("land", "--workspace", root, expect=3)
    held = json.loads(run_here("loads", "list", "--held", "--json", "--workspace", root))["loads"]
    assert [load["file_name"] for load in held] == [target.name]
    release = ("loads", "release", "general_ledger", target.name, "--why", "the carrier was late")
    run_here(*release, "--workspace", root, expect=0)


def dispute_line(root: Path) -> None:
    """Ute disputes a line of the month that was closed last, and Anton accepts."""
    with open_published(Workspace.open(root)) as marts:
        row = marts.execute(
            "select service_id, cost_centre_id from fct_charges_monthly "
            "where scenario_id = 'actual' and period_id = ? "
            "order by charged_amount desc, service_id, cost_centre_id limit 1",
            [LATE_AFTER],
        ).fetchone()
    assert row is not None
    line = ("--service", row[0], "--cost-centre", row[1], "--amount", str(DISPUTED))
    place = ("--workspace", root)
    opened = json.loads(
        run_here("dispute", "open", LATE_AFTER, *line, *WHY, "--json", "--as", "Ute", *place)
    )
    run_here("dispute", "accept", opened["dispute_id"], *WHY, "--as", APPROVER, *place)


def reopen_month(year: Year, month: str) -> None:
    """Petra asks, Anton confirms; the month is built again and closed in its next version."""
    place = ("--workspace", year.root)
    run_here("period", "reopen", month, "--why", "a forgotten accrual", "--as", PREPARER, *place)
    assert "somebody else confirms" in run_here(
        "period", "reopen", month, "--as", PREPARER, *place, expect=4
    )
    run_here("period", "reopen", month, "--as", APPROVER, *place)
    run_here("build", *place)
    close_month(year, month)


def read_month(root: Path, month: str) -> dict[str, Any]:
    """What the marts say of a month: the certificate, charges and the items of all bills."""
    with open_published(Workspace.open(root)) as marts:
        certificate = marts.execute(
            "select identity_id, term_id, amount, amount_cents from rpt_certificate "
            "where scenario_id = 'actual' and period_id = ?",
            [month],
        ).fetchall()
        charges = marts.execute(
            "select sum(charged_amount) from fct_charges_monthly "
            "where scenario_id = 'actual' and period_id = ?",
            [month],
        ).fetchone()
        units = marts.execute(
            "select business_unit_id, item_kind, sum(amount) from fct_bill_items_monthly "
            "where scenario_id = 'actual' and period_id = ? group by all",
            [month],
        ).fetchall()
    assert charges is not None
    by_unit: dict[str, Decimal] = defaultdict(Decimal)
    by_kind: dict[str, Decimal] = defaultdict(Decimal)
    for unit, kind, amount in units:
        by_unit[unit] += amount
        by_kind[kind] += amount
    return {
        "certificate": {(identity, term): amount for identity, term, amount, _ in certificate},
        "cents": {(identity, term): cents for identity, term, _, cents in certificate},
        "charges": charges[0],
        "units": dict(by_unit),
        "kinds": dict(by_kind),
        "items": sum(by_unit.values(), Decimal(0)),
    }


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


def test_late_invoice_is_posted_as_notes_in_the_open_month(year: Year) -> None:
    """The notes sum to what the invoice changes in the charges, which is no more than the invoice:
    the rest is showback."""
    found = read_month(year.root, POSTED)
    notes = found["kinds"]["correction"]
    assert found["certificate"]["billed", "corrections"] == notes
    with open_published(Workspace.open(year.root)) as marts:
        sums = marts.execute(
            "select scenario_id, sum(charged_amount) from fct_charges_monthly "
            "where period_id = ? and scenario_id in ('actual', 'restated') group by all",
            [LATE_MONTH],
        ).fetchall()
    charged = dict(sums)
    assert notes == charged["restated"] - charged["actual"]
    assert 0 < notes <= Decimal(LATE_INVOICE["amount_local"])


def test_accepted_dispute_is_an_adjustment_in_the_open_month(year: Year) -> None:
    found = read_month(year.root, POSTED)
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
