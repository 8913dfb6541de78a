"""The sentences that pages open with."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from app import findings
from pipelines.workspace.materiality import Materiality
from tests.app.conftest import FEBRUARY, clean

BUDGETED = dataclasses.replace(FEBRUARY, scenario_id="budget")


def make_services(previous: list[Decimal | None], changes: list[int]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "service_name": ["Storage", "E-mail", "(unmapped)"],
            "is_pseudo": [False, False, True],
            "previous_amount": previous,
            "change_amount": [
                None if before is None else Decimal(change)
                for before, change in zip(previous, changes, strict=True)
            ],
            "variance_amount": [Decimal(10), Decimal(100), Decimal(900)],
        }
    )


SERVICES = make_services([Decimal(400), Decimal(380), Decimal(1)], [50, 20, 900])


def make_row(**values: Any) -> dict[str, Any]:
    usual = {
        "amount": Decimal(1000),
        "budget_amount": Decimal(890),
        "previous_amount": Decimal(860),
    }
    return {**usual, **values}


def test_cost_against_budget_and_what_is_most_over_it() -> None:
    """110.00 over 890.00. Storage rose most on January, and is not why the budget is exceeded."""
    sentence = findings.state_cost(make_row(), SERVICES, FEBRUARY, "EUR")
    assert clean(sentence) == (
        "IT cost 1,000.00 EUR in Feb 2026, 12.4 % over budget; "
        "E-mail is most over budget (+100.00 EUR)"
    )


def test_what_is_below_the_materiality_has_no_cause() -> None:
    """5.00 on 995.00 is half a percent; where 200.00 is the least amount, 110.00 is none."""
    near = make_row(budget_amount=Decimal(995))
    assert clean(findings.state_cost(near, SERVICES, FEBRUARY, "EUR")) == (
        "IT cost 1,000.00 EUR in Feb 2026, 0.5 % over budget"
    )
    coarse = dataclasses.replace(FEBRUARY, materiality=Materiality(amount=Decimal(200)))
    assert clean(findings.state_cost(make_row(), SERVICES, coarse, "EUR")) == (
        "IT cost 1,000.00 EUR in Feb 2026, 12.4 % over budget"
    )


def test_a_month_that_is_not_complete_is_compared_with_nothing() -> None:
    partial = dataclasses.replace(FEBRUARY, missing="no delivery of timesheets")
    assert clean(findings.state_cost(make_row(), SERVICES, partial, "EUR")) == (
        "IT cost 1,000.00 EUR so far in Feb 2026: no delivery of timesheets"
    )
    after = dataclasses.replace(FEBRUARY, previous_missing="no delivery of timesheets")
    row = make_row(budget_amount=None)
    assert clean(findings.state_cost(row, SERVICES, after, "EUR")) == (
        "IT cost 1,000.00 EUR in Feb 2026"
    )


def test_of_nothing_and_from_a_credit_to_a_cost_there_is_no_percentage() -> None:
    row = make_row(budget_amount=Decimal(0))
    assert clean(findings.state_cost(row, SERVICES.iloc[:0], FEBRUARY, "EUR")) == (
        "IT cost 1,000.00 EUR in Feb 2026, 1,000.00 EUR over budget"
    )
    row = make_row(budget_amount=None, previous_amount=Decimal(-50))
    assert clean(findings.state_cost(row, SERVICES.iloc[:0], FEBRUARY, "EUR")) == (
        "IT cost 1,000.00 EUR in Feb 2026, 1,050.00 EUR more than in Jan 2026"
    )


def test_cost_against_the_month_before_where_there_is_no_budget() -> None:
    """What fell is not named as the cause of a rise."""
    mixed = make_services([Decimal(400), Decimal(380), Decimal(1)], [-50, 20, 900])
    sentence = findings.state_cost(make_row(budget_amount=None), mixed, FEBRUARY, "EUR")
    assert clean(sentence) == (
        "IT cost 1,000.00 EUR in Feb 2026, 16.3 % more than in Jan 2026; "
        "E-mail rose most (+20.00 EUR)"
    )
    falling = make_services([Decimal(400), Decimal(380), Decimal(1)], [-50, -20, 900])
    sentence = findings.state_cost(make_row(budget_amount=None), falling, FEBRUARY, "EUR")
    assert clean(sentence) == "IT cost 1,000.00 EUR in Feb 2026, 16.3 % more than in Jan 2026"


def test_what_drivers_moved_is_the_cause_of_no_change() -> None:
    """E-mail has 70.00 more, of which drivers moved 65.00 to it; storage has 8.00 more of cost."""
    services = make_services([Decimal(400), Decimal(380), Decimal(1)], [10, 70, 900])
    costs = pd.Series([Decimal(8), Decimal(5), Decimal(900)], dtype=object)
    services = services.assign(cost_change_amount=costs)
    sentence = findings.state_cost(make_row(budget_amount=None), services, FEBRUARY, "EUR")
    assert clean(sentence) == (
        "IT cost 1,000.00 EUR in Feb 2026, 16.3 % more than in Jan 2026; "
        "Storage rose most by its cost (+8.00 EUR)"
    )


def test_where_the_total_falls_the_largest_fall_is_named() -> None:
    mixed = make_services([Decimal(400), Decimal(380), Decimal(1)], [-70, 20, 900])
    row = make_row(amount=Decimal(810), budget_amount=None)
    assert clean(findings.state_cost(row, mixed, FEBRUARY, "EUR")) == (
        "IT cost 810.00 EUR in Feb 2026, 5.8 % less than in Jan 2026; "
        "Storage fell most (-70.00 EUR)"
    )


def test_cost_of_a_first_month_claims_no_change() -> None:
    first = make_services([None, None, None], [50, 20, 900])
    row = make_row(budget_amount=None, previous_amount=None)
    sentence = findings.state_cost(row, first, FEBRUARY, "EUR")
    assert clean(sentence) == "IT cost 1,000.00 EUR in Feb 2026"


def test_cost_of_a_budget_and_of_an_empty_month() -> None:
    assert clean(findings.state_cost(make_row(), SERVICES, BUDGETED, "EUR")) == (
        "IT is budgeted at 1,000.00 EUR in Feb 2026"
    )
    assert clean(findings.state_cost(make_row(amount=None), SERVICES, FEBRUARY, "EUR")) == (
        "No IT cost in Feb 2026"
    )


def test_year_end_landing() -> None:
    row = {
        "outlook_amount": Decimal(2750),
        "budget_year_amount": Decimal(2650),
        "last_actual_period_id": "2026-02",
    }
    assert clean(findings.state_outlook(row, 2026, "EUR")) == (
        "2026 lands at 2,750.00 EUR, 3.8 % over its budget of 2,650.00 EUR: actual cost to "
        "Feb 2026 and the budget of the months after it."
    )


def make_units(*rows: tuple[str, str, int]) -> pd.DataFrame:
    total = Decimal(sum(cost for _, _, cost in rows))
    return pd.DataFrame(
        [
            {
                "business_unit_id": unit_id,
                "business_unit_name": name,
                "cost_amount": Decimal(cost),
                "total_amount": total,
                "variance_amount": Decimal(cost) - 199,
            }
            for unit_id, name, cost in rows
        ],
        columns=[
            *("business_unit_id", "business_unit_name", "cost_amount", "total_amount"),
            "variance_amount",
        ],
    )


@pytest.mark.parametrize(
    ("units", "values", "expected"),
    [
        (
            make_units(("SAL", "Sales", 300), ("FIN", "Finance", 100)),
            {"amount": Decimal(400), "budget_amount": Decimal(390)},
            "E-mail cost 400.00 EUR in Feb 2026, 2.6 % over budget; "
            "Sales is most over budget (+101.00 EUR)",
        ),
        (
            make_units(("(unallocated)", "(unallocated)", 40)),
            {"amount": Decimal(40), "budget_amount": None},
            "E-mail cost 40.00 EUR in Feb 2026; nobody is known to use it",
        ),
        (
            make_units(),
            {"amount": Decimal(0), "full_amount": Decimal(200), "passed_on_amount": Decimal(200)},
            "E-mail costs 200.00 EUR in Feb 2026 and passes all of it on to other services",
        ),
        (make_units(), {"amount": None}, "E-mail has no cost in Feb 2026"),
    ],
)
def test_one_service(units: pd.DataFrame, values: dict[str, Any], expected: str) -> None:
    row = make_row(**{"passed_on_amount": Decimal(0), **values})
    assert clean(findings.state_service("E-mail", row, units, FEBRUARY, "EUR")) == expected


@pytest.mark.parametrize(
    ("open_amount", "difference", "expected"),
    [
        (Decimal(70), Decimal(0), "; 70.00 EUR has no payer yet"),
        (Decimal(0), Decimal(0), "; every cent ties to the ledger"),
        (Decimal(70), Decimal("-0.01"), ", which does not tie to the ledger by -0.01 EUR"),
        (Decimal(0), None, ""),
    ],
)
def test_chargeback_says_first_what_is_wrong(
    open_amount: Decimal, difference: Decimal | None, expected: str
) -> None:
    total = {"business_unit_count": 2, "billed_amount": Decimal(850)}
    sentence = findings.state_chargeback(total, open_amount, difference, FEBRUARY, "EUR")
    assert clean(sentence) == f"2 business units are billed 850.00 EUR for Feb 2026{expected}"


FACTS = {
    "service_name": "Storage",
    "unit_code": "gb-month",
    "sla_attainment_target_share": Decimal("0.95"),
}


def test_benchmark_against_reference_and_service_level() -> None:
    reference = {
        "source_name": "Peers",
        "publication_year": 2025,
        "median_value": Decimal("0.04"),
    }
    sentence = findings.state_benchmark(
        FACTS,
        {"unit_cost": Decimal("0.05"), "budget_unit_cost": None},
        reference=reference,
        quality={"sla_attainment_share": Decimal("0.9")},
        selection=FEBRUARY,
        currency="EUR",
    )
    assert clean(sentence) == (
        "Storage costs 0.0500 EUR per gb-month in Feb 2026, 25.0 % over the median of Peers 2025"
    )


def test_benchmark_without_a_quantity_or_reference() -> None:
    def state(unit_cost: Decimal | None) -> str:
        row = {"unit_cost": unit_cost, "budget_unit_cost": Decimal("0.04")}
        return clean(
            findings.state_benchmark(
                FACTS, row, reference=None, quality=None, selection=FEBRUARY, currency="EUR"
            )
        )

    assert state(None) == "Storage has no unit cost in Feb 2026: no quantity is measured"
    assert state(Decimal("0.05")) == (
        "Storage costs 0.0500 EUR per gb-month in Feb 2026, 25.0 % over budget"
    )


def test_reference_in_another_currency_or_unit_is_not_compared() -> None:
    references = pd.DataFrame(
        [
            ("unit_cost", "gb-month", "EUR", Decimal("0.04")),
            ("unit_cost", "gb-month", "USD", Decimal("0.03")),
            ("unit_cost", "tb-month", "EUR", Decimal("40")),
            ("cost_per_ticket", "gb-month", "EUR", Decimal("1")),
            ("unit_cost", "gb-month", "EUR", None),
        ],
        columns=["metric", "unit_code", "currency_code", "median_value"],
    )
    kept = findings.find_comparable_references(references, "gb-month", "EUR")
    assert list(kept["median_value"]) == [Decimal("0.04")]


def make_parts(mapped: int, unmapped: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "target_kind": ["service", "service"],
            "bill_amount": [Decimal(mapped + unmapped)] * 2,
            "mapped_amount": [Decimal(mapped)] * 2,
            "open_amount": [Decimal(unmapped)] * 2,
        }
    )


def make_keys(*amounts: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "target_kind": ["service"] * len(amounts),
            "key_kind": ["sub_account"] * len(amounts),
            "key_value": [f"acc-{number}" for number in range(len(amounts))],
            "amount": [Decimal(amount) for amount in amounts],
        }
    )


@pytest.mark.parametrize(
    ("parts", "keys", "expected"),
    [
        (
            make_parts(90, 10),
            make_keys(6, 4),
            "90.0 % of the cloud bill of Feb 2026 has a service; 10.00 EUR has none, "
            "most of it in sub-account acc-0",
        ),
        (
            make_parts(90, 10),
            make_keys(5, 5),
            "90.0 % of the cloud bill of Feb 2026 has a service; 10.00 EUR has none",
        ),
        (make_parts(100, 0), make_keys(), "The whole cloud bill of Feb 2026 has a service"),
        (
            make_parts(-30, 10),
            make_keys(),
            "10.00 EUR of the cloud bill of Feb 2026 has no service",
        ),
    ],
)
def test_coverage_states_the_share_and_where_the_rest_is(
    parts: pd.DataFrame, keys: pd.DataFrame, expected: str
) -> None:
    assert clean(findings.state_coverage(parts, keys, FEBRUARY, "EUR")) == expected
