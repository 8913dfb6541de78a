"""Real bills and their tags: shared/data/aws_cur_workshop_2018 and focus_1_0_sample.

The expected figures are summed here from the files with plain decimals. 90 % of the money of the
workshop's bill has no tag; its workloads are spelled `BaseLoad` and `Base Load`.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.command import SHARED_DATA, ask_sql, run_apportion

REPORTS = sorted((SHARED_DATA / "aws_cur_workshop_2018").glob("*.parquet"))
FOCUS = SHARED_DATA / "focus_1_0_sample" / "focus_sample.csv"
ABSENT = "the real bill is not part of the project and not beside it"
ROUNDING = Decimal("0.000001")
"""Parts of a sum are rounded to 10^-8 each; the sum of all parts is exact."""

WORKSHOP = """
name: Workshop
currency: USD
calendar: {first_period: 2018-10, last_period: 2018-11}
control_total: {source: cloud_bill}
sources:
  cloud_bill:
    contract: cloud_bill
    inbox: cloud_bill/*.csv
    is_required: true
    detail_feed:
      service_from: "tag:workload"
      consumer_from: "tag:cost_center"
      defines_services: true
      defines_consumers: true
"""
TAGS = ("cost_center", "department", "environment", "name", "workload", "workload_type")


def write_workshop_bill(target: Path) -> list[dict[str, str]]:
    """The two reports as one canonical delivery, the tag columns as the JSON that FOCUS has."""
    import duckdb

    tags = ", ".join(f"'{tag}': nullif(resource_tags_user_{tag}, '')" for tag in TAGS)
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            copy (
                select 'AWS' as provider_name, bill_payer_account_id as billing_account_id,
                    strftime(bill_billing_period_start_date, '%Y-%m-%dT00:00:00Z')
                        as billing_period_start,
                    strftime(bill_billing_period_end_date, '%Y-%m-%dT00:00:00Z')
                        as billing_period_end,
                    strftime(line_item_usage_start_date, '%Y-%m-%dT%H:%M:%SZ')
                        as charge_period_start,
                    strftime(line_item_usage_end_date, '%Y-%m-%dT%H:%M:%SZ')
                        as charge_period_end,
                    case line_item_line_item_type when 'RIFee' then 'Purchase' else 'Usage' end
                        as charge_category,
                    line_item_product_code as service_name,
                    line_item_usage_account_id as sub_account_id,
                    nullif(line_item_resource_id, '') as resource_id,
                    line_item_currency_code as billing_currency,
                    line_item_unblended_cost::decimal(38, 12) as billed_cost,
                    to_json({{{tags}}}) as tags
                from read_parquet($reports, union_by_name = true)
            ) to '{target}' (header)
            """,
            {"reports": [str(path) for path in REPORTS]},
        )
    with target.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def sum_by_tag(lines: list[dict[str, str]], tag: str, period: str) -> dict[str | None, Decimal]:
    sums: dict[str | None, Decimal] = defaultdict(Decimal)
    for line in lines:
        if line["billing_period_start"].startswith(period):
            sums[json.loads(line["tags"])[tag]] += Decimal(line["billed_cost"])
    return sums


def read_amounts(workspace: Path, period: str) -> dict[tuple[str, str], Decimal]:
    rows = ask_sql(
        workspace,
        "select target_kind, mapping_method, sum(amount) as amount from rpt_tag_coverage "
        f"where period_id = '{period}' group by all",
    )
    return {(r["target_kind"], r["mapping_method"]): Decimal(r["amount"]) for r in rows}


def read_command(workspace: Path, *arguments: str) -> dict[str, Any]:
    done = run_apportion("coverage", *arguments, "--json", "-w", workspace)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.skipif(not REPORTS, reason=ABSENT)
def test_a_bill_that_is_nearly_untagged_is_mapped_by_what_the_command_proposes(
    tmp_path: Path,
) -> None:
    workspace = tmp_path / "ws"
    run_apportion("init", workspace, "--template", "cloud")
    (workspace / "apportion.yml").write_text(WORKSHOP, "utf-8")
    (workspace / "inbox" / "cloud_bill").mkdir(parents=True)
    lines = write_workshop_bill(workspace / "inbox" / "cloud_bill" / "bill.csv")
    assert len(lines) == 243_647
    run_apportion("run", "--no-bills", "-w", workspace)

    period = "2018-11"
    by_centre = sum_by_tag(lines, "cost_center", period)
    by_workload = sum_by_tag(lines, "workload", period)
    total = sum(by_centre.values(), Decimal(0))
    found = read_amounts(workspace, period)
    assert abs(found["consumer", "unmapped"] - by_centre[None]) < ROUNDING
    assert abs(found["service", "unmapped"] - by_workload[None]) < ROUNDING
    for target in ("service", "consumer"):
        parts = sum((v for k, v in found.items() if k[0] == target), Decimal(0))
        assert parts == total.quantize(Decimal("1e-8"))

    answer = read_command(workspace, period, "--limit", "0")
    (unmapped,) = (
        part
        for part in answer["coverage"]
        if (part["target_kind"], part["mapping_method"]) == ("consumer", "unmapped")
    )
    percent = (by_centre[None] / total * 100).quantize(Decimal("0.1"))
    assert Decimal(unmapped["percent"]).quantize(Decimal("0.1")) == percent
    assert percent > 85
    drift = {(item["tag_key"], item["found_text"]): item for item in answer["drift"]}
    loads = drift["workload", "Base Load"]
    assert loads["proposed_text"] == "BaseLoad"
    assert abs(Decimal(loads["amount"]) - by_workload["Base Load"]) < ROUNDING

    # Write what is proposed, completed: the spellings, and the largest sub-account as a service.
    spellings = yaml.safe_load(answer["proposed_spellings"])
    (rule,) = (
        rule
        for rule in yaml.safe_load(answer["proposed_rules"])["rules"][:4]
        if "sub_account" in rule["match"] and rule.get("service") == "SERVICE"
    )
    account = rule["match"]["sub_account"][0]
    tagging = spellings | {"rules": [rule | {"service": "workshop"}]}
    (workspace / "cost_model" / "tagging.yml").write_text(yaml.safe_dump(tagging), "utf-8")
    run_apportion("run", "--no-bills", "-w", workspace)
    expected = sum(
        (
            Decimal(line["billed_cost"])
            for line in lines
            if line["billing_period_start"].startswith(period)
            and line["sub_account_id"] == account
            and json.loads(line["tags"])["workload"] is None
        ),
        Decimal(0),
    )
    mapped = read_amounts(workspace, period)
    assert abs(mapped["service", "rule"] - expected) < ROUNDING
    assert abs(mapped["service", "feed"] - found["service", "feed"]) < ROUNDING
    after = read_command(workspace, period)
    assert ("workload", "Base Load") not in {
        (item["tag_key"], item["found_text"]) for item in after["drift"]
    }
    rows = ask_sql(
        workspace,
        "select tagged_service_id as service, sum(amount) as amount from fct_ledger_lines "
        f"where period_id = '{period}' group by all",
    )
    costs = {row["service"]: Decimal(row["amount"]) for row in rows}
    assert "Base Load" not in costs
    assert abs(costs["BaseLoad"] - by_workload["BaseLoad"] - by_workload["Base Load"]) < ROUNDING


@pytest.mark.skipif(not FOCUS.exists(), reason=ABSENT)
def test_coverage_of_the_published_focus_sample(tmp_path: Path) -> None:
    workspace = tmp_path / "ws"
    run_apportion("init", workspace, "--template", "cloud")
    config = workspace / "apportion.yml"
    text = config.read_text("utf-8")
    text = text.replace("service_from: service_name", 'service_from: "tag:application"')
    config.write_text(text, encoding="utf-8")
    (workspace / "inbox" / "cloud_bill").mkdir(parents=True)
    (workspace / "inbox" / "cloud_bill" / "focus.csv").write_bytes(FOCUS.read_bytes())
    run_apportion("run", "--no-bills", "-w", workspace)
    sums: dict[bool, Decimal] = defaultdict(Decimal)
    with FOCUS.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            if line["BillingPeriodStart"].startswith("2024-09"):
                tags = {} if line["Tags"] == "NULL" else json.loads(line["Tags"])
                sums[bool(tags.get("application"))] += Decimal(line["BilledCost"])
    found = read_amounts(workspace, "2024-09")
    assert abs(found["service", "feed"] - sums[True]) < ROUNDING
    assert abs(found["service", "unmapped"] - sums[False]) < ROUNDING
    # 20.28022672899 is the bill of September; see test_cloud_bill.
    assert found["service", "feed"] + found["service", "unmapped"] == Decimal("20.28022673")
    # Every line has a sub-account, which is the consumer.
    assert found["consumer", "feed"] == Decimal("20.28022673")
    assert ("consumer", "unmapped") not in found


def test_a_trace_names_the_rule_and_leads_to_the_records(sample: Path) -> None:
    """The logs of the shared account in 2026-10, by the rule shared-logs: one record."""
    lines = ask_sql(
        sample,
        "select ledger_line_id, amount_local from fct_ledger_lines "
        "where period_id = '2026-10' and service_rule_id = 'shared-logs'",
    )
    assert [Decimal(line["amount_local"]) for line in lines] == [Decimal("5286.2701961772")]
    # monitoring is shared: its cost leaves through the services that use it.
    (charge,) = ask_sql(
        sample,
        "select charges.service_id, charges.cost_centre_id "
        "from fct_charges_monthly as charges "
        "inner join stops.int_delivered_services__ranges as used using (scenario_id, period_id) "
        "where period_id = '2026-10' and scenario_id = 'actual' and disposition = 'allocated' "
        "and from_service_id = 'monitoring' and charges.service_id = used.to_service_id "
        "order by used.weight desc, cost_amount desc limit 1",
    )
    done = run_apportion(
        *("trace", "2026-10", "--service", charge["service_id"]),
        *("--cost-centre", charge["cost_centre_id"], "--json", "-w", sample),
    )
    (line,) = (
        line
        for line in json.loads(done.stdout)["lines"]
        if line["ledger_line_id"] == lines[0]["ledger_line_id"]
    )
    assert line["service_rule_id"] == "shared-logs"
    assert [Decimal(record["amount_local"]) for record in line["records"]] == [
        Decimal("5286.2701961772")
    ]


def test_a_merged_spelling_costs_what_the_service_costs(sample: Path) -> None:
    """Nothing is charged to E-Commerce; the lines that are spelled so are the shop's."""
    rows = ask_sql(
        sample,
        "select count(*) filter (tagged_service_id = 'E-Commerce') as spelled, "
        "count(*) filter (tagged_service_id = 'ecommerce') as merged "
        "from metering.met_cloud_costs where period_id = '2026-10'",
    )
    assert int(rows[0]["spelled"]) == 0
    assert int(rows[0]["merged"]) > 0


def test_a_period_without_a_bill_is_refused_with_those_that_have_one(sample: Path) -> None:
    done = run_apportion("coverage", "2031-01", "-w", sample, expect=2)
    assert "there are bills of 2024-11 to 2026-10" in done.stderr
    done = run_apportion("coverage", "-w", sample)
    assert "How the cloud bills of 2026-10 are mapped" in done.stdout
