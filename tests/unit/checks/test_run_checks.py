"""The suites over a right lake and over a broken one. Counts follow from `BROKEN` in lake.py."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from pipelines.checks.figures import CheckBrokenError
from pipelines.checks.plan import CheckedSource, CheckPlan, plan_lake
from pipelines.checks.run_checks import LakeIncompleteError, run_checks
from pipelines.contracts.contract import list_contract_ids

from . import further_records
from .lake import FILE_ID, GOOD, TODAY, Run, build_lake

# (contract, check, severity, number of broken records), worked out from the records in lake.py.
FAILURES = [
    ("asset_relations", "share_weight_minimum", "error", 1),
    ("asset_relations", "sender_has_weight", "warning", 1),
    ("asset_relations", "application_not_below_application", "warning", 1),
    ("assets", "useful_life_months_minimum", "error", 1),
    ("assets", "retired_after_purchase", "warning", 1),
    ("assets", "purchase_not_negative", "warning", 1),
    ("assets", "capacity_has_unit", "warning", 1),
    ("benchmarks", "metric_allowed", "error", 1),
    ("benchmarks", "quartiles_in_order", "warning", 1),
    ("benchmarks", "amount_has_currency", "warning", 1),
    ("budget", "amount_within_range", "error", 1),
    ("chart_of_accounts", "account_class_allowed", "error", 1),
    ("chart_of_accounts", "texts_not_blank", "error", 1),
    ("chart_of_accounts", "key_unique", "error", 2),
    ("cloud_bill", "charge_category_allowed", "error", 1),
    ("cloud_bill", "billing_period_order", "error", 1),
    ("cloud_bill", "amount_within_range", "error", 1),
    ("cloud_bill", "charge_period_order", "warning", 1),
    ("cloud_bill", "one_currency_per_account", "warning", 3),
    ("cloud_bill", "charge_class_known", "warning", 1),
    ("cloud_bill", "tags_readable", "warning", 1),
    ("cost_centres", "span_order", "error", 1),
    ("cost_centres", "no_overlapping_spans", "error", 2),
    ("exchange_rates", "exchange_rate_minimum", "error", 1),
    ("exchange_rates", "rate_positive", "error", 2),
    ("exchange_rates", "same_currency_is_one", "error", 1),
    ("exchange_rates", "rate_does_not_jump", "warning", 1),
    ("general_ledger", "amount_local_filled", "error", 1),
    ("general_ledger", "texts_not_blank", "error", 1),
    ("general_ledger", "key_unique", "error", 2),
    ("general_ledger", "amount_within_range", "error", 1),
    ("general_ledger", "amount_outweighs_period", "warning", 1),
    ("general_ledger", "posted_twice", "warning", 2),
    ("general_ledger", "posting_date_near_period", "warning", 1),
    ("headcount", "headcount_quantity_minimum", "error", 1),
    ("headcount", "key_unique", "error", 2),
    ("licences", "one_service_per_product", "warning", 2),
    ("outages", "ended_after_started", "warning", 1),
    ("outages", "no_overlap", "warning", 1),
    ("service_usage", "one_unit_per_service", "error", 2),
    ("service_usage", "peak_within_quantity", "error", 1),
    ("service_usage", "quantity_not_negative", "warning", 1),
    ("tickets", "ticket_type_allowed", "error", 1),
    ("tickets", "priority_minimum", "error", 1),
    ("tickets", "resolved_after_opened", "warning", 1),
    ("tickets", "responded_after_opened", "warning", 1),
    ("tickets", "effort_plausible", "warning", 1),
    ("timesheets", "hours_fit_in_month", "warning", 2),
    *further_records.FAILURES,
]

# One per contract; one more for a second source of cost centres, which is a budget, and two for a
# second ledger: its own and that of both together.
SUITES = len(list_contract_ids()) + 1 + 2

HEADCOUNT = CheckPlan((CheckedSource("headcount", "headcount"),), TODAY)
HEADCOUNT_AND_TICKETS = replace(
    HEADCOUNT, sources=(*HEADCOUNT.sources, CheckedSource("tickets", "tickets"))
)


def test_right_records_pass_every_check(good_run: Run) -> None:
    failed = [result for result in good_run.report.results if not result.is_success]
    assert failed == []
    assert good_run.report.is_success
    assert (good_run.report.error_count, good_run.report.warning_count) == (0, 0)
    assert good_run.report.upstream_findings == ()


def test_every_contract_is_checked_on_all_its_records(good_run: Run) -> None:
    counts = {result.contract_id: result.record_count for result in good_run.report.results}
    assert counts == {contract_id: len(rows) for contract_id, rows in GOOD.items()}
    assert tuple(counts) == list_contract_ids()


@pytest.mark.parametrize(("contract_id", "check_id", "severity", "count"), FAILURES)
def test_broken_records_are_counted(
    broken_run: Run, contract_id: str, check_id: str, severity: str, count: int
) -> None:
    result = broken_run.find(contract_id, check_id)
    assert not result.is_success
    assert (result.severity, result.unexpected_count) == (severity, count)
    # Counted in one scan, by period, and listed: three ways to the same records.
    assert len(result.sample) == count
    assert sum(finding.record_count or 0 for finding in result.findings) == count


def test_nothing_else_fails(broken_run: Run) -> None:
    failed = {
        (result.contract_id, result.check_id)
        for result in broken_run.report.results
        if not result.is_success
    }
    assert failed == {(contract_id, check_id) for contract_id, check_id, _, _ in FAILURES}


def test_report_counts_errors_and_warnings(broken_run: Run) -> None:
    assert not broken_run.report.is_success
    assert (broken_run.report.error_count, broken_run.report.warning_count) == (44, 31)


def test_sample_names_file_row_and_values(broken_run: Run) -> None:
    # Two right spans come first, so the broken ones are rows 3 and 4.
    first, second = broken_run.find("cost_centres", "no_overlapping_spans").sample
    assert (first.file_id, first.row_number, second.row_number) == (FILE_ID, 3, 4)
    assert dict(first.values) == {
        "cost_centre_id": "CC100",
        "business_unit_id": "BU1",
        "valid_from": "2026-02-01",
        "valid_to": None,
    }


def test_amounts_in_samples_are_exact(broken_run: Run) -> None:
    (row,) = broken_run.find("general_ledger", "amount_within_range").sample
    assert dict(row.values)["amount_local"] == "1000000000000000"
    (row,) = broken_run.find("exchange_rates", "rate_does_not_jump").sample
    assert dict(row.values)["exchange_rate"] == "0.00625"


def test_results_file_tells_the_same(broken_run: Run) -> None:
    document = json.loads((broken_run.evidence_directory / "checks.json").read_text("utf-8"))
    assert (document["is_success"], document["error_count"]) == (False, 44)
    assert len(document["results"]) == len(broken_run.report.results)
    (entry,) = [
        entry
        for entry in document["results"]
        if (entry["contract_id"], entry["check_id"]) == ("tickets", "resolved_after_opened")
    ]
    assert entry["severity"] == "warning"
    assert entry["unexpected_count"] == 1
    assert entry["sample"][0]["values"]["resolved_at"] == "2026-03-02T08:59:59"
    assert "before it is opened" in entry["sentence"]
    assert (broken_run.evidence_directory / document["data_docs"]).is_file()


def test_index_says_what_failed_and_where(broken_run: Run) -> None:
    html = broken_run.report.data_docs_path.read_text("utf-8")
    assert broken_run.report.data_docs_path.name == "index.html"
    for contract_id in list_contract_ids():
        assert f"({contract_id})" in html
    assert "A cost centre belongs to one business unit at a time" in html
    assert "Cost centres: not so for 2 records." in html
    assert html.index("status error") < html.index("status warning")


def test_index_links_to_the_pages_of_the_suites(broken_run: Run) -> None:
    index = broken_run.report.data_docs_path
    links = re.findall(r'href="(validations/[^"]+)"', index.read_text("utf-8"))
    assert len(links) == SUITES
    (family,) = [link for link in links if "family_general_ledger_actual" in link]
    ledger = (index.parent / family).read_text("utf-8")
    assert "No document is posted twice" in ledger
    assert "failed" in ledger


def test_pages_need_no_network(broken_run: Run) -> None:
    pages = list(broken_run.report.data_docs_path.parent.rglob("*.html"))
    # The index, and of each suite its checks and its results.
    assert len(pages) == 1 + 2 * SUITES
    for page in pages:
        html = page.read_text("utf-8")
        assert "<script" not in html
        assert not re.search(r"<(?:img|link)\b", html)
        assert not re.search(r"""(?:src|href)=["']?https?:""", html)
        assert "default-src 'none'" in html


