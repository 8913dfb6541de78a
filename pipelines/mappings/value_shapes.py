"""What the texts of a column look like: dates of which order, numbers with which decimal mark.

Nothing is decided by majority: a form that another reading fits as well is reported as open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache

from pipelines.mappings.column_hints import load_forms
from pipelines.mappings.moment_shapes import (
    NamedFormat,
    find_named_format,
    find_period_format,
    is_day_and_month,
)

SURE_NULLS = ("NULL", "null", "N/A", "#N/A", "n/a", "\\N", "?", "(null)", "#NV")
NUMBER = re.compile(r"(?:\d{1,3}(?:[.,' \u00a0\u202f]\d{3})+|\d+)?(?:[.,]\d+)?")
EXPONENT = re.compile(r"(-?\d+(?:[.,]\d+)?)[eE]([+-]?\d{1,2})")
ENGINE_DECIMALS = 12
SPACES = "' \u00a0\u202f"
"""Marks that only ever stand between groups of digits."""
NEGATIVES = {
    "trailing": re.compile(r"(.*\d)-"),
    "parentheses": re.compile(r"\((.+)\)"),
    "cr_dr": re.compile(
        r"(.*\d(?= ?(?:CR|DR|Cr|Dr|cr|dr)$)|.*[.,]\d\d(?= ?[CDHSK]$)) ?(?P<side>[A-Za-z]{1,2})"
    ),
    "leading": re.compile(r"-(.+)"),
}
ISO_DATE = re.compile(r"\d{4}(?P<mark>[-/.]?)(?:0[1-9]|1[0-2])(?P=mark)(?:0[1-9]|[12]\d|3[01])")
ISO_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?P<seconds>:\d\d(?:\.\d+)?)?"
    r"(?P<zone> ?(?:Z|UTC)|[+-]\d\d(?::?\d\d)?)?"
)
OTHER_DATE = re.compile(
    r"(?P<first>\d{1,2})(?P<mark>[./-])(?P<second>\d{1,2})(?P=mark)(?P<year>\d{4}|\d{2})"
    r"(?P<time>,?[ T]\d{1,2}:\d\d(?P<seconds>:\d\d)?(?P<half> ?[AaPp][Mm])?)?"
)
ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d")
PERIOD = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}")
CURRENCY = re.compile(r"[A-Z]{3}")
BOOLEANS = {"true": "true", "false": "false", "yes": "true", "no": "false", "y": "true",
            "n": "false", "ja": "true", "nein": "false", "t": "true", "f": "false"}  # fmt: skip


@dataclass(frozen=True)
class DateShape:
    """How the dates of a column are written."""

    orders: frozenset[str]
    """Every order that all dates fit: one is sure, two are open, none is a contradiction."""
    separator: str
    time_format: str | None
    """strptime form of the time behind the date, None where the column holds days or ISO times."""
    has_time: bool
    has_short_year: bool
    iso_format: str | None = None
    """strptime form of ISO times, which need none unless another form is declared beside them."""
    has_zone: bool = False
    """Whether all times name their zone."""
    named: NamedFormat | None = None
    """The format, where months are named or where there is no year."""


@dataclass(frozen=True)
class NumberShape:
    """How the numbers of a column are written."""

    decimal_marks: frozenset[str]
    """Marks that some number proves to stand before its decimals."""
    thousands_marks: frozenset[str]
    negative_forms: frozenset[str]
    open_examples: tuple[str, ...]
    """Numbers such as 1.234 that are one thing with one mark and another with the other."""
    has_exponents: bool = False
    """Whether some are written as 1.5E-7."""
    has_many_decimals: bool = False
    """Whether some have more decimals than the engine keeps."""
    currency_marks: frozenset[str] = frozenset()
    """Signs and codes of currencies that stand in numbers."""
    sides: frozenset[str] = frozenset()
    """Texts behind numbers that say debit or credit, such as CR; the empty text where some have
    none."""


@dataclass(frozen=True)
class ColumnShape:
    """What the filled texts of a column are."""

    filled: int
    total: int
    distinct: tuple[str, ...]
    """The first different texts, at most 40."""
    is_unique: bool
    number_share: float
    whole_share: float
    date_share: float
    period_share: float
    code_share: float
    currency_share: float
    boolean_share: float
    json_share: float
    date: DateShape | None
    number: NumberShape | None
    period: NamedFormat | None = None
    """The format of months, where they are not written as 2026-03."""
    has_spaces: bool = False
    """Whether spaces stand around some values."""
    has_tabs: bool = False
    """Whether tabs or other blanks than spaces stand around some values."""
    is_day_and_month: bool = False
    """Whether all are a day and a month without a year, such as 1501."""
    has_decimals: bool = False
    """Whether all are numbers and some have decimals."""
    negative_share: float = 0.0
    """Share of the numbers that are negative."""
    variety: float = 0.0
    """Different values among the filled ones, as a share."""

    @property
    def filled_share(self) -> float:
        return self.filled / self.total if self.total else 0.0


def find_null_tokens(columns: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Texts of the file that elsewhere mean 'no value'."""
    found = {text for texts in columns for text in texts if text in SURE_NULLS}
    return tuple(sorted(found))


