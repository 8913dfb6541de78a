"""Land deliveries: from a file in the inbox to records in the lake, whole or not at all.

Reading order: bytes -> exact header -> strict text -> a pattern per field -> cast -> keys. A file
that breaks the order of the whole is refused; a record that breaks its contract is quarantined
with its reasons, the rest loads, and accepted + quarantined = delivered.

The row in the books is the commit point. Files are written to a staging directory, synced and
renamed to `lake/<source>/<sha256>/` before it; a crash in between leaves a directory that no row
names, which the next landing of the same content replaces.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.books.audit import append_audit
from pipelines.books.books import Books, current_person, current_time
from pipelines.contracts.contract import Contract, load_contract
from pipelines.errors import DeliveryRefusedError, Problem
from pipelines.landing.field_checks import (
    cast_expression,
    problem_expressions,
    text_expression,
)
from pipelines.mappings.mapping import Mapping, load_mapping
from pipelines.readers.csv_reader import Header, load_as_text, read_header
from pipelines.readers.safe_bytes import BytesSeen, inspect_text_file
from pipelines.warehouse.publication import sync_directory
from pipelines.workspace.config import Source
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

RECORDS_NAME = "records.parquet"
QUARANTINE_NAME = "quarantine.parquet"
ORIGINAL_NAME = "original"
SAMPLE_OF_REASONS = 5


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


@dataclass(frozen=True)
class Delivery:
    """One file of one source, ready to be read."""

    path: Path
    source_id: str
    source: Source
    contract: Contract
    mapping: Mapping


def find_deliveries(workspace: Workspace) -> Iterator[Delivery]:
    """Files in the inbox, by source and name, each with how it is to be read."""
    for source_id, source in workspace.config.sources.items():
        contract, mapping = resolve_source(workspace, source_id, source)
        for path in sorted(workspace.inbox.glob(source.inbox)):
            if path.is_file() and not path.name.startswith("."):
                yield Delivery(path, source_id, source, contract, mapping)


def resolve_source(
    workspace: Workspace, source_id: str, source: Source
) -> tuple[Contract, Mapping]:
    """Contract and mapping of a source. Raises ConfigurationError if one is not known."""
    from pipelines.errors import ConfigurationError

    try:
        contract = load_contract(source.contract)
        return contract, load_mapping(source.mapping, contract)
    except (KeyError, ValueError) as error:
        text = str(error.args[0])
        raise ConfigurationError(
            [Problem("apportion.yml", text, field=f"sources.{source_id}")]
        ) from None


def land_inbox(
    workspace: Workspace,
    books: Books,
    on_file: Callable[[Delivery], None] | None = None,
) -> list[LoadResult]:
    """Land every file of the inbox. A refused file does not keep the others from landing."""
    import duckdb

    results = []
    with duckdb.connect(":memory:") as connection:
        for delivery in find_deliveries(workspace):
            if on_file:
                on_file(delivery)
            try:
                results.append(land_file(workspace, books, connection, delivery))
            except DeliveryRefusedError as error:
                name = delivery.path.name
                results.append(
                    LoadResult(delivery.source_id, name, "refused", message=str(error.problem))
                )
    return results


def land_file(
    workspace: Workspace,
    books: Books,
    connection: duckdb.DuckDBPyConnection,
    delivery: Delivery,
) -> LoadResult:
    """Land one file. Raises DeliveryRefusedError; then nothing of it is in lake or books."""
    seen = inspect_text_file(delivery.path)
    name = delivery.path.name
    if _is_known(books, delivery.source_id, seen.sha256):
        return LoadResult(delivery.source_id, name, "known", seen.sha256)
    header = read_header(delivery.path, delivery.mapping)
    load_as_text(connection, delivery.path, header, "delivered")
    _check_records(connection, delivery, header)
    _refuse_double_keys(connection, delivery)
    periods = _list_periods(connection, delivery.contract)
    superseded = _settle_redelivery(books, delivery, seen, periods)
    result = _count(connection, delivery, seen)
    staging = workspace.lake / ".staging" / uuid.uuid4().hex
    try:
        _write_files(connection, delivery, seen, staging)
        target = workspace.lake / delivery.source_id / seen.sha256
        _commit(books, delivery, seen, header, result, periods, superseded, staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return result


def _is_known(books: Books, source_id: str, sha256: str) -> bool:
    from sqlalchemy import select

    from pipelines.books.tables import loads

    with books.read() as connection:
        found = connection.execute(
            select(loads.c.load_id).where(loads.c.source_id == source_id, loads.c.sha256 == sha256)
        ).first()
    return found is not None


def _check_records(
    connection: duckdb.DuckDBPyConnection, delivery: Delivery, header: Header
) -> None:
    """Create `texts` (fields as text, problems) and `accepted` (typed)."""
    contract, mapping = delivery.contract, delivery.mapping
    texts = ", ".join(
        f'{text_expression(field, mapping, header.columns)} as "{field.name}"'
        for field in contract.fields
    )
    problems = ", ".join(problem_expressions(contract))
    connection.execute(
        f"""
        create or replace temp table checked as
        with texts as (select _row_number, {texts} from delivered)
        select *, list_filter([{problems}], lambda problem: problem is not null) as _problems
        from texts
        """
    )


def _refuse_double_keys(connection: duckdb.DuckDBPyConnection, delivery: Delivery) -> None:
    key = delivery.contract.key
    if not key:
        return
    columns = ", ".join(f'"{name}"' for name in key)
    row = connection.execute(
        f"""
        select {columns}, list(_row_number order by _row_number) from checked
        where len(_problems) = 0 group by {columns} having count(*) > 1
        order by min(_row_number) limit 1
        """
    ).fetchone()
    if row is not None:
        *values, records = row
        raise DeliveryRefusedError(
            Problem(
                delivery.path.name,
                f"holds the key ({', '.join(key)}) more than once",
                record=records[1],
                expected="each key once",
                found=f"({', '.join(map(str, values))}) in records {', '.join(map(str, records[:5]))}",
                remedy="Nothing was loaded. Ask the sender for a file without the repetition.",
            )
        )


def _list_periods(connection: duckdb.DuckDBPyConnection, contract: Contract) -> list[str]:
    if contract.period_field is None:
        return []
    rows = connection.execute(
        f"""
        select distinct left("{contract.period_field}", 7) from checked
        where len(_problems) = 0 order by 1
        """
    ).fetchall()
    return [row[0] for row in rows]


def _settle_redelivery(
    books: Books, delivery: Delivery, seen: BytesSeen, periods: list[str]
) -> list[int]:
    """Loads that this one supersedes. Raises DeliveryRefusedError where the source declares so."""
    from sqlalchemy import select

    from pipelines.books.tables import load_periods, loads

    with books.read() as connection:
        rows = connection.execute(
            select(
                loads.c.load_id,
                loads.c.file_name,
                loads.c.sha256,
                load_periods.c.period_id,
            )
            .outerjoin(load_periods)
            .where(loads.c.source_id == delivery.source_id, loads.c.superseded_by.is_(None))
            .order_by(loads.c.load_id)
        ).all()
    earlier: dict[int, set[str]] = {}
    names = {}
    for load_id, file_name, sha256, period_id in rows:
        earlier.setdefault(load_id, set()).update([period_id] if period_id else [])
        names[load_id] = (file_name, sha256)
    covered = set(periods)
    overlapping = [key for key, held in earlier.items() if not held or held & covered]
    if not overlapping or delivery.source.redelivery == "append":
        return []
    file_name, sha256 = names[overlapping[0]]
    known = f"'{file_name}' (sha256 {sha256[:12]}…)"
    if delivery.source.redelivery == "refuse":
        both = ", ".join(sorted(earlier[overlapping[0]] & covered)) or "the same data"
        raise DeliveryRefusedError(
            Problem(
                delivery.path.name,
                f"delivers {both} again with other content than {known}",
                expected=f"new periods, as source '{delivery.source_id}' declares redelivery: refuse",
                found=f"sha256 {seen.sha256[:12]}…",
                remedy="Nothing was loaded. Declare redelivery: replace_period if it is to replace.",
            )
        )
    partly = [key for key in overlapping if not earlier[key] <= covered]
    if partly:
        file_name, sha256 = names[partly[0]]
        kept = ", ".join(sorted(earlier[partly[0]] - covered))
        raise DeliveryRefusedError(
            Problem(
                delivery.path.name,
                f"replaces only a part of '{file_name}' (sha256 {sha256[:12]}…)",
                expected="all periods of the delivery that it replaces",
                found=f"none for {kept}",
                remedy="Nothing was loaded. Deliver the missing periods in the same file.",
            )
        )
    return overlapping


def _count(
    connection: duckdb.DuckDBPyConnection, delivery: Delivery, seen: BytesSeen
) -> LoadResult:
    counts = connection.execute(
        "select count(*), count(*) filter (len(_problems) = 0) from checked"
    ).fetchone()
    assert counts is not None
    delivered, accepted = counts
    if delivered == 0:
        raise DeliveryRefusedError(
            Problem(
                delivery.path.name,
                "has a header and no records",
                expected="at least one record",
                found="0",
                remedy="Nothing was loaded. Ask the sender whether the period is really empty.",
            )
        )
    reasons = connection.execute(
        """
        select _row_number, problem.field, problem.found, problem.reason
        from (select _row_number, unnest(_problems) as problem from checked)
        order by _row_number, problem.field limit ?
        """,
        [SAMPLE_OF_REASONS],
    ).fetchall()
    name = delivery.path.name
    sentences = tuple(
        str(
            Problem(
                name,
                reason.split("; expected ")[0],
                record=number,
                field=field,
                found=repr(found),
                expected=reason.split("; expected ")[1],
            )
        )
        for number, field, found, reason in reasons
    )
    return LoadResult(
        delivery.source_id,
        name,
        "landed",
        seen.sha256,
        delivered,
        accepted,
        delivered - accepted,
        _sum_amounts(connection, delivery.contract),
        sentences,
    )


def _sum_amounts(
    connection: duckdb.DuckDBPyConnection, contract: Contract
) -> dict[str, dict[str, str]]:
    """Sums by currency of accepted and quarantined money, as exact text."""
    if contract.amount_field is None:
        return {}
    amount = cast_expression(contract.field(contract.amount_field))
    currency = f"coalesce(\"{contract.currency_field}\", '?')"
    rows = connection.execute(
        f"""
        select
            {currency}, sum({amount}) filter (len(_problems) = 0),
            sum({amount}) filter (len(_problems) > 0),
            count(*) filter (len(_problems) > 0 and ({amount}) is null)
        from checked group by 1 order by 1
        """
    ).fetchall()
    return {
        str(code): {
            "accepted": _plain(accepted),
            "quarantined": _plain(quarantined),
            "unreadable_records": str(unreadable),
        }
        for code, accepted, quarantined, unreadable in rows
    }


def _plain(amount: Decimal | None) -> str:
    return format((amount or Decimal(0)).normalize(), "f")


def _write_files(
    connection: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    seen: BytesSeen,
    staging: Path,
) -> None:
    staging.mkdir(parents=True)
    shutil.copyfile(delivery.path, staging / ORIGINAL_NAME)
    if inspect_text_file(staging / ORIGINAL_NAME).sha256 != seen.sha256:
        raise DeliveryRefusedError(
            Problem(
                delivery.path.name,
                "changed while it was read",
                remedy="Nothing was loaded. Land it again when its sender has finished writing.",
            )
        )
    typed = ", ".join(
        f'{cast_expression(field)} as "{field.name}"' for field in delivery.contract.fields
    )
    contract = delivery.contract
    records = str(staging / RECORDS_NAME).replace("'", "''")
    connection.execute(
        f"copy (select {typed}, _row_number from checked where len(_problems) = 0 "
        f"order by _row_number) to '{records}' (format parquet, compression zstd)"
    )
    amount = "cast(null as decimal(38, 12))"
    if contract.amount_field:
        amount = cast_expression(contract.field(contract.amount_field))
    period = f'left("{contract.period_field}", 7)' if contract.period_field else "null"
    currency = f'"{contract.currency_field}"' if contract.currency_field else "null"
    quarantine = str(staging / QUARANTINE_NAME).replace("'", "''")
    fields = ", ".join(f'"{field.name}"' for field in contract.fields)
    connection.execute(
        f"copy (select _row_number, cast({period} as varchar) as period_id, "
        f"cast({currency} as varchar) as currency_code, {amount} as amount_local, _problems, "
        f"to_json(struct_pack({', '.join(f'{n} := {n}' for n in fields.split(', '))})) as record "
        f"from checked where len(_problems) > 0 order by _row_number) "
        f"to '{quarantine}' (format parquet)"
    )
    for name in (ORIGINAL_NAME, RECORDS_NAME, QUARANTINE_NAME):
        _sync_file(staging / name)
    sync_directory(staging)


def _commit(
    books: Books,
    delivery: Delivery,
    seen: BytesSeen,
    header: Header,
    result: LoadResult,
    periods: list[str],
    superseded: list[int],
    staging: Path,
    target: Path,
) -> None:
    """Rename into place, then write the row that makes the load exist, in one transaction."""
    from sqlalchemy import update

    from pipelines.books.tables import load_periods, loads

    notes = [f"column '{name}' is not mapped; the original keeps it" for name in header.unknown]
    if seen.has_bom:
        notes.append("byte-order mark removed")
    if not seen.ends_with_newline:
        notes.append("last line has no line end")
    with books.begin() as connection:
        # The write lock is held from here: no other loader can be between rename and row.
        known = connection.execute(
            loads.select().where(
                loads.c.source_id == delivery.source_id, loads.c.sha256 == seen.sha256
            )
        ).first()
        if known is not None:
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            shutil.rmtree(target)
        os.replace(staging, target)
        sync_directory(target.parent)
        key = connection.execute(
            loads.insert().values(
                source_id=delivery.source_id,
                contract_id=delivery.contract.contract_id,
                scenario_id=delivery.source.scenario,
                mapping_id=delivery.mapping.mapping_id,
                file_name=delivery.path.name,
                sha256=seen.sha256,
                bytes=seen.size,
                records_delivered=result.records_delivered,
                records_accepted=result.records_accepted,
                records_quarantined=result.records_quarantined,
                amounts=json.dumps(result.amounts),
                notes=json.dumps(notes),
                landed_at=current_time(),
                landed_by=current_person(),
            )
        ).inserted_primary_key
        assert key is not None
        load_id = key[0]
        if periods:
            rows: list[dict[str, Any]] = [
                {"load_id": load_id, "period_id": period} for period in periods
            ]
            connection.execute(load_periods.insert(), rows)
        for earlier in superseded:
            connection.execute(
                update(loads).where(loads.c.load_id == earlier).values(superseded_by=load_id)
            )
        append_audit(
            connection,
            "land",
            f"{delivery.source_id}/{delivery.path.name}",
            {
                "sha256": seen.sha256,
                "delivered": result.records_delivered,
                "quarantined": result.records_quarantined,
                "supersedes": superseded,
            },
        )


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
