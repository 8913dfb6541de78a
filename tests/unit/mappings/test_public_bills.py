"""Public cloud bills land whole: FOCUS 1.0 to 1.3, and AWS, Azure and Oracle in their own forms.

Expected counts and sums are worked out from the files apart from the mappings. Where a bill has
more decimals than the engine keeps, each amount is rounded by itself, and the notes count them.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from .public_data import (
    ENGINE_DECIMALS,
    find_file,
    land_files,
    land_named,
    read_named,
    read_records,
    read_rows,
    round_all,
    sum_of,
)

TOOLKIT = "focus_toolkit_1_2_1_3"
NATIVE = "focus_converters_native_bills"
SPEC = "focus_spec_examples"
OPEN = "openchargeback_sample/sample_data"


def _count_rounded(costs: list[str]) -> int:
    return sum(len(cost.partition(".")[2].rstrip("0")) > 12 for cost in costs)


def _check_focus(root: Path, mapping: str, name: str) -> tuple[int, Decimal]:
    """Land one FOCUS file and compare it with itself; how many records and how much it is."""
    (result,) = land_named(root, mapping, "cloud_bill", name)
    rows = read_named(name)
    costs = [row["BilledCost"] for row in rows]
    assert (result.records_accepted, result.records_quarantined) == (len(rows), 0)
    total = Decimal(0)
    for currency in {row["BillingCurrency"] for row in rows}:
        own = [row["BilledCost"] for row in rows if row["BillingCurrency"] == currency]
        assert sum_of(result, currency) == sum(round_all(own))
        total += sum_of(result, currency)
    rounded = _count_rounded(costs)
    note = f"{rounded:,} values of billed_cost rounded to 12 decimals"
    assert (note in result.notes) == (rounded > 0)
    # Each rounding moves an amount by half of the last decimal at most.
    exact = sum(map(Decimal, costs))
    assert abs(total - exact) <= rounded * ENGINE_DECIMALS / 2
    return len(rows), total


def test_focus_1_0_sample(tmp_path: Path) -> None:
    """1,000 lines of the FOCUS group's own sample, 20.52022672899 USD."""
    name = "focus_1_0_sample/focus_sample.csv"
    assert _check_focus(tmp_path, "focus_1_0", name) == (1000, Decimal("20.52022672899"))


def test_the_same_sample_beside_openchargeback(tmp_path: Path) -> None:
    name = f"{OPEN}/reference/focus_sample.csv"
    records, total = _check_focus(tmp_path, "focus_1_0", name)
    assert (records, total) == (1000, Decimal("20.52022672899"))


@pytest.mark.parametrize("version", ["1_2", "1_3"])
@pytest.mark.parametrize("provider", ["aws", "azure", "gcp"])
@pytest.mark.parametrize("kind", ["rows100_seed42", "rows25_seed7", "rows25_seed7_credits"])
def test_focus_toolkit(tmp_path: Path, provider: str, version: str, kind: str) -> None:
    name = f"{TOOLKIT}/{provider}_{version}_cost_and_usage_{kind}.csv"
    records, total = _check_focus(tmp_path, f"focus_{version}", name)
    assert records == (100 if "100" in kind else 25)
    assert total > 0


def test_credits_lower_the_bill(tmp_path: Path) -> None:
    """1,020.13743776197748 without them, 929.19897776197748 with them: 90.93846 less."""
    totals = [
        _check_focus(tmp_path / kind, "focus_1_3", f"{TOOLKIT}/aws_1_3_cost_and_usage_{kind}.csv")[
            1
        ]
        for kind in ("rows25_seed7", "rows25_seed7_credits")
    ]
    assert totals[0] - totals[1] == Decimal("90.93846")


def test_several_providers_in_one_delivery(tmp_path: Path) -> None:
    name = f"{TOOLKIT}/consolidated_multi_provider_1_3.csv"
    (result,) = land_named(tmp_path, "focus_1_3", "cloud_bill", name)
    rows = read_named(name)
    expected = Counter(row["ServiceProviderName"] for row in rows)
    sql = "select provider_name, count(*) from records group by all"
    assert dict(read_records(tmp_path, result, sql)) == expected
    assert set(expected) == {"AWS", "Microsoft Azure", "Datadog"}
    for currency in ("USD", "EUR"):
        costs = [Decimal(r["BilledCost"]) for r in rows if r["BillingCurrency"] == currency]
        assert sum_of(result, currency) == sum(costs) > 0
    assert sum(sum_of(result, currency) for currency in ("USD", "EUR")) == Decimal("308.00")


