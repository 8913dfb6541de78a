"""The page on rules: those that made the figures, and what changed since the close before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from pipelines.close.evidence_pack.records import Page, Row, Section, Table
from pipelines.close.evidence_pack.rule_books import Rule, name_kind
from pipelines.close.evidence_pack.rule_changes import find_changes


@dataclass(frozen=True)
class EarlierRules:
    """The rules of an earlier close that those of a period are compared with."""

    name: str
    """Such as '2026-02 version 1'."""
    file: str
    rules: tuple[Rule, ...]


def make_rules(rules: Sequence[Rule], earlier: Sequence[EarlierRules]) -> Page:
    """All rules by kind, and the changes since each of the `earlier` closes."""
    sections = [_compare(rules, item) for item in earlier] or [
        Section("Changes", ("No period was closed before: there is nothing to compare with.",))
    ]
    lines: list[Row] = [
        (rule.kind, rule.rule_id, rule.holds, name, value)
        for rule in rules
        for name, value in rule.fields.items()
    ]
    sections.append(
        Section(
            "All rules",
            (
                f"{len(rules)} rules as they were compiled for the run, by kind. 'Holds' says "
                "whether a rule holds in this period, by its dates. The file has a row per field:",
            ),
            Table(
                ("kind", "rule", "holds", "field", "value"),
                tuple(lines),
                file="rules.csv",
                is_shown=False,
            ),
        )
    )
    for kind, group in groupby(rules, key=lambda rule: rule.kind):
        rows: tuple[Row, ...] = tuple((rule.rule_id, rule.holds, rule.text) for rule in group)
        sections.append(Section(name_kind(kind), table=Table(("rule", "holds", "it_says"), rows)))
    return Page("rules", "Rules and their changes", _summarise(rules, earlier), tuple(sections))


def _compare(rules: Sequence[Rule], earlier: EarlierRules) -> Section:
    rows: list[Row] = [
        (change.kind, change.rule_id, change.change, change.field, change.before, change.after)
        for change in find_changes(earlier.rules, rules)
    ]
    columns = ("kind", "rule", "change", "field", "before", "after")
    return Section(
        f"Changes since {earlier.name}",
        ("The rules of this run against those that were frozen with that close.",),
        Table(columns, tuple(rows), file=earlier.file),
        "No rule was added, changed or removed.",
    )


def _summarise(rules: Sequence[Rule], earlier: Sequence[EarlierRules]) -> str:
    if not earlier:
        return f"{len(rules)} rules; no close before to compare them with."
    changes = find_changes(earlier[0].rules, rules)
    counts = Counter(
        kind for kind, _ in {(item.change, (item.kind, item.rule_id)) for item in changes}
    )
    said = ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))
    return f"{len(rules)} rules. Since {earlier[0].name}: {said or 'none changed'}."
