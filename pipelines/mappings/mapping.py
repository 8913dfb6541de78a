"""Find and load mappings: how the columns of a delivery become the fields of its contract.

A mapping is data. Ready mappings lie beside this file as YAML; a workspace has its own in
`mappings/`, which come first. The mappings `canonical` and `canonical_jsonl` need no file: every
column has its field's name. The first is CSV in the contract's order (UTF-8, comma, ISO dates and
dot decimals), the second JSON lines in any order, as a query that names its columns so is pulled.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from pipelines.contracts.contract import Contract
from pipelines.mappings.fit import find_derived_period_field, find_row_key_field, refuse_misfit
from pipelines.mappings.setting_parts import (
    ClosedStates,
    DerivedTime,
    FileValue,
    GroupHeading,
    Join,
    LastState,
    NetOf,
    ReadColumn,
    RowCondition,
    SignFrom,
    SignMarks,
    Total,
    Unpivot,
    YearFrom,
)
from pipelines.mappings.settings import NUMBERED, Mapping

__all__ = [
    "CANONICAL",
    "CANONICAL_LINES",
    "DIRECTORY",
    "MADE_MAPPINGS",
    "NUMBERED",
    "ClosedStates",
    "DerivedTime",
    "FileValue",
    "GroupHeading",
    "Join",
    "LastState",
    "Mapping",
    "NetOf",
    "ReadColumn",
    "RowCondition",
    "SignFrom",
    "SignMarks",
    "Total",
    "Unpivot",
    "YearFrom",
    "find_derived_period_field",
    "find_row_key_field",
    "list_mapping_ids",
    "load_mapping",
    "refuse_misfit",
]

DIRECTORY = Path(__file__).parent
CANONICAL = "canonical"
CANONICAL_LINES = "canonical_jsonl"
MADE_MAPPINGS = (CANONICAL, CANONICAL_LINES)
"""Mappings that are made from the contract and have no file."""


def list_mapping_ids(directory: Path | None = None) -> tuple[str, ...]:
    """Ids of the ready mappings and of those in `directory`, those without a file first."""
    own = {path.stem for path in directory.glob("*.yml")} if directory else set()
    return (*MADE_MAPPINGS, *sorted({*_list_ready_ids(), *own} - {*MADE_MAPPINGS}))


def load_mapping(mapping_id: str, contract: Contract, directory: Path | None = None) -> Mapping:
    """The mapping of that id for `contract`, from `directory` first. Raises KeyError if unknown,
    ValueError if it cannot be read or does not fit the contract."""
    if mapping_id not in list_mapping_ids(directory):
        known = ", ".join(list_mapping_ids(directory))
        raise KeyError(f"no mapping '{mapping_id}'; known: {known}")
    own = directory / f"{mapping_id}.yml" if directory else None
    if own is not None and own.is_file():
        return _load_own(own, contract)
    return _load_ready(mapping_id, contract)


@cache
def _list_ready_ids() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in DIRECTORY.glob("*.yml")))


@cache
def _load_ready(mapping_id: str, contract: Contract) -> Mapping:
    if mapping_id in MADE_MAPPINGS:
        return _make_canonical(mapping_id, contract)
    text = (DIRECTORY / f"{mapping_id}.yml").read_text("utf-8")
    mapping = Mapping.model_validate(yaml.safe_load(text))
    refuse_misfit(mapping, contract)
    return mapping


def _load_own(path: Path, contract: Contract) -> Mapping:
    """A mapping of the workspace; its file may change while the program runs."""
    from pipelines.workspace.yaml_files import parse_yaml_model

    if path.stem in MADE_MAPPINGS:
        raise ValueError(f"{path.name}: the name '{path.stem}' is taken; give it another one")
    mapping, problems, _ = parse_yaml_model(path, Mapping, root=path.parent.parent)
    if mapping is None or problems:
        raise ValueError("; ".join(map(str, problems)))
    if mapping.mapping_id != path.stem:
        raise ValueError(f"{path.name}: 'mapping_id' is '{mapping.mapping_id}', not '{path.stem}'")
    refuse_misfit(mapping, contract)
    return mapping


def _make_canonical(mapping_id: str, contract: Contract) -> Mapping:
    is_csv = mapping_id == CANONICAL
    return Mapping(
        mapping_id=mapping_id,
        contract=contract.contract_id,
        description="Columns are named as the contract's fields.",
        format="csv" if is_csv else "jsonl",
        columns={field.name: field.name for field in contract.fields},
        optional_columns=tuple(f.name for f in contract.fields if not f.is_required),
        column_order="exact" if is_csv else "any",
    )
