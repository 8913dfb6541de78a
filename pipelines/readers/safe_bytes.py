"""Look at the bytes of a delivery before anything parses them.

Guards against what a CSV parser accepts without a word: an empty file, another format under the
name .csv, NUL bytes inside keys, an encoding that is not UTF-8. One pass, constant memory.
Known limit: a file that was cut exactly at a line end looks whole; only a control file shows it.
"""

from __future__ import annotations

import codecs
import hashlib
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipelines.errors import DeliveryRefusedError, Problem
from pipelines.mappings.mapping import Mapping
from pipelines.readers.file_names import show_file_name

CHUNK_BYTES = 1 << 18
"""What stays in the processor's cache from one look to the next: chunks of four megabytes are
written and looked at in nearly twice the time."""
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
DECLARED_MAGIC = {
    "gzip": b"\x1f\x8b",
    "zip": b"PK\x03\x04",
    "xlsx": b"PK\x03\x04",
    "parquet": b"PAR1",
}
FORMS = {"csv": "CSV file", "json": "JSON file", "jsonl": "file of JSON lines"}
FORM_EXPECTED = {
    "csv": "UTF-8 text with a header",
    "json": "UTF-8 text",
    "jsonl": "UTF-8 text with a JSON object in each line",
}
KINDS = ((stat.S_ISDIR, "a directory"), (stat.S_ISFIFO, "a named pipe"))
HEADER_EXPECTED = {"csv": "a header", "json": "JSON", "jsonl": "JSON"}


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
    has_control_characters: bool = True
    """False where no control character but tabs and line ends is among the bytes."""

    @property
    def lines(self) -> int:
        """How many lines the text has, inside quotes or not."""
        ends = self.line_ends
        return ends.crlf + ends.lf + ends.cr + (not self.ends_with_newline)


def take_delivery(path: Path, mapping: Mapping, copy: Path) -> BytesSeen:
    """Copy a delivery to `copy` and, in the same pass, hash it and check its bytes against the form
    that its mapping declares. Text that must be unpacked or transcoded first is checked after that.

    What was hashed is what was written. Raises DeliveryRefusedError where the delivery cannot be
    read or is not what it should be, OSError where the copy cannot be written.
    """
    name = show_file_name(path)
    with copy.open("wb") as target:
        if is_plain_text(mapping):
            return _inspect(path, name, mapping.format, target)
        seen, head = _hash(path, name, target)
    if seen.size == 0:
        raise _refusal(name, "is empty", "a header and records", "0 bytes")
    packed = mapping.compression if mapping.compression != "none" else mapping.format
    magic = DECLARED_MAGIC.get(packed)
    if magic is not None and not head.startswith(magic):
        found = next((kind for mark, kind in MAGIC.items() if head.startswith(mark)), "other bytes")
        expected = f"{MAGIC[magic]}, as its mapping '{mapping.mapping_id}' declares"
        raise _refusal(name, f"does not begin as {MAGIC[magic]}", expected, found)
    return seen


def is_plain_text(mapping: Mapping) -> bool:
    """Whether the delivery's bytes are UTF-8 text as they are."""
    is_text = mapping.format in ("csv", "json", "jsonl") and mapping.compression == "none"
    return is_text and codecs.lookup(mapping.encoding).name == "utf-8"


def inspect_text_file(path: Path, name: str | None = None, form: str = "csv") -> BytesSeen:
    """Hash a UTF-8 text file and check its bytes. Raises DeliveryRefusedError, also where the file
    cannot be read. `name` is what messages call it, `form` the format it should have."""
    return _inspect(path, name or show_file_name(path), form)


class _Chunks:
    """The chunks of a file, hashed beside the reader and written to `target` if there is one.

    The hash is most of the work of a pass and needs no lock of the interpreter, so it runs on a
    thread of its own, one chunk behind at most.
    """

    def __init__(self, path: Path, name: str, target: BinaryIO | None) -> None:
        self._path, self._name, self._target = path, name, target
        self._digest = hashlib.sha256()
        self.modified_ns = 0
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        with self._open() as file, ThreadPoolExecutor(1) as pool:
            self.modified_ns = os.fstat(file.fileno()).st_mtime_ns
            pending = None
            while chunk := self._read(file):
                if pending is not None:
                    pending.result()
                pending = pool.submit(self._digest.update, chunk)
                if self._target is not None:
                    self._target.write(chunk)
                yield chunk
                self.size += len(chunk)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def _open(self) -> BinaryIO:
        """A pipe or a device has no end, or waits for somebody: only a file is read."""
        try:
            # Opening a pipe waits for its other end, unless it is told not to.
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError as error:
            raise _refuse_unreadable(self._name, error) from None
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISREG(mode):
            return os.fdopen(descriptor, "rb")
        os.close(descriptor)
        kind = next((kind for is_kind, kind in KINDS if is_kind(mode)), "a device")
        raise _refusal(self._name, "cannot be read", "a regular file", kind)

    def _read(self, file: BinaryIO) -> bytes:
        try:
            return file.read(CHUNK_BYTES)
        except OSError as error:
            raise _refuse_unreadable(self._name, error) from None


