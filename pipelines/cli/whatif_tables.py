"""The answers of `whatif` and `compare` as tables, and as JSON with every figure."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pipelines.cli.tabular import Table

if TYPE_CHECKING:
    from pipelines.rerun.compare import MethodComparison, ModelComparison
    from pipelines.rerun.outcome import Line
    from pipelines.rerun.whatif import WhatIfResult


class Detail(StrEnum):
    """What a row stands for."""

    BUSINESS_UNIT = "business-unit"
    COST_CENTRE = "cost-centre"
    SERVICE = "service"


UNBORNE = {
    "(recovery)": "Recovery accounts: what IT charged before",
    "(out_of_scope)": "Out of scope",
    "(capitalised)": "Capitalised",
    "(quarantined)": "Quarantined records, open or discarded",
    "(unmapped)": "Unmapped: no rule or no known receiver",
    "(unallocated)": "Unallocated: no driver says who used it",
    "(idle)": "Idle capacity",
    "(not_recovered)": "Under-recovery (+) or over-recovery (-) of prices",
}


def make_change_table(title: str, by: Detail, currency: str, lines: list[Line]) -> Table:
    source = _name_source(by)
    columns = (*_name_columns(by), "before", "after", "change", "%", f"mostly by {source}", "of it")
    rows = [_make_change_row(line) for line in lines]
    total = _add_up(lines)
    rows.append(("", "Delivered by the ledger", *total, _say_percent(total[0], total[2]), "", None))
    return Table(f"{title}, {currency}", columns, rows, numeric=(2, 3, 4, 5, 7))


def _make_change_row(line: Line) -> tuple[Any, ...]:
    name = line.row_name if line.is_borne else UNBORNE.get(line.row_id, line.row_id)
    percent = _say_percent(line.before, line.change)
    through = (line.through, line.through_change if line.through else None)
    row_id = line.row_id if line.is_borne else ""
    return (row_id, name, line.before, line.after, line.change, percent, *through)


def _add_up(lines: list[Line]) -> tuple[Decimal, Decimal, Decimal]:
    from pipelines.rerun.outcome import ZERO

    before = sum((line.before for line in lines), ZERO)
    after = sum((line.after for line in lines), ZERO)
    return before, after, after - before


def _say_percent(before: Decimal, change: Decimal) -> str:
    if before <= 0 or not change:
        return ""
    percent = round(change / before * 100, 1)
    return f"{percent:+.1f}" if percent else "0.0"


def make_method_table(found: MethodComparison, by: Detail) -> Table:
    from pipelines.rerun.outcome import ZERO

    rows = [
        (
            line.row_id if not line.row_id.startswith("(") else "",
            UNBORNE.get(line.row_id, line.row_name),
            *line.amounts,
            line.spread,
            line.through,
            line.through_spread if line.through else None,
        )
        for line in found.lines
    ]
    sums = [
        sum((line.amounts[number] for line in found.lines), ZERO)
        for number in range(len(found.methods))
    ]
    rows.append(("", "Delivered by the ledger", *sums, None, "", None))
    source = _name_source(by)
    columns = (*_name_columns(by), *found.methods, "apart by", f"mostly by {source}", "of it")
    title = f"{say_scope(found)} by method of shared services, {found.currency_code}"
    last = len(columns) - 1
    return Table(title, columns, rows, numeric=(*range(2, last - 1), last))


def make_model_tables(found: ModelComparison, by: Detail) -> list[Table]:
    title = f"{say_scope(found)}: {found.before_name} against {found.after_name}"
    lines = make_change_table(title, by, found.currency_code, found.lines)
    columns = (*lines.columns[:6], "mostly by rule", "of it")
    steps = [
        (step.name, step.what, step.moved, step.most_on, step.most_change if step.most_on else None)
        for step in found.steps
    ]
    rules = Table(
        "By rule, applied in this order",
        ("rule", "what changes", "moves", "most for", "of it"),
        steps,
        numeric=(2, 4),
    )
    return [Table(lines.title, columns, lines.rows, lines.numeric), rules]


def _name_columns(by: Detail) -> tuple[str, str]:
    return ("id", by.value.replace("-", " "))


def _name_source(by: Detail) -> str:
    return "business unit" if by is Detail.SERVICE else "service"


def say_scope(found: WhatIfResult | MethodComparison | ModelComparison) -> str:
    scopes = getattr(found, "scopes", ())
    if scopes:
        planned = [scope.period_id for scope in scopes if scope.scenario_id != "actual"]
        return f"{scopes[0].period_id} to {scopes[-1].period_id}" + (
            f" (planned from {planned[0]})" if planned else ""
        )
    scenario = "" if found.scope.scenario_id == "actual" else f"{found.scope.scenario_id} "
    return f"{scenario}{found.scope.period_id}"


def _lines_as_json(lines: list[Line]) -> list[dict[str, Any]]:
    return [vars(line) | {"change": line.change} for line in lines]


def what_if_as_json(result: WhatIfResult) -> dict[str, Any]:
    return {
        "run_id": result.run_id,
        "scenario_id": result.scope.scenario_id,
        "period_id": result.scope.period_id,
        "periods": [vars(scope) for scope in result.scopes or (result.scope,)],
        "currency_code": result.currency_code,
        "lines": _lines_as_json(result.lines),
        "delivered": {"before": result.before.delivered, "after": result.after.delivered},
        "charged": {"before": result.before.charged, "after": result.after.charged},
        "certificate_difference": "0.00",
        "left_behind": result.left_behind,
    }


def methods_as_json(found: MethodComparison) -> dict[str, Any]:
    return {
        "run_id": found.run_id,
        "scenario_id": found.scope.scenario_id,
        "period_id": found.scope.period_id,
        "currency_code": found.currency_code,
        "methods": found.methods,
        "published_method": found.published_method,
        "lines": [vars(line) | {"spread": line.spread} for line in found.lines],
        "delivered": found.delivered,
    }


def models_as_json(found: ModelComparison) -> dict[str, Any]:
    return {
        "run_id": found.run_id,
        "scenario_id": found.scope.scenario_id,
        "period_id": found.scope.period_id,
        "currency_code": found.currency_code,
        "before": found.before_name,
        "after": found.after_name,
        "lines": _lines_as_json(found.lines),
        "rules": found.steps,
        "delivered": found.delivered,
        "charged": {"before": found.charged_before, "after": found.charged_after},
    }
