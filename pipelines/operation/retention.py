"""Find and remove what a workspace does not need any more.

Removed are publications beyond those that `retention` keeps, leftovers of builds, closes and
landings that were killed, files of runs that were never published, and, where `retention` gives
days, evidence of old runs and statements of periods that are not closed. Looking comes first; what
is removed is written to the audit log before it is, so that nothing goes without a trace.

Never removed is what the books name: closed periods (nothing below `closed/` is touched), what is
published, runs that somebody signed, deliveries, statements that were sent. Where the books do not
know what is published, they are not the books of this workspace, and everything stays.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.books.audit import append_audit
from pipelines.books.books import Books
from pipelines.close.close_period import CLOSING_NAME
from pipelines.errors import ControlError, NothingPublishedError
from pipelines.landing.lake_files import sweep_staging
from pipelines.warehouse.build import BUILDING_NAME, lock_warehouse
from pipelines.warehouse.old_publications import find_old_publications, find_signed_runs
from pipelines.warehouse.publication import Publication, read_publication
from pipelines.workspace.fiscal_calendar import PERIOD_PATTERN
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    from sqlalchemy import Row

RUN_FILE = re.compile(r"^run-(?P<run>.+?)\.(duckdb|duckdb\.wal|json)$")
TEMPORARY = ".*.tmp"
OLD_SECONDS = 24 * 60 * 60
"""A temporary file this old is nobody's: what is written now takes seconds."""
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Removable:
    """A file or directory that nobody needs, and why."""

    path: Path
    bytes: int
    why: str


@dataclass(frozen=True)
class Cleaning:
    """What was found, and whether it was removed."""

    removable: list[Removable]
    is_removed: bool
    failures: list[str]

    @property
    def bytes(self) -> int:
        return sum(item.bytes for item in self.removable)


def clean(
    workspace: Workspace, books: Books, *, is_removing: bool, now: datetime | None = None
) -> Cleaning:
    """Find what is not needed, and remove it if asked to. Raises ControlError while a build or a
    close runs, and where the books are not those of the workspace."""
    moment = now or datetime.now(UTC)
    with lock_warehouse(workspace):
        found = sorted(_find(workspace, books, moment), key=lambda item: str(item.path))
        if not is_removing or not found:
            return Cleaning(found, is_removing, [])
        _record(workspace, books, found)
        failures = [text for item in found if (text := _remove(item)) is not None]
        sweep_staging(workspace)
    return Cleaning(found, True, failures)


def _find(workspace: Workspace, books: Books, now: datetime) -> Iterator[Removable]:
    yield from _find_leftovers(workspace)
    try:
        publication = read_publication(workspace)
    except NothingPublishedError:
        return
    runs = _list_runs(books)
    _refuse_other_books(workspace, publication, runs)
    yield from _find_publications(workspace, books, publication, runs)
    yield from _find_evidence(workspace, books, publication, runs, now)
    yield from _find_bills(workspace, books, now)


def _find_leftovers(workspace: Workspace) -> Iterator[Removable]:
    """What a killed command left: the caller holds the lock, so that none is at work."""
    for name in (BUILDING_NAME, CLOSING_NAME):
        path = workspace.warehouse / name
        if path.exists():
            yield _describe(path, "left behind by a command that was killed")
    for path in workspace.warehouse.glob(TEMPORARY):
        if path.is_file() and time.time() - path.stat().st_mtime > OLD_SECONDS:
            yield _describe(path, "a temporary file that nobody writes")


def _find_publications(
    workspace: Workspace, books: Books, publication: Publication, runs: dict[str, Row[tuple[str]]]
) -> Iterator[Removable]:
    old = {path.stem for path in find_old_publications(workspace, books, publication)}
    current = {Path(file.name).stem for file in publication.files}
    kept = workspace.config.retention.publications
    for path in sorted(workspace.warehouse.glob("run-*")):
        match = RUN_FILE.match(path.name)
        if match is None or f"run-{match['run']}" in current:
            continue
        known = runs.get(match["run"])
        if known is None or known.state != "published":
            yield _describe(path, "of a run that was never published")
        elif not path.with_name(f"run-{match['run']}.duckdb").exists():
            # The figures go first, so that a removal that was cut off leaves what is beside them.
            yield _describe(path, "beside figures that were removed")
        elif f"run-{match['run']}" in old:
            yield _describe(path, f"not among the newest {kept} publications")


