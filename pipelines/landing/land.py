"""Land deliveries: from a file in the inbox to records in the lake, whole or not at all.

Reading order: bytes -> exact header -> strict text -> a pattern per field -> cast -> the whole
(keys, totals, swapped columns) -> the sender's control file. A file that breaks the order of the
whole is refused; a record that breaks its contract is quarantined with its reasons, the rest
loads, and accepted + quarantined = delivered.

The row in the books is the commit point. Files are written to a staging directory, synced and
renamed to `lake/<source>/<sha256>/` before it; a crash in between leaves a directory that no row
names, which the next landing of the same content replaces.

Known limit: content that was landed is known for good, under its mapping of then; after a mapping
was corrected, the sender's file must differ by a byte to be read again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.books.audit import append_audit
from pipelines.books.books import Books, current_person, current_time
from pipelines.errors import EXIT_USAGE, ApportionError, DeliveryRefusedError
from pipelines.landing.control_file import ControlFile, read_control_file, refuse_difference
from pipelines.landing.delivery import CONTROL_SUFFIX, Delivery, find_deliveries, resolve_source
from pipelines.landing.lake_files import (
    ORIGINAL_NAME,
    QUARANTINE_NAME,
    RECORDS_NAME,
    WORK_NAME,
    copy_original,
    move_into_place,
    open_staging,
    refuse_if_touched,
    sweep_staging,
    write_records,
)
from pipelines.landing.record_checks import check_records, explain_quarantine, refuse_untrusted
from pipelines.landing.record_counts import (
    RecordCounts,
    count_records,
    list_periods,
    sample_reasons,
)
from pipelines.landing.redelivery import find_superseded
from pipelines.readers.csv_header import Header
from pipelines.readers.personal_texts import give_key, hide_delivered_lines
from pipelines.readers.read_table import read_table
from pipelines.readers.safe_bytes import BytesSeen, inspect_delivery
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    import duckdb
    from sqlalchemy import Connection, Row

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


class LandingFailedError(ApportionError):
    """The machine refuses to take a delivery: no permission, no space, a file in the way."""

    exit_code = EXIT_USAGE

    def __init__(self, name: str, lake: Path, reason: str) -> None:
        super().__init__(
            f"{name}: could not be written to {lake}: {reason}. Nothing of it was loaded. "
            "Make the directory writable or free some space, then land it again."
        )


@dataclass(frozen=True)
class LoadResult:
    """What became of one delivered file."""

    source_id: str
    file_name: str
    state: str
    """'landed', 'known' (same content was landed before) or 'refused'."""
    sha256: str = ""
    records_delivered: int = 0
    records_accepted: int = 0
    records_quarantined: int = 0
    amounts: dict[str, dict[str, str]] | None = None
    reasons: tuple[str, ...] = ()
    message: str = ""
    notes: tuple[str, ...] = ()
    """What was normalised or passed over without harm."""


@dataclass(frozen=True)
class _CheckedDelivery:
    """A delivery that was read and may be recorded."""

    delivery: Delivery
    seen: BytesSeen
    counts: RecordCounts
    periods: list[str]
    notes: tuple[str, ...]


def land_inbox(
    workspace: Workspace,
    books: Books,
    on_file: Callable[[Delivery], None] | None = None,
) -> list[LoadResult]:
    """Land every file of the inbox. A refused file does not keep the others from landing; raises
    LandingFailedError where the lake cannot be written at all."""
    results = []
    with _connect_engine(workspace) as connection:
        for delivery in find_deliveries(workspace):
            if on_file:
                on_file(delivery)
            try:
                results.append(land_file(workspace, books, connection, delivery))
            except DeliveryRefusedError as error:
                message = str(error.problem)
                results.append(
                    LoadResult(delivery.source_id, delivery.name, "refused", message=message)
                )
    return results


def land_file(
    workspace: Workspace,
    books: Books,
    connection: duckdb.DuckDBPyConnection,
    delivery: Delivery,
) -> LoadResult:
    """Land one file. Raises DeliveryRefusedError or LandingFailedError; then nothing of it is in
    the books, and nothing in the lake counts."""
    import duckdb

    seen = inspect_delivery(delivery.path, delivery.mapping)
    with books.read() as reading:
        known = _find_known(reading, delivery.source_id, seen.sha256)
    if known is not None:
        return _say_known(delivery, known)
    try:
        give_key(connection, workspace, delivery.contract)
        with open_staging(workspace) as staging:
            checked = _read_delivery(connection, delivery, seen, staging)
            reasons: tuple[str, ...] = ()
            if checked.counts.quarantined:
                explain_quarantine(connection, delivery.contract)
                reasons = sample_reasons(connection, delivery)
            write_records(connection, delivery.contract, staging, checked.counts.quarantined)
            known = _commit(workspace, books, checked, staging)
    except (OSError, duckdb.IOException) as error:
        raise LandingFailedError(delivery.name, workspace.lake, _say_reason(error)) from error
    return _say_known(delivery, known) if known is not None else _say_landed(checked, reasons)


@contextmanager
def _connect_engine(workspace: Workspace) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB in memory, spilling into the lake's staging area and nowhere else."""
    import duckdb

    sweep_staging(workspace)
    try:
        with (
            open_staging(workspace) as spill,
            duckdb.connect(":memory:", config={"temp_directory": str(spill)}) as connection,
        ):
            yield connection
    except OSError as error:
        raise LandingFailedError("the inbox", workspace.lake, _say_reason(error)) from error


