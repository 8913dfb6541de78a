"""How a figure moved, in words and with a verdict that is worth a colour.

A month is compared with the one before only where both are whole: the first month has nothing to be
compared with, and what is not complete rose or fell by what is missing. A percentage is given only
where it says something: not of nothing, and not from a credit to a cost. A change below the
workspace's materiality is shown as it is, without a colour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from app.formats import (
    describe_against,
    format_change,
    format_signed,
    to_decimal,
)
from app.queries.periods import read_incomplete_periods
from app.queries.published import Published
from app.selection import Selection
from pipelines.workspace.materiality import Materiality, read_materiality
from pipelines.workspace.workspace import Workspace

NOT_COMPLETE = "month not complete"
FIRST_MONTH = "no month before"


@dataclass(frozen=True)
class Movement:
    """What to write beside a figure. `is_rise` is None where it is neither a rise nor a fall, or
    none that matters."""

    text: str
    is_rise: bool | None = None
    help_text: str | None = None


def judge_selection(published: Published, selection: Selection) -> Selection:
    """The selection with what its months may be compared by."""
    missing: Mapping[str, str] = {}
    if selection.is_actual:
        missing = read_incomplete_periods(published)
    return replace(
        selection,
        materiality=read_materiality(Workspace.open(published.root)),
        missing=missing.get(selection.period_id, ""),
        previous_missing=missing.get(selection.previous_period_id or "", ""),
    )


def compare_months(
    selection: Selection, now: Any, before: Any, currency: str | None = None
) -> Movement | None:
    """A figure beside that of the month before; with a `currency` it is an amount of it. None where
    there is no figure."""
    value, base = to_decimal(now), to_decimal(before)
    if value is None:
        return None
    if selection.missing:
        return Movement(NOT_COMPLETE, None, f"{selection.period_name}: {selection.missing}.")
    if base is None:
        return Movement(FIRST_MONTH)
    name = selection.previous_period_name
    if selection.previous_missing:
        reason = f"{name}: {selection.previous_missing}."
        return Movement(f"{name} not complete", None, reason)
    change = value - base
    if not base or (value < 0) != (base < 0):
        text = f"{format_signed(change, currency)} on {name}" if currency else f"none in {name}"
    else:
        text = f"{format_change(value, base)} on {name}"
    return Movement(text, _judge(selection.materiality, change, base, currency))


def compare_reference(
    selection: Selection, now: Any, reference: Any, name: str, currency: str | None = None
) -> Movement | None:
    """A figure beside a budget or a reference; None without one of them."""
    value, base = to_decimal(now), to_decimal(reference)
    if value is None or base is None:
        return None
    if selection.missing:
        return Movement(NOT_COMPLETE, None, f"{selection.period_name}: {selection.missing}.")
    text = describe_against(value, base, name, currency or "")
    return Movement(text, _judge(selection.materiality, value - base, base, currency))


def is_material(selection: Selection, change: Any, base: Any) -> bool:
    """Whether a change of an amount is worth naming."""
    moved, against = to_decimal(change), to_decimal(base)
    return moved is not None and selection.materiality.is_material(moved, against or Decimal(0))


def describe_threshold(selection: Selection, currency: str) -> str:
    """'Coloured from 1,000.00 EUR and 1 % on.', or nothing where every change is."""
    threshold = selection.materiality.describe(currency)
    return f"Changes have a colour from {threshold} on." if threshold else ""


def _judge(
    materiality: Materiality, change: Decimal, base: Decimal, currency: str | None
) -> bool | None:
    """Whether it rose; None where it did not by enough. What is no amount has no least amount."""
    limit = materiality if currency else replace_amount(materiality)
    return change > 0 if limit.is_material(change, base) else None


def replace_amount(materiality: Materiality) -> Materiality:
    """The percentage alone."""
    return Materiality(percent=materiality.percent)
