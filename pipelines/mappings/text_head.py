"""The head of delimited text: encoding, delimiter, header line, records, and what ends it.

Known limit: a preamble that is as wide as the table and full of names is not recognised.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from pipelines.mappings.file_head import (
    LOOKED_AT_RECORDS,
    NOTHING_TO_DO,
    FileHead,
    HeadNotReadError,
    RecordSample,
    number_columns,
    read_beginning,
)
from pipelines.mappings.header_shape import LEAST_NAMES, count_names, find_header
from pipelines.mappings.text_encoding import UTF16_MARKS, Encoding, EncodingFinder
from pipelines.readers.header_lines import join_header_lines
from pipelines.readers.safe_bytes import MAGIC

HEAD_BYTES = 1 << 20
SCANNED_BYTES = 64 << 20
"""So much of a text is read for its encoding and its records."""
PIECE_BYTES = 1 << 20
LOOKED_AT_LINES = 60
WIDTHS_APART = 2
"""A row of names whose width differs by more from that of the records is no header of them."""
DELIMITERS = (",", ";", "\t", "|")
GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGIC = b"PK\x03\x04"
TOTAL_WORDS = re.compile(
    r"((sub|grand|sum|net)?[ -]?totals?|totaal|totale|summe|gesamt(summe)?|insgesamt|somme|suma"
    r"|total g[eé]n[eé]ral|saldo total)[ :]*",
    re.IGNORECASE,
)
Rows = list[tuple[int, list[str]]]


def read_text_head(path: Path, name: str) -> FileHead:
    """Describe delimited text. Raises HeadNotReadError where it is no table."""
    compression = _find_compression(path, name)
    encoding, is_complete = _find_encoding(path, compression, name)
    text = _read_head(path, compression, encoding, name)
    rows_by_delimiter = {mark: _split(text, mark) for mark in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda mark: _rate_table(rows_by_delimiter[mark]))
    rows = rows_by_delimiter[delimiter]
    width = _find_width(rows)
    if width < 2:
        raise HeadNotReadError(name, "text without columns")
    index, header_rows = find_header([row for _, row in rows], width)
    if header_rows == 1:
        _refuse_other_width(rows[: index + 1], width, name)
    line, header = rows[index]
    if header_rows > 1:
        header = join_header_lines([row for _, row in rows[index : index + header_rows]])
    columns = number_columns(header)
    body = rows[index + header_rows :]
    footer_rows = _count_footer(text, body, width, is_whole=len(text) < HEAD_BYTES)
    sample = _sample_text(path, compression, encoding, delimiter, (line, header_rows), width)
    if footer_rows:
        sample = _without_footer(body, width)
    if not sample.records:
        raise HeadNotReadError(name, "a header without records", NOTHING_TO_DO)
    return FileHead(
        name,
        columns,
        tuple(sample.records),
        compression=compression,
        encoding=encoding.name,
        encoding_is_sure=encoding.is_sure,
        is_ascii=encoding.is_ascii,
        delimiter=delimiter,
        header_row=line,
        header_rows=header_rows,
        footer_rows=footer_rows,
        titles=tuple(text.splitlines()[: line - 1]),
        is_whole=sample.is_whole and is_complete,
        repeating=sample.list_repeating(columns),
        values=sample.list_values(columns),
        lines=tuple(sample.lines),
    )


def _find_compression(path: Path, name: str) -> str:
    begin = read_beginning(path, name)
    if begin.startswith(GZIP_MAGIC):
        return "gzip"
    if begin.startswith(ZIP_MAGIC):
        return "zip"
    for magic, kind in MAGIC.items():
        if begin.startswith(magic) and not begin.startswith(UTF16_MARKS):
            raise HeadNotReadError(name, kind)
    if begin.lstrip()[:1] == b"<":
        raise HeadNotReadError(name, "XML or a web page")
    return "none"


@contextmanager
def open_bytes(path: Path, compression: str, name: str) -> Iterator[IO[bytes]]:
    """The bytes of a text, unpacked. Raises HeadNotReadError where that cannot be done."""
    try:
        if compression == "gzip":
            with gzip.open(path) as packed:
                yield cast("IO[bytes]", packed)
        elif compression == "zip":
            with zipfile.ZipFile(path) as archive:
                files = [item for item in archive.namelist() if not item.endswith("/")]
                if len(files) != 1:
                    found = f"a ZIP archive of {len(files)} files"
                    raise HeadNotReadError(name, found, "Unpack it into a folder of its own.")
                with archive.open(files[0]) as member:
                    yield member
        else:
            with path.open("rb") as plain:
                yield plain
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise HeadNotReadError(name, f"a file that cannot be read ({error})") from None


def _find_encoding(path: Path, compression: str, name: str) -> tuple[Encoding, bool]:
    """(encoding of all that is scanned, whether that is the whole file)."""
    finder = EncodingFinder()
    scanned = 0
    with open_bytes(path, compression, name) as file:
        while (piece := file.read(PIECE_BYTES)) and scanned < SCANNED_BYTES:
            finder.add(piece)
            scanned += len(piece)
    encoding = finder.find()
    return encoding, scanned < SCANNED_BYTES


def _read_head(path: Path, compression: str, encoding: Encoding, name: str) -> str:
    with open_bytes(path, compression, name) as file:
        data = file.read(HEAD_BYTES + 1)
    if not data.strip():
        raise HeadNotReadError(name, "an empty file")
    text = codecs.getincrementaldecoder(_codec(encoding.name))("replace").decode(data)
    if "\x00" in text:
        raise HeadNotReadError(name, "binary data")
    # The last line of a part of a file may be cut.
    return text if len(data) <= HEAD_BYTES else text[: text.rfind("\n") + 1]


def _codec(encoding: str) -> str:
    return "utf-8-sig" if encoding == "utf-8" else encoding


@contextmanager
def open_text(path: Path, compression: str, encoding: str, name: str) -> Iterator[io.TextIOWrapper]:
    """The text of a file, decoded; a byte-order mark is left out."""
    with open_bytes(path, compression, name) as file:
        yield io.TextIOWrapper(file, encoding=_codec(encoding), errors="replace", newline="")


def _sample_text(
    path: Path,
    compression: str,
    encoding: Encoding,
    delimiter: str,
    header: tuple[int, int],
    width: int,
) -> RecordSample:
    """A sample of the records of the whole text, as far as it is scanned; `header` is its line and
    how many it has."""
    sample = RecordSample(width)
    with open_text(path, compression, encoding.name, path.name) as text:
        for _ in range(header[0] - 1):
            text.readline()
        reader = csv.reader(text, delimiter=delimiter)
        read = 0
        try:
            for _ in range(header[1]):
                next(reader, None)
            begins = header[0] + reader.line_num
            for row in reader:
                if len(row) == width:
                    sample.add(tuple(row), begins)
                begins = header[0] + reader.line_num
                read += sum(map(len, row))
                if read > SCANNED_BYTES:
                    break
        except csv.Error:
            pass
    return sample


def _split(text: str, delimiter: str) -> Rows:
    """(line where it begins, fields) of each record; blank lines are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: Rows = []
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


