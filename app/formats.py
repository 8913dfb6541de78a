"""How figures, periods and names are written on a page; the only place that makes percent.

Assumes amounts as Decimal (or integers) in the reporting currency. Guarantees that a number never
appears without its unit, that a missing figure is a dash and never a zero, and that text from
data is escaped before it reaches Markdown or HTML. Rounds half away from zero, for display only.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pipelines.readable_text import show_text

MISSING = "—"
GAP = "\u00a0"
"""Between a number and its unit: a space at which no line breaks."""

SHARE_IN_PERCENT = "%.1f %%"
"""Printf format of a numeric column made by to_percent_of."""

CHANGE_IN_PERCENT = "%+.1f %%"
"""Printf format of a numeric column made by to_percent_points."""

Number = Decimal | int | float
"""Floats come only from figures that are not money, such as medians of minutes."""

_SCALES = ((Decimal(10) ** 9, "bn", 2), (Decimal(10) ** 6, "M", 2), (Decimal(10) ** 3, "k", 1))
_SMALLEST_SCALED = Decimal(10_000)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MARKDOWN_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~$:&^=-])")
_LINE_BREAKS = re.compile(r"[ \t\r\n]+")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def to_decimal(value: Any) -> Decimal | None:
    """A cell of a frame as Decimal; None for whatever stands for a missing figure."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, Decimal):
        return None if value.is_nan() else value
    if isinstance(value, int | float):
        return Decimal(str(value))
    try:
        text = str(value)
        return None if text in {"<NA>", "NaT", "nan"} else Decimal(text)
    except ArithmeticError:
        return None


def round_half_up(value: Decimal, places: int) -> Decimal:
    """`value` with `places` digits after the point, half away from zero."""
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def format_number(value: Number | None, places: int = 0) -> str:
    """1,234.50"""
    number = to_decimal(value)
    if number is None:
        return MISSING
    rounded = round_half_up(number, places)
    return f"{rounded if rounded else abs(rounded):,.{places}f}"


def format_scaled(value: Number | None) -> str:
    """A large number in three or four digits: 1.24 M, 312.4 k, 845.10."""
    number = to_decimal(value)
    if number is None:
        return MISSING
    for scale, suffix, places in _SCALES:
        scaled = round_half_up(number / scale, places)
        is_large_enough = abs(number) >= _SMALLEST_SCALED or scale > 1000
        if abs(scaled) >= 1 and is_large_enough:
            return f"{scaled:,.{places}f}{GAP}{suffix}"
    return format_number(number, 2)


def format_amount(value: Number | None, currency: str) -> str:
    """An amount for a headline: 1.24 M EUR, 312.4 k EUR, 845.10 EUR."""
    text = format_scaled(value)
    return text if text == MISSING else f"{text}{GAP}{currency}"


def format_exact(value: Number | None, currency: str) -> str:
    """An amount to the cent: 1,240,312.07 EUR."""
    text = format_number(value, 2)
    return text if text == MISSING else f"{text}{GAP}{currency}"


def format_signed(value: Number | None, currency: str) -> str:
    """A change of an amount: +12.3 k EUR, -845.10 EUR, 0.00 EUR."""
    number = to_decimal(value)
    if number is None:
        return MISSING
    sign = "+" if number > 0 else ""
    return f"{sign}{format_amount(number, currency)}"


def format_rate(value: Number | None, currency: str = "") -> str:
    """A unit cost with at least three significant digits: 58.20 EUR, 0.0421 EUR."""
    number = to_decimal(value)
    if number is None:
        return MISSING
    places = 2
    if number and abs(number) < 1:
        places = min(10, 2 - number.adjusted())
    text = format_number(number, places)
    return f"{text}{GAP}{currency}" if currency else text


def format_quantity(value: Number | None, unit: str = "") -> str:
    """A quantity with its unit: 1.24 M GB-month, 312 seats."""
    number = to_decimal(value)
    if number is None:
        return MISSING
    is_whole = number == number.to_integral_value()
    small = format_number(number, 0 if is_whole else 1)
    text = format_scaled(number) if abs(number) >= _SMALLEST_SCALED else small
    return f"{text}{GAP}{unit}" if unit else text


def compute_change(current: Number | None, previous: Number | None) -> Decimal | None:
    """Relative change, 0.031 for 3.1 % more; None where there is nothing to compare with, and from
    a credit to a cost or back, of which no percentage says anything."""
    now, before = to_decimal(current), to_decimal(previous)
    if now is None or before is None or before == 0 or now * before < 0:
        return None
    return (now - before) / abs(before)


def format_share(share: Number | None, places: int = 1) -> str:
    """A share of one as percent: 12.3 %."""
    number = to_decimal(share)
    return MISSING if number is None else f"{format_number(number * 100, places)}{GAP}%"