def test_database_is_free_and_its_lake_unchanged_afterwards(good_run: Run) -> None:
    with duckdb.connect(str(good_run.lake_database)) as connection:
        connection.execute("create table lake.written_later (n integer)")
        tables = connection.execute(
            "select table_name from duckdb_tables() where schema_name not in ('figures')"
        ).fetchall()
        views = connection.execute(
            "select view_name from duckdb_views() where schema_name = 'lake' order by all"
        ).fetchall()
        connection.execute("drop table lake.written_later")
    assert tables == [("written_later",)]
    assert [name for (name,) in views] == list(list_contract_ids())


def test_progress_names_each_contract(good_run: Run) -> None:
    assert "starting the checks" in good_run.messages
    assert "checking general ledger" in good_run.messages
    # Each is measured and checked; one more for the start and one for the pages.
    assert len(good_run.messages) == 2 * len(list_contract_ids()) + 2


def test_empty_deliveries_and_a_second_run(tmp_path: Path) -> None:
    database = build_lake(tmp_path, {"cost_centres": [], "outages": []})
    evidence = tmp_path / "evidence"
    stale = evidence / "data_docs" / "stale.html"
    stale.parent.mkdir(parents=True)
    stale.write_text("of an earlier run", "utf-8")
    plan = plan_lake(database, ("cost_centres", "outages"), TODAY)
    report = run_checks(database, plan, evidence)
    failed = [(r.contract_id, r.check_id, r.severity) for r in report.results if not r.is_success]
    # Without cost centres nothing can be charged; a month without outages is good news.
    assert failed == [
        ("cost_centres", "has_records", "error"),
        ("outages", "has_records", "warning"),
    ]
    assert {result.record_count for result in report.results} == {0}
    assert not stale.exists()


