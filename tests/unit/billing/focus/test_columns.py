"""The columns are those of the specification, as a list beside the project has them."""

from __future__ import annotations

import csv
from typing import get_args

import pytest

from pipelines.billing.focus.columns import find_datasets, list_service_categories
from pipelines.errors import UsageError
from pipelines.workspace.config import FocusCategory
from tests.e2e.command import ROOT

REFERENCE = ROOT.parent / "shared" / "reference" / "focus_1_4_columns.csv"
NAMES = {
    "Cost and Usage": "cost_and_usage",
    "Invoice Detail": "invoice_detail",
    "Billing Period": "billing_period",
}
TYPES = {"String": "string", "Decimal": "decimal", "Date/Time": "datetime", "JSON": "json"}


@pytest.mark.skipif(not REFERENCE.is_file(), reason=f"{REFERENCE.name} is not beside the project")
def test_columns_of_1_4_are_those_of_the_specification() -> None:
    with REFERENCE.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["dataset"] in NAMES]
    expected = {
        (NAMES[row["dataset"]], row["column"], TYPES[row["type"]], row["nulls_allowed"] == "yes",
         tuple(row["format_or_allowed_values"].split(", "))
         if ", " in row["format_or_allowed_values"] or row["column"] == "ChargeClass" else ())
        for row in rows
    }  # fmt: skip
    found = {
        (dataset, column.name, column.type, column.has_nulls, column.allowed)
        for dataset, columns in find_datasets("1.4").items()
        for column in columns
    }
    assert found == expected


def test_1_2_has_the_columns_that_1_4_renamed_and_not_those_that_it_added() -> None:
    old = {column.name for column in find_datasets("1.2")["cost_and_usage"]}
    new = {column.name for column in find_datasets("1.4")["cost_and_usage"]}
    assert len(old) == 57
    assert old - new == {"ProviderName", "PublisherName"}
    assert "AllocatedMethodId" not in old


def test_settings_know_the_categories_of_the_specification() -> None:
    assert set(get_args(FocusCategory)) == set(list_service_categories())
    assert sum(map(len, list_service_categories().values())) == 82


def test_version_that_is_not_written_is_told() -> None:
    with pytest.raises(UsageError, match=r"'1\.0' is not written; there are 1\.4, 1\.2"):
        find_datasets("1.0")
