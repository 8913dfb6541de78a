"""What an evidence pack is made of: pages with sections, whose tables are files as well."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

Cell = str | int | bool | Decimal | date | None
Row = tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """Rows with their columns. Amounts are Decimal; columns in `numeric` are right-aligned."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    numeric: tuple[int, ...] = ()
    file: str | None = None
    """Name of the CSV file that holds the same rows, all of them."""
    is_shown: bool = True
    """Whether the page shows the rows as well, or only names the file."""


@dataclass(frozen=True)
class Section:
    """A heading, what is to be said, and a table."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    table: Table | None = None
    empty: str = "None."
    """What is said in place of a table without rows."""


@dataclass(frozen=True)
class Page:
    """One page of the pack: `certificate.html` with the CSV files of its tables."""

    name: str
    title: str
    summary: str
    """The finding, in a sentence."""
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class PackFile:
    """A file of the pack and its bytes."""

    name: str
    content: bytes = field(repr=False)
