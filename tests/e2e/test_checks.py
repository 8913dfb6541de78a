"""Thresholds of the workspace: an error refuses the publication, a warning rides along with it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import ask_sql, run_apportion

HEADER = (
    "line_id,period_id,posting_date,legal_entity_id,account_id,cost_centre_id,vendor_name,"
    "document_id,description,currency_code,amount_local"
)
CENTRES = """cost_centre_id,cost_centre_name,business_unit_id,business_unit_name,division_name,\
legal_entity_id,legal_entity_name,manager_name,is_it,valid_from,valid_to
CC1,One,B1,Unit one,,E1,Entity,,false,2020-01-01,
"""
HEADS = "period_id,cost_centre_id,headcount_quantity\n2026-02,CC1,1\n2026-03,CC1,1\n"
FOUND = "General ledger 2026-03: 31 records, 55 % more than 2026-02 (20); expected -50 % to +50 %."


def write_ledger() -> str:
    """20 postings of February, 31 of March, 1.00 EUR each but the last, of account 6001."""
    lines = [HEADER]
    for period, count in (("2026-02", 20), ("2026-03", 31)):
        lines += [
            f"{period}-{n},{period},{period}-10,E1,6000,CC1,V,D{period}{n},,EUR,1.00"
            for n in range(count)
        ]
    return "\n".join([*lines, ""])


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small company whose ledger jumped by 55 % in its latest period."""
    workspace = tmp_path_factory.mktemp("checks") / "ws"
    run_apportion("init", workspace, "--template", "empty")
    for source, text in (
        ("general_ledger", write_ledger()),
        ("cost_centres", CENTRES),
        ("headcount", HEADS),
    ):
        directory = workspace / "inbox" / source
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{source}.csv").write_text(text, encoding="utf-8")
    run_apportion("land", "-w", workspace)
    return workspace


@pytest.fixture
def workspace(landed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(landed, tmp_path / "ws"))


def set_checks(workspace: Path, text: str) -> None:
    path = workspace / "apportion.yml"
    path.write_text(path.read_text("utf-8") + f"\nchecks:\n  {text}\n", "utf-8")


def test_an_error_refuses_the_build(workspace: Path) -> None:
    set_checks(workspace, "volume: {severity: error}")
    done = run_apportion("build", "-w", workspace, expect=4)
    assert FOUND in " ".join((done.stdout + done.stderr).split())
    assert not (workspace / "warehouse" / "CURRENT").exists()
    # What was found is kept, though nothing was published.
    (evidence,) = (workspace / "evidence").glob("*/checks.json")
    answer: dict[str, Any] = json.loads(evidence.read_text("utf-8"))
    assert (answer["error_count"], answer["is_success"]) == (1, False)
    assert FOUND in [finding["sentence"] for r in answer["results"] for finding in r["findings"]]
    assert run_apportion("check", "-w", workspace, expect=4)


def test_a_warning_rides_along_and_a_new_threshold_is_a_new_build(workspace: Path) -> None:
    run_apportion("build", "-w", workspace)
    query = (
        "select f.sentence, c.severity_code, c.is_passed from rpt_data_checks as c "
        "inner join rpt_data_check_findings as f using (run_id, source_id, check_id) "
        "where c.check_id = 'volume_steady'"
    )
    assert ask_sql(workspace, query) == [
        {"sentence": FOUND, "severity_code": "warning", "is_passed": False}
    ]
    sources = ask_sql(
        workspace,
        "select source_id, latest_period_id, record_count, warning_count from rpt_data_sources "
        "where source_id = 'general_ledger'",
    )
    assert sources[0]["latest_period_id"] == "2026-03"
    assert (int(sources[0]["record_count"]), int(sources[0]["warning_count"])) == (51, 2)
    set_checks(workspace, "volume: {severity: error}")
    run_apportion("build", "-w", workspace, expect=4)
    # What was published before stays.
    assert len(ask_sql(workspace, query)) == 1


def test_a_wrong_threshold_is_refused_with_its_line(workspace: Path) -> None:
    set_checks(workspace, "volume: {rise_percent: -1, fall: 20}")
    done = run_apportion("check", "-w", workspace, expect=2)
    told = " ".join((done.stdout + done.stderr).split())
    assert "checks.volume.rise_percent" in told
    assert "checks.volume.fall" in told
