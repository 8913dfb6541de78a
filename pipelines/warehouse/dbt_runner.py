"""Run dbt on a fresh warehouse file, as a process of its own.

A process, because dbt keeps handles on the database for as long as it lives; when the process is
gone the file is ours. Progress is read from the lines that dbt prints as it goes.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from pipelines.errors import BuildError, ControlError
from pipelines.warehouse.parsed_project import keep_parsed_project, provide_parsed_project

PROJECT_DIRECTORY = Path(__file__).parents[2] / "dbt_project"
CATALOGUE = "apportion_build"
"""The catalogue that the compiled SQL speaks of, and so the name of the file that dbt fills."""
PROGRESS = re.compile(r"(\d+) of (\d+) (?:START|OK|PASS|FAIL|ERROR|SKIP|WARN|NO-OP)")
# The last line of a Python model's traceback, where the model refused what it was given.
REFUSAL = re.compile(r"^\s*pipelines\.errors\.ControlError: (.+)")
FAILURE_LINES = 60
SHOWN_GUARDS = 5
SHOWN_ROWS = 3


def run_dbt_build(
    database: Path,
    state_directory: Path,
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """`dbt build` into `database`.

    Raises ControlError with what a model refused, else BuildError with what failed.

    `database` is called CATALOGUE. `state_directory` keeps dbt's target and log between runs.
    """
    state_directory.mkdir(parents=True, exist_ok=True)
    target = state_directory / "target"
    provide_parsed_project(PROJECT_DIRECTORY, target)
    environment = os.environ | {
        "APPORTION_BUILD_DATABASE": str(database),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
        "PYTHONPATH": str(PROJECT_DIRECTORY.parent),
    }
    command = [
        *(sys.executable, "-m", "pipelines.warehouse.dbt_process", "build"),
        # Unit tests prove the code, not the deliveries: tests/dbt runs them, once per change.
        *("--exclude-resource-type", "unit_test"),
        *("--project-dir", str(PROJECT_DIRECTORY)),
        *("--profiles-dir", str(PROJECT_DIRECTORY)),
        *("--target-path", str(target)),
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
    keep_parsed_project(PROJECT_DIRECTORY, target)
    if process.returncode != 0:
        if refusals := [found[1] for line in lines if (found := REFUSAL.match(line))]:
            raise ControlError("\n".join(refusals))
        raise BuildError(_describe_failure(lines, database, state_directory))


def _describe_failure(lines: list[str], database: Path, state_directory: Path) -> str:
    """What failed in a sentence each: for a guard the rows that it found, else dbt's own words."""
    found = _describe_guards(database, state_directory / "target" / "run_results.json")
    if not found:
        start = next(
            (number for number, line in enumerate(lines) if "Completed with" in line),
            max(0, len(lines) - FAILURE_LINES),
        )
        found = [line for line in lines[start : start + FAILURE_LINES] if line.strip()]
    return "\n".join(
        [
            "the build failed; what was published before stays published.",
            *found,
            f"The whole log is in {state_directory / 'logs'}.",
        ]
    )


def _describe_guards(database: Path, results_path: Path) -> list[str]:
    """Failed tests with the first rows that they returned, by running their SQL once more."""
    import duckdb

    try:
        results = json.loads(results_path.read_text("utf-8"))["results"]
    except (OSError, ValueError, KeyError):
        return []
    failed = [item for item in results if item["status"] == "fail" and item.get("compiled_code")]
    sentences = []
    try:
        with duckdb.connect(str(database), read_only=True) as connection:
            for item in failed[:SHOWN_GUARDS]:
                name = item["unique_id"].split(".")[2]
                sentences.append(f"  {name}: {item['failures']} rows, such as")
                result = connection.execute(item["compiled_code"])
                columns = [column[0] for column in result.description or []]
                for row in result.fetchmany(SHOWN_ROWS):
                    pairs = zip(columns, row, strict=True)
                    sentences.append("    " + ", ".join(f"{key} {value}" for key, value in pairs))
    except duckdb.Error as error:
        sentences.append(f"    (their rows cannot be shown: {error})")
    return sentences
