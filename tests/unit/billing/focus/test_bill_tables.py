"""What FOCUS says of the bills that conftest works out by hand."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from pipelines.billing.focus.bill_tables import BillTables
from pipelines.errors import ControlError, UsageError

from .conftest import INVOICES, MARCH, load


def by_item(bills: BillTables) -> dict[str, dict[str, Any]]:
    rows = bills.tables["cost_and_usage"].to_pylist()
    return {row["x_BillItemId"]: row for row in rows}


def test_billed_cost_is_the_bill_to_the_cent(marts: duckdb.DuckDBPyConnection) -> None:
    bills = load(marts)
    assert bills.invoices == INVOICES
    assert bills.total == Decimal("3095.63")
    found: dict[str, Decimal] = {}
    for row in by_item(bills).values():
        found[row["InvoiceId"]] = found.get(row["InvoiceId"], Decimal(0)) + row["BilledCost"]
    assert found == INVOICES


def test_every_kind_of_item_has_its_category(marts: duckdb.DuckDBPyConnection) -> None:
    rows = by_item(load(marts))
    found = {key: (row["ChargeCategory"], row["ChargeClass"]) for key, row in rows.items()}
    assert found == {
        **dict.fromkeys(("m1", "m2", "h1", "h2", "h3", "s1", "s2", "f1"), ("Usage", None)),
        "c1": ("Usage", "Correction"),
        "a1": ("Adjustment", "Correction"),
        "k1": ("Credit", None),
        "u1": ("Adjustment", None),
        "t1": ("Tax", None),
        "y1": ("Adjustment", None),
    }


def test_parts_of_a_service_are_its_ratios_and_sum_to_1(marts: duckdb.DuckDBPyConnection) -> None:
    rows = by_item(load(marts))
    found = {
        key: json.loads(row["AllocatedMethodDetails"], parse_float=Decimal)["Elements"]
        for key, row in rows.items()
        if row["AllocatedMethodDetails"]
    }
    assert {key: elements[0]["AllocatedRatio"] for key, elements in found.items()} == {
        "m1": Decimal("0.75"),
        "m2": Decimal("0.25"),
        "h1": Decimal("0.33333"),
        "h2": Decimal("0.33333"),
        "h3": Decimal("0.33334"),
        "s1": Decimal("1.2"),
        "s2": Decimal("-0.2"),
    }
    assert found["m1"] == [
        {
            "AllocatedRatio": Decimal("0.75"),
            "UsageUnit": "Mailbox per month",
            "UsageQuantity": 120,
        }
    ]
    method = {key: row["AllocatedMethodId"] for key, row in rows.items()}
    assert (method["m1"], method["s1"], method["c1"]) == ("Mailboxes", "Direct", None)
    assert rows["m2"]["AllocatedResourceId"] == "N2"


def test_thirds_sum_to_1_to_the_last_digit(marts: duckdb.DuckDBPyConnection) -> None:
    """1.00 / 3.00 does not end: cut off after twelve digits, the rest is in the next part."""
    marts.execute(
        "update fct_bill_items_monthly set amount = 1 "
        "where service_id = 'hosting' and item_kind = 'charge' and period_id = '2026-03'"
    )
    rows = by_item(load(marts))
    ratios = [
        json.loads(rows[key]["AllocatedMethodDetails"], parse_float=Decimal)["Elements"][0][
            "AllocatedRatio"
        ]
        for key in ("h1", "h2", "h3")
    ]
    assert [str(ratio) for ratio in ratios] == ["0.333333333333"] * 2 + ["0.333333333334"]
    assert sum(ratios) == 1


def test_prices_make_the_cost(marts: duckdb.DuckDBPyConnection) -> None:
    rows = by_item(load(marts))
    found = {
        key: tuple(
            row[name]
            for name in ("PricingQuantity", "ContractedUnitPrice", "ContractedCost", "PricingUnit")
        )
        for key, row in rows.items()
    }
    third = Decimal("333.3333333333")
    assert found["m1"] == (120, Decimal("12.5"), 1500, "Mailbox per month")
    assert found["h3"] == (1, third, third, "Server")
    # What is not measured is used for a month; a credit has no negative price.
    assert found["s1"] == (1, 120, 120, "Months")
    assert found["s2"] == (-1, 20, -20, "Months")
    assert found["t1"] == (None, None, Decimal("6.62"), None)
    assert {rows[key]["PricingCategory"] for key in ("m1", "m2")} == {"Standard"}
    assert {rows[key]["PricingCategory"] for key in ("h1", "s1")} == {"Dynamic"}
    consumed = [(rows[key]["ConsumedQuantity"], rows[key]["ConsumedUnit"]) for key in ("m2", "s2")]
    assert consumed == [(40, "Mailbox per month"), (1, "Months")]
    assert (rows["m1"]["SkuId"], rows["t1"]["SkuId"]) == ("mail", None)


def test_correction_is_for_its_period_and_on_the_bill_of_this_one(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    row = by_item(load(marts))["c1"]
    names = ("ChargePeriodStart", "ChargePeriodEnd", "BillingPeriodStart", "BillingPeriodEnd")
    assert [str(row[name]) for name in names] == [
        "2026-02-01",
        "2026-03-01",
        "2026-03-01",
        "2026-04-01",
    ]
    assert row["InvoiceId"] == "2026-03-LOG-v1"
    assert row["ChargeDescription"] == 'Mail "plus", all, correction of 2026-02: late'


def test_category_of_a_service_is_the_configured_one_or_that_of_its_name(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    rows = by_item(load(marts))
    found = {key: rows[key]["ServiceSubcategory"] for key in ("m1", "h1", "s1", "f1")}
    assert found == {
        "m1": "Other (Analytics)",
        "h1": "Other (Compute)",
        "s1": "Other (Other)",
        "f1": "Other (Other)",
    }


def test_cost_pools_of_a_charge_are_a_column_of_our_own(marts: duckdb.DuckDBPyConnection) -> None:
    rows = by_item(load(marts))
    assert rows["m1"]["x_CostPools"] == '{"licences":600.00000000,"staff":900.00000000}'
    assert rows["c1"]["x_CostPools"] is None


def test_lines_of_an_invoice_name_the_invoice_that_they_correct(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    rows = load(marts).tables["invoice_detail"].to_pylist()
    found = [
        (row["InvoiceDetailId"][8:], row["ChargeCategory"], row["BilledCost"],
         row["ReferenceInvoiceId"])
        for row in rows
    ]  # fmt: skip
    retail, depot = "2026-03-RETAIL-v1", "2026-03-LOG-v1"
    # The depot was RETAIL's in February; so its bill is corrected, whoever gets the credit now.
    assert found == [
        ("LOG-v1-0001", "Usage", Decimal("333.33"), depot),
        ("LOG-v1-0002", "Usage", Decimal("500.00"), depot),
        ("LOG-v1-0003", "Usage", Decimal("-10.00"), "2026-02-RETAIL-v1"),
        ("LOG-v1-0004", "Adjustment", Decimal("3.01"), depot),
        ("LOG-v1-0005", "Tax", Decimal("6.62"), depot),
        ("LOG-v1-0006", "Usage", Decimal("-20.00"), depot),
        ("RETAIL-v1-0001", "Usage", Decimal("0.00"), retail),
        ("RETAIL-v1-0002", "Usage", Decimal("666.67"), retail),
        ("RETAIL-v1-0003", "Adjustment", Decimal("-5.00"), "2026-02-RETAIL-v1"),
        ("RETAIL-v1-0004", "Adjustment", Decimal("2.00"), retail),
        ("RETAIL-v1-0005", "Usage", Decimal("1500.00"), retail),
        ("RETAIL-v1-0006", "Credit", Decimal("-1.00"), retail),
        ("RETAIL-v1-0007", "Usage", Decimal("120.00"), retail),
    ]
    assert {row["InvoiceIssueStatus"] for row in rows} == {"Issued"}
    assert json.loads(rows[2]["InvoiceDetailGrain"])["x_OriginPeriod"] == "2026-02"


def test_what_is_billed_to_no_business_unit_is_refused(marts: duckdb.DuckDBPyConnection) -> None:
    marts.execute(
        "update fct_bill_items_monthly set business_unit_id = '(allocated)' "
        "where cost_centre_id = 'N3'"
    )
    with pytest.raises(ControlError, match=r"333\.34 are billed to cost centres .*: N3"):
        load(marts)


def test_period_without_bills_is_told(marts: duckdb.DuckDBPyConnection) -> None:
    marts.execute(f"delete from fct_bill_items_monthly where period_id = '{MARCH}'")
    with pytest.raises(UsageError, match="nothing is billed in 2026-03"):
        load(marts)
