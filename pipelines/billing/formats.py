"""How figures read on a statement. Text only; no figure is computed from what is shown here.

Numbers have a comma between thousands and a point before decimals, negative ones a true minus
sign. Rounding for display is half away from zero, as in the rest of the platform.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, localcontext

MINUS = "\N{MINUS SIGN}"
ABSENT = "\N{EN DASH}"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LONGEST_WORD = 18
ZERO_WIDTH_SPACE = "\u200b"
MAX_RATE_DECIMALS = 4
SIGNIFICANT_DIGITS_OF_SMALL = 3


def round_half_away(value: Decimal, decimals: int) -> Decimal:
    """The value with that many decimals; never a negative zero."""
    with localcontext() as context:
        context.prec = 60
        rounded = value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return abs(rounded) if rounded == 0 else rounded


def format_number(value: Decimal, decimals: int) -> str:
    """1234.5 -> '1,234.50' with two decimals."""
    return f"{round_half_away(value, decimals):,.{decimals}f}".replace("-", MINUS)


def format_amount(value: Decimal | None) -> str:
    """An amount with cents, without its currency; a dash for none."""
    return ABSENT if value is None else format_number(value, 2)


def format_money(value: Decimal, currency_code: str) -> str:
    """An amount with its currency."""
    return f"{currency_code} {format_amount(value)}"


def format_change(value: Decimal | None) -> str:
    """An amount with its sign, also if it is a plus."""
    if value is None:
        return ABSENT
    return f"+{format_amount(value)}" if round_half_away(value, 2) > 0 else format_amount(value)


def format_quantity(value: Decimal | None) -> str:
    """Whole quantities without decimals, others with two, small ones with three digits."""
    if value is None:
        return ABSENT
    if value == value.to_integral_value():
        return format_number(value, 0)
    return format_number(value, _decimals(value, 2))


def format_rate(value: Decimal | None) -> str:
    """Two to four decimals, more only where the rate is small."""
    if value is None:
        return ABSENT
    decimals = _decimals(value, MAX_RATE_DECIMALS)
    text = format_number(value, decimals)
    while text.endswith("0") and len(text) - text.index(".") > 3:
        text = text[:-1]
    return text


def is_same_rate(one: Decimal, other: Decimal) -> bool:
    """Whether two rates differ by less than half of the last digit that is shown."""
    decimals = _decimals(one, MAX_RATE_DECIMALS)
    return abs(one - other) * 2 < Decimal(1).scaleb(-decimals)


def _decimals(value: Decimal, usual: int) -> int:
    """As many as usual, or as a small value needs for its first significant digits."""
    if value == 0 or abs(value) >= 1:
        return usual
    return max(usual, SIGNIFICANT_DIGITS_OF_SMALL - 1 - value.adjusted())


def format_share(value: Decimal | None, decimals: int = 1) -> str:
    """A share of one as percent; a dash for none."""
    return ABSENT if value is None else f"{format_number(value * 100, decimals)}%"


def format_share_change(change: Decimal, base: Decimal) -> str | None:
    """A change in percent of what it changed from; None where that is zero."""
    if base == 0:
        return None
    share = round_half_away(change / abs(base), 3)
    return f"+{format_share(share)}" if share > 0 else format_share(share)


def format_date(value: date) -> str:
    """1 Mar 2026, in English on every machine."""
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}"


def format_time(value: datetime) -> str:
    """Date, hour and minute of a UTC time."""
    return f"{format_date(value)} {value:%H:%M} UTC"


def format_count(count: int, singular: str, plural: str | None = None) -> str:
    """'1 service', '3 services'."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def breakable(text: str) -> str:
    """The text with places to break inside words too long for a column."""

    def break_word(match: re.Match[str]) -> str:
        word = re.sub(r"([_/\\.@:-])(?=.)", rf"\1{ZERO_WIDTH_SPACE}", match.group())
        pieces = word.split(ZERO_WIDTH_SPACE)
        size = LONGEST_WORD
        chunks = [piece[i : i + size] for piece in pieces for i in range(0, len(piece), size)]
        return ZERO_WIDTH_SPACE.join(chunks)

    return re.sub(rf"[^\s{ZERO_WIDTH_SPACE}]{{{LONGEST_WORD + 1},}}", break_word, text)
