"""Write the evidence pack of a period: one folder that an auditor reads without this program.

Of a closed version it is made of the frozen file, which is compared with its manifest first, and of
the books; of a version that is not closed yet it is a preview, made of what is published. The same
close and the same books give the same bytes: no clock and no path of this machine is in it.

The folder appears whole or not at all: it is written beside its place, synced, and renamed. One
that is there already is replaced, if it is a pack. A crash between the two renames leaves the one
before under a name that begins with a point.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.books.audit import append_audit
from pipelines.books.books import Books
from pipelines.close.evidence_pack import overview
from pipelines.close.evidence_pack.approvals_page import make_approvals
from pipelines.close.evidence_pack.books_extract import BooksExtract, find_version, read_extract
from pipelines.close.evidence_pack.checks_page import make_checks
from pipelines.close.evidence_pack.exceptions_page import make_exceptions
from pipelines.close.evidence_pack.frozen_figures import (
    FrozenFigures,
    open_closed,
    open_preview,
)
from pipelines.close.evidence_pack.inputs_page import list_inputs, make_inputs
from pipelines.close.evidence_pack.money_pages import make_bills, make_certificate
from pipelines.close.evidence_pack.overview import SUMS_NAME, make_overview
from pipelines.close.evidence_pack.records import PackFile, Page
from pipelines.close.evidence_pack.render_csv import render_csv
from pipelines.close.evidence_pack.render_html import render_page
from pipelines.close.evidence_pack.rule_books import read_rules
from pipelines.close.evidence_pack.rules_page import EarlierRules, make_rules
from pipelines.close.evidence_pack.trail_pages import (
    OWN_ACTION,
    make_audit,
    make_chain,
    make_journal,
    read_audit,
    write_audit,
)
from pipelines.close.manifest import parse_manifest
from pipelines.close.period_states import PeriodState
from pipelines.errors import ControlError
from pipelines.warehouse.closed_periods import MANIFEST_NAME, name_close
from pipelines.warehouse.publication import sync_directory
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    from sqlalchemy import Connection

PACKS_NAME = "periods"


@dataclass(frozen=True)
class EvidencePack:
    """A pack that was written."""

    state: PeriodState
    is_preview: bool
    directory: Path
    files: tuple[str, ...]
    sha256: str
    """Of SHA256SUMS, which names the hash of every other file."""


def write_pack(
    workspace: Workspace,
    books: Books,
    period_id: str,
    version: int | None = None,
    output: Path | None = None,
) -> EvidencePack:
    """Write the pack of a version to a folder of its own in `output`, by default
    `evidence/periods/`.

    `version` None is the newest one that was calculated. Raises UsageError where there is none,
    ControlError where the frozen figures are not those that were closed, or where a folder of that
    name is something else than a pack.
    """
    with books.read() as connection:
        state = find_version(connection, period_id, version)
        is_preview = state.state != "closed"
        files = _make_files(workspace, connection, state, is_preview=is_preview)
    sums = "".join(f"{hashlib.sha256(f.content).hexdigest()}  {f.name}\n" for f in files).encode()
    name = name_close(period_id, state.version) + (".preview" if is_preview else "")
    directory = (output or workspace.evidence / PACKS_NAME) / name
    _write_directory(directory, [*files, PackFile(SUMS_NAME, sums)])
    digest = hashlib.sha256(sums).hexdigest()
    if not is_preview:
        _record(books, state, digest)
    return EvidencePack(state, is_preview, directory, tuple(f.name for f in files), digest)


def _make_files(
    workspace: Workspace, connection: Connection, state: PeriodState, *, is_preview: bool
) -> list[PackFile]:
    """Every file but the sums, in the order of the names."""
    extract = read_extract(connection, state)
    with ExitStack() as stack:
        manifest = None
        if is_preview:
            figures = stack.enter_context(open_preview(workspace, state))
        else:
            figures, manifest = stack.enter_context(open_closed(workspace, state))
        earlier = _read_earlier(workspace, extract)
        pages, files = _make_pages(figures, extract, connection, earlier, manifest)
        company = str(figures.read("select workspace_name from marts.dim_run")[0][0])
    first = make_overview(company, state, pages, is_preview=is_preview)
    pages = [first, *pages]
    origin = (
        f"{company}, {state.period_id} version {state.version}, {state.state}; run {state.run_id}"
        + (f", manifest {state.manifest_hash}" if state.manifest_hash else "")
    )
    files += [PackFile("README.md", overview.render_markdown(first))]
    for page in pages:
        content = render_page(page, pages, origin, is_preview=is_preview)
        files += [PackFile(f"{page.name}.html", content), *_list_tables(page)]
    return sorted(files, key=lambda file: file.name)


def _make_pages(
    figures: FrozenFigures,
    extract: BooksExtract,
    connection: Connection,
    earlier: Sequence[EarlierRules],
    manifest: bytes | None,
) -> tuple[list[Page], list[PackFile]]:
    currency = str(figures.read("select currency_code from marts.dim_run")[0][0])
    inputs = list_inputs(figures, connection)
    audit = read_audit(connection, extract, inputs)
    pages = [
        make_certificate(figures, currency),
        make_bills(figures, currency),
        make_approvals(extract),
        make_exceptions(figures, extract, connection, inputs, currency),
        make_checks(figures),
        make_rules(read_rules(figures), earlier),
        make_inputs(figures, inputs),
        make_journal(extract),
        make_chain(extract, parse_manifest(manifest) if manifest is not None else None),
        make_audit(audit),
    ]
    files = write_audit(audit)
    if manifest is not None:
        files.append(PackFile(MANIFEST_NAME, manifest))
    return pages, files


def _read_earlier(workspace: Workspace, extract: BooksExtract) -> list[EarlierRules]:
    """Rules of the close of the period before, and of the version before of this period."""
    state = extract.state
    before = [close for close in extract.closes if close.period_id < state.period_id]
    own = [
        close
        for close in extract.closes
        if close.period_id == state.period_id and close.version < state.version
    ]
    found = []
    for closes, file in ((before, "rule_changes.csv"), (own, "rule_changes_of_version.csv")):
        if closes:
            close = max(closes, key=lambda item: (item.period_id, item.version))
            with open_closed(workspace, close) as (figures, _):
                rules = tuple(read_rules(figures))
            name = f"{close.period_id} version {close.version}"
            found.append(EarlierRules(name, file, rules))
    return found


def _list_tables(page: Page) -> Iterator[PackFile]:
    for section in page.sections:
        table = section.table
        if table is not None and table.file is not None:
            yield PackFile(table.file, render_csv(table))


def _write_directory(directory: Path, files: Sequence[PackFile]) -> None:
    if directory.exists() and not (directory / SUMS_NAME).is_file():
        raise ControlError(
            f"{directory}: expected a pack that was written before, or nothing; found something "
            "else. Name another place with --out."
        )
    directory.parent.mkdir(parents=True, exist_ok=True)
    staging = directory.with_name(f".{directory.name}.{os.getpid()}.tmp")
    before = directory.with_name(f".{directory.name}.{os.getpid()}.old")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    try:
        for file in files:
            with (staging / file.name).open("xb") as target:
                target.write(file.content)
                target.flush()
                os.fsync(target.fileno())
        sync_directory(staging)
        if directory.exists():
            os.replace(directory, before)
        os.replace(staging, directory)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    sync_directory(directory.parent)
    shutil.rmtree(before, ignore_errors=True)


def _record(books: Books, state: PeriodState, digest: str) -> None:
    """Write down which pack was written; the same one only once."""
    from sqlalchemy import select

    from pipelines.books.tables import audit_log

    details = {"period_id": state.period_id, "version": state.version, "sha256sums": digest}
    subject = f"{state.period_id} version {state.version}"
    known = (audit_log.c.action == OWN_ACTION) & (audit_log.c.subject == subject)
    with books.begin() as connection:
        rows = connection.execute(select(audit_log.c.details).where(known))
        if not any(digest in row.details for row in rows):
            append_audit(connection, OWN_ACTION, subject, details)
