"""python -m pipelines.sample_company --out DIR [--scale N] [--seed N]

Writes the deliveries of the sample company below DIR, one directory per source. To make a whole
workspace, copy data/samples and let DIR be its inbox.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pipelines.sample_company.basics import DEFAULT_SEED, Settings
from pipelines.sample_company.generate import generate_files, write_files


def main() -> None:
    """Parse the arguments, generate, write, and say how much was written."""
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.sample_company",
        description="Write the sample company's deliveries (seeded: the same seed and scale "
        "always give the same bytes).",
    )
    parser.add_argument("--out", type=Path, required=True, help="the inbox directory to write")
    parser.add_argument(
        "--scale",
        type=_positive,
        default=1,
        help="times the use, ticket and cloud lines",
    )
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="another company's luck")
    arguments = parser.parse_args()
    files = generate_files(Settings(seed=arguments.seed, scale=arguments.scale))
    write_files(files, arguments.out)
    rows = sum(len(lines) for lines in files.values())
    print(f"{arguments.out}: {len(files)} files, {rows:,} rows")


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not 1 or more")
    return value


if __name__ == "__main__":
    main()
