"""`apportion loads`: what landed when, what waits for a person, what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.output import (
    JsonOption,
    WorkspaceOption,
    print_json,
    print_table,
)
from pipelines.errors import EXIT_DONE, UsageError

if TYPE_CHECKING:
    from pipelines.landing.hold_decisions import HoldDecision
    from pipelines.landing.load_history import LoggedLoad

SourceArgument = Annotated[
    str | None, typer.Argument(help="Source of the files, as in apportion.yml.")
]
FilesArgument = Annotated[
    list[str] | None,
    typer.Argument(help="Names of files, or the beginnings of their hashes.", metavar="[FILE]..."),
]
AllOption = Annotated[
    bool,
    typer.Option(
        "--all", help="All deliveries on hold: of the source, or of every source without one."
    ),
]
WhyOption = Annotated[str, typer.Option("--why", help="The reason, kept in the audit log.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    group = typer.Typer(
        help="Inspect the log of loads, and decide on deliveries on hold.",
        no_args_is_help=True,
    )
    group.command("list")(list_log)
    group.command("release")(release)
    group.command("discard")(discard)
    app.add_typer(group, name="loads")


def list_log(
    source: Annotated[str | None, typer.Option("--source", help="Only of this source.")] = None,
    held: Annotated[bool, typer.Option("--held", help="Only deliveries on hold.")] = False,
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
        print("Nothing is on hold." if held else "Nothing has landed yet: run 'apportion land'.")
    else:
        _print_loads(shown[:limit] if limit else shown)
        if limit and len(shown) > limit:
            print(f"{len(shown) - limit} more loads; --limit 0 shows all of them.")
    print_on_hold([load for load in loads if load.state == "held"])
    for gap in gaps:
        print(f"- {gap}")
    return EXIT_DONE


def print_on_hold(held: list[LoggedLoad]) -> None:
    """How many deliveries of which source wait for a person, and what to do; nothing of none."""
    by_source: dict[str, list[LoggedLoad]] = {}
    for load in held:
        by_source.setdefault(load.source_id, []).append(load)
    for source_id, own in sorted(by_source.items()):
        count = f"{len(own)} deliveries are" if len(own) > 1 else "1 delivery is"
        periods = sorted({period for load in own for period in load.periods})
        of_periods = f" ({_show_periods(tuple(periods))})" if periods else ""
        print(
            f"- {source_id}: {count} on hold{of_periods} and not in the figures: "
            f"'apportion loads list --held --source {source_id}' says why, 'apportion loads "
            f"release {source_id} --all --why REASON' or 'discard' decides on all of them"
        )


def release(
    why: WhyOption,
    source: SourceArgument = None,
    files: FilesArgument = None,
    is_all: AllOption = False,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Let deliveries on hold count, with one reason. The next build reads them."""
    return _decide(workspace, source, files or [], "released", why, is_all, as_json)


def discard(
    why: WhyOption,
    source: SourceArgument = None,
    files: FilesArgument = None,
    is_all: AllOption = False,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Leave deliveries on hold out, with one reason. They stay in the lake and in the log."""
    return _decide(workspace, source, files or [], "discarded", why, is_all, as_json)


def _decide(
    workspace: Path,
    source: str | None,
    files: list[str],
    decision: HoldDecision,
    why: str,
    is_all: bool,
    as_json: bool,
) -> int:
    from pipelines.books.books import Books
    from pipelines.landing.hold_decisions import decide_holds
    from pipelines.landing.land_results import settle_landing
    from pipelines.workspace.workspace import Workspace

    if is_all == bool(files):
        raise UsageError("name a source and its files, or say --all, with or without a source")
    space = Workspace.open(workspace)
    books = Books.open(space)
    rows = decide_holds(space, books, source, files, decision, why=why)
    lifted = [result for result in settle_landing(space, books) if result.state == "lifted"]
    books.close()
    if as_json:
        print_json(
            [
                {"source_id": row.source_id, "file_name": row.file_name, "decision": decision}
                for row in rows
            ]
        )
    else:
        for row in rows:
            print(f"{row.source_id}/{row.file_name} is {decision}.")
        for result in lifted:
            print(f"- {result.source_id}/{result.message}")
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
            _show_state(load),
            "; ".join(load.remarks),
        )
        for load in loads
    ]
    names = ["landed (UTC)", "source", "file", "periods", "records", "waiting", "state", "remarks"]
    print_table("Loads", names, rows, numeric=[4, 5])


def _show_state(load: LoggedLoad) -> str:
    state = "on hold" if load.state == "held" else load.state
    return f"{state} by {load.superseded_by}" if load.superseded_by else state


def _show_periods(periods: tuple[str, ...]) -> str:
    if len(periods) <= 1:
        return "".join(periods)
    return f"{periods[0]} to {periods[-1]}"
