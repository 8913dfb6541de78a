"""Settings of a mapping that contradict each other or its contract are refused when read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipelines.contracts.contract import load_contract
from pipelines.mappings.mapping import Mapping, _refuse_misfit, load_mapping


def _make(**changes: Any) -> Mapping:
    columns = {"line_id": "id", "posting_date": "date", "amount_local": "amount"}
    constants = {"legal_entity_id": "X", "account_id": "X", "cost_centre_id": "X"}
    settings: dict[str, Any] = {
        "mapping_id": "own",
        "contract": "general_ledger",
        "description": "",
        "columns": columns,
        "constants": {**constants, "currency_code": "EUR"},
        "period_from": "posting_date",
        **changes,
    }
    return Mapping.model_validate(settings)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"encoding": "rot13"}, "unknown encoding 'rot13'"),
        ({"encoding": "klingon"}, "unknown encoding"),
        ({"time_zone": "Mars/Base"}, "unknown time zone"),
        ({"footer_pattern": "("}, "no regular expression"),
        ({"footer_pattern": "x", "footer_rows": 1}, "exclude each other"),
        ({"delimiter": '"'}, "'delimiter' is the quote"),
        ({"delimiter": ";;"}, "at most 1 character"),
        ({"thousands_mark": "."}, "'thousands_mark' cannot be"),
        ({"thousands_mark": "0"}, "a letter or a digit"),
        ({"timestamp_formats": ["%d/%m/%y"]}, "no year of four digits"),
        ({"constants": {"line_id": "X"}}, "line_id has a column and a constant"),
        ({"value_defaults": {"line_id": "X"}}, "has no value map"),
        ({"value_maps": {"line_id": {}}}, "is empty"),
        ({"format": "parquet", "delimiter": ";"}, "says nothing about the format parquet"),
        (
            {"format": "xlsx", "allow_float": {"amount_local": 2}},
            "says nothing about the format xlsx",
        ),
        ({"decimal_mark": ",", "allow_float": {"amount_local": 2}}, "and no other form"),
        ({"columns": {"line_id": []}}, "names no column for the field line_id"),
        ({"columns": {"line_id": ["a", "b"], "vendor_name": "b"}}, "two fields read the column"),
        ({"colums": {}}, "Extra inputs"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    changes: dict[str, Any], expected: str
) -> None:
    with pytest.raises(ValidationError, match=expected):
        _make(**changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"pad_left": {"amount_local": 3}}, "'pad_left' names amount_local"),
        ({"sign_flip": ["line_id"]}, "'sign_flip' names line_id, which is of type code"),
        ({"sign_flip": ["nothing"]}, "does not have: nothing"),
        ({"row_key": True}, "'row_key' needs exactly one key field without a column"),
        ({"period_from": "line_id"}, "is of type code, not a date or timestamp"),
        ({"period_from": None}, "no column to the required fields period_id"),
        ({"columns": {"period_id": "p"}}, "is given and derived"),
        (
            {"derived_times": {"posting_date": {"of": "period_id", "point": "next_day"}}},
            "posting_date is given and in 'derived_times'",
        ),
        (
            {"derived_times": {"line_id": {"of": "posting_date", "point": "next_day"}}},
            "'derived_times' names line_id, which is of type code",
        ),
    ],
)
def test_settings_that_do_not_fit_the_contract_are_refused(
    changes: dict[str, Any], expected: str
) -> None:
    with pytest.raises(ValueError, match=expected):
        _refuse_misfit(_make(**changes), load_contract("general_ledger"))


def test_the_settings_themselves_fit() -> None:
    _refuse_misfit(_make(), load_contract("general_ledger"))


def test_own_mapping_is_called_as_its_file(tmp_path: Path) -> None:
    text = "mapping_id: other\ncontract: headcount\ndescription: x\ncolumns: {}\n"
    (tmp_path / "own.yml").write_text(text, "utf-8")
    with pytest.raises(ValueError, match=r"own\.yml: 'mapping_id' is 'other', not 'own'"):
        load_mapping("own", load_contract("headcount"), tmp_path)


def test_canonical_cannot_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "canonical.yml").write_text("mapping_id: canonical\n", "utf-8")
    with pytest.raises(ValueError, match="the name 'canonical' is taken"):
        load_mapping("canonical", load_contract("headcount"), tmp_path)
