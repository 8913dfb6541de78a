"""Unpack and transcode a delivery into UTF-8 text, in constant memory.

A few kilobytes may expand to gigabytes, and an archive may hold paths that lead out of its
directory: so only the content of exactly one file is taken, up to a size and a ratio, and no name
inside an archive is ever used as a path.
"""

from __future__ import annotations

import codecs
import gzip
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Protocol

from pipelines.errors import DeliveryRefusedError, Problem
from pipelines.mappings.mapping import Mapping

CHUNK_BYTES = 1 << 20
MAX_EXPANDED_BYTES = 8 << 30
MAX_RATIO = 200
"""Tables of text shrink to a tenth or a thirtieth; what shrinks more is made to fill a disk."""
RATIO_FREE_BYTES = 16 << 20
"""Up to this size the ratio does not matter."""
ENCRYPTED_FLAG = 0x1


class _Reader(Protocol):
    def read(self, size: int, /) -> bytes: ...


def unpack(path: Path, mapping: Mapping, target: Path, name: str) -> None:
    """Write what the packed file at `path` holds to `target`. Raises DeliveryRefusedError where it
    is cut off, damaged, expands too far or is not exactly one file."""
    try:
        if mapping.compression == "gzip":
            with gzip.open(path, "rb") as packed:
                _copy_within_limits(packed, target, path.stat().st_size, name)
            return
        with zipfile.ZipFile(path) as archive:
            member = _choose_member(archive, name)
            with archive.open(member) as packed:
                _copy_within_limits(packed, target, max(member.compress_size, 1), name)
    except EOFError:
        found = "its end is missing"
        raise _refuse(name, "is cut off", f"a whole {mapping.compression} file", found) from None
    except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        expected = f"a whole {mapping.compression} file"
        raise _refuse(name, "cannot be unpacked", expected, str(error)) from None


def check_archive_size(archive: zipfile.ZipFile, size: int, name: str) -> None:
    """Raise DeliveryRefusedError where the members of an archive of `size` bytes expand too far."""
    _refuse_expansion(sum(member.file_size for member in archive.infolist()), size, name)


def transcode(path: Path, encoding: str, target: Path, name: str) -> None:
    """Write the text at `path` as UTF-8 to `target`. Raises DeliveryRefusedError with the offset of
    the first byte that `encoding` cannot have."""
    decoder = codecs.getincrementaldecoder(encoding)()
    offset, is_start = 0, True
    with path.open("rb") as source, target.open("wb") as result:
        while True:
            chunk = source.read(CHUNK_BYTES)
            pending = decoder.getstate()[0]
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                at = offset - len(pending) + error.start
                found = f"the byte 0x{error.object[error.start]:02X} at byte {at}"
                expected = f"text in {encoding}, as its mapping declares"
                raise _refuse(name, f"is not {encoding}", expected, found) from None
            except UnicodeError as error:
                # UTF-16 without its mark at the beginning, for example.
                expected = f"text in {encoding}, as its mapping declares"
                raise _refuse(name, f"is not {encoding}", expected, str(error)) from None
            if is_start and text:
                text, is_start = text.removeprefix("\ufeff"), False
            try:
                result.write(text.encode("utf-8"))
            except UnicodeEncodeError as error:
                found = f"half of a character, before byte {offset + len(chunk)} ({error.reason})"
                raise _refuse(name, f"is not {encoding}", "whole characters", found) from None
            if not chunk:
                return
            offset += len(chunk)


def _choose_member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    members = archive.infolist()
    if len(members) != 1:
        raise _refuse(name, "is an archive", "exactly one file in it", f"{len(members):,} members")
    member = members[0]
    # `orig_filename` is what the archive says, before Python made it harmless.
    inside = member.orig_filename
    paths = (PurePosixPath(inside), PureWindowsPath(inside))
    if any(path.is_absolute() or ".." in path.parts or path.drive for path in paths):
        raise _refuse(name, "is an archive", "a file inside it", f"a path out of it, {inside!r}")
    if member.is_dir() or stat.S_ISLNK(member.external_attr >> 16):
        raise _refuse(name, "is an archive", "a file in it", f"a directory or link, {inside!r}")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        found = f"method {member.compress_type}"
        raise _refuse(name, "is packed in an unusual way", "a stored or deflated file", found)
    if member.flag_bits & ENCRYPTED_FLAG:
        raise _refuse(name, "is an archive", "a file without a password", "an encrypted one")
    _refuse_expansion(member.file_size, max(member.compress_size, 1), name)
    return member


def _copy_within_limits(packed: _Reader, target: Path, packed_size: int, name: str) -> None:
    size = 0
    with target.open("wb") as result:
        while chunk := packed.read(CHUNK_BYTES):
            size += len(chunk)
            _refuse_expansion(size, packed_size, name)
            result.write(chunk)


def _refuse_expansion(size: int, packed_size: int, name: str) -> None:
    if size > MAX_EXPANDED_BYTES:
        expected = f"at most {MAX_EXPANDED_BYTES:,} bytes"
        raise _refuse(name, "expands too far", expected, f"{size:,} bytes or more")
    if size > RATIO_FREE_BYTES and size > MAX_RATIO * packed_size:
        expected = f"at most {MAX_RATIO} times its size"
        found = f"{size:,} bytes or more in {packed_size:,}"
        raise _refuse(name, "expands too far", expected, found)


def _refuse(name: str, message: str, expected: str, found: str) -> DeliveryRefusedError:
    remedy = "Nothing was loaded. Ask the sender for the file again, in the declared form."
    return DeliveryRefusedError(
        Problem(name, message, expected=expected, found=found, remedy=remedy)
    )
