"""What changed in the rules between two closes: added, removed, changed field by field, and rules
that begin or cease to hold by their dates though nobody changed them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines.close.evidence_pack.rule_books import Rule

WHOLE_RULE = "(all of it)"
ADDED, REMOVED, CHANGED = "added", "removed", "changed"
BEGINS, CEASES = "begins to hold", "ceases to hold"


@dataclass(frozen=True)
class RuleChange:
    """One field of one rule before and after; of a rule that came or went, all of it."""

    kind: str
    rule_id: str
    change: str
    field: str
    before: str | None
    after: str | None


def find_changes(before: Sequence[Rule], after: Sequence[Rule]) -> list[RuleChange]:
    """Every difference, in the order of the rules: first those of `after`, then what is gone."""
    old = {(rule.kind, rule.rule_id): rule for rule in before}
    new = {(rule.kind, rule.rule_id): rule for rule in after}
    changes: list[RuleChange] = []
    for key, rule in new.items():
        if key not in old:
            changes.append(RuleChange(*key, ADDED, WHOLE_RULE, None, rule.text))
        else:
            changes += _compare(old[key], rule)
    changes += [
        RuleChange(*key, REMOVED, WHOLE_RULE, rule.text, None)
        for key, rule in old.items()
        if key not in new
    ]
    return changes


def _compare(before: Rule, after: Rule) -> Iterator[RuleChange]:
    key = (after.kind, after.rule_id)
    for name in dict.fromkeys([*before.fields, *after.fields]):
        was, is_now = before.fields.get(name), after.fields.get(name)
        if was != is_now:
            yield RuleChange(*key, CHANGED, name, was, is_now)
    if before.holds != after.holds:
        change = BEGINS if after.holds else CEASES
        yield RuleChange(*key, change, "by its dates", None, None)
