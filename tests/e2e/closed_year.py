"""A year of the sample company for tests that read it: twelve months closed in order by two people
through the commands, with late invoices, disputes and a reopening among them.

What is billed is another amount than what is charged in April (notes for February, an adjustment
of March) and from July on (mark-up of the Swiss company; in October also notes for July, whose
services have prices, and an adjustment of September). In all other months it is the same.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipelines.warehouse.reader import open_published
from pipelines.workspace.workspace import Workspace
from tests.closed_periods import APPROVER, PREPARER
from tests.e2e.command import run_here

MONTHS = ("2025-11", "2025-12", *(f"2026-{month:02d}" for month in range(1, 11)))
REOPENED = "2026-06"
PRICED_FROM = "2026-07"
WHY = ("--why", "as the sample has it")
DISPUTED = Decimal("100.00")
CHARGED_NAME = "charged.json"


@dataclass(frozen=True)
class LateCost:
    """A month that was just closed, a month before it whose cost arrives then, and where the notes
    and the adjustment of the disputed line are posted."""

    after: str
    month: str
    posted: str
    amount: str

    @property
    def record(self) -> dict[str, str]:
        return {
            "line_id": f"{self.month.replace('-', '')}9901",
            "period_id": self.month,
            "posting_date": f"{self.month}-27",
            "legal_entity_id": "DE01",
            "account_id": "6110",
            "cost_centre_id": "CC9050",
            "vendor_name": "Erpwerk Consulting",
            "document_id": "",
            "description": "Invoice received late",
            "currency_code": "EUR",
            "amount_local": self.amount,
        }


LATE = (
    LateCost("2026-03", "2026-02", "2026-04", "12345.67"),
    LateCost("2026-09", "2026-07", "2026-10", "2345.67"),
)


@dataclass
class Year:
    """The workspace after twelve closes and a reopening."""

    root: Path
    charged: dict[tuple[str, int], Decimal] = field(default_factory=dict)
    """What each close billed at the moment of the close, by period and version."""


def make_year(sample: Path, directory: Path) -> None:
    """Close the year in a copy of the sample company, `directory/company`."""
    root = directory / "company"
    shutil.copytree(sample, root, ignore=shutil.ignore_patterns("evidence", "bills"))
    done, delivered = Year(root), 0
    for month in MONTHS:
        close_month(done, month)
        for late in LATE:
            if month == late.after:
                delivered += 1
                deliver_late_invoices(root, delivered)
                dispute_line(root, month)
                run_here("build", "--workspace", root)
        if month == REOPENED:
            reopen_month(done, month)
    charged = [[*key, str(amount)] for key, amount in done.charged.items()]
    (directory / CHARGED_NAME).write_text(json.dumps(charged), "utf-8")


def read_year(directory: Path) -> Year:
    """The year that `make_year` wrote."""
    rows = json.loads((directory / CHARGED_NAME).read_text("utf-8"))
    charged = {(month, version): Decimal(amount) for month, version, amount in rows}
    return Year(directory / "company", charged)


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


def deliver_late_invoices(root: Path, count: int) -> None:
    """The ledger of the year comes again with the first `count` late invoices, each of a month that
    is closed; Anton lets it count."""
    source = root / "inbox" / "general_ledger" / "general_ledger_2026.csv"
    target = source.with_name(f"general_ledger_2026_again_{count}.csv")
    with source.open(encoding="utf-8", newline="") as file:
        names, *_ = csv.reader(file)
    lines = "".join(",".join(late.record[name] for name in names) + "\n" for late in LATE[:count])
    target.write_text(source.read_text("utf-8") + lines, "utf-8")
    assert "held" in run_here("land", "--workspace", root, expect=3)
    held = json.loads(run_here("loads", "list", "--held", "--json", "--workspace", root))["loads"]
    assert [load["file_name"] for load in held] == [target.name]
    release = ("loads", "release", "general_ledger", target.name, "--why", "the carrier was late")
    run_here(*release, "--workspace", root, expect=0)


def dispute_line(root: Path, month: str) -> None:
    """Ute disputes a line of the month that was closed last, and Anton accepts."""
    with open_published(Workspace.open(root)) as marts:
        row = marts.execute(
            "select service_id, cost_centre_id from fct_charges_monthly "
            "where scenario_id = 'actual' and period_id = ? "
            "order by charged_amount desc, service_id, cost_centre_id limit 1",
            [month],
        ).fetchone()
    assert row is not None
    line = ("--service", row[0], "--cost-centre", row[1], "--amount", str(DISPUTED))
    place = ("--workspace", root)
    opened = json.loads(
        run_here("dispute", "open", month, *line, *WHY, "--json", "--as", "Ute", *place)
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