def scale_share(share: Number | None, unit_code: str) -> Decimal | None:
    """A share of one in the unit of a reference figure: times 100 where that is percent."""
    number = to_decimal(share)
    if number is None:
        return None
    return number * 100 if unit_code.lower() in {"percent", "%"} else number


def format_change(current: Number | None, previous: Number | None) -> str:
    """A relative change with its sign: +3.1 %, -0.4 %, 0.0 %."""
    change = compute_change(current, previous)
    if change is None:
        return MISSING
    percent = round_half_up(change * 100, 1)
    sign = "+" if percent > 0 else ""
    return f"{sign}{format_number(percent, 1)}{GAP}%"


def to_percent_points(current: Number | None, previous: Number | None) -> float | None:
    """A relative change for a numeric column: 3.1 for 3.1 % more; see CHANGE_IN_PERCENT."""
    change = compute_change(current, previous)
    return None if change is None else float(round_half_up(change * 100, 1))


def to_percent_of(part: Number | None, whole: Number | None) -> float | None:
    """A part of a whole for a numeric column: 12.3 for 12.3 %; see SHARE_IN_PERCENT."""
    top, bottom = to_decimal(part), to_decimal(whole)
    return None if top is None or not bottom else float(round_half_up(top / bottom * 100, 1))


def describe_against(
    current: Number | None, reference: Number | None, name: str, currency: str = ""
) -> str:
    """'3.2 % over budget', '0.4 % under budget', 'on budget', or '' without a reference. Where a
    percentage says nothing and a `currency` is given, '12.3 k EUR over budget'."""
    change = compute_change(current, reference)
    if change is None:
        now, base = to_decimal(current), to_decimal(reference)
        if now is None or base is None or not currency:
            return ""
        amount = format_amount(abs(now - base), currency)
        return (
            f"{amount} {'over' if now > base else 'under'} {name}" if now != base else f"on {name}"
        )
    percent = round_half_up(change * 100, 1)
    if not percent:
        return f"on {name}"
    side = "over" if percent > 0 else "under"
    return f"{format_number(abs(percent), 1)}{GAP}% {side} {name}"


def format_period(period_id: str) -> str:
    """'Mar 2026' of '2026-03', 'P03 2026' of '2026-P03'; anything else stays as it is."""
    if fiscal := re.fullmatch(r"(\d{4})-(P\d{2})", period_id):
        return f"{fiscal[2]}{GAP}{fiscal[1]}"
    match = re.fullmatch(r"(\d{4})-(\d{2})", period_id)
    if not match or not 1 <= int(match[2]) <= 12:
        return period_id
    return f"{_MONTHS[int(match[2]) - 1]}{GAP}{match[1]}"


def name_step(period_id: str) -> str:
    """What a period is called for people: the month, or the period of another calendar."""
    return "period" if "-P" in period_id else "month"


def format_duration(minutes: Number | None) -> str:
    """Minutes as people say them: 45 min, 4 h 12 min, 3 d 4 h."""
    number = to_decimal(minutes)
    if number is None:
        return MISSING
    whole = int(round_half_up(number, 0))
    if whole < 60:
        return f"{whole}{GAP}min"
    hours, rest = divmod(whole, 60)
    if hours < 24:
        return f"{hours}{GAP}h {rest}{GAP}min" if rest else f"{hours}{GAP}h"
    days, hours = divmod(hours, 24)
    return f"{days}{GAP}d {hours}{GAP}h" if hours else f"{days}{GAP}d"


def format_hours(hours: Number | None) -> str:
    """Hours of work: 27.1 h."""
    text = format_number(hours, 1)
    return text if text == MISSING else f"{text}{GAP}h"


def format_count(count: int, singular: str, plural: str | None = None) -> str:
    """'1 service', '12 services'."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def to_text(value: Any) -> str:
    """A cell of a frame as text; nothing for whatever stands for a missing one."""
    return value if isinstance(value, str) else ""


def choose_places(values: Iterable[Any]) -> int:
    """Digits after the point for a column of amounts: cents where the largest is small."""
    sizes = [abs(number) for number in map(to_decimal, values) if number is not None]
    largest = max(sizes, default=Decimal(0))
    return 2 if largest < _SMALLEST_SCALED else 0


def escape_markdown(text: Any) -> str:
    """Text from data, so that Markdown shows it as it is: no links, formulas, icons or HTML, and
    hidden characters written out."""
    shown = show_text(_LINE_BREAKS.sub(" ", str(text)))
    return _MARKDOWN_SPECIAL.sub(r"\\\1", shown)


def neutralise_formula(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula, with an apostrophe in front; numbers stay."""
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value
