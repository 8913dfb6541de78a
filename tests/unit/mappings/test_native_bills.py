"""Native bills in the formats that providers export today land with their effective cost."""

# ruff: noqa: E501 - lines of an export and of a query stay whole
from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.mappings.infer import Proposal, infer_mapping
from tests.unit.landing.company import read_load

from .test_system_layouts import land_proposal

CUR_2 = """
select '001122334455' as bill_payer_account_id,
    timestamp '2026-01-01' as bill_billing_period_start_date,
    timestamp '2026-02-01' as bill_billing_period_end_date,
    '001122334456' as line_item_usage_account_id,
    timestamp '2026-01-01 05:00' as line_item_usage_start_date,
    timestamp '2026-01-01 06:00' as line_item_usage_end_date,
    kind as line_item_line_item_type, 'AmazonEC2' as line_item_product_code,
    'line' as line_item_line_item_description, 'i-1' as line_item_resource_id,
    cast(1 as double) as line_item_usage_amount, cost as line_item_unblended_cost,
    'USD' as line_item_currency_code, 'eu-west-1' as product_region_code,
    map {'region_name': 'Ireland'} as product, map {'user_owner': 'ann'} as resource_tags,
    covered as savings_plan_savings_plan_effective_cost,
    fee as savings_plan_total_commitment_to_date, used as savings_plan_used_commitment
from (values
    ('Usage', 1.25::double, 0::double, 0::double, 0::double),
    ('SavingsPlanCoveredUsage', 2.00, 1.50, 0, 0),
    ('SavingsPlanNegation', -2.00, 0, 0, 0),
    ('SavingsPlanRecurringFee', 1.75, 0, 1.75, 1.50)
) as t(kind, cost, covered, fee, used)
"""
"""Billed 1.25 + 2.00 - 2.00 + 1.75 = 3.00. Effective 1.25 + 1.50 (covered) + 0 + 0.25 (of 1.75 that
was committed 1.50 was used) = 3.00."""

MCA = (
    "invoiceId,billingAccountId,billingPeriodEndDate,billingPeriodStartDate,date,meterCategory,"
    "ProductName,SubscriptionId,subscriptionName,ResourceId,resourceLocation,quantity,unitOfMeasure,"
    "chargeType,billingCurrency,costInBillingCurrency,pricingModel,tags\n"
)
MCA_LINE = (
    "G1,a:b,01/31/2026,01/01/2026,{day},Virtual Machines,VM,S1,Prod,,westeurope,24,1 Hour,{kind},EUR,"
    '{cost},{model},"""Owner"": ""ann"""\n'
)
GCP = """
select '01A' as billing_account_id, struct_pack(id := 's1', description := 'Compute') as service,
    struct_pack(id := 'k1', description := 'N2 core') as sku,
    timestamptz '2026-01-01 00:00:00+00' as usage_start_time,
    timestamptz '2026-01-01 01:00:00+00' as usage_end_time,
    struct_pack(id := 'shop', name := 'Shop') as project,
    [struct_pack(key := 'owner', value := 'ann')] as labels,
    struct_pack(region := 'europe-west1') as location, cast(cost as double) as cost,
    'EUR' as currency, struct_pack(amount := 24::double, unit := 'hour') as usage,
    credits, struct_pack(month := '202601') as invoice, 'regular' as cost_type
from (values
    (12.5, [struct_pack(name := 'CUD', amount := -2.5::double)]),
    (0.25, cast([] as struct(name varchar, amount double)[]))
) as t(cost, credits)
"""


def land(root: Path, file: Path, found: Proposal, sql: str) -> list[tuple[Any, ...]]:
    assert found.match.contract.contract_id == "cloud_bill"
    assert found.match.open_fields == ()
    result = land_proposal(root, file, found)
    assert (result.state, result.message, result.records_quarantined) == ("landed", "", 0)
    return read_load(root / "acme/lake/foreign" / result.sha256, sql)


def write_parquet(path: Path, query: str) -> Path:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"copy ({query}) to '{path}' (format parquet)")
    return path


