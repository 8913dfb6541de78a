"""What would the bills of a period be, if ...?

Changes the inputs of a rerun and sets what comes out against what is published. Nothing is
written. The total changes by what was changed of the cost and by nothing else, which the
certificate of the rerun proves.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.errors import UsageError
from pipelines.rerun.apply_changes import apply_changes
from pipelines.rerun.changes import WhatIf
from pipelines.rerun.engine import Rerun, Scope, open_rerun
from pipelines.rerun.outcome import (
    ZERO,
    Figures,
    Line,
    compare,
    is_unborne,
    read_proven_figures,
    read_published_figures,
)

if TYPE_CHECKING:
    from pipelines.workspace.workspace import Workspace


@dataclass(frozen=True)
class LeftBehind:
    """What consumers that leave had to bear, and who bears it without them."""

    amount: Decimal
    borne_by_others: Decimal
    borne_by_nobody: Decimal


@dataclass(frozen=True)
class WhatIfResult:
    """What a what-if says. Amounts are in the reporting currency."""

    scope: Scope
    run_id: str
    currency_code: str
    lines: list[Line]
    before: Figures
    after: Figures
    left_behind: LeftBehind | None
    """Where consumers leave and nothing else changes."""

    @property
    def delivered_change(self) -> Decimal:
        return self.after.delivered - self.before.delivered


def ask_what_if(
    workspace: Workspace,
    period_id: str,
    wanted: WhatIf,
    *,
    scenario_id: str = "actual",
    detail: str = "business-unit",
) -> WhatIfResult:
    """Run the published run again with `wanted` changed. Raises ChangesRefusedError with all that
    is wrong with the changes, UsageError for a period without figures."""
    scope = Scope(scenario_id, period_id)
    with open_rerun(workspace, scope) as rerun:
        require_period(rerun)
        checked = apply_changes(rerun, wanted)
        before, after = read_published_figures(rerun), read_proven_figures(rerun)
        left = _find_left_behind(before, after, checked.leaving) if wanted.only_removes else None
        run_id, currency = read_run(rerun)
    lines = compare(before, after, detail)
    return WhatIfResult(scope, run_id, currency, lines, before, after, left)


def require_period(rerun: Rerun) -> None:
    """Raises UsageError where nothing is published for the scope of the rerun."""
    assert rerun.scope is not None
    rows = rerun.connection.execute(
        "select distinct scenario_id, period_id from published.model.period_versions order by all"
    ).fetchall()
    if (rerun.scope.scenario_id, rerun.scope.period_id) in rows:
        return
    periods = [period for scenario, period in rows if scenario == rerun.scope.scenario_id]
    if not periods:
        scenarios = ", ".join(sorted({scenario for scenario, _ in rows}))
        raise UsageError(
            f"nothing is published of the scenario '{rerun.scope.scenario_id}'; there are "
            f"{scenarios or 'none'}"
        )
    raise UsageError(
        f"nothing is published of {rerun.scope.scenario_id} '{rerun.scope.period_id}'; there is "
        f"{periods[0]} to {periods[-1]}"
    )


def read_run(rerun: Rerun) -> tuple[str, str]:
    """Id of the published run, and the reporting currency."""
    return rerun.connection.execute(
        "select run_id, currency_code from published.model.settings"
    ).fetchall()[0]


def _find_left_behind(before: Figures, after: Figures, leaving: list[str]) -> LeftBehind:
    left = others = nobody = ZERO
    for figures, sign in ((before, -1), (after, 1)):
        for (unit, centre, _), amount in figures.lines.items():
            if is_unborne(unit):
                nobody += sign * amount
            elif centre in leaving:
                left -= sign * amount
            else:
                others += sign * amount
    return LeftBehind(left, others, nobody)
