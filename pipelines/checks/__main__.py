"""Run the checks as a process: `python -m pipelines.checks DB EVIDENCE PLAN OUT`.

Beside the build instead of before it: importing Great Expectations takes longer than the checks.
The plan is read from the file PLAN and the report goes to the file OUT, both pickled: this process
and the one that asked are the same program.
"""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path

from pipelines.checks.run_checks import run_checks


def main(arguments: list[str]) -> None:
    """Check and write the report; leave without tearing down native libraries."""
    database, evidence, given, out = arguments
    plan = pickle.loads(Path(given).read_bytes())
    report = run_checks(Path(database), plan, Path(evidence))
    Path(out).write_bytes(pickle.dumps(report))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
