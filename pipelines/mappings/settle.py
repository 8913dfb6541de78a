"""Turn guesses into the settings of a mapping, and say what is left for a person to decide."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from pipelines.contracts.contract import Contract, ContractField
from pipelines.contracts.periods import FISCAL_ID
from pipelines.mappings.answers import Answers
from pipelines.mappings.column_hints import load_contract_hints, normalise_name
from pipelines.mappings.file_head import FileHead
from pipelines.mappings.identifier_names import IDENTIFIERS
from pipelines.mappings.infer import name_mapping
from pipelines.mappings.matches import Guess, Match
from pipelines.mappings.settle_folder import settle_lacking
from pipelines.mappings.settle_forms import describe_period, settle_dates, settle_numbers
from pipelines.mappings.value_fit import map_value
from pipelines.mappings.value_shapes import CODE, ColumnShape
from pipelines.readers.name_codes import find_told_codes

NAMED_CODES = (
    re.compile("([A-Za-z0-9][A-Za-z0-9._:/@-]*) +[\u00b7\u2013|:-] +.+"),
    re.compile("([0-9][A-Za-z0-9._:/@-]*) +.*[^0-9 ].*"),
)
"""An identifier and its name: with a mark between spaces, or a number before words."""
FLOAT_DECIMALS = 12
DAY = re.compile(r"\d{4}-\d\d-\d\d")


class Draft:
    """Settings and decisions as they come together."""

    def __init__(self, head: FileHead, answers: Answers) -> None:
        self.head = head
        self.answers = answers
        self.settings: dict[str, Any] = {}
        self.decisions: list[str] = []

    def decide(self, sentence: str) -> None:
        """Leave something to a person; what was said already is no question."""
        name = sentence.partition(":")[0]
        if name not in self.answers.settings:
            self.decisions.append(sentence)


def settle_mapping(
    head: FileHead,
    match: Match,
    shapes: dict[str, ColumnShape],
    null_tokens: tuple[str, ...],
    stem: str,
    answers: Answers,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """(settings of the mapping, decisions). Settings that are the default are left out."""
    draft = Draft(head, answers)
    mapping_id = name_mapping(stem)
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
    if any(shapes[column].has_spaces for guess in match.guesses for column in guess.columns):
        draft.settings["strip_text"] = True
    settle_numbers(draft, match.contract, by_field, shapes, head.natives)
    settle_dates(draft, match.contract, by_field, shapes, head.natives)
    describe_period(draft, match, shapes)
    draft.settings["columns"] = {g.field: g.column for g in match.guesses if not g.credit}
    settle_lacking(draft, match, shapes)
    _settle_amount(draft, match)
    _settle_floats(draft, match, head)
    _settle_codes(draft, match.contract, by_field, shapes)
    _settle_derived(draft, match)
    _settle_empty(draft, match.contract, by_field, shapes)
    _settle_key(draft, head, match, by_field)
    _settle_values(draft, match.contract, by_field, shapes)
    draft.settings.update(answers.settings)
    return draft.settings, tuple(draft.decisions)


def _settle_file(draft: Draft, head: FileHead) -> None:
    defaults: dict[str, Any] = {"format": "csv", "compression": "none", "encoding": "utf-8"}
    defaults |= {"delimiter": ",", "header_row": 1, "header_rows": 1, "footer_rows": 0}
    defaults |= {"sheet": None, "records_at": None}
    for name, default in defaults.items():
        value = getattr(head, name)
        if value != default:
            draft.settings[name] = value
    for text in head.other_forms:
        draft.decide(f"files: {text}")
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


def _settle_amount(draft: Draft, match: Match) -> None:
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


def _settle_floats(draft: Draft, match: Match, head: FileHead) -> None:
    """Decimals that Parquet holds as binary floats are rounded, where they are amounts."""
    floats = [
        guess.field
        for guess in match.guesses
        if guess.column in head.floats and match.contract.field(guess.field).type == "decimal"
    ]
    if floats:
        draft.settings["allow_float"] = dict.fromkeys(floats, FLOAT_DECIMALS)
        draft.decide(
            f"allow_float: {', '.join(floats)} comes as a binary float and is rounded to "
            f"{FLOAT_DECIMALS} decimals"
        )


def _settle_codes(
    draft: Draft, contract: Contract, by_field: dict[str, Guess], shapes: dict[str, ColumnShape]
) -> None:
    """A code with its name behind it, such as '6400 - Software', gives the code; a name alone is
    made a code."""
    named = []
    for item in contract.fields:
        if item.type != "code" or item.allowed_values or item.name not in by_field:
            continue
        texts = shapes[by_field[item.name].column].distinct
        pattern = next((p for p in NAMED_CODES if _extracts(p, texts)), None)
        if pattern is not None:
            draft.settings.setdefault("extract", {})[item.name] = pattern.pattern
            draft.decide(f"extract.{item.name}: of {texts[0]!r} the part before the mark is read")
        elif item.is_personal:
            continue
        elif (
            shapes[by_field[item.name].column].has_tabs
            or not all(map(CODE.fullmatch, texts))
            or _names_things(contract, item.name, by_field[item.name].column, texts)
        ):
            named.append((item, texts))
    if named:
        draft.settings[IDENTIFIERS] = {
            item.name: _name_codes(draft, item.name, by_field[item.name].column)
            for item, _ in named
        }
    for item, texts in named:
        name = next((text for text in texts if not CODE.fullmatch(text)), texts[0])
        draft.decide(f"identifiers.{item.name}: {name!r} is a name; codes are made from the names")


def _extracts(pattern: re.Pattern[str], texts: Sequence[str]) -> bool:
    """Whether all texts are a code with its name, and the codes tell them apart: 'EXP - Software'
    and 'EXP - Hardware' are names."""
    found = [match[1] for text in texts if (match := pattern.fullmatch(text))]
    return bool(found) and len(found) == len(texts) and len(set(found)) * 2 > len(texts)


def _names_things(contract: Contract, field: str, column: str, texts: Sequence[str]) -> bool:
    """Whether a column names what others name too, in words that happen to be codes, such as
    'Sales': no text has a digit, and the column is called after names."""
    known = load_contract_hints(contract.contract_id).named.get(field, ())
    is_named = normalise_name(column) in map(normalise_name, known)
    joined = "".join(texts)
    # Words in small letters are their own codes.
    return is_named and joined != joined.lower() and not any(map(str.isdigit, joined))


def _name_codes(draft: Draft, field: str, column: str) -> Any:
    """How codes are made from names; names that come to one code get different ones."""
    told = find_told_codes(draft.head.values.get(column, ()))
    for name, code in told.items():
        draft.decide(
            f"identifiers.{field}: {name!r} would have the code of another name, so it is {code}; "
            "give both one code where they are one thing"
        )
    return {"codes": told} if told else "from_name"


def _settle_derived(draft: Draft, match: Match) -> None:
    contract = match.contract
    if match.period_from:
        draft.settings["period_from"] = match.period_from
        draft.decide(
            f"period_from: no column holds {contract.period_field}, so it is the month of "
            f"{match.period_from}; check that the fiscal periods are calendar months"
            + _hint_at_numbers(draft, contract.period_field)
        )
    if match.period_join and contract.period_field:
        _settle_period_join(draft, contract.period_field, match.period_join)
    if match.uses_row_key:
        draft.settings["row_key"] = True
        draft.decide(
            f"row_key: no column identifies a record as {contract.key[0]}, so file and record "
            "number do; a corrected file then counts as new records"
        )
    if match.derived:
        draft.settings["derived_times"] = {
            name: {"of": time.of, "point": time.point} for name, time in match.derived.items()
        }
    for name, time in match.derived.items():
        point = time.point.replace("_", " ")
        draft.decide(f"derived_times.{name}: no column gives it, so it is the {point} of {time.of}")
    _settle_constants(draft, match)


def _hint_at_numbers(draft: Draft, period_field: str | None) -> str:
    """That a column numbers the periods of a fiscal year, which only some calendars have."""
    for column in draft.head.columns:
        texts = [text for text in draft.head.column(column) if text]
        if texts and all(re.fullmatch(FISCAL_ID, text) for text in texts):
            return (
                f". {column!r} has {texts[0]!r}, the number of a period: where 'calendar' in "
                f"apportion.yml has such periods, take it with --column '{period_field}={column}'"
            )
    return ""


def _settle_period_join(draft: Draft, period: str, columns: tuple[str, str]) -> None:
    """A year and the number of a month in it are the period together."""
    year, number = columns
    texts = draft.head.column(number)
    zeros = "0" if texts and all(len(text) == 3 for text in texts) else ""
    draft.settings.setdefault("join", {})[period] = {"columns": [year, number], "separator": "-"}
    draft.settings["period_formats"] = [f"%Y-{zeros}%m"]
    draft.decide(
        f"join.{period}: it is made of {year!r} and {number!r}; check that the number is a "
        "calendar month"
    )


def _settle_constants(draft: Draft, match: Match) -> None:
    """Values that every record has: said by a person, by a name of a column, or proposed."""
    contract, answers = match.contract, draft.answers
    constants = {**match.constants, **answers.constants}
    for item in contract.fields:
        if item.type == "timestamp" and DAY.fullmatch(constants.get(item.name, "")):
            constants[item.name] += "T00:00:00Z"
    for name in match.missing:
        constants.setdefault(name, "")
    if not constants:
        return
    order = [item.name for item in contract.fields if item.name in constants]
    draft.settings["constants"] = {name: constants[name] for name in order}
    hints = load_contract_hints(contract.contract_id).constants
    for name in order:
        if name in answers.constants:
            continue
        if name == contract.currency_field and match.currency == constants[name]:
            draft.decide(
                f"constants.{name}: no column gives it; the name of the amount's "
                f"column says {match.currency}"
            )
        elif constants[name]:
            draft.decide(
                f"constants.{name}: no column gives it; {constants[name]!r} is proposed: "
                f"{hints[name].meaning}"
            )
        else:
            meaning = hints[name].meaning if name in hints else contract.field(name).description
            draft.decide(f"{name}: no column gives it ({meaning}); name one, or give a constant")


def _settle_empty(
    draft: Draft, contract: Contract, by_field: dict[str, Guess], shapes: dict[str, ColumnShape]
) -> None:
    """Required fields that are empty in some records, which would then be quarantined."""
    hints = load_contract_hints(contract.contract_id).constants
    told = draft.answers.settings.get("defaults", {})
    for item in contract.fields:
        guess = by_field.get(item.name)
        if guess is None or not item.is_required or guess.credit or item.name in told:
            continue
        shape = shapes[guess.column]
        empty = shape.total - shape.filled
        if empty and item.type == "currency" and len(shape.distinct) == 1:
            # Money in an unknown currency is not taken for money of another one unasked.
            draft.decide(
                f"defaults.{item.name}: {empty} of {shape.total} records have none and are "
                f"quarantined; --setting 'defaults={{{item.name}: {shape.distinct[0]}}}' gives "
                "them that of all others"
            )
        if not empty or item.type not in ("code", "text"):
            continue
        value = hints[item.name].value if item.name in hints else ""
        if value:
            draft.settings.setdefault("defaults", {})[item.name] = value
            draft.decide(
                f"defaults.{item.name}: {empty} of {shape.total} records have none; {value!r} is "
                "proposed for them; without it they are quarantined"
            )
        else:
            draft.decide(
                f"defaults.{item.name}: {empty} of {shape.total} records have none and are "
                "quarantined; a default lets them count"
            )


def _settle_key(draft: Draft, head: FileHead, match: Match, by_field: dict[str, Guess]) -> None:
    """A key that repeats itself refuses the file, unless it is a log whose last event counts."""
    key = match.contract.key
    if not key or any(name not in by_field for name in key):
        return
    keys = list(zip(*(head.column(by_field[name].column) for name in key), strict=True))
    counts = Counter(keys)
    repeated = next((item for item in keys if counts[item] > 1), None)
    if repeated is not None:
        draft.decide(
            f"last_state_of: {' + '.join(key)} {'/'.join(repeated)} occurs more than once; if this "
            "is a log of events, name the key and the column in whose order they happened"
        )


def _settle_values(
    draft: Draft, contract: Contract, by_field: dict[str, Guess], shapes: dict[str, ColumnShape]
) -> None:
    maps: dict[str, dict[str, str]] = {}
    for item in contract.fields:
        if item.name not in by_field:
            continue
        shape = shapes[by_field[item.name].column]
        if item.type == "integer" and shape.whole_share == 1:
            continue
        if not _is_closed(item):
            continue
        known = {
            text: value
            for text in shape.distinct
            if (value := map_value(item, text, contract.contract_id))
        }
        unknown = [text for text in shape.distinct if text not in known]
        if any(text != value for text, value in known.items()) or unknown:
            maps[item.name] = known
        if unknown:
            listed = ", ".join(map(repr, unknown[:5]))
            draft.decide(f"value_maps.{item.name}: what do {listed} mean?")
    if maps:
        draft.settings["value_maps"] = maps


def _is_closed(item: ContractField) -> bool:
    """Whether a field has values of its own, which others call otherwise."""
    return bool(item.allowed_values) or item.type in ("boolean", "integer")
