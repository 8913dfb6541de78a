"""Sources that update their records: each key once, as the load that landed last has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from pipelines.landing.quarantine_decisions import release_records
from pipelines.warehouse.lake_views import create_lake_views, list_active_loads
from tests.unit.landing.company import Company, ledger, make_company, open_company, record

ROWS = (
    "select line_id, amount_local::varchar, _row_number from lake.general_ledger "
    "where _source_id = 'appended' order by all"
)


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return update_records(make_company(tmp_path / "works"))


def update_records(company: Company, more: str = "") -> Company:
    """The company whose source `appended` updates its records."""
    path = company.workspace.root / "apportion.yml"
    settings = yaml.safe_load(path.read_text("utf-8"))
    settings["sources"]["appended"] |= {
        "redelivery": "update_records",
        **yaml.safe_load(more or "{}"),
    }
    path.write_text(yaml.safe_dump(settings), "utf-8")
    company.books.close()
    return open_company(company.workspace.root)


def ask(company: Company, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        create_lake_views(connection, list_active_loads(company.workspace, company.books))
        return connection.execute(sql).fetchall()


def test_later_record_of_a_key_counts_and_others_stay(company: Company) -> None:
    first = ledger(record("L1", "1.00"), record("L2", "2.00"), record("L3", "3.00"))
    later = ledger(record("L4", "4.00"), record("L2", "20.00"))
    # The names sort the other way: what counts is the order in which they landed.
    company.land_one(first, "appended/z.csv")
    company.land_one(later, "appended/a.csv")
    assert ask(company, ROWS) == [
        ("L1", "1.000000000000", 1),
        ("L2", "20.000000000000", 2),
        ("L3", "3.000000000000", 3),
        ("L4", "4.000000000000", 1),
    ]


def test_other_sources_of_the_contract_keep_all_records(company: Company) -> None:
    company.land_one(ledger(record("L1", "1.00")), "appended/a.csv")
    company.land_one(ledger(record("L1", "7.00")), "ledger/a.csv")
    company.land_one(ledger(record("L1", "2.00")), "appended/b.csv")
    rows = ask(company, "select _source_id, amount_local from lake.general_ledger order by all")
    assert [(source, str(amount)) for source, amount in rows] == [
        ("appended", "2.000000000000"),
        ("ledger", "7.000000000000"),
    ]


def test_record_in_quarantine_leaves_its_earlier_state(company: Company) -> None:
    company.land_one(ledger(record("L1", "1.00"), record("L2", "2.00")), "appended/a.csv")
    company.land_one(ledger(record("L1", "abc"), record("L2", "9.00")), "appended/b.csv")
    assert [row[:2] for row in ask(company, ROWS)] == [
        ("L1", "1.000000000000"),
        ("L2", "9.000000000000"),
    ]


def _release(company: Company, file: str, row: int) -> None:
    release_records(
        *(company.workspace, company.books, "appended", file, row),
        why="known",
        changes={"amount_local": "7.00"},
    )


def test_released_record_counts_as_one_of_its_load(company: Company) -> None:
    company.land_one(ledger(record("L1", "abc"), record("L2", "2.00")), "appended/a.csv")
    company.land_one(ledger(record("L1", "1.00"), record("L2", "abc")), "appended/b.csv")
    _release(company, "a.csv", 1)
    assert [row[:2] for row in ask(company, ROWS)] == [
        ("L1", "1.000000000000"),
        ("L2", "2.000000000000"),
    ]
    _release(company, "b.csv", 2)
    assert [row[:2] for row in ask(company, ROWS)] == [
        ("L1", "1.000000000000"),
        ("L2", "7.000000000000"),
    ]


def test_key_of_the_source_comes_before_that_of_the_contract(company: Company) -> None:
    company = update_records(company, "{unique_key: [line_id, document_id]}")
    first = ledger(record("L1", "1.00"), record("L1", "2.00", document_id="D2"))
    company.land_one(first, "appended/a.csv")
    company.land_one(ledger(record("L1", "20.00", document_id="D2")), "appended/b.csv")
    assert [row[:2] for row in ask(company, ROWS)] == [
        ("L1", "1.000000000000"),
        ("L1", "20.000000000000"),
    ]


def test_changes_are_not_compared_with_a_whole_period(company: Company) -> None:
    company = update_records(company, "{hold_above_percent: 50}")
    company.land_one(ledger(record("L1", "1.00")), "appended/a.csv")
    february = {"period_id": "2026-02", "posting_date": "2026-02-28"}
    result = company.land_one(ledger(record("L2", "900.00", **february)), "appended/b.csv")
    assert result.state == "landed"
