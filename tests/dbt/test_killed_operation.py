"""A backup, a restore and a pruning that are killed at any moment leave nothing that the next run
of the same command does not clean up or finish."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.cli.main import run
from pipelines.errors import EXIT_DONE, EXIT_REFUSED, EXIT_USAGE
from pipelines.operation.backup import find_backups
from pipelines.operation.restore import restore_backup
from pipelines.warehouse.reader import open_published
from pipelines.workspace.workspace import Workspace
from tests.crash.processes import fork, restore_until_proof, run_command

from .golden import Golden

KILLS = 5
# Longer than the measured run, so that the last moments are hit, too.
SPAN = 1.05
LOCK_NAME = ".apportion-backup.lock"
BACKUP = ("backup", "--to")


@pytest.fixture(scope="module")
def company(small_company: Golden, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("killed") / "company"
    shutil.copytree(small_company.workspace.root, root, ignore=shutil.ignore_patterns(".dbt"))
    return root


def _kill_often(arguments: Callable[[int], list[str]], directory: Path) -> int:
    """Run the command once to its end, then kill it at random moments; how many were killed."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")  # With it the same moments are drawn again.
    moments = random.Random(seed)
    # The first process waits until the one that it is forked from has imported everything.
    fork(time.sleep, 0).join()
    begun = time.monotonic()
    process = fork(run_command, arguments(0), directory / "whole.txt")
    process.join()
    whole = time.monotonic() - begun
    assert process.exitcode == EXIT_DONE, (directory / "whole.txt").read_text("utf-8")
    killed = 0
    for number in range(1, KILLS + 1):
        begun = time.monotonic()
        process = fork(run_command, arguments(number), directory / f"{number}.txt")
        process.join(moments.uniform(0, SPAN) * whole)
        if process.exitcode is not None:
            # A repeated backup links what the one before copied, and is faster.
            whole = min(whole, time.monotonic() - begun)
        if process.exitcode is None:
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            killed += 1
    return killed


def _charge(root: Path) -> list[tuple[object, ...]]:
    with open_published(Workspace.open(root)) as marts:
        return marts.execute(
            "select period_id, sum(charged_amount) from fct_charges_monthly group by all order by 1"
        ).fetchall()


def _succeed(*arguments: str) -> None:
    assert run(list(arguments)) == EXIT_DONE


@pytest.mark.parametrize("form", ["directory", "archive"])
def test_killed_backups_are_swept_by_the_next(company: Path, tmp_path: Path, form: str) -> None:
    place = tmp_path / "backups"
    place.mkdir()

    def arguments(number: int) -> list[str]:
        target = place if form == "directory" else place / f"{number}.tar"
        return [*BACKUP, str(target), "--workspace", str(company)]

    assert _kill_often(arguments, tmp_path)
    last = str(place) if form == "directory" else str(place / "last.tar")
    _succeed(*BACKUP, last, "--workspace", str(company))
    names = {path.name for path in place.iterdir()} - {LOCK_NAME}
    backups = find_backups(place) if form == "directory" else sorted(place.glob("*.tar"))
    # What has a name is whole, and nothing else is there.
    assert names == {path.name for path in backups}
    for number, backup in enumerate(backups):
        restored = restore_backup(backup, tmp_path / f"proof-{number}")
        assert restored.problems == []
        assert _charge(restored.root) == _charge(company)


def test_killed_restores_are_finished_by_the_next(company: Path, tmp_path: Path) -> None:
    _succeed(*BACKUP, str(tmp_path / "kept"), "--workspace", str(company))
    place = tmp_path / "restored"
    place.mkdir()

    def arguments(number: int) -> list[str]:
        return ["restore", str(tmp_path / "kept"), "--to", str(place / f"ws{number}")]

    assert _kill_often(arguments, tmp_path)
    for number in range(1, KILLS + 1):
        target = place / f"ws{number}"
        if not target.exists() or (target / ".restoring").exists():
            _succeed(*arguments(number))
        assert _charge(target) == _charge(company)
        _succeed("doctor", "--workspace", str(target))
    assert sorted(path.name for path in place.iterdir()) == [
        f"ws{number}" for number in range(KILLS + 1)
    ]


def test_a_restore_killed_before_its_proof_is_named_and_proven(
    company: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, other, target = tmp_path / "kept", tmp_path / "other", tmp_path / "ws"
    for place in (kept, other):
        _succeed(*BACKUP, str(place), "--workspace", str(company))
    process = fork(restore_until_proof, kept, target)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    capsys.readouterr()
    assert run(["doctor", "--workspace", str(target)]) == EXIT_REFUSED
    assert "cut off before its proof" in capsys.readouterr().out
    assert run(["restore", str(other), "--to", str(target)]) == EXIT_USAGE
    assert "a restore of another backup that was cut off" in capsys.readouterr().err
    _succeed("restore", str(kept), "--to", str(target))
    _succeed("doctor", "--workspace", str(target))
    assert _charge(target) == _charge(company)
    # Proven, it is a workspace like any other, and is not written over.
    assert run(["restore", str(kept), "--to", str(target)]) == EXIT_USAGE


def test_killed_prunings_are_finished_by_the_next(company: Path, tmp_path: Path) -> None:
    roots = []
    for number in range(KILLS + 1):
        root = tmp_path / f"ws{number}"
        shutil.copytree(company, root)
        # What a run that was never published left, much of it.
        for name in range(300):
            (root / "warehouse" / f"run-x{name}.duckdb").write_bytes(b"x")
        (root / "warehouse" / ".building").mkdir()
        for name in range(300):
            (root / "warehouse" / ".building" / f"{name}").write_bytes(b"x")
        roots.append(root)

    def arguments(number: int) -> list[str]:
        return ["gc", "--yes", "--workspace", str(roots[number])]

    assert _kill_often(arguments, tmp_path)
    whole = _list_names(roots[0])
    for number in range(1, KILLS + 1):
        _succeed(*arguments(number))
        assert _list_names(roots[number]) == whole
        assert _charge(roots[number]) == _charge(company)
        _succeed("doctor", "--workspace", str(roots[number]))


def _list_names(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "warehouse").iterdir())
