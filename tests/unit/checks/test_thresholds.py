"""Every kind of threshold, seen to fail and to pass; its figures are worked out here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.checks.plan import CheckPlan, LandedFile, plan_lake
from pipelines.checks.results import CheckReport, CheckResult
from pipelines.checks.run_checks import run_checks
from pipelines.workspace.check_settings import (
    ResolvedChecks,
    SourceChecks,
    WorkspaceChecks,
    resolve_checks,
)

from .lake import FILE_ID, Row, build_lake

TODAY = date(2026, 4, 20)

Judge = Callable[..., CheckReport]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Check records by the thresholds of one source, as they would stand in apportion.yml."""

    def judge(
        tables: dict[str, Sequence[Row]],
        settings: dict[str, Any] | None = None,
        general: dict[str, Any] | None = None,
        **known: Any,
    ) -> CheckReport:
        (tmp_path / "checked.duckdb").unlink(missing_ok=True)
        database = build_lake(tmp_path, tables)
        own = None if settings is None else SourceChecks.model_validate(settings)
        given = None if general is None else WorkspaceChecks.model_validate(general)
        plan: CheckPlan = replace(plan_lake(database, tuple(tables), TODAY), **known)
        first = next(iter(tables))
        sources = tuple(
            replace(
                source,
                checks=resolve_checks(given, own if source.source_id == first else None),
                files=(LandedFile(FILE_ID, f"{source.source_id}.csv", date(2026, 4, 11)),),
            )
            for source in plan.sources
        )
        return run_checks(database, replace(plan, sources=sources), tmp_path / "evidence")

    return judge


def find(report: CheckReport, check_id: str) -> CheckResult:
    """The one result of that check."""
    (result,) = [result for result in report.results if result.check_id == check_id]
    return result


def say(report: CheckReport, check_id: str) -> list[str]:
    """What the check found; nothing where it passed."""
    result = find(report, check_id)
    assert result.is_success == (not result.findings)
    return [finding.sentence for finding in result.findings]


def post(period: str, amounts: Sequence[str], **changes: Any) -> list[Row]:
    """Postings of one period."""
    return [
        {
            "line_id": f"{period}-{changes.get('currency_code', 'EUR')}-{number}",
            "period_id": period,
            "posting_date": f"{period}-10",
            "legal_entity_id": "DE01",
            "account_id": "6400",
            "cost_centre_id": "CC1",
            "currency_code": "EUR",
            "amount_local": amount,
            **changes,
        }
        for number, amount in enumerate(amounts)
    ]


def count_heads(*periods: str) -> list[Row]:
    return [
        {"period_id": period, "cost_centre_id": "CC1", "headcount_quantity": "1"}
        for period in periods
    ]


# Twenty records are enough to be judged: half as many more is +50 %, which is allowed.
FEBRUARY = post("2026-02", ["10.00"] * 20)


def test_volume_may_rise_by_half_and_no_more(judge: Judge) -> None:
    assert (
        say(judge({"general_ledger": [*FEBRUARY, *post("2026-03", ["1"] * 30)]}), "volume_steady")
        == []
    )


def test_volume_above_the_limit_names_both_figures(judge: Judge) -> None:
    report = judge({"general_ledger": [*FEBRUARY, *post("2026-03", ["1"] * 31)]})
    assert say(report, "volume_steady") == [
        "General ledger 2026-03: 31 records, 55 % more than 2026-02 (20); expected -50 % to +50 %."
    ]
    assert find(report, "volume_steady").severity == "warning"
    assert report.is_success


def test_volume_below_the_limit(judge: Judge) -> None:
    rows = {"general_ledger": [*FEBRUARY, *post("2026-03", ["1"] * 9)]}
    settings = {"volume": {"fall_percent": 55, "severity": "error"}}
    assert say(judge(rows, settings), "volume_steady") == []
    settings["volume"]["fall_percent"] = Decimal("54.9")
    report = judge(rows, settings)
    assert say(report, "volume_steady") == [
        "General ledger 2026-03: 9 records, 55 % less than 2026-02 (20); expected -54.9 % to +50 %."
    ]
    assert not report.is_success


