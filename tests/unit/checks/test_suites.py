"""What a suite is made of, and that each expectation says what it is."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.checks.suites import build_expectations, get_key_columns
from pipelines.contracts.contract import list_contract_ids, load_contract


def _read_abouts(contract_id: str) -> list[dict[str, Any]]:
    expectations = build_expectations(load_contract(contract_id))
    return [expectation.meta or {} for expectation in expectations]


def test_ledger_has_one_expectation_per_demand() -> None:
    checks = [about["check_id"] for about in _read_abouts("general_ledger")]
    assert checks == [
        "has_records",
        "line_id_filled",
        "period_id_filled",
        "posting_date_filled",
        "legal_entity_id_filled",
        "account_id_filled",
        "cost_centre_id_filled",
        "currency_code_filled",
        "amount_local_filled",
        "texts_not_blank",
        "key_unique",
        "amount_within_range",
        "amount_outweighs_period",
        "posted_twice",
        "posting_date_near_period",
    ]


@pytest.mark.parametrize("contract_id", list_contract_ids())
def test_each_expectation_says_what_it_is(contract_id: str) -> None:
    abouts = _read_abouts(contract_id)
    checks = [about["check_id"] for about in abouts]
    assert len(set(checks)) == len(checks)
    for about in abouts:
        assert about["severity"] in ("error", "warning")
        assert about["sentence"].endswith(".")
        # The pages would take a dollar sign for the name of a parameter.
        assert "$" not in about["sentence"]


def test_numbers_of_senders_are_unique_per_source_only() -> None:
    assert get_key_columns(load_contract("general_ledger")) == (
        "_scenario_id",
        "_source_id",
        "line_id",
    )
    assert get_key_columns(load_contract("headcount")) == (
        "_scenario_id",
        "period_id",
        "cost_centre_id",
    )


def test_a_bill_without_a_key_has_no_check_of_it() -> None:
    checks = [about["check_id"] for about in _read_abouts("cloud_bill")]
    assert "key_unique" not in checks
