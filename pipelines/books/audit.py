"""The audit log: each record holds the hash of the one before, so a rewritten past shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pipelines.books.books import current_time
from pipelines.books.person import current_person

if TYPE_CHECKING:
    from sqlalchemy import Connection

FIRST_HASH = "0" * 64


def append_audit(connection: Connection, action: str, subject: str, details: dict[str, Any]) -> str:
    """Append one record within the caller's transaction and return its hash."""
    return append_audits(connection, [(action, subject, details)])


def append_audits(
    connection: Connection, entries: Iterable[tuple[str, str, dict[str, Any]]]
) -> str:
    """Append records (action, subject, details) in their order, and return the hash of the last
    one of the log. Writes them in one go: a decision on many records costs no query for each."""
    from sqlalchemy import select

    from pipelines.books.tables import audit_log

    last = connection.execute(
        select(audit_log.c.sequence, audit_log.c.record_hash)
        .order_by(audit_log.c.sequence.desc())
        .limit(1)
    ).first()
    sequence, previous = (last.sequence, last.record_hash) if last else (0, FIRST_HASH)
    person = current_person()
    records = []
    for number, (action, subject, details) in enumerate(entries, start=sequence + 1):
        record = {
            "sequence": number,
            "recorded_at": current_time(),
            "person_name": person,
            "action": action,
            "subject": subject,
            "details": json.dumps(details, sort_keys=True, default=str),
            "previous_hash": previous,
        }
        record["record_hash"] = previous = hash_record(record)
        records.append(record)
    if records:
        connection.execute(audit_log.insert(), records)
    return str(previous)


def hash_record(record: dict[str, Any]) -> str:
    """SHA-256 over the record's fields but its own hash, as canonical JSON."""
    fields = {key: value for key, value in record.items() if key != "record_hash"}
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def find_chain_breaks(connection: Connection) -> list[str]:
    """Sentences on every place where the chain does not hold; empty when it is whole."""
    from sqlalchemy import select

    from pipelines.books.tables import audit_log

    breaks, previous, expected = [], FIRST_HASH, 1
    for row in connection.execute(select(audit_log).order_by(audit_log.c.sequence)).mappings():
        record = dict(row)
        if record["sequence"] != expected:
            breaks.append(f"record {expected} is missing before record {record['sequence']}")
        if record["previous_hash"] != previous:
            breaks.append(f"record {record['sequence']} does not follow the one before it")
        if hash_record(record) != record["record_hash"]:
            breaks.append(f"record {record['sequence']} was changed after it was written")
        previous, expected = record["record_hash"], record["sequence"] + 1
    return breaks
