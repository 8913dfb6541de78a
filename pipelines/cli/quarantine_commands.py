"""`apportion quarantine`: look at the records that could not be taken in, and decide on them."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.output import (
    JsonOption,
    WorkspaceOption,
    parse_assignments,
    print_json,
    print_table,
)
from pipelines.errors import EXIT_DONE, EXIT_QUARANTINED, UsageError

if TYPE_CHECKING:
    from pipelines.landing.quarantine import QuarantinedRecord, QuarantineTotal, RecordDetails
    from pipelines.landing.quarantine_decisions import DecisionResult
    from pipelines.landing.quarantine_log import State
    from pipelines.warehouse.lake_views import ActiveLoad

SHOWN_PROBLEMS = 10


class Shown(StrEnum):
    """Which records to list."""

    open = "open"
    released = "released"
    discarded = "discarded"
    all = "all"


STATES: dict[Shown, State | None] = {
    Shown.open: "open",
    Shown.released: "released",
    Shown.discarded: "discarded",
    Shown.all: None,
}
SourceArgument = Annotated[str, typer.Argument(help="Source of the file, as in apportion.yml.")]
FileArgument = Annotated[
    str, typer.Argument(help="Name of the file, or the beginning of its hash.")
]
OptionalFileArgument = Annotated[
    str | None, typer.Argument(help="Name of the file, or the beginning of its hash.")
]
RecordArgument = Annotated[int, typer.Argument(help="Number of the record; 1 is the first.")]
OptionalRecordArgument = Annotated[
    int | None, typer.Argument(help="Number of the record; 1 is the first.")
]
WhyOption = Annotated[str, typer.Option("--why", help="The reason, for those who ask later.")]
AllOfOption = Annotated[
    str | None, typer.Option("--all-of", help="Decide all open records of this file at once.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    group = typer.Typer(
        help="Look at the records in quarantine, and decide on them.", no_args_is_help=True
    )
    group.command("list")(list_quarantine)
    group.command("show")(show)
    group.command("release")(release)
    group.command("discard")(discard)
    app.add_typer(group, name="quarantine")


def list_quarantine(
    source: Annotated[str | None, typer.Option("--source", help="Only of this source.")] = None,
    state: Annotated[Shown, typer.Option("--state", help="Which records.")] = Shown.open,
    limit: Annotated[int, typer.Option("--limit", help="Records in the table; 0 for all.")] = 100,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """List the records in quarantine: what is wrong, how much money, since when."""
    from pipelines.landing.quarantine import list_loads, list_records, sum_records
    from pipelines.workspace.workspace import Workspace

    loads = list_loads(Workspace.open(workspace), _read_loads(workspace), source)
    wanted = STATES[state]
    records = list_records(loads, wanted)
    totals = sum_records(loads, wanted)
    if as_json:
        print_json({"totals": totals, "records": records})
    elif not records:
        print("No records." if state is Shown.all else f"No {state.value} records.")
    else:
        _print_records(records[:limit] if limit else records)
        if limit and len(records) > limit:
            print(f"{len(records) - limit} more records; --limit 0 shows all of them.")
        _print_totals(totals)
    return EXIT_DONE


def show(
    source: SourceArgument,
    file: FileArgument,
    record: RecordArgument,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Show one record as it was delivered, with everything that is wrong with it."""
    from pipelines.landing.quarantine import find_load, list_loads, show_record
    from pipelines.workspace.workspace import Workspace

    loads = list_loads(Workspace.open(workspace), _read_loads(workspace), source)
    details = show_record(find_load(loads, source, file), record)
    if as_json:
        print_json(details)
    else:
        _print_details(details)
    return EXIT_DONE