def describe_column(texts: Sequence[str], null_tokens: Sequence[str]) -> ColumnShape:
    """The shape of one column."""
    values = [text.strip() for text in texts if text.strip() and text not in null_tokens]
    numbers = [value for value in values if read_number_parts(value) is not None]
    dates = [value for value in values if _is_date(value)]
    share = 1 / len(values) if values else 0.0
    different = tuple(dict.fromkeys(values))
    plain = [value for value in different if _is_date(value)]
    named = None
    if not numbers and all(ISO_DAY.fullmatch(value) for value in plain):
        named = find_named_format([value for value in different if value not in plain])
    if named is not None and plain:
        named = replace(named, also=("%Y-%m-%d",))
    period_share = sum(bool(PERIOD.fullmatch(value)) for value in values) * share
    period = find_period_format(different) if period_share < 1 else None
    date_share, date = len(dates) * share, _describe_dates(dates) if dates else None
    if named is not None and "%d" in named.format:
        date_share, date = 1.0, _describe_named(named)
    return ColumnShape(
        filled=len(values),
        total=len(texts),
        distinct=different[:40],
        is_unique=len(different) == len(texts),
        number_share=len(numbers) * share,
        whole_share=sum(bool(re.fullmatch(r"-?\d{1,18}", value)) for value in values) * share,
        date_share=date_share,
        period_share=1.0 if period is not None else period_share,
        code_share=sum(bool(CODE.fullmatch(value)) for value in values) * share,
        currency_share=sum(bool(CURRENCY.fullmatch(value)) for value in values) * share,
        boolean_share=sum(value.lower() in BOOLEANS for value in values) * share,
        json_share=sum(value[0] == "{" for value in values) * share,
        date=date,
        number=describe_numbers(numbers) if numbers else None,
        period=period,
        has_spaces=any(text != text.strip(" ") for text in texts if text.strip()),
        has_tabs=any(text.strip(" ") != text.strip() for text in texts if text.strip()),
        is_day_and_month=is_day_and_month(different),
        has_decimals=bool(numbers)
        and len(numbers) == len(values)
        and any("." in number or "," in number for number in numbers),
        negative_share=sum(bool((read_number_parts(n) or ("", ""))[1]) for n in numbers)
        / max(1, len(numbers)),
        variety=len(different) * share,
    )


def read_number_parts(text: str) -> tuple[str, str] | None:
    """(digits with their marks, negative form or the empty text); None where it is no number."""
    if EXPONENT.fullmatch(text):
        return text.lstrip("-"), "leading" if text.startswith("-") else ""
    text = split_currency_mark(text)[0]
    for form, pattern in NEGATIVES.items():
        found = pattern.fullmatch(text)
        if found:
            inner = found[1].strip()
            return (inner, form) if inner and NUMBER.fullmatch(inner) else None
    return (text, "") if text and NUMBER.fullmatch(text) else None


def split_currency_mark(text: str) -> tuple[str, str | None]:
    """(the number without the sign or code of a currency that stands in it, that mark)."""
    if text[:1].isdigit() and text[-1:].isdigit():
        return text, None
    before, after = _mark_patterns()
    found = before.match(text)
    if found:
        return found["sign"] + text[found.end() :], found["mark"]
    found = after.search(text)
    if found:
        return text[: found.start()] + found["sign"], found["mark"]
    return text, None