def test_a_month_that_is_missing_between_others_is_found(judge: Judge) -> None:
    rows = [*FEBRUARY, *post("2026-04", ["1"] * 20)]
    assert say(judge({"general_ledger": rows}), "volume_steady") == [
        "General ledger 2026-03: 0 records, 100 % less than 2026-02 (20); expected -50 % to +50 %."
    ]


def test_few_records_and_old_periods_are_not_judged(judge: Judge) -> None:
    few = [*post("2026-02", ["1"] * 19), *post("2026-03", ["1"] * 90)]
    assert say(judge({"general_ledger": few}), "volume_steady") == []
    old = [*FEBRUARY, *(row for m in "3456" for row in post(f"2026-0{m}", ["1"] * 90))]
    # March is the fourth period from the end, and three are judged.
    assert say(judge({"general_ledger": old}), "volume_steady") == []
    assert len(say(judge({"general_ledger": old}, {"latest_periods": 4}), "volume_steady")) == 1


def test_thresholds_of_the_workspace_hold_where_a_source_is_silent(judge: Judge) -> None:
    rows = {"general_ledger": [*FEBRUARY, *post("2026-03", ["1"] * 31)]}
    general = {"volume": {"rise_percent": 60, "fall_percent": 10, "severity": "error"}}
    assert say(judge(rows, None, general), "volume_steady") == []
    report = judge(rows, {"volume": {"rise_percent": 54}}, general)
    assert say(report, "volume_steady")[0].endswith("expected -10 % to +54 %.")
    assert find(report, "volume_steady").severity == "error"
    ignored = judge(rows, {"volume": {"severity": "ignore"}}, general)
    assert "volume_steady" not in {result.check_id for result in ignored.results}


def test_amount_is_judged_per_currency_and_exactly(judge: Judge) -> None:
    # 20 times 10.00 is 200.00; half as much more is 300.00, and a cent above is too much.
    march = post("2026-03", ["15.00"] * 19)
    dollars = [
        *post("2026-02", ["1.00"] * 20, currency_code="USD"),
        *post("2026-03", ["1.00"] * 20, currency_code="USD"),
    ]
    rows = [*FEBRUARY, *dollars, *march, *post("2026-03", ["15.00"], line_id="last")]
    assert say(judge({"general_ledger": rows}), "amount_steady") == []
    rows[-1] = {**rows[-1], "amount_local": "15.01"}
    report = judge({"general_ledger": rows})
    assert say(report, "amount_steady") == [
        "General ledger 2026-03: 300.01 EUR, 50 % more than 2026-02 (200.00 EUR); "
        "expected -50 % to +50 %."
    ]
    assert find(report, "amount_steady").findings[0].amount_local == Decimal("300.01")


def test_a_credit_is_measured_by_its_size(judge: Judge) -> None:
    rows = [*post("2026-02", ["-10.00"] * 20), *post("2026-03", ["-20.00"] * 20)]
    assert say(judge({"general_ledger": rows}), "amount_steady") == [
        "General ledger 2026-03: -400.00 EUR, 100 % less than 2026-02 (-200.00 EUR); "
        "expected -50 % to +50 %."
    ]


def test_a_field_that_falls_out_of_an_export_is_found(judge: Judge) -> None:
    named = post("2026-02", ["1"] * 20, vendor_name="ACME")
    half = [*post("2026-03", ["1"] * 10, vendor_name="ACME"), *post("2026-03", ["2"] * 10)]
    half = [{**row, "line_id": f"{number}"} for number, row in enumerate(half)]
    assert say(judge({"general_ledger": [*named, *half]}), "fields_stay_filled") == []
    half[0] = {**half[0], "vendor_name": None}
    assert say(judge({"general_ledger": [*named, *half]}), "fields_stay_filled") == [
        "General ledger 2026-03: vendor_name is filled on 45 % of 20 records, in 2026-02 on 100 %; "
        "expected at most 50 points less."
    ]


