"""Land deliveries: from a file in the inbox to records in the lake, whole or not at all.

Reading order: bytes -> exact header -> strict text -> a pattern per field -> cast -> the whole
(keys, totals, swapped columns) -> the sender's control file -> what came before. A file that
breaks the order of the whole is refused; a record that breaks its contract is quarantined with its
reasons, the rest loads, and accepted + quarantined = delivered. A delivery that is whole and still
doubtful (a closed period, amounts far from those of the period before) lands and is held: it counts
when a person releases it.

The row in the books is the commit point. Files are written to a staging directory, synced and
renamed to `lake/<source>/<sha256>/` before it; a crash in between leaves a directory that no row
names, which the next landing of the same content replaces.

A file of the inbox that did not change since it landed is told by size and time, not read again:
what the thousandth delivery costs is what the first one did.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.books.books import Books
from pipelines.errors import EXIT_USAGE, ApportionError, DeliveryRefusedError, Problem
from pipelines.landing.control_file import ControlFile, read_control_file, refuse_difference
from pipelines.landing.delivery import (
    CONTROL_SUFFIX,
    Delivery,
    find_deliveries,
    name_folder,
    refuse_unused,
    resolve_source,
)
from pipelines.landing.holds import Hold, find_hold, list_closed_periods
from pipelines.landing.inbox_files import find_unchanged, remember_file
from pipelines.landing.lake_files import (
    WORK_NAME,
    copy_original,
    move_into_place,
    open_staging,
    refuse_if_touched,
    refuse_link_out,
    sweep_staging,
    write_records,
)
from pipelines.landing.land_results import LoadResult, say_known, say_landed, settle_landing
from pipelines.landing.left_out_money import sum_left_out
from pipelines.landing.load_log import (
    KnownLoad,
    LandedDelivery,
    find_known,
    read_periods,
    record_load,
    record_reading,
    supersede,
)
from pipelines.landing.name_table import refuse_known_codes
from pipelines.landing.record_checks import (
    ReadRecords,
    explain_quarantine,
    number_lines,
    read_records,
    refuse_untrusted,
)
from pipelines.landing.record_counts import (
    RecordCounts,
    count_quarantined,
    count_records,
    sample_reasons,
)
from pipelines.landing.redelivery import NOTHING_REPLACED, find_replaced
from pipelines.landing.typed_records import ORIGINAL_NAME, QUARANTINE_NAME, RECORDS_NAME
from pipelines.landing.whole_amounts import are_amounts_whole
from pipelines.landing.zoneless_times import say_zoneless_times
from pipelines.readers.csv_header import Header
from pipelines.readers.delivered import Delivered
from pipelines.readers.personal_texts import give_key, hide_delivered_lines
from pipelines.readers.physical_lines import naming_lines
from pipelines.readers.ragged_rows import RaggedRowsError
from pipelines.readers.read_table import read_table
from pipelines.readers.safe_bytes import BytesSeen
from pipelines.readers.table_shapes import LEFT_OUT
from pipelines.readers.text_lines import say_blank_lines
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    import duckdb
    from sqlalchemy import Connection

__all__ = [
    "ORIGINAL_NAME",
    "QUARANTINE_NAME",
    "RECORDS_NAME",
    "Delivery",
    "LandingFailedError",
    "LoadResult",
    "find_deliveries",
    "land_file",
    "land_inbox",
    "resolve_source",
]

MEMORY_LIMIT = "3GB"
"""What DuckDB may hold before it spills to disk; readers, libraries and buffers come on top."""
TABLES = (
    *("delivered", "events", "states", "waiting", "quarantined"),
    *("names_of_fields", "named_codes", LEFT_OUT),
)


class LandingFailedError(ApportionError):
    """The machine refuses to take a delivery: no permission, no space, a file in the way."""

    exit_code = EXIT_USAGE

    def __init__(self, name: str, lake: Path, reason: str) -> None:
        super().__init__(
            f"{name}: could not be written to {lake}: {reason}. Nothing of it was loaded. "
            "Make the directory writable or free some space, then land it again."
        )


class InboxMissingError(ApportionError):
    """The directory in which deliveries arrive is not there, or may not be read."""

    exit_code = EXIT_USAGE

    def __init__(self, inbox: Path, reason: str, landed: int = 0) -> None:
        loaded = f"{landed} deliveries landed before that" if landed else "Nothing was loaded"
        super().__init__(
            f"{inbox}: the inbox cannot be read: {reason}. {loaded} and nothing was "
            "lost. Make it, or mount it again, then repeat the command."
        )


@dataclass(frozen=True)
class Recorded:
    """A delivery that is in the books, and why it does not count yet, if it does not."""

    landed: LandedDelivery
    hold: Hold | None = None


def land_inbox(
    workspace: Workspace,
    books: Books,
    on_file: Callable[[Delivery], None] | None = None,
    reread: Collection[str] = (),
) -> list[LoadResult]:
    """Land every file of the inbox. A refused file does not keep the others from landing.

    Content of the sources in `reread` that was landed under another mapping is read again by the
    mapping of now. Raises InboxMissingError where there is no inbox, LandingFailedError where the
    lake cannot be written.
    """
    _require_inbox(workspace)
    results = []
    with _connect_engine(workspace) as connection:
        for delivery in find_deliveries(workspace):
            if on_file:
                on_file(delivery)
            is_again = delivery.source_id in reread
            try:
                results.append(land_file(workspace, books, connection, delivery, reread=is_again))
            except DeliveryRefusedError as error:
                message = str(error.problem)
                results.append(
                    LoadResult(delivery.source_id, delivery.name, "refused", message=message)
                )
    # What vanished meanwhile looks like an inbox with nothing more in it.
    _require_inbox(workspace, sum(result.state in ("landed", "held") for result in results))
    return settle_landing(workspace, books, results)


def land_file(
    workspace: Workspace,
    books: Books,
    connection: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    *,
    reread: bool = False,
) -> LoadResult:
    """Land one file. Raises DeliveryRefusedError or LandingFailedError; then nothing of it is in
    the books, and nothing in the lake counts."""
    import duckdb

    refuse_link_out(delivery, workspace.inbox)
    refuse_unused(delivery)
    known = find_unchanged(books, delivery)
    if known is not None and not _is_to_be_read(known, delivery, reread):
        return say_known(delivery, known)
    try:
        give_key(connection, workspace, delivery.contract)
        with open_staging(workspace) as staging:
            seen = copy_original(delivery, staging)
            with books.read() as reading:
                known = find_known(reading, delivery.source_id, seen.sha256)
            if known is not None and not _is_to_be_read(known, delivery, reread):
                remember_file(books, delivery, seen)
                return say_known(delivery, known)
            landed = _read_delivery(connection, delivery, seen, staging)
            refuse_known_codes(connection, workspace, books, delivery)
            reasons = sample_reasons(connection, delivery) if landed.counts.quarantined else ()
            if not delivery.keeps_original:
                (staging / ORIGINAL_NAME).unlink()
            outcome = _commit(workspace, books, landed, staging, known)
            remember_file(books, delivery, seen)
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise LandingFailedError(delivery.name, workspace.lake, _say_reason(error)) from error
    finally:
        for table in TABLES:
            connection.execute(f"drop table if exists {table}")
    if isinstance(outcome, KnownLoad):
        return say_known(delivery, outcome)
    return say_landed(outcome.landed, reasons, outcome.hold)


def _is_to_be_read(known: KnownLoad, delivery: Delivery, reread: bool) -> bool:
    """Whether known content is read anew: where its mapping changed and a person asks for it, or
    where it waits on hold and counts for nothing yet."""
    return (reread or known.is_on_hold) and known.is_read_otherwise(delivery)


def _require_inbox(workspace: Workspace, landed: int = 0) -> None:
    """An inbox that is not there, or a folder of it that may not be read, must not look like one
    with nothing in it. A folder that nobody has made yet may."""
    folders = {name_folder(source) for source in workspace.config.sources.values()}
    for folder in (workspace.inbox, *(workspace.inbox / name for name in sorted(folders))):
        try:
            next(folder.iterdir(), None)
        except OSError as error:
            is_inbox = folder == workspace.inbox
            if is_inbox or not isinstance(error, FileNotFoundError | NotADirectoryError):
                raise InboxMissingError(folder, error.strerror or str(error), landed) from None


@contextmanager
def _connect_engine(workspace: Workspace) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB in memory, spilling into the lake's staging area and nowhere else."""
    import duckdb

    sweep_staging(workspace)
    try:
        with (
            open_staging(workspace) as spill,
            duckdb.connect(
                ":memory:", config={"temp_directory": str(spill), "memory_limit": MEMORY_LIMIT}
            ) as connection,
        ):
            yield connection
    except OSError as error:
        raise LandingFailedError("the inbox", workspace.lake, _say_reason(error)) from error


