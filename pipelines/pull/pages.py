"""What a reader hands over: records page by page, and what the system says of them."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.pull.cursors import Cursor


@dataclass(frozen=True)
class Page:
    """Records that came in one answer."""

    lines: list[bytes]
    """A line of JSON for each."""
    newest: Cursor | None = None
    """The latest change among all records, where this page says so; as the system dates it."""
    reported: int | None = None
    """How many records there are in all, as the system says; None where it does not."""
