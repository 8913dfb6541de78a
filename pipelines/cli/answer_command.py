"""`apportion answer`: what a business unit says to the bill that it was sent before the close."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.output import JsonOption, WorkspaceOption, print_json
from pipelines.cli.period_commands import AsOption, PeriodArgument, open_period_desk
from pipelines.errors import EXIT_DONE, UsageError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(answer)


def answer(
    period: PeriodArgument,
    business_unit: Annotated[
        str, typer.Option("--business-unit", help="Business unit whose bill it is.")
    ],
    acknowledge: Annotated[
        bool, typer.Option("--acknowledge", help="The bill is accepted as it is.")
    ] = False,
    comment: Annotated[
        str | None, typer.Option("--comment", help="What is wrong with it, or not clear.")
    ] = None,
    person: AsOption = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Answer a previewed bill for a business unit: acknowledge it, or comment on it."""
    if acknowledge == (comment is not None):
        raise UsageError("say either --acknowledge or --comment TEXT")
    with open_period_desk(workspace, person) as desk:
        said = desk.answer(period, business_unit, comment)
    if as_json:
        print_json(said)
    else:
        print(
            f"{said.person_name} {said.answer if comment is None else 'commented on'} the bill of "
            f"{said.business_unit_name} for {period}: {said.amount:,.2f}."
        )
    return EXIT_DONE
