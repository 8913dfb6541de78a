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
from datetime import date
from typing import Any

from pipelines.cost_model.reference_checks import RuleFile
from pipelines.cost_model.rule_spans import covers_match, covers_span, holds_on, overlap

Periods = Sequence[tuple[str, date]]
"""(period, first day), in order."""


def check_order(file: RuleFile, rules: list[Any], periods: Periods) -> None:
    """Collect in `file` the rules that cannot match, that overlap, or that leave a gap.

    Rules whose own form is wrong are left out: what they match is not known.
    """
    misread = {problem.rule_id for problem in file.problems if problem.field is not None}
    known = [
        (index, rule) for index, rule in enumerate(rules) if rule.id and rule.id not in misread
    ]
    for index, rule in known:
        others = [other for _, other in known if other is not rule]
        taker = _find_taker(rule, others)
        if taker is not None:
            _complain_never(file, index, rule, taker)
            continue
        _check_overlap(file, index, rule, others)
        _check_gap(file, index, rule, others, periods)


def _find_taker(rule: Any, others: list[Any]) -> Any | None:
    """The first rule that comes before and takes all."""
    takers = [
        other
        for other in others
        if other.priority < rule.priority
        and covers_span(other, rule)
        and covers_match(other.match, rule.match)
    ]
    return min(takers, key=lambda other: int(other.priority), default=None)


def _complain_never(file: RuleFile, index: int, rule: Any, taker: Any) -> None:
    file.complain(
        ("rules", index, "match"),
        f"can never match: rule {taker.id} takes all of its money before",
        rule.id,
        "Give it a lower priority number, narrow the earlier rule, or remove it.",
        expected=f"a priority below {taker.priority}",
        found=str(rule.priority),
    )


def _check_overlap(file: RuleFile, index: int, rule: Any, others: list[Any]) -> None:
    """`rule` begins while another one of the same money still holds, and lasts longer."""
    for other in others:
        if (
            rule.valid_from is not None
            and other.valid_to is not None
            and (other.valid_from is None or other.valid_from < rule.valid_from)
            and overlap(other, rule)
            and not covers_span(other, rule)
            and other.priority != rule.priority
            and covers_match(other.match, rule.match)
            and covers_match(rule.match, other.match)
        ):
            file.complain(
                ("rules", index, "valid_from"),
                f"holds for the same money as rule {other.id} from {rule.valid_from} to "
                f"{other.valid_to}",
                rule.id,
                f"End rule {other.id} on the day on which this one begins.",
                expected=f"valid_from {other.valid_to} or later",
                found=str(rule.valid_from),
            )


def _check_gap(file: RuleFile, index: int, rule: Any, others: list[Any], periods: Periods) -> None:
    """Some time before `rule` begins, another one of the same money ended, and none holds since."""
    if rule.valid_from is None:
        return
    before = [
        other
        for other in others
        if other.valid_to is not None
        and other.valid_to < rule.valid_from
        and (covers_match(other.match, rule.match) or covers_match(rule.match, other.match))
    ]
    if not before:
        return
    last = max(before, key=lambda other: date.toordinal(other.valid_to))
    money = rule.match if covers_match(last.match, rule.match) else last.match
    empty = [
        period_id
        for period_id, start in periods
        if last.valid_to <= start < rule.valid_from
        and not any(holds_on(other, start) and covers_match(other.match, money) for other in others)
    ]
    if empty:
        span = empty[0] if len(empty) == 1 else f"{empty[0]} to {empty[-1]}"
        file.complain(
            ("rules", index, "valid_from"),
            f"leaves a gap in {span}: rule {last.id} of the same money ends on {last.valid_to}, "
            "and no rule holds in between",
            rule.id,
            "Let one of the two hold in between, or write a rule for that time.",
            expected=f"valid_from {last.valid_to}",
            found=str(rule.valid_from),
        )
