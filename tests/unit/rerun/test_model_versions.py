"""Which entries of two versions of the rules differ, and in which order they are applied."""

from __future__ import annotations

from typing import Any

from pipelines.rerun.compare import STEPS_APART, _group_changes
from pipelines.rerun.model_versions import ModelVersion, RuleChange, find_rule_changes

COLUMNS = {
    "pools": ["cost_pool_id", "cost_pool_name"],
    "pool_rules": ["rule_id", "priority", "cost_pool_id"],
    "tower_rules": ["rule_id", "priority"],
    "tower_rule_receivers": ["rule_id", "receiver_id", "weight"],
    "split_parts": ["stop_code", "rule_id", "part_code", "method"],
    "services": ["service_id", "service_name"],
    "shared_service_order": ["service_id", "position"],
    "tagging_rules": ["rule_id", "priority"],
    "prices": ["price_id", "amount"],
}


def make_version(method: str = "direct", **rows: list[Any]) -> ModelVersion:
    return ModelVersion("a", {table: rows.get(table, []) for table in COLUMNS}, method, COLUMNS)


def describe(before: ModelVersion, after: ModelVersion) -> list[tuple[str, str]]:
    return [(str(change), change.what) for change in find_rule_changes(before, after)]


def test_equal_versions_differ_in_nothing() -> None:
    """The order of rows is no difference."""
    one = make_version(pools=[("a", "A"), ("b", "B")])
    assert describe(one, make_version(pools=[("b", "B"), ("a", "A")])) == []


def test_changes_are_said_and_ordered() -> None:
    """New pools before the rules that name them, old ones after; unknown kinds come first."""
    before = make_version(
        pools=[("old", "Old")],
        pool_rules=[("r", 10, "old")],
        tower_rules=[("t", 1)],
        tower_rule_receivers=[("t", "x", 60), ("t", "y", 40)],
        services=[("s", "S")],
        shared_service_order=[("s", 0)],
        prices=[("p", 1)],
    )
    after = make_version(
        "reciprocal",
        pools=[("new", "New")],
        pool_rules=[("r", 10, "new")],
        tower_rules=[("t", 1)],
        tower_rule_receivers=[("t", "x", 100)],
        services=[("s", "S")],
        tagging_rules=[("g", 1)],
        prices=[("p", 2)],
    )
    assert describe(before, after) == [
        ("prices p", "amount 1 -> 2"),
        ("cost pool new", "added"),
        ("tagging", "tagging_rules"),
        ("pool rule r", "cost_pool_id old -> new"),
        ("tower rule t", "receivers"),
        ("shared services", "method direct -> reciprocal; order"),
        ("cost pool old", "removed"),
    ]


def test_parts_belong_to_the_rule_or_service_that_they_split() -> None:
    before = make_version(split_parts=[("towers", "r", "all", "even")])
    after = make_version(
        split_parts=[("towers", "r", "all", "driver"), ("consumers", "s", "all", "even")]
    )
    assert describe(before, after) == [
        ("service s", "parts"),
        ("tower rule r", "method even -> driver"),
    ]


def test_what_is_not_compiled_from_rules_is_no_difference() -> None:
    """The published run has more tables in its schema, such as its loads."""
    published = make_version()
    published.rows["loads"] = [(1, "file")]
    assert describe(published, make_version()) == []


def test_many_changes_are_steps_by_kind() -> None:
    few = [RuleChange("tower rule", str(number), "added") for number in range(STEPS_APART)]
    assert len(_group_changes(few)) == STEPS_APART
    many = [*few, RuleChange("driver", "d", "added")]
    assert [(name, len(group)) for name, group in _group_changes(many)] == [
        ("tower rule, all changes", STEPS_APART),
        ("driver, all changes", 1),
    ]
