"""What the queries read, against the figures that are worked out in marts.py."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from app.context import Context
from app.queries import catalogue, charges, proof, service_costs, service_quality
from app.queries.cost_flow import OTHER_ID, read_cost_flow
from app.queries.published import Published, find_published, read_frame
from pipelines.errors import NothingPublishedError, WorkspaceMissingError
from tests.app.conftest import FEBRUARY
from tests.app.marts import FEB, JAN, build_company, publish


def test_headline_is_it_cost_without_what_is_outside_it(published: Published) -> None:
    row = service_costs.read_headline(published, FEBRUARY).iloc[0]
    assert row["amount"] == Decimal("1000.00")
    assert row["previous_amount"] == Decimal("860.00")
    assert row["budget_amount"] == Decimal("890.00")
    assert row["variance_amount"] == Decimal("110.00")
    assert row["year_amount"] == Decimal("1860.00")
    assert row["year_budget_amount"] == Decimal("1760.00")
    assert row["year_variance_amount"] == Decimal("100.00")
    assert isinstance(row["amount"], Decimal)


def test_outlook_adds_the_budget_of_the_rest(published: Published) -> None:
    row = service_costs.read_outlook(published, 2026).iloc[0]
    assert row["outlook_amount"] == Decimal("2750.00")
    assert row["budget_year_amount"] == Decimal("2650.00")
    assert row["variance_amount"] == Decimal("100.00")
    assert service_costs.read_outlook(published, 2031).empty


def test_trend_has_actuals_to_the_month_and_budget_to_the_years_end(published: Published) -> None:
    frame = service_costs.read_trend(published, FEBRUARY)
    assert list(frame["period_id"]) == ["2026-01", "2026-02", "2026-03"]
    assert list(frame["actual_amount"]) == [Decimal("860.00"), Decimal("1000.00"), None]
    assert list(frame["budget_amount"]) == [Decimal(870), Decimal(890), Decimal(890)]


@pytest.mark.parametrize("basis", ["delivered", "direct"])
def test_services_sum_to_the_ledger_on_either_basis(published: Published, basis: str) -> None:
    frame = service_costs.read_services(published, FEBRUARY, basis)
    assert sum(frame["amount"]) == Decimal(270)
    assert list(frame["is_pseudo"]) == sorted(frame["is_pseudo"])


def test_services_are_compared_with_month_before_and_budget(published: Published) -> None:
    frame = service_costs.read_services(published, FEBRUARY, "delivered").set_index("service_id")
    storage = frame.loc["storage"]
    assert storage["change_amount"] == Decimal(50)
    assert storage["variance_amount"] == Decimal(20)
    assert storage["year_amount"] == Decimal(850)
    assert list(storage["trend"]) == [400.0, 450.0]
    assert frame.loc["fax", "previous_amount"] is None
    assert service_costs.find_largest_service(published, FEBRUARY) == "storage"


def test_only_the_latest_version_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marts = build_company()
    marts["fct_service_costs_monthly"] += [
        {**row, "version": 2, "delivered_amount": 7}
        for row in marts["fct_service_costs_monthly"]
        if row["period_id"] == FEB and row["service_id"] == "mail"
    ]
    monkeypatch.setenv("APPORTION_WORKSPACE", str(publish(tmp_path, marts)))
    row = service_costs.read_headline(find_published(), FEBRUARY).iloc[0]
    assert row["amount"] == Decimal(7)
    assert row["previous_amount"] == Decimal(860)


def test_ledger_tie_names_every_part(published: Published) -> None:
    row = proof.read_ledger_tie(published, FEBRUARY).iloc[0]
    assert row["charged_amount"] == Decimal(850)
    assert row["showback_amount"] == Decimal(80)
    assert row["unallocated_amount"] == Decimal(40)
    assert row["unmapped_amount"] == Decimal(30)
    assert row["it_cost_amount"] == Decimal(1000)
    assert row["recovery_amount"] == Decimal(-800)
    assert row["shown_amount"] == row["ledger_amount"] == Decimal(270)
    assert row["difference_amount"] == row["charges_difference_amount"] == 0


def test_bills_as_they_were(published: Published) -> None:
    frame = charges.read_bills(published, FEBRUARY, "as_was").set_index("business_unit_id")
    for column in ("billed_amount", "charged_amount"):
        assert dict(frame[column]) == {"SAL": Decimal(450), "FIN": Decimal(400)}
    assert dict(frame["previous_billed_amount"]) == {"SAL": Decimal(380), "FIN": Decimal(400)}
    assert dict(frame["budget_amount"]) == {"SAL": Decimal(420), "FIN": Decimal(400)}
    assert dict(frame["variance_amount"]) == {"SAL": Decimal(30), "FIN": Decimal(0)}
    assert frame.loc["SAL", "showback_amount"] == Decimal(80)
    assert frame.loc["SAL", "division_name"] == "Group"


def test_bills_as_they_are_today_have_the_same_sum(published: Published) -> None:
    frame = charges.read_bills(published, FEBRUARY, "as_is").set_index("business_unit_id")
    assert dict(frame["billed_amount"]) == {"FIN": Decimal(460), "SAL": Decimal(390)}
    assert dict(frame["previous_billed_amount"]) == {"FIN": Decimal(460), "SAL": Decimal(320)}
    total = charges.read_bill_total(published, FEBRUARY).iloc[0]
    assert sum(frame["billed_amount"]) == total["billed_amount"] == Decimal(850)


def test_billed_is_charged_and_other_items_under_either_hierarchy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A debit note of 7.00 on CC11, which belonged to Sales and belongs to Finance today: Sales is
    billed 450 + 7, and as it is today Finance 460 + 7. The company is billed 850 + 7."""
    marts = build_company()
    note = {"scenario_id": "actual", "period_id": FEB, "version": 1, "bill_item_id": "note"}
    note |= {"item_kind": "correction", "service_id": "mail", "service_name": "E-mail"}
    note |= {"cost_centre_id": "CC11", "cost_centre_name": "Sales control"}
    note |= {"business_unit_id": "SAL", "business_unit_name": "Sales", "amount": 7}
    marts["fct_bill_items_monthly"] = [*marts["fct_bill_items_monthly"], note]
    marts["dim_cost_centres"] = [
        {"cost_centre_id": "CC11", "business_unit_id": "FIN", "business_unit_name": "Finance"}
        | {"is_current": True}
    ]
    monkeypatch.setenv("APPORTION_WORKSPACE", str(publish(tmp_path, marts)))
    published = find_published()
    for hierarchy, unit, charged in (("as_was", "SAL", 450), ("as_is", "FIN", 460)):
        frame = charges.read_bills(published, FEBRUARY, hierarchy).set_index("business_unit_id")
        row = frame.loc[unit]
        assert (row["charged_amount"], row["other_amount"]) == (charged, 7)
        assert row["billed_amount"] == charged + 7
        assert sum(frame["billed_amount"]) == Decimal(857)
    total = charges.read_bill_total(published, FEBRUARY).iloc[0]
    assert (total["billed_amount"], total["charged_amount"]) == (857, 850)
    assert total["other_amount"] == 7


