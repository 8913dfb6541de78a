"""How the property tests run: many cases per example, so that one query or loop takes them all.

An example of hypothesis is the seed of a batch. Its failure prints the seed of the batch, and the
assertion prints the case. In CI (the variable CI is set) the seeds are always the same; anywhere
else each run draws new ones, and hypothesis prints how to draw them again.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

# A batch cannot be shrunk: another seed is another batch.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)

seeds = st.integers(0, 2**32 - 1)


def run_batches(count: int) -> settings:
    """Settings of a test that takes `count` batches."""
    return settings(
        max_examples=count,
        phases=PHASES,
        deadline=None,
        derandomize="CI" in os.environ,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
