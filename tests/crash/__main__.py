"""Kill the steps of a close at random moments: `python -m tests.crash [KILLS] [SEED] [SAMPLE]`.

Builds the sample company, unless SAMPLE is a workspace of it that was built. Prints the seed, with
which the same moments are drawn again, and what the kills did; the first one that left something
wrong ends it.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

from tests.e2e.command import run_apportion

from .kills import prepare_steps
from .runs import draw_kills, run_kills, silence, summarise

KILLS = 200


def main() -> int:
    """Kill, and print what it did; exit code 1 where a kill left something wrong."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else KILLS
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1 << 32)
    print(f"{kills} kills, seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="apportion-crash-") as name:
        directory = Path(name)
        sample = Path(sys.argv[3]) if len(sys.argv) > 3 else build_sample(directory / "sample")
        start = time.monotonic()
        with silence():
            measured = prepare_steps(sample, directory / "steps")
        for expected in measured:
            print(f"  {expected.step.name:<22}{expected.seconds:>6.2f} s", flush=True)
        outcomes = run_kills(draw_kills(measured, kills, seed), directory)
        print(summarise(outcomes))
        print(f"{len(outcomes)} kills in {time.monotonic() - start:.0f} s: nothing lost.")
    return 0


def build_sample(root: Path) -> Path:
    """The sample company, landed and built."""
    run_apportion("init", root, "--template", "sample")
    run_apportion("run", "--no-bills", "-w", root)
    return root


if __name__ == "__main__":
    sys.exit(main())
