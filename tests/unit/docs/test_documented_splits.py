"""The examples of methods in cost_model.md are those of a golden workspace, with its figures."""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.docs.markdown_text import read_table_rows, split_sections

GOLDEN = Path(__file__).parents[2] / "golden" / "methods"
FENCE = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
CHARGE = re.compile(r"(cc-\w|idle) ([\d,]+\.\d\d)")


@pytest.fixture
def section(reference: Path) -> str:
    return split_sections((reference / "cost_model.md").read_text("utf-8"), 2)["Methods by example"]


def read_golden(name: str, part: str) -> dict[str, dict[str, Any]]:
    """Splits of a golden rule file by the id of the rule or service."""
    text = (GOLDEN / "inputs" / "cost_model" / f"{name}.yml").read_text("utf-8")
    return {item["id"]: item["split"] for item in yaml.safe_load(text)[part]}


def test_examples_are_splits_of_the_golden_workspace(section: str) -> None:
    """A golden split may declare a fallback beside what the example shows."""
    rules, services = read_golden("towers", "rules"), read_golden("services", "services")
    weighted, residual, listed = (yaml.safe_load(text) for text in FENCE.findall(section))
    assert weighted["split"] == rules["staff"]
    assert residual["split"] == rules["rent"]
    shown = {item["id"]: item["split"] for item in listed["services"]}
    assert len(shown) == 8
    for service, split in shown.items():
        assert split.items() <= services[service].items(), service


def test_figures_are_those_of_the_golden_workspace(section: str) -> None:
    with (GOLDEN / "expected" / "charges.csv").open(newline="", encoding="utf-8") as file:
        charges = {
            (row["service_id"], row["cost_centre_id"].strip("()")): Decimal(row["cost_amount"])
            for row in csv.DictReader(file)
            if row["period_id"] == "2026-01"
        }
    rows = [row for row in read_table_rows(section) if row[0].startswith("`")]
    # The second row of storage is the golden service backup, above its capacity.
    names = ["mail", "lan", "portal", "board", "audit", "storage", "backup", "support", "credit"]
    assert len(rows) == len(names)
    compared = 0
    for name, row in zip(names, rows, strict=True):
        for receiver, amount in CHARGE.findall(row[3].replace("200.00 + 200.00", "400.00")):
            assert charges[name, receiver] == Decimal(amount.replace(",", "")), (name, receiver)
            compared += 1
    assert compared == 16
