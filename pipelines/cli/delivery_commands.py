"""`apportion land`, `check` and the group `quarantine`: take deliveries in, and look at them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli import quarantine_commands
from pipelines.cli.load_commands import print_on_hold
from pipelines.cli.output import JsonOption, WorkspaceOption, print_json, print_table, show_progress
from pipelines.errors import EXIT_QUARANTINED, EXIT_REFUSED, UsageError

HELD_SHOWN = 5
FINDINGS_SHOWN = 3  # of each failed check; the page and the evidence have more

if TYPE_CHECKING:
    from pipelines.landing.land import LoadResult
    from pipelines.landing.load_history import LoggedLoad


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("land")(land)
    quarantine_commands.register(app)
    app.command("check")(check)


def land(
    reread: Annotated[
        list[str] | None,
        typer.Option("--reread", help="Source whose known files are read by its mapping of now."),
    ] = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Take in every file of the inbox: into the lake, or refused with a reason.

    A file that was landed before is known and skipped; a record that breaks its contract is
    quarantined with its reasons, and the rest loads. A delivery whose period is closed, or with a
    period whose amounts are far from those around it, lands and is put on hold for a person.
    """
    results = land_all(workspace, is_silent=as_json, reread=tuple(reread or ()))
    held = list_on_hold(workspace)
    if as_json:
        print_json([vars(result) for result in results])
        print_unclaimed(workspace, to_stderr=True)
    else:
        print_landing(results)
        print_unclaimed(workspace)
        print_on_hold(held)
    return landing_exit_code(results, held)


def check(workspace: WorkspaceOption = Path(), as_json: JsonOption = False) -> int:
    """Run the data checks over all that has landed, without building."""
    from pipelines.books.books import Books
    from pipelines.warehouse.build import check_only
    from pipelines.workspace.workspace import Workspace

    space = Workspace.open(workspace)
    books = Books.open(space)
    with show_progress(is_silent=as_json) as progress:
        report = check_only(space, books, progress.update)
    books.close()
    if as_json:
        print_json(report)
    else:
        failed = [item for item in report.results if not item.is_success]
        rows = [
            (item.severity, item.source_name, item.sentence, finding.sentence)
            for item in failed
            for finding in item.findings[:FINDINGS_SHOWN]
        ]
        print(
            f"{len(report.results)} checks, {report.error_count} errors, "
            f"{report.warning_count} warnings"
        )
        if rows:
            print_table(
                "Failed checks", ("severity", "source", "what should hold", "what was found"), rows
            )
        for finding in report.upstream_findings:
            print(f"- {finding.sentence} {finding.remedy}")
        print(f"Readable results: {report.data_docs_path}")
    return 0 if report.is_success else EXIT_REFUSED


def land_all(workspace: Path, *, is_silent: bool, reread: tuple[str, ...] = ()) -> list[LoadResult]:
    """Land the inbox with a progress bar."""
    from pipelines.books.books import Books
    from pipelines.landing.land import land_inbox
    from pipelines.workspace.workspace import Workspace

    space = Workspace.open(workspace)
    unknown = sorted(set(reread) - set(space.config.sources))
    if unknown:
        raise UsageError(f"apportion.yml has no source '{unknown[0]}'")
    books = Books.open(space)
    with show_progress(is_silent=is_silent) as progress:
        results = land_inbox(
            space,
            books,
            lambda item: progress.update(f"Landing: {item.name}", 0, 0),
            reread,
        )
    books.close()
    return results


def print_landing(results: list[LoadResult]) -> None:
    """What became of each file: a line in all, and every reason there is."""
    names = ("landed", "held", "known", "refused")
    states = {state: sum(r.state == state for r in results) for state in names}
    records = sum(result.records_accepted for result in results)
    held = f"{states['held']} on hold, " if states["held"] else ""
    print(
        f"{states['landed']} files landed ({records:,} records), {held}"
        f"{states['known']} known already, {states['refused']} refused"
    )
    _print_held([result for result in results if result.state == "held"])
    for result in results:
        if result.state == "refused":
            print(f"- refused: {result.message}")
        if result.state == "lifted":
            print(f"- {result.source_id}/{result.message}")
        if result.state == "known" and "--reread" in result.message:
            print(f"- {result.message}")
        if result.state in ("landed", "held"):
            for note in result.notes:
                print(f"- {result.file_name}: {note}")
        if result.records_quarantined:
            waiting = result.records_quarantined
            named = "1 record" if waiting == 1 else f"{waiting:,} records"
            print(f"- {result.file_name}: {named} in quarantine, such as")
            for reason in result.reasons:
                print(f"    {reason}")
    if any(result.records_quarantined for result in results):
        print("- 'apportion quarantine list' shows them all; they wait for a decision")


def _print_held(results: list[LoadResult]) -> None:
    """The deliveries that this landing left on hold: one by one, or as one decision by source."""
    for source_id in dict.fromkeys(result.source_id for result in results):
        own = [result for result in results if result.source_id == source_id]
        if len(own) == 1:
            print(f"- {own[0].message}")
            continue
        print(
            f"- {source_id}: {len(own)} deliveries are on hold, to be decided on as one: "
            f"'apportion loads release {source_id} --all --why REASON', or 'discard'"
        )
        for result in own[:HELD_SHOWN]:
            print(f"    {result.message.partition(' It counts once ')[0]}")
        if len(own) > HELD_SHOWN:
            print(f"    {len(own) - HELD_SHOWN} more: 'apportion loads list --held'")


def list_on_hold(workspace: Path) -> list[LoggedLoad]:
    """The deliveries on hold, whenever they landed."""
    from pipelines.books.books import Books
    from pipelines.landing.load_history import list_loads
    from pipelines.workspace.workspace import Workspace

    space = Workspace.open(workspace)
    books = Books.open(space)
    loads = list_loads(space, books)
    books.close()
    return [load for load in loads if load.state == "held"]


def print_unclaimed(workspace: Path, *, to_stderr: bool = False) -> None:
    """Name the files of the inbox that no source of apportion.yml reads."""
    from pipelines.landing.delivery import find_unread_files
    from pipelines.workspace.workspace import Workspace

    for file in find_unread_files(Workspace.open(workspace)):
        print(f"- {file}", file=sys.stderr if to_stderr else sys.stdout)


def landing_exit_code(results: list[LoadResult], held: list[LoggedLoad]) -> int:
    """4 if a file was refused, else 3 if records or deliveries wait for a person, whenever they
    came, else 0."""
    if any(result.state == "refused" for result in results):
        return EXIT_REFUSED
    waits = held or any(result.records_quarantined for result in results)
    return EXIT_QUARANTINED if waits else 0