def test_missing_table_is_named(tmp_path: Path) -> None:
    database = build_lake(tmp_path, {"headcount": []})
    with pytest.raises(LakeIncompleteError, match=r"lake\.tickets: expected the table"):
        run_checks(database, HEADCOUNT_AND_TICKETS, tmp_path / "evidence")


def test_missing_column_is_named(tmp_path: Path) -> None:
    database = tmp_path / "narrow.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema lake")
        connection.execute(
            "create table lake.headcount (period_id varchar, cost_centre_id varchar, "
            "_source_id varchar, _scenario_id varchar, _file_id varchar, _row_number bigint)"
        )
    with pytest.raises(LakeIncompleteError, match="its columns headcount_quantity"):
        run_checks(database, HEADCOUNT, tmp_path / "evidence")


def test_check_that_cannot_be_evaluated_is_no_passed_check(tmp_path: Path) -> None:
    database = build_lake(tmp_path, {"headcount": GOOD["headcount"]})
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            "create or replace view lake.headcount as "
            "select * replace ('many' as headcount_quantity) "
            f"from read_parquet('{tmp_path}/headcount.parquet')"
        )
    with pytest.raises(CheckBrokenError, match=r"headcount\.headcount_quantity_minimum"):
        run_checks(database, HEADCOUNT, tmp_path / "evidence")
    # The file is free all the same.
    with duckdb.connect(str(database)) as connection:
        connection.execute("drop view lake.headcount")
