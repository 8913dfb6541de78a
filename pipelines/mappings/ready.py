"""Find the ready mappings whose columns a file has: then nothing need be written."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import Any

import yaml
from pydantic import ValidationError

from pipelines.contracts.contract import load_contract
from pipelines.mappings.file_head import FileHead
from pipelines.mappings.focus_version import name_focus_version
from pipelines.mappings.mapping import DIRECTORY, MADE_MAPPINGS, Mapping, list_mapping_ids
from pipelines.mappings.preview import read_head_records
from pipelines.mappings.setting_checks import FITTING_FORMATS

TRIED_RECORDS = 200
Fitting = tuple[str, str, dict[str, Any]]
"""Id, contract and settings of a mapping."""
ROUNDED_TO = 12
FORM_SETTINGS = (
    "compression", "encoding", "delimiter", "header_row", "header_rows", "footer_rows", "sheet",
    "records_at",
)  # fmt: skip
"""What a head says of the form of a file, beside its format."""
MOST_PROBLEMS = 0.05
"""Share of the records that a ready mapping may not read, for it to be proposed as it is."""


def find_ready_mappings(head: FileHead) -> tuple[str, ...]:
    """Ids of ready mappings that find their columns in the file. Of those of FOCUS cost and usage
    only that of the file's version."""
    version = name_focus_version(head.columns)
    found = []
    for mapping_id in list_mapping_ids():
        if mapping_id in MADE_MAPPINGS or _is_other_version(mapping_id, version):
            continue
        if _reads(load_ready(mapping_id), head):
            found.append(mapping_id)
    return tuple(found)


def adopt_ready(ready: tuple[str, ...], head: FileHead, contract_id: str | None) -> Fitting | None:
    """(id, contract, settings) of the only ready mapping that reads nearly all of the records, or
    of the plain one among variants of one form; None where there is none or several would do."""
    fitting = []
    for mapping_id in ready:
        mapping = load_ready(mapping_id)
        if contract_id not in (None, mapping.contract) or not _has_form(mapping, head):
            continue
        if _reads_records(mapping, head):
            fitting.append((mapping_id, mapping.contract, _read_settings(mapping_id)))
    return _choose(fitting, head)


def _choose(fitting: list[Fitting], head: FileHead) -> Fitting | None:
    """The plain one among variants of one form, or the variant that has an amount where the plain
    one leaves it open: the amortized cost of a commitment is no line of the actual cost."""
    fitting = _keep_fullest(fitting, head)
    # Variants of one form have its name in front of theirs: `azure_ea`, `azure_ea_amortized`.
    plain = [one for one in fitting if all(other[0].startswith(one[0]) for other in fitting)]
    if not plain:
        return None
    fuller = [one for one in fitting if one is not plain[0] and _fills_more(one, plain[0], head)]
    return fuller[0] if len(fuller) == 1 else plain[0]


def _fills_more(variant: Fitting, plain: Fitting, head: FileHead) -> bool:
    contract = load_contract(plain[1])
    decimals = [item.name for item in contract.fields if item.type == "decimal"]
    filled, open_ = (
        [
            values
            for values, _ in read_head_records(
                head, contract, Mapping.model_validate(one[2]), _sample(head)
            )
        ]
        for one in (variant, plain)
    )
    return any(
        other[name] is None and own[name] is not None and Decimal(own[name] or 0) != 0
        for own, other in zip(filled, open_, strict=True)
        for name in decimals
    )


def _sample(head: FileHead) -> Sequence[tuple[str, ...]]:
    return head.records[:: max(1, len(head.records) // TRIED_RECORDS)]


def _keep_fullest(fitting: list[Fitting], head: FileHead) -> list[Fitting]:
    """Of several mappings those that read most of the columns: a newer form of a file has more."""
    read = {
        one[0]: sum(map(Mapping.model_validate(one[2]).reads_column, head.columns))
        for one in fitting
    }
    return [one for one in fitting if read[one[0]] == max(read.values())]


def adapt_ready(head: FileHead, contract_id: str | None) -> Fitting | None:
    """(id, contract, settings) of the ready mapping that reads nearly all of the records once it
    says the format of the file instead of its own; None where none or several would do."""
    version = name_focus_version(head.columns)
    fitting = []
    for mapping_id in list_mapping_ids():
        if mapping_id in MADE_MAPPINGS or _is_other_version(mapping_id, version):
            continue
        ready = load_ready(mapping_id)
        if ready.unpivot is not None or contract_id not in (None, ready.contract):
            continue
        settings = _adapt_settings(_read_settings(mapping_id), head)
        try:
            mapping = Mapping.model_validate(settings)
        except ValidationError:
            continue
        if _reads(mapping, head) and _reads_records(mapping, head):
            fitting.append((mapping_id, mapping.contract, settings))
    return _choose(fitting, head)


def _adapt_settings(settings: dict[str, Any], head: FileHead) -> dict[str, Any]:
    """The settings with the form of the file. Binary floats are rounded, as exponents of texts are
    written out and long decimals rounded."""
    kept = {
        name: value
        for name, value in settings.items()
        if head.format in FITTING_FORMATS.get(name, (head.format,)) and name not in FORM_SETTINGS
    }
    form = {name: getattr(head, name) for name in FORM_SETTINGS}
    named = {"format": head.format} | {
        name: value
        for name, value in form.items()
        if value is not None
        and value != Mapping.model_fields[name].default
        and head.format in FITTING_FORMATS.get(name, (head.format,))
    }
    contract = load_contract(settings["contract"])
    decimals = [
        item.name
        for item in contract.fields
        if item.type == "decimal" and item.name in {**settings["columns"], **kept.get("cases", {})}
    ]
    if head.format == "parquet":
        ready = Mapping.model_validate(settings)
        floats = [n for n in decimals if set(_list_columns(ready, n)) & set(head.floats)]
        named |= {"allow_float": dict.fromkeys(floats, ROUNDED_TO)} if floats else {}
    else:
        named |= {"round_to": dict.fromkeys(decimals, ROUNDED_TO), "allow_scientific": decimals}
    return {**kept, **named}


def _list_columns(mapping: Mapping, field: str) -> tuple[str, ...]:
    """The columns that a field is made of, those of its cases too."""
    cases = mapping.cases.get(field, ())
    return (*mapping.column_names(field), *(c for case in cases for c in case.number_columns()))


def _is_other_version(mapping_id: str, version: str | None) -> bool:
    """Whether a mapping is of FOCUS cost and usage in another version than the file's."""
    own = f"focus_{version.replace('.', '_')}" if version else None
    is_focus = mapping_id.startswith("focus_") and load_ready(mapping_id).contract == "cloud_bill"
    return is_focus and mapping_id != own


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
    if mapping.unpivot is not None:
        return True
    read = read_head_records(head, load_contract(mapping.contract), mapping, _sample(head))
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
