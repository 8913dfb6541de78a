"""The checks as a process that runs beside a build and is asked for its report at the end."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from pipelines.errors import BuildError

if TYPE_CHECKING:
    from pipelines.checks.plan import CheckPlan
    from pipelines.checks.results import CheckReport

ERROR_LINES = 15


class ChecksProcess:
    """Starts at once; `finish` waits and returns the report. Leaving the block ends the process."""

    def __init__(self, lake_database: Path, plan: CheckPlan, evidence_directory: Path) -> None:
        given = lake_database.with_name("checks_plan.pickle")
        given.write_bytes(pickle.dumps(plan))
        self._out = lake_database.with_name("checks.pickle")
        self._log = lake_database.with_name("checks.log")
        root = Path(__file__).parents[2]
        command = [sys.executable, "-m", "pipelines.checks", str(lake_database)]
        command += [str(evidence_directory), str(given), str(self._out)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=root,
                env=os.environ | {"PYTHONPATH": str(root)},
            )

    def __enter__(self) -> ChecksProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    def finish(self) -> CheckReport:
        """The report. Raises BuildError with the process's last words if it broke."""
        code = self._process.wait()
        if code != 0 or not self._out.exists():
            lines = self._log.read_text("utf-8", errors="replace").strip().splitlines()
            raise BuildError(
                f"the checks broke (exit code {code}); nothing was published:\n"
                + "\n".join(lines[-ERROR_LINES:])
            )
        report: CheckReport = pickle.loads(self._out.read_bytes())
        return report
