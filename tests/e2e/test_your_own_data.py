"""The guide *your own data* is followed word by word: its files, its commands, their output."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.e2e.command import APPORTION, ROOT

GUIDE = ROOT / "docs" / "guide" / "your_own_data.md"
FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _collapse(text: str) -> str:
    """Words without the spaces and rules of tables between them."""
    return " ".join(re.sub(r"[─ ]+", " ", text).split())


def _run(command: str, directory: Path) -> str:
    path = f"{APPORTION.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", command],
        cwd=directory,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def test_every_step_of_the_guide_does_what_it_shows(tmp_path: Path) -> None:
    steps = 0
    for language, name, text in FENCE.findall(GUIDE.read_text("utf-8")):
        if language == "csv":
            (tmp_path / name).write_text(text, "utf-8")
        elif language == "console":
            for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                command, *shown = re.sub(r"\\\n", "", part).split("\n")
                output = _collapse(_run(command, tmp_path))
                for line in shown:
                    assert _collapse(line) in output, f"{command}\nexpected: {line}\n{output}"
                steps += 1
    assert steps >= 8
