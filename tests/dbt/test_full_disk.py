"""A disk that is full while a period is closed, a workspace backed up or restored: a clear error,
nothing changed, and the same command works once there is space."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.books.books import Books
from pipelines.close.desk import CloseDesk
from pipelines.close.period_states import read_state
from pipelines.close.verify import verify
from pipelines.errors import EXIT_DONE, EXIT_USAGE
from pipelines.workspace.workspace import Workspace
from tests.closed_periods import approve_published
from tests.crash.processes import fork, run_command, run_limited

from .golden import Golden

JANUARY = "2026-01"
SPACE_BYTES = 40 << 20
LEFT_BYTES = (0, 64 << 10, 1 << 20)
"""So much is left of the disk, so that it is full at one step or another."""


@pytest.fixture(scope="module")
def approved(small_company: Golden, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small company with January approved."""
    root = tmp_path_factory.mktemp("full") / "company"
    shutil.copytree(small_company.workspace.root, root, ignore=shutil.ignore_patterns(".dbt"))
    books = Books.open(Workspace.open(root))
    approve_published(CloseDesk(Workspace.open(root), books), JANUARY)
    books.close()
    return root


@pytest.fixture
def disk(approved: Path, tmp_path: Path) -> Iterator[Path]:
    """A disk of its own that holds the workspace and little more."""
    size = sum(path.stat().st_size for path in approved.rglob("*") if path.is_file())
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size + SPACE_BYTES}", "tmpfs", str(place)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"a small disk can be mounted by root only: {error}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def _run(arguments: list[str], output: Path, most_bytes: int | None = None) -> tuple[int, str]:
    if most_bytes is None:
        process = fork(run_command, arguments, output)
    else:
        process = fork(run_limited, arguments, output, most_bytes)
    process.join()
    assert process.exitcode is not None
    return process.exitcode, output.read_text("utf-8")


def _fill(disk: Path, left: int) -> Path:
    """Fill the disk, but for `left` bytes."""
    free = os.statvfs(disk)
    filler = disk / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - left)
    return filler


def _read_state(root: Path) -> str:
    books = Books.open(Workspace.open(root))
    try:
        with books.read() as connection:
            return read_state(connection, JANUARY).state
    finally:
        books.close()


def _fail_to_close(root: Path, output: Path, most_bytes: int | None = None) -> None:
    """Close where there is no space: a clear error, and readers see what they saw."""
    pointer = (root / "warehouse" / "CURRENT").read_bytes()
    code, said = _run(["close", JANUARY, "--workspace", str(root)], output, most_bytes)
    assert code == EXIT_USAGE, said
    assert "ree some space" in said
    assert "Traceback" not in said
    assert (root / "warehouse" / "CURRENT").read_bytes() == pointer


def _close_at_last(root: Path, output: Path) -> None:
    assert _read_state(root) == "approved"
    code, said = _run(["close", JANUARY, "--workspace", str(root)], output)
    assert code == EXIT_DONE, said
    assert not (root / "warehouse" / ".closing").exists()
    books = Books.open(Workspace.open(root))
    assert verify(Workspace.open(root), books, deep=True).problems == []
    books.close()


def test_a_close_on_a_full_disk(approved: Path, disk: Path, tmp_path: Path) -> None:
    root, output = disk / "company", tmp_path / "out.txt"
    shutil.copytree(approved, root)
    for left in LEFT_BYTES:
        filler = _fill(disk, left)
        _fail_to_close(root, output)
        filler.unlink()
    _close_at_last(root, output)


def test_a_close_whose_files_may_not_grow(approved: Path, tmp_path: Path) -> None:
    """Where no disk can be mounted: no file may be larger than so much."""
    root, output = tmp_path / "company", tmp_path / "out.txt"
    shutil.copytree(approved, root)
    for most in (4096, 1 << 20):
        _fail_to_close(root, output, most)
    _close_at_last(root, output)


def test_a_backup_and_a_restore_on_a_full_disk(approved: Path, disk: Path, tmp_path: Path) -> None:
    output, kept = tmp_path / "out.txt", disk / "kept"
    kept.mkdir()
    backup = ["backup", "--to", str(kept), "--workspace", str(approved)]
    restore = ["restore", str(kept), "--to", str(disk / "again")]
    for command in (backup, restore):
        before = sorted(path.name for path in disk.iterdir())
        for left in LEFT_BYTES:
            filler = _fill(disk, left)
            code, said = _run(command, output)
            assert (code, "ree some space" in said) == (EXIT_USAGE, True), said
            filler.unlink()
            assert sorted(path.name for path in disk.iterdir()) == before
        code, said = _run(command, output)
        assert code == EXIT_DONE, said
