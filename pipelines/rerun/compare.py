"""The same month under other methods, or under two versions of the cost model.

Every variant is a rerun of the published run; the ledger is the same in all of them, so their
totals are equal, which is proven. Between two versions of the model every changed entry is applied
on its own, one after the other in the order shown: the effects of the steps sum to the whole
difference exactly. Where changes act on each other, another order would share it out otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.errors import ConfigurationError, ControlError, Problem
from pipelines.rerun.engine import Rerun, Scope, open_rerun
from pipelines.rerun.inputs import replace_method
from pipelines.rerun.model_versions import (
    ModelVersion,
    RuleChange,
    apply_rule_changes,
    compile_version,
    find_rule_changes,
    find_rule_files,
    read_published_version,
)
from pipelines.rerun.outcome import (
    ZERO,
    Figures,
    Line,
    compare,
    find_largest,
    is_unborne,
    read_proven_figures,
    read_published_figures,
    require_equal_totals,
)
from pipelines.rerun.whatif import read_run, require_period

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipelines.cost_model.load import CostModel
    from pipelines.workspace.workspace import Workspace

PUBLISHED_NAME = "published"
STEPS_APART = 20
"""Changed entries that are applied one by one; with more of them, kind by kind."""


@dataclass(frozen=True)
class MethodLine:
    """One row: what it bears under each method, in the order asked for."""

    row_id: str
    row_name: str
    amounts: tuple[Decimal, ...]
    through: str
    """The service (of a service the business unit) that differs most in it, and by how much."""
    through_spread: Decimal

    @property
    def spread(self) -> Decimal:
        return max(self.amounts) - min(self.amounts)


@dataclass(frozen=True)
class MethodComparison:
    """The same cost under several methods."""

    scope: Scope
    run_id: str
    currency_code: str
    methods: tuple[str, ...]
    published_method: str
    lines: list[MethodLine]
    delivered: Decimal


@dataclass(frozen=True)
class Step:
    """One change of the rules, and what it moves when it is applied after those before it."""

    name: str
    what: str
    moved: Decimal
    """Half of the sum of all changes: what somebody gives and somebody else gets."""
    most_on: str
    most_change: Decimal


@dataclass(frozen=True)
class ModelComparison:
    """The same cost under two versions of the rules."""

    scope: Scope
    run_id: str
    currency_code: str
    before_name: str
    after_name: str
    steps: list[Step]
    lines: list[Line]
    """`through` is the step that most of the change comes from."""
    delivered: Decimal
    charged_before: Decimal
    charged_after: Decimal


def compare_methods(
    workspace: Workspace,
    period_id: str,
    methods: Sequence[str],
    *,
    scenario_id: str = "actual",
    detail: str = "business-unit",
) -> MethodComparison:
    """Run the period under each of `methods`. Raises ControlError where one cannot be solved."""
    scope = Scope(scenario_id, period_id)
    figures: dict[str, Figures] = {}
    with open_rerun(workspace, scope) as rerun:
        require_period(rerun)
        published = read_published_version(rerun).shared_method
        for method in methods:
            replace_method(rerun, method)
            figures[method] = read_proven_figures(rerun)
        run_id, currency = read_run(rerun)
    delivered = require_equal_totals(figures)
    lines = _make_method_lines([figures[method] for method in methods], detail)
    lines.sort(key=lambda line: (is_unborne(line.row_id), -line.spread, line.row_id))
    return MethodComparison(scope, run_id, currency, tuple(methods), published, lines, delivered)


def _make_method_lines(figures: list[Figures], detail: str) -> list[MethodLine]:
    names = {row: name for item in figures for row, name in item.names[detail].items()}
    sums = [item.sum_by(detail) for item in figures]
    parts = [item.sum_parts(detail) for item in figures]
    lines = []
    for row in {row for item in sums for row in item}:
        by_part = [item.get(row, {}) for item in parts]
        spreads = {
            name: max(amounts) - min(amounts)
            for name in {name for item in by_part for name in item}
            for amounts in [[item.get(name, ZERO) for item in by_part]]
        }
        amounts = tuple(item.get(row, ZERO) for item in sums)
        lines.append(MethodLine(row, names.get(row, ""), amounts, *find_largest(spreads)))
    return lines


def compare_models(
    workspace: Workspace,
    period_id: str,
    names: Sequence[str],
    *,
    scenario_id: str = "actual",
    detail: str = "business-unit",
) -> ModelComparison:
    """What is published against one version of the rules, or the first of two against the second.

    Raises ConfigurationError where a version is refused.
    """
    models = _load_models(workspace, names)
    with open_rerun(workspace, Scope(scenario_id, period_id)) as rerun:
        require_period(rerun)
        published = read_published_version(rerun)
        pairs = zip(models, names, strict=True)
        versions = [compile_version(rerun, model, published, name) for model, name in pairs]
        before, after = [published, *versions][-2:]
        figures = read_published_figures(rerun)
        if before is not published:
            changes = find_rule_changes(published, before)
            apply_rule_changes(rerun, published, before, changes)
            figures = read_proven_figures(rerun)
        return _compare_versions(rerun, before, after, figures, detail)


def _load_models(workspace: Workspace, names: Sequence[str]) -> list[CostModel]:
    """Every version, read and checked; the problems of all of them at once."""
    from pipelines.cost_model.load import load_cost_model

    models: list[CostModel] = []
    problems: list[Problem] = []
    for name in names:
        with find_rule_files(workspace.root, name) as directory:
            try:
                models.append(load_cost_model(workspace, directory))
            except ConfigurationError as error:
                problems += error.problems
    if problems:
        raise ConfigurationError(problems)
    return models


def _compare_versions(
    rerun: Rerun, before: ModelVersion, after: ModelVersion, first: Figures, detail: str
) -> ModelComparison:
    assert rerun.scope is not None
    steps: list[Step] = []
    parts: dict[str, dict[str, Decimal]] = {}
    last = first
    for name, what, figures in _run_steps(rerun, before, after):
        lines = compare(last, figures, detail)
        for line in lines:
            parts.setdefault(line.row_id, {})[name] = line.change
        steps.append(_make_step(name, what, lines))
        last = figures
    delivered = require_equal_totals({before.name: first, after.name: last})
    lines = [
        replace(line, through=name, through_change=change)
        for line in compare(first, last, detail)
        for name, change in [find_largest(parts.get(line.row_id, {}))]
    ]
    run_id, currency = read_run(rerun)
    names = (before.name, after.name)
    totals = (delivered, first.charged, last.charged)
    return ModelComparison(rerun.scope, run_id, currency, *names, steps, lines, *totals)


def _run_steps(
    rerun: Rerun, before: ModelVersion, after: ModelVersion
) -> Iterator[tuple[str, str, Figures]]:
    """Apply one change after the other: its name, what it is, and the figures from then on."""
    groups = _group_changes(find_rule_changes(before, after))
    version = before
    waiting: list[str] = []
    for number, (name, changes) in enumerate(groups, start=1):
        version = apply_rule_changes(rerun, version, after, changes)
        waiting.append(name)
        try:
            figures = read_proven_figures(rerun)
        except ControlError:
            # Half-way between two sound versions there may be one that cannot be solved.
            if number == len(groups):
                raise
            continue
        what = changes[0].what if len(changes) == 1 else f"{len(changes)} entries"
        yield " + ".join(waiting), what, figures
        waiting = []


def _make_step(name: str, what: str, lines: list[Line]) -> Step:
    moved = sum((abs(line.change) for line in lines), ZERO) / 2
    largest = find_largest({line.row_name or line.row_id: line.change for line in lines})
    return Step(name, what, moved, *largest)


def _group_changes(changes: list[RuleChange]) -> list[tuple[str, list[RuleChange]]]:
    """The steps with their names: each change on its own while there are few of them."""
    if len(changes) <= STEPS_APART:
        return [(str(change), [change]) for change in changes]
    groups: dict[str, list[RuleChange]] = {}
    for change in changes:
        groups.setdefault(f"{change.kind}, all changes", []).append(change)
    return list(groups.items())