def test_cur_2_as_parquet(tmp_path: Path) -> None:
    file = write_parquet(tmp_path / "cur.parquet", CUR_2)
    found = infer_mapping(file)
    assert found.adopted == "aws_cur_2"
    sql = "select sum(billed_cost), sum(effective_cost), min(region_id), min(tags) from records"
    ((billed, effective, region, tags),) = land(tmp_path, file, found, sql)
    assert (billed, effective, region) == (Decimal("3.00"), Decimal("3.00"), "eu-west-1")
    assert tags == '{"user_owner":"ann"}'


def test_unused_commitment_of_cur_2_is_named(tmp_path: Path) -> None:
    file = write_parquet(tmp_path / "cur.parquet", CUR_2)
    sql = (
        "select commitment_discount_status, effective_cost from records where effective_cost < 0.5 "
    )
    rows = land(tmp_path, file, infer_mapping(file), sql + "and effective_cost > 0")
    assert rows == [("Unused", Decimal("0.25"))]


@pytest.mark.parametrize("form", ["csv", "csv.gz"])
def test_cur_2_as_text_is_read_by_the_mapping_of_its_parquet(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"cur.{form}"
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * replace (strftime(line_item_usage_start_date, '%Y-%m-%dT%H:%M:%S.000Z') "
            f"as line_item_usage_start_date, to_json(resource_tags) as resource_tags, to_json(product) "
            f"as product) from ({CUR_2})) to '{path}' (format csv, header)"
        )
    found = infer_mapping(path)
    assert found.adapted == "aws_cur_2"
    sql = "select sum(billed_cost), sum(effective_cost) from records"
    assert land(tmp_path, path, found, sql) == [(Decimal("3.00"), Decimal("3.00"))]


def test_actual_cost_of_azure_mca(tmp_path: Path) -> None:
    lines = [("Usage", "12.50", "OnDemand"), ("Usage", "0", "Reservation")]
    lines.append(("Purchase", "100", "Reservation"))
    text = "".join(MCA_LINE.format(day="01/15/2026", kind=k, cost=c, model=m) for k, c, m in lines)
    file = tmp_path / "mca.csv"
    file.write_text(MCA + text, "utf-8")
    found = infer_mapping(file)
    assert found.adopted == "azure_mca"
    # What the reservation covered is 0 here and unknown; its purchase is no effective cost.
    sql = "select sum(billed_cost), sum(effective_cost), count(*) - count(effective_cost) from records"
    assert land(tmp_path, file, found, sql) == [(Decimal("112.50"), Decimal("12.50"), 1)]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_amortized_cost_of_azure_mca(tmp_path: Path, form: str) -> None:
    """12.50 on demand, 5.50 of the reservation covered use and 1.25 of it was not used."""
    lines = [("Usage", "12.50", "OnDemand"), ("Usage", "5.50", "Reservation")]
    lines.append(("UnusedReservation", "1.25", "Reservation"))
    text = "".join(MCA_LINE.format(day="01/15/2026", kind=k, cost=c, model=m) for k, c, m in lines)
    file = tmp_path / "mca.csv"
    file.write_text(MCA + text, "utf-8")
    if form == "parquet":
        file = write_parquet(
            tmp_path / "mca.parquet", f"from read_csv('{file}', all_varchar = true)"
        )
    found = infer_mapping(file)
    assert (found.adopted or found.adapted) == "azure_mca_amortized"
    sql = (
        "select sum(billed_cost), sum(effective_cost), "
        "sum(effective_cost) filter (commitment_discount_status = 'Unused') from records"
    )
    expected = (Decimal("12.50"), Decimal("19.25"), Decimal("1.25"))
    assert land(tmp_path, file, found, sql) == [expected]


def test_google_as_parquet(tmp_path: Path) -> None:
    """12.50 less a credit of 2.50, and 0.25: the credits list counts."""
    file = write_parquet(tmp_path / "gcp.parquet", GCP)
    found = infer_mapping(file)
    assert found.adapted == "gcp_billing"
    sql = "select service_name, sum(effective_cost), sum(billed_cost), min(tags), min(sub_account_id) from records group by 1"
    assert land(tmp_path, file, found, sql) == [
        ("Compute", Decimal("10.25"), Decimal("10.25"), '{"owner":"ann"}', "shop")
    ]
