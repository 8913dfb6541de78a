"""`apportion identifiers`: the codes that were made from names, with their names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.output import JsonOption, WorkspaceOption, print_json, print_table
from pipelines.errors import EXIT_DONE


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("identifiers")(identifiers)


def identifiers(
    field: Annotated[
        str | None, typer.Option(help="Only of this field, such as account_id.")
    ] = None,
    limit: Annotated[int, typer.Option(help="Lines of the table; 0 for all.")] = 100,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """List the codes that were made from names, with the names and where they came from."""
    from pipelines.books.books import Books
    from pipelines.landing.name_table import list_named_codes
    from pipelines.workspace.workspace import Workspace

    space = Workspace.open(workspace)
    books = Books.open(space)
    codes = [item for item in list_named_codes(space, books) if field in (None, item.field)]
    books.close()
    if as_json:
        print_json(codes)
        return EXIT_DONE
    if not codes:
        print("No codes were made from names: no mapping has 'identifiers', or nothing has landed.")
        return EXIT_DONE
    shown = codes[:limit] if limit else codes
    print_table(
        "Codes made from names",
        ("field", "code", "name", "records", "source", "file"),
        [(c.field, c.code, _clean(c.name), c.records, c.source_id, c.file_name) for c in shown],
        numeric=[3],
    )
    if len(shown) < len(codes):
        print(f"{len(codes) - len(shown):,} more; --limit 0 lists all.")
    return EXIT_DONE


def _clean(text: str) -> str:
    """A name without characters that steer a terminal."""
    return "".join(char if char.isprintable() else " " for char in text)
