"""A mapping says how the columns of a delivery become the fields of its contract. It is data.

Ready mappings lie beside this file as YAML. The mapping `canonical` needs no file: every column
has its field's name, the form is UTF-8, comma, ISO dates and dot decimals.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

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


@cache
def list_mapping_ids() -> tuple[str, ...]:
    """Ids of all ready mappings, `canonical` first."""
    return ("canonical", *sorted(path.stem for path in DIRECTORY.glob("*.yml")))


def load_mapping(mapping_id: str, contract: Contract) -> Mapping:
    """The mapping of that id for `contract`. Raises KeyError if unknown, ValueError if it is for
    another contract."""
    if mapping_id == "canonical":
        names = {field.name: field.name for field in contract.fields}
        optional = tuple(field.name for field in contract.fields if not field.is_required)
        return Mapping(
            mapping_id="canonical",
            contract=contract.contract_id,
            description="Columns are named as the contract's fields.",
            columns=names,
            optional_columns=optional,
        )
    path = DIRECTORY / f"{mapping_id}.yml"
    if not path.is_file():
        raise KeyError(f"no mapping '{mapping_id}'; known: {', '.join(list_mapping_ids())}")
    mapping = Mapping.model_validate(yaml.safe_load(path.read_text("utf-8")))
    if mapping.contract != contract.contract_id:
        raise ValueError(
            f"mapping '{mapping_id}' is for the contract '{mapping.contract}', "
            f"not for '{contract.contract_id}'"
        )
    for name in mapping.columns:
        contract.field(name)
    return mapping
