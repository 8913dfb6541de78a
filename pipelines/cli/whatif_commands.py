"""`apportion whatif` and `compare`: run the published run again with something changed."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.output import JsonOption, WorkspaceOption, format_money, print_json
from pipelines.cli.tabular import Table, TableFormat, print_tables
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from decimal import Decimal

    from pipelines.rerun.compare import MethodComparison, ModelComparison
    from pipelines.rerun.outcome import Line
    from pipelines.rerun.whatif import WhatIfResult


class Detail(StrEnum):
    """What a row stands for."""

    BUSINESS_UNIT = "business-unit"
    COST_CENTRE = "cost-centre"
    SERVICE = "service"


PeriodArgument = Annotated[str, typer.Argument(help="Period, such as 2026-10.")]
ScenarioOption = Annotated[str, typer.Option("--scenario", help="actual or budget.")]
DetailOption = Annotated[Detail, typer.Option("--by", help="What a row stands for.")]
FormatOption = Annotated[TableFormat, typer.Option("--format", help="How to write the tables.")]

UNBORNE = {
    "(recovery)": "Recovery accounts: what IT charged before",
    "(out_of_scope)": "Out of scope",
    "(capitalised)": "Capitalised",
    "(unmapped)": "Unmapped: no rule or no known receiver",
    "(unallocated)": "Unallocated: no driver says who used it",
    "(idle)": "Idle capacity",
}


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("whatif")(whatif)
    app.command("compare")(compare)


def whatif(
    period: PeriodArgument,
    volume: Annotated[
        list[str] | None,
        typer.Option(
            help="SERVICE:CONSUMER=+10%: a consumer (cost centre, business unit, glob) uses more."
        ),
    ] = None,
    driver: Annotated[
        list[str] | None,
        typer.Option(help="DRIVER:RECEIVER=+10%: the same for a driver of several services."),
    ] = None,
    pool: Annotated[
        list[str] | None, typer.Option(help="POOL=+5%: the cost in a pool changes.")
    ] = None,
    account: Annotated[
        list[str] | None, typer.Option(help="ACCOUNT=+3%: cost on accounts (a glob) changes.")
    ] = None,
    vendor: Annotated[
        list[str] | None, typer.Option(help="VENDOR=+3%: prices of a vendor (a glob) change.")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="A cost centre or business unit leaves.")
    ] = None,
    method: Annotated[
        str | None, typer.Option(help="Shared services by direct, step-down or reciprocal.")
    ] = None,
    cost_model: Annotated[
        str | None, typer.Option(help="Other rules: a directory, or a commit, tag or branch.")
    ] = None,
    scenario: ScenarioOption = "actual",
    by: DetailOption = Detail.BUSINESS_UNIT,
    form: FormatOption = TableFormat.TABLE,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Say what the bills of a period would be if something changed. Nothing published changes."""
    from pipelines.rerun.changes import WhatIf
    from pipelines.rerun.whatif import ask_what_if
    from pipelines.workspace.workspace import Workspace

    wanted = WhatIf(
        tuple(volume or ()),
        tuple(driver or ()),
        tuple(pool or ()),
        tuple(account or ()),
        tuple(vendor or ()),
        tuple(without or ()),
        method,
        cost_model,
    )
    space = Workspace.open(workspace)
    result = ask_what_if(space, period, wanted, scenario_id=scenario, detail=by.value)
    if as_json:
        print_json(_what_if_as_json(result))
        return 0
    title = f"{_say_scope(result)}, {_describe_changes(wanted)}"
    table = _make_change_table(title, by, result.currency_code, result.lines)
    print_tables([table], form)
    if form is not TableFormat.CSV:
        _print_what_if_notes(result)
    return 0


