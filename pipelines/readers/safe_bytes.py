"""Look at the bytes of a delivery before anything parses them.

Guards against what a CSV parser accepts without a word: an empty file, another format under the
name .csv, NUL bytes inside keys, an encoding that is not UTF-8. One pass, constant memory.
"""

from __future__ import annotations

import codecs
import hashlib
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import DeliveryRefusedError, Problem

CHUNK_BYTES = 1 << 20

MAGIC = {
    b"PK\x03\x04": "a ZIP or Excel file",
    b"\x1f\x8b": "a gzip file",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}


@dataclass(frozen=True)
class BytesSeen:
    """What the bytes of a file are: hash, size, whether they begin with a byte-order mark."""

    sha256: str
    size: int
    has_bom: bool
    ends_with_newline: bool


def inspect_text_file(path: Path) -> BytesSeen:
    """Hash a UTF-8 text file and check its bytes. Raises DeliveryRefusedError."""
    name = path.name
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    size, last, head = 0, b"", b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            if not head:
                head = chunk[:512]
                _refuse_other_formats(name, head)
            if (position := chunk.find(b"\x00")) >= 0:
                raise _refusal(
                    name,
                    "contains a NUL byte",
                    "text",
                    f"NUL at byte {size + position}",
                )
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                at = size + error.start
                raise _refusal(
                    name, "is not UTF-8", "UTF-8 text", f"an invalid byte near {at}"
                ) from None
            digest.update(chunk)
            size, last = size + len(chunk), chunk[-1:]
    if size == 0:
        raise _refusal(name, "is empty", "a header and records", "0 bytes")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise _refusal(name, "ends inside a character", "UTF-8 text", "a cut-off file") from None
    return BytesSeen(digest.hexdigest(), size, head.startswith(codecs.BOM_UTF8), last == b"\n")


def _refuse_other_formats(name: str, head: bytes) -> None:
    for magic, kind in MAGIC.items():
        if head.startswith(magic):
            raise _refusal(name, "is not a CSV file", "UTF-8 text with a header", kind)
    start = head.lstrip(codecs.BOM_UTF8).lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise _refusal(name, "is not a CSV file", "a header", "a web page or XML")
    if start.startswith((b"{", b"[")):
        raise _refusal(name, "is not a CSV file", "a header", "JSON")


def _refusal(name: str, message: str, expected: str, found: str) -> DeliveryRefusedError:
    remedy = "Nothing was loaded. Ask the sender for the file again, or declare its form."
    return DeliveryRefusedError(
        Problem(name, message, expected=expected, found=found, remedy=remedy)
    )
