"""Propose a contract and a mapping for a file, or a folder of files, of unknown form.

Nothing is loaded. Each field takes the column whose name and values fit best: names are compared
after normalisation with those of the contract and of its dictionary, values with the form of the
field's type; where no name fits, the values decide (`gaps.py`). A confidence is the product of
both, not a probability. What no column gives is proposed as a constant; what the values leave open
(a date order, a decimal mark) becomes a decision for a person, never a guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pipelines.contracts.contract import Contract, ContractField, list_contract_ids, load_contract
from pipelines.mappings.amount_columns import (
    find_named_currency,
    pair_currency,
    prefer_paired,
    settle_amount,
)
from pipelines.mappings.answers import Answers
from pipelines.mappings.column_hints import (
    compare_names,
    load_contract_hints,
    load_forms,
    normalise_name,
    split_currency,
)
from pipelines.mappings.file_head import FileHead, read_head
from pipelines.mappings.matches import Guess, Match
from pipelines.mappings.value_fit import fit_values
from pipelines.mappings.value_shapes import ColumnShape, describe_column, find_null_tokens

LEAST_NAME_LIKENESS = 0.65
LEAST_CONFIDENCE = 0.35
OPTIONAL_WEIGHT = 0.25
OPTIONAL = 0.8
"""How much less an optional field is given a column before a required one."""
UNMARKED = 0.4
"""How much less a contract is taken that nothing in the file names, where it needs that."""


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
    adopted: str | None = None
    """The ready mapping that is proposed as it is."""
    adapted: str | None = None
    """The ready mapping that is proposed with the format of the file."""
    answers: Answers = field(default_factory=Answers)
    """What a person has said already."""


def name_mapping(stem: str) -> str:
    """The id of a mapping, from the name of a file."""
    return re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_") or "own"


def infer_mapping(
    path: Path, contract_id: str | None = None, answers: Answers | None = None
) -> Proposal:
    """Look at `path` and propose. Raises HeadNotReadError where it is no table and KeyError for an
    unknown contract; whether the proposal is of use says `match.fits`."""
    return propose_mapping(read_head(path), contract_id, answers or Answers(), path.stem)


def propose_mapping(
    head: FileHead, contract_id: str | None, answers: Answers, stem: str
) -> Proposal:
    """A contract and a mapping for what was read, with what a person has said already."""
    from pipelines.mappings.gaps import fill_gaps
    from pipelines.mappings.ready import adapt_ready, adopt_ready, find_ready_mappings, load_ready
    from pipelines.mappings.settle import settle_mapping
    from pipelines.mappings.span_ends import find_inclusive_ends
    from pipelines.mappings.total_rows import find_totals

    totals, head, doubted = find_totals(head)
    null_tokens = find_null_tokens([head.column(name) for name in head.columns])
    shapes = {name: describe_column(head.column(name), null_tokens) for name in head.columns}
    ids = [contract_id] if contract_id else list(list_contract_ids())
    matches = [
        match_contract(load_contract(item), shapes, answers, head.repeating, head.name)
        for item in ids
    ]
    ready = find_ready_mappings(head)
    known = {load_ready(mapping_id).contract for mapping_id in ready}
    # What a ready mapping reads is of its contract, whatever else it looks like.
    matches.sort(
        key=lambda m: (m.contract.contract_id not in known, -m.score, m.contract.contract_id)
    )
    others = tuple((m.contract.contract_id, round(m.score, 2)) for m in matches[1:4])
    if answers.is_empty:
        adopted = adopt_ready(ready, head, contract_id)
        adapted = adapt_ready(head, contract_id) if adopted is None else None
        if (chosen := adopted or adapted) is not None:
            mapping_id, contract, settings = chosen
            match = next((m for m in matches if m.contract.contract_id == contract), None)
            if match is not None:
                whole = replace(match, missing=(), is_adopted=True, score=max(match.score, 0.9))
                if adopted is None:
                    settings["mapping_id"] = name_mapping(stem)
                return Proposal(
                    head, whole, settings, (), others, ready,
                    adopted=mapping_id if adopted else None,
                    adapted=None if adopted else mapping_id,
                )  # fmt: skip
    match = fill_gaps(matches[0], head, shapes, answers)
    settings, decisions = settle_mapping(head, match, shapes, null_tokens, stem, answers)
    if totals and "totals" not in answers.settings:
        settings["totals"] = totals
        decisions = (
            *decisions,
            f"totals: records whose {totals[0]['column']!r} says so are compared with the sum of "
            f"{', '.join(totals[0]['columns'])} and passed over",
        )
    decisions = (*decisions, doubted) if doubted else decisions
    ends = find_inclusive_ends(head, match.contract, settings)
    if ends and "inclusive_ends" not in answers.settings:
        settings["inclusive_ends"] = list(ends)
        decisions = (
            *decisions,
            f"inclusive_ends: {', '.join(ends)} is the last day of its span; the day after it is "
            "taken as the end",
        )
    return Proposal(head, match, settings, decisions, others, ready, answers=answers)


def match_contract(
    contract: Contract,
    shapes: dict[str, ColumnShape],
    answers: Answers | None = None,
    repeating: frozenset[str] = frozenset(),
    name: str = "",
) -> Match:
    """Give each field of the contract the column that fits best, the surest pairs first."""
    answers = answers or Answers()
    chosen = {
        field_name: Guess(field_name, column, 1.0, "it was named")
        for field_name, column in answers.columns.items()
        if column in shapes and field_name in {item.name for item in contract.fields}
    }
    taken = {guess.column for guess in chosen.values()}
    required = {item.name: item.is_required for item in contract.fields}
    pairs = [
        guess
        for item in contract.fields
        if item.name not in answers.constants
        for column, shape in shapes.items()
        if (guess := rate_pair(item, column, shape, contract.contract_id)) is not None
    ]
    # A column goes to an optional field only where no required one needs it.
    pairs.sort(key=lambda guess: -guess.confidence * (1 if required[guess.field] else OPTIONAL))
    for guess in pairs:
        if guess.field not in chosen and guess.column not in taken:
            chosen[guess.field] = guess
            taken.add(guess.column)
    _share_columns(contract, chosen, pairs)
    sign = settle_amount(contract, shapes, chosen)
    prefer_paired(contract, shapes, chosen)
    pair_currency(contract, shapes, chosen)
    uses_row_key = _drop_doubtful_key(contract, chosen, shapes, repeating, answers)
    period_from = _find_period_source(contract, chosen)
    period_join = _find_year_and_number(contract, shapes, chosen)
    if period_join is not None:
        period_from = None
    derived = {contract.key[0]} if uses_row_key else set()
    currency = find_named_currency(contract, chosen)
    if currency and contract.currency_field and contract.currency_field not in answers.constants:
        derived.add(contract.currency_field)
    if (period_from or period_join) and contract.period_field:
        derived.add(contract.period_field)
    missing = tuple(
        item.name
        for item in contract.fields
        if item.is_required and item.name not in chosen and item.name not in derived
    )
    guesses = tuple(chosen[item.name] for item in contract.fields if item.name in chosen)
    score = _score(contract, chosen, derived, len(shapes)) * _rate_marks(contract, shapes, name)
    return Match(
        contract,
        score,
        guesses,
        missing,
        uses_row_key,
        period_from,
        sign,
        currency,
        period_join,
        is_signed=_is_signed(contract, shapes),
        told=_find_told(contract, shapes, name),
    )


def _is_signed(contract: Contract, shapes: dict[str, ColumnShape]) -> bool:
    """Whether two columns of the file are in files of this contract only."""
    signatures = load_contract_hints(contract.contract_id).signatures
    return len({normalise_name(column) for column in shapes} & set(signatures)) >= 2


def _find_told(contract: Contract, shapes: dict[str, ColumnShape], name: str) -> dict[str, str]:
    """What the name of the file says for all records, or else the names of its columns."""
    found: dict[str, str] = {}
    for field_name, values in load_contract_hints(contract.contract_id).told.items():
        for texts in ((name,), tuple(shapes)):
            words = " ".join(f" {normalise_name(text)} " for text in texts)
            said = [v for v, marks in values.items() if any(f" {m} " in words for m in marks)]
            if said:
                found[field_name] = said[0]
                break
    return found


def _rate_marks(contract: Contract, shapes: dict[str, ColumnShape], name: str) -> float:
    """Less than 1 where a contract is like another one and nothing in the file names it."""
    hints = load_contract_hints(contract.contract_id)
    columns = [normalise_name(split_currency(text)[0]).split() for text in shapes]
    if any(word in words for words in columns for word in hints.never):
        return UNMARKED
    if any(" ".join(words) in hints.references for words in columns):
        return UNMARKED
    marks = hints.marks
    if not marks:
        return 1.0
    words = f" {' '.join(normalise_name(text) for text in (name, *shapes))} "
    return 1.0 if any(f" {mark} " in words for mark in marks) else UNMARKED


def _score(contract: Contract, chosen: dict[str, Guess], derived: set[str], columns: int) -> float:
    """Share of the contract that the file gives, and share of the file that the contract uses;
    less where few fields speak for it, because a small contract is met by chance."""
    hints = load_contract_hints(contract.contract_id)
    replaceable = {*hints.constants, *hints.derived}
    weights = {
        # What one value can stand for tells little by its absence.
        item.name: (0.5 if item.name in replaceable and item.name not in chosen else 1.0)
        if item.is_required
        else OPTIONAL_WEIGHT
        for item in contract.fields
        if item.name not in derived
    }
    given = sum(weights[name] * guess.confidence for name, guess in chosen.items())
    share = 0.75 * given / sum(weights.values()) + 0.25 * min(1.0, len(chosen) / columns)
    return share * len(chosen) / (len(chosen) + 1)


def _share_columns(contract: Contract, chosen: dict[str, Guess], pairs: list[Guess]) -> None:
    """A field without a column of its own takes that of a field which it may be a copy of, or the
    best one that is called like it, where a required identifier has none."""
    for item in contract.fields:
        if item.is_required and item.type in ("code", "text") and item.name not in chosen:
            best = next((guess for guess in pairs if guess.field == item.name), None)
            if best is not None and best.confidence >= LEAST_NAME_LIKENESS:
                chosen[item.name] = best
    copies = load_contract_hints(contract.contract_id).copies
    for name, source in copies.items():
        if name not in chosen and source in chosen and not chosen[source].credit:
            guess = chosen[source]
            reason = f"no column of its own; that of {source} stands for it"
            chosen[name] = Guess(name, guess.column, round(guess.confidence * 0.7, 2), reason)


def _drop_doubtful_key(
    contract: Contract,
    chosen: dict[str, Guess],
    shapes: dict[str, ColumnShape],
    repeating: frozenset[str],
    answers: Answers,
) -> bool:
    """Whether the record's number must serve as key: no column is one, or it repeats itself."""
    if len(contract.key) != 1 or contract.amount_field is None:
        return False
    key = contract.key[0]
    if key in answers.constants:
        return False
    guess = chosen.get(key)
    if guess is not None and shapes[guess.column].is_unique and guess.column not in repeating:
        return False
    is_event = contract.contract_id == "assets" and guess is not None
    if is_event:
        return False
    chosen.pop(key, None)
    return True


