"""Close a period: freeze what was approved, chain it to the close before, and commit it.

Steps, in an order in which each leaves the last good state behind when it is cut off:

1. look: the period is approved, nothing blocks, and the published figures are those approved;
2. freeze into `warehouse/.closing`, write the manifest, sync, rename to `warehouse/closed/`;
3. commit: the row of the books, with the hash of the manifest. Before it nothing was closed, and
   the next close sweeps the directory away; after it the period is closed;
4. publish: the pointer names the frozen file. It is derived from the books, and repaired by the
   next build or close where a crash came in between.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.close.blockers import refuse_blocked
from pipelines.close.desk import CloseDesk
from pipelines.close.freeze import freeze_period, seal_file
from pipelines.close.manifest import Manifest, hash_manifest
from pipelines.close.period_states import (
    ACTUAL,
    PeriodState,
    find_last_close,
    read_state,
    record_close,
    refuse_other_figures,
)
from pipelines.errors import ControlError, UsageError
from pipelines.warehouse.build import lock_warehouse
from pipelines.warehouse.closed_periods import (
    MANIFEST_NAME,
    find_directory,
    list_closed_files,
)
from pipelines.warehouse.publication import (
    Publication,
    read_publication,
    sync_directory,
    write_publication,
)
from pipelines.warehouse.publish import repair_publication

if TYPE_CHECKING:
    from collections.abc import Callable


CLOSING_NAME = ".closing"


@dataclass(frozen=True)
class Close:
    """A period that is closed, and its manifest."""

    state: PeriodState
    manifest: Manifest
    directory: Path


class PointerNotWrittenError(UsageError):
    """The machine refused the last step of a close, after its commit."""

    def __init__(self, period_id: str, error: OSError) -> None:
        super().__init__(
            f"{period_id} is closed, and what is published could not be made to name it: "
            f"{error.strerror or error}. Free some space: the next build or close makes it so."
        )


def close_period(
    desk: CloseDesk, period_id: str, on_step: Callable[[str], None] = lambda _: None
) -> Close:
    """Close an approved period. Raises ControlError where it is not approved, where something
    blocks, or where its figures are not those that were approved."""
    workspace, books = desk.workspace, desk.books
    with lock_warehouse(workspace):
        repair_publication(workspace, books)
        on_step("Looking at what blocks")
        # First the state, then all else: an adjustment that was posted here before the approval is
        # seen as one that the figures lack, and after the approval nothing is posted here.
        with books.read() as connection:
            state = read_state(connection, period_id)
        figures, blockers = desk.look(period_id)
        if state.state != "approved":
            raise ControlError(
                f"{period_id} is {state.state}; only an approved period is closed. "
                f"'apportion period show {period_id}' says what is missing."
            )
        refuse_blocked(period_id, blockers)
        refuse_other_figures(state, figures)
        publication = read_publication(workspace)
        on_step("Freezing")
        staging = _freeze(desk, state, publication)
        directory = find_directory(workspace, period_id, state.version)
        content = (staging / MANIFEST_NAME).read_bytes()
        _move(staging, directory)
        on_step("Committing")
        with books.begin() as connection:
            closed = record_close(connection, state, hash_manifest(content))
        on_step("Publishing")
        try:
            publish_closed(desk, publication)
        except OSError as error:
            raise PointerNotWrittenError(period_id, error) from error
    from pipelines.close.manifest import parse_manifest

    return Close(closed, parse_manifest(content), directory)


def follow_books(desk: CloseDesk) -> None:
    """Let the pointer name the closed periods that the books name. Where a build or a close runs,
    that one does it at its end."""
    with suppress(ControlError), lock_warehouse(desk.workspace):
        repair_publication(desk.workspace, desk.books)


def publish_closed(desk: CloseDesk, publication: Publication) -> Publication:
    """Let the pointer name the closed files that the books name, beside the open one."""
    opened = tuple(file for file in publication.files if file.role == "open")
    files = (*opened, *list_closed_files(desk.workspace, desk.books))
    changed = replace(publication, files=files)
    if changed != publication:
        write_publication(desk.workspace, changed)
    return changed


def _freeze(desk: CloseDesk, state: PeriodState, publication: Publication) -> Path:
    """The frozen files and their manifest, in the staging directory."""
    workspace = desk.workspace
    staging = workspace.warehouse / CLOSING_NAME
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    (opened,) = [file for file in publication.files if file.role == "open"]
    database = workspace.warehouse / opened.name
    frozen = freeze_period(database, staging, state.period_id, state.version)
    with desk.books.read() as connection:
        number, previous = find_last_close(connection)
    manifest = Manifest(
        workspace_name=workspace.config.name,
        scenario_id=ACTUAL,
        period_id=state.period_id,
        version=state.version,
        close_number=number + 1,
        previous_hash=previous,
        run_id=publication.run_id,
        fingerprint=publication.fingerprint,
        code_version=_read_code_version(database),
        content_hash=str(state.content_hash),
        prepared_by=str(state.prepared_by),
        reviewed_by=str(state.reviewed_by),
        approved_by=str(state.approved_by),
        accepted=_list_accepted(desk, state),
        inputs=_read_inputs(database),
        tables=frozen.tables,
        files=frozen.files,
    )
    path = staging / MANIFEST_NAME
    path.write_bytes(manifest.to_bytes())
    seal_file(path)
    sync_directory(staging)
    return staging


def _move(staging: Path, directory: Path) -> None:
    """What is there already belongs to a close that was cut off before its commit: the caller has
    seen that the books call the period approved."""
    directory.parent.mkdir(exist_ok=True)
    sync_directory(directory.parent.parent)
    shutil.rmtree(directory, ignore_errors=True)
    os.replace(staging, directory)
    sync_directory(directory.parent)


def _read_code_version(database: Path) -> str:
    import duckdb

    with duckdb.connect(str(database), read_only=True) as connection:
        row = connection.execute("select code_version from marts.dim_run").fetchone()
    assert row is not None
    return str(row[0])


def _list_accepted(desk: CloseDesk, state: PeriodState) -> list[dict[str, str]]:
    from sqlalchemy import select

    from pipelines.books.tables import accepted_blockers as table

    with desk.books.read() as connection:
        rows = connection.execute(
            select(table.c.blocker_id, table.c.finding, table.c.why, table.c.person_name)
            .where(
                table.c.scenario_id == ACTUAL,
                table.c.period_id == state.period_id,
                table.c.version == state.version,
            )
            .order_by(table.c.acceptance_id)
        )
        return [dict(row) for row in rows.mappings()]


def _read_inputs(database: Path) -> list[dict[str, Any]]:
    """The deliveries that the published run was made of, as it says itself: what has landed since
    is none of them."""
    import duckdb

    from pipelines.warehouse.pins import describe_inputs

    with duckdb.connect(str(database), read_only=True) as connection:
        return describe_inputs(connection)