def _find_evidence(
    workspace: Workspace,
    books: Books,
    publication: Publication,
    runs: dict[str, Row[tuple[str]]],
    now: datetime,
) -> Iterator[Removable]:
    """Evidence of runs of the books; other directories below `evidence/` are not this one's."""
    days = workspace.config.retention.evidence_days
    if days is None or not workspace.evidence.is_dir():
        return
    needed = {publication.run_id, *find_signed_runs(books), *_list_period_runs(books)}
    needed |= {path.stem.removeprefix("run-") for path in workspace.warehouse.glob("run-*.duckdb")}
    for path in sorted(workspace.evidence.iterdir()):
        run = runs.get(path.name)
        if run is None or path.name in needed or path.is_symlink():
            continue
        if now - datetime.fromisoformat(run.started_at) > days * DAY:
            yield _describe(path, f"evidence of a run that is older than {days} days")


def _find_bills(workspace: Workspace, books: Books, now: datetime) -> Iterator[Removable]:
    """Statements of periods that are open, if they are old and none of them was sent."""
    days = workspace.config.retention.bills_days
    if days is None or not workspace.bills.is_dir():
        return
    needed = _list_final_periods(books)
    for path in sorted(workspace.bills.iterdir()):
        if not PERIOD_PATTERN.match(path.name) or path.name in needed or path.is_symlink():
            continue
        newest = max((file.stat().st_mtime for file in path.rglob("*")), default=0)
        if now - datetime.fromtimestamp(newest, UTC) > days * DAY:
            yield _describe(path, f"statements of an open period, older than {days} days")


def _refuse_other_books(
    workspace: Workspace, publication: Publication, runs: dict[str, Row[tuple[str]]]
) -> None:
    if publication.run_id not in runs:
        raise ControlError(
            f"{workspace.root}: the books do not know the run {publication.run_id}, which is "
            "published here. They are not the books of this workspace, so nothing is removed: see "
            "to APPORTION_BOOKS_URL."
        )


def _list_runs(books: Books) -> dict[str, Row[tuple[str]]]:
    from sqlalchemy import select

    from pipelines.books.tables import runs

    with books.read() as connection:
        rows = connection.execute(select(runs.c.run_id, runs.c.state, runs.c.started_at))
        return {row.run_id: row for row in rows}


def _list_period_runs(books: Books) -> set[str]:
    """Runs that a version of a period names, closed ones among them."""
    from sqlalchemy import select

    from pipelines.books.tables import periods

    with books.read() as connection:
        rows = connection.execute(select(periods.c.run_id).where(periods.c.run_id.is_not(None)))
        return {row.run_id for row in rows}


def _list_final_periods(books: Books) -> set[str]:
    """Periods with a closed version, and those of which a statement was sent."""
    from sqlalchemy import select, union

    from pipelines.books.tables import dispatches, periods

    closed = select(periods.c.period_id).where(periods.c.state == "closed")
    with books.read() as connection:
        rows = connection.execute(union(closed, select(dispatches.c.period_id)))
        return {row.period_id for row in rows}


def _describe(path: Path, why: str) -> Removable:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return Removable(path, sum(file.stat().st_size for file in files), why)


def _record(workspace: Workspace, books: Books, found: list[Removable]) -> None:
    removed = [
        {
            "path": item.path.relative_to(workspace.root).as_posix(),
            "bytes": item.bytes,
            "why": item.why,
        }
        for item in found
    ]
    with books.begin() as connection:
        append_audit(connection, "gc", f"{len(found)} removed", {"removed": removed})


def _remove(item: Removable) -> str | None:
    """Remove it; a sentence where that did not work."""
    try:
        if item.path.is_dir():
            shutil.rmtree(item.path)
        else:
            item.path.unlink(missing_ok=True)
    except OSError as error:
        return f"{item.path} could not be removed: {error.strerror}"
    return None
