"""Columns that came broken from upstream, in small bills and in a published one."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from pipelines.checks.plan import plan_lake
from pipelines.checks.run_checks import run_checks
from pipelines.checks.upstream import UpstreamFinding, find_unusable_columns

from .lake import TODAY, build_lake

CHECKOUT = Path(__file__).parents[3]


def _line(provider: str, billed: str, effective: str | None, **changes: str) -> dict[str, object]:
    row = {
        "provider_name": provider,
        "billing_currency": "USD",
        "charge_category": "Usage",
        "billed_cost": billed,
        "effective_cost": effective,
    }
    return {**row, **changes}


def _find(tmp_path: Path, *lines: dict[str, object]) -> tuple[UpstreamFinding, ...]:
    return find_unusable_columns(build_lake(tmp_path, {"cloud_bill": lines}))


def test_rounded_column_is_found_with_its_figures(tmp_path: Path) -> None:
    (finding,) = _find(
        tmp_path,
        _line("A", "1.25", "1"),
        _line("A", "2.50", "2"),
        _line("A", "0.10", "0"),
        _line("B", "1.25", "1.25"),
    )
    assert (finding.contract_id, finding.source_id, finding.scope) == (
        "cloud_bill",
        "cloud_bill",
        "A",
    )
    assert (finding.column, finding.currency_code) == ("effective_cost", "USD")
    assert finding.get_figure("column_total") == Decimal(3)
    assert finding.get_figure("billed_cost_total") == Decimal("3.85")
    assert finding.get_figure("difference") == Decimal("-0.85")
    assert finding.get_figure("non_zero_count") == 2
    assert finding.get_figure("billed_fractional_count") == 3
    assert "all 2 non-zero values are whole numbers" in finding.sentence
    assert "it sums to 3 USD where billed_cost sums to 3.85 USD" in finding.sentence


def test_column_of_zeros_is_found(tmp_path: Path) -> None:
    (finding,) = _find(tmp_path, _line("A", "10", "0"), _line("A", "5", "0"))
    assert "all 2 values are zero" in finding.sentence
    assert finding.get_figure("billed_cost_total") == Decimal(15)
    assert finding.get_figure("column_total") == 0


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([_line("A", "1.25", "1"), _line("A", "2.5", "0.5")], id="one-fraction"),
        pytest.param([_line("A", "10", "9"), _line("A", "5", "5")], id="whole-bill"),
        pytest.param([_line("A", "0", "0")], id="bill-of-zero"),
        pytest.param([_line("A", "1.25", None)], id="not-delivered"),
        pytest.param([_line("A", "99.50", "0", charge_category="Purchase")], id="prepayment"),
        pytest.param(
            [_line("A", "99.50", "0", charge_category="Purchase"), _line("A", "0", "50")],
            id="use-of-a-prepayment",
        ),
    ],
)
def test_sound_columns_are_no_finding(tmp_path: Path, lines: list[dict[str, object]]) -> None:
    assert _find(tmp_path, *lines) == ()


def test_other_cost_columns_and_other_sources_are_looked_at_apart(tmp_path: Path) -> None:
    findings = _find(
        tmp_path,
        _line("A", "1.25", "1.25", list_cost="2"),
        _line("A", "1.25", "1", _source_id="second_export"),
        _line("A", "1.25", "1", _source_id="second_export", billing_currency="JPY"),
    )
    assert [(f.source_id, f.currency_code, f.column) for f in findings] == [
        ("cloud_bill", "USD", "list_cost"),
        ("second_export", "JPY", "effective_cost"),
        ("second_export", "USD", "effective_cost"),
    ]


def test_without_a_cloud_bill_there_is_nothing_to_find(tmp_path: Path) -> None:
    database = build_lake(tmp_path, {"headcount": []})
    assert find_unusable_columns(database, ("headcount",)) == ()


def _find_sample() -> Path:
    shared = os.environ.get("APPORTION_SHARED_DATA")
    directory = Path(shared) if shared else CHECKOUT.parent / "shared" / "data"
    path = directory / "focus_1_0_sample" / "focus_sample.csv"
    if not path.is_file():
        pytest.skip(
            f"needs the FOCUS 1.0 sample at {path}; set APPORTION_SHARED_DATA to the folder "
            "that holds focus_1_0_sample/"
        )
    return path


def _land_sample(sample: Path, database: Path) -> None:
    """The published bill in the columns of the contract; 'NULL' is how it writes an empty value."""
    columns = {
        "provider_name": "ProviderName",
        "billing_account_id": "BillingAccountId",
        "billing_period_start": "cast(BillingPeriodStart as timestamp)",
        "billing_period_end": "cast(BillingPeriodEnd as timestamp)",
        "charge_period_start": "cast(ChargePeriodStart as timestamp)",
        "charge_period_end": "cast(ChargePeriodEnd as timestamp)",
        "charge_category": "ChargeCategory",
        "charge_class": "ChargeClass",
        "charge_description": "ChargeDescription",
        "service_category": "ServiceCategory",
        "service_name": "ServiceName",
        "sub_account_id": "SubAccountId",
        "sub_account_name": "SubAccountName",
        "resource_id": "ResourceId",
        "region_id": "RegionId",
        "consumed_quantity": "cast(ConsumedQuantity as decimal(38, 12))",
        "consumed_unit": "ConsumedUnit",
        "invoice_id": "cast(null as varchar)",
        "billing_currency": "BillingCurrency",
        "billed_cost": "cast(BilledCost as decimal(38, 12))",
        "effective_cost": "cast(EffectiveCost as decimal(38, 12))",
        "list_cost": "cast(ListCost as decimal(38, 12))",
        "contracted_cost": "cast(ContractedCost as decimal(38, 12))",
        "commitment_discount_status": "CommitmentDiscountStatus",
        "tags": "Tags",
        "_source_id": "'focus'",
        "_scenario_id": "'actual'",
        "_file_id": "'f'",
        "_row_number": "row_number() over ()",
    }
    listed = ", ".join(f"{expression} as {name}" for name, expression in columns.items())
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema lake")
        connection.execute(
            f"create table lake.cloud_bill as select {listed} "
            f"from read_csv('{sample}', all_varchar = true, nullstr = 'NULL')"
        )


def test_published_sample_has_rounded_columns(tmp_path: Path) -> None:
    database = tmp_path / "sample.duckdb"
    _land_sample(_find_sample(), database)
    plan = plan_lake(database, ("cloud_bill",), TODAY)
    report = run_checks(database, plan, tmp_path / "evidence")
    found = {(finding.scope, finding.column): finding for finding in report.upstream_findings}
    # AWS: rounded. Oracle: zero throughout. Microsoft: sound, 1.976514185860 in both columns.
    assert set(found) == {
        ("AWS", "effective_cost"),
        ("AWS", "contracted_cost"),
        ("Oracle", "effective_cost"),
    }
    aws = found["AWS", "effective_cost"]
    assert aws.get_figure("column_total") == 13
    assert aws.get_figure("billed_cost_total") == Decimal("18.0066386184")
    document = json.loads((tmp_path / "evidence" / "checks.json").read_text("utf-8"))
    entry = document["upstream_findings"][1]
    assert (entry["scope"], entry["column"]) == ("AWS", "effective_cost")
    assert entry["figures"]["billed_cost_total"] == "18.0066386184"
    assert "effective_cost of AWS is unusable" in report.data_docs_path.read_text("utf-8")
    # A finding is for the caller to decide on; the records themselves meet their contract.
    assert {r.check_id for r in report.results if r.stops_build} == set()
