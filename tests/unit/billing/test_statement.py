"""The statement of Example Works, figure by figure, and the refusals (figures: conftest.py)."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest

from pipelines.billing.errors import UntiedStatementError
from pipelines.billing.notes import write_summary
from pipelines.billing.records import (
    Comparison,
    ReplacedVersion,
    Statement,
)
from pipelines.billing.statement import load_statement
from pipelines.errors import BuildError, UsageError
from tests.unit.billing.conftest import bill_charges


def test_total_is_the_sum_of_the_charged_lines(retail: Statement) -> None:
    assert retail.total == Decimal("3166.66")
    assert sum(line.charged_amount for line in retail.lines) == Decimal("3166.66")
    assert len(retail.charged_lines) == 4


def test_showback_is_kept_apart(retail: Statement) -> None:
    (line,) = retail.showback_lines
    assert line.service_id == "wifi"
    assert (line.cost_amount, line.charged_amount) == (Decimal("100.00"), Decimal("0.00"))
    assert retail.showback_total == Decimal("100.00")
    assert [service.service_id for service in retail.showback_services] == ["wifi"]
    assert "wifi" not in {service.service_id for service in retail.services}


def test_every_amount_is_a_decimal(retail: Statement) -> None:
    amounts = [
        retail.total,
        *(line.charged_amount for line in retail.lines),
        *(line.cost_amount for line in retail.lines),
        *(pool.exact_amount for pool in retail.pools),
    ]
    assert {type(amount) for amount in amounts} == {Decimal}


def test_who_bills_whom(retail: Statement) -> None:
    assert retail.number == "2026-03-RETAIL-v1"
    assert retail.issuer_name == "Group IT"
    assert retail.recipient.name == "Retail"
    assert retail.recipient.division_name == "Consumer"
    assert retail.currency_code == "EUR"
    assert retail.period.is_final


def test_compares_with_what_was_billed_and_budgeted(retail: Statement) -> None:
    assert retail.previous == Comparison("Feb 2026", Decimal("2766.66"), Decimal("2766.66"))
    assert retail.budget == Comparison("Budget", Decimal("3300.00"), Decimal("3300.00"))


def test_services_sum_to_the_total_and_to_both_comparisons(retail: Statement) -> None:
    rows = [
        (service.service_id, service.quantity, service.amount, service.previous_amount,
         service.budget_amount)
        for service in retail.services
    ]  # fmt: skip
    assert rows == [
        ("mail", 200, Decimal("2500.00"), Decimal("2400.00"), Decimal("2600.00")),
        ("hosting", 2, Decimal("666.66"), Decimal("300.00"), Decimal("700.00")),
        ("print", None, Decimal("0.00"), Decimal("66.66"), Decimal("0.00")),
    ]


def test_a_rate_that_differs_between_lines_is_not_shown_as_one(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    marts.execute(
        "update rpt_bill_lines set unit_rate = 13 "
        "where service_id = 'mail' and cost_centre_id = '4200'"
    )
    mail = load_statement(marts, "2026-03", "RETAIL").services[0]
    assert (mail.unit_rate, mail.has_various_rates) == (None, True)


def test_rates_that_differ_where_nobody_sees_are_one(marts: duckdb.DuckDBPyConnection) -> None:
    """A line's rate is its amount by its quantity, exact to ten digits only."""
    marts.execute(
        "update rpt_bill_lines set unit_rate = 12.5000000004 "
        "where service_id = 'mail' and cost_centre_id = '4200'"
    )
    mail = load_statement(marts, "2026-03", "RETAIL").services[0]
    assert (mail.unit_rate, mail.has_various_rates) == (Decimal("12.5"), False)


def test_pools_sum_to_the_charges(retail: Statement) -> None:
    """Hosting is charged at 666.66: 400.00 of hardware and 266.66666667 of cloud, so that cloud
    has 266.66 and not 266.67."""
    assert [(pool.cost_pool_name, pool.amount) for pool in retail.pools] == [
        ("Staff", Decimal("1500.00")),
        ("Software licences", Decimal("1000.00")),
        ("Hardware", Decimal("400.00")),
        ("Cloud services", Decimal("266.66")),
    ]
    mail, hosting = retail.service_costs
    assert mail.parts == {"licences": Decimal("1000.00"), "staff": Decimal("1500.00")}
    assert hosting.parts == {"cloud": Decimal("266.66"), "hardware": Decimal("400.00")}
    assert (hosting.cost, hosting.charged, hosting.recovery) == (
        Decimal("666.66"),
        Decimal("666.66"),
        Decimal("0.00"),
    )


def test_legal_entities_bear_their_own_cost_centres(retail: Statement) -> None:
    entities = [(entity.legal_entity_id, entity.amount) for entity in retail.legal_entities]
    assert entities == [("E1", Decimal("1833.33")), ("E2", Decimal("1333.33"))]


