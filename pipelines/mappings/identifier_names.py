"""The setting `identifiers`: which fields of a mapping hold names, of which codes are made.

Many exports name their accounts, entities, vendors, classes, services and units and give no code.
A code is made from a name by one rule (`pipelines/readers/name_codes.py`), so that the same name is
the same code in every file, and a name that must have another code gets it here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from pipelines.contracts.contract import Contract
    from pipelines.mappings.settings import Mapping

IDENTIFIERS = "identifiers"
NAMEABLE_FIELDS = frozenset(
    {
        *("account_id", "legal_entity_id", "cost_centre_id", "parent_cost_centre_id"),
        *("business_unit_id", "parent_business_unit_id", "vendor_id", "asset_class", "service_id"),
        *("offering_id", "product_id", "receiver_id", "sender_id", "tower_id", "team_id"),
        *("unit_code", "capacity_unit_code", "project_id", "application_id"),
    }
)
"""Fields that `identifiers: from_name` makes codes for: what several records and sources name."""
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}$")]


class CodesOfNames(BaseModel):
    """Codes made from names, but for some that are told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    codes: dict[str, Code]
    """Name -> its code, where the one that would be made is another name's already. Two names with
    one code here are one thing."""


NamesOfField = Literal["from_name"] | CodesOfNames
Identifiers = Literal["from_name"] | dict[str, NamesOfField]


def list_named_fields(mapping: Mapping, contract: Contract) -> dict[str, dict[str, str]]:
    """Field whose texts are names -> the codes that are told for some of them."""
    if isinstance(mapping.identifiers, str):
        given = dict(mapping.list_sources())
        return {
            item.name: {}
            for item in contract.fields
            if item.name in NAMEABLE_FIELDS
            and item.name in given
            and item.name not in mapping.constants
            and item.name not in mapping.value_maps
        }
    return {
        name: dict(item.codes) if isinstance(item, CodesOfNames) else {}
        for name, item in mapping.identifiers.items()
    }
