"""Find the ready mappings whose columns a file has: then nothing need be written."""

from __future__ import annotations

import codecs
import re
from functools import cache
from typing import Any

import yaml

from pipelines.contracts.contract import load_contract
from pipelines.mappings.file_head import FileHead
from pipelines.mappings.focus_version import name_focus_version
from pipelines.mappings.mapping import DIRECTORY, MADE_MAPPINGS, Mapping, list_mapping_ids

TRIED_RECORDS = 200
MOST_PROBLEMS = 0.05
"""Share of the records that a ready mapping may not read, for it to be proposed as it is."""


def find_ready_mappings(head: FileHead) -> tuple[str, ...]:
    """Ids of ready mappings that find their columns in the file. Of those of FOCUS cost and usage
    only that of the file's version."""
    version = name_focus_version(head.columns)
    own = f"focus_{version.replace('.', '_')}" if version else None
    found = []
    for mapping_id in list_mapping_ids():
        if mapping_id in MADE_MAPPINGS:
            continue
        mapping = load_ready(mapping_id)
        is_other_version = (
            mapping.contract == "cloud_bill"
            and mapping_id.startswith("focus_")
            and mapping_id != own
        )
        if not is_other_version and _reads(mapping, head):
            found.append(mapping_id)
    return tuple(found)


def adopt_ready(
    ready: tuple[str, ...], head: FileHead, contract_id: str | None
) -> tuple[str, str, dict[str, Any]] | None:
    """(id, contract, settings) of the only ready mapping that reads nearly all of the records, or
    of the plain one among variants of one form; None where there is none or several would do."""
    fitting = []
    for mapping_id in ready:
        mapping = load_ready(mapping_id)
        if contract_id not in (None, mapping.contract) or not _has_form(mapping, head):
            continue
        if _reads_records(mapping, head):
            fitting.append((mapping_id, mapping.contract, _read_settings(mapping_id)))
    # Variants of one form have its name in front of theirs: `azure_ea`, `azure_ea_amortized`.
    plain = [one for one in fitting if all(other[0].startswith(one[0]) for other in fitting)]
    return plain[0] if plain else None


def _has_form(mapping: Mapping, head: FileHead) -> bool:
    """Whether the text begins and ends as the mapping says, in its encoding."""
    if mapping.format != "csv":
        return True
    lines = (mapping.header_row, mapping.header_rows, mapping.footer_rows)
    is_same = codecs.lookup(mapping.encoding).name == codecs.lookup(head.encoding).name
    return lines == (head.header_row, head.header_rows, head.footer_rows) and (
        is_same or head.is_ascii
    )


def _reads_records(mapping: Mapping, head: FileHead) -> bool:
    from pipelines.mappings.preview import read_head_records

    if mapping.unpivot is not None:
        return True
    records = head.records[:: max(1, len(head.records) // TRIED_RECORDS)]
    read = read_head_records(head, load_contract(mapping.contract), mapping, records)
    return sum(bool(problems) for _, problems in read) <= MOST_PROBLEMS * len(read)


@cache
def load_ready(mapping_id: str) -> Mapping:
    """A ready mapping."""
    return Mapping.model_validate(_read_settings(mapping_id))


def _read_settings(mapping_id: str) -> dict[str, Any]:
    text = (DIRECTORY / f"{mapping_id}.yml").read_text("utf-8")
    settings: dict[str, Any] = yaml.safe_load(text)
    return settings


def _reads(mapping: Mapping, head: FileHead) -> bool:
    if mapping.format != head.format or head.other_forms:
        return False
    form = (mapping.compression, mapping.delimiter)
    if mapping.format == "csv" and form != (head.compression, head.delimiter):
        return False
    if mapping.unpivot is not None:
        return _reads_wide(mapping, head)
    if mapping.format == "json" and mapping.records_at != head.records_at:
        return False
    needed = [mapping.column_names(n) for n in mapping.columns if not mapping.is_field_optional(n)]
    needed += mapping.other_columns()
    return all(sum(column in head.columns for column in names) == 1 for names in needed)


def _reads_wide(mapping: Mapping, head: FileHead) -> bool:
    """Its columns are values: the few fixed ones, such as a date, would fit many a file, so the
    names of all others must be what the mapping makes of them."""
    from pipelines.landing.field_checks import PATTERNS

    unpivot = mapping.unpivot
    if unpivot is None or not set(unpivot.id_columns) <= set(head.columns):
        return False
    contract = load_contract(mapping.contract)
    named = [
        contract.field(name)
        for name in mapping.columns
        if unpivot.name_column in mapping.column_names(name)
    ]
    fixed = {*unpivot.id_columns, *unpivot.skip_columns}
    others = [column for column in head.columns if column not in fixed]
    return bool(others) and all(
        re.fullmatch(PATTERNS[item.type][0], column) for item in named for column in others
    )