@pytest.mark.parametrize("provider", ["aws", "azure", "gcp"])
def test_focus_contract_commitments(tmp_path: Path, provider: str) -> None:
    name = f"{TOOLKIT}/{provider}_1_3_contract_commitment_rows100_seed42.csv"
    mapping = "focus_contract_commitments"
    (result,) = land_named(tmp_path, mapping, "contract_commitments", name)
    rows = read_named(name)
    assert (result.records_accepted, result.records_quarantined) == (len(rows), 0)
    costs = [Decimal(row["ContractCommitmentCost"] or 0) for row in rows]
    assert sum_of(result, "USD") == sum(costs)


# Net charges as the toolkit writes them: 100 - 30 + 5, and three origins split without a rest.
@pytest.mark.parametrize(
    ("name", "records", "total"),
    [
        ("correction_set", 3, "75.00"),
        ("sca_equal", 3, "100.000000"),
        ("sca_negative", 2, "-50.000000"),
        ("sca_weighted", 3, "100.000000"),
    ],
)
def test_toolkit_scenarios(tmp_path: Path, name: str, records: int, total: str) -> None:
    file = f"{TOOLKIT}/scenarios_{name}.csv"
    (result,) = land_named(tmp_path, "focus_scenarios", "cloud_bill", file)
    rows = read_named(file)
    assert (result.records_accepted, result.records_quarantined) == (records, 0)
    assert sum_of(result, "USD") == sum(Decimal(r["BilledCost"]) for r in rows) == Decimal(total)
    corrections = sum(row.get("ChargeClass") == "Correction" for row in rows)
    sql = "select count(*) from records where charge_class = 'Correction'"
    assert read_records(tmp_path, result, sql) == [(corrections,)]


def test_focus_1_4_names_the_provider_otherwise(tmp_path: Path) -> None:
    """No file of 1.4 is public yet: the one of 1.3 without the columns that 1.4 took out."""
    rows = read_named(f"{TOOLKIT}/aws_1_3_cost_and_usage_rows25_seed7.csv")
    kept = [name for name in rows[0] if name not in ("ProviderName", "PublisherName")]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, kept, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    file = ("focus.csv", text.getvalue().encode())
    (result,) = land_files(tmp_path, "focus_1_4", "cloud_bill", file)
    assert result.records_accepted == len(rows)
    assert sum_of(result, "USD") == sum(round_all(row["BilledCost"] for row in rows))
    providers = read_records(tmp_path, result, "select distinct provider_name from records")
    assert providers == [("AWS",)]


COMMITMENTS = (
    *(f"commitment_discount_purchase_scenario_{n}" for n in (1, 2, 3)),
    *(f"commitment_discount_usage_scenario_{n}" for n in (1, 2, 3, 4)),
    "one_hundred_percent_utilization_with_commitment_discount_flexibility_with_1_resource",
    "one_hundred_percent_utilization_with_commitment_discount_flexibility_with_2_resources",
    "one_hundred_percent_utilization_without_commitment_discount_flexibility",
    "zero_percent_utilization_without_commitment_discount_flexibility",
)
AGREEMENTS = (
    *(f"saas_spend_agreements_{n}" for n in ("a1", "a2", "b1", "b2")),
    *(f"simple_saas_agreements_{n}" for n in ("a1", "a2", "a3", "b", "c")),
    *(f"virtual_currency_pricing_model_{n}" for n in ("a1", "a2", "b1", "b2", "b3", "c")),
)


def _read_money(text: str) -> Decimal:
    return Decimal(text.strip().replace("$", "").replace(",", ""))


