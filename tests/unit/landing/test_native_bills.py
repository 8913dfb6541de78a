"""Bills in the forms of AWS, Azure and Google: effective cost, unused commitments, credits.

The bills are invented; their columns are those of the providers' documentation: the AWS data
dictionary (line item, savings plan and reservation columns), the cost details of Azure, and the
schema of the Cloud Billing export to BigQuery.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import yaml

from pipelines.landing.land import LoadResult
from pipelines.mappings.mapping import DIRECTORY
from tests.unit.landing.company import Company, open_company
from tests.unit.landing.own_source import land_own, read_fields, write_mapping


def read_ready(name: str) -> dict[str, Any]:
    """A ready mapping as a mapping of the workspace's own."""
    mapping: dict[str, Any] = yaml.safe_load((DIRECTORY / f"{name}.yml").read_text("utf-8"))
    del mapping["mapping_id"]
    return mapping


def read_costs(company: Company, result: LoadResult, *fields: str) -> list[tuple[Any, ...]]:
    """Fields of the accepted records; amounts as decimals."""
    rows = read_fields(company, result, ", ".join(fields))
    return [
        tuple(
            None if value is None else Decimal(value) if field.endswith("cost") else value
            for field, value in zip(fields, row, strict=True)
        )
        for row in rows
    ]


AWS = (
    "bill/PayerAccountId,bill/BillingPeriodStartDate,bill/BillingPeriodEndDate,"
    "lineItem/UsageStartDate,lineItem/UsageEndDate,lineItem/CurrencyCode,lineItem/UsageAccountId,"
    "lineItem/LineItemType,lineItem/ProductCode,lineItem/UnblendedCost,"
    "savingsPlan/SavingsPlanEffectiveCost,savingsPlan/TotalCommitmentToDate,"
    "savingsPlan/UsedCommitment,reservation/EffectiveCost,"
    "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod,reservation/UnusedRecurringFee,"
    "reservation/ReservationARN\n"
)
AWS_HEAD = (
    "9999,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,2026-01-10T00:00:00Z,2026-01-10T01:00:00Z,"
    "USD,1,"
)
# Type, product, unblended; plan: effective, commitment, used; reservation: effective, unused
# upfront, unused recurring, id. Then what is expected: effective cost and status.
AWS_LINES: list[tuple[str, str, str | None]] = [
    ("Usage,AmazonEC2,10.00,,,,,,,", "10", None),
    ("SavingsPlanCoveredUsage,AmazonEC2,20.00,1.2E1,,,,,,", "12", "Used"),
    ("SavingsPlanNegation,AmazonEC2,-20.00,,,,,,,", "0", None),
    ("SavingsPlanRecurringFee,ComputeSavingsPlans,15.00,0,15.00,12.00,,,,", "3", "Unused"),
    ("SavingsPlanUpfrontFee,ComputeSavingsPlans,1000.00,,,,,,,", "0", None),
    ("Refund,ComputeSavingsPlans,-1000.00,,,,,,,", "0", None),
    ("DiscountedUsage,AmazonRDS,0,,,,3.00,,,arn:aws:rds:ri/1", "3", "Used"),
    ("RIFee,AmazonRDS,4.00,,,,,1.00,0.50,arn:aws:rds:ri/1", "1.5", "Unused"),
    ("Fee,AmazonRDS,120.00,,,,,,,arn:aws:rds:ri/1", "0", None),
    ("Fee,AWSDeveloperSupport,7.00,,,,,,,", "7", None),
    ("Tax,AmazonEC2,2.00,,,,,,,", "2", None),
    ("Refund,AmazonEC2,-1.25,,,,,,,", "-1.25", None),
    ("Credit,AmazonEC2,-0.5,,,,,,,", "-0.5", None),
]


def test_effective_cost_of_aws(company: Company) -> None:
    """36.75 in all: use 10 + 12 + 3, not used 3 + 1.5, support 7, tax 2, less 1.25 and 0.5."""
    lines = "".join(f"{AWS_HEAD}{line}\n" for line, _, _ in AWS_LINES)
    result = land_own(company, read_ready("aws_cur_csv"), (AWS + lines).encode())
    assert (result.records_accepted, result.records_quarantined) == (len(AWS_LINES), 0)
    found = read_costs(company, result, "effective_cost", "commitment_discount_status")
    assert found == [(Decimal(cost), status) for _, cost, status in AWS_LINES]
    assert sum(cost for cost, _ in found) == Decimal("36.75")


MEASURE = (
    "    detail_feed: {measure: effective_cost, claims: {account: ['65*']}, account: '6500'}\n"
)


def land_measured(company: Company, mapping: dict[str, Any], content: str) -> LoadResult:
    """Land a bill whose detail feed counts by effective cost."""
    root = company.workspace.root
    write_mapping(root, mapping)
    config = root / "apportion.yml"
    source = f'  own:\n    contract: cloud_bill\n    mapping: own\n    inbox: "own/*"\n{MEASURE}'
    config.write_text(config.read_text("utf-8") + source, "utf-8")
    path = root / "inbox" / "own" / "bill.csv"
    path.parent.mkdir(parents=True)
    path.write_text(content, "utf-8")
    opened = open_company(root)
    try:
        return next(item for item in opened.land() if item.source_id == "own")
    finally:
        opened.books.close()


def test_line_without_the_cost_that_counts_is_in_quarantine(company: Company) -> None:
    """A fee whose unused part the report does not have: what it costs is not known."""
    lines = [AWS_LINES[0][0], "SavingsPlanRecurringFee,ComputeSavingsPlans,15.00,,,,,,,"]
    text = AWS + "".join(f"{AWS_HEAD}{line}\n" for line in lines)
    result = land_measured(company, read_ready("aws_cur_csv"), text)
    assert (result.records_accepted, result.records_quarantined) == (1, 1)
    assert "effective_cost" in result.reasons[0]


