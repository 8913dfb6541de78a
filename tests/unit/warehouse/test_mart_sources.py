"""Which deliveries a mart is made of follows from the references between the models."""

from __future__ import annotations

import pytest

from pipelines.warehouse.document import read_marts
from pipelines.warehouse.mart_sources import find_contracts, list_marts


def test_quality_of_service_stands_on_tickets_and_outages() -> None:
    found = find_contracts("fct_service_quality_monthly")
    assert {"tickets", "outages"} <= set(found)
    assert "benchmarks" not in found


def test_benchmarks_stand_on_nothing_else() -> None:
    assert find_contracts("fct_benchmarks") == ("benchmarks",)


def test_charges_stand_on_money_and_use() -> None:
    found = set(find_contracts("fct_charges_monthly"))
    assert {"general_ledger", "cloud_bill", "service_usage", "timesheets", "headcount"} <= found


def test_every_documented_mart_is_found() -> None:
    assert {mart["name"] for mart in read_marts()} == set(list_marts())


def test_unknown_model_is_an_error() -> None:
    with pytest.raises(KeyError):
        find_contracts("fct_nothing")
