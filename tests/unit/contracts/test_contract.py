"""Contracts are data: each one is consistent, and a wrong one is refused when it is read."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pipelines.contracts.contract import (
    DUCKDB_TYPES,
    Contract,
    list_contract_ids,
    load_contract,
)
from pipelines.landing.field_checks import PATTERNS


@pytest.mark.parametrize("contract_id", list_contract_ids())
def test_contract_is_consistent(contract_id: str) -> None:
    contract = load_contract(contract_id)
    assert contract.contract_id == contract_id
    assert contract.description.startswith("One row per ")
    assert (contract.amount_field is None) == (contract.currency_field is None)
    for field in contract.fields:
        assert field.description
        assert field.type in PATTERNS
        assert field.type in DUCKDB_TYPES
    for name in contract.key:
        assert contract.field(name).type not in ("decimal", "json")
    if contract.amount_field:
        assert contract.field(contract.amount_field).type == "decimal"
    if contract.period_field:
        assert contract.field(contract.period_field).type in ("period", "date", "timestamp")


def test_unknown_contract_names_the_known_ones() -> None:
    with pytest.raises(KeyError, match=r"no contract 'general'; known: .*general_ledger"):
        load_contract("general")


def test_contract_id_is_no_path() -> None:
    with pytest.raises(KeyError, match="no contract"):
        load_contract("../kinds/assets")


def test_unknown_field_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="shoe_size"):
        load_contract("assets").field("shoe_size")


AMOUNT = {"name": "a", "type": "decimal", "description": "x"}
CODE = {"name": "b", "type": "code", "description": "x"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fields": [CODE, CODE]}, "a field name occurs twice"),
        ({"key": ["c"]}, "no field is named c"),
        ({"amount_field": "c", "currency_field": "b"}, "no field is named c"),
        ({"period_field": "c"}, "no field is named c"),
        ({"fields": [CODE, {**AMOUNT, "minor_unit_of": "c"}]}, "no field is named c"),
        ({"fields": [{**CODE, "minimum": 0}, AMOUNT]}, "b is no number and has a minimum"),
        ({"amount_field": "b"}, "the amount b is of type code"),
        ({"colour": "red"}, "Extra inputs are not permitted"),
    ],
)
def test_wrong_contract_is_refused(changes: dict[str, Any], message: str) -> None:
    right: dict[str, Any] = {
        "contract_id": "x",
        "title": "X",
        "description": "One row per x.",
        "fields": [CODE, AMOUNT],
        "key": ["b"],
    }
    Contract.model_validate(right)
    with pytest.raises(ValidationError, match=message):
        Contract.model_validate({**right, **changes})
