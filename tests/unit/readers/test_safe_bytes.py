"""Bytes are looked at in chunks: what spans two of them must be seen as one."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pipelines.errors import DeliveryRefusedError
from pipelines.readers import safe_bytes
from pipelines.readers.safe_bytes import LineEnds, inspect_text_file


@pytest.fixture(params=[1, 2, 3, 1 << 20])
def chunk_bytes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_bytes, "CHUNK_BYTES", request.param)


def _write(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "delivery.csv"
    path.write_bytes(content)
    return path


def test_line_ends_hash_and_size(tmp_path: Path, chunk_bytes: None) -> None:
    content = "ä,b\r\nc,d\ne,f\rg".encode()
    seen = inspect_text_file(_write(tmp_path, content))
    assert seen.line_ends == LineEnds(crlf=1, lf=1, cr=1)
    assert seen.line_ends.are_mixed
    assert seen.sha256 == hashlib.sha256(content).hexdigest()
    # The a with diaeresis has two bytes.
    assert (seen.size, seen.has_bom, seen.ends_with_newline) == (15, False, False)


@pytest.mark.parametrize("character", [b"\x01", b"\x08", b"\x0b", b"\x0c", b"\x0e", b"\x1f"])
def test_control_character_is_seen(tmp_path: Path, chunk_bytes: None, character: bytes) -> None:
    clean = "a\tä,b\r\nc,\x7f\ne,f\rg\t".encode()
    assert not inspect_text_file(_write(tmp_path, clean)).has_control_characters
    path = _write(tmp_path, clean.replace(b"c", character))
    assert inspect_text_file(path).has_control_characters


def test_crlf_alone_is_not_mixed(tmp_path: Path, chunk_bytes: None) -> None:
    seen = inspect_text_file(_write(tmp_path, b"a,b\r\nc,d\r\n"))
    assert str(seen.line_ends) == "2 CRLF"
    assert not seen.line_ends.are_mixed
    assert seen.ends_with_newline


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        # 'ab', then the two bytes of a u with diaeresis, then 'cd': the bad byte is number 6.
        (b"ab\xc3\xbccd\xffef", "the byte 0xFF at byte 6"),
        # The character begins at byte 2 and is broken off by an ordinary letter.
        (b"ab\xe2\x82Xcd", "the byte 0xE2 at byte 2"),
        (b"abcd\xe2\x82", "a cut-off character at byte 4"),
        (b"abc\x00d", "NUL at byte 3"),
    ],
)
def test_first_bad_byte_is_named(
    tmp_path: Path, chunk_bytes: None, content: bytes, fragment: str
) -> None:
    with pytest.raises(DeliveryRefusedError) as caught:
        inspect_text_file(_write(tmp_path, content))
    assert fragment in str(caught.value)
    assert "delivery.csv" in str(caught.value)


def test_byte_order_mark_is_seen(tmp_path: Path) -> None:
    assert inspect_text_file(_write(tmp_path, b"\xef\xbb\xbfa,b\n")).has_bom


def test_directory_is_refused_as_unreadable(tmp_path: Path) -> None:
    with pytest.raises(DeliveryRefusedError, match="cannot be read"):
        inspect_text_file(tmp_path)
