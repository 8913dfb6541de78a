"""The pages that tie the pack to everything around it: journal, chain of closes, audit log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipelines.books.audit import hash_record
from pipelines.close.evidence_pack.books_extract import BooksExtract
from pipelines.close.evidence_pack.inputs_page import Input
from pipelines.close.evidence_pack.records import PackFile, Page, Row, Section, Table
from pipelines.close.manifest import Manifest

if TYPE_CHECKING:
    from sqlalchemy import Connection

AUDIT_FILE = "audit_log.jsonl"
AUDIT_HASHES = "audit_log.sha256"
OWN_ACTION = "write evidence"
"""The action under which a pack is written down: not part of the next one, which would differ."""
RECOMPUTE = (
    f'    while IFS= read -r line; do printf %s "$line" | sha256sum | cut -c1-64; done '
    f"< {AUDIT_FILE} | diff - {AUDIT_HASHES} && echo the same"
)

CLOSE_FIELDS = (
    *("close_number", "period_id", "version", "closed_at", "closed_by"),
    *("previous_hash", "manifest_hash"),
)
AUDIT_FIELDS = (
    *("sequence", "recorded_at", "person_name", "action", "subject", "details"),
    *("previous_hash", "record_hash"),
)


def make_journal(extract: BooksExtract) -> Page:
    """Which journals of the version were exported, under which reference."""
    columns = ("reference", "layout", "file_name", "sha256", "total", "person_name", "exported_at")
    rows: list[Row] = [tuple(item[name] for name in columns) for item in extract.journals]
    references = sorted({str(item["reference"]) for item in extract.journals})
    if references:
        summary = f"Posted under the reference {', '.join(references)}."
    else:
        summary = "No journal of this version was exported."
    section = Section(
        "Exports",
        (
            "The reference is made of a hash of the entries: the same journal has the same "
            "reference whenever it is exported, and a ledger knows it the second time.",
        ),
        Table(columns, tuple(rows), numeric=(4,), file="journal.csv"),
    )
    return Page("journal", "Journal", summary, (section,))


def make_chain(extract: BooksExtract, manifest: Manifest | None) -> Page:
    """Where the close stands in the chain of all closes before it."""
    rows: list[Row] = [
        tuple(getattr(item, name) for name in CLOSE_FIELDS) for item in extract.closes
    ]
    state = extract.state
    if manifest is None:
        summary = "The period is not closed: it has no place in the chain yet."
    else:
        summary = (
            f"Close number {state.close_number}: its manifest {state.manifest_hash} follows "
            f"{state.previous_hash}."
        )
    sections = [
        Section(
            "All closes up to this one",
            (
                "Each close names the SHA-256 of the manifest of the close before it; the first "
                "one names zeros. The hash of this close's manifest is the head of the chain as of "
                "the close. It can be computed from the file of this pack:",
                "    sha256sum manifest.json",
                "The manifest before it lies in the pack of the close before, and its hash is the "
                "previous hash here.",
            ),
            Table(CLOSE_FIELDS, tuple(rows), numeric=(0, 2), file="chain.csv"),
            "Nothing was closed before.",
        )
    ]
    if manifest is not None:
        sections += _describe_manifest(manifest)
    return Page("chain", "Manifest and chain", summary, tuple(sections))


def _describe_manifest(manifest: Manifest) -> list[Section]:
    files: list[Row] = [(file.name, file.bytes, file.sha256) for file in manifest.files]
    tables: list[Row] = [
        (table.name, table.rows, ", ".join(f"{k} {v}" for k, v in table.sums.items()))
        for table in manifest.tables
    ]
    return [
        Section(
            "Frozen files",
            (
                f"They lie in warehouse/closed/{manifest.period_id}.v{manifest.version}/ of the "
                "workspace and hold every figure of the period. Their hashes can be checked with "
                "sha256sum as well.",
            ),
            Table(("file", "bytes", "sha256"), tuple(files), numeric=(1,), file="frozen_files.csv"),
        ),
        Section(
            "Frozen tables",
            ("Rows, and the exact sum of each column of numbers.",),
            Table(("table", "rows", "sums"), tuple(tables), numeric=(1,), file="frozen_tables.csv"),
        ),
    ]


def read_audit(
    connection: Connection, extract: BooksExtract, inputs: Sequence[Input]
) -> list[dict[str, Any]]:
    """The records of the audit log that are about the period: its steps and decisions, the runs
    that it was bound to, and the deliveries that it was made of."""
    from sqlalchemy import select

    from pipelines.books.tables import audit_log

    rows = connection.execute(select(audit_log).order_by(audit_log.c.sequence)).mappings()
    names = {f"{item.source_id}/{item.file_name}" for item in inputs if item.is_of_period}
    return [dict(row) for row in rows if _is_about(row, extract, names)]


def _is_about(row: Any, extract: BooksExtract, names: set[str]) -> bool:
    if row["action"] == OWN_ACTION:
        return False
    state, subject = extract.state, str(row["subject"])
    details = json.loads(row["details"])
    if details.get("period_id") == state.period_id or subject.split(" ", 1)[0] == state.period_id:
        is_end = row["action"] == "period reopen"
        return bool(details.get("version", state.version) <= state.version + is_end)
    if row["action"] == "publish":
        return subject in extract.run_ids
    return subject in names or subject.rpartition(", record ")[0] in names


def write_audit(records: Sequence[dict[str, Any]]) -> list[PackFile]:
    """One line per record, of exactly the bytes that its hash is computed over; and the hashes."""
    lines = [
        json.dumps({k: v for k, v in record.items() if k != "record_hash"}, sort_keys=True)
        for record in records
    ]
    hashes = [str(record["record_hash"]) for record in records]
    return [
        PackFile(AUDIT_FILE, "".join(f"{line}\n" for line in lines).encode()),
        PackFile(AUDIT_HASHES, "".join(f"{item}\n" for item in hashes).encode()),
    ]


def make_audit(records: Sequence[dict[str, Any]]) -> Page:
    """The extract as a table, and how to compute its hashes again."""
    rows: list[Row] = [tuple(record[name] for name in AUDIT_FIELDS) for record in records]
    broken = [r["sequence"] for r in records if hash_record(r) != r["record_hash"]]
    summary = f"{len(records)} records of the audit log are about this period; " + (
        "each has the hash of its content." if not broken else f"CHANGED: {broken}."
    )
    section = Section(
        "Records",
        (
            f"{AUDIT_FILE} has one record a line, {AUDIT_HASHES} the hash that the books keep of "
            "each. The hash is the SHA-256 of the line without its end:",
            RECOMPUTE,
            "Each record also holds the hash of the record before it in the whole log "
            "(previous_hash). Records of other periods lie between those of the extract; where two "
            "follow each other by sequence, the previous hash of the second is the hash of the "
            "first. 'apportion verify' follows the whole chain.",
        ),
        Table(AUDIT_FIELDS, tuple(rows), numeric=(0,), file="audit_log.csv"),
    )
    return Page("audit_log", "Audit log", summary, (section,))
