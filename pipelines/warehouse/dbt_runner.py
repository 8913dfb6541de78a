"""Run dbt on a fresh warehouse file, as a process of its own.

A process, because dbt keeps handles on the database for as long as it lives; when the process is
gone the file is ours. Progress is read from the lines that dbt prints as it goes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from pipelines.errors import BuildError

PROJECT_DIRECTORY = Path(__file__).parents[2] / "dbt_project"
PROGRESS = re.compile(r"(\d+) of (\d+) (?:START|OK|PASS|FAIL|ERROR|SKIP|WARN|NO-OP)")
FAILURE_LINES = 60


def run_dbt_build(
    database: Path,
    state_directory: Path,
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """`dbt build` into `database`. Raises BuildError with what failed.

    `state_directory` keeps dbt's parse cache and log between runs.
    """
    state_directory.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {
        "APPORTION_BUILD_DATABASE": str(database),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
        "PYTHONPATH": str(PROJECT_DIRECTORY.parent),
    }
    command = [
        *(sys.executable, "-m", "dbt.cli.main", "build"),
        # Unit tests prove the code, not the deliveries: tests/dbt runs them, once per change.
        *("--exclude-resource-type", "unit_test"),
        *("--project-dir", str(PROJECT_DIRECTORY)),
        *("--profiles-dir", str(PROJECT_DIRECTORY)),
        *("--target-path", str(state_directory / "target")),
        *("--log-path", str(state_directory / "logs")),
    ]
    lines: list[str] = []
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        cwd=PROJECT_DIRECTORY,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            found = PROGRESS.search(line)
            if found and on_progress:
                on_progress(int(found[1]), int(found[2]))
    if process.returncode != 0:
        raise BuildError(_describe_failure(lines, state_directory))


def _describe_failure(lines: list[str], state_directory: Path) -> str:
    start = next(
        (number for number, line in enumerate(lines) if "Completed with" in line),
        max(0, len(lines) - FAILURE_LINES),
    )
    detail = "\n".join(line for line in lines[start : start + FAILURE_LINES] if line.strip())
    return (
        "the build failed; what was published before stays published.\n"
        f"{detail}\nThe whole log is in {state_directory / 'logs'}."
    )
