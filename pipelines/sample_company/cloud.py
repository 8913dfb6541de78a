"""The cloud bill: charge lines of an invented provider in the columns of FOCUS 1.2.

A line's cost is quantity (4 decimals) times unit price (6 decimals): exact with up to 10
decimals. A savings plan is bought each month (a Purchase line, billed) and covers two usage
lines (billed 0, effective cost above 0), so that billed and effective cost differ by line and
agree in total.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from pipelines.sample_company.basics import (
    Month,
    Row,
    Settings,
    compound,
    divide_half_up,
    format_quantity,
    scale_figure,
)

PROVIDER = "Nimbus Cloud"
BILLING_ACCOUNT = "NB-700412"
SUPPORT_FEE_CENTS = 645_000
"""Monthly support contract in USD: on the ledger account, in no line of the bill."""
SAVINGS_PLAN = Decimal("14500")

FOCUS_COLUMNS = (
    "AvailabilityZone", "BilledCost", "BillingAccountId", "BillingAccountName",
    "BillingAccountType", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart",
    "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd",
    "ChargePeriodStart", "CommitmentDiscountCategory", "CommitmentDiscountId",
    "CommitmentDiscountStatus", "CommitmentDiscountType", "ConsumedQuantity", "ConsumedUnit",
    "ContractedCost", "ContractedUnitPrice", "EffectiveCost", "InvoiceId", "InvoiceIssuerName",
    "ListCost", "ListUnitPrice", "PricingCategory", "PricingQuantity", "PricingUnit",
    "ProviderName", "PublisherName", "RegionId", "RegionName", "ResourceId", "ResourceName",
    "ResourceType", "ServiceCategory", "ServiceName", "ServiceSubcategory", "SkuId",
    "SkuPriceId", "SubAccountId", "SubAccountName", "SubAccountType", "Tags",
)  # fmt: skip
"""The columns of FOCUS 1.2: all mandatory ones and those conditional ones that apply."""


@dataclass(frozen=True)
class Product:
    """A product of the provider; `price` in millionths of a USD for one unit."""

    name: str
    category: str
    subcategory: str
    sku: str
    unit: str
    price: int
    resource_type: str


@dataclass(frozen=True)
class Stack:
    """The cloud use of one service: products with their share (thousandths) of a monthly cost."""

    service: str | None
    environment: str
    dollars: int
    monthly_growth: int
    parts: str
    """Blank-separated product:share."""


def _read_facts(name: str) -> list[Row]:
    path = Path(__file__).parent / "facts" / name
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


PRODUCTS = {
    row["key"]: Product(
        row["name"],
        row["category"],
        row["subcategory"],
        row["sku"],
        row["unit"],
        int(row["price"]),
        row["resource_type"],
    )
    for row in _read_facts("cloud_products.csv")
}
STACKS = tuple(
    Stack(
        row["service"] or None,
        row["environment"],
        int(row["dollars"]),
        int(row["monthly_growth"]),
        row["parts"],
    )
    for row in _read_facts("cloud_stacks.csv")
)

REGIONS = (
    ("eu-central-1", "Frankfurt"),
    ("eu-west-1", "Dublin"),
    ("eu-south-1", "Milan"),
)
SUB_ACCOUNTS = {
    "production": ("NB-700412-01", "meridian-production"),
    "test": ("NB-700412-02", "meridian-test"),
    "development": ("NB-700412-03", "meridian-development"),
    "": ("NB-700412-09", "meridian-shared"),
}


DRIFTING_PRODUCT = "Log Analytics"
TAG_DRIFT = {
    ("ecommerce", "production"): ("2026-07", "service", "E-Commerce"),
    ("data-warehouse-bi", "production"): ("2026-08", "environment", "Production"),
    ("app-development", "development"): ("2026-09", "environment", "developement"),
}
"""(service, environment) -> (first period, tag, how it is spelled from then on)."""


def list_bill_rows(settings: Settings, month: Month) -> list[Row]:
    """The month's charge lines, one row per line, in FOCUS columns."""
    rows: list[Row] = []
    for stack_number, stack in enumerate(STACKS):
        sub_account, parts = SUB_ACCOUNTS[stack.environment], stack.parts.split()
        for part_number, part in enumerate(parts):
            key, share = part.split(":")
            number = stack_number * 20 + part_number
            rng = settings.random("cloud", month.period_id, str(number))
            cents = stack.dollars * 100 * int(share) // 1000
            grown = scale_figure(cents, 1000 + stack.monthly_growth * month.index)
            if stack.service == "ai-assistant":
                grown = scale_figure(cents, compound(stack.monthly_growth, month.index))
            grown = scale_figure(grown, 1000 + rng.randint(-25, 25), 965 + month.days)
            quantity = _to_quantity(grown, PRODUCTS[key].price) + Decimal(
                rng.randint(0, 9999)
            ).scaleb(-4)
            row = _usage_row(month, stack, PRODUCTS[key], number, quantity)
            row.update({"SubAccountId": sub_account[0], "SubAccountName": sub_account[1]})
            rows.append(row)
    _apply_savings_plan(rows, month)
    if month.number in (3, 9):
        rows.append(_credit_row(month))
    return [copy for row in rows for copy in _split_row(row, settings.scale)]


