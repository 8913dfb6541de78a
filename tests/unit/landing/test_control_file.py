"""A control file says what a delivery is to hold; a difference of 0.01 or one record refuses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.landing.company import GOOD, Company, ledger, record

CONTROL = "ledger/a.csv.control.yml"


def test_delivery_that_agrees_lands_and_says_so(company: Company) -> None:
    company.put(b"period: 2026-01\nrecords: 3\ntotals: {EUR: 300.25}\n", CONTROL)
    result = company.land_one(GOOD)
    assert result.state == "landed"
    assert result.notes == (
        'control file agrees: {"period":"2026-01","records":3,"totals":{"EUR":"300.25"}}',
    )
    assert (company.directory(result) / "original.control.yml").exists()


@pytest.mark.parametrize(
    ("control", "fragments"),
    [
        ("records: 4", ("another number of records", "4 as its control file says", "found 3")),
        ("totals: {EUR: 300.26}", ("0.01 EUR too little", "300.26 EUR", "300.25")),
        ("totals: {EUR: 300.24}", ("0.01 EUR too much",)),
        ("totals: {EUR: 300.25, USD: 1}", ("1 USD too little",)),
        ("totals: {USD: 300.25}", ("300.25 EUR too much",)),
        ("period: 2026-02", ("records of another period", "only 2026-02", "found 2026-01")),
        ("{}", ("names a period, the records or the totals",)),
        ("recrods: 3", ("unknown key 'recrods'", "Is 'records' meant?")),
        ("records: three", ("a whole number", "'three'")),
        ("records: 3\nrecords: 4", ("occurs twice",)),
    ],
)
def test_delivery_that_differs_is_refused(
    company: Company, control: str, fragments: tuple[str, ...]
) -> None:
    company.put(control.encode(), CONTROL)
    result = company.land_one(GOOD)
    assert result.state == "refused"
    for fragment in fragments:
        assert fragment in result.message
    assert company.loads() == []


def test_records_of_another_period_are_refused(company: Company) -> None:
    company.put(b"period: 2026-01\n", CONTROL)
    result = company.land_one(ledger(record("L1"), record("L2", period_id="2026-02")))
    assert result.state == "refused"
    assert (
        "expected only 2026-01 as its control file says; found 2026-01, 2026-02" in result.message
    )


def test_quarantined_money_counts_towards_the_total(company: Company) -> None:
    """100.00 is good, 50.25 is in quarantine for its date: 150.25 was delivered."""
    company.put(b"totals: {EUR: 150.25}\n", CONTROL)
    result = company.land_one(ledger(record("L1"), record("L2", "50.25", posting_date="31/01/26")))
    assert (result.state, result.records_quarantined) == ("landed", 1)


def test_total_that_cannot_be_known_is_refused(company: Company) -> None:
    company.put(b"totals: {EUR: 100.00}\n", CONTROL)
    result = company.land_one(ledger(record("L1"), record("L2", "abc")))
    assert result.state == "refused"
    assert "1 records whose amount cannot be read" in result.message
    assert "amount_local" in result.message


def test_control_file_is_no_delivery_and_nothing_unclaimed(company: Company) -> None:
    from pipelines.landing.delivery import find_deliveries, find_unread_files

    company.put(b"records: 3\n", CONTROL)
    company.put(GOOD)
    company.put(GOOD, "legder/typo.csv")
    company.put(GOOD, "replaced/notes.txt")
    company.put(GOOD, "ledger/.hidden.csv")
    assert [item.path.name for item in find_deliveries(company.workspace)] == ["a.csv"]
    assert [str(file) for file in find_unread_files(company.workspace)] == [
        "inbox/ledger/.hidden.csv: not read, because it is hidden: rename it if it is a delivery",
        "inbox/legder/typo.csv: not read, no source reads it; source 'replaced' reads "
        "inbox/replaced/*.csv; source 'appended' reads inbox/appended/*.csv; source 'bill' reads "
        "inbox/bill/*.csv",
        "inbox/replaced/notes.txt: not read, no source reads it; see apportion.yml",
    ]


def test_control_file_without_its_delivery_is_named(company: Company) -> None:
    from pipelines.landing.delivery import find_unread_files

    company.put(b"records: 3\n", "ledger/late.csv.control.yml")
    company.put(b"", "replaced/.gitkeep")
    assert [str(file) for file in find_unread_files(company.workspace)] == [
        "inbox/ledger/late.csv.control.yml: not read, a control file without its delivery "
        "'late.csv'"
    ]


@pytest.mark.parametrize(
    "control",
    [
        "records: " + "[" * 3000,
        "a: {" * 3000,
        "- " * 3000,
        "#" * 70_000,
    ],
    ids=["lists", "mappings", "sequences", "large"],
)
def test_hostile_control_file_refuses_its_delivery_alone(company: Company, control: str) -> None:
    company.put(control.encode(), CONTROL)
    company.put(GOOD)
    company.put(GOOD, "replaced/b.csv")
    states = {result.file_name: result.state for result in company.land()}
    assert states == {"a.csv": "refused", "b.csv": "landed"}


def test_control_file_that_is_a_link_shows_nothing_of_its_target(
    company: Company, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("root:x:hunter2", "utf-8")
    company.put(GOOD)
    (company.workspace.inbox / CONTROL).symlink_to(secret)
    (result,) = company.land()
    assert result.state == "refused"
    assert "hunter2" not in result.message
