"""A failure is one line and an exit code; a defect also names its log."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import duckdb
import pytest

from pipelines.cli import main
from pipelines.cli.failures import find_machine_failure, report_failure


def _raise(error: Exception) -> None:
    raise error


def test_defect_is_one_line_and_its_log_has_the_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "apportion.yml").write_text("name: x\n", "utf-8")
    try:
        _raise(KeyError("a\nb"))
    except KeyError as error:
        arguments = ["run", "--workspace", str(tmp_path)]
        assert report_failure(error, arguments, has_traceback=False) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "this is a defect of Apportion" in said
    assert "Traceback" not in said
    (log,) = (tmp_path / "logs").iterdir()
    assert str(log) in said
    assert "_raise" in log.read_text("utf-8")
    assert log.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("place", ["first", "last"])
def test_debug_prints_the_traceback(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["loads", "list", "--workspace", str(tmp_path)]
    assert main.run(arguments) == 2
    assert "Traceback" not in capsys.readouterr().err
    arguments = ["--debug", *arguments] if place == "first" else [*arguments, "--debug"]
    assert main.run(arguments) == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device", "/x"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        sqlite3.OperationalError("database or disk is full"),
        duckdb.IOException("IO Error: Could not write: No space left on device"),
    ],
)
def test_full_disk_is_the_machine_whichever_library_meets_it(error: Exception) -> None:
    try:
        try:
            _raise(error)
        except Exception as cause:
            raise RuntimeError("while writing") from cause
    except RuntimeError as outer:
        reason = find_machine_failure(outer)
    assert reason is not None
    assert "no space left on the disk" in reason
    assert "repeat the command" in reason
    assert find_machine_failure(KeyError("x")) is None
