"""The changes of a what-if, read from short texts.

Every change is `WHAT=+10%` or `WHAT=-10%`. What is malformed is collected and not raised, so that
it can be said together with what does not fit the published figures.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from pipelines.errors import UsageError

METHODS = ("direct", "step_down", "reciprocal")

PERCENT = re.compile(r"[+-]\d{1,6}(\.\d{1,4})?%")
FORMS = {
    "--volume": "SERVICE:CONSUMER",
    "--driver": "DRIVER:RECEIVER",
    "--pool": "POOL",
    "--account": "ACCOUNT",
    "--vendor": "VENDOR",
    "--price": "SERVICE",
}
"""What each option names before the percentage."""


@dataclass(frozen=True)
class WhatIf:
    """What is asked for, as it was typed."""

    volumes: tuple[str, ...] = ()
    """SERVICE:CONSUMER=+10%"""
    drivers: tuple[str, ...] = ()
    """DRIVER:RECEIVER=+10%"""
    pools: tuple[str, ...] = ()
    """POOL=+5%"""
    accounts: tuple[str, ...] = ()
    """GLOB=+3%"""
    vendors: tuple[str, ...] = ()
    """GLOB=+3%"""
    leaving: tuple[str, ...] = ()
    """A cost centre, or a business unit with all of its cost centres."""
    method: str | None = None
    cost_model: str | None = None
    prices: tuple[str, ...] = ()
    """SERVICE=+5%"""

    @property
    def only_removes(self) -> bool:
        """Whether consumers leave and nothing else changes."""
        return self == WhatIf(leaving=self.leaving) and bool(self.leaving)


@dataclass(frozen=True)
class Change:
    """One change that was understood: its option, what it is about, and by which factor."""

    option: str
    text: str
    subject: str
    receiver: str | None
    factor: Decimal


class ChangesRefusedError(UsageError):
    """Changes that cannot be made; all reasons are listed at once."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        head = f"{count} change{'s' if count != 1 else ''} cannot be made, so nothing was run:"
        super().__init__("\n".join([head, *(f"  - {problem}" for problem in self.problems)]))


def parse_changes(wanted: WhatIf, problems: list[str]) -> list[Change]:
    """Take the texts apart; what is malformed is added to `problems`."""
    found = []
    for option, texts, has_receiver in (
        ("--volume", wanted.volumes, True),
        ("--driver", wanted.drivers, True),
        ("--pool", wanted.pools, False),
        ("--account", wanted.accounts, False),
        ("--vendor", wanted.vendors, False),
        ("--price", wanted.prices, False),
    ):
        for text in texts:
            change = _parse_change(option, text, has_receiver, problems)
            found += [change] if change else []
    return found


def _parse_change(option: str, text: str, has_receiver: bool, problems: list[str]) -> Change | None:
    what, _, percent = text.rpartition("=")
    subject, colon, receiver = what.partition(":") if has_receiver else (what, "", "")
    form = f"{FORMS[option]}=+10%"
    if not subject or (has_receiver and not receiver):
        problems.append(f"{option} '{text}': expected {form}")
        return None
    if not PERCENT.fullmatch(percent):
        problems.append(
            f"{option} '{text}': expected a change in percent with its sign and at most 4 "
            f"decimals, such as {form}, found '{percent}'"
        )
        return None
    factor = 1 + Decimal(percent[:-1]) / 100
    if factor < 0:
        problems.append(f"{option} '{text}': nothing shrinks by more than 100 %")
        return None
    return Change(option, text, subject, receiver if colon else None, factor)


def read_method(text: str, problems: list[str]) -> str | None:
    """A method of shared services, `step-down` as well as `step_down`."""
    method = text.strip().replace("-", "_")
    if method in METHODS:
        return method
    problems.append(f"method '{text}': expected one of {', '.join(METHODS)}")
    return None
