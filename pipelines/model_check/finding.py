"""What `apportion model check` found: values, in the words of those who answer for the rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pipelines.errors import Problem

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class ModelFinding:
    """One finding. An error has to be corrected, a warning has to be known."""

    severity: Severity
    title: str
    place: str | None
    """File and line, as in 'cost_model/towers.yml:12'."""
    rule_id: str | None
    """The rule, or the service or driver, that it is about."""
    found: str
    expected: str | None
    remedy: str | None
    scenario_id: str | None = None
    period_id: str | None = None
    amount: Decimal | None = None
    """In the reporting currency."""


def make_finding(problem: Problem) -> ModelFinding:
    """A problem of the files as a finding."""
    found = problem.message
    if problem.found is not None:
        found += f"; found {problem.found}"
    if problem.field is not None:
        found = f"{problem.field}: {found}"
    return ModelFinding(
        "error",
        "Rule file is wrong",
        problem.file,
        problem.rule_id,
        found,
        problem.expected,
        problem.remedy,
    )


def join_names(names: Sequence[str], shown: int) -> str:
    """The first of the names, and how many more there are."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def join_periods(found: Iterable[str], calendar: Sequence[str]) -> str:
    """Periods in words, those in a row as a span: '2026-01 to 2026-03, 2026-05'."""
    wanted = set(found)
    spans: list[list[str]] = []
    for position, period_id in enumerate(calendar):
        if period_id not in wanted:
            continue
        if position and spans and spans[-1][-1] == calendar[position - 1]:
            spans[-1].append(period_id)
        else:
            spans.append([period_id])
    return ", ".join(span[0] if len(span) == 1 else f"{span[0]} to {span[-1]}" for span in spans)
