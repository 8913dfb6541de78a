"""Settings of a mapping that contradict each other or its contract are refused when read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipelines.contracts.contract import load_contract
from pipelines.mappings.mapping import Mapping, load_mapping, refuse_misfit


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
        ({"columns": {"line_id": []}}, "names no column for the field line_id"),
        ({"defaults": {"account_id": "Y"}}, "has a constant and a default"),
        ({"net_of": {"amount_local": {"debit": "d", "credit": "c"}}}, "a column and a debit and"),
        ({"join": {"account_id": {"columns": ["a", "b"]}}}, "a constant and columns that are"),
        ({"join": {"vendor_name": {"columns": ["a"]}}}, "at least 2 items"),
        ({"net_of": {"amount_local": {"debit": ["d", "x"], "credit": "x"}}}, "is debit and credit"),
        (
            {"sign_from": {"amount_local": {"column": "s", "negative": ["H"], "positive": ["H"]}}},
            "'H' is negative and positive",
        ),
        ({"extract": {"vendor_name": "(a)"}}, "'extract' names vendor_name, which has no column"),
        ({"extract": {"line_id": "a"}}, "has 0 groups, not one"),
        ({"extract": {"line_id": "(a)(b)"}}, "has 2 groups, not one"),
        ({"extract": {"line_id": "(a"}}, "'extract' of line_id is no regular expression"),
        ({"extract": {"line_id": "(?<=a)(b)"}}, "'extract' of line_id is no regular expression"),
        ({"allow_scientific": ["amount_local"], "negative_form": "trailing"}, "needs the negative"),
        ({"century": 20, "timestamp_formats": ["%d/%m/%Y"]}, "no year of two digits, %y"),
        ({"century": 18}, "Input should be 19 or 20"),
        ({"round_to": {"amount_local": 13}}, "less than or equal to 12"),
        ({"format": "json", "object_from": {"tags": "t"}}, "says nothing about the format json"),
        ({"cases": {"line_id": [{"value": "x"}]}}, "a column and cases"),
        ({"cases": {"vendor_name": [{"value": "x", "plus": ["a"]}]}}, "not both"),
        ({"append_list": {"vendor_name": {"column": "c", "keys": ["n"]}}}, "has no column"),
        ({"date_formats": ["%d/%m/%Y", "%m/%d/%Y"]}, "may read one text as two days"),
        ({"date_formats": ["%d%m%Y", "%Y%m%d"]}, "may read one text as two days"),
        ({"date_formats": ["%d %B"]}, "has no year of four digits, %Y; 'year_from' can give it"),
        ({"date_formats": ["%d.%Y"]}, "has no month"),
        ({"date_formats": ["%d.%m.%Q"]}, "has the directive %Q"),
        ({"date_formats": ["%d.%m.%Y"], "date_order": "dmy"}, "exclude each other"),
        ({"timestamp_formats": ["%d.%m.%Y %I:%M"]}, "needs %H, or %I with %p"),
        ({"year_from": {"where": "mapping"}}, "'year' belongs to 'where: mapping'"),
        ({"year_from": {"where": "mapping", "year": 2026}}, "needs a format without a year"),
        (
            {"date_formats": ["%d%m"], "year_from": {"where": "titles"}},
            "'header_row' leaves none",
        ),
        ({"file_values": {"vendor_name": {"where": "titles", "pattern": "x"}}}, "has 0 groups"),
        ({"currency_marks": {"1": "EUR"}}, "cannot hold '1'"),
        ({"currency_marks": {"€": "Euro"}}, "should match pattern"),
        ({"sign_marks": {"negative": ["cr"], "positive": ["CR"]}}, "'cr' says no sign"),
        ({"minus_signs": ["("]}, "what is no minus"),
        ({"digit_groups": "indian"}, "needs the 'thousands_mark'"),
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
        ({"defaults": {"nothing": "x"}}, "does not have: nothing"),
        ({"round_to": {"line_id": 2}}, "'round_to' names line_id, which is of type code"),
        ({"power_of_ten": {"line_id": 2}}, "'power_of_ten' names line_id"),
        ({"allow_scientific": ["line_id"]}, "'allow_scientific' names line_id"),
        ({"inclusive_ends": ["line_id"]}, "'inclusive_ends' names line_id"),
        ({"unbraced_json": ["line_id"]}, "'unbraced_json' names line_id"),
        ({"object_from": {"vendor_name": "t"}}, "'object_from' names vendor_name"),
        ({"object_of_list": {"vendor_name": {"column": "c"}}}, "'object_of_list' names vendor"),
        ({"cases": {"vendor_name": [{"plus": ["a"]}]}}, "'cases, to add up,' names vendor_name"),
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
        refuse_misfit(_make(**changes), load_contract("general_ledger"))


def test_a_column_may_give_several_fields() -> None:
    columns = {"line_id": "id", "document_id": "id", "posting_date": "date", "amount_local": "x"}
    mapping = _make(columns=columns)
    refuse_misfit(mapping, load_contract("general_ledger"))
    assert mapping.all_column_names() == ("id", "date", "x")


def test_a_float_of_parquet_is_rounded_one_way_for_all_its_fields() -> None:
    """Otherwise the amount could get the text of a binary float: 0.1 is none."""
    columns = {"line_id": "x", "posting_date": "date", "amount_local": "x"}
    mapping = _make(columns=columns, format="parquet", allow_float={"amount_local": 2})
    with pytest.raises(ValueError, match="read the column 'x' of Parquet with different"):
        refuse_misfit(mapping, load_contract("general_ledger"))


def test_a_time_follows_from_what_is_delivered() -> None:
    mapping = Mapping.model_validate(
        {
            "mapping_id": "own",
            "contract": "cloud_bill",
            "description": "",
            "columns": {},
            "derived_times": {
                "billing_period_start": {"of": "billing_period_end", "point": "month_start"},
                "billing_period_end": {"of": "charge_period_start", "point": "next_month"},
            },
        }
    )
    with pytest.raises(ValueError, match="of billing_period_end, which has no column"):
        refuse_misfit(mapping, load_contract("cloud_bill"))


def test_the_settings_themselves_fit() -> None:
    refuse_misfit(_make(), load_contract("general_ledger"))


def test_own_mapping_is_called_as_its_file(tmp_path: Path) -> None:
    text = "mapping_id: other\ncontract: headcount\ndescription: x\ncolumns: {}\n"
    (tmp_path / "own.yml").write_text(text, "utf-8")
    with pytest.raises(ValueError, match=r"own\.yml: 'mapping_id' is 'other', not 'own'"):
        load_mapping("own", load_contract("headcount"), tmp_path)


def test_canonical_cannot_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "canonical.yml").write_text("mapping_id: canonical\n", "utf-8")
    with pytest.raises(ValueError, match="the name 'canonical' is taken"):
        load_mapping("canonical", load_contract("headcount"), tmp_path)
