"""One thing that stands in the way of a close."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Blocker:
    """One thing that stands in the way of a close."""

    blocker_id: str
    finding: str
    what_to_do: str
    amount: Decimal | None = None
    """In the reporting currency, where it is about money."""
    can_be_accepted: bool = True
    accepted_by: str | None = None
    why: str | None = None

    @property
    def blocks(self) -> bool:
        return self.accepted_by is None
