"""What codes of the marts and of the rule files are called on a method sheet: no jargon.

A code that is not here yet (a new kind of driver, a new method) is still said, by its own words
with the dashes taken out; nothing is left empty and nothing fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Origin:
    """Where quantities of one kind come from: the contract they are delivered by, in words."""

    contract_id: str
    words: str


ORIGINS: Mapping[str, Origin] = {
    "service_usage": Origin("service_usage", "the service's own meters and lists"),
    "licence_seats": Origin("licences", "the licence register"),
    "headcount": Origin("headcount", "the staff register"),
    "ticket_count": Origin("tickets", "the ticket system"),
    "ticket_effort": Origin("tickets", "the ticket system"),
    "timesheet_hours_by_tower": Origin("timesheets", "the timesheets"),
    "timesheet_hours_by_service": Origin("timesheets", "the timesheets"),
    "asset_capacity": Origin("assets", "the asset register"),
    "cloud_cost": Origin("cloud_bill", "the cloud provider's bill"),
}

METHODS: Mapping[str, str] = {
    "fixed": "in agreed percentages",
    "even": "in equal parts",
    "direct": "all of it to one place",
    "weighted": "by use, times an agreed weight",
    "capacity": "by the capacity that is used; the rest is shown as idle",
    "residual": "what the other rules leave",
}

WAYS: Mapping[str, str] = {
    "driver": "Your share is your {counted}, divided by those of all who use it. That share of the "
    "cost is yours, to the cent.",
    "weighted": "Your share is your {counted}, each times its agreed weight, divided by those of "
    "all who use it. That share of the cost is yours, to the cent.",
    "capacity": "Your share is your {counted}, divided by all that there is room for. Room that "
    "nobody uses is shown as such and charged to nobody.",
    "fixed": "The shares are agreed percentages, whatever is used.",
    "even": "The shares are equal, whatever is used.",
    "direct": "One alone has all of its cost.",
}
"""How a share of the cost is found, by the method of the service; {counted} is what is counted."""

AGREED_AND_REST = (
    "Some have agreed percentages. The rest is split by {counted}: your own, divided by those of "
    "all who use it."
)

QUALITIES: Mapping[str, str] = {
    "measured": "The figures are counted, not estimated.",
    "estimated": "The figures are an estimate: nothing counts them yet.",
    "stale": "No figures came for this month; the latest ones before it are used in their place.",
    "fallback": "No figures came for this month; the cost was split in equal parts instead.",
    "held": "No use is known this month, so its cost is held and charged to nobody.",
}

FALLBACKS: Mapping[str, str] = {
    "hold": "If a month has no figures, its cost is held until they come: nobody is charged.",
    "even": "If a month has no figures, its cost is split in equal parts over the cost centres "
    "that may use it, and the bill says so.",
    "prior_period": "If a month has no figures, the latest month that has some is used instead, "
    "and the bill says so.",
}

STEPS: Mapping[str, tuple[str, str]] = {
    "services": (
        "Who decides what this service costs",
        "These rules bring it cost from the functions of IT. Each has a reason and somebody who "
        "answers for it.",
    ),
    "towers": (
        "Who decides before that",
        "These rules brought the same cost from kinds of cost, such as staff or software, to the "
        "functions of IT.",
    ),
}
"""Heading and first sentence of the rules of a stop, the one nearest to the reader first."""


def say(words: Mapping[str, str], code: str | None) -> str:
    """The words of a code; of an unknown one, itself with spaces; of none, nothing."""
    if not code:
        return ""
    return words.get(code) or code.replace("_", " ")


def lower_first(text: str) -> str:
    """'Printed pages' within a sentence: 'printed pages'; 'SIM cards' stays."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def end_sentence(text: str) -> str:
    """The text with a full stop, and never with two."""
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?", "…")) else f"{text}."
