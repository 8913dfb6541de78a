"""The generator: the same bytes each time, the committed files, and what --scale multiplies."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.sample_company.assets import ASSETS, Asset
from pipelines.sample_company.basics import (
    ACTUAL_MONTHS,
    BUDGET_MONTHS,
    Month,
    Settings,
    divide_half_up,
    format_cents,
    month_of,
    scale_figure,
)
from pipelines.sample_company.cloud import invoice_cents, invoice_total, list_bill_rows
from pipelines.sample_company.generate import Files, generate_files, write_files


def read_tree(directory: Path) -> dict[str, bytes]:
    """Path below the directory -> bytes of the file."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def doubled() -> Files:
    return generate_files(Settings(scale=2))


def test_the_committed_inbox_is_what_the_generator_writes(tmp_path: Path, samples: Path) -> None:
    # In a process of its own, with another hash seed: nothing may depend on the order of sets.
    command = [sys.executable, "-m", "pipelines.sample_company", "--out", str(tmp_path)]
    root = samples.parents[1]
    done = subprocess.run(
        command,
        cwd=root,
        env={"PYTHONHASHSEED": "12345"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert "37 files" in done.stdout
    fresh, committed = read_tree(tmp_path), read_tree(samples / "inbox")
    assert list(fresh) == list(committed)
    different = [name for name in fresh if fresh[name] != committed[name]]
    assert different == []


def test_two_runs_are_equal_and_another_seed_is_not() -> None:
    first, second, other = (list_bill_rows(Settings(seed=seed), Month(3)) for seed in (1, 1, 2))
    assert first == second
    assert first != other


def test_all_committed_data_is_at_most_five_megabytes(samples: Path) -> None:
    sizes = {name: len(content) for name, content in read_tree(samples).items()}
    assert sum(sizes.values()) <= 5_000_000


def test_no_source_has_more_than_three_files(samples: Path) -> None:
    counts = {path.name: len(list(path.glob("*.csv"))) for path in (samples / "inbox").iterdir()}
    assert max(counts.values()) <= 3
    assert len(counts) == 16


def test_files_end_their_lines_with_a_line_feed_only(samples: Path) -> None:
    for name, content in read_tree(samples / "inbox").items():
        assert b"\r" not in content, name
        assert content.endswith(b"\n"), name


def test_scale_multiplies_tickets_use_and_cloud_lines(
    doubled: Files, deliveries: dict[str, list[dict[str, str]]]
) -> None:
    def rows_of(source: str) -> list[dict[str, str]]:
        return [row for name, rows in doubled.items() if name.startswith(source) for row in rows]

    def count_business_use(rows: list[dict[str, str]]) -> int:
        return sum(
            row["receiver_kind"] == "consumer" and not row["receiver_id"].startswith("CC9")
            for row in rows
        )

    assert len(rows_of("cloud_bill/")) == 2 * len(deliveries["cloud_bill"])
    tickets, once = len(rows_of("tickets/")), len(deliveries["tickets"])
    assert abs(tickets - 2 * once) <= 24
    used = count_business_use(deliveries["service_usage"])
    # The one row of the service that is not in the catalogue stays one.
    assert count_business_use(rows_of("service_usage/")) == 2 * used - 1
    assert len(rows_of("general_ledger/")) == len(deliveries["general_ledger"])


def test_scale_keeps_keys_unique_and_receivers_known(doubled: Files) -> None:
    usage = [
        row for name, rows in doubled.items() if name.startswith("service_usage/") for row in rows
    ]
    keys = [
        (row["period_id"], row["service_id"], row["receiver_kind"], row["receiver_id"])
        for row in usage
    ]
    assert len(set(keys)) == len(keys)
    known = {row["cost_centre_id"] for row in doubled["cost_centres/cost_centres.csv"]}
    receivers = {row["receiver_id"] for row in usage if row["receiver_kind"] == "consumer"}
    assert receivers - known == {"CC9900"}


def test_scale_keeps_the_invoice_of_the_cloud() -> None:
    once, thrice = (list_bill_rows(Settings(scale=scale), Month(5)) for scale in (1, 3))
    assert invoice_total(once) == invoice_total(thrice)
    assert invoice_cents(once) == invoice_cents(thrice)


def test_written_rows_are_read_back(tmp_path: Path) -> None:
    row = {"account_id": "6010", "account_name": 'Pay, "all"', "account_class": "expense"}
    write_files({"chart_of_accounts/chart_of_accounts.csv": [row]}, tmp_path)
    text = (tmp_path / "chart_of_accounts" / "chart_of_accounts.csv").read_bytes()
    assert text == b'account_id,account_name,account_class\n6010,"Pay, ""all""",expense\n'


def test_months_count_from_november_2024() -> None:
    assert [month.period_id for month in ACTUAL_MONTHS[:3]] == ["2024-11", "2024-12", "2025-01"]
    assert ACTUAL_MONTHS[-1].period_id == "2026-10"
    assert BUDGET_MONTHS[-1].period_id == "2026-12"
    assert month_of("2026-03") == Month(16)
    assert Month(-1).period_id == "2024-10"


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"), [(5, 2, 3), (-5, 2, -3), (7, 3, 2), (-7, 3, -2)]
)
def test_halves_are_rounded_away_from_zero(numerator: int, denominator: int, expected: int) -> None:
    assert divide_half_up(numerator, denominator) == expected


def test_a_figure_is_scaled_by_thousandths_and_rounded_once() -> None:
    # 5 x 0.5 x 0.5 = 1.25 is 1; rounded at each step it would be 3, then 2.
    assert scale_figure(5, 500, 500) == 1
    assert format_cents(-1205) == "-12.05"
    assert format_cents(7) == "0.07"


def test_depreciation_sums_to_the_purchase_cost() -> None:
    bought = month_of("2025-01").start
    asset = Asset("A", "A", "server", "DE01", "CC9030", bought, 10_000, 3, "APP-MES")
    months = [asset.depreciation_cents(Month(index)) for index in range(0, 8)]
    # 100.00 over 3 months from January: 33.33, 33.34, 33.33.
    assert months == [0, 0, 3333, 3334, 3333, 0, 0, 0]


def test_every_asset_is_written_off_to_the_cent() -> None:
    for asset in ASSETS:
        first = (asset.purchased.year - 2024) * 12 + asset.purchased.month - 11
        months = range(first, first + asset.life)
        assert sum(asset.depreciation_cents(Month(index)) for index in months) == asset.cents


def test_billed_and_effective_cost_agree_in_total() -> None:
    rows = list_bill_rows(Settings(), month_of("2026-05"))
    billed = sum((Decimal(row["BilledCost"]) for row in rows), Decimal(0))
    effective = sum((Decimal(row["EffectiveCost"]) for row in rows), Decimal(0))
    assert billed == effective
    assert any(row["BilledCost"] != row["EffectiveCost"] for row in rows)