def test_a_field_must_be_filled_as_often_as_the_workspace_says(judge: Judge) -> None:
    rows = post("2026-03", ["1"] * 4, vendor_name="ACME")
    rows[0] = {**rows[0], "vendor_name": None}
    tables = {"general_ledger": rows}
    settings = {"completeness": {"fields": {"vendor_name": 75}}}
    assert say(judge(tables, settings), "vendor_name_complete") == []
    settings["completeness"]["fields"]["vendor_name"] = 76
    assert say(judge(tables, settings), "vendor_name_complete") == [
        "General ledger 2026-03: vendor_name is filled on 75 % of 4 records; "
        "expected at least 76 %."
    ]


def test_a_master_without_periods_is_judged_as_a_whole(judge: Judge) -> None:
    account = {"account_id": "6400", "account_name": "Cloud", "account_class": "expense"}
    centre = {
        **{"cost_centre_id": "CC1", "cost_centre_name": "A", "business_unit_id": "BU1"},
        **{"business_unit_name": "B", "legal_entity_id": "DE01", "legal_entity_name": "C"},
        **{"is_it": "false", "valid_from": "2026-01-01", "manager_name": None},
    }
    tables = {"cost_centres": [centre], "chart_of_accounts": [account]}
    report = judge(tables, {"completeness": {"fields": {"manager_name": 10}}})
    assert say(report, "manager_name_complete") == [
        "Cost centres: manager_name is filled on 0 % of 1 record; expected at least 10 %."
    ]


def test_a_source_may_lie_one_period_behind_the_control_total(judge: Judge) -> None:
    ledger = post("2026-03", ["1"])
    tables = {"headcount": count_heads("2026-02"), "general_ledger": ledger}
    control = {"control_source": "general_ledger"}
    assert say(judge(tables, **control), "keeps_up") == []
    assert say(judge(tables, {"freshness": {"periods_behind": 0}}, **control), "keeps_up") == [
        "Headcount: the latest period is 2026-02, 1 period before 2026-03, the latest of the "
        "control total; expected at most 0 periods."
    ]
    tables["headcount"] = count_heads("2025-12")
    assert "3 periods before 2026-03" in say(judge(tables, **control), "keeps_up")[0]


def test_a_period_must_land_in_time(judge: Judge) -> None:
    # Landed on 11 April, eleven days after the end of March; by 20 April nothing else is due.
    tables = {"headcount": count_heads("2026-02", "2026-03")}
    settings = {"freshness": {"days_after_period_end": 11}}
    assert say(judge(tables, settings), "delivered_in_time") == []
    settings["freshness"]["days_after_period_end"] = 10
    assert say(judge(tables, settings), "delivered_in_time") == [
        "Headcount 2026-03: landed on 2026-04-11, 11 days after the period had ended; "
        "expected within 10 days, 1 day too late."
    ]


def test_a_period_that_never_landed_is_overdue_after_its_days(judge: Judge) -> None:
    tables = {"headcount": count_heads("2026-02")}
    settings = {"freshness": {"days_after_period_end": 42}}
    assert say(judge(tables, settings), "delivered_in_time") == []
    settings["freshness"]["days_after_period_end"] = 42
    # 31 March plus 42 days is 12 May.
    late = {"today": date(2026, 5, 12)}
    assert say(judge(tables, settings, **late), "delivered_in_time") == []
    late = {"today": date(2026, 5, 13)}
    assert say(judge(tables, settings, **late), "delivered_in_time") == [
        "Headcount 2026-03: nothing has landed, and the period ended on 2026-03-31; "
        "expected within 42 days, 1 day too late."
    ]


