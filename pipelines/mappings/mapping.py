"""A mapping says how the columns of a delivery become the fields of its contract. It is data.

Ready mappings lie beside this file as YAML. The mapping `canonical` needs no file: every column
has its field's name, in the contract's order; the form is UTF-8, comma, ISO dates and dot decimals.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from pipelines.contracts.contract import Contract

DIRECTORY = Path(__file__).parent


class Mapping(BaseModel):
    """How one kind of delivery is read. Only the declared form is read, nothing is guessed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mapping_id: str
    contract: str
    description: str
    columns: dict[str, str]
    """Field of the contract -> column of the delivery. Optional fields may be left out."""
    optional_columns: tuple[str, ...] = ()
    """Columns of the mapping that a delivery may lack; its fields are then empty."""
    null_tokens: tuple[str, ...] = ()
    """Texts that mean 'no value', besides the empty text."""
    unknown_columns: Literal["refuse", "log"] = "refuse"
    """What happens to columns that the mapping does not name; the original bytes keep them."""
    column_order: Literal["exact", "any"] = "any"
    """Whether the columns must stand in the order of `columns`; they are read by name always."""

    @model_validator(mode="after")
    def columns_are_consistent(self) -> Mapping:
        columns = list(self.columns.values())
        for column in sorted({column for column in columns if columns.count(column) > 1}):
            raise ValueError(f"mapping '{self.mapping_id}': two fields read the column {column!r}")
        for column in self.optional_columns:
            if column not in columns:
                raise ValueError(
                    f"mapping '{self.mapping_id}': the optional column {column!r} is not mapped"
                )
        return self


@cache
def list_mapping_ids() -> tuple[str, ...]:
    """Ids of all ready mappings, `canonical` first."""
    return ("canonical", *sorted(path.stem for path in DIRECTORY.glob("*.yml")))


@cache
def load_mapping(mapping_id: str, contract: Contract) -> Mapping:
    """The mapping of that id for `contract`. Raises KeyError if unknown, ValueError if it does not
    fit the contract."""
    if mapping_id == "canonical":
        return _make_canonical(contract)
    if mapping_id not in list_mapping_ids():
        raise KeyError(f"no mapping '{mapping_id}'; known: {', '.join(list_mapping_ids())}")
    text = (DIRECTORY / f"{mapping_id}.yml").read_text("utf-8")
    mapping = Mapping.model_validate(yaml.safe_load(text))
    _refuse_misfit(mapping, contract)
    return mapping


def _make_canonical(contract: Contract) -> Mapping:
    return Mapping(
        mapping_id="canonical",
        contract=contract.contract_id,
        description="Columns are named as the contract's fields.",
        columns={field.name: field.name for field in contract.fields},
        optional_columns=tuple(f.name for f in contract.fields if not f.is_required),
        column_order="exact",
    )


def _refuse_misfit(mapping: Mapping, contract: Contract) -> None:
    if mapping.contract != contract.contract_id:
        raise ValueError(
            f"mapping '{mapping.mapping_id}' is for the contract '{mapping.contract}', "
            f"not for '{contract.contract_id}'"
        )
    names = {field.name for field in contract.fields}
    unknown = [name for name in mapping.columns if name not in names]
    if unknown:
        raise ValueError(
            f"mapping '{mapping.mapping_id}' names fields that the contract "
            f"'{contract.contract_id}' does not have: {', '.join(unknown)}"
        )
    required = [field.name for field in contract.fields if field.is_required]
    unmapped = [
        name
        for name in required
        if name not in mapping.columns or mapping.columns[name] in mapping.optional_columns
    ]
    if unmapped:
        raise ValueError(
            f"mapping '{mapping.mapping_id}' gives no column to the required fields "
            f"{', '.join(unmapped)} of the contract '{contract.contract_id}'"
        )
