"""What a reader makes of a delivery: a relation of text columns, of which nothing is read yet.

Readers do not load: they say in SQL where the records are, so that the first statement over them
can check, cast and write them in one pass. What goes wrong while that statement reads is the
file's fault, and `reading` turns it into a refusal in the words of its format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipelines.errors import DeliveryRefusedError
from pipelines.readers.csv_header import Header
from pipelines.readers.physical_lines import PhysicalText
from pipelines.readers.text_lines import TextLines

if TYPE_CHECKING:
    import duckdb

Explain = Callable[["duckdb.Error"], DeliveryRefusedError | None]


@dataclass(frozen=True)
class Delivered:
    """The records of one delivery in SQL: columns `column_0` ... as text, by position."""

    header: Header
    relation: str
    """What stands behind `from`; its order is that of the file."""
    is_numbered: bool
    """Whether it has `_row_number` (1 = first record); otherwise a record's number is its place."""
    explain: Explain
    """The refusal that an error of DuckDB means; None where it is no fault of the file."""
    lines: TextLines | None = None
    """The text that the relation reads, where it is the sender's own."""
    text: PhysicalText | None = None
    """The delivered text, where its records have lines."""
    may_have_control_characters: bool = True
    """Whether a text may hold a control character but tabs and line ends."""
    native_types: tuple[str, ...] = ()
    """DuckDB's types of the columns as the format holds them; empty where it holds text."""
    native_names: tuple[str, ...] = ()
    """What DuckDB calls those columns."""
    native_source: str = ""
    """The file itself as a relation, with its own column names and types and `file_row_number`."""

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Around statements that read the relation. Raises DeliveryRefusedError."""
        import duckdb

        try:
            yield
        except duckdb.Error as error:
            refusal = self.explain(error)
            if refusal is None:
                raise
            raise refusal from None

    def number(self) -> str:
        """The relation with `_row_number`, for statements that need it."""
        if self.is_numbered:
            return self.relation
        return f"(select row_number() over () as _row_number, * from {self.relation})"

    def keep(self, connection: duckdb.DuckDBPyConnection, table: str) -> Delivered:
        """The records as a table, numbered: for what has to look at them more than once."""
        with self.reading():
            connection.execute(
                f"create or replace temp table {table} as select * from {self.number()}"
            )
        return replace(self, relation=table, is_numbered=True, native_types=(), native_source="")
