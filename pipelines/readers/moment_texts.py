"""SQL over the texts of dates and times in canonical form: what is derived from a day.

The checks of a field say what is wrong with a date; here it only has to be one. A derived text of a
date that is none is marked, so that the record says what was expected.
"""

from __future__ import annotations

from pipelines.contracts.contract import ContractField, FieldType
from pipelines.contracts.periods import Periods
from pipelines.readers.text_marks import is_marked, mark_expression

FORMS: dict[str, str] = {"date": "%Y-%m-%d", "timestamp": "%Y-%m-%dT%H:%M:%SZ"}


def period_of_moment(name: str, kind: FieldType, periods: Periods) -> str:
    """SQL for the period, such as 2026-03, of a date or of a time in UTC."""
    return _derive(name, kind, periods.of_day(_moment(name, kind)), "the period")


def derived_time(name: str, source: ContractField, point: str, target: ContractField) -> str:
    """SQL for the point in time that follows from a period, date or time in UTC, as a text for the
    field `target`. Of a period the month is the period, whatever its days are."""
    kind, periods = source.type, source.periods
    if kind == "period" and not periods.are_months:
        return _derive_from_period(name, periods, point, target)
    day = f"cast({_moment(name, kind)} as date)"
    moment = {
        "month_start": f"date_trunc('month', {day})",
        "month_last_day": f"last_day({day})",
        "next_month": f"date_trunc('month', {day}) + interval 1 month",
        "next_day": f"{day} + interval 1 day",
    }[point]
    return _derive(name, kind, f"strftime({moment}, '{FORMS[target.type]}')", target.name)


def _derive_from_period(name: str, periods: Periods, point: str, target: ContractField) -> str:
    first, after = periods.first_day(name), periods.day_after(name)
    day = {
        "month_start": first,
        "month_last_day": f"({after}) - interval 1 day",
        "next_month": after,
        "next_day": f"({first}) + interval 1 day",
    }[point]
    other = mark_expression(name, f"a period of the calendar to derive {target.name} from")
    return (
        f"case when {name} is null or {is_marked(name)} then {name} "
        f"when ({first}) is null then {other} else strftime({day}, '{FORMS[target.type]}') end"
    )


def day_after(name: str, kind: FieldType) -> str:
    """SQL for the day after a last day. A time within a day is no day, and misread."""
    moment = _moment(name, kind)
    after = f"strftime({moment} + interval 1 day, '{FORMS[kind]}')"
    is_day = f"cast({moment} as timestamp) = date_trunc('day', {moment})"
    other = mark_expression(name, "a last day without a time of day")
    return (
        f"case when not ({_is_moment(name, kind)}) then {name} "
        f"when {is_day} then {after} else {other} end"
    )


def _derive(name: str, kind: FieldType, text: str, what: str) -> str:
    other = mark_expression(name, f"a {kind} to derive {what} from")
    return (
        f"case when {_is_moment(name, kind)} then {text} when {is_marked(name)} then {name} "
        f"when {name} is not null then {other} end"
    )


def _is_moment(name: str, kind: FieldType) -> str:
    day = "" if kind == "period" else "-\\d\\d"
    begins = f"regexp_matches({name}, '^\\d{{4}}-\\d\\d{day}')"
    return f"coalesce({begins} and ({_moment(name, kind)}) is not null, false)"


def _moment(name: str, kind: FieldType) -> str:
    """SQL for a date, the first day of a period, or a time in UTC; NULL where it is none."""
    if kind == "period":
        return f"try_cast({name} || '-01' as date)"
    if kind != "timestamp":
        return f"try_cast({name} as date)"
    zoned = f"try_cast({name} as timestamptz) at time zone 'UTC'"
    has_zone = f"regexp_matches({name}, '(Z|[+-]\\d\\d:\\d\\d)$')"
    return f"(case when {has_zone} then {zoned} else try_cast({name} as timestamp) end)"
