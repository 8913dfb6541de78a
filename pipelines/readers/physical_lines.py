"""Find the line of a delivered text in which a record begins.

A record's number counts the records behind the header; its line is what an editor shows. Titles,
quoted fields over several lines and empty lines part the two. Lines are looked for only where a
record is named, in one pass over the bytes up to the last of them.

Assumes what the parser of the text assumes: a quote stands only around a field, or doubled.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import DeliveryRefusedError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHUNK_BYTES = 1 << 22
CARRIAGE_RETURN = 13


@dataclass(frozen=True)
class PhysicalText:
    """The text of a delivery from its header on, and how its records are numbered."""

    path: Path
    quote: str
    line_end: str = "\n"
    lines_before: int = 0
    """Lines of the delivery that were cut before the header."""
    values_per_record: int = 1
    """How many numbers a record takes up, where each of its values becomes a record."""

    def find_lines(self, records: NDArray[np.int64]) -> NDArray[np.int64]:
        """The line in which each of the records begins, of the whole delivery and counted from 1.

        `records`: their numbers, ascending. 0 for a record that the text does not have.
        """
        import numpy as np

        if self.values_per_record == 1:
            lines = _find_lines(self, records)
        else:
            wanted = (records - 1) // self.values_per_record + 1
            whole, place = np.unique(wanted, return_inverse=True)
            lines = _find_lines(self, whole)[place]
        return np.where(lines > 0, lines + self.lines_before, 0)

    def find_line(self, record: int) -> int | None:
        """The line of one record; None where the text does not have it."""
        import numpy as np

        (line,) = self.find_lines(np.array([record], dtype=np.int64))
        return int(line) or None


def is_line_telling(record: int, line: int | None) -> bool:
    """Whether the line is another one than that of a record per line below a header."""
    return line is not None and line != record + 1


def name_record(record: int, line: int | None) -> str:
    """The number of a record for people, with its line where that does not follow from it."""
    return f"{record} (line {line})" if is_line_telling(record, line) else str(record)


@contextmanager
def naming_lines(text: PhysicalText | None) -> Iterator[None]:
    """Around what may refuse a delivery for a record: the refusal names the line, too."""
    try:
        yield
    except DeliveryRefusedError as error:
        problem = error.problem
        if text is None or problem.record is None or problem.line is not None:
            raise
        line = text.find_line(problem.record)
        if not is_line_telling(problem.record, line):
            raise
        raise DeliveryRefusedError(replace(problem, line=line)) from None


def _find_lines(text: PhysicalText, records: NDArray[np.int64]) -> NDArray[np.int64]:
    """The lines of records without doubles, counted from the header."""
    import numpy as np

    found = np.zeros(len(records), dtype=np.int64)
    if not len(records):
        return found
    scan = _Scan(text)
    with text.path.open("rb") as file:
        while (chunk := file.read(CHUNK_BYTES)) and scan.record <= records[-1]:
            scan.read(chunk, records, found)
    if scan.has_rest:
        found[records == scan.record] = scan.line
    return found


class _Scan:
    """Where a pass over the bytes of a text stands, between two chunks."""

    def __init__(self, text: PhysicalText) -> None:
        self.quote, self.end = text.quote.encode(), ord(text.line_end)
        self.record = 0
        """Number of the record that begins next; the header is 0."""
        self.line = 1
        """Line in which it begins."""
        self.lines_ended = 0
        self.is_quoted = False
        self.rest = 0
        """Bytes of it that were read."""
        self.last = -1
        """The last byte that was read."""

    @property
    def has_rest(self) -> bool:
        return self.rest > 0

    def read(self, chunk: bytes, records: NDArray[np.int64], found: NDArray[np.int64]) -> None:
        """Go on over a chunk, and note in `found` the lines of the records that begin in it."""
        import numpy as np

        data = np.frombuffer(chunk, dtype=np.uint8)
        line_ends = np.flatnonzero(data == self.end)
        is_end = self._find_ends(data, line_ends)
        ends = line_ends[is_end]
        if len(ends):
            # A record begins behind the end of the one before it.
            begins = np.concatenate([[self.line], self.lines_ended + 2 + np.flatnonzero(is_end)])
            is_filled = self._find_filled(data, ends)
            lines = begins[:-1][is_filled]
            first, last = np.searchsorted(records, [self.record, self.record + len(lines)])
            found[first:last] = lines[records[first:last] - self.record]
            self.record += len(lines)
            self.line = int(begins[-1])
            self.rest = len(data) - int(ends[-1]) - 1
        else:
            self.rest += len(data)
        self.lines_ended += len(line_ends)
        self.last = int(data[-1])

    def _find_ends(self, data: NDArray[np.uint8], line_ends: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which line ends stand outside of quotes."""
        import numpy as np

        if not self.quote:
            return np.ones(len(line_ends), dtype=bool)
        quotes = np.flatnonzero(data == self.quote[0])
        before = np.searchsorted(quotes, line_ends) + self.is_quoted
        self.is_quoted = bool((len(quotes) + self.is_quoted) % 2)
        outside: NDArray[np.bool_] = before % 2 == 0
        return outside

    def _find_filled(self, data: NDArray[np.uint8], ends: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which records are no empty lines."""
        import numpy as np

        lengths = np.diff(ends, prepend=-1) - 1
        lengths[0] += self.rest
        behind = np.where(ends > 0, data[ends - 1], self.last)
        is_return = (behind == CARRIAGE_RETURN) & (self.end != CARRIAGE_RETURN)
        is_filled: NDArray[np.bool_] = lengths - (is_return & (lengths > 0)) > 0
        return is_filled