def test_a_unit_does_not_rise_by_a_cost_centre_that_joined_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CC11 was charged 60.00 in January, in Finance, and is in Sales from February on. As reported
    Sales had 320.00 and Finance 460.00; like for like Sales rose from 380.00 to 450.00, and Finance
    stayed at 400.00."""
    marts = build_company()
    finance = {"business_unit_id": "FIN", "business_unit_name": "Finance"}
    moved = {
        row["charge_id"]
        for row in marts["rpt_bill_lines"]
        if (row["period_id"], row["cost_centre_id"]) == (JAN, "CC11")
    }
    for name in ("rpt_bill_lines", "fct_charges_monthly"):
        marts[name] = [
            {**row, **finance}
            if (row["period_id"], row["cost_centre_id"]) == (JAN, "CC11")
            else row
            for row in marts[name]
        ]
    marts["fct_bill_items_monthly"] = [
        {**row, **finance} if row["bill_item_id"] in moved else row
        for row in marts["fct_bill_items_monthly"]
    ]
    marts["dim_cost_centres"] = [
        {"cost_centre_id": centre, "business_unit_id": unit, "business_unit_name": unit}
        | {"valid_from": day}
        for centre, unit, day in (
            ("CC10", "SAL", "2020-01-01"),
            ("CC11", "SAL", "2026-02-01"),
            ("CC20", "FIN", "2020-01-01"),
        )
    ]
    monkeypatch.setenv("APPORTION_WORKSPACE", str(publish(tmp_path, marts)))
    frame = charges.read_bills(find_published(), FEBRUARY, "as_was").set_index("business_unit_id")
    assert dict(frame["previous_billed_amount"]) == {"SAL": Decimal(320), "FIN": Decimal(460)}
    assert dict(frame["comparable_amount"]) == {"SAL": Decimal(380), "FIN": Decimal(400)}
    assert dict(frame["moved_amount"]) == {"SAL": Decimal(60), "FIN": Decimal(-60)}
    assert dict(frame["change_amount"]) == {"SAL": Decimal(70), "FIN": Decimal(0)}
    units = charges.read_consuming_units(find_published(), FEBRUARY, "mail")
    changes = dict(zip(units["business_unit_id"], units["change_amount"], strict=True))
    # Mail: 240 and 60 of Sales against 220 and 60.
    assert changes == {"SAL": Decimal(20), "FIN": Decimal(0)}


def test_a_line_that_is_gone_counts_in_the_month_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marts = build_company()
    for name in ("rpt_bill_lines", "fct_charges_monthly"):
        marts[name] = [row for row in marts[name] if row["charge_id"] != f"actual-{FEB}-mail-CC11"]
    marts["fct_bill_items_monthly"] = [
        row
        for row in marts["fct_bill_items_monthly"]
        if row["bill_item_id"] != f"actual-{FEB}-mail-CC11"
    ]
    monkeypatch.setenv("APPORTION_WORKSPACE", str(publish(tmp_path, marts)))
    frame = charges.read_bills(find_published(), FEBRUARY, "as_was").set_index("business_unit_id")
    assert frame.loc["SAL", "billed_amount"] == Decimal(390)
    assert frame.loc["SAL", "previous_billed_amount"] == Decimal(380)


def test_bill_lines_of_one_unit(published: Published) -> None:
    frame = charges.read_bill_lines(published, FEBRUARY, "as_is", "FIN")
    assert [*zip(frame["service_id"], frame["cost_centre_id"], strict=True)] == [
        ("storage", "CC20"),
        ("mail", "CC20"),
        ("mail", "CC11"),
    ]
    assert list(frame["change_amount"]) == [Decimal(0)] * 3
    assert len(charges.read_bill_lines(published, FEBRUARY, "as_was")) == 6


def test_open_amounts_by_disposition(published: Published) -> None:
    frame = charges.read_open_amounts(published, FEBRUARY)
    assert dict(zip(frame["disposition"], frame["amount"], strict=True)) == {
        "unallocated": Decimal(40),
        "unmapped": Decimal(30),
    }


def test_consumers_of_a_service(published: Published) -> None:
    units = charges.read_consuming_units(published, FEBRUARY, "mail").set_index("business_unit_id")
    assert dict(units["cost_amount"]) == {"SAL": Decimal(300), "FIN": Decimal(100)}
    assert dict(units["budget_amount"]) == {"SAL": Decimal(290), "FIN": Decimal(100)}
    assert set(units["total_amount"]) == {Decimal(400)}
    consumers = charges.read_consumers(published, FEBRUARY, "mail")
    assert list(consumers["cost_centre_id"]) == ["CC10", "CC20", "CC11"]


def test_flow_folds_small_nodes_and_leaves_out_what_is_outside_it(published: Published) -> None:
    frame = read_cost_flow(published, FEBRUARY, 1)
    rows = {
        (row["from_id"], row["to_id"]): row["amount"]
        for row in frame.to_dict("records")
        if row["from_stop"] == "cost_pool"
    }
    # staffing 600 is the largest pool; hardware 270 and refunds -20 become one node
    assert rows == {
        ("staffing", "it"): Decimal(600),
        (OTHER_ID, "it"): Decimal(250),
        ("(unmapped)", "(unmapped)"): Decimal(30),
    }
    assert "(recovery)" not in set(frame["to_id"])


def test_unit_cost_beside_its_references(published: Published) -> None:
    frame = service_quality.read_unit_costs(published, FEBRUARY, "mail")
    assert [*map(str, frame["period_id"])] == [JAN, FEB, "2026-03"]
    assert frame["actual_unit_cost"].iloc[1] == Decimal(10)
    assert frame["budget_unit_cost"].iloc[1] == Decimal("9.75")
    overview = service_quality.read_overview(published, FEBRUARY).set_index("service_id")
    assert overview.loc["storage", "median_value"] == Decimal("0.04")
    assert overview.loc["mail", "sla_attainment_share"] == Decimal("0.9")
    assert not [key for key in overview.index if key.startswith("(")]


def test_catalogue_has_the_latest_unit_cost(published: Published) -> None:
    frame = catalogue.read_catalogue(published, FEBRUARY).set_index("service_id")
    assert frame.loc["mail", "unit_cost"] == Decimal(10)
    assert frame.loc["mail", "unit_cost_period_id"] == FEB
    assert frame.loc["mail", "business_unit_count"] == 2
    offerings: Any = frame.loc["mail", "offerings"]
    assert [offering["name"] for offering in offerings] == ["50 GB"]
    january = dataclasses.replace(FEBRUARY, period_id=JAN, previous_period_id=None)
    earlier = catalogue.read_catalogue(published, january).set_index("service_id")
    assert earlier.loc["mail", "unit_cost"] == Decimal("9.5")


def test_what_a_reader_types_is_a_value_and_never_sql(published: Published) -> None:
    assert charges.read_consumers(published, FEBRUARY, "mail' or '1'='1").empty


def test_the_connection_reads_nothing_but_marts(context: Context, company: Path) -> None:
    path = company / "apportion.yml"
    with pytest.raises(duckdb.PermissionException):
        read_frame(context.published, f"select * from read_text('{path}')")


def test_missing_workspace_and_missing_publication_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APPORTION_WORKSPACE", str(tmp_path))
    with pytest.raises(WorkspaceMissingError):
        find_published()
    (tmp_path / "apportion.yml").write_text("name: Empty\n", "utf-8")
    with pytest.raises(NothingPublishedError):
        find_published()
