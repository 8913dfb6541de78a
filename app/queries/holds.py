"""Deliveries on hold, from the books, which the app cannot write.

A decision on one changes them between two publications, so nothing of them is kept in a cache.
"""

from __future__ import annotations

from app.queries.published import Published
from pipelines.books.books import Books
from pipelines.errors import ApportionError
from pipelines.landing.load_history import HeldLoad, list_held
from pipelines.workspace.workspace import Workspace


def read_holds(published: Published) -> list[HeldLoad] | None:
    """The deliveries that wait for a decision; None where the books cannot be read."""
    try:
        return list_held(Books.open_read_only(Workspace.open(published.root)))
    except ApportionError:
        return None
