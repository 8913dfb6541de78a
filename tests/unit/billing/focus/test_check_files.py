"""Written files pass their checks, and fail them once anything in them is wrong."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from pipelines.billing.focus.check_files import check_directory, check_file
from pipelines.errors import UsageError

from .conftest import INVOICES

IS_CHARGE = "x_BillItemId = 'm1'"

# Column and its new value in the row of one charge or invoice line -> what is said of it.
WRONG_CHARGES = {
    "BilledCost": ("1500.01", "charges do not sum to the line of the invoice"),
    "BillingAccountId": ("null", "has no value, in 1 row"),
    "ChargeCategory": ("'Fee'", "has a value that is not allowed, in 1 row"),
    "ServiceCategory": ("'Networks'", "has a value that is not allowed, in 1 row"),
    "BillingCurrency": ("'Euro'", "is no currency code, in 1 row"),
    "ListUnitPrice": ("-12.5", "is less than 0, in 1 row"),
    "Tags": ("'[1]'", "is no JSON object, in 1 row"),
    "AllocatedMethodDetails": (
        '\'{"Elements":[{"AllocatedRatio":0.76}]}\'',
        "the parts of a split charge do not sum to 1",
    ),
    "ContractedCost": ("1500.01", "contracted_price_makes_the_cost"),
    "ListCost": ("1499", "list_price_makes_the_cost"),
    "ConsumedQuantity": ("null", "use_is_measured"),
    "ConsumedUnit": ("null", "consumed_quantity_has_a_unit"),
    "PricingUnit": ("null", "pricing_quantity_has_a_unit"),
    "SkuPriceId": ("null", "use_and_purchase_are_priced"),
    "ChargePeriodEnd": ("ChargePeriodStart", "charge_period_in_order"),
    "ChargeClass": ("'Correction'", "correction_is_of_an_earlier_period"),
    "SubAccountType": ("null", "sub_account_has_a_type"),
    "ResourceType": ("null", "resource_has_a_type"),
    "ServiceSubcategory": ("'Other (Web)'", "subcategory_is_of_its_category"),
    "AllocatedResourceId": ("null", "allocation_names_method_and_receiver"),
    "InvoiceId": ("null", "invoice_line_has_an_invoice"),
    "PricingCurrencyEffectiveCost": ("1", "one_currency"),
}
WRONG_LINES = {
    "InvoiceDetailId": ("'2026-03-LOG-v1-0002'", "a line of an invoice is there more than once"),
    "InvoiceIssueDate": ("null", "issued_invoice_has_a_date"),
    "PaymentCurrencyBilledCost": ("1", "payment_in_the_billing_currency"),
    "ReferenceInvoiceId": ("null", "has no value"),
    "InvoiceDetailLastUpdated": ("timestamptz '2026-01-01 00:00:00Z'", "updated_after_created"),
}


def change(path: Path, columns: str, where: str = "true") -> None:
    """Write the file again with other columns."""
    kind = path.suffix[1:]
    kept = path.with_name(f"kept.{kind}")
    path.rename(kept)
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        source = (
            f"read_parquet('{kept}')" if kind == "parquet"
            else f"read_csv('{kept}', all_varchar = true, nullstr = '')"
        )  # fmt: skip
        query = f"select {columns} from {source} where {where}"
        options = "format parquet" if kind == "parquet" else "format csv, header"
        connection.execute(f"copy ({query}) to '{path}' ({options})")
    kept.unlink()


@pytest.fixture
def copied(exported: dict[str, Path], tmp_path: Path) -> Path:
    """The Parquet files of 1.4, to be changed."""
    for path in exported["1.4"].glob("*.parquet"):
        shutil.copy(path, tmp_path)
    return tmp_path


@pytest.mark.parametrize("version", ["1.4", "1.2"])
def test_written_files_pass(exported: dict[str, Path], version: str) -> None:
    datasets = ["billing_period", "cost_and_usage", "invoice_detail"]
    names = datasets if version == "1.4" else datasets[1:2]
    found = sorted(path.name for path in exported[version].iterdir())
    assert found == [f"{name}.{kind}" for name in names for kind in ("csv", "parquet")]
    assert check_directory(exported[version], INVOICES) == []


@pytest.mark.parametrize("column", WRONG_CHARGES)
def test_charge_that_is_wrong_is_found(copied: Path, column: str) -> None:
    value, expected = WRONG_CHARGES[column]
    changed = f'case when {IS_CHARGE} then {value} else "{column}" end as "{column}"'
    if column in ("BilledCost", "ContractedCost", "ListUnitPrice"):
        changed = changed.replace(" end as", "::decimal(38, 22) end as")
    change(copied / "cost_and_usage.parquet", f"* replace ({changed})")
    assert expected in "\n".join(map(str, check_directory(copied)))


@pytest.mark.parametrize("column", WRONG_LINES)
def test_line_of_an_invoice_that_is_wrong_is_found(copied: Path, column: str) -> None:
    value, expected = WRONG_LINES[column]
    is_line = "InvoiceDetailId = '2026-03-LOG-v1-0001'"
    changed = f'case when {is_line} then {value} else "{column}" end as "{column}"'
    change(copied / "invoice_detail.parquet", f"* replace ({changed})")
    assert expected in "\n".join(map(str, check_directory(copied)))


def test_missing_and_foreign_columns_and_types_are_found(copied: Path) -> None:
    path = copied / "cost_and_usage.parquet"
    change(
        path,
        "* exclude (RegionId) replace (BilledCost::varchar as BilledCost), 1 as Note, 2 as x_Note",
    )
    assert [str(problem) for problem in check_file(path)] == [
        "cost_and_usage.parquet, field RegionId: has no column of FOCUS 1.4",
        "cost_and_usage.parquet, field Note: is no column of FOCUS 1.4. "
        "A column of one's own begins with x_.",
        "cost_and_usage.parquet, field BilledCost: has another type; expected DECIMAL; "
        "found VARCHAR",
    ]


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("BilledCost", "1,500.00", "is no decimal, in 1 row; found 1,500.00"),
        ("ChargePeriodEnd", "2026-04-01", "is no datetime, in 1 row; found 2026-04-01"),
    ],
)
def test_text_of_a_csv_that_is_no_value_is_found(
    exported: dict[str, Path], tmp_path: Path, column: str, value: str, expected: str
) -> None:
    path = tmp_path / "cost_and_usage.csv"
    shutil.copy(exported["1.4"] / "cost_and_usage.csv", path)
    changed = f'case when {IS_CHARGE} then \'{value}\' else "{column}" end as "{column}"'
    change(path, f"* replace ({changed})")
    assert expected in "\n".join(map(str, check_file(path)))


def test_file_that_lost_a_row_does_not_tie_to_the_bills(copied: Path) -> None:
    change(copied / "cost_and_usage.parquet", "*", "x_BillItemId <> 't1'")
    problems = "\n".join(map(str, check_directory(copied, INVOICES)))
    assert (
        "sum to the line of the invoice: 2026-03-LOG-v1-0005; expected 6.62; found noth" in problems
    )
    assert "2026-03-LOG-v1 is not its statement; expected 812.96; found 806.34" in problems
    missing = {**INVOICES, "2026-03-HR-v1": Decimal("1.00")}
    problems = "\n".join(map(str, check_directory(copied, missing)))
    assert "2026-03-HR-v1 is not its statement; expected 1; found nothing" in problems


def test_place_without_files_of_focus_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected CSV or Parquet files of FOCUS, found none"):
        check_directory(tmp_path)
    (tmp_path / "other.csv").write_text("a,b\n1,2\n", "utf-8")
    with pytest.raises(UsageError, match="none of its columns is one of FOCUS"):
        check_directory(tmp_path)
    with pytest.raises(UsageError, match="expected a CSV or Parquet file"):
        check_file(tmp_path / "none.csv")