def test_range_of_the_workspace(judge: Judge) -> None:
    tables = {"general_ledger": post("2026-03", ["100.00", "-5.00", "100.01"])}
    settings = {"ranges": [{"field": "amount_local", "minimum": -5, "maximum": 100}]}
    report = judge(tables, settings)
    result = find(report, "amount_local_within_range")
    assert say(report, "amount_local_within_range") == [
        "General ledger 2026-03: not so for 1 record with 100.01 EUR."
    ]
    assert (result.severity, result.unexpected_count) == ("warning", 1)
    (broken,) = result.sample
    assert (broken.file_name, broken.row_number) == ("general_ledger.csv", 3)
    settings["ranges"][0]["maximum"] = Decimal("100.01")
    assert say(judge(tables, settings), "amount_local_within_range") == []


def test_allowed_values_of_the_workspace_whatever_they_contain(judge: Judge) -> None:
    tables = {"general_ledger": post("2026-03", ["1.00"], legal_entity_id="O'Neill: {100%} $x")}
    entry = {"field": "legal_entity_id", "values": ["DE01"], "severity": "error"}
    report = judge(tables, {"allowed_values": [entry]})
    assert say(report, "legal_entity_id_expected") == [
        "General ledger 2026-03: not so for 1 record with 1.00 EUR."
    ]
    assert not report.is_success
    entry["values"] = ["DE01", "O'Neill: {100%} $x"]
    assert say(judge(tables, {"allowed_values": [entry]}), "legal_entity_id_expected") == []


ACCOUNTS = [{"account_id": "6400", "account_name": "Cloud", "account_class": "expense"}]


def test_unknown_codes_are_counted_in_records_and_in_money(judge: Judge) -> None:
    rows = [
        *post("2026-03", ["25.00", "-25.00", "30.00"]),
        *post("2026-03", ["20.00"], account_id="9999", line_id="x"),
    ]
    tables = {"general_ledger": rows, "chart_of_accounts": ACCOUNTS}
    check_id = "account_id_known_to_accounts"
    report = judge(tables)
    # 20.00 of 25 + 25 + 30 + 20 = 100.00 in size.
    assert say(report, check_id) == [
        "General ledger 2026-03: 1 of 4 records (25 %, 20 % of the money) name an account that is "
        "not in the chart of accounts (9999), 20.00 EUR; expected at most 0 %."
    ]
    result = find(report, check_id)
    assert (result.severity, result.unexpected_count) == ("warning", 1)
    assert dict(result.sample[0].values)["account_id"] == "9999"
    # Enough of the records, not of the money; then enough of both.
    reference = {"field": "account_id", "master": "accounts", "at_most_unknown_percent": 24}
    assert len(say(judge(tables, {"references": [reference]}), check_id)) == 1
    reference["at_most_unknown_percent"] = 25
    assert say(judge(tables, {"references": [reference]}), check_id) == []


def test_money_alone_is_enough_to_be_too_much(judge: Judge) -> None:
    rows = [
        *post("2026-03", ["1.00"] * 9),
        *post("2026-03", ["91.00"], account_id="9999", line_id="x"),
    ]
    reference = {"field": "account_id", "master": "accounts", "at_most_unknown_percent": 90}
    tables = {"general_ledger": rows, "chart_of_accounts": ACCOUNTS}
    report = judge(tables, {"references": [{**reference, "severity": "error"}]})
    assert "(10 %, 91 % of the money)" in say(report, "account_id_known_to_accounts")[0]
    assert report.error_count == 1


