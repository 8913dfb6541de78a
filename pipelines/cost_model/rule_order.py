"""Check the rules of one file against each other: what shadows what, in which order and when.

Three mistakes that a reader of single rules does not see, each refused before anything is computed:

- a rule that never matches, because one before it takes all that it could match;
- two rules for the same money that both hold for a while, as happens where an end date is
  forgotten when the follower is written;
- a gap in time between a rule and its follower, in which no rule holds for the money of both.

Only what is certain is said, see `rule_spans`. A rule that is limited in time and stands before one
of the same money without an end is an exception for that time, and right. Gaps count where a period
begins in them, because rules hold in a period by its first day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipelines.cost_model.reference_checks import RuleFile
from pipelines.cost_model.rule_spans import (
    Conditions,
    covers_match,
    covers_span,
    holds_on,
    list_conditions,
    overlap,
)

Periods = Sequence[tuple[str, date]]
"""(period, first day), in order."""


@dataclass(frozen=True)
class _Rule:
    """What of a rule is compared. Its conditions are listed once: pairs of rules are many."""

    index: int
    id: str
    priority: int
    valid_from: date | None
    valid_to: date | None
    conditions: Conditions


def check_order(file: RuleFile, rules: list[Any], periods: Periods) -> None:
    """Collect in `file` the rules that cannot match, that overlap, or that leave a gap.

    Rules whose own form is wrong are left out: what they match is not known.
    """
    misread = {problem.rule_id for problem in file.problems if problem.field is not None}
    known = [
        _Rule(
            index,
            rule.id,
            rule.priority,
            rule.valid_from,
            rule.valid_to,
            list_conditions(rule.match),
        )
        for index, rule in enumerate(rules)
        if rule.id and rule.id not in misread
    ]
    for rule in known:
        taker = _find_taker(rule, known)
        if taker is not None:
            _complain_never(file, rule, taker)
        else:
            _check_overlap(file, rule, known)
            _check_gap(file, rule, known, periods)


def _find_taker(rule: _Rule, rules: list[_Rule]) -> _Rule | None:
    """The first rule that comes before and takes all."""
    takers = [
        other
        for other in rules
        if other.priority < rule.priority
        and covers_span(other, rule)
        and covers_match(other.conditions, rule.conditions)
    ]
    return min(takers, key=lambda other: other.priority, default=None)


def _complain_never(file: RuleFile, rule: _Rule, taker: _Rule) -> None:
    file.complain(
        ("rules", rule.index, "match"),
        f"can never match: rule {taker.id} takes all of its money before",
        rule.id,
        "Give it a lower priority number, narrow the earlier rule, or remove it.",
        expected=f"a priority below {taker.priority}",
        found=str(rule.priority),
    )


def _check_overlap(file: RuleFile, rule: _Rule, rules: list[_Rule]) -> None:
    """`rule` begins while another one of the same money still holds, and lasts longer."""
    for other in rules:
        if (
            rule.valid_from is not None
            and other.valid_to is not None
            and (other.valid_from is None or other.valid_from < rule.valid_from)
            and overlap(other, rule)
            and not covers_span(other, rule)
            and other.priority != rule.priority
            and covers_match(other.conditions, rule.conditions)
            and covers_match(rule.conditions, other.conditions)
        ):
            file.complain(
                ("rules", rule.index, "valid_from"),
                f"holds for the same money as rule {other.id} from {rule.valid_from} to "
                f"{other.valid_to}",
                rule.id,
                f"End rule {other.id} on the day on which this one begins.",
                expected=f"valid_from {other.valid_to} or later",
                found=str(rule.valid_from),
            )


def _check_gap(file: RuleFile, rule: _Rule, rules: list[_Rule], periods: Periods) -> None:
    """Some time before `rule` begins, another one of the same money ended, and none holds since."""
    start = rule.valid_from
    if start is None:
        return
    ended = [
        (other.valid_to, other)
        for other in rules
        if other.valid_to is not None
        and other.valid_to < start
        and (
            covers_match(other.conditions, rule.conditions)
            or covers_match(rule.conditions, other.conditions)
        )
    ]
    if not ended:
        return
    end, last = max(ended, key=lambda item: item[0])
    covers = covers_match(last.conditions, rule.conditions)
    money = rule.conditions if covers else last.conditions
    fillers = [other for other in rules if covers_match(other.conditions, money)]
    empty = [
        period_id
        for period_id, day in periods
        if end <= day < start and not any(holds_on(other, day) for other in fillers)
    ]
    if empty:
        span = empty[0] if len(empty) == 1 else f"{empty[0]} to {empty[-1]}"
        file.complain(
            ("rules", rule.index, "valid_from"),
            f"leaves a gap in {span}: rule {last.id} of the same money ends on {end}, "
            "and no rule holds in between",
            rule.id,
            "Let one of the two hold in between, or write a rule for that time.",
            expected=f"valid_from {end}",
            found=str(start),
        )
