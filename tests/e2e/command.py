"""Call the real command as a newcomer does: a process, its output and its exit code."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
APPORTION = Path(sys.executable).with_name("apportion")
SHARED_DATA = ROOT.parent / "shared" / "data"


def run_apportion(
    *arguments: str | Path, expect: int | None = 0
) -> subprocess.CompletedProcess[str]:
    """Run one command; fail with its output where the exit code is not the expected one."""
    done = subprocess.run(
        [str(APPORTION), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    if expect is not None:
        assert done.returncode == expect, (
            f"{arguments}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        )
    return done


def run_here(*arguments: str | Path, expect: int = 0) -> str:
    """Run one command in this process, without the second that a process takes to start; what it
    printed. Fails where the exit code is not the expected one."""
    from pipelines.cli.main import run

    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        code = run([str(argument) for argument in arguments])
    assert code == expect, f"{arguments}\n{output.getvalue()[-3000:]}\n{errors.getvalue()[-3000:]}"
    return output.getvalue() if code == 0 else output.getvalue() + errors.getvalue()


def ask_sql(workspace: Path, query: str) -> list[dict[str, Any]]:
    """Rows of a query over what is published; decimals come as texts."""
    done = run_apportion("sql", query, "--json", "--limit", "0", "-w", workspace)
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows
