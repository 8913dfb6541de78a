"""Check the thresholds of a source against its contract: the fields exist and are of a fit kind."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.contracts.contract import Contract, ContractField
from pipelines.workspace.check_settings import SourceChecks
from pipelines.workspace.yaml_files import Path_

NUMBERS = ("integer", "decimal")
TEXTS = ("code", "text", "currency", "period")


def check_thresholds(
    path: Path_, checks: SourceChecks, contract: Contract
) -> Iterator[tuple[Path_, str, str]]:
    """(path, message, remedy) for each field that is not there or is of another kind."""
    fields = {field.name: field for field in contract.fields}
    for place, name in _list_named_fields(path, checks):
        kind = place[len(path)]
        if name not in fields:
            message = f"contract {contract.contract_id} has no field '{name}'"
            yield place, message, f"Known: {', '.join(fields)}."
        elif wrong := _find_misfit(str(kind), fields[name]):
            yield place, f"'{name}' {wrong[0]}", wrong[1]


def _list_named_fields(path: Path_, checks: SourceChecks) -> Iterator[tuple[Path_, str]]:
    for name in checks.completeness.fields if checks.completeness else ():
        yield (*path, "completeness", "fields", name), name
    for kind in ("ranges", "allowed_values", "references"):
        for number, entry in enumerate(getattr(checks, kind)):
            yield (*path, kind, number, "field"), entry.field


def _find_misfit(kind: str, field: ContractField) -> tuple[str, str] | None:
    if kind == "completeness" and field.is_required:
        return "is required, so every record has it", "Name an optional field, or leave it out."
    if kind == "ranges" and field.type not in NUMBERS:
        return "is no number", "A range is for numbers; see 'allowed_values' for codes."
    if kind in ("allowed_values", "references") and field.type not in TEXTS:
        return "is no code", "This is for codes and texts; see 'ranges' for numbers."
    return None