def test_service_levels_stand_against_their_targets(retail: Statement) -> None:
    mail, hosting = retail.quality
    assert (mail.service_id, mail.ticket_count) == ("mail", 42)
    assert (mail.sla_attainment_share, mail.sla_attainment_target_share) == (
        Decimal("0.875"),
        Decimal("0.9"),
    )
    assert hosting.sla_attainment_target_share is None


def test_certificate_is_in_the_order_of_the_proof(retail: Statement) -> None:
    assert [identity.identity_id for identity in retail.certificate] == [
        "ledger",
        "charged",
        "billed",
    ]
    sides = [term.side for term in retail.certificate[0].terms]
    assert sides == ["left", "right", "right", "right", "right", "difference"]
    assert retail.is_certified


@pytest.mark.parametrize(("state", "is_shown"), [("open", True), ("closed", False)])
def test_an_open_period_states_what_names_no_period(
    marts: duckdb.DuckDBPyConnection, state: str, is_shown: bool
) -> None:
    """It blocks the close, so that no paper of a closed period has it, and none of them changes."""
    marts.execute("update dim_periods set period_state = ?", [state])
    marts.execute(
        "insert into rpt_certificate select * replace ('(unknown)' as period_id, 1 as version, "
        "1250000 as amount, 1250000 as amount_cents) from rpt_certificate "
        "where identity_id = 'ledger' and term_id in ('ledger', 'scope')"
    )
    statement = load_statement(marts, "2026-03", "RETAIL")
    found = [item for item in statement.certificate if item.identity_id == "period_unknown"]
    assert [term.amount for item in found for term in item.terms] == [1250000, 1250000][
        : 2 * is_shown
    ]
    first = statement.certificate[0]
    assert (first.identity_id, first.terms[0].amount) == ("ledger", Decimal(4150))


def test_a_difference_far_below_a_cent_is_not_certified(marts: duckdb.DuckDBPyConnection) -> None:
    marts.execute("update rpt_certificate set amount = 0.00000001 where side = 'difference'")
    assert not load_statement(marts, "2026-03", "RETAIL").is_certified


def test_without_a_certificate_nothing_is_certified(marts: duckdb.DuckDBPyConnection) -> None:
    marts.execute("delete from rpt_certificate")
    assert not load_statement(marts, "2026-03", "RETAIL").is_certified


def test_the_other_unit_gets_the_cent_that_is_left(marts: duckdb.DuckDBPyConnection) -> None:
    logistics = load_statement(marts, "2026-03", "LOGISTICS")
    assert logistics.total == Decimal("833.34")
    assert logistics.previous == Comparison("Feb 2026", Decimal("600.00"), Decimal("600.00"))
    assert logistics.budget == Comparison("Budget", Decimal("0.00"), Decimal("0.00"))


def test_the_first_period_has_nothing_to_compare_with(marts: duckdb.DuckDBPyConnection) -> None:
    marts.execute("delete from fct_charges_monthly where period_id = '2026-02'")
    bill_charges(marts)
    march = load_statement(marts, "2026-03", "RETAIL")
    assert march.previous is None
    assert [service.previous_amount for service in march.services] == [None, None]


def test_charges_that_differ_by_a_cent_are_refused(marts: duckdb.DuckDBPyConnection) -> None:
    marts.execute("update fct_bill_items_monthly set amount = 1500.01 where amount = 1500.00")
    message = r"lines of mail .*expected 2,500\.01, got 2,500\.00, -0\.01 apart"
    with pytest.raises(UntiedStatementError, match=message):
        load_statement(marts, "2026-03", "RETAIL")


def test_a_charge_of_what_is_only_shown_is_refused(marts: duckdb.DuckDBPyConnection) -> None:
    """1.00 of Wi-Fi is billed and stands in no section that is charged."""
    marts.execute("update rpt_bill_lines set charged_amount = 1 where service_id = 'wifi'")
    marts.execute(
        "insert into fct_bill_items_monthly select * replace ('wifi' as service_id, 1 as amount) "
        "from fct_bill_items_monthly where amount = 1500.00"
    )
    with pytest.raises(UntiedStatementError, match=r"sections.*expected 3,167\.66, got 3,166\.66"):
        load_statement(marts, "2026-03", "RETAIL")


def test_pools_that_do_not_explain_the_total_are_refused(marts: duckdb.DuckDBPyConnection) -> None:
    """Two lines may be 2 cents apart by rounding; a lost pool is not rounding."""
    marts.execute("delete from fct_charge_breakdown_monthly where cost_pool_id = 'hardware'")
    with pytest.raises(
        UntiedStatementError, match=r"cost pools of hosting.*expected 666\.66, got 266\.67"
    ):
        load_statement(marts, "2026-03", "RETAIL")


def test_a_float_amount_is_refused(marts: duckdb.DuckDBPyConnection) -> None:
    marts.execute("alter table rpt_bill_lines alter charged_amount type double")
    with pytest.raises(BuildError, match=r"rpt_bill_lines\.charged_amount: expected an exact"):
        load_statement(marts, "2026-03", "RETAIL")


