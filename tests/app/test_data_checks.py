"""The page of the data checks, against figures worked out by hand in check_marts."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from app.findings import state_checks
from app.navigation import DATA_CHECKS
from pipelines.books.books import Books
from pipelines.books.tables import load_amounts, load_periods, loads
from pipelines.workspace.workspace import Workspace
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


def _hold(company: Path, name: str, reason: str, amount: str) -> None:
    """A delivery of the general ledger for January and February that waits."""
    books = Books.open(Workspace.open(company))
    with books.begin() as connection:
        row = {
            **{"source_id": "ledger", "contract_id": "general_ledger", "scenario_id": "actual"},
            **{"mapping_id": "canonical", "file_name": name, "sha256": name.ljust(64, "0")},
            **{"bytes": 1, "records_delivered": 4, "records_accepted": 4},
            **{"records_quarantined": 0, "amounts": "{}", "landed_by": "Ana"},
            **{"landed_at": "2026-03-01T10:00:00+00:00", "hold_kind": "volume"},
            "hold_reason": reason,
        }
        load_id = connection.execute(
            loads.insert().values(**row).returning(loads.c.load_id)
        ).scalar_one()
        for period, part in (("2026-01", amount), ("2026-02", "1900.00")):
            connection.execute(load_periods.insert().values(load_id=load_id, period_id=period))
            values = {"load_id": load_id, "period_id": period, "currency_code": "EUR"}
            values |= {"records_accepted": 2, "amount_local": part, "gross_local": part}
            connection.execute(load_amounts.insert().values(**values))
    books.close()


def test_deliveries_on_hold_are_shown_with_amount_reason_and_command(
    tmp_path: Path, open_page: OpenPage
) -> None:
    """210,000.00 of January and 1,900.00 of February are 211,900.00."""
    company = publish(tmp_path, build_company())
    _hold(company, "late.csv", "a hundred *times* as much: cents?", "210000.00")
    test = open_page(company, DATA_CHECKS)
    assert {clean(m.label): clean(m.value) for m in test.metric}["On hold"] == "1 delivery"
    text = "\n".join(clean(element.value) for element in test.markdown)
    assert "ledger: 1 delivery, Jan 2026 to Feb 2026" in text
    assert "late.csv" in text
    assert "4 records, 211,900.00 EUR" in text
    # What a file or a reason says is text, not markup.
    assert r"a hundred \*times\* as much" in "".join(item.value for item in test.markdown)
    (code,) = test.code
    assert code.value == (
        f"apportion loads release ledger late.csv --why REASON --workspace {company}\n"
        f"apportion loads discard ledger late.csv --why REASON --workspace {company}"
    )
    _hold(company, "later.csv", "more", "1.00")
    test = open_page(company, DATA_CHECKS)
    assert {clean(m.label): clean(m.value) for m in test.metric}["On hold"] == "2 deliveries"
    assert "apportion loads release ledger --all --why REASON" in test.code[0].value


def test_nothing_on_hold_is_not_mentioned(tmp_path: Path, open_page: OpenPage) -> None:
    company = publish(tmp_path, build_company())
    Books.open(Workspace.open(company)).close()
    test = open_page(company, DATA_CHECKS)
    assert "On hold" not in [clean(m.label) for m in test.metric]
    assert not test.code
