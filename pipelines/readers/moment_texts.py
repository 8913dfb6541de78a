"""SQL over the texts of dates and times in canonical form: what is derived from a day.

The checks of a field say what is wrong with a date; here it only has to be one. A derived text of a
date that is none is marked, so that the record says what was expected.
"""

from __future__ import annotations

from pipelines.contracts.contract import FieldType
from pipelines.readers.field_forms import is_marked, mark_expression

FORMS: dict[str, str] = {"date": "%Y-%m-%d", "timestamp": "%Y-%m-%dT%H:%M:%SZ"}


def period_of_moment(name: str, kind: FieldType) -> str:
    """SQL for the period, such as 2026-03, of a date or of a time in UTC."""
    return _derive(name, kind, f"strftime({_moment(name, kind)}, '%Y-%m')", "the period")


def month_start(name: str, kind: FieldType, target: FieldType) -> str:
    """SQL for the first day of the month of a date or time, as a text of the type `target`."""
    first = f"date_trunc('month', {_moment(name, kind)})"
    return _derive(name, kind, f"strftime({first}, '{FORMS[target]}')", "the month")


def month_end(name: str, kind: FieldType, target: FieldType) -> str:
    """SQL for the first day after the month of a date or time, as a text of the type `target`."""
    after = f"date_trunc('month', {_moment(name, kind)}) + interval 1 month"
    return _derive(name, kind, f"strftime({after}, '{FORMS[target]}')", "the month")


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
    begins = f"regexp_matches({name}, '^\\d{{4}}-\\d\\d-\\d\\d')"
    return f"coalesce({begins} and ({_moment(name, kind)}) is not null, false)"


def _moment(name: str, kind: FieldType) -> str:
    """SQL for a date, or for a time in UTC; NULL where the text is none."""
    if kind != "timestamp":
        return f"try_cast({name} as date)"
    zoned = f"try_cast({name} as timestamptz) at time zone 'UTC'"
    has_zone = f"regexp_matches({name}, '(Z|[+-]\\d\\d:\\d\\d)$')"
    return f"(case when {has_zone} then {zoned} else try_cast({name} as timestamp) end)"