@pytest.mark.parametrize(
    ("mapping", "names"),
    [("focus_commitment_examples", COMMITMENTS), ("focus_saas_examples", AGREEMENTS)],
)
def test_examples_of_the_focus_specification(
    tmp_path: Path, mapping: str, names: tuple[str, ...]
) -> None:
    """Two lines of the specification end at 30 o'clock; they stay out, with their money."""
    files = sorted(f"{SPEC}/{name}.csv" for name in names)
    results = land_named(tmp_path, mapping, "cloud_bill", *files)
    for name, result in zip(files, results, strict=True):
        delivered = read_named(name)
        rows = [row for row in delivered if "T30:" not in row["ChargePeriodEnd"]]
        out = [row for row in delivered if row not in rows]
        assert len(out) == name.endswith(("purchase_scenario_2.csv", "purchase_scenario_3.csv"))
        quarantined = sum_of(result, "USD", "quarantined")
        assert quarantined == sum(_read_money(row["BilledCost"]) for row in out)
        assert (result.records_accepted, result.records_quarantined) == (len(rows), len(out)), name
        assert sum_of(result, "USD") == sum(_read_money(row["BilledCost"]) for row in rows), name
        sql = "select sum(effective_cost) from records"
        effective = sum(_read_money(row["EffectiveCost"]) for row in rows)
        assert read_records(tmp_path, result, sql) == [(effective,)], name


def test_all_examples_of_the_specification_are_landed() -> None:
    folder = find_file(f"{SPEC}/license.md").parent
    assert {path.stem for path in folder.glob("*.csv")} == {*COMMITMENTS, *AGREEMENTS}


def test_a_purchase_of_the_specification_by_hand(tmp_path: Path) -> None:
    """A commitment of 8,760.00 is billed at once, and its use is what it costs."""
    name = f"{SPEC}/commitment_discount_purchase_scenario_1.csv"
    (result,) = land_named(tmp_path, "focus_commitment_examples", "cloud_bill", name)
    assert sum_of(result, "USD") == Decimal("8760.00")