def test_references_hang_on_another_field_and_on_the_master_being_there(judge: Judge) -> None:
    use = {"period_id": "2026-03", "service_id": "mail", "quantity": "1", "unit_code": "seat"}
    rows = [
        {**use, "receiver_kind": "service", "receiver_id": "crm"},
        {**use, "receiver_kind": "consumer", "receiver_id": "crm"},
        {**use, "receiver_kind": "consumer", "receiver_id": "CC1"},
    ]
    known = {"known_codes": {"services": ("mail", "crm")}}
    report = judge({"service_usage": rows}, **known)
    ids = {result.check_id for result in report.results if result.kind == "reference"}
    # There is no master of cost centres and none of units, so neither is judged.
    assert ids == {"service_id_known_to_services", "receiver_id_known_to_services"}
    assert report.warning_count == 0
    report = judge({"service_usage": rows}, known_codes={"services": ("mail",)})
    assert say(report, "receiver_id_known_to_services") == [
        "Service usage 2026-03: 1 of 1 record (100 %) name a service that is not in the catalogue "
        "of services (crm); expected at most 0 %."
    ]


def test_two_sources_of_one_contract_are_judged_apart(judge: Judge) -> None:
    rows = [
        *count_heads("2026-03"),
        {
            **count_heads("2026-03")[0],
            "headcount_quantity": "-1",
            "_source_id": "planned_heads",
            "_scenario_id": "budget",
        },
    ]
    report = judge({"headcount": rows})
    failed = [(r.source_ids, r.check_id) for r in report.results if not r.is_success]
    assert failed == [(("planned_heads",), "headcount_quantity_minimum")]
    counts = {r.source_ids: r.record_count for r in report.results}
    assert counts == {("headcount",): 1, ("planned_heads",): 1}


def test_what_was_measured_of_a_source(judge: Judge) -> None:
    rows = [
        *post("2026-02", ["10.00"]),
        *post("2026-03", ["4.00", "6.00"], vendor_name="ACME", document_id="D"),
        *post("2026-03", ["1.00"], account_id="9999", currency_code="USD"),
    ]
    report = judge({"general_ledger": rows, "chart_of_accounts": ACCOUNTS})
    ledger, accounts = report.sources
    assert (ledger.record_count, ledger.latest_period_id) == (4, "2026-03")
    assert (ledger.file_count, ledger.landed_date) == (1, date(2026, 4, 11))
    # Vendor, document and text of three records; two records have the first two.
    assert (ledger.filled_count, ledger.optional_count) == (4, 9)
    assert (ledger.unknown_count, ledger.named_count) == (1, 3)
    assert (accounts.latest_period_id, accounts.record_count) == ("", 1)
    assert [
        (p.period_id, p.currency_code, p.record_count, p.amount_local, p.previous_amount_local)
        for p in report.periods
        if p.source_id == "general_ledger"
    ] == [
        ("2026-03", "EUR", 2, Decimal(10), Decimal(10)),
        ("2026-03", "USD", 1, Decimal(1), None),
        ("2026-02", "EUR", 1, Decimal(10), None),
    ]


def test_same_records_and_plan_give_the_same_results(judge: Judge) -> None:
    tables = {"general_ledger": [*FEBRUARY, *post("2026-03", ["1"] * 31)]}
    first, second = judge(tables), judge(tables)
    assert first == second


def test_defaults_never_stop_a_build() -> None:
    checks = ResolvedChecks()
    severities = {
        threshold.severity
        for threshold in (
            checks.completeness,
            checks.freshness,
            checks.volume,
            checks.amount,
            checks.unknown_codes,
        )
    }
    assert severities == {"warning"}


def test_a_source_without_money_is_counted_once_whatever_its_currencies(judge: Judge) -> None:
    use: dict[str, Any] = {
        "service_id": "mail",
        "metric": "unit_cost",
        "unit_code": "seat",
        "median_value": "3",
    }
    use |= {"source_name": "survey", "publication_year": 2025}
    rows = [
        {**use, "benchmark_id": currency, "currency_code": currency} for currency in ("EUR", "USD")
    ]
    (period,) = judge({"benchmarks": rows}).periods
    assert (period.period_id, period.currency_code, period.record_count) == ("", "", 2)
    assert period.amount_local is None
