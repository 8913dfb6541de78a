"""Read a list of business units: a name, cost centres, and heads where they are known.

Assumes delimited text with a header. A row is a business unit or one of its cost centres; a cell
may hold several cost centres. Without a column of cost centres a business unit is its own.
Guarantees that no cost centre belongs to two units, and that heads are given for all of them or for
none: half a driver would charge those that are listed for those that are not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from pipelines.errors import UsageError
from pipelines.mappings.column_hints import compare_names, normalise_name
from pipelines.mappings.file_head import LOOKED_AT_RECORDS, FileHead, read_head
from pipelines.mappings.infer import LEAST_NAME_LIKENESS
from pipelines.readers.name_codes import make_codes

UNIT_NAMES = ("business unit", "business units", "unit", "name", "division", "bereich")
CENTRE_NAMES = ("cost centres", "cost centers", "kostenstellen")
HEAD_NAMES = ("heads", "people", "staff", "koepfe")
SEPARATORS = re.compile(r"[;,|\s]+")
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}")
HEADS = re.compile(r"\d{1,9}([.,]\d{1,2})?")


@dataclass(frozen=True)
class BusinessUnit:
    """One business unit as the list has it."""

    unit_id: str
    name: str
    cost_centres: tuple[str, ...]
    heads: Decimal | None


class UnitListError(UsageError):
    """The list of business units cannot be used as it is."""

    def __init__(self, name: str, message: str, expected: str, found: str) -> None:
        super().__init__(
            f"{name}: {message}; expected {expected}, found {found}. "
            "Correct the list and try again."
        )


def read_unit_list(path: Path) -> list[BusinessUnit]:
    """The business units in the order of the list. Raises UnitListError, or HeadNotReadError where
    the file is no table."""
    head = read_head(path)
    if not head.is_whole:
        expected = f"fewer than {LOOKED_AT_RECORDS} records"
        raise UnitListError(head.name, "is too long", expected, "as many or more")
    name = _find_column(head, "business_unit_name", UNIT_NAMES)
    if name is None:
        expected = "a column such as 'Business unit'"
        raise UnitListError(head.name, "names no business unit", expected, ", ".join(head.columns))
    centre = _find_column(head, "cost_centre_id", CENTRE_NAMES, name)
    heads = _find_column(head, "headcount_quantity", HEAD_NAMES, name, centre)
    units = _merge_rows(head, name, centre, heads)
    _refuse_shared_centres(head, units)
    given = [unit for unit in units if unit.heads is not None]
    if given and len(given) < len(units):
        without = next(unit.name for unit in units if unit.heads is None)
        expected = "heads for every business unit, or no such column"
        raise UnitListError(head.name, "lacks heads", expected, f"none for '{without}'")
    if given and not sum(unit.heads or 0 for unit in given):
        raise UnitListError(head.name, "has no heads at all", "a number above zero", "only zeros")
    return units


def make_code(text: str) -> str:
    """A name as an identifier, as landing makes it where names are identifiers."""
    return make_codes([text])[0] or ""


def _find_column(
    head: FileHead, field: str, names: Sequence[str], *taken: str | None
) -> str | None:
    """The column whose name is likest to the field's or to one of `names`."""
    rated = []
    for column in head.columns:
        if column in taken:
            continue
        contract = "headcount" if field == "headcount_quantity" else "cost_centres"
        likeness = compare_names(field, column, contract)[0]
        if normalise_name(column) in names:
            likeness = max(likeness, 1 - names.index(normalise_name(column)) / 100)
        rated.append((likeness, column))
    best = max(rated, key=lambda item: item[0], default=(0.0, ""))
    return best[1] if best[0] >= LEAST_NAME_LIKENESS else None


def _merge_rows(
    head: FileHead, name: str, centre: str | None, heads: str | None
) -> list[BusinessUnit]:
    """Rows of one business unit are one: its cost centres together, its heads summed."""
    units: dict[str, BusinessUnit] = {}
    for number, record in enumerate(head.records, start=1):
        texts = dict(zip(head.columns, (cell.strip() for cell in record), strict=True))
        unit_id = make_code(texts[name])
        if not unit_id:
            expected = "a name of letters or digits"
            raise UnitListError(head.name, f"record {number}", expected, repr(texts[name]))
        centres = _split_centres(head, number, texts[centre] if centre else unit_id)
        count = _read_heads(head, number, texts[heads]) if heads else None
        known = units.get(unit_id)
        if known is not None:
            if (known.heads is None) != (count is None):
                count = None
            centres = (*known.cost_centres, *(c for c in centres if c not in known.cost_centres))
            count = None if count is None or known.heads is None else known.heads + count
        units[unit_id] = BusinessUnit(unit_id, texts[name], centres, count)
    return list(units.values())


def _split_centres(head: FileHead, number: int, text: str) -> tuple[str, ...]:
    centres = tuple(dict.fromkeys(part for part in SEPARATORS.split(text) if part))
    for item in centres:
        if not CODE.fullmatch(item):
            raise UnitListError(head.name, f"record {number}", "a cost centre", repr(item))
    if not centres:
        raise UnitListError(head.name, f"record {number}", "a cost centre", "nothing")
    return centres


def _read_heads(head: FileHead, number: int, text: str) -> Decimal | None:
    if not text:
        return None
    # 1,200 may be one thing or the other, so three decimals are not read.
    if not HEADS.fullmatch(text):
        expected = "heads such as 1200 or 37.5"
        raise UnitListError(head.name, f"record {number}", expected, repr(text))
    return Decimal(text.replace(",", "."))


def _refuse_shared_centres(head: FileHead, units: Sequence[BusinessUnit]) -> None:
    owners: dict[str, str] = {}
    for unit in units:
        for centre in unit.cost_centres:
            owner = owners.setdefault(centre, unit.name)
            if owner != unit.name:
                raise UnitListError(
                    head.name,
                    f"gives the cost centre {centre} to two business units",
                    "one business unit for each cost centre",
                    f"'{owner}' and '{unit.name}'",
                )
