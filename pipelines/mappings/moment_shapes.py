"""In which format the dates, times and periods of a column are written.

A text is taken apart into numbers and words; words are names of months, weekdays and halves of the
day in the languages of exports, four digits are a year. One format that every text fits is sure. A
day before or after a month by number is not decided here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.mappings.calendar_names import load_calendar_names, normalise

PERIOD_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])"), "%Y%m"),
    (re.compile(r"(19|20)\d\d/(0?[1-9]|1[0-2])"), "%Y/%m"),
    (re.compile(r"(19|20)\d\d\.(0?[1-9]|1[0-2])"), "%Y.%m"),
    (re.compile(r"(0?[1-9]|1[0-2])/(19|20)\d\d"), "%m/%Y"),
    (re.compile(r"(0?[1-9]|1[0-2])\.(19|20)\d\d"), "%m.%Y"),
    (re.compile(r"(0?[1-9]|1[0-2])-(19|20)\d\d"), "%m-%Y"),
    (re.compile(r"0(0[1-9]|1[0-2])\.(19|20)\d\d"), "0%m.%Y"),
    (re.compile(r"0(0[1-9]|1[0-2])/(19|20)\d\d"), "0%m/%Y"),
)
DAY_AND_MONTH = re.compile(r"(0?[1-9]|[12]\d|3[01])(0[1-9]|1[0-2])")
TOKENS = re.compile(r"\d+|[^\W\d_]+\.?|[\W_]+")
MOST_TEXTS = 200


@dataclass(frozen=True)
class NamedFormat:
    """A format with names in it, and the languages that they are of."""

    format: str
    languages: tuple[str, ...]
    also: tuple[str, ...] = ()
    """Other formats that some of the texts have."""


def find_period_format(texts: Sequence[str]) -> NamedFormat | None:
    """The format of months that all texts have: in numbers, or with the name of the month."""
    if not texts:
        return None
    for pattern, form in PERIOD_FORMS:
        if all(pattern.fullmatch(text) for text in texts):
            return NamedFormat(form, ())
    named = find_named_format(texts)
    if named is not None and "%d" not in named.format and "%H" not in named.format:
        return named
    return None


def is_day_and_month(texts: Sequence[str]) -> bool:
    """Whether all texts are a day and a month without a year, such as 1501 or 3112."""
    return bool(texts) and all(DAY_AND_MONTH.fullmatch(text) for text in texts)


def find_named_format(texts: Sequence[str]) -> NamedFormat | None:
    """The one format with a month by name that all texts have."""
    languages: set[str] | None = None
    form: str | None = None
    for text in texts[:MOST_TEXTS]:
        found = _read_named(text)
        if found is None or (form is not None and found[0] != form):
            return None
        form = found[0]
        # A month such as April is one in several languages; others settle which it is.
        languages = found[1] if languages is None else languages & found[1]
    if form is None or not languages:
        return None
    chosen = min(languages, key=("en", "de", "fr", "es").index)
    return NamedFormat(form, () if chosen == "en" else (chosen,))


def _read_named(text: str) -> tuple[str, set[str]] | None:
    """(format, languages whose names it has) of one text; None where it names no month."""
    parts: list[str] = []
    languages: set[str] = set(load_calendar_names())
    has_month = False
    for token in TOKENS.findall(text.strip()):
        if token.isdigit() or not any(char.isalpha() for char in token):
            parts.append(token)
            continue
        word = normalise(token)
        calendars = load_calendar_names().items()
        kinds = {
            "%b": {key for key, calendar in calendars if _is_in(word, calendar.months)},
            "%a": {key for key, calendar in calendars if _is_in(word, calendar.weekdays)},
            "%p": {key for key, _ in calendars if word in ("am", "pm")},
        }
        kind = next((k for k, found in kinds.items() if found and k not in parts), None)
        if kind is None and word in ("t", "st", "nd", "rd", "th"):
            parts.append("" if word != "t" else "T")
            continue
        if kind is None or (kind == "%b" and has_month):
            return None
        has_month |= kind == "%b"
        languages &= kinds[kind]
        parts.append(kind + ("." if token.endswith(".") and kind != "%b" else ""))
    form = _name_numbers(parts) if has_month else None
    return (form, languages) if form is not None and languages else None


def _is_in(word: str, groups: Sequence[Sequence[str]]) -> bool:
    return any(word == normalise(text) for group in groups for text in group)


def _name_numbers(parts: list[str]) -> str | None:
    """The format, with the numbers beside the name of a month as day, year and time."""
    result: list[str] = []
    names = ["%H", "%M", "%S", "%f"]
    is_twelve = "%p" in parts
    has_day = has_year = in_time = False
    for index, part in enumerate(parts):
        if not part.isdigit():
            result.append(part.replace("%", "%") if part.startswith("%") else part)
            in_time = in_time and part in (":", ".", ",")
            continue
        follows = parts[index + 1] if index + 1 < len(parts) else ""
        if in_time or follows.startswith(":"):
            name = names.pop(0) if names else None
            if name is None:
                return None
            result.append("%I" if name == "%H" and is_twelve else name)
            in_time = True
        elif len(part) == 4 and not has_year:
            result.append("%Y")
            has_year = True
        elif len(part) <= 2 and not has_day and not _is_year(parts, index, has_day=has_day):
            result.append("%d")
            has_day = True
        elif len(part) == 2 and not has_year:
            result.append("%y")
            has_year = True
        else:
            return None
    return "".join(result) if has_year else None


def _is_year(parts: list[str], index: int, *, has_day: bool) -> bool:
    """Whether a number of two digits is the year: it is the only number of a date, behind the
    name of its month, as in Jan-26."""
    others = [
        number
        for number, part in enumerate(parts)
        if part.isdigit()
        and number != index
        and not (parts[number + 1 : number + 2] or [""])[0].startswith(":")
    ]
    months = [number for number, part in enumerate(parts) if part.startswith("%b")]
    return not has_day and not others and bool(months) and months[0] < index
