"""Parts of the evidence pack by themselves: changes of rules field by field, tables as files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from pipelines.close.evidence_pack.frozen_figures import FrozenFigures
from pipelines.close.evidence_pack.records import Page, Section, Table
from pipelines.close.evidence_pack.render_csv import render_csv
from pipelines.close.evidence_pack.render_html import MOST_ROWS, render_page
from pipelines.close.evidence_pack.rule_books import Rule, read_rules
from pipelines.close.evidence_pack.rule_changes import find_changes
from pipelines.close.evidence_pack.rules_page import EarlierRules, make_rules


def test_a_changed_rule_is_said_field_by_field() -> None:
    before = [
        Rule("pool_rules", "cloud", {"accounts": "6410", "reason": "By contract"}),
        Rule("pool_rules", "old", {"accounts": "6999"}),
        Rule("tower_rules", "cloud", {"method": "even"}, holds=True),
    ]
    after = [
        Rule("pool_rules", "cloud", {"accounts": "6410, 6420", "priority": "5"}),
        Rule("pool_rules", "new", {"accounts": "6500"}),
        Rule("tower_rules", "cloud", {"method": "even"}, holds=False),
    ]
    found = [
        (item.kind, item.rule_id, item.change, item.field, item.before, item.after)
        for item in find_changes(before, after)
    ]
    assert found == [
        ("pool_rules", "cloud", "changed", "accounts", "6410", "6410, 6420"),
        ("pool_rules", "cloud", "changed", "reason", "By contract", None),
        ("pool_rules", "cloud", "changed", "priority", None, "5"),
        ("pool_rules", "new", "added", "(all of it)", None, "accounts: 6500"),
        ("tower_rules", "cloud", "ceases to hold", "by its dates", None, None),
        ("pool_rules", "old", "removed", "(all of it)", "accounts: 6999", None),
    ]
    assert find_changes(after, after) == []


@pytest.fixture
def figures(tmp_path: Path) -> Iterator[FrozenFigures]:
    with duckdb.connect() as connection:
        connection.execute(f"attach '{tmp_path / 'figures.duckdb'}' as figures; use figures")
        connection.execute(
            """
            create schema model;
            create table model.periods as
                select '2026-03' as period_id, date '2026-03-01' as period_start;
            create table model.pool_rules as select * from (values
                ('a', ['60*'], 1.50::decimal(9, 4), null::date, date '2026-03-01'),
                ('b', ['61*', '62*'], null, date '2026-03-01', null),
                ('c', null, null, date '2026-03-02', null)
            ) as rules (rule_id, accounts, factor, valid_from, valid_to);
            create table model.service_policies as
                select 'mail' as service_id, 'rate' as policy_code, true as is_capped;
            create table model.posted_items as select '2026-03' as period_id, 'x' as item_id;
            """
        )
        tables = frozenset(f"model.{name}" for name in ("periods", "pool_rules", "posted_items"))
        yield FrozenFigures(connection, "2026-03", tables | {"model.service_policies"})


def test_rules_hold_from_their_first_day_until_before_their_last(figures: FrozenFigures) -> None:
    """valid_from is inclusive, valid_to exclusive, and a rule holds that holds on the first day."""
    rules = {rule.rule_id: rule for rule in read_rules(figures) if rule.kind == "pool_rules"}
    assert {name: rule.holds for name, rule in rules.items()} == {"a": False, "b": True, "c": False}
    assert rules["a"].text == "accounts: 60*; factor: 1.5; valid to: 2026-03-01"
    assert rules["b"].fields["accounts"] == "61*, 62*"


def test_a_kind_of_rule_that_nobody_has_named_is_a_rule_all_the_same(
    figures: FrozenFigures,
) -> None:
    (rule,) = [rule for rule in read_rules(figures) if rule.kind not in ("pool_rules",)]
    assert (rule.kind, rule.rule_id) == ("service_policies", "mail")
    assert rule.fields == {"policy": "rate", "is capped": "yes"}


def test_csv_keeps_digits_and_runs_nothing() -> None:
    table = Table(
        ("=a", "amount", "day", "done", "none"),
        (
            ("@x", Decimal("-1234.5000"), date(2026, 3, 31), True, None),
            (' +1, "two"\nlines', Decimal("1E+3"), None, False, 3),
            ("-", Decimal("0.00000001"), None, None, None),
        ),
    )
    assert render_csv(table).decode("utf-8-sig") == (
        "'=a,amount,day,done,none\r\n"
        "'@x,-1234.5000,2026-03-31,yes,\r\n"
        '"\' +1, ""two""\nlines",1000,,no,3\r\n'
        "'-,0.00000001,,,\r\n"
    )


def test_a_page_shows_the_first_rows_and_names_the_file_with_all() -> None:
    rows = tuple((f"row {number}", number) for number in range(MOST_ROWS + 3))
    table = Table(("name", "number"), rows, numeric=(1,), file="all.csv")
    page = Page("long", "A <long> page", "It has & needs rows.", (Section("Rows", (), table),))
    text = render_page(page, [page], "origin", is_preview=False).decode()
    assert text.count("<tr>") == MOST_ROWS + 1
    assert "3 more rows are in it" in text
    assert "<h1>A &lt;long&gt; page</h1>" in text
    assert "It has &amp; needs rows." in text
    assert "Preview" not in text


def test_the_page_on_rules_counts_rules_that_changed_not_their_fields() -> None:
    """Two fields of one rule changed, one rule came, none went."""
    before = (Rule("pools", "a", {"x": "1", "y": "1"}), Rule("pools", "b", {"x": "1"}))
    after = (
        Rule("pools", "a", {"x": "2", "y": "2"}),
        Rule("pools", "b", {"x": "1"}),
        Rule("pools", "c", {"x": "9"}),
    )
    earlier = EarlierRules("2026-02 version 1", "rule_changes.csv", before)
    page = make_rules(after, [earlier])
    assert page.summary == "3 rules. Since 2026-02 version 1: 1 added, 1 changed."
    changes = page.sections[0].table
    assert changes is not None
    assert changes.rows == (
        ("pools", "a", "changed", "x", "1", "2"),
        ("pools", "a", "changed", "y", "1", "2"),
        ("pools", "c", "added", "(all of it)", None, "x: 9"),
    )
    assert make_rules(after, []).summary == "3 rules; no close before to compare them with."
