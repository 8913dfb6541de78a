"""`apportion whatif` and `compare`: run the published run again with something changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.output import JsonOption, WorkspaceOption, format_money, print_json
from pipelines.cli.tabular import TableFormat, print_tables
from pipelines.cli.whatif_tables import (
    Detail,
    make_change_table,
    make_method_table,
    make_model_tables,
    methods_as_json,
    models_as_json,
    say_scope,
    what_if_as_json,
)
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from decimal import Decimal

    from pipelines.rerun.compare import MethodComparison, ModelComparison
    from pipelines.rerun.whatif import WhatIfResult


PeriodArgument = Annotated[str, typer.Argument(help="Period, such as 2026-10.")]
ScenarioOption = Annotated[str, typer.Option("--scenario", help="actual, budget or restated.")]
DetailOption = Annotated[Detail, typer.Option("--by", help="What a row stands for.")]
FormatOption = Annotated[TableFormat, typer.Option("--format", help="How to write the tables.")]


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
    price: Annotated[
        list[str] | None, typer.Option(help="SERVICE=+5%: all prices of a service change.")
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
    rest_of_year: Annotated[
        bool,
        typer.Option(
            "--rest-of-year", help="Sum to the end of the fiscal year, planned where not actual."
        ),
    ] = False,
    by: DetailOption = Detail.BUSINESS_UNIT,
    form: FormatOption = TableFormat.TABLE,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Say what the bills of a period would be if something changed. Nothing published changes."""
    from pipelines.rerun.changes import WhatIf
    from pipelines.rerun.whatif import ask_rest_of_year, ask_what_if
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
        tuple(price or ()),
    )
    space = Workspace.open(workspace)
    if rest_of_year and scenario != "actual":
        raise UsageError("--rest-of-year is of the actual figures, and planned ones after them")
    if rest_of_year:
        result = ask_rest_of_year(space, period, wanted, detail=by.value)
    else:
        result = ask_what_if(space, period, wanted, scenario_id=scenario, detail=by.value)
    if as_json:
        print_json(what_if_as_json(result))
        return 0
    title = f"{say_scope(result)}, {_describe_changes(wanted)}"
    table = make_change_table(title, by, result.currency_code, result.lines)
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
        tables = [make_method_table(found, by)]
        answer, note = methods_as_json(found), _say_equal_totals(found)
    else:
        models = compare_models(
            space, period, cost_model or [], scenario_id=scenario, detail=by.value
        )
        tables = make_model_tables(models, by)
        answer = models_as_json(models)
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


def _describe_changes(wanted: Any) -> str:
    texts = [
        f"{name} {text}"
        for name, values in (
            ("volume", wanted.volumes),
            ("driver", wanted.drivers),
            ("pool", wanted.pools),
            ("account", wanted.accounts),
            ("vendor", wanted.vendors),
            ("price", wanted.prices),
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
    return f"Charged: {format_money(before)} before, {format_money(after)} after."


def _say_equal_totals(found: MethodComparison | ModelComparison) -> str:
    return (
        f"The total is the same in all: {format_money(found.delivered)} {found.currency_code}. "
        "Every certificate ties: difference 0.00."
    )
