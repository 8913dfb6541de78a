"""Many kills: which step is killed when, as many at a time as there are processors, and what they
did. `apportion close` is killed half of the time, the other steps in turn, at moments that are
drawn uniformly over the time that each takes.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from .kills import SPAN, Expected, Outcome, kill_after

SHOWN_EVERY = 20


def draw_kills(measured: list[Expected], kills: int, seed: int) -> list[tuple[Expected, float]]:
    """Which step is killed, and how many seconds after its start."""
    moments = random.Random(seed)
    (close,) = [item for item in measured if item.step.name == "close"]
    others = [item for item in measured if item.step.name != "close"]
    drawn = [
        close if number % 2 == 0 else others[number // 2 % len(others)] for number in range(kills)
    ]
    return [(item, moments.uniform(0, SPAN) * item.seconds) for item in drawn]


def run_kills(drawn: list[tuple[Expected, float]], directory: Path) -> list[Outcome]:
    """Kill, as many at a time as there are processors. Raises what a kill left wrong."""
    outcomes = []
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        waiting = {
            pool.submit(kill_once, expected, seconds, directory / f"kill-{number}"): number
            for number, (expected, seconds) in enumerate(drawn, start=1)
        }
        for done in as_completed(waiting):
            try:
                outcomes.append(done.result())
            except BaseException:
                expected, seconds = drawn[waiting[done] - 1]
                print(f"kill {waiting[done]}: {expected.step.name} after {seconds:.3f} s")
                pool.shutdown(wait=False, cancel_futures=True)
                raise
            if len(outcomes) % SHOWN_EVERY == 0:
                print(f"  {len(outcomes)} of {len(drawn)}", flush=True)
    return outcomes


def kill_once(expected: Expected, seconds: float, directory: Path) -> Outcome:
    """One kill, without what the commands print."""
    with silence():
        return kill_after(expected, seconds, directory)


def summarise(outcomes: list[Outcome]) -> str:
    """A line per step: how the kills ended."""
    lines = [f"{'step':<22}{'killed':>8}{'before':>8}{'after':>8}{'left over':>11}{'too late':>10}"]
    for name in sorted({item.step for item in outcomes}):
        own = [item for item in outcomes if item.step == name]
        killed = [item for item in own if item.is_killed]
        after = sum(item.is_committed for item in killed)
        left = sum(item.is_left_over for item in killed)
        lines.append(
            f"{name:<22}{len(killed):>8}{len(killed) - after:>8}{after:>8}{left:>11}"
            f"{len(own) - len(killed):>10}"
        )
    return "\n".join(lines)


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Without what the commands that run in this process print."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
