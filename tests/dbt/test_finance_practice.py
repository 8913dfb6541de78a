"""Typed-in drivers, depreciation, a reorganisation and a cloud bill, through a workspace.

../golden/finance_practice/README.md works out every figure.
"""

from __future__ import annotations

import pytest

from app.queries.cloud_coverage import read_bill_tie
from app.queries.published import Published
from app.selection import Selection
from pipelines.allocation.source_records import find_source_records
from pipelines.warehouse.publication import read_publication
from pipelines.warehouse.reader import open_published

from .golden import Golden

# Keys of bill lines are hashes; the tag says which they are.
LINE_ID = (
    "case when starts_with(ledger_line_id, 'cloud_bill:') and category_name <> 'Discounts' "
    "then 'cloud_bill:(' || coalesce(tagged_service_id, 'untagged') || ')' "
    "else ledger_line_id end"
)
TABLES = {
    "ledger_lines": ("fct_ledger_lines", "true"),
    "towers": ("fct_towers_monthly", "true"),
    "service_costs": ("fct_service_costs_monthly", "true"),
    "charges": ("fct_charges_monthly", "true"),
    "depreciation": ("fct_depreciation_monthly", "true"),
    "detail_feeds": ("rpt_detail_feeds", "true"),
    "moved_cost_centres": ("rpt_moved_cost_centres", "true"),
    "reorganisation": ("rpt_reorganisation", "true"),
    "certificate": ("rpt_certificate", "identity_id = 'ledger' and period_id = '2026-01'"),
}


@pytest.mark.parametrize("table", TABLES)
def test_finance_practice_is_as_worked_by_hand(finance_practice: Golden, table: str) -> None:
    mart, condition = TABLES[table]
    header, expected = finance_practice.read_expected(table)
    columns = ", ".join(LINE_ID if column == "ledger_line_id" else column for column in header)
    found = finance_practice.query(f"select {columns} from {mart} where {condition}")
    assert expected
    assert found == expected


def test_recovery_and_what_is_no_cost_reaches_no_service(finance_practice: Golden) -> None:
    """-800.00, 500.00 and 40.00 stay where they are: in no pool, no tower, nobody's charge."""
    found = finance_practice.query(
        "select disposition, cost_pool_id, tower_id, service_id, sum(amount_units) // 100000000 "
        "from stops.int_services__cells where disposition <> 'allocated' group by all"
    )
    assert found == [
        (name, *[f"({name})"] * 3, amount)
        for name, amount in (("capitalised", "500"), ("out_of_scope", "40"), ("recovery", "-800"))
    ]


def test_attestation_that_ended_is_stale_and_asked_for(finance_practice: Golden) -> None:
    qualities = finance_practice.query(
        "select period_id, receiver_id, quantity, quality from drivers.fct_driver_quantities "
        "where driver_id = 'positions' and period_id <= '2026-02'"
    )
    assert qualities == [
        ("2026-01", "compute", "2", "measured"),
        ("2026-01", "desk", "1", "measured"),
        ("2026-02", "compute", "1.5", "stale"),
        ("2026-02", "desk", "1.5", "stale"),
    ]
    assert finance_practice.query("select period_id, item_kind, item_key, amount, what_to_do "
                                  "from rpt_open_items") == [
        ("2026-02", "stale_driver", "positions", "",
         "Ask Lea Lead to attest again: correct cost_model/drivers/positions.csv and the dates in "
         "cost_model/drivers.yml")
    ]  # fmt: skip
    assert finance_practice.query(
        "select period_id, subject_id, amount, what_to_do from rpt_measure_next "
        "where basis_code = 'stale'"
    ) == [("2026-02", "labour", "600", "Ask Lea Lead to attest the table of Positions again")]


def test_discount_is_made_of_the_lines_that_it_is_on(finance_practice: Golden) -> None:
    """400 for 300, 250 for 200, 330 for 300; and a line is its records at the price passed on."""
    with open_published(finance_practice.workspace) as connection:
        ids = [
            str(row[0])
            for row in connection.execute(
                "select ledger_line_id from fct_ledger_lines where category_name = 'Discounts' "
                "or tagged_service_id = 'crm' order by category_name desc"
            ).fetchall()
        ]
        records = find_source_records(finance_practice.workspace, connection, ids)
    assert [(record.row_number, f"{record.amount_local:.2f}") for record in records] == [
        *[(1, "-100.00"), (2, "-50.00"), (4, "-30.00")],
        *[(1, "400.00"), (4, "330.00")],
    ]


def test_coverage_ties_to_the_lines_of_the_bill(finance_practice: Golden) -> None:
    """400 + 250 + 330 + 90 + 100, and 0 of the purchase; a kept discount is of no bill line."""
    workspace = finance_practice.workspace
    published = Published(str(workspace.root), read_publication(workspace))
    selection = Selection("actual", "2026-01", None, 2026, "open")
    row = read_bill_tie(published, selection).iloc[0]
    assert [row[f"{name}_amount"] for name in ("service", "consumer", "bill")] == [1170] * 3
    assert row["difference_amount"] == 0
    found = finance_practice.query(
        "select target_kind, key_value, amount from rpt_unmapped_keys where key_kind = 'resource'"
    )
    assert found == [("consumer", "plan-1", "90"), ("service", "plan-1", "90")]


def test_depreciation_is_made_of_its_asset(finance_practice: Golden) -> None:
    with open_published(finance_practice.workspace) as connection:
        records = find_source_records(
            finance_practice.workspace, connection, ["assets:2026-01:a2", "assets:2026-02:a2"]
        )
    assert [(record.file_name, record.row_number) for record in records] == [("assets.csv", 2)] * 2
