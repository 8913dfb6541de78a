"""The lake as SQL sees it: only loads that count, and the same tables for every company."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from pipelines.contracts.contract import DUCKDB_TYPES, list_contract_ids, load_contract
from pipelines.warehouse.lake_views import (
    create_lake_views,
    create_load_tables,
    list_active_loads,
)
from pipelines.warehouse.pinned_records import SPANNED
from tests.unit.landing.company import Company, ledger, make_company, record


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return make_company(tmp_path / "a company [1]")


def _connect(company: Company) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    loads = list_active_loads(company.workspace, company.books)
    create_lake_views(connection, loads)
    connection.execute("create schema model")
    create_load_tables(connection, loads)
    return connection


def test_company_without_deliveries_has_every_table_empty(company: Company) -> None:
    with _connect(company) as connection:
        for contract_id in list_contract_ids():
            fields = load_contract(contract_id).fields
            found = connection.execute(f"describe lake.{contract_id}").fetchall()
            expected = [(f.name, DUCKDB_TYPES[f.type].upper().replace(" ", "")) for f in fields]
            own = [(row[0], row[1].replace(" ", "")) for row in found]
            assert own[: len(expected)] == expected
            plumbing = ["_source_id", "_scenario_id", "_file_id", "_row_number"]
            if contract_id in SPANNED:
                plumbing += ["_counts_from", "_counts_until"]
            assert [name for name, _ in own[len(expected) :]] == plumbing
            counted = connection.execute(f"select count(*) from lake.{contract_id}").fetchone()
            assert counted == (0,)


def test_types_are_the_same_with_and_without_deliveries(company: Company) -> None:
    with _connect(company) as connection:
        empty = connection.execute("describe lake.general_ledger").fetchall()
    company.land_one(ledger(record("L1")))
    with _connect(company) as connection:
        assert connection.execute("describe lake.general_ledger").fetchall() == empty


def test_lineage_leads_back_to_file_and_record(company: Company) -> None:
    content = ledger(record("L1"), record("L2", "abc"), record("L3", "7.00"))
    result = company.land_one(content)
    with _connect(company) as connection:
        rows = connection.execute(
            "select line_id, _source_id, _scenario_id, _file_id, _row_number "
            "from lake.general_ledger order by _row_number"
        ).fetchall()
        assert rows == [
            ("L1", "ledger", "actual", result.sha256, 1),
            ("L3", "ledger", "actual", result.sha256, 3),
        ]
        rows = connection.execute(
            "select source_id, file_name, row_number, period_id, currency_code, amount_local, "
            "reason from model.quarantine"
        ).fetchall()
        assert [row[:6] for row in rows] == [("ledger", "a.csv", 2, "2026-01", "EUR", None)]
        assert "amount_local has the wrong form" in rows[0][6]
        counted = connection.execute(
            "select records_accepted, records_quarantined from model.loads"
        )
        assert counted.fetchall() == [(2, 1)]


def test_directory_that_is_a_glob_means_itself(company: Company) -> None:
    """As a glob, the company's directory `a company [1]` would name its neighbour `a company 1`."""
    result = company.land_one(ledger(record("L1"), record("L2", "abc")))
    neighbour = company.workspace.root.with_name("a company 1")
    shutil.copytree(company.workspace.root, neighbour)
    for path in (neighbour / "lake" / "ledger" / result.sha256).iterdir():
        path.write_bytes(b"not mine")
    with _connect(company) as connection:
        assert connection.execute("select line_id from lake.general_ledger").fetchall() == [("L1",)]
        assert connection.execute("select row_number from model.quarantine").fetchall() == [(2,)]


def test_source_that_left_the_configuration_does_not_count(company: Company) -> None:
    company.land_one(ledger(record("L1")))
    config = company.workspace.root / "apportion.yml"
    text = config.read_text("utf-8").replace("  ledger: {contract: ", "  old: {contract: ")
    config.write_text(text.replace("source: ledger", "source: old"), "utf-8")
    from pipelines.workspace.workspace import Workspace

    assert list_active_loads(Workspace.open(company.workspace.root), company.books) == []
