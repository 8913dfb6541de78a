"""The command's report: what it prints, as a table and as JSON, and its exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.cli.main import run
from pipelines.model_check.finding import join_names, join_periods
from tests.unit.cost_model.model_files import write_files

TOWERS = "cost_model/towers.yml"
CALENDAR = ["2025-11", "2025-12", "2026-01", "2026-02", "2026-03"]


@pytest.mark.parametrize(
    ("periods", "said"),
    [
        (["2026-01"], "2026-01"),
        (["2026-01", "2025-12"], "2025-12 to 2026-01"),
        (["2025-11", "2026-01", "2026-02", "2026-03"], "2025-11, 2026-01 to 2026-03"),
        ([], ""),
    ],
)
def test_periods_in_a_row_are_a_span(periods: list[str], said: str) -> None:
    assert join_periods(periods, CALENDAR) == said


def test_names_beyond_the_first_are_counted() -> None:
    assert join_names(["a", "b", "c"], 2) == "a, b and 1 more"
    assert join_names(["a", "b"], 2) == "a, b"


def test_wrong_files_are_findings_with_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(tmp_path, {TOWERS: ("to: [compute]", "to: [computer]")})
    assert run(["model", "check", "--format", "json", "--workspace", str(tmp_path)]) == 2
    report = json.loads(capsys.readouterr().out)
    assert (report["errors"], report["warnings"]) == (1, 0)
    (finding,) = report["findings"]
    assert finding == {
        "severity": "error",
        "title": "Rule file is wrong",
        "place": "cost_model/towers.yml:13",
        "rule_id": "the-rest",
        "found": "unknown receiver 'computer'",
        "expected": "a receiver that is declared",
        "remedy": "Is 'compute' meant?",
        "scenario_id": None,
        "period_id": None,
        "amount": None,
    }
    assert report["notes"] == [
        "The rules were not compared with the money: correct the files first."
    ]


def test_warnings_alone_have_exit_code_0_and_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(tmp_path)
    assert run(["model", "check", "--workspace", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "Rules without approval" in printed
    assert "0 errors, 6 warnings." in printed
    assert "Nothing is built yet" in printed


def test_a_build_refuses_what_the_check_refuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With all problems, and before it looks for deliveries."""
    changes = {
        TOWERS: ("to: [compute]", "to: [computer]"),
        "cost_model/allocation.yml": ("priority: 20", "priority: 10"),
    }
    write_files(tmp_path, changes)
    assert run(["build", "--workspace", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "2 problems in the workspace's files" in said
    assert "cost_model/towers.yml:13: the-rest: unknown receiver 'computer'" in said
    assert "cost_model/allocation.yml:9: desk-even: has priority 10" in said
