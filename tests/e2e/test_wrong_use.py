"""What a person gets who delivers or configures something wrong: a sentence and an exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.command import run_apportion

LEDGER_HEADER = (
    "line_id,period_id,posting_date,legal_entity_id,account_id,cost_centre_id,vendor_name,"
    "document_id,description,currency_code,amount_local"
)
GOOD_LINE = "L1,2026-03,2026-03-31,E1,6000,CC1,Vendor,D1,Text,EUR,100.00"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """An empty workspace with an inbox for the ledger."""
    run_apportion("init", tmp_path / "ws", "--template", "empty")
    (tmp_path / "ws" / "inbox" / "general_ledger").mkdir(parents=True)
    return tmp_path / "ws"


def deliver(workspace: Path, text: str, name: str = "gl.csv") -> None:
    """Drop a ledger file into the inbox."""
    (workspace / "inbox" / "general_ledger" / name).write_text(text, encoding="utf-8")


def count_landed(workspace: Path) -> int:
    """Directories of the lake that hold records."""
    return len(list((workspace / "lake").glob("*/*/records.parquet")))


def test_no_workspace_is_wrong_use(tmp_path: Path) -> None:
    done = run_apportion("land", "-w", tmp_path, expect=2)
    assert "apportion init" in done.stderr


def test_init_does_not_overwrite(workspace: Path) -> None:
    done = run_apportion("init", workspace, expect=2)
    assert "empty" in done.stderr


def test_missing_column_is_refused_with_a_hint(workspace: Path) -> None:
    deliver(workspace, LEDGER_HEADER.replace("amount_local", "amount") + "\n" + GOOD_LINE + "\n")
    done = run_apportion("land", "-w", workspace, expect=4)
    assert "gl.csv" in done.stdout
    assert "amount_local" in done.stdout
    assert count_landed(workspace) == 0


def test_empty_file_is_refused(workspace: Path) -> None:
    deliver(workspace, "")
    done = run_apportion("land", "-w", workspace, expect=4)
    assert "empty" in done.stdout
    assert count_landed(workspace) == 0


def test_amount_that_is_no_number_is_quarantined_and_the_rest_loads(workspace: Path) -> None:
    bad = GOOD_LINE.replace("L1", "L2").replace("100.00", "1e3")
    deliver(workspace, f"{LEDGER_HEADER}\n{GOOD_LINE}\n{bad}\n")
    done = run_apportion("land", "--json", "-w", workspace, expect=3)
    load = json.loads(done.stdout)[0]
    assert (load["records_accepted"], load["records_quarantined"]) == (1, 1)
    assert load["amounts"]["EUR"]["accepted"] == "100"
    reason = load["reasons"][0]
    assert "record 2" in reason
    assert "amount_local" in reason
    assert "1e3" in reason


def test_wrong_type_names_field_and_expectation(workspace: Path) -> None:
    deliver(workspace, f"{LEDGER_HEADER}\n{GOOD_LINE.replace('2026-03-31', '31/03/26')}\n")
    done = run_apportion("land", "-w", workspace, expect=3)
    assert "posting_date" in done.stdout
    assert "2026-03-31" in done.stdout  # the example of what is expected


def test_same_content_twice_is_known_and_other_content_refused(workspace: Path) -> None:
    text = f"{LEDGER_HEADER}\n{GOOD_LINE}\n"
    deliver(workspace, text)
    run_apportion("land", "-w", workspace)
    deliver(workspace, text, "again.csv")
    done = run_apportion("land", "--json", "-w", workspace)
    assert {load["state"] for load in json.loads(done.stdout)} == {"known"}
    deliver(workspace, text.replace("100.00", "200.00"), "other.csv")
    done = run_apportion("land", "-w", workspace, expect=4)
    assert "2026-03" in done.stdout
    assert done.stdout.count("sha256") >= 2
    assert count_landed(workspace) == 1


def test_typing_errors_in_workspace_files_are_named_with_line(workspace: Path) -> None:
    config = workspace / "apportion.yml"
    text = config.read_text("utf-8").replace("currency:", "curency:")
    config.write_text(text, encoding="utf-8")
    line = text.splitlines().index("curency: EUR") + 1
    done = run_apportion("land", "-w", workspace, expect=2)
    assert f"apportion.yml:{line}" in done.stderr
    assert "curency" in done.stderr
    assert "'currency' is missing" in done.stderr


def test_build_without_a_ledger_is_refused(workspace: Path) -> None:
    done = run_apportion("build", "-w", workspace, expect=4)
    assert "general_ledger" in done.stderr


def test_reading_before_the_first_run_says_what_to_do(workspace: Path) -> None:
    done = run_apportion("sql", "select 1", "-w", workspace, expect=2)
    assert "apportion run" in done.stderr


def test_unknown_command_and_option_are_wrong_use() -> None:
    assert run_apportion("frobnicate", expect=2).stderr
    assert run_apportion("land", "--frobnicate", expect=2).stderr
