"""`apportion methods`: what each service's consumer pays for, as documents."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.output import JsonOption, WorkspaceOption, print_json, print_table


class FileFormat(StrEnum):
    """The forms in which sheets are written."""

    HTML = "html"
    MD = "md"


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("methods")(methods)


def methods(
    service: Annotated[
        str | None, typer.Argument(help="Service, by its id. Default: all, with an index.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Directory; default methods/.")
    ] = None,
    file_format: Annotated[
        FileFormat, typer.Option("--format", help="html or md.")
    ] = FileFormat.HTML,
    period: Annotated[
        str | None, typer.Option("--period", help="Period of the figures. Default: the latest one.")
    ] = None,
    scenario: Annotated[str, typer.Option(help="actual, budget or restated.")] = "actual",
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Write a sheet per service: what you pay for, how your part is found, how to pay less."""
    from pipelines.method_sheets.write_sheets import remove_stale_sheets, write_sheets
    from pipelines.workspace.workspace import Workspace

    space = Workspace.open(workspace)
    directory = output or space.methods
    period_id, sheets = write_sheets(
        space,
        directory,
        file_format=file_format.value,
        service_id=service,
        period_id=period,
        scenario_id=scenario,
    )
    if service is None and output is None:
        remove_stale_sheets(directory, sheets)
    if as_json:
        print_json({"period_id": period_id, "sheets": [vars(sheet) for sheet in sheets]})
        return 0
    rows = [(item.service_name, item.price, item.unit_cost, item.file.name) for item in sheets]
    columns = ("service", "price", "unit cost", "file")
    print_table(f"Method sheets of {period_id}", columns, rows)
    more = "Index and glossary are" if service is None else "The glossary is"
    print(f"{more} beside them in {directory}")
    return 0