def invoice_total(rows: list[Row]) -> Decimal:
    """The exact sum of the billed cost."""
    return sum((Decimal(row["BilledCost"]) for row in rows), Decimal(0))


def invoice_cents(rows: list[Row]) -> int:
    """The invoice: the sum of the lines rounded to cents."""
    return int(invoice_total(rows).quantize(Decimal("0.01"), ROUND_HALF_UP).scaleb(2))


def _to_quantity(cents: int, price: int) -> Decimal:
    """Quantity with 4 decimals that costs about so many cents at a price in millionths."""
    return Decimal(divide_half_up(cents * 10**8, price)).scaleb(-4)


def _base_row(month: Month) -> Row:
    row = dict.fromkeys(FOCUS_COLUMNS, "")
    start, end = f"{month.start}T00:00:00Z", f"{month.next.start}T00:00:00Z"
    row.update(
        BillingAccountId=BILLING_ACCOUNT,
        BillingAccountName="Meridian Group",
        BillingAccountType="Organisation",
        BillingCurrency="USD",
        BillingPeriodStart=start,
        BillingPeriodEnd=end,
        ChargePeriodStart=start,
        ChargePeriodEnd=end,
        InvoiceId=f"NB{month.year}{month.number:02d}-4471",
        InvoiceIssuerName=PROVIDER,
        ProviderName=PROVIDER,
        PublisherName=PROVIDER,
        SubAccountType="Project",
    )
    return row


def _usage_row(month: Month, stack: Stack, product: Product, number: int, quantity: Decimal) -> Row:
    price = Decimal(product.price).scaleb(-6)
    cost = quantity * price
    list_price = price * Decimal("1.15")
    region_id, region_name = REGIONS[number % 7 % 3]
    resource = f"{product.resource_type}-{number:03d}"
    tags = _spell_tags(month, stack, product)
    row = _base_row(month)
    row.update(
        AvailabilityZone=f"{region_id}a" if product.category == "Compute" else "",
        BilledCost=format_quantity(cost),
        ChargeCategory="Usage",
        ChargeDescription=f"{product.name} {product.sku}",
        ChargeFrequency="Usage-Based",
        ConsumedQuantity=format_quantity(quantity),
        ConsumedUnit=product.unit,
        ContractedCost=format_quantity(cost),
        ContractedUnitPrice=format_quantity(price),
        EffectiveCost=format_quantity(cost),
        ListCost=format_quantity((quantity * list_price).quantize(Decimal("1e-8"))),
        ListUnitPrice=format_quantity(list_price),
        PricingCategory="Standard",
        PricingQuantity=format_quantity(quantity),
        PricingUnit=product.unit,
        RegionId=region_id,
        RegionName=region_name,
        ResourceId=resource,
        ResourceName=resource,
        ResourceType=product.resource_type,
        ServiceCategory=product.category,
        ServiceName=product.name,
        ServiceSubcategory=product.subcategory,
        SkuId=product.sku,
        SkuPriceId=f"{product.sku}-E",
        Tags=json.dumps(tags, separators=(",", ":")),
    )
    return row


