"""Deliveries in a workspace whose periods are no calendar months: 13 periods of four weeks, of
which 2026-P12 is February 2026, 2026-P13 the weeks to 28 March, 2027-P01 those to 25 April."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.books.books import Books
from pipelines.books.tables import load_periods
from pipelines.workspace.workspace import Workspace

from .company import CONFIG, HEADER, Company, ledger, record

WEEKS = (
    "{first_period: 2026-P12, last_period: 2027-P01, "
    "weeks: {pattern: 13x4, end_month: 3, end_rule: last}}"
)
MAPPING = """\
mapping_id: named
contract: general_ledger
description: A ledger that names its periods by their number.
period_formats: ["P%P %Y", "%Y/0%P"]
columns:
"""
BY_DAY = """\
mapping_id: named
contract: general_ledger
description: A ledger without periods.
period_from: posting_date
unknown_columns: log
columns:
"""


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    yield from _open(tmp_path, WEEKS)


def _open(directory: Path, calendar: str) -> Iterator[Company]:
    text = CONFIG.replace("{first_period: 2026-01, last_period: 2026-12}", calendar)
    text = text.replace('"ledger/*", hold', '"ledger/*", mapping: named, hold')
    (directory / "apportion.yml").write_text(text, "utf-8")
    _write_mapping(directory, MAPPING, HEADER.split(","))
    workspace = Workspace.open(directory)
    books = Books.open(workspace)
    yield Company(workspace, books)
    books.close()


def _write_mapping(directory: Path, head: str, columns: list[str]) -> None:
    (directory / "mappings").mkdir(exist_ok=True)
    lines = "".join(f"  {name}: {name}\n" for name in columns)
    (directory / "mappings" / "named.yml").write_text(head + lines, "utf-8")


def _read_periods(company: Company) -> list[str]:
    with company.books.read() as connection:
        rows = connection.execute(load_periods.select()).all()
    return sorted({row.period_id for row in rows})


def test_period_is_named_by_its_number(company: Company) -> None:
    result = company.land_one(
        ledger(
            record("L1", period_id="P12 2026"),
            record("L2", period_id="P1 2027"),
            record("L3", period_id="2026/013"),
            record("L4", period_id="P14 2026"),
            record("L5", period_id="2026-02"),
        )
    )
    assert company.read(result, "select period_id from records order by _row_number") == [
        ("2026-P12",),
        ("2027-P01",),
        ("2026-P13",),
    ]
    assert result.records_quarantined == 2
    assert "a period such as 2026-P12" in " ".join(result.reasons)


def test_day_decides_the_period(company: Company) -> None:
    """28 February and 1 March, 28 and 29 March: on either side of the ends of two periods."""
    _write_mapping(
        company.workspace.root, BY_DAY, [name for name in HEADER.split(",") if name != "period_id"]
    )
    days = ("2026-02-28", "2026-03-01", "2026-03-28", "2026-03-29", "2026-04-26")
    result = company.land_one(ledger(*(record(day, posting_date=day) for day in days)))
    assert company.read(result, "select period_id from records order by _row_number") == [
        ("2026-P12",),
        ("2026-P13",),
        ("2026-P13",),
        ("2027-P01",),
        ("2026-04 (outside)",),
    ]
    assert _read_periods(company) == ["2026-04 (outside)", "2026-P12", "2026-P13", "2027-P01"]


def test_a_workspace_of_months_has_no_numbered_periods(tmp_path: Path) -> None:
    for company in _open(tmp_path, "{first_period: 2026-01, last_period: 2026-12}"):
        result = company.land_one(ledger(record("L1", period_id="P12 2026")))
        assert (result.records_accepted, result.records_quarantined) == (0, 1)
        assert "a period such as 2026-03" in " ".join(result.reasons)


def test_charges_of_one_bill_fall_into_two_periods(company: Company) -> None:
    header = (
        "BilledCost,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,"
        "ChargePeriodEnd,ChargeCategory,ProviderName,BillingAccountId,ServiceName,EffectiveCost"
    )
    lines = [
        f"10.00,EUR,2026-03-01T00:00:00Z,2026-04-01T00:00:00Z,{day}T00:00:00Z,{day}T23:00:00Z,"
        "Usage,AWS,a,EC2,10.00"
        for day in ("2026-03-28", "2026-03-29")
    ]
    company.land_one("\n".join((header, *lines, "")).encode(), "bill/march.csv")
    assert _read_periods(company) == ["2026-P13", "2027-P01"]