def _read_delivery(
    connection: duckdb.DuckDBPyConnection, delivery: Delivery, seen: BytesSeen, staging: Path
) -> _CheckedDelivery:
    """Read the copy of a delivery into `checked` and check it as a whole."""
    original = copy_original(delivery, seen, staging)
    control = read_control_file(delivery)
    if control is not None:
        shutil.copyfile(delivery.control_path, staging / f"{ORIGINAL_NAME}{CONTROL_SUFFIX}")
    work = staging / WORK_NAME
    work.mkdir()
    with hide_delivered_lines(delivery.contract, delivery.mapping):
        header = read_table(
            connection, original, delivery.contract, delivery.mapping, seen, work, delivery.name
        )
    shutil.rmtree(work)
    changes = check_records(connection, delivery, header, "delivered", seen.sha256)
    refuse_untrusted(connection, delivery)
    counts = count_records(connection, delivery.contract)
    periods = list_periods(connection, delivery.contract)
    refuse_difference(delivery, control, counts, periods)
    notes = _list_notes(header, seen, counts, control, changes)
    return _CheckedDelivery(delivery, seen, counts, periods, notes)


def _list_notes(
    header: Header,
    seen: BytesSeen,
    counts: RecordCounts,
    control: ControlFile | None,
    changes: tuple[str, ...],
) -> tuple[str, ...]:
    notes = [f"column {name!r} is not mapped; the original keeps it" for name in header.unknown]
    if seen.has_bom:
        notes.append("byte-order mark removed")
    if not seen.ends_with_newline:
        notes.append("last line has no line end")
    notes += [*header.notes, *changes]
    if counts.negative_zeros:
        notes.append(f"-0 read as 0 in {counts.negative_zeros} fields")
    if control is not None:
        notes.append(f"control file agrees: {control.model_dump_json(exclude_none=True)}")
    return tuple(notes)


def _commit(
    workspace: Workspace, books: Books, checked: _CheckedDelivery, staging: Path
) -> Row[Any] | None:
    """Rename into place, then write the row that makes the load exist, in one transaction.

    Returns the load that another process made of the same content meanwhile, if one did. Raises
    DeliveryRefusedError if the source does not take the delivery or the file has changed.
    """
    delivery, sha256 = checked.delivery, checked.seen.sha256
    with books.begin() as connection:
        # The write lock is held from here: no other loader can be between rename and row.
        known = _find_known(connection, delivery.source_id, sha256)
        if known is not None:
            return known
        superseded = find_superseded(connection, delivery, sha256, checked.periods)
        refuse_if_touched(delivery, checked.seen)
        move_into_place(staging, workspace.lake / delivery.source_id / sha256)
        _record_load(connection, checked, superseded)
    return None


def _record_load(connection: Connection, checked: _CheckedDelivery, superseded: list[int]) -> None:
    """Write the load, its periods, what it supersedes, and its line in the audit log."""
    from pipelines.books.tables import load_periods, loads

    delivery, counts = checked.delivery, checked.counts
    key = connection.execute(
        loads.insert().values(
            source_id=delivery.source_id,
            contract_id=delivery.contract.contract_id,
            scenario_id=delivery.source.scenario,
            mapping_id=delivery.mapping.mapping_id,
            file_name=delivery.name,
            sha256=checked.seen.sha256,
            bytes=checked.seen.size,
            records_delivered=counts.delivered,
            records_accepted=counts.accepted,
            records_quarantined=counts.quarantined,
            amounts=json.dumps(counts.amounts_as_text()),
            notes=json.dumps(checked.notes),
            landed_at=current_time(),
            landed_by=current_person(),
        )
    ).inserted_primary_key
    assert key is not None
    load_id = key[0]
    if checked.periods:
        rows: list[dict[str, Any]] = [
            {"load_id": load_id, "period_id": period} for period in checked.periods
        ]
        connection.execute(load_periods.insert(), rows)
    if superseded:
        connection.execute(
            loads.update().where(loads.c.load_id.in_(superseded)).values(superseded_by=load_id)
        )
    details = {
        "sha256": checked.seen.sha256,
        "delivered": counts.delivered,
        "quarantined": counts.quarantined,
        "supersedes": superseded,
    }
    append_audit(connection, "land", f"{delivery.source_id}/{delivery.name}", details)


def _find_known(connection: Connection, source_id: str, sha256: str) -> Row[Any] | None:
    from sqlalchemy import select

    from pipelines.books.tables import loads

    return connection.execute(
        select(loads.c.load_id, loads.c.file_name, loads.c.sha256, loads.c.superseded_by).where(
            loads.c.source_id == source_id, loads.c.sha256 == sha256
        )
    ).first()


def _say_known(delivery: Delivery, known: Row[Any]) -> LoadResult:
    message = f"{delivery.name}: same content as '{known.file_name}', landed before"
    if known.superseded_by is not None:
        message += "; a later delivery took its place, and still counts"
    return LoadResult(
        delivery.source_id, delivery.name, "known", known.sha256, message=f"{message}."
    )


def _say_landed(checked: _CheckedDelivery, reasons: tuple[str, ...]) -> LoadResult:
    counts = checked.counts
    result = LoadResult(
        checked.delivery.source_id, checked.delivery.name, "landed", checked.seen.sha256
    )
    return replace(
        result,
        records_delivered=counts.delivered,
        records_accepted=counts.accepted,
        records_quarantined=counts.quarantined,
        amounts=counts.amounts_as_text(),
        reasons=reasons,
        notes=checked.notes,
    )


def _say_reason(error: Exception) -> str:
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror or error}{where}"
    return str(error).split("\n")[0]
