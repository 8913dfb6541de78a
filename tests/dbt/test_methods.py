"""Every method of the cost model through one workspace, against figures worked by hand."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from pipelines.allocation.trace import trace_charge
from pipelines.errors import ControlError
from pipelines.warehouse.build import build
from pipelines.warehouse.reader import open_published

from .golden import Golden, land_golden

# Where cents are made a line differs from its exact parts by less than a cent.
CENT = Fraction(1, 100)


@pytest.mark.parametrize("period", ["2026-01", "2026-02"])
def test_charges_are_as_worked_by_hand(methods: Golden, period: str) -> None:
    header, expected = methods.read_expected("charges")
    found = methods.query(f"select {', '.join(header)} from fct_charges_monthly")
    assert [row for row in found if row[0] == period] == [
        row for row in expected if row[0] == period
    ]


def test_the_certificate_adds_up(methods: Golden) -> None:
    """January: 6,540.00 = 160.00 unmapped + 100.00 unallocated + 620.00 idle + 5,660.00 charged."""
    found = methods.query(
        "select period_id, identity_id, term_id, amount from rpt_certificate "
        "where side = 'difference' or (identity_id = 'ledger' and amount <> 0)"
    )
    assert found == [
        ("2026-01", "billed", "difference", "0"),
        ("2026-01", "charged", "difference", "0"),
        ("2026-01", "ledger", "charged_cost", "5660"),
        ("2026-01", "ledger", "delivered", "6540"),
        ("2026-01", "ledger", "difference", "0"),
        ("2026-01", "ledger", "idle", "620"),
        ("2026-01", "ledger", "unallocated", "100"),
        ("2026-01", "ledger", "unmapped", "160"),
        ("2026-02", "billed", "difference", "0"),
        ("2026-02", "charged", "difference", "0"),
        ("2026-02", "ledger", "charged_cost", "281"),
        ("2026-02", "ledger", "delivered", "450"),
        ("2026-02", "ledger", "difference", "0"),
        ("2026-02", "ledger", "idle", "100"),
        ("2026-02", "ledger", "unallocated", "69"),
    ]


def test_idle_cost_is_shown_at_its_service_and_in_its_unit_cost(methods: Golden) -> None:
    """Storage: 500.00 for 100 units that it can deliver are 5.00 a unit, of 50 that were used."""
    found = methods.query(
        "select service_id, delivered_amount, charged_amount, idle_amount, quantity, unit_cost "
        "from fct_service_costs_monthly "
        "where period_id = '2026-01' and service_id in ('backup', 'network', 'storage')"
    )
    assert found == [
        ("backup", "500", "500", "0", "50", "10"),
        ("network", "660", "360", "300", "40", "12.8571428571"),
        ("storage", "500", "250", "250", "50", "5"),
    ]


def test_practical_capacity_is_the_capacity_of_a_service(methods: Golden) -> None:
    found = methods.query(
        "select service_id, capacity_quantity, used_quantity, utilisation_share "
        "from fct_service_capacity_monthly"
    )
    assert found == [
        ("archive", "10", "0", "0"),
        ("backup", "40", "50", "1.25"),
        ("network", "90", "60", "0.666667"),
        ("storage", "100", "50", "0.5"),
    ]


def test_what_is_not_as_it_should_be_is_an_open_item(methods: Golden) -> None:
    found = methods.query(
        "select period_id, item_kind, item_key, item_name, amount from rpt_open_items"
    )
    assert found == [
        ("2026-01", "over_capacity", "backup", "use of 50 of 40 unit", ""),
        ("2026-01", "unallocated", "trial", "Trial", "40"),
        ("2026-01", "unallocated", "vault", "Vault", "60"),
        ("2026-01", "unmapped_consumer", "cc-x", "cc-x uses Legal", "160"),
        ("2026-02", "unallocated", "(unallocated)", "tower (unallocated)", "45"),
        ("2026-02", "unallocated", "desk", "tower desk", "24"),
    ]


def test_what_to_measure_next_knows_the_methods(methods: Golden) -> None:
    """Shares of a service are declared, as those of a rule are; weighted hours are measured."""
    found = methods.query(
        "select stop_code, basis_code, subject_id, amount from rpt_measure_next "
        "where period_id = '2026-01' and stop_code <> 'open'"
    )
    assert found == [
        ("consumers", "declared", "lan", "800"),
        ("consumers", "even", "portal", "450"),
        ("services", "declared", "desk", "775"),
        ("towers", "declared", "rent", "1000"),
    ]


def test_the_traced_parts_of_every_charge_are_the_charge(methods: Golden) -> None:
    """Idle and unallocated lines too, wherever they were held."""
    with open_published(methods.workspace) as connection:
        charges = connection.execute(
            "select period_id, service_id, cost_centre_id, cost_amount from fct_charges_monthly "
            "order by all"
        ).fetchall()
        assert len(charges) == 37
        for period, service, consumer, amount in charges:
            trace = trace_charge(connection, period, service, consumer)
            parts = sum((line.part for line in trace.lines), Fraction(0))
            assert parts + trace.rounding == Fraction(amount), (period, service, consumer)
            assert abs(trace.rounding) < CENT, (period, service, consumer, trace.rounding)
            assert sum(part for *_, part in trace.paths) == parts


def test_what_leaves_through_a_shared_service_is_idle_there(methods: Golden) -> None:
    """Of network 900.00 a third is idle, 300.00, and 240.00 leave through mail, where all is used.

    Weights of shared services are integers of 10^15, so that the parts are off by a trillionth.
    """
    with open_published(methods.workspace) as connection:
        idle = trace_charge(connection, "2026-01", "network", "(idle)")
        kept = Fraction(900 * 733_333_333_333_333, 10**15)
        assert {line.account_id: line.part for line in idle.lines} == {
            "network": kept * Fraction(20, 44)
        }
        mail = trace_charge(connection, "2026-01", "mail", "cc-c")
        # 5 units of weight 1.5 are 3 of 11.
        passed = Fraction(900 * 266_666_666_666_667, 10**15)
        assert {line.account_id: line.part for line in mail.lines} == {
            "mail": Fraction(310 * 3, 11),
            "network": passed * Fraction(3, 11),
        }


def test_a_negative_quantity_is_refused_with_its_record(tmp_path: Path) -> None:
    """Backup does not say how to count one; support and credit do."""
    golden = land_golden(
        "methods",
        tmp_path,
        {"service_usage.csv": "2026-02,backup,consumer,cc-a,-7,unit\n"},
    )
    with pytest.raises(ControlError) as caught:
        build(golden.workspace, golden.books)
    assert "service_usage.csv record 20: cc-a used -7 unit of backup in 2026-02" in str(
        caught.value
    )
    assert "negative: clamp" in str(caught.value)
