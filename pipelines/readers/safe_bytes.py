"""Look at the bytes of a delivery before anything parses them.

Guards against what a CSV parser accepts without a word: an empty file, another format under the
name .csv, NUL bytes inside keys, an encoding that is not UTF-8. One pass, constant memory.
Known limit: a file that was cut exactly at a line end looks whole; only a control file shows it.
"""

from __future__ import annotations

import codecs
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import DeliveryRefusedError, Problem
from pipelines.readers.file_names import show_file_name

CHUNK_BYTES = 1 << 20
HEAD_BYTES = 512

MAGIC = {
    b"PK\x03\x04": "a ZIP or Excel file",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file",
    b"\x1f\x8b": "a gzip file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"7z\xbc\xaf": "a 7-Zip file",
    b"PAR1": "a Parquet file",
    b"SQLite format 3": "an SQLite database",
    b"%PDF": "a PDF",
    # UTF-32 first: its mark begins like that of UTF-16.
    b"\xff\xfe\x00\x00": "UTF-32 text",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}


@dataclass(frozen=True)
class LineEnds:
    """How many line ends of each kind the bytes hold, inside quotes or not."""

    crlf: int = 0
    lf: int = 0
    cr: int = 0

    def __str__(self) -> str:
        kinds = (("CRLF", self.crlf), ("LF", self.lf), ("CR", self.cr))
        return " and ".join(f"{count:,} {kind}" for kind, count in kinds if count)

    @property
    def are_mixed(self) -> bool:
        return sum(count > 0 for count in (self.crlf, self.lf, self.cr)) > 1


@dataclass(frozen=True)
class BytesSeen:
    """What the bytes of a file are: hash, size, and how its text begins, breaks and ends."""

    sha256: str
    size: int
    modified_ns: int
    """When the file was written last, as it stood when reading began."""
    has_bom: bool
    ends_with_newline: bool
    line_ends: LineEnds


def inspect_text_file(path: Path) -> BytesSeen:
    """Hash a UTF-8 text file and check its bytes. Raises DeliveryRefusedError, also where the file
    cannot be read."""
    name = show_file_name(path)
    try:
        return _inspect(path, name)
    except OSError as error:
        raise _refusal(
            name, "cannot be read", "a readable file", error.strerror or str(error)
        ) from None


def _inspect(path: Path, name: str) -> BytesSeen:
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    size, last, has_bom = 0, b"", False
    crlf = lf = cr = 0
    with path.open("rb") as file:
        modified_ns = os.fstat(file.fileno()).st_mtime_ns
        while chunk := file.read(CHUNK_BYTES):
            if size == 0:
                _refuse_other_formats(name, chunk[:HEAD_BYTES])
                has_bom = chunk.startswith(codecs.BOM_UTF8)
            if (position := chunk.find(b"\x00")) >= 0:
                found = f"NUL at byte {size + position}"
                raise _refusal(name, "contains a NUL byte", "text", found)
            _decode(decoder, chunk, size, name)
            split_pair = last == b"\r" and chunk.startswith(b"\n")
            pairs = chunk.count(b"\r\n")
            crlf += pairs + split_pair
            lf += chunk.count(b"\n") - pairs - split_pair
            cr += chunk.count(b"\r") - pairs - split_pair
            digest.update(chunk)
            size, last = size + len(chunk), chunk[-1:]
    if size == 0:
        raise _refusal(name, "is empty", "a header and records", "0 bytes")
    _decode(decoder, b"", size, name, is_last=True)
    ends_with_newline = last in (b"\n", b"\r")
    line_ends = LineEnds(crlf, lf, cr)
    return BytesSeen(digest.hexdigest(), size, modified_ns, has_bom, ends_with_newline, line_ends)


def _decode(
    decoder: codecs.IncrementalDecoder, chunk: bytes, offset: int, name: str, is_last: bool = False
) -> None:
    """Feed one chunk that begins at byte `offset`; name the first byte that is not UTF-8."""
    # A character may have begun at the end of the chunk before.
    pending = decoder.getstate()[0]
    try:
        decoder.decode(chunk, final=is_last)
    except UnicodeDecodeError as error:
        at = offset - len(pending) + error.start
        value = error.object[error.start]
        if error.reason == "unexpected end of data":
            message, found = "ends inside a character", f"a cut-off character at byte {at}"
        else:
            message, found = "is not UTF-8", f"the byte 0x{value:02X} at byte {at}"
        raise _refusal(name, message, "UTF-8 text", found) from None


def _refuse_other_formats(name: str, head: bytes) -> None:
    for magic, kind in MAGIC.items():
        if head.startswith(magic):
            raise _refusal(name, "is not a CSV file", "UTF-8 text with a header", kind)
    # Text of two bytes per character has a NUL in every second place where it is ASCII.
    if head[1:2] == b"\x00" or head[:1] == b"\x00":
        raise _refusal(
            name, "is not UTF-8", "UTF-8 text", "UTF-16 text or binary data (NUL at byte 0 or 1)"
        )
    start = head.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<head", b"<body", b"<?xml", b"<!--")):
        raise _refusal(name, "is not a CSV file", "a header", "a web page or XML")
    if start.startswith((b"{", b"[")):
        raise _refusal(name, "is not a CSV file", "a header", "JSON")


def _refusal(name: str, message: str, expected: str, found: str) -> DeliveryRefusedError:
    remedy = "Nothing was loaded. Ask the sender for the file again, as CSV in UTF-8."
    return DeliveryRefusedError(
        Problem(name, message, expected=expected, found=found, remedy=remedy)
    )