def test_aws_report_of_two_months_with_other_columns(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    names = [f"aws_cur_workshop_2018/{month}2018-WorkshopCUR-00001.snappy.parquet"
             for month in ("Nov", "Oct")]  # fmt: skip
    paths = [find_file(name) for name in names]
    headers = [set(pq.read_schema(path).names) for path in paths]
    assert headers[0] != headers[1]
    results = land_named(tmp_path, "aws_cur", "cloud_bill", *names)
    for path, result in zip(paths, results, strict=True):
        table = pq.read_table(path)
        costs = table.column("line_item_unblended_cost").to_pylist()
        expected = sum(Decimal(cost).quantize(ENGINE_DECIMALS) for cost in costs)
        assert (result.records_accepted, result.records_quarantined) == (len(costs), 0)
        assert sum_of(result, "USD") == expected
        prefix = "resource_tags_user_"
        tags = [name for name in table.column_names if name.startswith(prefix)]
        filled = {
            name.removeprefix(prefix): sum(bool(text) for text in table.column(name).to_pylist())
            for name in tags
        }
        found = read_records(tmp_path, result, "select tags from records where tags is not null")
        keys = Counter(key for (text,) in found for key in json.loads(text))
        assert keys == {name: count for name, count in filled.items() if count}
    assert sum(result.records_accepted for result in results) > 0


def _land_native(root: Path, mapping: str, name: str) -> tuple[Any, list[dict[str, str]]]:
    (result,) = land_named(root, mapping, "cloud_bill", f"{NATIVE}/{name}")
    rows = read_named(f"{NATIVE}/{name}")
    assert (result.records_accepted, result.records_quarantined) == (len(rows), 0)
    return result, rows


def test_native_bill_of_aws(tmp_path: Path) -> None:
    """1,281 lines of November 2023; costs such as 5.2E-9."""
    result, rows = _land_native(tmp_path, "aws_cur_csv", "sample-anonymous-aws-export-dataset.csv")
    costs = [row["lineItem/UnblendedCost"] for row in rows]
    assert len(rows) == 1281
    assert any("E-" in cost for cost in costs)
    assert sum_of(result, "USD") == sum(round_all(costs))
    sql = "select charge_category, count(*) from records group by all order by 1"
    assert read_records(tmp_path, result, sql) == [("Tax", 12), ("Usage", 1269)]
    sql = "select distinct cast(billing_period_end as varchar) from records"
    assert read_records(tmp_path, result, sql) == [("2023-12-01 00:00:00",)]


def test_native_bill_of_azure(tmp_path: Path) -> None:
    """27 lines in Canadian dollars, of 2 September 2023; the last day of the period is the 30th."""
    result, rows = _land_native(tmp_path, "azure_ea", "sample-anonymous-ea-export-dataset.csv")
    costs = [row["CostInBillingCurrency"] for row in rows]
    assert len(rows) == 27
    assert "5.64902E-05" in costs
    assert sum_of(result, "CAD") == sum(round_all(costs))
    sql = (
        "select distinct billing_period_start, billing_period_end, charge_period_start, "
        "charge_period_end, tags from (select columns(*)::varchar from records)"
    )
    ((starts, ends, begins, stops, tags),) = read_records(tmp_path, result, sql)
    assert (starts, ends) == ("2023-09-01 00:00:00", "2023-10-01 00:00:00")
    assert (begins, stops) == ("2023-09-02 00:00:00", "2023-09-03 00:00:00")
    assert json.loads(tags) == {"tagA": "valueA", "tagB": "valueB", "tagC": "valueC"}


def test_native_bill_of_oracle(tmp_path: Path) -> None:
    """506 lines of one day; the month is the billing period, and a column is a tag."""
    name = "reports_cost-csv_0000000030000269.csv"
    result, rows = _land_native(tmp_path, "oci_cost", name)
    costs = [row["cost/myCost"] for row in rows]
    assert len(rows) == 506
    assert sum_of(result, "USD") == sum(round_all(costs))
    plain = [f"{Decimal(cost):f}" for cost in costs]
    note = f"{_count_rounded(plain)} values of billed_cost rounded to 12 decimals"
    assert note in result.notes
    sql = "select distinct billing_period_start, billing_period_end from records"
    ((starts, ends),) = read_records(tmp_path, result, sql)
    assert (str(starts), str(ends)) == ("2023-11-01 00:00:00", "2023-12-01 00:00:00")
    key = "tags/Oracle-Tags.CreatedBy"
    sql = "select tags ->> '$.\"Oracle-Tags.CreatedBy\"', count(*) from records group by all"
    expected = Counter(row[key] or None for row in rows)
    assert dict(read_records(tmp_path, result, sql)) == expected


def test_inputs_of_openchargeback(tmp_path: Path) -> None:
    """Eleven bills; the days 2025-01-01 to 2025-01-31 are January."""
    folder = find_file(f"{OPEN}/README.md").parent / "inputs"
    names = sorted(path.name for path in folder.glob("*.csv"))
    assert len(names) == 11
    files = [f"{OPEN}/inputs/{name}" for name in names]
    results = land_named(tmp_path, "openchargeback_inputs", "cloud_bill", *files)
    for name, result in zip(files, results, strict=True):
        rows = read_named(name)
        assert (result.records_accepted, result.records_quarantined) == (len(rows), 0), name
        assert sum_of(result, "USD") == sum(Decimal(row["BilledCost"]) for row in rows), name
    january = results[names.index("aws_2025-01.csv")]
    sql = "select distinct billing_period_end::varchar from records"
    assert read_records(tmp_path, january, sql) == [("2025-02-01 00:00:00",)]


def test_journal_of_openchargeback_is_what_its_inputs_billed(tmp_path: Path) -> None:
    """Its journal of January 2025 holds what the five bills of that month ask for."""
    name = f"{OPEN}/outputs/journals/journal_2025-01_20260130_233508.csv"
    (result,) = land_named(tmp_path, "openchargeback_journal", "general_ledger", name)
    rows = read_named(name)
    assert (result.records_accepted, result.records_quarantined) == (len(rows), 0)
    total = sum(Decimal(row["Amount"]) for row in rows)
    assert sum_of(result, "USD") == total
    kinds = ("aws", "azure", "hpc", "it_storage", "storage")
    bills = [row for kind in kinds for row in read_named(f"{OPEN}/inputs/{kind}_2025-01.csv")]
    assert total == sum(Decimal(row["BilledCost"]) for row in bills)


def test_read_rows_passes_over_blank_lines() -> None:
    assert read_rows(b"a,b\r\n1,2\r\n\r\n") == [{"a": "1", "b": "2"}]
