"""The way of a period to its approval, through the commands, on the built sample company."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipelines.books.books import BOOKS_URL_VARIABLE
from tests.e2e.command import run_apportion

PERIOD = "2026-10"


@pytest.fixture
def own_books(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sample with books of this test's own, so that the others find theirs as they were."""
    # What other tests read at the moment stays in the file beside it until it is checkpointed.
    for path in sample.glob("books.sqlite*"):
        shutil.copyfile(path, tmp_path / path.name)
    monkeypatch.setenv(BOOKS_URL_VARIABLE, f"sqlite:///{tmp_path / 'books.sqlite'}")
    return sample


def test_two_people_bring_a_period_to_its_approval(own_books: Path) -> None:
    def period(*arguments: str, code: int = 0, person: str = "Anton") -> str:
        done = run_apportion("period", *arguments, "--as", person, "-w", own_books, expect=code)
        return done.stdout if code == 0 else done.stderr

    blockers = json.loads(period("calculate", PERIOD, "--json", person="Petra"))["blockers"]
    # What the sample leaves open on purpose, see data/samples/README.md.
    assert {item["blocker_id"] for item in blockers} >= {
        "order",
        "unmapped_account",
        "unallocated",
        "unmapped_consumer",
    }
    assert "somebody else must review" in period("review", PERIOD, code=4, person=" PETRA")
    period("review", PERIOD)
    refused = period("approve", PERIOD, code=4)
    assert f"blocked by {len(blockers)} things" in refused
    for item in blockers:
        period("accept", PERIOD, item["blocker_id"], "--why", "known, and small")
    assert f"{PERIOD} is approved: calculated by Petra" in period("approve", PERIOD)
    listed = run_apportion("period", "list", "--json", "-w", own_books).stdout
    states = {row["period_id"]: row["state"] for row in json.loads(listed)}
    assert (states[PERIOD], states["2026-09"]) == ("approved", "open")
