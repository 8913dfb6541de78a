"""Processes that run one command and are killed on the way, as a power cut would.

A command of its own takes a second to start, and the start is not what is tested: the processes are
forked from one that has everything imported and nothing open.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any
from unittest.mock import patch

IMPORTED = (
    *("duckdb", "sqlalchemy.dialects.sqlite", "pipelines.cli.main", "pipelines.close.close_period"),
    *("pipelines.warehouse.build", "pipelines.warehouse.reader", "pipelines.books.tables"),
    "tests.crash.processes",
)
# What Python tells before it does it, and what it says of the place.
FILE_OPERATIONS = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "open")
WRITING = os.O_WRONLY | os.O_RDWR


def fork(function: Callable[..., Any], *arguments: Any) -> ForkServerProcess:
    """Start a process that calls the function, with the environment of this one."""
    context = get_context("forkserver")
    context.set_forkserver_preload(list(IMPORTED))
    process = context.Process(target=_call, args=(dict(os.environ), function, arguments))
    process.start()
    return process


def run_command(arguments: list[str], output: Path) -> None:
    """One command of `apportion`; what it prints is in `output` the moment it is printed."""
    from pipelines.cli.main import run

    with output.open("w", encoding="utf-8", buffering=1) as file:
        sys.stdout = sys.stderr = file
        code = run(arguments)
        file.flush()
        os._exit(code)


def run_limited(arguments: list[str], output: Path, most_bytes: int) -> None:
    """One command of `apportion` that can write no file beyond a size."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    run_command(arguments, output)


def restore_until_proof(backup: Path, target: Path) -> None:
    """Restore, and be killed where the proof of what was restored begins."""
    from pipelines.operation import restore

    with patch.object(restore, "_prove", lambda *_, **__: _die()):
        restore.restore_backup(backup, target)


def close_until(root: Path, period_id: str, step: str, person: str | None = None) -> None:
    """Close a period, and be killed where the close names this step."""
    from pipelines.books.person import act_as
    from pipelines.close.close_period import close_period
    from pipelines.close.desk import open_desk
    from pipelines.workspace.workspace import Workspace

    with act_as(person, is_demo=True), open_desk(Workspace.open(root)) as desk:
        close_period(desk, period_id, lambda name: _die() if name == step else None)


def close_slowly(root: Path, period_id: str, step: str, person: str) -> None:
    """Close a period; at this step make the file `waiting`, and wait for the file `go`."""
    from pipelines.books.person import act_as
    from pipelines.close.close_period import close_period
    from pipelines.close.desk import open_desk
    from pipelines.workspace.workspace import Workspace

    def wait(name: str) -> None:
        if name == step:
            (root / "waiting").touch()
            while not (root / "go").exists():
                time.sleep(0.01)

    with act_as(person, is_demo=True), open_desk(Workspace.open(root)) as desk:
        close_period(desk, period_id, wait)


def close_until_operation(root: Path, period_id: str, number: int) -> None:
    """Close a period, and be killed before the n-th time that Python changes a file of the
    warehouse or the books commit."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    from pipelines.close.close_period import close_period
    from pipelines.close.desk import open_desk
    from pipelines.workspace.workspace import Workspace

    warehouse, seen = str(root / "warehouse"), 0

    def count(*_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            _die()

    def look(name: str, details: tuple[Any, ...]) -> None:
        if name not in FILE_OPERATIONS or not str(details[0]).startswith(warehouse):
            return
        if name != "open" or (details[2] or 0) & WRITING:
            count()

    with open_desk(Workspace.open(root)) as desk:
        event.listen(Engine, "commit", count)
        sys.addaudithook(look)
        close_period(desk, period_id)
    # The interpreter's end is not counted.
    os._exit(0)


def _call(environment: dict[str, str], function: Callable[..., Any], arguments: Any) -> None:
    os.environ.clear()
    os.environ.update(environment)
    function(*arguments)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