def _spell_tags(month: Month, stack: Stack, product: Product) -> dict[str, str]:
    """The tags of a line; in the logs of some teams they drift from the second half of 2026 on."""
    if not stack.service:
        return {}
    tags = {"service": stack.service, "environment": stack.environment}
    since, key, spelling = TAG_DRIFT.get((stack.service, stack.environment), ("9", "", ""))
    if product.name == DRIFTING_PRODUCT and month.period_id >= since:
        tags[key] = spelling
    return tags


def _apply_savings_plan(rows: list[Row], month: Month) -> None:
    """Buy the month's savings plan and let it cover the shop's and the developers' machines."""
    covered = [
        row
        for row in rows
        if row["ServiceName"] == "Virtual Machines"
        and ("ecommerce" in row["Tags"] or "app-development" in row["Tags"])
    ][:2]
    total = sum((Decimal(row["BilledCost"]) for row in covered), Decimal(0))
    plan = min(SAVINGS_PLAN, total.quantize(Decimal(1)))
    first = (plan * Decimal("0.65")).quantize(Decimal("1e-6"))
    for row, effective in zip(covered, (first, plan - first), strict=True):
        row.update(
            BilledCost="0",
            EffectiveCost=format_quantity(effective),
            PricingCategory="Committed",
            CommitmentDiscountCategory="Spend",
            CommitmentDiscountId="SP-2024-11",
            CommitmentDiscountStatus="Used",
            CommitmentDiscountType="Savings Plan",
        )
    row = _base_row(month)
    row.update(
        BilledCost=format_quantity(plan),
        ChargeCategory="Purchase",
        ChargeDescription="Savings plan, monthly instalment",
        ChargeFrequency="Recurring",
        CommitmentDiscountCategory="Spend",
        CommitmentDiscountId="SP-2024-11",
        CommitmentDiscountType="Savings Plan",
        ContractedCost=format_quantity(plan),
        EffectiveCost="0",
        ListCost=format_quantity(plan),
        PricingCategory="Standard",
        PricingQuantity="1",
        PricingUnit="Months",
        ServiceCategory="Compute",
        ServiceName="Virtual Machines",
        ServiceSubcategory="Virtual Machines",
        SubAccountId=SUB_ACCOUNTS[""][0],
        SubAccountName=SUB_ACCOUNTS[""][1],
        Tags="{}",
    )
    rows.append(row)


def _credit_row(month: Month) -> Row:
    """Twice a year the provider grants a credit for missed availability of the shop."""
    amount = Decimal(-1_850 - 37 * month.index) + Decimal("0.4375")
    row = _base_row(month)
    row.update(
        BilledCost=format_quantity(amount),
        ChargeCategory="Credit",
        ChargeDescription="Service credit for missed availability",
        ChargeFrequency="One-Time",
        ContractedCost=format_quantity(amount),
        EffectiveCost=format_quantity(amount),
        ListCost=format_quantity(amount),
        ServiceCategory="Compute",
        ServiceName="Kubernetes",
        ServiceSubcategory="Containers",
        SubAccountId=SUB_ACCOUNTS["production"][0],
        SubAccountName=SUB_ACCOUNTS["production"][1],
        Tags=json.dumps(
            {"service": "ecommerce", "environment": "production"}, separators=(",", ":")
        ),
    )
    return row


MEASURES = (
    "BilledCost",
    "ContractedCost",
    "EffectiveCost",
    "ListCost",
    "ConsumedQuantity",
    "PricingQuantity",
)


def _split_row(row: Row, scale: int) -> list[Row]:
    """The row as `scale` rows of as many resources with the same total of every measure."""
    if scale == 1:
        return [row]
    copies = [dict(row) for _ in range(scale)]
    for measure in MEASURES:
        if not row[measure]:
            continue
        total = Decimal(row[measure])
        part = (total / scale).quantize(Decimal("1e-10"))
        for copy in copies[1:]:
            copy[measure] = format_quantity(part)
        copies[0][measure] = format_quantity(total - part * (scale - 1))
    if row["ResourceId"]:
        for number, copy in enumerate(copies):
            copy["ResourceId"] = f"{row['ResourceId']}-{number:05d}"
    return copies
