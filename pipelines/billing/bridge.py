"""Why the total of a statement changed since the period before.

The terms of all units come out of one rerun (pipelines/rerun/explain_units.py). They explain the
charges; what else is billed in one of the periods (notes, adjustments, tax) is a term of its own. A
statement has a bridge only if it ties: where the rerun knows other charges than the bills, as
after a close elsewhere, the statement says so and shows the plain change.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.billing.formats import format_change
from pipelines.billing.records import ZERO, Bridge, BridgeTerm, Comparison, ServiceBridge
from pipelines.errors import ApportionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.billing.period_figures import PeriodFigures
    from pipelines.rerun.explain_units import UnitBridge
    from pipelines.workspace.workspace import Workspace

OTHER_ITEMS = "items"
TERM_NAMES = {
    "restatement": "Restatement of the month before",
    "rules": "Other rules",
    "organisation": "Organisation",
    "pool_cost": "Cost of the pools",
    "volume": "Volume used",
    "rate": "Rate",
    "mix": "Mix of drivers",
    "price": "Price against cost",
    "rounding": "Rounding",
    OTHER_ITEMS: "Notes, adjustments and transfers",
}
"""What the terms are called on a statement, in their order."""
MAX_TOLD = 2


def explain_period(workspace: Workspace, figures: PeriodFigures) -> PeriodFigures:
    """The figures with the bridges of all units, or with the reason why there are none."""
    if figures.previous is None:
        return replace(figures, why_no_bridge="There is no earlier period to explain it against.")
    import duckdb

    from pipelines.rerun.explain_units import explain_units

    scope = figures.scope
    try:
        bridges = explain_units(
            workspace,
            scope.period_id,
            figures.previous.scope.period_id,
            scenario_id=scope.scenario_id,
        )
    except (ApportionError, duckdb.Error) as error:
        # A month of bills must not wait for the explanation of its changes.
        return replace(figures, why_no_bridge=f"The change cannot be explained: {error}")
    return replace(figures, bridges=bridges, why_no_bridge="")


def make_bridge(
    figures: PeriodFigures, unit: str, total: Decimal, previous: Comparison | None
) -> tuple[Bridge | None, str]:
    """The bridge of one unit, or None and the reason."""
    if figures.why_no_bridge or previous is None:
        return None, figures.why_no_bridge or "There is no earlier period to explain it against."
    found = figures.bridges.get(unit)
    charged = sum((item.charged for item in figures.amounts.get(unit, {}).values()), ZERO)
    before, after = (found.before, found.after) if found else (ZERO, ZERO)
    if (before, after) != (previous.charged, charged):
        return None, (
            "The change cannot be explained: the rules of one of the periods can only be run on "
            "other figures than those that were billed, as after a close that was made elsewhere."
        )
    amounts = dict(found.terms) if found else {}
    amounts[OTHER_ITEMS] = (total - charged) - (previous.amount - previous.charged)
    terms = tuple(
        BridgeTerm(term, TERM_NAMES.get(term, term), amount, _tell(found, term))
        for term, amount in amounts.items()
        if amount
    )
    services = tuple(
        ServiceBridge(item.service_id, item.service_name, item.before, item.after, item.terms)
        for item in (found.services if found else ())
    )
    return Bridge(previous.name, previous.amount, total, terms, services), ""


def _tell(bridge: UnitBridge | None, term: str) -> str:
    """The services that most of a term is of, in the direction of the term."""
    if bridge is None or term not in bridge.terms or term == "rounding":
        return ""
    sign = 1 if bridge.terms[term] > 0 else -1
    found = [(item.terms[term], item.service_name) for item in bridge.services]
    largest = sorted(
        ((amount, name) for amount, name in found if amount * sign > 0),
        key=lambda item: (-abs(item[0]), item[1]),
    )
    return _join(largest)


def _join(found: Sequence[tuple[Decimal, str]]) -> str:
    return ", ".join(f"{name} {format_change(amount)}" for amount, name in found[:MAX_TOLD])
