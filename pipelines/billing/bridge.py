"""Why the total of a statement changed since the period before.

The terms of all units come out of one rerun (pipelines/rerun/explain_units.py). They explain the
charges; what else is billed in one of the periods (notes, adjustments, tax) is a term of its own.
What the cost of services with a price did is no term of a bill and stands apart, as the recovery. A
statement has a bridge only if it ties: where the rerun knows other charges than the bills, as
after a close elsewhere, the statement says so and shows the plain change.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.billing.formats import format_change
from pipelines.billing.records import (
    ZERO,
    Bridge,
    BridgeTerm,
    Comparison,
    RecoveryTerm,
    ServiceBridge,
)
from pipelines.errors import ApportionError
from pipelines.rerun.bill_terms import list_cost_terms
from pipelines.rerun.bridge_words import LABELS

if TYPE_CHECKING:
    from pipelines.billing.period_figures import PeriodFigures
    from pipelines.rerun.explain_units import UnitBridge
    from pipelines.workspace.workspace import Workspace

OTHER_ITEMS = "items"
TERM_NAMES = LABELS | {OTHER_ITEMS: "Notes, adjustments and transfers"}
"""What the terms are called on a statement, in their order."""
MAX_TOLD = 2


def explain_period(workspace: Workspace, figures: PeriodFigures) -> PeriodFigures:
    """The figures with the bridges of all units, or with the reason why there are none."""
    if figures.previous is None:
        return replace(figures, why_no_bridge="There is no earlier period to explain it against.")
    if figures.missing:
        reason = f"{figures.missing}. A period that is not complete is not explained."
        return replace(figures, why_no_bridge=reason)
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
    recovery = _list_recovery(found, previous.name, figures.period.name)
    return Bridge(previous.name, previous.amount, total, terms, services, recovery), ""


def _list_recovery(
    bridge: UnitBridge | None, before_name: str, after_name: str
) -> tuple[RecoveryTerm, ...]:
    """What the unit is charged at a price above its cost: then, what moved it, and now."""
    if bridge is None or bridge.recovery is None:
        return ()
    recovery = bridge.recovery
    costs = [
        RecoveryTerm(f"Cost: {LABELS[term].lower()}", amount)
        for term, amount in list_cost_terms(recovery)
    ]
    return (
        RecoveryTerm(f"Recovery {before_name}", recovery.before, is_total=True),
        RecoveryTerm("Change of the charges", recovery.charged_change),
        *costs,
        RecoveryTerm(f"Recovery {after_name}", recovery.after, is_total=True),
    )


def _tell(bridge: UnitBridge | None, term: str) -> str:
    """The services that most of a term is of, in its direction. One in which it is cancelled by
    another term is none of them; they rank by what is left."""
    if bridge is None or term not in bridge.terms or term == "rounding":
        return ""
    sign = 1 if bridge.terms[term] > 0 else -1
    found = [item for item in bridge.services if item.netted[term] * sign > 0]
    found = [item for item in found if item.terms[term] * sign > 0]
    found.sort(key=lambda item: (-abs(item.netted[term]), item.service_name))
    told = sorted(found[:MAX_TOLD], key=lambda item: -abs(item.terms[term]))
    return ", ".join(f"{item.service_name} {format_change(item.terms[term])}" for item in told)
