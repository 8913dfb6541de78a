"""Fill what no name of a column gives: by values, by other fields, by constants.

Values decide where names do not. An amount is the column of numbers whose sums behave like sums: a
running balance grows by it, it is the sum of other columns, it has decimals and both signs, and it
identifies nothing. The only column of days is the day of a posting. What is then still missing
follows from other fields where the dictionary says so, or is proposed as a constant.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from pipelines.mappings.answers import Answers
from pipelines.mappings.column_hints import (
    ProposedTime,
    choose_currency,
    find_sign,
    load_contract_hints,
    load_forms,
    normalise_name,
)
from pipelines.mappings.file_head import FileHead
from pipelines.mappings.matches import Guess, Match
from pipelines.mappings.value_shapes import ColumnShape, read_number_parts

BY_VALUES = 0.5
"""Confidence of a column that only its values speak for."""
LEAST_POINTS = 2.0
LOOKED_AT = 200


def fill_gaps(
    match: Match, head: FileHead, shapes: dict[str, ColumnShape], answers: Answers
) -> Match:
    """The match with what values, other fields and constants give."""
    contract = match.contract
    guesses = {guess.field: guess for guess in match.guesses}
    used = {column for guess in match.guesses for column in guess.columns}
    amount = contract.amount_field
    hints = load_contract_hints(contract.contract_id).constants
    if amount is not None and amount in match.missing and amount not in answers.constants:
        found = find_amount(head, shapes, used)
        if found is not None:
            column, reason = found
            guesses[amount] = Guess(amount, column, BY_VALUES, reason)
            used.add(column)
    for name in load_contract_hints(contract.contract_id).fallback_date:
        days = [c for c, shape in shapes.items() if c not in used and shape.date_share == 1]
        if name in match.missing and name not in answers.constants and days:
            # Of several the first one is proposed, and the person is told.
            more = f"; {len(days) - 1} more hold days" if len(days) > 1 else ""
            guesses[name] = Guess(name, days[0], BY_VALUES, f"its values are days{more}")
            used.add(days[0])
    for item in contract.fields:
        numbers = [c for c, shape in shapes.items() if c not in used and shape.number_share == 1]
        is_open = item.name in match.missing and item.name not in {*guesses, *answers.constants}
        # A field for which one value is proposed takes no column that nothing else speaks for.
        is_open = is_open and not (item.name in hints and hints[item.name].value)
        if item.type == "decimal" and is_open and len(numbers) == 1:
            reason = "the only column of numbers that is left"
            guesses[item.name] = Guess(item.name, numbers[0], BY_VALUES, reason)
            used.add(numbers[0])
    if set(guesses) != {guess.field for guess in match.guesses}:
        match = _add_guesses(match, guesses)
    derived = _derive(match, guesses, answers)
    missing = tuple(n for n in match.missing if n not in derived)
    codes = _find_marked_currencies(match, shapes, answers)
    if len(codes) > 1:
        # The marks in the amounts say the currency of each record.
        missing = tuple(name for name in missing if name != contract.currency_field)
    constants = _propose_constants(match, missing, answers, codes)
    return replace(match, missing=missing, derived=derived, constants=constants)


def _find_marked_currencies(
    match: Match, shapes: dict[str, ColumnShape], answers: Answers
) -> tuple[str, ...]:
    """The currencies whose signs stand in the amounts, or else in the name of their column."""
    guess = next((g for g in match.guesses if g.field == match.contract.amount_field), None)
    if guess is None:
        return ()
    numbers = [shape for column in guess.columns if (shape := shapes[column].number) is not None]
    marks = frozenset[str]().union(*(shape.currency_marks for shape in numbers))
    marks = marks or frozenset(filter(None, map(find_sign, guess.columns)))
    known = (answers.currency or "",)
    return tuple(sorted({choose_currency(mark, known) for mark in marks}))


def _add_guesses(match: Match, guesses: dict[str, Guess]) -> Match:
    contract = match.contract
    ordered = tuple(guesses[item.name] for item in contract.fields if item.name in guesses)
    period, period_from = contract.period_field, match.period_from
    missing = tuple(name for name in match.missing if name not in guesses)
    if period in missing and period_from is None and contract.field(period).type == "period":
        dates = [f.name for f in contract.fields if f.type in ("date", "timestamp")]
        period_from = next((name for name in dates if name in guesses), None)
        if period_from is not None:
            missing = tuple(name for name in missing if name != period)
    return replace(match, guesses=ordered, missing=missing, period_from=period_from)


def _derive(match: Match, guesses: dict[str, Guess], answers: Answers) -> dict[str, ProposedTime]:
    """Missing days and times that follow from a field which a column gives."""
    derived: dict[str, ProposedTime] = {}
    for name, time in load_contract_hints(match.contract.contract_id).derived.items():
        if name not in match.missing or name in answers.constants:
            continue
        of = time.of
        while of in derived and of not in guesses:
            # What follows from a field that itself follows from another one.
            of = derived[of].of
        # One answer is enough: what follows from a field that only a person can give, follows.
        if of in guesses or of in answers.constants or of in match.missing:
            derived[name] = ProposedTime(of=of, point=time.point)
    return derived


def _propose_constants(
    match: Match, missing: tuple[str, ...], answers: Answers, codes: tuple[str, ...]
) -> dict[str, str]:
    hints = load_contract_hints(match.contract.contract_id).constants
    constants = {name: hints[name].value for name in missing if name in hints and hints[name].value}
    constants |= {name: value for name, value in match.told.items() if name in missing}
    currency = match.contract.currency_field
    if currency is not None and match.currency is not None:
        constants[currency] = match.currency
    elif currency in missing and len(codes) == 1:
        constants[currency] = codes[0]
    elif currency in missing and answers.currency is not None:
        constants[currency] = answers.currency
    known = {item.name for item in match.contract.fields}
    constants |= {name: value for name, value in answers.constants.items() if name in known}
    return constants


def find_amount(
    head: FileHead, shapes: dict[str, ColumnShape], used: set[str]
) -> tuple[str, str] | None:
    """(column, reason) of the column whose values behave like an amount; None where none does."""
    numbers = {
        column: _read_numbers(head.column(column)[:LOOKED_AT])
        for column, shape in shapes.items()
        if column not in used and shape.filled and shape.number_share == 1
    }
    balances = _find_balances(numbers)
    best: tuple[float, str, str] | None = None
    for column in numbers:
        if column in balances:
            continue
        points, reasons = _rate_amount(column, shapes[column], numbers)
        if column in balances.values():
            points, reasons = points + 3, ["a running balance grows by it", *reasons]
        if points >= LEAST_POINTS and (best is None or points > best[0]):
            best = (points, column, ", ".join(reasons))
    return (best[1], f"its values behave like an amount: {best[2]}") if best else None


def _rate_amount(
    column: str, shape: ColumnShape, numbers: dict[str, list[Decimal | None]]
) -> tuple[float, list[str]]:
    words = set(normalise_name(column).split())
    points, reasons = 0.0, []
    if words & set(load_forms().amount_words):
        points, reasons = points + 1.5, ["called like one"]
    if words & set(load_forms().no_amount_words):
        points -= 2.5
    if shape.has_decimals:
        points, reasons = points + 1, [*reasons, "has decimals"]
    if 0 < shape.negative_share < 0.9:
        points, reasons = points + 1, [*reasons, "has both signs"]
    if shape.variety > 0.3:
        points += 0.5
    if not shape.has_decimals and shape.is_unique and shape.total > 2:
        points -= 1.5
    if _is_sum(column, numbers):
        points, reasons = points + 2, [*reasons, "the sum of other columns"]
    return points, reasons


def _is_sum(column: str, numbers: dict[str, list[Decimal | None]]) -> bool:
    """Whether each value is the sum of all or of the last of the other columns of numbers."""
    own = numbers[column]
    names = list(numbers)
    before = names[: names.index(column)]
    for first in range(len(before) - 1):
        parts = [numbers[name] for name in before[first:]]
        rows = list(zip(own, *parts, strict=True))
        if rows and all(row[0] == sum(item or 0 for item in row[1:]) for row in rows):
            return any(own)
    return False


def _find_balances(numbers: dict[str, list[Decimal | None]]) -> dict[str, str]:
    """Column of a running balance -> the column that it grows by."""
    found: dict[str, str] = {}
    for balance, levels in numbers.items():
        steps = [None if one is None or two is None else two - one for one, two in pairwise(levels)]
        if len(steps) < 3 or any(step is None for step in steps) or not any(steps):
            continue
        for column, values in numbers.items():
            if column != balance and values[1:] == steps:
                found[balance] = column
    return found


def _read_numbers(texts: list[str]) -> list[Decimal | None]:
    """Numbers as far as they can be read without knowing their marks: the last mark is taken for
    that of the decimals. Only compared with each other."""
    return [read_number(text.strip()) for text in texts]


def read_number(text: str) -> Decimal | None:
    """A number as far as it can be read without knowing its marks; None where it is none."""
    parts = read_number_parts(text)
    if parts is None:
        return None
    digits, form = parts
    last = max(digits.rfind("."), digits.rfind(","))
    whole = digits if last < 0 else digits[:last]
    plain = "".join(char for char in whole if char.isdigit())
    if last >= 0:
        plain = f"{plain}.{digits[last + 1 :]}"
    try:
        number = Decimal(plain or "0")
    except InvalidOperation:
        return None
    return -number if form else number
