"""Write the cells of a format that DuckDB does not read as CSV, to be read from there as text."""

from __future__ import annotations

import csv
from pathlib import Path
from types import TracebackType

from pipelines.errors import DeliveryRefusedError, Problem


class TextTable:
    """A CSV file in the canonical form; refuses texts that CSV in UTF-8 cannot hold."""

    def __init__(self, path: Path, columns: list[str], name: str) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        self._name = name
        # Columns are called by position; the names of the sender stay out of the file.
        self._writer.writerow([f"column_{number}" for number in range(len(columns))])

    def __enter__(self) -> TextTable:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def write(self, texts: list[str], record: int) -> None:
        """Add one record. Raises DeliveryRefusedError on a NUL or half a character in it."""
        joined = "".join(texts)
        if "\x00" in joined or any("\ud800" <= char <= "\udfff" for char in joined):
            raise DeliveryRefusedError(
                Problem(
                    self._name,
                    "contains a NUL or half of a character",
                    record,
                    expected="text",
                    remedy="Nothing was loaded. Ask the sender for the file again.",
                )
            )
        self._writer.writerow(texts)