def _find_period_source(contract: Contract, chosen: dict[str, Guess]) -> str | None:
    """The date field whose month is the period, where no column holds the period itself."""
    period = contract.period_field
    if period is None or period in chosen or contract.field(period).type != "period":
        return None
    dates = [f.name for f in contract.fields if f.type in ("date", "timestamp")]
    return next((name for name in dates if name in chosen), None)


def _find_year_and_number(
    contract: Contract, shapes: dict[str, ColumnShape], chosen: dict[str, Guess]
) -> tuple[str, str] | None:
    """The columns of a year and of a month in it, where no column holds both."""
    period = contract.period_field
    if period is None or period in chosen or contract.field(period).type != "period":
        return None
    used = {guess.column for guess in chosen.values()}
    years = [
        column
        for column, shape in shapes.items()
        if column not in used
        and normalise_name(column) in load_forms().year_columns
        and all(re.fullmatch(r"(19|20)\d\d", text) for text in shape.distinct)
        and shape.filled == shape.total
    ]
    names = load_contract_hints(contract.contract_id).names.get(period, ())
    numbers = [
        column
        for column, shape in shapes.items()
        if column not in used
        and normalise_name(column) in names
        and all(re.fullmatch(r"0{0,2}([1-9]|1[0-6])", text) for text in shape.distinct)
        and shape.filled == shape.total
    ]
    return (years[0], numbers[0]) if years and numbers else None


