"""Every key of a mapping is in docs/reference/mappings.md, and its example can be read."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from pydantic import BaseModel

from pipelines.contracts.contract import load_contract
from pipelines.mappings.mapping import (
    ClosedStates,
    DerivedTime,
    FileValue,
    GroupHeading,
    Join,
    LastState,
    Mapping,
    NetOf,
    RowCondition,
    SignFrom,
    SignMarks,
    Total,
    Unpivot,
    YearFrom,
    load_mapping,
)
from pipelines.mappings.setting_parts import Case, ListObject, ListText

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "mappings.md"


def _documented() -> dict[str, str]:
    rows = re.findall(r"^\| `([a-z_.]+)` \| ([^|]+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(dict(rows)) == len(rows)
    return dict(rows)


def _defaults(model: type[BaseModel], prefix: str = "") -> dict[str, str]:
    found = {}
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        shown = f"`{str(default).lower() if isinstance(default, bool) else default}`"
        if field.is_required():
            shown = "required"
        elif default is None:
            shown = "none"
        elif default == "":
            shown = "the empty text"
        elif default in ((), {}):
            shown = "empty"
        elif isinstance(default, BaseModel):
            shown = "see below"
        elif isinstance(default, tuple):
            shown = ", ".join(f"`{item}`" for item in default)
        found[f"{prefix}{name}"] = shown
    return found


def test_every_key_is_documented_with_its_default() -> None:
    keys = _defaults(Mapping)
    keys |= _defaults(Unpivot, "unpivot.") | _defaults(LastState, "last_state_of.")
    keys |= _defaults(ClosedStates, "last_state_of.closed.")
    keys |= _defaults(Join, "join.") | _defaults(NetOf, "net_of.")
    keys |= _defaults(Case, "cases.") | _defaults(ListObject, "object_of_list.")
    keys |= _defaults(ListText, "append_list.")
    keys |= _defaults(SignFrom, "sign_from.") | _defaults(DerivedTime, "derived_times.")
    keys |= _defaults(FileValue, "file_values.") | _defaults(YearFrom, "year_from.")
    keys |= _defaults(SignMarks, "sign_marks.")
    keys |= _defaults(GroupHeading, "group_headings.") | _defaults(Total, "totals.")
    keys |= _defaults(RowCondition, "keep_rows.")
    assert _documented() == keys


def test_the_example_is_a_mapping(tmp_path: Path) -> None:
    found = re.search(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found is not None
    name = yaml.safe_load(found[1])["mapping_id"]
    (tmp_path / f"{name}.yml").write_text(found[1], "utf-8")
    mapping = load_mapping(name, load_contract("general_ledger"), tmp_path)
    assert mapping.column_names("account_id") == ("Konto", "Sachkonto")