def compare(
    period: PeriodArgument,
    methods: Annotated[
        str | None, typer.Option(help="Methods of shared services, such as direct,step-down.")
    ] = None,
    cost_model: Annotated[
        list[str] | None,
        typer.Option(
            help="Rules to compare with what is published: a directory, or a commit, tag or "
            "branch; given twice, the first is compared with the second."
        ),
    ] = None,
    scenario: ScenarioOption = "actual",
    by: DetailOption = Detail.BUSINESS_UNIT,
    form: FormatOption = TableFormat.TABLE,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Compare a period under methods of shared services, or under two versions of the rules."""
    from pipelines.rerun.compare import compare_methods, compare_models
    from pipelines.workspace.workspace import Workspace

    if (methods is None) == (not cost_model):
        raise UsageError("compare needs either --methods or --cost-model, and not both")
    if cost_model and len(cost_model) > 2:
        raise UsageError(f"--cost-model is given once or twice, found {len(cost_model)} times")
    space = Workspace.open(workspace)
    if methods is not None:
        names = _read_methods(methods)
        found = compare_methods(space, period, names, scenario_id=scenario, detail=by.value)
        tables = [_make_method_table(found, by)]
        answer, note = _methods_as_json(found), _say_equal_totals(found)
    else:
        models = compare_models(
            space, period, cost_model or [], scenario_id=scenario, detail=by.value
        )
        tables = _make_model_tables(models, by)
        answer = _models_as_json(models)
        note = f"{_say_charged(models.charged_before, models.charged_after)}\n"
        note += _say_equal_totals(models)
    if as_json:
        print_json(answer)
        return 0
    # A program that reads CSV wants one table: the first one, who pays more.
    print_tables(tables[:1] if form is TableFormat.CSV else tables, form)
    if form is not TableFormat.CSV:
        print(note)
    return 0


def _read_methods(text: str) -> list[str]:
    from pipelines.rerun.changes import ChangesRefusedError, read_method

    problems: list[str] = []
    found = [read_method(item, problems) for item in text.split(",")]
    names = [name for name in found if name is not None]
    if not problems and len(set(names)) < max(2, len(names)):
        problems.append(f"--methods '{text}': expected two or three methods, each once")
    if problems:
        raise ChangesRefusedError(problems)
    return names


def _make_change_table(title: str, by: Detail, currency: str, lines: list[Line]) -> Table:
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


def _make_method_table(found: MethodComparison, by: Detail) -> Table:
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
    title = f"{_say_scope(found)} by method of shared services, {found.currency_code}"
    last = len(columns) - 1
    return Table(title, columns, rows, numeric=(*range(2, last - 1), last))


def _make_model_tables(found: ModelComparison, by: Detail) -> list[Table]:
    title = f"{_say_scope(found)}: {found.before_name} against {found.after_name}"
    lines = _make_change_table(title, by, found.currency_code, found.lines)
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


def _say_scope(found: WhatIfResult | MethodComparison | ModelComparison) -> str:
    scenario = "" if found.scope.scenario_id == "actual" else f"{found.scope.scenario_id} "
    return f"{scenario}{found.scope.period_id}"


def _describe_changes(wanted: Any) -> str:
    texts = [
        f"{name} {text}"
        for name, values in (
            ("volume", wanted.volumes),
            ("driver", wanted.drivers),
            ("pool", wanted.pools),
            ("account", wanted.accounts),
            ("vendor", wanted.vendors),
        )
        for text in values
    ]
    texts += [f"without {name}" for name in wanted.leaving]
    texts += [f"method {wanted.method}"] if wanted.method else []
    texts += [f"rules of {wanted.cost_model}"] if wanted.cost_model else []
    return ", ".join(texts)


def _print_what_if_notes(result: WhatIfResult) -> None:
    code = result.currency_code
    before, after = result.before, result.after
    print(f"{_say_charged(before.charged, after.charged)} The certificate ties: difference 0.00.")
    change = result.delivered_change
    if change:
        print(
            f"Cost was changed by {format_money(change)} {code}, and nothing else moves the total."
        )
    else:
        print("No cost was changed: the total is the same, to the cent.")
    left = result.left_behind
    if left is not None:
        print(
            f"Left behind: {format_money(left.amount)} {code}, of which the others bear "
            f"{format_money(left.borne_by_others)} and nobody {format_money(left.borne_by_nobody)}."
        )


def _say_charged(before: Decimal, after: Decimal) -> str:
    return f"Of it charged: {format_money(before)} before, {format_money(after)} after."


def _say_equal_totals(found: MethodComparison | ModelComparison) -> str:
    return (
        f"The total is the same in all: {format_money(found.delivered)} {found.currency_code}. "
        "Every certificate ties: difference 0.00."
    )


def _lines_as_json(lines: list[Line]) -> list[dict[str, Any]]:
    return [vars(line) | {"change": line.change} for line in lines]


def _what_if_as_json(result: WhatIfResult) -> dict[str, Any]:
    return {
        "run_id": result.run_id,
        "scenario_id": result.scope.scenario_id,
        "period_id": result.scope.period_id,
        "currency_code": result.currency_code,
        "lines": _lines_as_json(result.lines),
        "delivered": {"before": result.before.delivered, "after": result.after.delivered},
        "charged": {"before": result.before.charged, "after": result.after.charged},
        "certificate_difference": "0.00",
        "left_behind": result.left_behind,
    }


def _methods_as_json(found: MethodComparison) -> dict[str, Any]:
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


def _models_as_json(found: ModelComparison) -> dict[str, Any]:
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
