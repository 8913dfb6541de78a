"""Propose a contract and a mapping for a file of unknown form. Nothing is loaded.

Each field takes the column whose name and values fit best; names are compared with those of the
contract and with `hints/column_names.yml`, values with the form of the field's type. A confidence
is the product of both, not a probability. What the values leave open (a date order, a decimal mark,
a field without a column) becomes a decision for a person, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.contracts.contract import Contract, ContractField, list_contract_ids, load_contract
from pipelines.mappings.column_hints import compare_names, load_hints
from pipelines.mappings.file_head import FileHead, read_head
from pipelines.mappings.money_columns import SignColumn, find_sides, find_sign_column
from pipelines.mappings.value_shapes import (
    BOOLEANS,
    ColumnShape,
    describe_column,
    find_null_tokens,
)

LEAST_NAME_LIKENESS = 0.65
LEAST_CONFIDENCE = 0.35
LEAST_SCORE = 0.3
OPTIONAL_WEIGHT = 0.25
NUMBER_TYPES = ("decimal", "integer")


@dataclass(frozen=True)
class Guess:
    """One field and the column proposed for it."""

    field: str
    column: str
    confidence: float
    reason: str
    credit: str = ""
    """The column that is subtracted from it, where they are debit and credit."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the field is made of."""
        return (self.column, self.credit) if self.credit else (self.column,)


@dataclass(frozen=True)
class Match:
    """How well a file fits one contract."""

    contract: Contract
    score: float
    guesses: tuple[Guess, ...]
    missing: tuple[str, ...]
    """Required fields that no column and nothing else gives."""
    uses_row_key: bool
    period_from: str | None
    sign: SignColumn | None = None
    """What says the sign of the amount, where it has none of its own."""

    @property
    def fits(self) -> bool:
        """Whether a mapping is worth proposing: most of what is required is there."""
        required = sum(item.is_required for item in self.contract.fields)
        return self.score >= LEAST_SCORE and len(self.missing) <= required / 2


@dataclass(frozen=True)
class Proposal:
    """A contract and a mapping for a file, with what a person must decide."""

    head: FileHead
    match: Match
    settings: dict[str, Any]
    """The mapping as it would be written; not complete where something is to be decided."""
    decisions: tuple[str, ...]
    runners_up: tuple[tuple[str, float], ...] = field(default=())
    ready_mappings: tuple[str, ...] = field(default=())
    """Ready mappings that find their columns in the file."""


def infer_mapping(path: Path, contract_id: str | None = None) -> Proposal:
    """Look at the head of `path` and propose. Raises HeadNotReadError where it is no table and
    KeyError for an unknown contract; whether the proposal is of use says `match.fits`."""
    from pipelines.mappings.ready import find_ready_mappings
    from pipelines.mappings.settle import settle_mapping

    head = read_head(path)
    null_tokens = find_null_tokens([head.column(name) for name in head.columns])
    shapes = {name: describe_column(head.column(name), null_tokens) for name in head.columns}
    ids = [contract_id] if contract_id else list(list_contract_ids())
    matches = [match_contract(load_contract(item), shapes) for item in ids]
    matches.sort(key=lambda match: (-match.score, match.contract.contract_id))
    settings, decisions = settle_mapping(head, matches[0], shapes, null_tokens, path.stem)
    others = tuple((m.contract.contract_id, round(m.score, 2)) for m in matches[1:4])
    return Proposal(head, matches[0], settings, decisions, others, find_ready_mappings(head))


def match_contract(contract: Contract, shapes: dict[str, ColumnShape]) -> Match:
    """Give each field of the contract the column that fits best, the surest pairs first."""
    pairs = [
        guess
        for item in contract.fields
        for column, shape in shapes.items()
        if (guess := _rate_pair(item, column, shape)) is not None
    ]
    required = {item.name: item.is_required for item in contract.fields}
    pairs.sort(key=lambda guess: (-guess.confidence, not required[guess.field]))
    chosen: dict[str, Guess] = {}
    taken: set[str] = set()
    for guess in pairs:
        if guess.field not in chosen and guess.column not in taken:
            chosen[guess.field] = guess
            taken.add(guess.column)
    sign = _settle_amount(contract, shapes, chosen)
    uses_row_key = _drop_doubtful_key(contract, shapes, chosen)
    period_from = _find_period_source(contract, chosen)
    derived = {contract.key[0]} if uses_row_key else set()
    if period_from and contract.period_field:
        derived.add(contract.period_field)
    missing = tuple(
        item.name
        for item in contract.fields
        if item.is_required and item.name not in chosen and item.name not in derived
    )
    guesses = tuple(chosen[item.name] for item in contract.fields if item.name in chosen)
    score = _score(contract, chosen, derived, len(shapes))
    return Match(contract, score, guesses, missing, uses_row_key, period_from, sign)


