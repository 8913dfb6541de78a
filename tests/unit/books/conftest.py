"""Books of both kinds."""

from __future__ import annotations

from tests.either_books import either_books

__all__ = ["either_books"]