def _find_width(rows: Rows) -> int:
    """The number of fields that most of the first records have."""
    widths = [len(row) for _, row in rows[:LOOKED_AT_LINES]]
    return max(set(widths), key=widths.count) if widths else 0


def _rate_table(rows: Rows) -> float:
    """How much the rows look like a table: the share that agrees on a width, and that width."""
    width = _find_width(rows)
    if width < 2:
        return 0
    looked_at = rows[:LOOKED_AT_LINES]
    agreeing = sum(len(row) == width for _, row in looked_at)
    return agreeing / len(looked_at) * (1 - 1 / width)


def _refuse_other_width(rows: Rows, width: int, name: str) -> None:
    """Raise HeadNotReadError where the names stand in a row of another width than the records: no
    field is believed to be where the header says then, and landing quarantines all of them."""
    if len(rows) == 1 or _holds_names(rows[-1][1]):
        return
    (line, row), (first, _) = rows[-2:]
    if len(row) > 1 and abs(len(row) - width) <= WIDTHS_APART and _holds_names(row):
        found = (
            f"a header of {len(row)} columns in line {line} and records of {width} fields from "
            f"line {first} on"
        )
        remedy = "Ask the sender for a header with a name for each field, or add it to the file."
        raise HeadNotReadError(name, found, remedy)


def _holds_names(row: list[str]) -> bool:
    return count_names(row) >= LEAST_NAMES * len(row)


def _count_footer(text: str, body: Rows, width: int, *, is_whole: bool) -> int:
    """How many lines at the end are no records: of another width, or a total."""
    if not is_whole or len(body) > LOOKED_AT_RECORDS:
        return 0
    first = len(body)
    while first and _is_footer(body[first - 1][1], width):
        first -= 1
    if first == len(body):
        return 0
    lines = text.count("\n") + (not text.endswith("\n"))
    return lines + 1 - body[first][0]


def _without_footer(body: Rows, width: int) -> RecordSample:
    while body and _is_footer(body[-1][1], width):
        body = body[:-1]
    sample = RecordSample(width)
    for begins, row in body:
        if len(row) == width:
            sample.add(tuple(row), begins)
    return sample


def _is_footer(row: list[str], width: int) -> bool:
    texts = [cell.strip() for cell in row if cell.strip()]
    return len(row) != width or any(TOTAL_WORDS.fullmatch(text) for text in texts)