def _score(contract: Contract, chosen: dict[str, Guess], derived: set[str], columns: int) -> float:
    """Share of the contract that the file gives, and share of the file that the contract uses;
    less where few fields speak for it, because a small contract is met by chance."""
    weights = {
        item.name: 1.0 if item.is_required else OPTIONAL_WEIGHT
        for item in contract.fields
        if item.name not in derived
    }
    given = sum(weights[name] * guess.confidence for name, guess in chosen.items())
    share = 0.75 * given / sum(weights.values()) + 0.25 * min(1.0, len(chosen) / columns)
    return share * len(chosen) / (len(chosen) + 1)


def _settle_amount(
    contract: Contract, shapes: dict[str, ColumnShape], chosen: dict[str, Guess]
) -> SignColumn | None:
    """Let a debit and a credit be the amount, where they are there; else what says its sign."""
    name = contract.amount_field
    if name is None:
        return None
    sides = find_sides(shapes)
    if sides is not None:
        for field_name in [f for f, g in chosen.items() if g.column in (sides.debit, sides.credit)]:
            del chosen[field_name]
        reason = f"debit minus credit: {sides.debit} - {sides.credit}"
        confidence = round(0.97 * sides.likeness, 2)
        chosen[name] = Guess(name, sides.debit, confidence, reason, sides.credit)
        return None
    guess, sign = chosen.get(name), find_sign_column(shapes)
    number = shapes[guess.column].number if guess is not None else None
    if sign is None or number is None or number.negative_forms:
        return None
    for field_name in [f for f, g in chosen.items() if g.column == sign.column]:
        del chosen[field_name]
    return sign


def _drop_doubtful_key(
    contract: Contract, shapes: dict[str, ColumnShape], chosen: dict[str, Guess]
) -> bool:
    """Whether the record's number must serve as key: no column is one, or it repeats itself."""
    if len(contract.key) != 1 or contract.amount_field is None:
        return False
    guess = chosen.get(contract.key[0])
    if guess is not None and shapes[guess.column].is_unique:
        return False
    chosen.pop(contract.key[0], None)
    return True


def _find_period_source(contract: Contract, chosen: dict[str, Guess]) -> str | None:
    """The date field whose month is the period, where no column holds the period itself."""
    period = contract.period_field
    if period is None or period in chosen or contract.field(period).type != "period":
        return None
    dates = [f.name for f in contract.fields if f.type in ("date", "timestamp")]
    return next((name for name in dates if name in chosen), None)


def _rate_pair(item: ContractField, column: str, shape: ColumnShape) -> Guess | None:
    likeness, known = compare_names(item.name, column)
    fit, seen = _fit_values(item, shape)
    if item.type == "currency" and shape.currency_share == 1 and len(shape.distinct) <= 20:
        likeness = max(likeness, LEAST_NAME_LIKENESS)
    if likeness < LEAST_NAME_LIKENESS or (shape.filled and fit < 0.5):
        return None
    confidence = likeness * (0.4 + 0.6 * fit)
    if item.is_required:
        confidence *= 0.6 + 0.4 * shape.filled_share
    if confidence < LEAST_CONFIDENCE:
        return None
    if item.is_personal:
        # The reason is written into the proposed mapping, where no person is to be named.
        seen = seen.partition(", such as ")[0]
    name_reason = "the name is the field's" if likeness == 1 else f"the name is like {known!r}"
    if 0 < shape.filled_share < 1:
        seen += f"; {shape.total - shape.filled} of {shape.total} are empty"
    return Guess(item.name, column, round(confidence, 2), f"{name_reason}; {seen}")


def map_value(item: ContractField, text: str) -> str | None:
    """The value of a closed list, of a boolean or of a whole number that `text` stands for."""
    plain = text.strip().lower()
    if item.type == "boolean":
        return BOOLEANS.get(plain)
    if item.type == "integer":
        found = re.match(r"(\d{1,2})\b\D", text.strip())
        return found[1] if found else None
    known: str | None = load_hints()["values"].get(item.name, {}).get(plain)
    if known is not None:
        return known
    return next((v for v in item.allowed_values or () if v.lower() == plain), None)


def _fit_values(item: ContractField, shape: ColumnShape) -> tuple[float, str]:
    """(share of the filled values that the field's type can take, what was seen)."""
    if not shape.filled:
        return 0.0, "all records are empty"
    if item.allowed_values or item.type in ("boolean", "integer"):
        mapped = sum(map_value(item, text) is not None for text in shape.distinct)
        share = max(mapped / len(shape.distinct), shape.whole_share * (item.type == "integer"))
        return share, f"values such as {shape.distinct[0]!r} are known"
    ratings: dict[str, Callable[[ColumnShape], tuple[float, str]]] = {
        "decimal": lambda s: (s.number_share, "numbers"),
        "date": lambda s: (s.date_share, "dates"),
        "timestamp": lambda s: (s.date_share, "times"),
        "period": lambda s: (s.period_share, "periods"),
        "currency": lambda s: (s.currency_share, "currency codes"),
        "json": lambda s: (s.json_share, "JSON objects"),
        "code": lambda s: (0.5 + 0.5 * s.code_share, "fit for an identifier"),
        "text": lambda s: (1.0 - 0.25 * max(s.number_share, s.date_share), "fit for a text"),
    }
    share, what = ratings[item.type](shape)
    return share, f"{share:.0%} are {what}, such as {shape.distinct[0]!r}"
