"""Find the ready mappings whose columns a file has: then nothing need be written."""

from __future__ import annotations

import yaml

from pipelines.mappings.file_head import FileHead
from pipelines.mappings.focus_version import name_focus_version
from pipelines.mappings.mapping import DIRECTORY, MADE_MAPPINGS, Mapping, list_mapping_ids


def find_ready_mappings(head: FileHead) -> tuple[str, ...]:
    """Ids of ready mappings that find their columns in the file. Of those of FOCUS cost and usage
    only that of the file's version."""
    version = name_focus_version(head.columns)
    own = f"focus_{version.replace('.', '_')}" if version else None
    found = []
    for mapping_id in list_mapping_ids():
        if mapping_id in MADE_MAPPINGS:
            continue
        text = (DIRECTORY / f"{mapping_id}.yml").read_text("utf-8")
        mapping = Mapping.model_validate(yaml.safe_load(text))
        is_other_version = (
            mapping.contract == "cloud_bill"
            and mapping_id.startswith("focus_")
            and mapping_id != own
        )
        if not is_other_version and _reads(mapping, head):
            found.append(mapping_id)
    return tuple(found)


def _reads(mapping: Mapping, head: FileHead) -> bool:
    form = (mapping.format, mapping.compression, mapping.delimiter)
    if form != ("csv", head.compression, head.delimiter):
        return False
    if mapping.unpivot is not None:
        # Its columns are values; the few fixed ones, such as a date, would fit many a file.
        return False
    needed = [mapping.column_names(n) for n in mapping.columns if not mapping.is_field_optional(n)]
    needed += mapping.other_columns()
    return all(sum(column in head.columns for column in names) == 1 for names in needed)
