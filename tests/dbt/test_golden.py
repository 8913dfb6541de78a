"""The marts of the golden workspaces against figures worked by hand, to the last digit."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import ControlError, NothingPublishedError
from pipelines.warehouse.build import build
from pipelines.warehouse.publication import read_publication

from .golden import Golden, land_golden

CLOUD_LINE = "'cloud_bill:(' || coalesce(tagged_service_id, 'untagged') || ')'"

SMALL_COMPANY = {
    "ledger_lines": (
        "fct_ledger_lines",
        "scenario_id = 'actual'",
        # The key of a group of bill lines is a hash; the tag says it here.
        {
            "ledger_line_id": f"case when source_id = 'cloud_bill' and not is_balancing "
            f"then {CLOUD_LINE} else ledger_line_id end"
        },
    ),
    "towers": ("fct_towers_monthly", "true", {}),
    "service_costs": ("fct_service_costs_monthly", "true", {}),
    "charges": ("fct_charges_monthly", "true", {}),
    "bill_lines": ("rpt_bill_lines", "scenario_id = 'actual'", {}),
    "fairness": ("rpt_fairness", "scenario_id = 'actual'", {}),
    "cost_sources": ("fct_service_cost_sources_monthly", "scenario_id = 'actual'", {}),
    "certificate": (
        "rpt_certificate",
        "scenario_id = 'actual' and period_id = '2026-01'",
        {},
    ),
    "taxonomy": ("rpt_taxonomy", "scenario_id = 'actual' and period_id = '2026-01'", {}),
}


@pytest.mark.parametrize("table", SMALL_COMPANY)
def test_small_company_is_as_worked_by_hand(small_company: Golden, table: str) -> None:
    mart, condition, spelled = SMALL_COMPANY[table]
    header, expected = small_company.read_expected(table)
    columns = ", ".join(spelled.get(column, column) for column in header)
    found = small_company.query(f"select {columns} from {mart} where {condition}")
    assert expected
    assert found == expected


def test_what_is_not_known_is_named(small_company: Golden) -> None:
    """8.00 on an account without a rule, 451.24 and 412.50 used by cc-x, 100.00 without hours."""
    found = small_company.query(
        "select scenario_id, period_id, item_kind, item_key, amount from rpt_open_items"
    )
    assert found == [
        ("actual", "2026-01", "unmapped_account", "9999", "8"),
        ("actual", "2026-01", "unmapped_consumer", "cc-x", "451.24"),
        ("actual", "2026-02", "unallocated", "(unallocated)", "100"),
        ("budget", "2026-01", "unmapped_consumer", "cc-x", "412.5"),
    ]


def test_outlook_is_actual_to_date_and_budget_of_the_rest(small_company: Golden) -> None:
    """January and February have actual figures; nothing is budgeted after them."""
    found = small_company.query(
        "select service_id, actual_to_date_amount, budget_to_date_amount, outlook_amount, "
        "last_actual_period_id from rpt_year_outlook where service_id = 'crm'"
    )
    assert found == [("crm", "651.93", "295", "651.93", "2026-02")]


@pytest.mark.parametrize("period", ["2026-01", "2026-02", "2026-03", "2026-04"])
def test_step_down_gives_the_published_figures(step_down: Golden, period: str) -> None:
    _, expected = step_down.read_expected("consumers")
    assert _sum_by_consumer(step_down, period) == [row for row in expected if row[0] == period]


def test_direct_gives_the_published_figures(direct: Golden) -> None:
    _, expected = direct.read_expected("consumers")
    assert _sum_by_consumer(direct, "2026-02") == expected


@pytest.mark.parametrize("number", range(1, 8))
def test_reciprocal_gives_the_published_figures(reciprocal: Golden, number: int) -> None:
    period = f"2026-{number:02d}"
    _, expected = reciprocal.read_expected("consumers")
    assert _sum_by_consumer(reciprocal, period) == [row for row in expected if row[0] == period]


def test_full_cost_is_that_of_the_published_equations(reciprocal: Golden) -> None:
    header, expected = reciprocal.read_expected("full_costs")
    found = reciprocal.query(f"select {', '.join(header)} from fct_service_costs_monthly")
    assert [row for row in found if row[:2] in {row[:2] for row in expected}] == expected


def test_weights_are_kept_with_their_method(reciprocal: Golden) -> None:
    """Pair: of Y's own cost 0.8 / 0.94 leaves through Y, and 0.2 * 0.7 / 0.94 through Z."""
    found = reciprocal.query(
        "select from_service_id, to_service_id, shared_method, delivered_weight "
        "from stops.int_delivered_services__weights where period_id = '2026-03' "
        "and from_service_id = 'y'"
    )
    assert found == [
        ("y", "y", "reciprocal", "851063829787234"),
        ("y", "z", "reciprocal", "148936170212766"),
    ]


def test_closed_loop_is_refused_by_name_and_nothing_is_published(tmp_path: Path) -> None:
    """Backup and vault use each other and nobody else uses them."""
    loop = "2026-07,backup,service,vault,1,part\n2026-07,vault,service,backup,1,part\n"
    golden = land_golden("reciprocal", tmp_path, {"service_usage.csv": loop})
    with pytest.raises(ControlError) as caught:
        build(golden.workspace, golden.books)
    assert str(caught.value).startswith(
        "actual 2026-07: the services backup, vault pass their cost only among themselves"
    )
    with pytest.raises(NothingPublishedError):
        read_publication(golden.workspace)


def _sum_by_consumer(golden: Golden, period: str) -> list[tuple[str, ...]]:
    return golden.query(
        "select period_id, cost_centre_id, sum(cost_amount) from fct_charges_monthly "
        f"where period_id = '{period}' group by all"
    )


TAG_RULES = {
    "tag_coverage": "rpt_tag_coverage",
    "unmapped_keys": "rpt_unmapped_keys",
    "tag_drift": "rpt_tag_drift",
    "ledger_lines": "fct_ledger_lines",
    "charges": "fct_charges_monthly",
}


@pytest.mark.parametrize("table", TAG_RULES)
def test_tag_rules_are_as_worked_by_hand(tag_rules: Golden, table: str) -> None:
    header, expected = tag_rules.read_expected(table)
    found = tag_rules.query(f"select {', '.join(header)} from {TAG_RULES[table]}")
    assert expected
    assert found == expected