def _refuse_unreadable(name: str, error: OSError) -> DeliveryRefusedError:
    return _refusal(name, "cannot be read", "a readable file", error.strerror or str(error))


def _hash(path: Path, name: str, target: BinaryIO) -> tuple[BytesSeen, bytes]:
    """Hash and size of any file, and its first bytes."""
    chunks, head = _Chunks(path, name, target), b""
    for chunk in chunks:
        head = head or chunk[:HEAD_BYTES]
    seen = BytesSeen(chunks.sha256, chunks.size, chunks.modified_ns, False, True, LineEnds())
    return seen, head


def _inspect(path: Path, name: str, form: str, target: BinaryIO | None = None) -> BytesSeen:
    decoder = codecs.getincrementaldecoder("utf-8")()
    last, has_bom = b"", False
    crlf = lf = cr = controls = 0
    chunks = _Chunks(path, name, target)
    for chunk in chunks:
        if chunks.size == 0:
            _refuse_other_formats(name, chunk[:HEAD_BYTES], form)
            has_bom = chunk.startswith(codecs.BOM_UTF8)
        if (position := chunk.find(b"\x00")) >= 0:
            found = f"NUL at byte {chunks.size + position}"
            raise _refusal(name, "contains a NUL byte", "text", found)
        # Plain ASCII is UTF-8, and is told many times faster than it is decoded.
        if decoder.getstate()[0] or not chunk.isascii():
            _decode(decoder, chunk, chunks.size, name)
        split_pair = last == b"\r" and chunk.startswith(b"\n")
        returns = chunk.count(b"\r")
        pairs = chunk.count(b"\r\n") if returns else 0
        crlf += pairs + split_pair
        lf += chunk.count(b"\n") - pairs - split_pair
        cr += returns - pairs - split_pair
        controls += _count_controls(chunk)
        last = chunk[-1:]
    if chunks.size == 0:
        raise _refusal(name, "is empty", "a header and records", "0 bytes")
    _decode(decoder, b"", chunks.size, name, is_last=True)
    line_ends = LineEnds(crlf, lf, cr)
    ends_with_newline = last in (b"\n", b"\r")
    return BytesSeen(
        chunks.sha256,
        chunks.size,
        chunks.modified_ns,
        has_bom,
        ends_with_newline,
        line_ends,
        has_control_characters=controls > 2 * crlf + lf + cr,
    )


def _count_controls(chunk: bytes) -> int:
    """How many control characters a chunk of UTF-8 holds, line ends among them, tabs not."""
    import numpy as np

    # Bytes below the space are never a part of a longer character.
    return int(np.count_nonzero(np.frombuffer(chunk, np.uint8) < ord(" "))) - chunk.count(b"\t")


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


def _refuse_other_formats(name: str, head: bytes, form: str) -> None:
    for magic, kind in MAGIC.items():
        if head.startswith(magic):
            raise _refusal(name, f"is not a {FORMS[form]}", FORM_EXPECTED[form], kind)
    # Text of two bytes per character has a NUL in every second place where it is ASCII.
    if head[1:2] == b"\x00" or head[:1] == b"\x00":
        raise _refusal(
            name, "is not UTF-8", "UTF-8 text", "UTF-16 text or binary data (NUL at byte 0 or 1)"
        )
    start = head.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<head", b"<body", b"<?xml", b"<!--")):
        raise _refusal(name, f"is not a {FORMS[form]}", HEADER_EXPECTED[form], "a web page or XML")
    if form == "csv" and start.startswith((b"{", b"[")):
        raise _refusal(name, "is not a CSV file", "a header", "JSON")


def _refusal(name: str, message: str, expected: str, found: str) -> DeliveryRefusedError:
    remedy = "Nothing was loaded. Ask the sender for the file again, as CSV in UTF-8."
    return DeliveryRefusedError(
        Problem(name, message, expected=expected, found=found, remedy=remedy)
    )
