"""`apportion loads`: what landed when, what waits for a person, what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.output import JsonOption, WorkspaceOption, print_json, print_table
from pipelines.errors import EXIT_DONE

if TYPE_CHECKING:
    from pipelines.landing.hold_decisions import HoldDecision
    from pipelines.landing.load_history import LoggedLoad

SourceArgument = Annotated[str, typer.Argument(help="Source of the file, as in apportion.yml.")]
FileArgument = Annotated[
    str, typer.Argument(help="Name of the file, or the beginning of its hash.")
]
WhyOption = Annotated[str, typer.Option("--why", help="The reason, for those who ask later.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    group = typer.Typer(
        help="Look at the log of loads, and decide on deliveries that are held.",
        no_args_is_help=True,
    )
    group.command("list")(list_log)
    group.command("release")(release)
    group.command("discard")(discard)
    app.add_typer(group, name="loads")


def list_log(
    source: Annotated[str | None, typer.Option("--source", help="Only of this source.")] = None,
    held: Annotated[bool, typer.Option("--held", help="Only what waits for a person.")] = False,
    limit: Annotated[int, typer.Option("--limit", help="Loads in the table; 0 for all.")] = 100,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """List what landed, newest first, with what it took the place of, and name what is missing."""
    from pipelines.books.books import Books
    from pipelines.landing.load_history import find_gaps, list_loads
    from pipelines.workspace.workspace import Workspace

    space = Workspace.open(workspace)
    books = Books.open(space)
    loads = list_loads(space, books, source)
    books.close()
    gaps = find_gaps(space, loads)
    shown = [load for load in reversed(loads) if not held or load.state == "held"]
    if as_json:
        print_json({"loads": shown, "gaps": gaps})
        return EXIT_DONE
    if not shown:
        print("Nothing is held." if held else "Nothing has landed yet: run 'apportion land'.")
    else:
        _print_loads(shown[:limit] if limit else shown)
        if limit and len(shown) > limit:
            print(f"{len(shown) - limit} more loads; --limit 0 shows all of them.")
    for gap in gaps:
        print(f"- {gap}")
    return EXIT_DONE


def release(
    source: SourceArgument,
    file: FileArgument,
    why: WhyOption,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Let a delivery count that is held. The next build reads it."""
    return _decide(workspace, source, file, "released", why, as_json)


def discard(
    source: SourceArgument,
    file: FileArgument,
    why: WhyOption,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Leave a delivery out that is held. It stays in the lake and in the log."""
    return _decide(workspace, source, file, "discarded", why, as_json)


def _decide(
    workspace: Path, source: str, file: str, decision: HoldDecision, why: str, as_json: bool
) -> int:
    from pipelines.books.books import Books
    from pipelines.landing.hold_decisions import decide_hold
    from pipelines.workspace.workspace import Workspace

    space = Workspace.open(workspace)
    books = Books.open(space)
    row = decide_hold(space, books, source, file, decision, why=why)
    books.close()
    if as_json:
        print_json({"source_id": source, "file_name": row.file_name, "decision": decision})
    else:
        print(f"{source}/{row.file_name} is {decision}.")
    return EXIT_DONE


def _print_loads(loads: list[LoggedLoad]) -> None:
    rows = [
        (
            load.landed_at[:16].replace("T", " "),
            load.source_id,
            load.file_name,
            _show_periods(load.periods),
            f"{load.records_accepted:,}",
            f"{load.records_quarantined:,}" if load.records_quarantined else "",
            load.state + (f" by {load.superseded_by}" if load.superseded_by else ""),
            "; ".join(load.remarks),
        )
        for load in loads
    ]
    names = ["landed (UTC)", "source", "file", "periods", "records", "waiting", "state", "remarks"]
    print_table("Loads", names, rows, numeric=[4, 5])


def _show_periods(periods: tuple[str, ...]) -> str:
    if len(periods) <= 1:
        return "".join(periods)
    return f"{periods[0]} to {periods[-1]}"