def test_an_unknown_unit_is_told_who_is_billed(marts: duckdb.DuckDBPyConnection) -> None:
    message = r"business unit SALES: .*2026-03.*LOGISTICS \(Logistics\), RETAIL \(Retail\)"
    with pytest.raises(UsageError, match=message):
        load_statement(marts, "2026-03", "SALES")


def test_an_unknown_period_is_told_which_are_billed(marts: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(UsageError, match=r"period 2027-01: .*2026-02, 2026-03"):
        load_statement(marts, "2027-01", "RETAIL")


def test_money_without_a_consumer_is_not_a_unit(marts: duckdb.DuckDBPyConnection) -> None:
    for table in ("rpt_bill_lines", "fct_bill_items_monthly"):
        marts.execute(
            f"update {table} set business_unit_id = '(unallocated)' "
            "where business_unit_id = 'LOGISTICS'"
        )
    with pytest.raises(UsageError, match=r"with bills: RETAIL \(Retail\)\.$"):
        load_statement(marts, "2026-03", "(unallocated)")


def test_the_latest_version_replaces_the_one_before(marts: duckdb.DuckDBPyConnection) -> None:
    for table in ("rpt_bill_lines", "fct_charges_monthly"):
        marts.execute(
            f"insert into {table} select * replace (2 as version, case when service_id = 'mail' "
            f"then 10.00 else 0 end as charged_amount) from {table} "
            "where scenario_id = 'actual' and period_id = '2026-03'"
        )
    bill_charges(marts)
    marts.execute("delete from fct_charge_breakdown_monthly")
    retail = load_statement(marts, "2026-03", "RETAIL")
    assert (retail.number, retail.total) == ("2026-03-RETAIL-v2", Decimal("20.00"))
    assert retail.replaced == ReplacedVersion(1, Decimal("3166.66"))


def test_a_cost_centre_that_moved_is_named_on_both_sides(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    """In February 4200 was with Logistics, whose bill had its 950.00 besides its own 600.00."""
    marts.execute(
        "update fct_charges_monthly set business_unit_id = 'LOGISTICS', "
        "business_unit_name = 'Logistics' where period_id = '2026-02' and cost_centre_id = '4200'"
    )
    bill_charges(marts)
    retail = load_statement(marts, "2026-03", "RETAIL")
    assert retail.previous == Comparison("Feb 2026", Decimal("1816.66"), Decimal("1816.66"))
    (joined,) = retail.reassignments
    assert (joined.kind, joined.cost_centre_id) == ("joined", "4200")
    assert (joined.other_unit_name, joined.amount) == ("Logistics", Decimal("1333.33"))
    logistics = load_statement(marts, "2026-03", "LOGISTICS")
    assert logistics.previous == Comparison("Feb 2026", Decimal("1550.00"), Decimal("1550.00"))
    (left,) = logistics.reassignments
    assert (left.kind, left.other_unit_name, left.amount) == ("left", "Retail", Decimal("950.00"))
    # Like for like: 1,816.66 with the 950.00 of 4200, and 1,550.00 without them.
    assert [item.comparable and item.comparable.amount for item in (retail, logistics)] == [
        Decimal("2766.66"),
        Decimal("600.00"),
    ]
    assert (
        "With the cost centres of now this is EUR 400.00 (14.5%) more than in Feb 2026; "
        "reassigned cost centres move +950.00 besides." in write_summary(retail)
    )


def test_a_cost_centre_that_moves_later_stays_on_this_bill(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    marts.execute(
        "update fct_charges_monthly set business_unit_as_is_id = 'LOGISTICS', "
        "business_unit_as_is_name = 'Logistics' where cost_centre_id = '4100'"
    )
    retail = load_statement(marts, "2026-03", "RETAIL")
    assert retail.total == Decimal("3166.66")
    (move,) = retail.reassignments
    assert (move.kind, move.other_unit_name, move.amount) == (
        "moved_later",
        "Logistics",
        Decimal("1833.33"),
    )


def test_a_budget_statement_is_not_compared_with_itself(marts: duckdb.DuckDBPyConnection) -> None:
    marts.execute(
        "insert into rpt_bill_lines select * replace ('budget' as scenario_id) "
        "from rpt_bill_lines where period_id = '2026-03' and business_unit_id = 'RETAIL'"
    )
    marts.execute("delete from fct_charges_monthly where scenario_id = 'budget'")
    marts.execute(
        "insert into fct_charges_monthly select * replace ('budget' as scenario_id) "
        "from fct_charges_monthly where period_id = '2026-03'"
    )
    bill_charges(marts)
    budget = load_statement(marts, "2026-03", "RETAIL", "budget")
    assert (budget.number, budget.budget) == ("BUDGET-2026-03-RETAIL-v1", None)
    assert (budget.pools, budget.service_costs) == ((), ())