def _known_currencies() -> frozenset[str]:
    """Currencies that a column is known by whatever its name: other words of three capitals, such
    as the name of a department, are none."""
    return frozenset(load_forms().currencies.codes)


def rate_pair(
    item: ContractField, column: str, shape: ColumnShape, contract_id: str
) -> Guess | None:
    """How well a column fits a field by its name and its values; None where it does not."""
    likeness, known = compare_names(item.name, column, contract_id)
    if item.type == "currency" and shape.filled and set(shape.distinct) <= _known_currencies():
        likeness = max(likeness, LEAST_NAME_LIKENESS)
    if likeness < LEAST_NAME_LIKENESS:
        return None
    fit, seen = fit_values(item, shape, contract_id)
    if shape.filled and fit < 0.5:
        return None
    confidence = likeness * (0.4 + 0.6 * fit)
    if item.is_required and shape.filled_share < 1:
        # A column that lacks values gives no required field, unless there is no other one.
        confidence *= 0.5 + 0.35 * shape.filled_share
    if confidence < LEAST_CONFIDENCE:
        return None
    if item.is_personal:
        # The reason is written into the proposed mapping, where no person is to be named.
        seen = seen.partition(", such as ")[0]
    name_reason = "the name is the field's" if likeness == 1 else f"the name is like {known!r}"
    if 0 < shape.filled_share < 1:
        seen += f"; {shape.total - shape.filled} of {shape.total} are empty"
    return Guess(item.name, column, round(confidence, 4), f"{name_reason}; {seen}")
