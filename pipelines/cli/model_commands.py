"""`apportion model`: look after the rules of the cost model."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.output import JsonOption, WorkspaceOption, print_json, print_table
from pipelines.errors import EXIT_DONE, EXIT_USAGE

if TYPE_CHECKING:
    from pipelines.model_check.check_model import ModelReport
    from pipelines.model_check.finding import ModelFinding


class Format(StrEnum):
    """How a report is written."""

    table = "table"
    json = "json"


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    group = typer.Typer(help="Look after the rules of the cost model.", no_args_is_help=True)
    group.command("check")(check)
    app.add_typer(group, name="model")


def check(
    report_format: Annotated[
        Format, typer.Option("--format", help="How to write the report.")
    ] = Format.table,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Check the rules: the files, and what they do to the money of the published run."""
    from pipelines.model_check.check_model import check_model
    from pipelines.workspace.workspace import Workspace

    report = check_model(Workspace.open(workspace))
    if as_json or report_format is Format.json:
        print_json(_as_json(report))
    else:
        _print_report(report)
    return EXIT_USAGE if report.errors else EXIT_DONE


def _as_json(report: ModelReport) -> dict[str, Any]:
    return {
        "errors": report.errors,
        "warnings": report.warnings,
        "findings": [vars(finding) for finding in report.findings],
        "notes": report.notes,
    }


def _print_report(report: ModelReport) -> None:
    if report.findings:
        print_table(
            "The cost model",
            ("", "where", "rule", "what", "found", "expected, and what to do"),
            [_make_row(finding) for finding in report.findings],
        )
    for note in report.notes:
        print(note)
    print(f"{report.errors} errors, {report.warnings} warnings.")


def _make_row(finding: ModelFinding) -> tuple[str, ...]:
    amount = "" if finding.amount is None else f"{finding.amount:,.2f} of "
    scenario = f" ({finding.scenario_id})" if finding.scenario_id not in (None, "actual") else ""
    expected = f"Expected {finding.expected}. " if finding.expected else ""
    return (
        finding.severity,
        finding.place or "",
        finding.rule_id or "",
        finding.title,
        f"{amount}{finding.found}{scenario}",
        f"{expected}{finding.remedy or ''}",
    )