def release(
    source: SourceArgument,
    why: WhyOption,
    file: OptionalFileArgument = None,
    record: OptionalRecordArgument = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="FIELD=VALUE, in the form of the contract; again for more."),
    ] = None,
    all_of: AllOfOption = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Let a record count, corrected with --set or as it is, if it keeps its contract.

    The next build reads it. The original stays as it was delivered.
    """
    from pipelines.books.books import Books
    from pipelines.landing.quarantine_decisions import release_records
    from pipelines.workspace.workspace import Workspace

    name, number = _choose_records(file, record, all_of)
    pairs = parse_assignments(changes or [], "--set")
    values = {field: value or None for field, value in pairs.items()}
    space = Workspace.open(workspace)
    books = Books.open(space)
    result = release_records(space, books, source, name, number, why=why, changes=values)
    books.close()
    _print_result(result, as_json=as_json)
    return EXIT_QUARANTINED if result.kept else EXIT_DONE


def discard(
    source: SourceArgument,
    why: WhyOption,
    file: OptionalFileArgument = None,
    record: OptionalRecordArgument = None,
    all_of: AllOfOption = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Declare a record to be no cost. It stays visible as discarded, with who and why."""
    from pipelines.books.books import Books
    from pipelines.landing.quarantine_decisions import discard_records
    from pipelines.workspace.workspace import Workspace

    name, number = _choose_records(file, record, all_of)
    space = Workspace.open(workspace)
    books = Books.open(space)
    result = discard_records(space, books, source, name, number, why=why)
    books.close()
    _print_result(result, as_json=as_json)
    return EXIT_DONE


def _read_loads(workspace: Path) -> list[ActiveLoad]:
    from pipelines.books.books import Books
    from pipelines.warehouse.lake_views import list_active_loads
    from pipelines.workspace.workspace import Workspace

    space = Workspace.open(workspace)
    books = Books.open(space)
    loads = list_active_loads(space, books)
    books.close()
    return loads


def _choose_records(
    file: str | None, record: int | None, all_of: str | None
) -> tuple[str, int | None]:
    """(file, record or None for all). Raises UsageError unless exactly one of both was said."""
    if all_of is not None and file is None:
        return all_of, None
    if all_of is None and file is not None and record is not None:
        return file, record
    raise UsageError("name one record by FILE and RECORD, or all open ones of a file by --all-of")


def _print_records(records: list[QuarantinedRecord]) -> None:
    from pipelines.landing.record_counts import show_value
    from pipelines.readers.physical_lines import name_record

    rows = []
    for item in records:
        first, more = item.problems[0], len(item.problems) - 1
        rows.append(
            (
                f"{item.source_id}/{item.file_name}",
                name_record(item.row_number, item.line_number),
                first.field,
                show_value(first.found),
                first.reason + (f" (and {more} more)" if more else ""),
                _show_amount(item),
                item.state,
                item.since[:10],
            )
        )
    columns = ("file", "record", "field", "found", "reason", "amount", "state", "since")
    print_table("Quarantine", columns, rows, numeric=[1, 5])


def _show_amount(item: QuarantinedRecord) -> str:
    if item.amount_local is None:
        return ""
    return f"{item.amount_local.normalize():f} {item.currency_code or '?'}"


def _print_totals(totals: list[QuarantineTotal]) -> None:
    rows = [
        (
            item.source_id,
            item.state,
            item.currency_code,
            f"{item.records:,}",
            f"{item.amount_local.normalize():,f}",
            item.unreadable_records or "",
        )
        for item in totals
    ]
    columns = ("source", "state", "currency", "records", "amount", "unreadable")
    print_table("Totals", columns, rows, numeric=[3, 4, 5])


def _print_details(details: RecordDetails) -> None:
    from pipelines.readers.physical_lines import name_record

    item = details.record
    record = name_record(item.row_number, item.line_number)
    print(f"{item.source_id}/{item.file_name}, record {record} (sha256 {item.file_id})")
    print(f"{item.state} since {item.since}")
    if details.decision is not None:
        print(f"{details.decision.decision} by {item.person_name}: {item.why}")
        before = json.loads(details.decision.values_before)
        for name, value in json.loads(details.decision.values_after).items():
            print(f"  {name}: {before[name]!r} became {value!r}")
    problems = {problem.field: problem.reason for problem in item.problems}
    rows = [(name, text, problems.pop(name, "")) for name, text in details.delivered.items()]
    rows += [(name, None, reason) for name, reason in problems.items()]
    print_table("As delivered", ("field", "value", "problem"), rows)


def _print_result(result: DecisionResult, *, as_json: bool) -> None:
    if as_json:
        print_json(result)
        return
    done = {"release": "released", "discard": "discarded"}[result.decision]
    count = len(result.decided)
    shown = f"record {result.decided[0]}" if count == 1 else f"{count} records"
    print(f"{result.source_id}/{result.file_name}: {shown} {done}; the next build knows.")
    kept = sorted({number for number, _ in result.kept})
    if kept:
        print(f"{len(kept)} records stay in quarantine, such as")
        for number, problem in result.kept[:SHOWN_PROBLEMS]:
            print(f"    record {number}, field {problem.field}: {problem.reason}")
