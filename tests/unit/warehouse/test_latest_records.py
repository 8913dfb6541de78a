"""Sources that update their records: each key once, as the load that landed last has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.landing.quarantine_decisions import release_records
from pipelines.warehouse.lake_views import create_lake_views, list_active_loads
from tests.unit.landing.company import CONFIG, Company, ledger, make_company, open_company, record

ROWS = (
    "select line_id, amount_local::varchar, _row_number from lake.general_ledger "
    "where _source_id = 'appended' order by all"
)


@pytest.fixture
def company(tmp_path: Path) -> Company:
    made = make_company(tmp_path / "works")
    root = made.workspace.root
    (root / "apportion.yml").write_text(
        CONFIG.replace("redelivery: append}\n  bill", "redelivery: update_records}\n  bill"),
        "utf-8",
    )
    made.books.close()
    return open_company(root)


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
