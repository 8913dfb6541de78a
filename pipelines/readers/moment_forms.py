"""SQL that turns dates, times and periods of a declared form into their canonical texts.

Forms that DuckDB's parser knows are left to it; names, twelve-hour clocks and zones that are
written as Z are read by a pattern. Another weekday and an hour that the clocks skip are said to be
that.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pipelines.contracts.periods import Periods
from pipelines.mappings.calendar_names import list_halves, list_months, list_weekdays
from pipelines.mappings.mapping import Mapping
from pipelines.mappings.moment_formats import MomentFormat, parse_format
from pipelines.readers.text_marks import (
    NO_SUCH_HOUR,
    OTHER_WEEKDAY,
    is_marked,
    literal,
    mark_expression,
)

EARLIEST_YEAR, LATEST_YEAR = 1000, 9999
ISO_TIME = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?"
CANONICAL_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
UTC = "UTC"
YEAR = "_year"
"""The column in which a record holds the year of its dates, where another column gives it."""


def date_form(name: str, mapping: Mapping, year: str | None) -> str:
    """SQL for a date in one of the declared forms; `year` is SQL for that of forms without one."""
    formats = [parse_format(text) for text in mapping.date_formats]
    tries = [_try_day(name, form, mapping, year, _write_day) for form in formats]
    return _first_of(name, tries, f"a date such as {_examples(formats, mapping)}")


def period_form(name: str, mapping: Mapping, year: str | None, periods: Periods) -> str:
    """SQL for a period, such as 2026-03, in one of the declared forms."""
    formats = [parse_format(text) for text in mapping.period_formats]
    tries = [
        _try_number(name, form, mapping, year)
        if form.group("P") is not None
        else _try_day(name, form, mapping, year, periods.of_day)
        for form in formats
    ]
    return _first_of(name, tries, f"a period such as {_examples(formats, mapping)}")


def ordered_date_form(name: str, mapping: Mapping) -> str:
    """SQL for a date whose parts stand in the declared order."""
    separator = mapping.date_separator
    # Without anything between them, only full widths say where a part ends.
    short = r"(\d{1,2})" if separator else r"(\d{2})"
    parts = {"y": r"(\d{2})" if mapping.century else r"(\d{4})", "m": short, "d": short}
    between = re.escape(separator)
    pattern = between.join(parts[part] for part in mapping.date_order)
    at = {part: mapping.date_order.index(part) + 1 for part in "ymd"}

    def group(part: str) -> str:
        return f"regexp_extract({name}, {literal(pattern)}, {at[part]})"

    year = f"{literal(str(mapping.century or ''))} || {group('y')}"
    iso = f"{year} || '-' || lpad({group('m')}, 2, '0') || '-' || lpad({group('d')}, 2, '0')"
    shown = {"y": "26" if mapping.century else "2026", "m": "03", "d": "31"}
    example = separator.join(shown[part] for part in mapping.date_order)
    return (
        f"case when {name} is null then null "
        f"when regexp_full_match({name}, {literal(pattern)}) "
        f"and try_cast({iso} as date) is not null then {iso} "
        f"else {mark_expression(name, f'a date such as {example}')} end"
    )


def time_form(name: str, mapping: Mapping, year: str | None) -> str:
    """SQL for a time in UTC, from one of the declared forms."""
    formats = [parse_format(text) for text in mapping.timestamp_formats]
    tries = []
    for form in formats:
        if form.is_read_by_pattern or form.group("Y", "y") is None:
            tries.append(_try_time(name, form, mapping, year))
        else:
            tries.append(_zoned_time(_parse(name, form, mapping.century), name, mapping.time_zone))
    expected = f"a time in the form {' or '.join(mapping.timestamp_formats)}"
    if any(form.has_names for form in formats):
        expected += f", such as {formats[0].example(mapping.named_languages())}"
    return _first_of(name, tries, expected)


def zoned_iso(name: str, zone: str) -> str:
    """ISO times without a zone are of the declared one; with a zone, and others, they stay."""
    if zone == UTC:
        return name
    moment = f"try_cast({name} as timestamp)"
    return (
        f"case when regexp_full_match({name}, {literal(ISO_TIME)}) and {moment} is not null "
        f"then coalesce({_zoned_time(moment, name, zone)}, {name}) else {name} end"
    )


def _first_of(name: str, tries: list[str], expected: str) -> str:
    return (
        f"case when {name} is null or {is_marked(name)} then {name} "
        f"else coalesce({', '.join(tries)}, {mark_expression(name, expected)}) end"
    )


def _examples(formats: list[MomentFormat], mapping: Mapping) -> str:
    return " or ".join(form.example(mapping.named_languages()) for form in formats)


class _Parts:
    """SQL for the parts of a text that fits one format."""

    def __init__(self, name: str, form: MomentFormat, mapping: Mapping, year: str | None) -> None:
        self.form, self.mapping, self.year_elsewhere = form, mapping, year
        self.languages = mapping.named_languages()
        self.pattern = f"^{form.pattern(self.languages)}$"
        self.name = name

    def fits(self) -> str:
        """SQL: whether the text has the form."""
        return f"regexp_matches({self.name}, {literal(self.pattern)})"

    def part(self, *directives: str) -> str:
        """SQL for the text of a part."""
        return (
            f"regexp_extract({self.name}, {literal(self.pattern)}, {self.form.group(*directives)})"
        )

    def spelled(self, *directives: str) -> str:
        """SQL for a name as it is compared."""
        return f"rtrim(strip_accents(lower({self.part(*directives)})), '.')"

    def month(self) -> str:
        if self.form.group("m") is not None:
            return f"lpad({self.part('m')}, 2, '0')"
        cases = " ".join(
            f"when {literal(text)} then '{number:02d}'"
            for text, number in list_months(self.languages).items()
        )
        return f"case {self.spelled('B', 'b')} {cases} end"

    def year(self) -> str:
        if self.form.group("Y") is not None:
            return self.part("Y")
        if self.form.group("y") is not None:
            return f"'{self.mapping.century}' || {self.part('y')}"
        first = self.mapping.year_from.first_month if self.mapping.year_from else 1
        text = self.year_elsewhere or "null"
        if first == 1:
            return f"({text})"
        later = f"cast(try_cast({text} as integer) + 1 as varchar)"
        return f"case when {self.month()} < '{first:02d}' then {later} else {text} end"

    def day(self) -> str:
        """SQL for the date, NULL where there is none."""
        day = "'01'" if self.form.group("d") is None else f"lpad({self.part('d')}, 2, '0')"
        iso = f"({self.year()}) || '-' || ({self.month()}) || '-' || {day}"
        return f"try_cast({iso} as date)"

    def has_its_weekday(self) -> str:
        """SQL: whether the day falls on the weekday that the text names, if it names one."""
        if self.form.group("A", "a") is None:
            return "true"
        cases = " ".join(
            f"when {literal(text)} then isodow({self.day()}) in ({_list(days)})"
            for text, days in list_weekdays(self.languages).items()
        )
        return f"case {self.spelled('A', 'a')} {cases} end"

    def clock(self) -> str:
        """SQL for the time of the day as HH:MM:SS.f, NULL where there is none."""
        hour = "'00'"
        if self.form.group("H") is not None:
            hour = f"lpad({self.part('H')}, 2, '0')"
        elif self.form.group("I") is not None:
            hour = self._hour_of_half()
        minute = self.part("M") if self.form.group("M") is not None else "'00'"
        second = self.part("S") if self.form.group("S") is not None else "'00'"
        text = f"{hour} || ':' || {minute} || ':' || {second}"
        if self.form.group("f") is not None:
            text += f" || '.' || left({self.part('f')}, 6)"
        return text

    def _hour_of_half(self) -> str:
        halves = list_halves(self.languages)
        spelled = f"regexp_replace({self.spelled('p')}, '[\\x{{00A0}}\\x{{202F}}]', ' ')"
        cases = " ".join(f"when {literal(t)} then {12 * n}" for t, n in halves.items())
        number = f"try_cast({self.part('I')} as integer)"
        return (
            f"case when {number} between 1 and 12 "
            f"then lpad(cast({number} % 12 + case {spelled} {cases} end as varchar), 2, '0') end"
        )

    def offset(self) -> str:
        """SQL for the zone as +HH:MM."""
        digits = f"replace({self.part('z')}, ':', '')"
        return (
            f"case when {digits} = 'Z' then '+00:00' else left({digits}, 3) || ':' || "
            f"rpad(substr({digits}, 4), 2, '0') end"
        )


def _write_day(day: str) -> str:
    return f"strftime({day}, '%Y-%m-%d')"


def _try_number(name: str, form: MomentFormat, mapping: Mapping, year: str | None) -> str:
    """SQL for the id of a period that a text names by its number in the fiscal year."""
    parts = _Parts(name, form, mapping, year)
    number = f"lpad({parts.part('P')}, 2, '0')"
    return f"case when {parts.fits()} then ({parts.year()}) || '-P' || {number} end"


def _try_day(
    name: str,
    form: MomentFormat,
    mapping: Mapping,
    year: str | None,
    write: Callable[[str], str],
) -> str:
    parts = _Parts(name, form, mapping, year)
    day = parts.day()
    weekday = mark_expression(name, "the weekday of that date", OTHER_WEEKDAY)
    wrong = f"when not {parts.has_its_weekday()} then {weekday} "
    return (
        f"case when {parts.fits()} and {day} is not null then case "
        f"{wrong if form.group('A', 'a') is not None else ''}"
        f"when {parts.has_its_weekday()} then {write(day)} end end"
    )


def _try_time(name: str, form: MomentFormat, mapping: Mapping, year: str | None) -> str:
    parts = _Parts(name, form, mapping, year)
    text = f"strftime({parts.day()}, '%Y-%m-%d') || 'T' || {parts.clock()}"
    if form.group("z") is not None:
        moment = f"try_cast({text} || {parts.offset()} as timestamptz) at time zone 'UTC'"
        read = _say_time(moment)
    else:
        read = _zoned_time(f"try_cast({text} as timestamp)", name, mapping.time_zone)
    weekday = mark_expression(name, "the weekday of that date", OTHER_WEEKDAY)
    wrong = f"when not {parts.has_its_weekday()} then {weekday} "
    return (
        f"case when {parts.fits()} then case "
        f"{wrong if form.group('A', 'a') is not None else ''}"
        f"when {parts.has_its_weekday()} then {read} end end"
    )


def _list(numbers: frozenset[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))


def _parse(name: str, form: MomentFormat, century: int | None) -> str:
    # The parser passes over spaces at the beginning, and lets a year of two digits be one.
    text = f"case when {name} = trim({name}) then {name} end"
    parsed = f"try_strptime({text}, {literal(form.text)})"
    if century is None or form.group("y") is None:
        return parsed
    # It takes 69 to 99 for the last century, whatever the mapping says.
    moved = f"{parsed} + to_years(100 * ({century} - cast(year({parsed}) as integer) // 100))"
    # 29 February 2000 has no day a hundred years before.
    return f"case when day({moved}) = day({parsed}) then {moved} end"


def _say_time(time: str) -> str:
    is_year = f"year({time}) between {EARLIEST_YEAR} and {LATEST_YEAR}"
    return f"case when {is_year} then strftime({time}, '{CANONICAL_TIME}') end"


def _zoned_time(time: str, name: str, zone: str | None) -> str:
    """SQL for a time without zone in UTC; marked where the clocks of the zone skip it."""
    if zone is None or zone == UTC:
        return _say_time(time)
    moment = f"timezone({literal(zone)}, {time})"
    exists = f"timezone({literal(zone)}, {moment}) = {time}"
    utc = f"{moment} at time zone 'UTC'"
    expected = f"a time that there is in {zone}: its clocks skip this one"
    skipped = mark_expression(name, expected, NO_SUCH_HOUR)
    return f"case when {exists} then {_say_time(utc)} when {time} is not null then {skipped} end"
