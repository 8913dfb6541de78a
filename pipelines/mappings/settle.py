"""Turn guesses into the settings of a mapping, and say what is left for a person to decide."""

from __future__ import annotations

import re
from typing import Any

from pipelines.contracts.contract import Contract
from pipelines.mappings.file_head import FileHead
from pipelines.mappings.infer import Guess, Match, map_value
from pipelines.mappings.value_shapes import (
    ENGINE_DECIMALS,
    ColumnShape,
    DateShape,
    NumberShape,
)

CENTURY = 20
NAMED_CODE = re.compile("([A-Za-z0-9][A-Za-z0-9._:/@-]*) +[\u00b7\u2013|:-] +.+")
"""An identifier, a mark between spaces, and its name."""


class _Draft:
    """Settings and decisions as they come together."""

    def __init__(self) -> None:
        self.settings: dict[str, Any] = {}
        self.decisions: list[str] = []

    def decide(self, sentence: str) -> None:
        self.decisions.append(sentence)


def settle_mapping(
    head: FileHead,
    match: Match,
    shapes: dict[str, ColumnShape],
    null_tokens: tuple[str, ...],
    stem: str,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """(settings of the mapping, decisions). Settings that are the default are left out."""
    draft = _Draft()
    mapping_id = re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_") or "own"
    draft.settings = {
        "mapping_id": mapping_id,
        "contract": match.contract.contract_id,
        "description": f"Proposed from the head of {head.name}.",
    }
    _settle_file(draft, head)
    draft.settings["unknown_columns"] = "log"
    if null_tokens:
        draft.settings["null_tokens"] = list(null_tokens)
    by_field = {guess.field: guess for guess in match.guesses}
    _settle_numbers(draft, match.contract, by_field, shapes)
    _settle_dates(draft, match.contract, by_field, shapes)
    draft.settings["columns"] = {g.field: g.column for g in match.guesses if not g.credit}
    _settle_amount(draft, match)
    _settle_codes(draft, match.contract, by_field, shapes)
    _settle_derived(draft, match)
    _settle_key(draft, head, match, by_field)
    _settle_values(draft, match.contract, by_field, shapes)
    return draft.settings, tuple(draft.decisions)


def _settle_file(draft: _Draft, head: FileHead) -> None:
    defaults = {"compression": "none", "encoding": "utf-8", "delimiter": ",", "header_row": 1}
    defaults["footer_rows"] = 0
    for name, default in defaults.items():
        value = getattr(head, name)
        if value != default:
            draft.settings[name] = value
    if head.footer_rows:
        draft.decide(
            f"footer_rows: the last {head.footer_rows} of the file look like a total; with "
            "footer_pattern a file without one is refused as cut off"
        )
    if not head.encoding_is_sure:
        draft.decide(
            f"encoding: the bytes are not UTF-8; {head.encoding} fits, others may too; look at "
            "letters with accents in the preview"
        )


def _settle_numbers(
    draft: _Draft, contract: Contract, by_field: dict[str, Guess], shapes: dict[str, ColumnShape]
) -> None:
    by_number: list[tuple[str, NumberShape]] = [
        (item.name, shape)
        for item in contract.fields
        if item.type == "decimal" and item.name in by_field
        for column in by_field[item.name].columns
        if (shape := shapes[column].number) is not None
    ]
    numbers = [shape for _, shape in by_number]
    _settle_precision(draft, contract, by_number)
    marks = frozenset[str]().union(*(n.decimal_marks for n in numbers))
    thousands = frozenset[str]().union(*(n.thousands_marks for n in numbers))
    if not marks and len(thousands & {".", ","}) == 1:
        # A mark that stands in one number twice groups its digits; the decimals have the other.
        marks = frozenset(".,") - thousands
    open_examples = [text for n in numbers for text in n.open_examples]
    if len(marks) > 1:
        draft.decide("decimal_mark: '.' and ',' both stand before decimals; ask the sender")
    elif not marks and open_examples:
        draft.decide(
            f"decimal_mark: '.' or ','; {open_examples[0]} can be read both ways, and no number "
            "of the head tells"
        )
    elif marks == {","}:
        draft.settings["decimal_mark"] = ","
    if len(marks) == 1:
        thousands |= {mark for text in open_examples for mark in ".,"
                      if mark in text and mark not in marks}  # fmt: skip
    thousands -= marks
    if len(thousands) == 1:
        draft.settings["thousands_mark"] = next(iter(thousands))
    elif thousands and len(marks) == 1:
        draft.decide(f"thousands_mark: several are used: {', '.join(map(repr, sorted(thousands)))}")
    forms = frozenset[str]().union(*(n.negative_forms for n in numbers))
    if len(forms) > 1:
        draft.decide(f"negative_form: several are used: {', '.join(sorted(forms))}")
    elif forms - {"leading"}:
        draft.settings["negative_form"] = next(iter(forms))


def _settle_precision(
    draft: _Draft, contract: Contract, numbers: list[tuple[str, NumberShape]]
) -> None:
    """Exponents are written out exactly; rounding changes a figure: a person must allow it."""
    if names := [name for name, shape in numbers if shape.has_exponents]:
        draft.settings["allow_scientific"] = list(dict.fromkeys(names))
    long = [n for n, s in numbers if s.has_many_decimals and not contract.field(n).is_rounded]
    if long:
        draft.settings["round_to"] = dict.fromkeys(long, ENGINE_DECIMALS)
        draft.decide(
            f"round_to: {', '.join(dict.fromkeys(long))} comes with more than {ENGINE_DECIMALS} "
            "decimals; without rounding such records are quarantined"
        )


def _settle_amount(draft: _Draft, match: Match) -> None:
    """Debit and credit, or the column that says the sign."""
    for guess in match.guesses:
        if guess.credit:
            sides = {"debit": guess.column, "credit": guess.credit}
            draft.settings["net_of"] = {guess.field: sides}
            draft.decide(
                f"net_of: {guess.field} is {guess.column} minus {guess.credit}; check that "
                "cost stands in the first"
            )
    name, sign = match.contract.amount_field, match.sign
    if name is not None and sign is not None:
        draft.settings["sign_from"] = {
            name: {
                "column": sign.column,
                "negative": [sign.negative],
                "positive": [sign.positive],
            }
        }
        draft.decide(
            f"sign_from: {sign.negative!r} in {sign.column!r} makes {name} negative; check that "
            "it stands for a credit"
        )


def _settle_codes(
    draft: _Draft, contract: Contract, by_field: dict[str, Guess], shapes: dict[str, ColumnShape]
) -> None:
    """A code with its name behind it, such as '6400 - Software', gives the code."""
    for item in contract.fields:
        if item.type != "code" or item.allowed_values or item.name not in by_field:
            continue
        texts = shapes[by_field[item.name].column].distinct
        if texts and all(NAMED_CODE.fullmatch(text) for text in texts):
            draft.settings.setdefault("extract", {})[item.name] = NAMED_CODE.pattern
            draft.decide(f"extract.{item.name}: of {texts[0]!r} the part before the mark is read")


def _settle_dates(
    draft: _Draft, contract: Contract, by_field: dict[str, Guess], shapes: dict[str, ColumnShape]
) -> None:
    dates: list[tuple[str, str, DateShape]] = [
        (item.name, item.type, shape)
        for item in contract.fields
        if item.type in ("date", "timestamp") and item.name in by_field
        if (shape := shapes[by_field[item.name].column].date) is not None
    ]
    if not dates:
        return
    short = [name for name, _, shape in dates if shape.has_short_year]
    if len(short) == len(dates):
        draft.settings["century"] = CENTURY
        draft.decide(f"century: the years of {short[0]} have two digits; 20 is put before them")
    elif short:
        draft.decide(f"{short[0]}: its years have two digits, others four; ask the sender")
    # One system writes all of its dates in one order: a sure one settles the others.
    orders = frozenset({"ymd", "dmy", "mdy"}).intersection(*(shape.orders for _, _, shape in dates))
    examples = {name: shapes[by_field[name].column].distinct[0] for name, _, _ in dates}
    first = dates[0][0]
    if not orders:
        draft.decide(f"date_order: the dates contradict each other, such as {examples[first]}")
        return
    if len(orders) > 1:
        draft.decide(
            f"date_order: day or month first; {examples[first]} and all other dates of the head "
            "can be read both ways"
        )
        return
    order = next(iter(orders))
    days = [shape for _, kind, shape in dates if kind == "date"]
    if days and (order, days[0].separator) != ("ymd", "-"):
        draft.settings["date_order"] = order
        draft.settings["date_separator"] = days[0].separator
    for name, kind, shape in dates:
        if kind == "date" and shape.has_time:
            draft.decide(f"{name}: it holds times such as {examples[name]}, the field holds days")
    formats = [_time_format(order, s) for _, kind, s in dates if kind == "timestamp"]
    if named := list(dict.fromkeys(item for item in formats if item)):
        # Beside a declared form the ISO one must be declared too.
        named += [s.iso_format for _, kind, s in dates if kind == "timestamp" and s.iso_format]
        draft.settings["timestamp_formats"] = list(dict.fromkeys(named))
    zones = [s for _, kind, s in dates if kind == "timestamp" and order != "ymd"]
    if zones:
        draft.decide("time_zone: the times name no zone and are read as UTC; name it if it differs")


def _time_format(order: str, shape: DateShape) -> str | None:
    if order == "ymd":
        return shape.time_format
    mark, year = shape.separator, "%y" if shape.has_short_year else "%Y"
    day = {"dmy": f"%d{mark}%m{mark}{year}", "mdy": f"%m{mark}%d{mark}{year}"}[order]
    return day + (shape.time_format or "")


def _settle_key(draft: _Draft, head: FileHead, match: Match, by_field: dict[str, Guess]) -> None:
    """A key that repeats itself refuses the file, unless it is a log whose last event counts."""
    key = match.contract.key
    if not key or any(name not in by_field for name in key):
        return
    keys = list(zip(*(head.column(by_field[name].column) for name in key), strict=True))
    repeated = next((item for item in keys if keys.count(item) > 1), None)
    if repeated is not None:
        draft.decide(
            f"last_state_of: {' + '.join(key)} {'/'.join(repeated)} occurs more than once; if this "
            "is a log of events, name the key and the column in whose order they happened"
        )


def _settle_derived(draft: _Draft, match: Match) -> None:
    contract = match.contract
    if match.period_from:
        draft.settings["period_from"] = match.period_from
        draft.decide(
            f"period_from: no column holds {contract.period_field}, so it is the month of "
            f"{match.period_from}; check that the fiscal periods are calendar months"
        )
    if match.uses_row_key:
        draft.settings["row_key"] = True
        draft.decide(
            f"row_key: no column identifies a record as {contract.key[0]}, so file and record "
            "number do; a corrected file then counts as new records"
        )
    for name in match.missing:
        meaning = contract.field(name).description
        draft.decide(f"{name}: no column gives it ({meaning}); name one, or give a constant")


def _settle_values(
    draft: _Draft, contract: Contract, by_field: dict[str, Guess], shapes: dict[str, ColumnShape]
) -> None:
    maps: dict[str, dict[str, str]] = {}
    for item in contract.fields:
        if item.name not in by_field:
            continue
        shape = shapes[by_field[item.name].column]
        if item.type == "integer" and shape.whole_share == 1:
            continue
        closed = item.allowed_values or ("true", "false") * (item.type == "boolean")
        if not closed and item.type != "integer":
            continue
        known = {text: value for text in shape.distinct if (value := map_value(item, text))}
        unknown = [text for text in shape.distinct if text not in known]
        if any(text != value for text, value in known.items()) or unknown:
            maps[item.name] = known
        if unknown:
            listed = ", ".join(map(repr, unknown[:5]))
            draft.decide(f"value_maps.{item.name}: what do {listed} mean?")
    if maps:
        draft.settings["value_maps"] = maps
