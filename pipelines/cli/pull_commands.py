"""`apportion pull`: ask the systems behind sources for deliveries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.output import JsonOption, WorkspaceOption, print_json, show_progress
from pipelines.errors import EXIT_REFUSED

if TYPE_CHECKING:
    from pipelines.pull.pull import PullResult


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("pull")(pull)


def pull(
    source: Annotated[
        list[str] | None, typer.Argument(help="Sources to pull; all with a connection.")
    ] = None,
    is_full: Annotated[
        bool, typer.Option("--full", help="Ask for everything, not only for what changed.")
    ] = False,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Ask the systems behind sources for records, and put them into the inbox as deliveries.

    Nothing lands by it: run 'apportion land' or 'apportion run' afterwards.
    """
    from pipelines.books.books import Books
    from pipelines.pull.pull import list_connected, pull_sources
    from pipelines.workspace.workspace import Workspace

    space = Workspace.open(workspace)
    names = list_connected(space, source or [])
    books = Books.open(space)
    with show_progress(is_silent=as_json) as progress:
        results = pull_sources(space, books, names, is_full=is_full, on_progress=progress.update)
    books.close()
    if as_json:
        print_json([vars(result) for result in results])
    else:
        _print_results(results)
    return _find_exit_code(results)


def _print_results(results: list[PullResult]) -> None:
    if not results:
        print("no source has a connection: see apportion.yml")
    for result in results:
        since = f" since {result.since}" if result.since else ""
        if result.state == "pulled":
            print(f"- {result.source_id}: {result.records:,} records{since}: {result.file_name}")
        elif result.state == "unchanged":
            print(f"- {result.source_id}: nothing new{since}")
        else:
            print(f"- failed: {result.message}")
    if any(result.state == "pulled" for result in results):
        print("'apportion land' takes them into the lake")


def _find_exit_code(results: list[PullResult]) -> int:
    """4 if a control refused an answer, else 2 if a system could not be read, else 0."""
    codes = {result.exit_code for result in results}
    return EXIT_REFUSED if EXIT_REFUSED in codes else max(codes, default=0)
