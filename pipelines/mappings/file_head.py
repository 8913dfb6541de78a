"""Read the head of a file of unknown form: what it is, its header and its first records.

Assumes delimited text, plain or gzipped. Guarantees that no more than the head is read or unpacked.
Known limit: a header that spans two lines, or a preamble as wide as the table, is not recognised.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import UsageError
from pipelines.readers.file_names import show_file_name
from pipelines.readers.safe_bytes import MAGIC

HEAD_BYTES = 1 << 20
LOOKED_AT_LINES = 60
LOOKED_AT_RECORDS = 500
DELIMITERS = (",", ";", "\t", "|")
GZIP_MAGIC = b"\x1f\x8b"
TOTAL_WORDS = re.compile(
    r"((sub|grand|sum)?[ -]?totals?|totaal|totale|summe|gesamt(summe)?|insgesamt|somme|suma)[ :]*",
    re.IGNORECASE,
)
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class FileHead:
    """The form of a file as its head shows it."""

    name: str
    compression: str
    encoding: str
    encoding_is_sure: bool
    delimiter: str
    header_row: int
    footer_rows: int
    """Lines at the end that look like a total; known only where the head is the whole file."""
    columns: tuple[str, ...]
    """Names as a mapping writes them: `name#2` is the second column called `name`."""
    records: tuple[tuple[str, ...], ...]

    def column(self, name: str) -> list[str]:
        """The texts of a column, in the order of the records."""
        index = self.columns.index(name)
        return [record[index] for record in self.records]


class HeadNotReadError(UsageError):
    """The file is not delimited text with a header."""

    def __init__(self, name: str, found: str) -> None:
        super().__init__(
            f"{name}: expected delimited text with a header and records, found {found}. "
            "Export it as CSV, or write its mapping by hand."
        )


def read_head(path: Path) -> FileHead:
    """Read and describe the head of `path`. Raises HeadNotReadError where there is no table."""
    name = show_file_name(path)
    data, compression, is_whole = _read_bytes(path, name)
    text, encoding, is_sure = _decode(data, name)
    # The last line of a part of a file may be cut.
    if not is_whole:
        text = text[: text.rfind("\n") + 1]
    rows_by_delimiter = {mark: _split(text, mark) for mark in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda mark: _rate_table(rows_by_delimiter[mark]))
    rows = rows_by_delimiter[delimiter]
    width = _find_width(rows)
    if width < 2:
        raise HeadNotReadError(name, "text without columns")
    index = _find_header(rows, width)
    body = rows[index + 1 :]
    has_end = is_whole and len(rows) <= LOOKED_AT_RECORDS + LOOKED_AT_LINES
    footer_rows = 0
    if has_end and (footer := _find_footer(body, width)) is not None:
        lines = text.count("\n") + (not text.endswith("\n"))
        footer_rows = lines + 1 - body[footer][0]
        body = body[:footer]
    records = [tuple(row) for _, row in body if len(row) == width]
    if not records:
        raise HeadNotReadError(name, "a header without records")
    line, header = rows[index]
    return FileHead(
        name,
        compression,
        encoding,
        is_sure,
        delimiter,
        line,
        footer_rows,
        _number_columns(header),
        tuple(records[:LOOKED_AT_RECORDS]),
    )


def _read_bytes(path: Path, name: str) -> tuple[bytes, str, bool]:
    try:
        with path.open("rb") as file:
            data = file.read(HEAD_BYTES + 1)
        compression = "none"
        if data.startswith(GZIP_MAGIC):
            compression = "gzip"
            with gzip.open(path) as packed:
                data = packed.read(HEAD_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise HeadNotReadError(name, f"a file that cannot be read ({error})") from None
    if not data:
        raise HeadNotReadError(name, "an empty file")
    for magic, kind in MAGIC.items():
        if data.startswith(magic) and not data.startswith(UTF16_MARKS):
            raise HeadNotReadError(name, kind)
    if data.lstrip()[:1] in (b"{", b"[", b"<"):
        raise HeadNotReadError(name, "JSON, XML or a web page")
    return data[:HEAD_BYTES], compression, len(data) <= HEAD_BYTES


def _decode(data: bytes, name: str) -> tuple[str, str, bool]:
    """(text, encoding, whether that is sure). Bytes that are not UTF-8 are taken for cp1252."""
    if data.startswith(UTF16_MARKS):
        return data.decode("utf-16", "ignore"), "utf-16", True
    try:
        # A character may be cut at the end of the head.
        return codecs.getincrementaldecoder("utf-8-sig")().decode(data), "utf-8", True
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    if "\x00" in text:
        raise HeadNotReadError(name, "binary data")
    return text, "cp1252", False


def _split(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """(line where it begins, fields) of each record; blank lines are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[tuple[int, list[str]]] = []
    begins = 1
    try:
        for row in reader:
            if row:
                rows.append((begins, row))
            begins = reader.line_num + 1
            if len(rows) > LOOKED_AT_RECORDS + LOOKED_AT_LINES:
                break
    except csv.Error:
        return []
    return rows


def _find_width(rows: list[tuple[int, list[str]]]) -> int:
    """The number of fields that most of the first records have."""
    widths = [len(row) for _, row in rows[:LOOKED_AT_LINES]]
    return max(set(widths), key=widths.count) if widths else 0


def _rate_table(rows: list[tuple[int, list[str]]]) -> float:
    """How much the rows look like a table: the share that agrees on a width, and that width."""
    width = _find_width(rows)
    if width < 2:
        return 0
    looked_at = rows[:LOOKED_AT_LINES]
    agreeing = sum(len(row) == width for _, row in looked_at)
    return agreeing / len(looked_at) * (1 - 1 / width)


def _find_header(rows: list[tuple[int, list[str]]], width: int) -> int:
    """The first row of the table's width that mostly holds names, else the first of that width."""
    wide = [index for index, (_, row) in enumerate(rows) if len(row) == width]
    for index in wide[:LOOKED_AT_LINES]:
        cells = [cell.strip() for cell in rows[index][1]]
        names = sum(bool(cell) and not cell[0].isdigit() and cell[0] != "-" for cell in cells)
        if names >= 0.8 * width:
            return index
    return wide[0]


def _find_footer(body: list[tuple[int, list[str]]], width: int) -> int | None:
    """The first of the last rows that is no record: of another width, or a total."""
    first = len(body)
    while first and _is_footer(body[first - 1][1], width):
        first -= 1
    return first if first < len(body) else None


def _is_footer(row: list[str], width: int) -> bool:
    texts = [cell.strip() for cell in row if cell.strip()]
    return len(row) != width or any(TOTAL_WORDS.fullmatch(text) for text in texts)


def _number_columns(header: list[str]) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    names = []
    for cell in header:
        seen[cell] = seen.get(cell, 0) + 1
        names.append(cell if seen[cell] == 1 else f"{cell}#{seen[cell]}")
    return tuple(names)
