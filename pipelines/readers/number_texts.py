"""SQL over the texts of numbers in canonical form: moved points, rounding, signs, debit and credit.

A number stays text until it is checked, so that no digit is lost on the way; where two numbers must
be subtracted it is done in decimals that hold both whole. A text that is no number passes through
and is judged by the checks of its type.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.mappings.mapping import SignFrom
from pipelines.readers.field_forms import is_marked, literal, mark_expression, move_point

CANONICAL = r"-?\d{1,18}(\.\d{1,18})?"
WIDE = "decimal(38, 18)"
"""Holds any canonical number, and the difference of two, exactly."""


def multiply(name: str, power: int) -> str:
    """SQL for a number times a power of ten."""
    moved = move_point(f"ltrim({name}, '-')", str(power))
    sign = f"case when starts_with({name}, '-') then '-' else '' end"
    return f"case when {_is_number(name)} then {sign} || {moved} else {name} end"


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
