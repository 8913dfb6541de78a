"""What would the bills of a period be, if ...?

Changes the inputs of a rerun and sets what comes out against what is published, for one period or
for the rest of its fiscal year. Nothing is written. The total changes by what was changed of the
cost and by nothing else, which the certificate of the rerun proves; prices say who bears it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import reduce
from typing import TYPE_CHECKING

from pipelines.errors import UsageError
from pipelines.rerun.apply_changes import apply_changes
from pipelines.rerun.changes import WhatIf
from pipelines.rerun.engine import Rerun, Scope, open_rerun
from pipelines.rerun.outcome import (
    ZERO,
    Figures,
    Line,
    add_figures,
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
    scopes: tuple[Scope, ...] = ()
    """All of them, where it is asked for more than one period."""

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
    return _ask(workspace, (Scope(scenario_id, period_id),), wanted, detail)


def ask_rest_of_year(
    workspace: Workspace, period_id: str, wanted: WhatIf, *, detail: str = "business-unit"
) -> WhatIfResult:
    """The same from the period to the end of its fiscal year, summed: actual where there are
    figures, else planned."""
    return _ask(workspace, _list_rest_of_year(workspace, period_id), wanted, detail)


def _ask(
    workspace: Workspace, scopes: tuple[Scope, ...], wanted: WhatIf, detail: str
) -> WhatIfResult:
    results = [_ask_one(workspace, scope, wanted, detail) for scope in scopes]
    first = results[0]
    if len(results) == 1:
        return first
    before, after = (
        reduce(add_figures, figures)
        for figures in ([item.before for item in results], [item.after for item in results])
    )
    left = [item.left_behind for item in results if item.left_behind is not None]
    return replace(
        first,
        lines=compare(before, after, detail),
        before=before,
        after=after,
        left_behind=reduce(add_left_behind, left) if left else None,
        scopes=scopes,
    )


def _ask_one(workspace: Workspace, scope: Scope, wanted: WhatIf, detail: str) -> WhatIfResult:
    with open_rerun(workspace, scope) as rerun:
        require_period(rerun)
        checked = apply_changes(rerun, wanted)
        before, after = read_published_figures(rerun), read_proven_figures(rerun)
        left = _find_left_behind(before, after, checked.leaving) if wanted.only_removes else None
        run_id, currency = read_run(rerun)
    lines = compare(before, after, detail)
    return WhatIfResult(scope, run_id, currency, lines, before, after, left)


def _list_rest_of_year(workspace: Workspace, period_id: str) -> tuple[Scope, ...]:
    with open_rerun(workspace, None) as rerun:
        rows = rerun.connection.execute(
            "select periods.period_id, min(versions.scenario_id) as scenario_id "
            "from published.model.periods as periods "
            "inner join published.model.period_versions as versions using (period_id) "
            "where periods.period_id >= $period and versions.scenario_id in ('actual', 'budget') "
            "and periods.fiscal_year = (select fiscal_year from published.model.periods "
            "where period_id = $period) group by all order by all",
            {"period": period_id},
        ).fetchall()
    if not rows:
        raise UsageError(f"nothing is published of '{period_id}' or the rest of its fiscal year")
    return tuple(Scope(scenario, period) for period, scenario in rows)


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


def add_left_behind(one: LeftBehind, other: LeftBehind) -> LeftBehind:
    """Both together."""
    return LeftBehind(
        one.amount + other.amount,
        one.borne_by_others + other.borne_by_others,
        one.borne_by_nobody + other.borne_by_nobody,
    )


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
