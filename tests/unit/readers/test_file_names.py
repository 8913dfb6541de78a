"""Names of files are the sender's text."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.readers.file_names import show_file_name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Büro März.csv", "Büro März.csv"),
        ("a\nb.csv", "a\\nb.csv"),
        ("gpj\u202evsc.exe", "gpj\\u202evsc.exe"),
        ("bell\x07.csv", "bell\\x07.csv"),
        ("not utf-8 \udcff.csv", "not utf-8 \\udcff.csv"),
    ],
)
def test_traps_are_escaped(name: str, shown: str) -> None:
    assert show_file_name(Path(name)) == shown
    assert shown.encode("utf-8").decode("utf-8").isprintable()
