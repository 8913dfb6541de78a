"""A real cloud bill goes the same path: shared/data/focus_1_0_sample (FOCUS 1.0, CC BY 4.0)."""

from __future__ import annotations

import csv
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from tests.e2e.command import SHARED_DATA, ask_sql, run_apportion

BILL = SHARED_DATA / "focus_1_0_sample" / "focus_sample.csv"

pytestmark = pytest.mark.skipif(
    not BILL.exists(), reason="the real bill is not part of the project and not beside it"
)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cloud template with the real bill, after its run."""
    workspace = tmp_path_factory.mktemp("cloud") / "ws"
    run_apportion("init", workspace, "--template", "cloud")
    (workspace / "inbox" / "cloud_bill").mkdir(parents=True)
    shutil.copy(BILL, workspace / "inbox" / "cloud_bill")
    run_apportion("run", "-w", workspace)
    return workspace


def read_bill() -> list[dict[str, str]]:
    """The lines of the bill, read with the standard library only."""
    with BILL.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_all_thousand_lines_are_in_and_the_sum_is_exact(cloud: Path) -> None:
    # 20.52022672899 is the sum of BilledCost over the file, at full precision.
    lines = read_bill()
    assert len(lines) == 1000
    assert sum(Decimal(line["BilledCost"]) for line in lines) == Decimal("20.52022672899")
    found = ask_sql(
        cloud,
        "select sum(line_count) as line_count, sum(amount_local) as billed "
        "from metering.met_cloud_costs",
    )[0]
    assert int(found["line_count"]) == 1000
    assert Decimal(found["billed"]) == Decimal("20.52022672899")


def test_certificate_ties_in_both_billing_periods(cloud: Path) -> None:
    rows = ask_sql(
        cloud,
        "select period_id, term_id, amount, amount_cents from rpt_certificate "
        "where identity_id = 'ledger' and term_id in ('delivered', 'difference')",
    )
    figures = {(row["period_id"], row["term_id"]): Decimal(row["amount"]) for row in rows}
    # 20.28022672899 in September, rounded to the engine's unit of 10^-8; 0.24 in October.
    assert figures == {
        ("2024-09", "delivered"): Decimal("20.28022673"),
        ("2024-09", "difference"): Decimal(0),
        ("2024-10", "delivered"): Decimal("0.24"),
        ("2024-10", "difference"): Decimal(0),
    }


def test_charges_by_sub_account_are_those_of_the_bill(cloud: Path) -> None:
    expected: dict[str, Decimal] = {}
    for line in read_bill():
        if line["BillingPeriodStart"].startswith("2024-09"):
            key = line["SubAccountId"]
            expected[key] = expected.get(key, Decimal(0)) + Decimal(line["BilledCost"])
    rows = ask_sql(
        cloud,
        "select cost_centre_id, sum(cost_amount) as cents, count(*) as lines, "
        "cast(sum(amount_units) as varchar) as units "
        "from fct_charges_monthly where period_id = '2024-09' group by all",
    )
    assert {row["cost_centre_id"] for row in rows} == set(expected)
    for row in rows:
        exact = Decimal(row["units"]).scaleb(-8)
        assert abs(exact - expected[row["cost_centre_id"]]) < Decimal("0.000001")
        assert abs(Decimal(row["cents"]) - exact) < Decimal("0.01") * int(row["lines"])
    assert sum(Decimal(row["cents"]) for row in rows) == Decimal("20.28")


def test_broken_effective_cost_is_noticed_and_not_reported(cloud: Path) -> None:
    rows = ask_sql(
        cloud,
        "select item_name, what_to_do from rpt_open_items where item_kind = 'unusable_column'",
    )
    aws = [row for row in rows if row["item_name"] == "AWS: effective_cost"]
    assert aws
    # The file's own figures: EffectiveCost of AWS is 13 whole dollars, BilledCost 18.0066386184.
    assert "13" in aws[0]["what_to_do"]
    assert "18.0066386184" in aws[0]["what_to_do"]
    assert not [row for row in rows if row["item_name"].startswith("Microsoft")]


def test_a_control_total_on_the_broken_column_is_refused(cloud: Path, tmp_path: Path) -> None:
    copy = tmp_path / "ws"
    shutil.copytree(cloud, copy)
    config = copy / "apportion.yml"
    text = config.read_text("utf-8").replace("measure: billed_cost", "measure: effective_cost")
    config.write_text(text, encoding="utf-8")
    done = run_apportion("build", "-w", copy, expect=4)
    assert "effective_cost" in done.stderr
    assert "unusable" in done.stderr
