"""A step of the close that is killed at any moment is done or not done, and loses nothing that was
said to be done. `make crash` does the same many more times."""

from __future__ import annotations

import random
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from tests.crash.kills import Expected, judge_kill, prepare_steps
from tests.crash.processes import close_until, fork
from tests.crash.runs import draw_kills, kill_once

KILLS = 10
# A step that the close names -> whether the period is closed when it is cut off there.
NAMED = {
    "Looking at what blocks": False,
    "Freezing": False,
    "Committing": False,
    "Publishing": True,
}


@pytest.fixture(scope="module")
def steps(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Expected]:
    """What each step does when nobody kills it."""
    return prepare_steps(sample, tmp_path_factory.mktemp("steps"))


@pytest.mark.parametrize("name", NAMED)
def test_close_killed_at_a_step_it_names(steps: list[Expected], tmp_path: Path, name: str) -> None:
    (close,) = [item for item in steps if item.step.name == "close"]
    period = close.step.arguments[1]

    def start(root: Path) -> ForkServerProcess:
        return fork(close_until, root, period, name, close.step.person)

    outcome = judge_kill(close, start, tmp_path)
    assert outcome.is_killed
    assert outcome.is_committed == NAMED[name]


def test_steps_killed_at_random_moments(steps: list[Expected], tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")  # With it the same moments are drawn again.
    drawn = draw_kills(steps, KILLS, seed)
    outcomes = [
        kill_once(expected, seconds, tmp_path / str(number))
        for number, (expected, seconds) in enumerate(drawn)
    ]
    assert any(outcome.is_killed for outcome in outcomes)
