"""`apportion evidence`: what an auditor asks of the close of a period, in one folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.output import JsonOption, WorkspaceOption, print_json
from pipelines.cli.period_commands import AsOption, PeriodArgument
from pipelines.errors import EXIT_DONE


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(evidence)


def evidence(
    period: PeriodArgument,
    version: Annotated[
        int | None, typer.Option("--version", help="Version; default the newest calculated one.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Directory; default evidence/periods.")
    ] = None,
    person: AsOption = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Write the evidence of a closed period, or a preview of it, as a folder of its own."""
    from pipelines.books.books import Books
    from pipelines.books.person import act_as
    from pipelines.close.evidence_pack.write_pack import write_pack
    from pipelines.workspace.workspace import Workspace

    space = Workspace.open(workspace)
    books = Books.open(space)
    try:
        with act_as(person, is_demo=space.config.is_demo):
            pack = write_pack(space, books, period, version, out)
    finally:
        books.close()
    if as_json:
        print_json(
            {
                "period_id": pack.state.period_id,
                "version": pack.state.version,
                "is_preview": pack.is_preview,
                "directory": pack.directory,
                "files": list(pack.files),
                "sha256": pack.sha256,
            }
        )
        return EXIT_DONE
    preview = " It is a preview: the period is not closed." if pack.is_preview else ""
    print(
        f"{pack.directory}: {len(pack.files)} files; begin with README.html.{preview}\n"
        f"SHA256SUMS: {pack.sha256}"
    )
    return EXIT_DONE
