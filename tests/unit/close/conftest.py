"""Books of both kinds, and a line of a bill to dispute."""

from __future__ import annotations

from tests.either_books import either_books, line

__all__ = ["either_books", "line"]
