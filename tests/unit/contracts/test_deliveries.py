"""One hand-made delivery per contract lands whole; without a value that it must have, it does not.

The deliveries are in `deliveries/<contract>.csv`, in canonical form, with at least one record that
leaves out all that may be left out.
"""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from pipelines.books.books import Books
from pipelines.contracts.contract import list_contract_ids, load_contract
from pipelines.landing import land
from pipelines.landing.land import LoadResult, land_inbox
from pipelines.warehouse.lake_views import create_lake_views, list_active_loads
from pipelines.workspace.workspace import Workspace

DELIVERIES = Path(__file__).parent / "deliveries"
TEXTS = ("text", "code", "period", "currency")

# Sums of the amounts by currency, added up by hand.
AMOUNTS = {
    "assets": {"EUR": "37500.15"},  # 36,500.10 + 1,000.05
    "budget": {"EUR": "999.99"},  # 1,000.00 - 0.01
    "cloud_bill": {"USD": "10.345677"},  # 12.345678 - 2.000001
    "contract_commitments": {"USD": "1200.5", "?": "0"},
    "general_ledger": {"EUR": "100.01", "JPY": "-50"},
    "licence_entitlements": {"EUR": "30000.25"},
    "payroll": {"EUR": "73000.67"},  # 61,000.33 + 12,000.34
    "projects": {"EUR": "10000"},  # 9,500.50 + 499.50
    "revenue": {"EUR": "1000000"},  # 1,000,000.05 - 0.05
    "vendor_contracts": {"EUR": "30100"},  # 30,000.25 + 99.75
}


@pytest.fixture(autouse=True)
def _used(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a contract takes is asked here, not whether a figure is made of it yet."""
    if "refused" not in request.node.name:
        monkeypatch.setattr(land, "refuse_unused", lambda delivery: None)


class _Works:
    """A workspace with one source of one contract."""

    def __init__(self, root: Path, contract_id: str) -> None:
        config = {
            "name": "Example Works",
            "currency": "EUR",
            "calendar": {"first_period": "2026-01", "last_period": "2026-12"},
            "control_total": {"source": "own"},
            "sources": {"own": {"contract": contract_id, "inbox": "*.csv"}},
        }
        (root / "inbox").mkdir(parents=True)
        (root / "apportion.yml").write_text(yaml.safe_dump(config), "utf-8")
        self.workspace = Workspace.open(root)
        self.books = Books.open(self.workspace)
        self.contract_id = contract_id

    def land(self, text: str) -> LoadResult:
        (self.workspace.inbox / "a.csv").write_text(text, "utf-8")
        (result,) = land_inbox(self.workspace, self.books)
        return result

    def read(self) -> list[dict[str, Any]]:
        with duckdb.connect() as connection:
            create_lake_views(connection, list_active_loads(self.workspace, self.books))
            found = connection.execute(f"from lake.{self.contract_id} order by _row_number")
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _read_delivery(contract_id: str) -> tuple[str, list[dict[str, str]]]:
    text = (DELIVERIES / f"{contract_id}.csv").read_text("utf-8")
    return text, list(csv.DictReader(io.StringIO(text)))


def test_there_is_a_delivery_for_every_contract_and_no_other() -> None:
    assert {path.stem for path in DELIVERIES.iterdir()} == set(list_contract_ids())


@pytest.mark.parametrize("contract_id", list_contract_ids())
def test_delivery_lands_whole(tmp_path: Path, contract_id: str) -> None:
    text, records = _read_delivery(contract_id)
    works = _Works(tmp_path / "works", contract_id)
    result = works.land(text)
    assert (result.state, result.message, result.reasons) == ("landed", "", ())
    assert result.records_accepted == len(records) >= 2
    sums = {code: item["accepted"] for code, item in (result.amounts or {}).items()}
    assert sums == AMOUNTS.get(contract_id, {})
    contract = load_contract(contract_id)
    for delivered, record in zip(records, works.read(), strict=True):
        for field in contract.fields:
            value, text = record[field.name], delivered[field.name]
            if field.is_personal:
                assert value is None if not text else value.startswith("p-") and text not in value
            elif field.type in TEXTS:
                assert value == (text or None), field.name
            elif field.type in ("decimal", "integer"):
                assert value == (Decimal(text) if text else None), field.name
            else:
                assert (value is None) == (text == ""), field.name


@pytest.mark.parametrize("contract_id", list_contract_ids())
def test_a_record_without_a_value_that_it_must_have_is_quarantined(
    tmp_path: Path, contract_id: str
) -> None:
    contract = load_contract(contract_id)
    _, records = _read_delivery(contract_id)
    required = next(field.name for field in contract.fields if field.is_required)
    records[0][required] = ""
    target = io.StringIO()
    writer = csv.DictWriter(target, list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    result = _Works(tmp_path / "works", contract_id).land(target.getvalue())
    assert (result.state, result.records_quarantined) == ("landed", 1)
    assert f"field {required}: is missing" in result.reasons[0]


def test_records_of_a_contract_that_grew_are_read_without_the_new_fields(tmp_path: Path) -> None:
    text, records = _read_delivery("tickets")
    works = _Works(tmp_path / "works", "tickets")
    result = works.land(text)
    path = works.workspace.lake / "own" / result.sha256 / "records.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"create table r as select * exclude assignee_id from '{path}'")
        connection.execute(f"copy r to '{path}'")
    view = path.with_name("records.sql")
    query = view.read_text("utf-8")
    assert '"assignee_id", ' in query
    view.write_text(query.replace('"assignee_id", ', ""), "utf-8")
    assert [record["assignee_id"] for record in works.read()] == [None] * len(records)


UNUSED = [name for name in list_contract_ids() if load_contract(name).not_used_yet is not None]


@pytest.mark.parametrize("contract_id", UNUSED)
def test_delivery_of_an_unused_contract_is_refused(tmp_path: Path, contract_id: str) -> None:
    """Nothing lands that no figure is made of, and the refusal says what it would feed."""
    text, _ = _read_delivery(contract_id)
    result = _Works(tmp_path / "works", contract_id).land(text)
    assert result.state == "refused"
    assert f"the contract {contract_id} is not used yet" in result.message
    assert f"It would feed {load_contract(contract_id).not_used_yet}" in result.message
