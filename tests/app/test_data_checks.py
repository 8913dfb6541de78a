"""The page of the data checks, against figures worked out by hand in check_marts."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from app.findings import state_checks
from app.navigation import DATA_CHECKS
from tests.app.check_marts import build_check_marts
from tests.app.conftest import OpenPage, clean, read_title
from tests.app.marts import build_company, publish, without


def test_page_says_what_failed_and_what_to_do(company: Path, open_page: OpenPage) -> None:
    test = open_page(company, DATA_CHECKS)
    assert read_title(test) == "2 warnings, no errors in 6 checks of 2 sources"
    figures = {clean(m.label): clean(m.value) for m in test.metric}
    assert figures == {
        "Checks passed": "4 of 6",
        "Errors": "0",
        "Warnings": "2",
        "Records looked at": "54",
        "Up to date": "0 of 1",
    }
    text = "\n".join(clean(element.value) for element in test.markdown)
    assert "General ledger 2026-02: 31 records, 55 % more than 2026-01 (20)" in text
    assert text.count("What to do: Ask the sender.") == 2
    captions = [clean(caption.value) for caption in test.caption]
    assert "What should hold: General ledger: volume is right." in captions
    assert "Ties to the ledger" in "".join(captions)
    assert any("Checked with run run-1" in caption for caption in captions)


def test_broken_records_are_shown_with_file_and_row(company: Path, open_page: OpenPage) -> None:
    test = open_page(company, DATA_CHECKS)
    assert [expander.label for expander in test.expander] == ["Show 1 record", "All 6 checks"]
    (table,) = test.table
    row = table.value.iloc[0]
    assert (clean(row["File"]), row["Row"]) == ("heads.csv", "3")
    # What was delivered is text, not markup.
    assert row["Record"] == r"cost\_centre\_id \= CC\<b\>99"


def test_every_source_at_a_glance(company: Path, open_page: OpenPage) -> None:
    sources = open_page(company, DATA_CHECKS).dataframe[0].value
    ledger, heads = sources.to_dict("records")
    assert (ledger["source"], ledger["checks"], ledger["records"]) == (
        "General ledger",
        "1 warning",
        31,
    )
    assert ledger["records_change"] == 55.0
    assert clean(ledger["amount"]) == "300.00 EUR (+7.1 %)"
    assert (heads["behind"], clean(heads["period"])) == ("1 month behind", "Jan 2026")
    # Two of three codes are known: cut off, never rounded up to all.
    assert heads["known"] == 66.6
    assert clean(heads["amount"]) == "—"


def test_all_checks_stand_below_with_what_failed_first(company: Path, open_page: OpenPage) -> None:
    checks = open_page(company, DATA_CHECKS).dataframe[1].value
    assert list(checks["result"]) == ["warning", "warning", "passed", "passed", "passed", "passed"]
    assert list(checks["kind"])[:2] == ["Number of records", "Known codes"]


def test_rows_of_another_run_are_left_out(tmp_path: Path, open_page: OpenPage) -> None:
    marts = build_company()
    marts["rpt_data_checks"] = [{**r, "run_id": "earlier"} for r in marts["rpt_data_checks"]]
    test = open_page(publish(tmp_path, marts), DATA_CHECKS)
    assert read_title(test) == "The deliveries of this run were not checked"
    assert "apportion run" in test.info[0].value


def test_all_is_well_where_nothing_failed(tmp_path: Path, open_page: OpenPage) -> None:
    marts = without(build_company(), "rpt_data_check_findings", "rpt_data_check_records")
    marts["rpt_data_checks"] = [r for r in marts["rpt_data_checks"] if r["is_passed"]]
    test = open_page(publish(tmp_path, marts), DATA_CHECKS)
    assert read_title(test) == "All is well in 4 checks of 2 sources"
    assert "Every check holds" in test.success[0].value


def test_finding_counts_errors_and_warnings() -> None:
    checks = pd.DataFrame(build_check_marts()["rpt_data_checks"])
    assert state_checks(checks.assign(is_passed=True), 1) == "All is well in 6 checks of 1 source"
    broken = checks.assign(is_passed=False)
    assert state_checks(broken, 2) == "5 warnings, 1 error in 6 checks of 2 sources"
    errors = broken[broken["severity_code"] == "error"]
    assert state_checks(errors, 1) == "no warnings, 1 error in 1 check of 1 source"
