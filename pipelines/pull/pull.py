"""Pull deliveries: ask the systems behind sources, and put what they say into the inbox as files.

A pulled file is a delivery like any other: landing takes it in, keeps its bytes and checks it
against its control file. What has been read is what has landed: an incremental pull begins again
somewhat before the last change of the latest pulled file among the loads, so that a pull that was
killed, refused or never landed is repeated and nothing is passed over. What comes twice counts
once, because such a source has `redelivery: update_records`.

Known limit: a record that was deleted in the system stays in the lake; a source that is pulled as
a whole, with `redelivery: replace_period`, follows deletions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pipelines.books.books import Books
from pipelines.errors import ApportionError, UsageError
from pipelines.landing.delivery import resolve_source
from pipelines.pull.cursors import (
    Cursor,
    Pull,
    find_cursor,
    find_landed,
    hash_connection,
    record_pull,
    show_cursor,
    step_back,
    write_cursor,
)
from pipelines.pull.delivery_file import DeliveryFile
from pipelines.pull.failures import ChangedWhileReadError, PullRefusedError
from pipelines.pull.pages import Page
from pipelines.workspace.config import Source
from pipelines.workspace.connection_checks import find_inbox_place, name_pulled_file
from pipelines.workspace.connections import (
    Connection,
    ServiceNowConnection,
    SqlConnection,
    is_incremental,
)
from pipelines.workspace.workspace import Workspace

OnProgress = Callable[[str, int, int], None]

READINGS = 3
"""How often a pull begins where its pages do not fit each other."""


@dataclass(frozen=True)
class PullResult:
    """What became of one source."""

    source_id: str
    state: str
    """'pulled', 'unchanged' (nothing new to write) or 'failed'."""
    records: int = 0
    file_name: str = ""
    since: str | None = None
    """Where the pull began; None where it asked for everything."""
    message: str = ""
    exit_code: int = 0


def list_connected(workspace: Workspace, source_ids: Sequence[str] = ()) -> list[str]:
    """The named sources, or all that have a connection. Raises UsageError for a source that is
    not known or has none."""
    sources = workspace.config.sources
    connected = [key for key, source in sources.items() if source.connection is not None]
    for source_id in source_ids:
        if source_id not in connected:
            word = "no connection" if source_id in sources else "no such source"
            known = ", ".join(connected) or "none"
            raise UsageError(f"{source_id}: {word} in apportion.yml; sources with one: {known}.")
    return list(dict.fromkeys(source_ids)) or connected


def pull_sources(
    workspace: Workspace,
    books: Books,
    source_ids: Sequence[str],
    *,
    is_full: bool = False,
    on_progress: OnProgress | None = None,
) -> list[PullResult]:
    """Pull the sources one after the other. A source that fails keeps none of the others from
    being pulled."""
    results = []
    for source_id in source_ids:
        try:
            results.append(
                pull_source(workspace, books, source_id, is_full=is_full, on_progress=on_progress)
            )
        except ApportionError as error:
            results.append(
                PullResult(source_id, "failed", message=str(error), exit_code=error.exit_code)
            )
    return results


def pull_source(
    workspace: Workspace,
    books: Books,
    source_id: str,
    *,
    is_full: bool = False,
    on_progress: OnProgress | None = None,
) -> PullResult:
    """Pull one source. Raises an ApportionError where its system cannot be read or its answer is
    not whole; then nothing was written to the inbox."""
    source = workspace.config.sources[source_id]
    connection, place = source.connection, find_inbox_place(source)
    assert connection is not None and place is not None
    asked = hash_connection(connection)
    cursor = find_cursor(books, source_id, asked) if is_incremental(connection) else None
    before = None if is_full or cursor is None else step_back(cursor, connection.overlap_minutes)
    started = datetime.now(UTC)
    with DeliveryFile(workspace.inbox / place, source_id) as file:
        newest = _read_again(workspace, source_id, source, before, file, on_progress)
        since = write_cursor(before).partition(" ")[2] if before is not None else None
        if file.records == 0:
            return PullResult(source_id, "unchanged", since=since)
        while (is_latest := find_landed(books, source_id, file.sha256)) is False:
            # The system is again as it was once; its file must not pass for that of then.
            file.make_distinct()
        if is_latest:
            return PullResult(source_id, "unchanged", since=since)
        name = name_pulled_file(source_id, _name_moment(started, before))
        sha256, records = file.sha256, file.records
        file.put_into_place(name, records)
    after = cursor if newest is None else newest
    record_pull(books, Pull(source_id, asked, name, sha256, records, before, after))
    return PullResult(source_id, "pulled", records, name, since)


def _read_again(
    workspace: Workspace,
    source_id: str,
    source: Source,
    since: Cursor | None,
    file: DeliveryFile,
    on_progress: OnProgress | None,
) -> Cursor | None:
    """Read all pages into the file, from the beginning where they do not fit each other. Returns
    the latest change."""
    seen = ""
    for _ in range(READINGS):
        file.restart()
        try:
            return _read_once(workspace, source_id, source, since, file, on_progress)
        except ChangedWhileReadError as change:
            seen = str(change)
    message = f"{seen}, {READINGS} times in a row"
    remedy = "Pull again when less is going on; if it stays so, ask the service's administrator."
    raise PullRefusedError(source_id, message, remedy)


def _read_once(
    workspace: Workspace,
    source_id: str,
    source: Source,
    since: Cursor | None,
    file: DeliveryFile,
    on_progress: OnProgress | None,
) -> Cursor | None:
    newest: Cursor | None = None
    reported: int | None = None
    for page in _open_pages(workspace, source_id, source, since):
        file.write(page.lines)
        newest, reported = page.newest, page.reported
        if on_progress:
            on_progress(f"Pulling: {source_id}", file.records, reported or 0)
    if reported is not None and reported != file.records:
        message = f"expected {reported:,} records, as the system says, got {file.records:,}"
        remedy = "An account that may not read all records gets fewer; otherwise pull again."
        raise PullRefusedError(source_id, message, remedy)
    return newest


def _open_pages(
    workspace: Workspace, source_id: str, source: Source, since: Cursor | None
) -> Iterator[Page]:
    connection = source.connection
    assert connection is not None
    if isinstance(connection, SqlConnection):
        from pipelines.pull.sql_reader import read_sql

        exact = _list_exact_columns(workspace, source_id, source)
        return read_sql(source_id, connection, since, exact)
    return _open_service(source_id, connection, since)


def _open_service(source_id: str, connection: Connection, since: Cursor | None) -> Iterator[Page]:
    if isinstance(connection, ServiceNowConnection):
        from pipelines.pull.servicenow_reader import read_servicenow

        return read_servicenow(source_id, connection, since)
    assert not isinstance(connection, SqlConnection)
    from pipelines.pull.jira_reader import read_jira

    return read_jira(source_id, connection, since)


def _list_exact_columns(workspace: Workspace, source_id: str, source: Source) -> set[str]:
    """Columns of decimal fields, where a binary float would be no amount."""
    contract, mapping = resolve_source(workspace, source_id, source)
    fields = [field.name for field in contract.fields if field.type == "decimal"]
    return {column for name in fields for column in mapping.column_names(name)}


def _name_moment(started: datetime, since: Cursor | None) -> str:
    """When the pull began, and what it asked for: 20260331T140500.000000Z_since-20260330T..."""
    what = "all" if since is None else f"since-{show_cursor(since)}"
    return f"{started:%Y%m%dT%H%M%S.%fZ}_{what}"