@cache
def _mark_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A mark at the beginning and one at the end; what says the sign may stand outside of it."""
    currencies = load_forms().currencies
    marks = sorted({*currencies.codes, *currencies.signs}, key=len, reverse=True)
    named = f"(?P<mark>{'|'.join(map(re.escape, marks))})"
    space = r"[ \u00a0\u2009\u202f]*"
    return (
        re.compile(rf"(?P<sign>[(-]?){space}{named}{space}(?=[(\d.,-])"),
        re.compile(rf"(?<=[\d.)]){space}{named}(?P<sign>[)-]?| ?(?:CR|DR|Cr|Dr|cr|dr))$"),
    )


def describe_numbers(numbers: Sequence[str]) -> NumberShape:
    """Marks and negative forms that the numbers prove, and those that they leave open."""
    decimals: set[str] = set()
    thousands: set[str] = set()
    forms: set[str] = set()
    open_examples: list[str] = []
    currency_marks = {mark for text in numbers if (mark := split_currency_mark(text)[1])}
    sides = {_find_side(text) for text in numbers}
    for text in numbers:
        digits, form = read_number_parts(text) or (text, "")
        forms |= {form} - {""}
        thousands |= {mark for mark in SPACES if mark in digits}
        used = [mark for mark in ".," if mark in digits]
        if len(used) == 2:
            last = max(used, key=digits.rfind)
            decimals.add(last)
            thousands |= set(used) - {last}
        elif used and digits.count(used[0]) > 1:
            thousands.add(used[0])
        elif used:
            whole, _, rest = digits.partition(used[0])
            if len(rest) == 3 and 1 <= len(whole) <= 3 and whole != "0":
                open_examples.append(text)
            else:
                decimals.add(used[0])
    return NumberShape(
        frozenset(decimals),
        frozenset(thousands),
        frozenset(forms),
        tuple(open_examples[:3]),
        any(EXPONENT.fullmatch(text) for text in numbers),
        any(_count_decimals(text) > ENGINE_DECIMALS for text in numbers),
        frozenset(currency_marks),
        frozenset(sides) if sides != {""} else frozenset(),
    )


def _find_side(text: str) -> str:
    """The text behind a number that says debit or credit; the empty text where none does."""
    found = NEGATIVES["cr_dr"].fullmatch(split_currency_mark(text)[0])
    return found["side"] if found else ""


def _count_decimals(text: str) -> int:
    """How many decimals a number has that say something, written out."""
    if EXPONENT.fullmatch(text):
        exponent = Decimal(text.replace(",", ".")).normalize().as_tuple().exponent
        return -exponent if isinstance(exponent, int) else 0
    digits, _ = read_number_parts(text) or (text, "")
    _, *rest = re.split(r"[.,]", digits)
    return len(rest[-1].rstrip("0")) if rest else 0


def _is_date(text: str) -> bool:
    return any(form.fullmatch(text) for form in (ISO_DATE, ISO_TIME, OTHER_DATE))


def _describe_named(named: NamedFormat) -> DateShape:
    has_time = "%H" in named.format or "%I" in named.format
    has_short_year = "%y" in named.format
    return DateShape(
        frozenset({"ymd", "dmy", "mdy"}), "", None, has_time, has_short_year, named=named
    )


def describe_day_and_month() -> DateShape:
    """The shape of days without a year."""
    return _describe_named(NamedFormat("%d%m", ()))


def _describe_dates(dates: Sequence[str]) -> DateShape:
    orders, separator, time_format = {"ymd", "dmy", "mdy"}, "-", None
    has_time = has_short_year = False
    has_zone = True
    iso_format = None
    for text in dates:
        if found := ISO_DATE.fullmatch(text):
            orders &= {"ymd"}
            separator = found["mark"]
        elif found := ISO_TIME.fullmatch(text):
            orders &= {"ymd"}
            has_time = True
            has_zone &= found["zone"] is not None
            between = "T" if "T" in text[:11] else " "
            if found["seconds"] is None:
                time_format = f"%Y-%m-%d{between}%H:%M{_name_zone(found['zone'])}"
            else:
                seconds = "%S.%f" if "." in found["seconds"] else "%S"
                iso_format = f"%Y-%m-%d{between}%H:%M:{seconds}{_name_zone(found['zone'])}"
        elif found := OTHER_DATE.fullmatch(text):
            orders &= _list_orders(found)
            separator = found["mark"]
            has_short_year |= len(found["year"]) == 2
            if found["time"]:
                has_time = True
                has_zone = False
                time_format = _name_time(found)
    return DateShape(
        frozenset(orders),
        separator,
        time_format,
        has_time,
        has_short_year,
        iso_format,
        has_zone=has_time and has_zone,
    )


def _name_time(found: re.Match[str]) -> str:
    """The format of the time behind a date."""
    between = re.match(r"\D*", found["time"])
    seconds = ":%S" if found["seconds"] else ""
    half = found["half"]
    hour = "%H" if half is None else "%I"
    behind = "" if half is None else " %p" if half.startswith(" ") else "%p"
    return f"{between[0] if between else ' '}{hour}:%M{seconds}{behind}"


def _name_zone(zone: str | None) -> str:
    if zone is None:
        return ""
    return zone if zone.endswith(("Z", "UTC")) else "%z"


def _list_orders(found: re.Match[str]) -> set[str]:
    # Points stand between day and month only where the day comes first.
    if found["mark"] == "." or int(found["first"]) > 12:
        return {"dmy"}
    return {"mdy"} if int(found["second"]) > 12 else {"dmy", "mdy"}
