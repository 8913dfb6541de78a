"""What a file of unknown form shows of itself: what it is, its columns and some of its records.

Delimited text (plain, gzipped or in a ZIP archive), Excel, Parquet, JSON and JSON lines. Guarantees
that a file is only read, that no more of it is unpacked than `SCANNED_BYTES`, and that the records
are those at its beginning and an even sample of the rest, so that a column that is filled late is
seen too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.errors import UsageError
from pipelines.readers.file_names import show_file_name

LOOKED_AT_RECORDS = 500
SAMPLED_RECORDS = 3000
"""Records kept of a file: the first ones, and of the rest an even part."""
SAMPLE_STEP = 20
NOTHING_TO_DO = "It holds nothing, so there is nothing to do."
MOST_VALUES = 5000
"""Different values that are kept of a column."""


@dataclass(frozen=True)
class FileHead:
    """The form of a file as its records show it."""

    name: str
    columns: tuple[str, ...]
    """Names as a mapping writes them: `name#2` is the second of several called `name`."""
    records: tuple[tuple[str, ...], ...]
    format: str = "csv"
    compression: str = "none"
    encoding: str = "utf-8"
    encoding_is_sure: bool = True
    is_ascii: bool = False
    """Whether the text has no letter that encodings disagree on."""
    delimiter: str = ","
    header_row: int = 1
    header_rows: int = 1
    """How many lines the header has."""
    footer_rows: int = 0
    """Lines at the end that look like a total; known only where the whole file was seen."""
    titles: tuple[str, ...] = ()
    """The lines before the header."""
    sheet: str | None = None
    """The sheet that was read, where the workbook has several that are visible."""
    records_at: str | None = None
    """Where the list of records is in a JSON document."""
    floats: tuple[str, ...] = ()
    """Columns of Parquet that hold binary floats."""
    natives: tuple[str, ...] = ()
    """Columns whose numbers and days have a type of the format, and no form of their own."""
    is_whole: bool = True
    """Whether all records are among `records`."""
    lacking: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Column -> names of the files of a folder that do not have it."""
    file_names: tuple[str, ...] = ()
    """The files of a folder that were looked at."""
    other_forms: tuple[str, ...] = ()
    """What files of a folder have another form than the rest, each with what differs."""
    repeating: frozenset[str] = frozenset()
    """Columns in which a value occurs twice, in all that was seen."""
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Column -> all of its different values in all that was seen, where they are few."""
    lines: tuple[int, ...] = ()
    """The line in which each record begins; empty where the format has none."""

    def column(self, name: str) -> list[str]:
        """The texts of a column, in the order of the records."""
        index = self.columns.index(name)
        return [record[index] for record in self.records]


class HeadNotReadError(UsageError):
    """The file is no table that can be looked at."""

    def __init__(self, name: str, found: str, remedy: str | None = None) -> None:
        super().__init__(
            f"{name}: expected a table with a header and records (delimited text, Excel, Parquet, "
            f"JSON or JSON lines), found {found}. "
            + (remedy or "Export it again as one of these, with a header.")
        )


class RecordSample:
    """The records that are kept while a file is read: the first ones, then an even part of the
    rest, and each that fills a column that was empty so far."""

    def __init__(self, width: int) -> None:
        self.records: list[tuple[str, ...]] = []
        self.lines: list[int] = []
        self.seen = 0
        self._unfilled = set(range(width))
        self._values: list[set[str]] = [set() for _ in range(width)]
        self._full: set[int] = set()
        self._repeating: set[int] = set()

    def add(self, record: tuple[str, ...], line: int | None = None) -> None:
        """Look at one record, and keep it where it tells something, with its line if it has one."""
        self.seen += 1
        for index, values in enumerate(self._values):
            if index in self._full:
                continue
            if record[index] in values:
                self._repeating.add(index)
            else:
                values.add(record[index])
                if len(values) > MOST_VALUES and index in self._repeating:
                    self._full.add(index)
                    values.clear()
        fills = {index for index in self._unfilled if record[index].strip()}
        self._unfilled -= fills
        is_first = len(self.records) < LOOKED_AT_RECORDS
        is_sampled = self.seen % SAMPLE_STEP == 0 and len(self.records) < SAMPLED_RECORDS
        if is_first or is_sampled or fills:
            self.records.append(record)
            self.lines += [] if line is None else [line]

    @property
    def is_whole(self) -> bool:
        """Whether every record was kept."""
        return self.seen == len(self.records)

    def list_repeating(self, columns: Sequence[str]) -> frozenset[str]:
        """Columns in which some value occurred twice."""
        return frozenset(columns[index] for index in self._repeating)

    def list_values(self, columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Column -> all of its different values, where they are few."""
        return {
            column: tuple(sorted(values))
            for column, values in zip(columns, self._values, strict=True)
            if values and len(values) <= MOST_VALUES
        }


def read_head(path: Path) -> FileHead:
    """Describe the file or the folder at `path`. Raises HeadNotReadError where it is no table."""
    if path.is_dir():
        from pipelines.mappings.folder_head import read_folder

        return read_folder(path)
    from pipelines.mappings.text_head import read_text_head
    from pipelines.mappings.typed_head import read_json_head, read_parquet_head, read_workbook_head

    name = show_file_name(path)
    begin = read_beginning(path, name)
    if begin.startswith(b"PAR1"):
        return read_parquet_head(path, name)
    if begin.startswith(b"PK\x03\x04") and is_workbook(path):
        return read_workbook_head(path, name)
    if begin.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        return read_json_head(path, name)
    return read_text_head(path, name)


def read_beginning(path: Path, name: str) -> bytes:
    """The first bytes of a file. Raises HeadNotReadError where it has none."""
    try:
        with path.open("rb") as file:
            begin = file.read(4096)
    except OSError as error:
        raise HeadNotReadError(name, f"a file that cannot be read ({error})") from None
    if not begin:
        raise HeadNotReadError(name, "an empty file")
    return begin


def is_workbook(path: Path) -> bool:
    """Whether a ZIP archive is an Excel workbook."""
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return False


def number_columns(header: Iterable[str]) -> tuple[str, ...]:
    """The names of a header as a mapping writes them: `name#1` and `name#2` for one that occurs
    twice."""
    cells = list(header)
    counts = Counter(cells)
    seen: Counter[str] = Counter()
    names = []
    for cell in cells:
        seen[cell] += 1
        names.append(cell if counts[cell] == 1 else f"{cell}#{seen[cell]}")
    return tuple(names)


def sample_records(rows: Iterator[tuple[str, ...]], width: int) -> RecordSample:
    """The sample of all `rows`."""
    sample = RecordSample(width)
    for row in rows:
        sample.add(row)
    return sample
