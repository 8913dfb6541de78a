"""What a suite is made of, and that each check says what it is."""

from __future__ import annotations

from datetime import date

import pytest

from pipelines.checks.check import Check
from pipelines.checks.family_checks import get_key_columns
from pipelines.checks.plan import CheckedSource, CheckPlan
from pipelines.checks.subjects import Subject, list_subjects
from pipelines.checks.suites import build_expectations
from pipelines.contracts.contract import list_contract_ids, load_contract

TODAY = date(2026, 4, 20)


def _list(*sources: CheckedSource) -> list[Subject]:
    known = dict.fromkeys(("services", "towers", "units"), ("one",))
    return list_subjects(CheckPlan(sources, TODAY, "general_ledger", known))


def _list_checks(contract_id: str) -> tuple[Check, ...]:
    (subject,) = _list(CheckedSource(contract_id, contract_id))
    return subject.checks


def test_ledger_has_one_check_per_demand() -> None:
    masters = (CheckedSource("a", "chart_of_accounts"), CheckedSource("c", "cost_centres"))
    ledger = _list(CheckedSource("general_ledger", "general_ledger"), *masters)[0]
    assert [check.check_id for check in ledger.checks] == [
        "has_records",
        "line_id_filled",
        "period_id_filled",
        "posting_date_filled",
        "legal_entity_id_filled",
        "account_id_filled",
        "cost_centre_id_filled",
        "currency_code_filled",
        "amount_local_filled",
        "texts_not_blank",
        "amount_within_range",
        "posting_date_near_period",
        "key_unique",
        "amount_outweighs_period",
        "posted_twice",
        # No check of lateness: the ledger is the control total.
        "volume_steady",
        "amount_steady",
        "fields_stay_filled",
        "account_id_known_to_accounts",
        "cost_centre_id_known_to_cost_centres",
    ]


@pytest.mark.parametrize("contract_id", list_contract_ids())
def test_each_check_says_what_it_is(contract_id: str) -> None:
    checks = _list_checks(contract_id)
    ids = [check.check_id for check in checks]
    assert len(set(ids)) == len(ids)
    for check in checks:
        assert check.severity in ("error", "warning")
        assert check.sentence.endswith(".")


def test_expectations_carry_the_checks_and_no_parameter_in_their_words() -> None:
    (subject,) = _list(CheckedSource("pay_in_$x", "payroll"))
    expectations = build_expectations(subject)
    assert [(e.meta or {})["check_id"] for e in expectations] == [
        check.check_id for check in subject.checks
    ]
    # The pages would take what follows a dollar sign for the name of a parameter.
    assert not [e for e in expectations if "$" in str(e.description)]


def test_numbers_of_senders_are_unique_per_source_only() -> None:
    assert get_key_columns(load_contract("general_ledger")) == (
        "_scenario_id",
        "_source_id",
        "line_id",
    )
    assert get_key_columns(load_contract("headcount")) == (
        "_scenario_id",
        "period_id",
        "cost_centre_id",
    )


def test_a_source_may_have_a_key_of_its_own_or_none() -> None:
    usage = load_contract("service_usage")
    assert get_key_columns(usage, ("period_id", "unit_code")) == (
        "_scenario_id",
        "_source_id",
        "period_id",
        "unit_code",
    )
    assert get_key_columns(usage, ()) == ()


def test_a_bill_without_a_key_has_no_check_of_it() -> None:
    assert "key_unique" not in [check.check_id for check in _list_checks("cloud_bill")]


def _list_ids(subject: Subject) -> set[str]:
    return {check.check_id for check in subject.checks}


def test_sources_of_one_contract_are_judged_apart_and_their_groups_together() -> None:
    first, second, family, plan = _list(
        CheckedSource("use_a", "service_usage"),
        CheckedSource("use_b", "service_usage"),
        CheckedSource("planned_use", "service_usage", "budget"),
    )
    together = {"key_unique", "one_unit_per_service"}
    assert family.source_ids == ("use_a", "use_b")
    assert _list_ids(family) == together
    assert not _list_ids(first) & together
    assert not _list_ids(second) & together
    # A plan is another scenario: it may repeat what is actual, and stands alone.
    assert plan.source_ids == ("planned_use",)
    assert together < _list_ids(plan)


def test_a_source_whose_records_may_repeat_is_not_asked_for_its_key() -> None:
    (alone,) = _list(CheckedSource("use", "service_usage", unique_key=()))
    assert "key_unique" not in _list_ids(alone)
    subjects = _list(
        CheckedSource("use_a", "service_usage", unique_key=()),
        CheckedSource("use_b", "service_usage"),
        CheckedSource("use_c", "service_usage"),
    )
    asked = {s.source_ids: "key_unique" in _list_ids(s) for s in subjects}
    assert asked == {
        ("use_a",): False,
        ("use_b",): False,
        ("use_c",): False,
        ("use_b", "use_c"): True,
        ("use_a", "use_b", "use_c"): False,
    }


def test_the_only_source_with_the_key_of_its_contract_is_asked_for_it_alone() -> None:
    subjects = _list(
        CheckedSource("use_a", "service_usage", unique_key=()),
        CheckedSource("use_b", "service_usage"),
    )
    asked = {s.source_ids: "key_unique" in _list_ids(s) for s in subjects}
    assert asked == {("use_a",): False, ("use_b",): True, ("use_a", "use_b"): False}
