"""SQL over the texts of numbers in canonical form: moved points, rounding, signs, debit and credit.

A number stays text until it is checked, so that no digit is lost on the way; where two numbers must
be subtracted it is done in decimals that hold both whole. A text that is no number passes through
and is judged by the checks of its type.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.mappings.mapping import SignFrom
from pipelines.readers.text_marks import is_marked, literal, mark_expression

CANONICAL = r"-?\d{1,18}(\.\d{1,18})?"
WITH_EXPONENT = r"-?\d+(\.\d+)?(E[+-]?\d{1,3})?"
WIDE = "decimal(38, 18)"
"""Holds any canonical number, and the difference of two, exactly."""


def split_number(name: str, power: int) -> str:
    """SQL that makes a number, times ten to `power`, a struct of its text, its digits and the place
    of its point; without a place where nothing is to be moved, or where it is no number.

    `write_out` makes a text of it again, a stage later: so that its parts are worked out once.
    """
    mantissa = f"ltrim(split_part({name}, 'E', 1), '-')"
    exponent = f"try_cast(nullif(split_part({name}, 'E', 2), '') as integer)"
    moved = f"coalesce({exponent}, 0) + {power}" if power else exponent
    is_number = f"regexp_full_match({name}, {literal(WITH_EXPONENT)})"
    return (
        f"{{'text': {name}, 'digits': replace({mantissa}, '.', ''), "
        f"'point': case when {is_number} "
        f"then length(split_part({mantissa}, '.', 1)) + {moved} end}}"
    )


def write_out(name: str) -> str:
    """SQL for the text of a number that was split: its digits with the point in its place. Zeros
    that say nothing are left out, except for the one before the point."""
    digits, point = f"{name}.digits", f"{name}.point"
    padded = f"concat({digits}, repeat('0', {point} - length({digits})))"
    before = f"coalesce(nullif(ltrim(left({digits}, {point}), '0'), ''), '0')"
    return (
        f"case when {point} is null then {name}.text else concat("
        f"case when starts_with({name}.text, '-') then '-' else '' end, "
        f"case when {point} >= length({digits}) "
        f"then coalesce(nullif(ltrim({padded}, '0'), ''), '0') "
        f"when {point} <= 0 "
        f"then rtrim(rtrim(concat('0.', repeat('0', -{point}), {digits}), '0'), '.') "
        f"else rtrim(rtrim(concat({before}, '.', substr({digits}, {point} + 1)), '0'), '.') "
        f"end) end"
    )


def round_number(name: str, digits: int) -> str:
    """SQL for a number with at most so many decimals, rounded half away from zero. Any number of
    decimals may come: the first one that goes decides, so that the others can be cut."""
    cut = f"left({name}, strpos({name}, '.') + {digits + 1})"
    rounded = f"cast(cast({cut} as decimal(38, {digits})) as varchar)"
    return f"case when {is_rounded_off(name, digits)} then {rounded} else {name} end"


def is_rounded_off(name: str, digits: int) -> str:
    """SQL: whether rounding to so many decimals changes the number."""
    pattern = rf"-?\d{{1,18}}\.\d{{{digits}}}\d*[1-9]\d*"
    # Few texts are long enough, and counting characters is cheaper than matching them.
    is_long = f"length({name}) > strpos({name}, '.') + {digits}"
    return f"coalesce({is_long} and regexp_full_match({name}, {literal(pattern)}), false)"


def flip_sign(name: str) -> str:
    """SQL for a number with the other sign; zero has none."""
    return (
        f"case when starts_with({name}, '-') then substr({name}, 2) "
        f"when regexp_full_match({name}, '\\d+(\\.\\d+)?') "
        f"and not regexp_full_match({name}, '[0.]+') then '-' || {name} "
        f"else {name} end"
    )


def sign_number(name: str, sign: str, setting: SignFrom) -> str:
    """SQL for a number whose sign the text `sign` says."""
    known = ", ".join(map(repr, (*setting.positive, *setting.negative)))
    column = setting.column if isinstance(setting.column, str) else " or ".join(setting.column)
    expected = f"one of {known} in the column {column!r} to say the sign, found "
    return (
        f"case when {name} is null or {is_marked(name)} then {name} "
        f"when {sign} in ({_list(setting.negative)}) then {flip_sign(name)} "
        f"when {sign} in ({_list(setting.positive)}) then {name} "
        f"else {mark_expression(name, expected)} || coalesce({sign}, 'nothing') end"
    )


def subtract(debit: str, credit: str) -> str:
    """SQL for debit minus credit; NULL where both are missing, one of them where the other is."""
    both = f"coalesce({debit}, '') || ' / ' || coalesce({credit}, '')"
    difference = f"cast(cast({debit} as {WIDE}) - cast({credit} as {WIDE}) as varchar)"
    return (
        f"case when {is_marked(debit)} then {debit} when {is_marked(credit)} then {credit} "
        f"when not coalesce({_is_number(debit)}, true) or not coalesce({_is_number(credit)}, true) "
        f"then {mark_expression(both, 'a debit and a credit that are numbers')} "
        f"when {credit} is null then {debit} when {debit} is null then {flip_sign(credit)} "
        f"else rtrim(rtrim({difference}, '0'), '.') end"
    )


def _is_number(name: str) -> str:
    return f"regexp_full_match({name}, {literal(CANONICAL)})"


def _list(texts: Iterable[str]) -> str:
    return ", ".join(map(literal, texts))
