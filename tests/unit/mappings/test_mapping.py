"""Ready mappings fit their contracts, and a mapping that does not is refused."""

from __future__ import annotations

import pytest
import yaml
from pydantic import ValidationError

from pipelines.contracts.contract import list_contract_ids, load_contract
from pipelines.mappings.mapping import (
    DIRECTORY,
    MADE_MAPPINGS,
    Mapping,
    find_derived_period_field,
    find_row_key_field,
    list_mapping_ids,
    load_mapping,
    refuse_misfit,
)


@pytest.mark.parametrize(
    "mapping_id", [item for item in list_mapping_ids() if item not in MADE_MAPPINGS]
)
def test_ready_mapping_gives_every_required_field_a_column(mapping_id: str) -> None:
    text = (DIRECTORY / f"{mapping_id}.yml").read_text("utf-8")
    contract = load_contract(yaml.safe_load(text)["contract"])
    mapping = load_mapping(mapping_id, contract)
    assert mapping.mapping_id == mapping_id
    derived = {find_row_key_field(mapping, contract), find_derived_period_field(mapping, contract)}
    for field in contract.fields:
        if field.is_required and field.name not in derived:
            is_given = field.name in dict(mapping.list_sources())
            may_lack = field.name in mapping.columns and mapping.is_field_optional(field.name)
            given = is_given and not may_lack
            assert given or field.name in {*mapping.constants, *mapping.derived_times}


@pytest.mark.parametrize("contract_id", list_contract_ids())
def test_canonical_is_the_contract_in_its_order(contract_id: str) -> None:
    contract = load_contract(contract_id)
    mapping = load_mapping("canonical", contract)
    assert list(mapping.columns.items()) == [(f.name, f.name) for f in contract.fields]
    assert mapping.column_order == "exact"
    assert set(mapping.optional_columns) == {f.name for f in contract.fields if not f.is_required}


@pytest.mark.parametrize("contract_id", list_contract_ids())
def test_canonical_lines_have_the_same_columns_in_any_order(contract_id: str) -> None:
    contract = load_contract(contract_id)
    mapping = load_mapping("canonical_jsonl", contract)
    assert mapping.columns == load_mapping("canonical", contract).columns
    assert (mapping.format, mapping.column_order) == ("jsonl", "any")


def test_unknown_mapping_names_the_known_ones() -> None:
    with pytest.raises(KeyError, match=r"no mapping 'focus_9'; known: canonical, .*, focus_1_0, "):
        load_mapping("focus_9", load_contract("cloud_bill"))


def test_mapping_id_is_no_path() -> None:
    with pytest.raises(KeyError, match="no mapping"):
        load_mapping("../contracts/kinds/assets", load_contract("assets"))


def test_mapping_of_another_contract_is_refused() -> None:
    with pytest.raises(ValueError, match="is for the contract 'cloud_bill', not for 'assets'"):
        load_mapping("focus_1_2", load_contract("assets"))


def _mapping(columns: dict[str, str], optional: tuple[str, ...] = ()) -> Mapping:
    return Mapping(
        mapping_id="own",
        contract="headcount",
        description="",
        columns=columns,
        optional_columns=optional,
    )


def test_field_that_the_contract_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match="does not have: shoe_size"):
        refuse_misfit(_mapping({"shoe_size": "Size"}), load_contract("headcount"))


def test_required_field_without_a_column_is_refused() -> None:
    fields = [field.name for field in load_contract("headcount").fields]
    columns = {name: name.upper() for name in fields[1:]}
    with pytest.raises(ValueError, match=f"no column to the required fields {fields[0]}"):
        refuse_misfit(_mapping(columns), load_contract("headcount"))


def test_required_field_on_an_optional_column_is_refused() -> None:
    columns = {field.name: field.name for field in load_contract("headcount").fields}
    first = next(iter(columns))
    with pytest.raises(ValueError, match=f"no column to the required fields {first}"):
        refuse_misfit(_mapping(columns, (first,)), load_contract("headcount"))


def test_optional_column_that_is_not_mapped_is_refused() -> None:
    with pytest.raises(ValidationError, match="the optional column 'B' is not mapped"):
        _mapping({"period_id": "A"}, ("B",))
