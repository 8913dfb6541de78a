"""`apportion build` and `apportion run`: from the lake to what is published."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.delivery_commands import (
    land_all,
    landing_exit_code,
    list_on_hold,
    print_landing,
    print_unclaimed,
)
from pipelines.cli.load_commands import print_on_hold
from pipelines.cli.measure_commands import print_items
from pipelines.cli.output import (
    JsonOption,
    WorkspaceOption,
    format_money,
    print_json,
    print_table,
    show_progress,
)
from pipelines.errors import ApportionError

if TYPE_CHECKING:
    from pipelines.billing.errors import FailedStatementsError
    from pipelines.warehouse.build import BuildResult
    from pipelines.warehouse.summary import Summary

ForceOption = Annotated[
    bool, typer.Option("--force", help="Build again even where nothing has changed.")
]


# Rows of the summary in a terminal; what is beyond is counted, and whole in the JSON.
SHOWN_OPEN_ITEMS = 20
SHOWN_MEASURES = 5


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("build")(build)
    app.command("run")(run)


def build(
    workspace: WorkspaceOption = Path(), force: ForceOption = False, as_json: JsonOption = False
) -> int:
    """Check, build, prove and publish what has landed. Does nothing where nothing changed."""
    result = build_all(workspace, is_forced=force, is_silent=as_json)
    if as_json:
        print_json(_build_as_json(result))
    else:
        word = "published" if result.is_new else "nothing has changed; published is still"
        print(f"{word} run {result.publication.run_id}")
        print_on_hold(list_on_hold(workspace))
    return 0


def run(
    workspace: WorkspaceOption = Path(),
    force: ForceOption = False,
    has_bills: Annotated[
        bool, typer.Option("--bills/--no-bills", help="Write the bills of the latest period.")
    ] = True,
    as_json: JsonOption = False,
) -> int:
    """Land, check, build, publish, write the latest bills, and print a summary."""
    seconds: dict[str, float] = {}
    start = time.perf_counter()
    results = land_all(workspace, is_silent=as_json)
    seconds["land"] = time.perf_counter() - start
    held = list_on_hold(workspace)
    try:
        built = build_all(workspace, is_forced=force, is_silent=as_json)
    except ApportionError:
        # What landed is said even where the build is refused: a hold is often the reason.
        if not as_json:
            print_landing(results)
            print_unclaimed(workspace)
            print_on_hold(held)
        raise
    seconds |= built.seconds
    start = time.perf_counter()
    summary, bills, failure = _summarise(workspace, has_bills=has_bills, is_silent=as_json)
    seconds["bills and summary"] = time.perf_counter() - start
    if as_json:
        print_json(
            {
                "landing": [vars(result) for result in results],
                "on_hold": held,
                "build": _build_as_json(built),
                "summary": summary,
                "bills": str(bills) if bills else None,
                "seconds": {step: round(value, 3) for step, value in seconds.items()},
            }
        )
    else:
        print_landing(results)
        print_unclaimed(workspace)
        _print_summary(summary, built, bills, seconds)
        print_on_hold(held)
    if failure is not None:
        raise failure
    return landing_exit_code(results, held)


def build_all(workspace: Path, *, is_forced: bool, is_silent: bool) -> BuildResult:
    """Build with a progress bar."""
    from pipelines.books.books import Books
    from pipelines.warehouse.build import build as build_workspace
    from pipelines.workspace.workspace import Workspace

    space = Workspace.open(workspace)
    books = Books.open(space)
    with show_progress(is_silent=is_silent) as progress:
        result = build_workspace(space, books, force=is_forced, on_progress=progress.update)
    books.close()
    return result


def _summarise(
    workspace: Path, *, has_bills: bool, is_silent: bool
) -> tuple[Summary, Path | None, FailedStatementsError | None]:
    """The summary, where the latest bills are, and which of them could not be written."""
    from pipelines.billing.errors import FailedStatementsError
    from pipelines.billing.write_bills import remove_stale_bills, write_bills
    from pipelines.warehouse.publication import read_publication
    from pipelines.warehouse.reader import open_published
    from pipelines.warehouse.summary import summarise
    from pipelines.workspace.workspace import Workspace

    space = Workspace.open(workspace)
    publication = read_publication(space)
    with open_published(space) as connection:
        summary = summarise(connection)
    if not has_bills or summary.period_id is None or not summary.by_business_unit:
        return summary, None, None
    directory = space.bills / summary.period_id
    # A close publishes other files of the same run, and makes a preview final.
    content = "".join(file.sha256 for file in publication.files)
    digest = hashlib.sha256(content.encode()).hexdigest()[:12]
    done = directory / f".{summary.run_id}-{digest}"
    if done.exists():
        return summary, directory, None
    with show_progress(is_silent=is_silent) as progress:
        progress.update("Explaining the changes of bills", 0, 0)
        try:
            written = write_bills(
                space,
                summary.period_id,
                None,
                directory,
                lambda done, total, name: progress.update(f"Writing bills: {name}", done, total),
            )
        except FailedStatementsError as failure:
            remove_stale_bills(directory, summary.period_id, list(failure.written))
            return summary, directory, failure
    remove_stale_bills(directory, summary.period_id, written)
    for mark in directory.glob(".2*"):
        mark.unlink()
    done.touch()
    return summary, directory, None


def _build_as_json(result: BuildResult) -> dict[str, Any]:
    return {
        "run_id": result.publication.run_id,
        "is_new": result.is_new,
        "fingerprint": result.publication.fingerprint,
        "seconds": {step: round(value, 3) for step, value in result.seconds.items()},
    }


def _name_period(period_id: str) -> str:
    return period_id.strip("()")


def _print_summary(
    summary: Summary, built: BuildResult, bills: Path | None, seconds: dict[str, float]
) -> None:
    from pipelines.warehouse.summary import PERIOD_UNKNOWN

    code = summary.currency_code
    period = summary.period_id
    for title, rows in (
        (f"Cost by pool, {period}, {code}", summary.by_pool),
        (f"Delivered cost by service, {period}, {code}", summary.by_service),
        (f"Billed to business units, {period}, {code}", summary.by_business_unit),
        (f"Showback of business units, {period}, {code}", summary.shown_by_business_unit),
    ):
        if not rows and rows is summary.shown_by_business_unit:
            continue
        shown = [(name, format_money(amount)) for name, amount in rows]
        total = sum((amount for _, amount in rows), start=0 * rows[0][1]) if rows else None
        print_table(title, ("", code), [*shown, ("Total", format_money(total))], numeric=[1])
    controls = [(_name_period(row[0]), *row[1:]) for row in summary.controls]
    if any(row[0] == PERIOD_UNKNOWN for row in summary.controls):
        # What the files say, whichever period it is of.
        columns = list(zip(*summary.controls, strict=True))[1:]
        controls.append(("Total", *(sum(column[1:], start=column[0]) for column in columns)))
    print_table(
        f"Control totals, {code}: delivered = in quarantine or discarded + not a cost of IT "
        "(recovery, out of scope, capitalised) + cost of IT",
        ("period", "delivered", "left out", "not a cost of IT", "cost of IT", "difference"),
        [(row[0], *map(format_money, row[1:])) for row in controls],
        numeric=[1, 2, 3, 4, 5],
    )
    if summary.missing:
        print(f"{period} is not complete: {summary.missing}. It is compared with no other period.")
    for left_out_period, words in summary.left_out:
        print(f"{_name_period(left_out_period)}: {words}")
    if summary.open_items:
        shown_items = summary.open_items[:SHOWN_OPEN_ITEMS]
        rows_open = [(_name_period(p), n, format_money(a), w) for p, n, a, w in shown_items]
        print_table("Open items", ("period", "what", code, "what to do"), rows_open, numeric=[2])
    hidden = len(summary.open_items) - SHOWN_OPEN_ITEMS
    if hidden > 0:
        print(f"{hidden} more open items: apportion sql 'from rpt_open_items' --limit 0")
    if summary.measure_next:
        print_items(summary.measure_next[:SHOWN_MEASURES], str(period), code)
        if len(summary.measure_next) > SHOWN_MEASURES:
            print(f"{len(summary.measure_next) - SHOWN_MEASURES} smaller ones: apportion measure")
    rows_time = [(step, f"{value:.1f} s") for step, value in seconds.items()]
    rows_time.append(("total", f"{sum(seconds.values()):.1f} s"))
    print_table("Time", ("step", "seconds"), rows_time, numeric=[1])
    state = "Published" if built.is_new else "Nothing has changed since"
    print(f"{state} run {built.publication.run_id}.")
    if bills:
        print(f"Bills of {period}: {bills}")