def _read_delivery(
    connection: duckdb.DuckDBPyConnection, delivery: Delivery, seen: BytesSeen, staging: Path
) -> LandedDelivery:
    """Read the copy of a delivery, check it as a whole, and write what is to stay of it."""
    control = read_control_file(delivery)
    if control is not None:
        shutil.copyfile(delivery.control_path, staging / f"{ORIGINAL_NAME}{CONTROL_SUFFIX}")
    work = staging / WORK_NAME
    work.mkdir()
    with hide_delivered_lines(delivery.contract, delivery.mapping):
        delivered, read = _read_texts(
            connection, delivery, seen, staging, keeps_left_out=control is not None
        )
        counts = count_records(connection, delivery.contract, read.records)
        if counts.quarantined:
            explain_quarantine(connection, delivery, delivered, read.records, seen.sha256)
            number_lines(connection, delivered.text)
    if counts.quarantined:
        counts = count_quarantined(connection, delivery.contract, counts)
    is_nil = control is not None and control.records == 0
    with naming_lines(delivered.text):
        refuse_untrusted(connection, delivery, read.records, counts, may_be_empty=is_nil)
    if control is not None:
        left_out = sum_left_out(connection, delivery, delivered, seen.sha256)
        refuse_difference(delivery, control, counts, read.passed_over, left_out)
    is_whole = are_amounts_whole(connection, delivery, read.records, counts, read.texts)
    blank = say_blank_lines(delivered.lines, counts.delivered + read.passed_over)
    zoneless = say_zoneless_times(connection, delivery, delivered)
    shutil.rmtree(work)
    write_records(connection, delivery.contract, staging, read.records, counts.quarantined)
    notes = _list_notes(
        delivery, delivered.header, seen, counts, control, (*blank, *zoneless, *read.notes)
    )
    periods = counts.periods
    if is_nil and control is not None and control.period is not None:
        periods = [control.period]
    return LandedDelivery(delivery, seen, counts, periods, notes, is_whole)