FOCUS = (
    "ProviderName,BillingAccountId,BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,"
    "ChargePeriodEnd,ChargeCategory,ServiceName,BillingCurrency,BilledCost\n"
    "AWS,1,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,2026-01-01T00:00:00Z,"
    "2026-02-01T00:00:00Z,Usage,Amazon EC2,USD,100.00\n"
)


def test_bill_without_a_column_of_the_cost_that_counts_is_refused(company: Company) -> None:
    result = land_measured(company, read_ready("focus_1_0"), FOCUS)
    assert result.state == "refused"
    assert "lacks EffectiveCost" in result.message


AZURE = (
    "BillingAccountId,BillingPeriodStartDate,BillingPeriodEndDate,Date,ChargeType,MeterCategory,"
    "SubscriptionId,BillingCurrencyCode,CostInBillingCurrency,PricingModel\n"
)
AZURE_HEAD = "1,1/1/2026,1/31/2026,1/10/2026,"
# Of a reservation of 30.00 that covered 20.00 of use; a savings plan of which 1.50 was not used.
AMORTIZED = [
    ("Usage,Virtual Machines,s1,EUR,10.00,OnDemand", "10", "10", None),
    ("Usage,Virtual Machines,s1,EUR,20.00,Reservation", "0", "20", "Used"),
    ("UnusedReservation,Virtual Machines,,EUR,10.00,Reservation", "0", "10", "Unused"),
    ("Usage,Virtual Machines,s2,EUR,4.50,SavingsPlan", "0", "4.5", "Used"),
    ("UnusedSavingsPlan,Virtual Machines,,EUR,1.50,SavingsPlan", "0", "1.5", "Unused"),
    ("Purchase,Marketplace,s1,EUR,5.00,OnDemand", "5", "5", None),
    ("Tax,Tax,,EUR,0.25,", "0.25", "0.25", None),
]
ACTUAL = [
    ("Usage,Virtual Machines,s1,EUR,10.00,OnDemand", "10", "10"),
    ("Usage,Virtual Machines,s1,EUR,0,Reservation", "0", None),
    ("Purchase,Virtual Machines,,EUR,30.00,Reservation", "30", "0"),
    ("Refund,Virtual Machines,,EUR,-2.00,", "-2", "-2"),
]


def test_amortized_cost_of_azure(company: Company) -> None:
    text = AZURE + "".join(f"{AZURE_HEAD}{line}\n" for line, *_ in AMORTIZED)
    result = land_own(company, read_ready("azure_ea_amortized"), text.encode())
    found = read_costs(
        company, result, "billed_cost", "effective_cost", "commitment_discount_status"
    )
    assert found == [(Decimal(b), Decimal(e), status) for _, b, e, status in AMORTIZED]


def test_actual_cost_of_azure_does_not_know_what_a_commitment_covered(company: Company) -> None:
    text = AZURE + "".join(f"{AZURE_HEAD}{line}\n" for line, *_ in ACTUAL)
    result = land_own(company, read_ready("azure_ea"), text.encode())
    found = read_costs(company, result, "billed_cost", "effective_cost")
    assert found == [(Decimal(b), None if e is None else Decimal(e)) for _, b, e in ACTUAL]


def write_google(cost: object, credits: object, **changes: object) -> str:
    line = {
        "billing_account_id": "01AB",
        "service": {"id": "6F81", "description": "Compute Engine"},
        "sku": {"id": "1", "description": "Core hours"},
        "usage_start_time": "2026-01-10 00:00:00 UTC",
        "usage_end_time": "2026-01-10 01:00:00 UTC",
        "project": {"id": "shop", "name": "Shop"},
        "labels": [{"key": "owner", "value": "ann"}, {"key": "env", "value": ""}],
        "location": {"region": "europe-west3"},
        "usage": {"amount": 1.0, "unit": "seconds"},
        "currency": "EUR",
        "cost": cost,
        "credits": credits,
        "invoice": {"month": "202601"},
        "cost_type": "regular",
        **changes,
    }
    return json.dumps({key: value for key, value in line.items() if value is not None})


CREDITS = [
    {"name": "Sustained usage", "amount": -1.5, "type": "SUSTAINED_USAGE_DISCOUNT"},
    {"name": "Promotion", "amount": -1e-06, "type": "PROMOTION"},
]


def test_credits_of_google_are_taken_off_and_named(company: Company) -> None:
    """10 - 1.5 - 0.000001 = 8.499999; tax without a project; a line whose credits are no list."""
    lines = [
        write_google(10, CREDITS),
        write_google(2.5, []),
        write_google(3, None, project=None, labels=None, cost_type="tax"),
        write_google(4, {"name": "no list"}),
    ]
    mapping = read_ready("gcp_billing")
    result = land_own(company, mapping, "\n".join(lines).encode(), "own/a.jsonl")
    assert (result.records_accepted, result.records_quarantined) == (3, 1)
    found = read_costs(company, result, "billed_cost", "charge_description", "tags")
    assert found == [
        (
            Decimal("8.499999"),
            "Core hours [Sustained usage -1.5; Promotion -0.000001]",
            '{"owner":"ann","env":""}',
        ),
        (Decimal("2.5"), "Core hours", '{"owner":"ann","env":""}'),
        (Decimal(3), "Core hours", None),
    ]
    periods = read_fields(company, result, "billing_period_start, billing_period_end")
    assert set(periods) == {("2026-01-01 00:00:00", "2026-02-01 00:00:00")}
