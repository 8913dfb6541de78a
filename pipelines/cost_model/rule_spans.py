"""What can be said for certain about two rules: whether one takes all that the other could match.

Rules match by globs, which cannot be compared in general. A condition covers another one if it is
left out, if it is the same text, or `*`, or a pattern of stars that matches the other's text. What
is said here is right; what is not said may still be so.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

from pydantic import BaseModel

WILDCARDS = frozenset("*?[")

Conditions = dict[str, Any]
"""Name of a condition -> its globs, or a truth value."""


def overlap(first: Any, second: Any) -> bool:
    """Whether two dated things hold on one day."""
    ends_before = first.valid_to and second.valid_from and first.valid_to <= second.valid_from
    starts_after = first.valid_from and second.valid_to and second.valid_to <= first.valid_from
    return not (ends_before or starts_after)


def holds_on(item: Any, day: date) -> bool:
    """Whether a dated thing holds on that day."""
    return (item.valid_from is None or item.valid_from <= day) and (
        item.valid_to is None or day < item.valid_to
    )


def covers_span(wide: Any, narrow: Any) -> bool:
    """Whether `wide` holds on every day on which `narrow` holds."""
    starts = wide.valid_from is None or (
        narrow.valid_from is not None and wide.valid_from <= narrow.valid_from
    )
    ends = wide.valid_to is None or (
        narrow.valid_to is not None and narrow.valid_to <= wide.valid_to
    )
    return starts and ends


def list_conditions(match: BaseModel) -> Conditions:
    """The conditions of a rule that are there, by their name."""
    values = ((name, getattr(match, name)) for name in type(match).model_fields)
    return {name: value for name, value in values if value is not None}


def covers_match(wide: Conditions, narrow: Conditions) -> bool:
    """Whether `wide` matches all that `narrow` does."""
    for name, one in wide.items():
        other = narrow.get(name)
        if isinstance(one, bool):
            if other is not one:
                return False
        elif not covers_globs(one, other):
            return False
    return True


def covers_globs(wide: Collection[str] | None, narrow: Collection[str] | None) -> bool:
    """Whether each value that one of the `narrow` globs matches is matched by a `wide` one."""
    if wide is None or "*" in wide:
        return True
    return narrow is not None and all(
        any(_covers_glob(one, other) for one in wide) for other in narrow
    )


def _covers_glob(wide: str, narrow: str) -> bool:
    """Certain only where `narrow` is a plain text or `wide` has no wildcard but the star."""
    if wide == narrow:
        return True
    found = WILDCARDS & set(wide)
    if not found:
        return False
    if found == {"*"} and wide.index("*") == len(wide) - 1:
        # By far the most, and rules are compared in pairs.
        return narrow.startswith(wide[:-1])
    is_certain = found == {"*"} or not WILDCARDS & set(narrow)
    return is_certain and fnmatchcase(narrow, wide)