def _read_texts(
    connection: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    seen: BytesSeen,
    staging: Path,
    *,
    keeps_left_out: bool,
) -> tuple[Delivered, ReadRecords]:
    """The records of a delivery; where some have another width than the header, and its mapping
    does not refuse the file for that, a second time, with those marked."""

    def read(*, marks_ragged: bool) -> tuple[Delivered, ReadRecords]:
        delivered = read_table(
            connection,
            staging / ORIGINAL_NAME,
            delivery.contract,
            delivery.mapping,
            seen,
            staging / WORK_NAME,
            delivery.name,
            marks_ragged=marks_ragged,
            keeps_left_out=keeps_left_out,
        )
        return delivered, read_records(connection, delivery, delivered, seen.sha256, staging)

    try:
        return read(marks_ragged=False)
    except RaggedRowsError:
        if delivery.mapping.ragged_rows == "refuse":
            raise
        return read(marks_ragged=True)


def _list_notes(
    delivery: Delivery,
    header: Header,
    seen: BytesSeen,
    counts: RecordCounts,
    control: ControlFile | None,
    changes: tuple[str, ...],
) -> tuple[str, ...]:
    kept = "; the original keeps it" if delivery.keeps_original else ""
    notes = [f"column {name!r} is not mapped{kept}" for name in header.unknown]
    if seen.has_bom:
        notes.append("byte-order mark removed")
    if not seen.ends_with_newline:
        notes.append("last line has no line end")
    notes += [*header.notes, *changes]
    if counts.negative_zeros:
        notes.append(f"-0 read as 0 in {counts.negative_zeros} fields")
    if control is not None:
        notes.append(f"control file agrees: {control.model_dump_json(exclude_none=True)}")
    if not counts.delivered:
        notes.append("nil return: its sender says that there is nothing to deliver")
    return tuple(notes)


def _commit(
    workspace: Workspace,
    books: Books,
    landed: LandedDelivery,
    staging: Path,
    reading: KnownLoad | None,
) -> KnownLoad | Recorded:
    """Rename into place, then write the row that makes the load exist, in one transaction.

    `reading` is the load that is read again, if it is one. Returns the load that another process
    made of the same content meanwhile, if one did, or why the load does not count yet. Raises
    DeliveryRefusedError if the source does not take the delivery or the file has changed.
    """
    delivery, sha256 = landed.delivery, landed.seen.sha256
    with books.begin() as connection:
        # The write lock is held from here: no other loader can be between rename and row.
        known = find_known(connection, delivery.source_id, sha256)
        if known is not None and known != reading:
            return known
        replaced = NOTHING_REPLACED
        if not landed.has_unknown_period:
            replaced = find_replaced(
                connection,
                delivery.source_id,
                delivery.source,
                delivery.name,
                sha256,
                landed.sizes,
                with_pending=True,
            )
        refuse_if_touched(delivery, landed.seen)
        counted = landed.without_periods(replaced.kept_periods)
        hold = find_hold(connection, counted, workspace.config.holds)
        if reading is not None:
            if not reading.is_on_hold:
                _refuse_closed(connection, landed, read_periods(connection, reading.load_id))
                hold = None
            directory = reading.next_directory
            move_into_place(staging, workspace.lake / delivery.source_id / directory)
            record_reading(connection, landed, reading, hold)
            if reading.is_on_hold and hold is None:
                supersede(connection, reading.load_id, replaced)
            return Recorded(landed, hold)
        move_into_place(staging, workspace.lake / delivery.source_id / sha256)
        if hold is None:
            landed = replace(landed, notes=(*landed.notes, *replaced.notes))
        record_load(connection, landed, replaced, hold)
        return Recorded(landed, hold)


def _refuse_closed(connection: Connection, landed: LandedDelivery, before: list[str]) -> None:
    """A known file is not read anew into a closed period, nor out of one: `before` are the periods
    of its earlier reading. Raises DeliveryRefusedError."""
    delivery = landed.delivery
    closed = list_closed_periods(connection, delivery.source.scenario, [*landed.periods, *before])
    if closed:
        message = f"holds {', '.join(closed)}, which is closed, and cannot be read anew"
        remedy = "Nothing was changed. Open the period again first."
        raise DeliveryRefusedError(Problem(delivery.name, message, remedy=remedy))


def _say_reason(error: Exception) -> str:
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror or error}{where}"
    return str(error).split("\n")[0]
