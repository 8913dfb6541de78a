"""The FOCUS version of a header, on the published files of each version."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from pipelines.mappings.focus_version import name_focus_version
from pipelines.mappings.mapping import list_mapping_ids

DATA = Path(__file__).parents[4] / "shared" / "data"
BASE = ["BilledCost", "BillingPeriodStart", "ChargePeriodStart", "ChargeCategory", "ChargeClass"]


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("focus_1_0_sample/focus_sample.csv", "1.0"),
        ("focus_spec_examples/saas_spend_agreements_a1.csv", "1.1"),
        ("focus_toolkit_1_2_1_3/aws_1_2_cost_and_usage_rows25_seed7.csv", "1.2"),
        ("focus_toolkit_1_2_1_3/gcp_1_3_cost_and_usage_rows25_seed7.csv", "1.3"),
        ("focus_toolkit_1_2_1_3/consolidated_multi_provider_1_3.csv", "1.3"),
    ],
)
def test_published_file_is_recognised(name: str, version: str) -> None:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"the published file {name} is not beside the checkout")
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert name_focus_version(next(csv.reader(file))) == version


@pytest.mark.parametrize(
    ("columns", "version"),
    [
        (BASE, "1.0"),
        ([*BASE, "ProviderName", "ServiceSubcategory"], "1.1"),
        ([*BASE, "ProviderName", "InvoiceId"], "1.2"),
        ([*BASE, "ProviderName", "ServiceProviderName"], "1.3"),
        ([*BASE, "ServiceProviderName"], "1.4"),
        ([*BASE, "ProviderName", "ServiceProviderName", "InvoiceDetailId"], "1.4"),
    ],
)
def test_newest_column_names_the_version(columns: list[str], version: str) -> None:
    assert name_focus_version(columns) == version
    assert name_focus_version(reversed(columns)) == version


def test_other_headers_are_not_focus() -> None:
    assert name_focus_version(["line_id", "amount_local"]) is None
    assert name_focus_version(BASE[1:]) is None


def test_every_version_has_a_mapping() -> None:
    for version in ("1.0", "1.1", "1.2", "1.3", "1.4"):
        assert f"focus_{version.replace('.', '_')}" in list_mapping_ids()
