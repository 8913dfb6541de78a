"""Marks in SQL for a delivered text that is not what its mapping declares.

A marked text fits no type. It keeps what was delivered, says what was expected, and why it was not
read, where that is more than another form.
"""

from __future__ import annotations

MISREAD_MARK = "\x1a"
"""Mark, delivered text, mark, what was expected, and perhaps mark, reason. No pattern of a type
lets it pass."""
MISREAD = "is not as its mapping declares"
NO_SUCH_HOUR = "is a local time that does not exist"
OTHER_WEEKDAY = "names a weekday that is not the day's"
OTHER_CURRENCY = "is in another currency than its record"
RAGGED = "has another number of fields than the header"
MISREAD_REASONS = (MISREAD, NO_SUCH_HOUR, OTHER_WEEKDAY, OTHER_CURRENCY)
"""Every reason for which the text of one field is marked; what it means only a person can say."""


def mark_expression(name: str, expected: str, reason: str = MISREAD) -> str:
    """SQL for a delivered text that is not what was expected."""
    return mark_by(name, literal(expected), reason)


def mark_by(name: str, expected: str, reason: str = MISREAD) -> str:
    """The same with SQL for what was expected."""
    mark = literal(MISREAD_MARK)
    why = "" if reason == MISREAD else f" || {mark} || {literal(reason)}"
    return f"{mark} || replace({name}, {mark}, ' ') || {mark} || {expected}{why}"


def is_marked(name: str) -> str:
    """SQL: whether a text begins with the mark of what was not read; NULL where there is none."""
    return f"starts_with({name}, {literal(MISREAD_MARK)})"


def is_misread(name: str) -> str:
    """SQL: whether a field's text was marked as not read."""
    return f"regexp_full_match({name}, '(?s)\\x1a.*\\x1a.+')"


def delivered_text(name: str) -> str:
    """SQL for the text as it was delivered, marked or not."""
    mark = literal(MISREAD_MARK)
    return f"case when {is_misread(name)} then split_part({name}, {mark}, 2) else {name} end"


def expected_text(name: str) -> str:
    """SQL for what was expected instead of a marked text."""
    return f"split_part({name}, {literal(MISREAD_MARK)}, 3)"


def misread_reason(name: str) -> str:
    """SQL for the reason for which a text was marked."""
    mark = literal(MISREAD_MARK)
    return f"coalesce(nullif(split_part({name}, {mark}, 4), ''), {literal(MISREAD)})"


def literal(text: str) -> str:
    """A text as SQL."""
    return "'" + text.replace("'", "''") + "'"
