"""The README's tables are what the CSV files add up to, and its commands run."""

from __future__ import annotations

import re
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.sample_company.figures import convert_period, list_tables


@pytest.fixture(scope="module")
def readme(samples: Path) -> str:
    return (samples / "README.md").read_text("utf-8")


@pytest.fixture(scope="module")
def tables(samples: Path) -> dict[str, str]:
    return list_tables(samples / "inbox")


@pytest.mark.parametrize("name", ["ledger", "parts", "cloud", "budget", "outlook"])
def test_the_table_is_what_the_files_add_up_to(
    readme: str, tables: dict[str, str], name: str
) -> None:
    pattern = rf"<!-- figures: {name} -->\n(.*?)\n<!-- end -->"
    found = re.findall(pattern, readme, re.DOTALL)
    assert found == [tables[name]]


def test_tables_have_a_row_per_period(tables: dict[str, str]) -> None:
    rows = {name: len(table.splitlines()) - 2 for name, table in tables.items()}
    assert rows == {"ledger": 24, "parts": 24, "cloud": 24, "budget": 26, "outlook": 3}


def test_the_awk_command_prints_what_the_readme_says(readme: str, samples: Path) -> None:
    command, output = re.findall(r"```(?:sh)?\n(.*?)```", readme, re.DOTALL)[:2]
    assert command.startswith("awk ")
    root = samples.parents[1]
    done = subprocess.run(
        ["sh", "-c", command], cwd=root, check=True, capture_output=True, text=True
    )
    assert done.stdout == output


def test_the_arithmetic_by_hand() -> None:
    totals = {
        "EUR": Decimal("-602854.60"),
        "CHF": Decimal("329248.74"),
        "USD": Decimal("697188.87"),
    }
    rates = {
        ("2026-03", "EUR"): Decimal(1),
        ("2026-03", "CHF"): Decimal("1.074773"),
        ("2026-03", "USD"): Decimal("0.913536"),
    }
    # -602,854.60 + 353,867.65603602 + 636,907.13154432
    assert convert_period(totals, "2026-03", rates) == Decimal("387920.18758034")


def test_row_counts_are_those_of_the_files(
    readme: str, deliveries: dict[str, list[dict[str, str]]]
) -> None:
    said = {
        source: int(count.replace(",", ""))
        for source, count in re.findall(r"\| `inbox/(\w+)/` \| ([\d,]+) \|", readme)
    }
    assert said == {source: len(rows) for source, rows in deliveries.items()}


def test_actual_of_2026_is_three_to_four_percent_over_budget(tables: dict[str, str]) -> None:
    last = tables["outlook"].splitlines()[-1]
    assert last.startswith("| 2026-01 to 2026-10 |")
    over = Decimal(last.split("|")[4].strip().removesuffix(" %"))
    assert Decimal(3) <= over <= Decimal(4)
