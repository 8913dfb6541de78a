"""Export the journal of a closed period as a file, once: a second time it is the same file.

Only a closed period is posted; before that the file is a preview, says so in its name and in its
reference, and the books do not know it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.billing.files import write_atomically
from pipelines.billing.journal import Journal, load_journal
from pipelines.billing.journal_layout import load_layout, write_journal
from pipelines.books.audit import append_audit
from pipelines.books.books import Books, current_time
from pipelines.books.person import current_person
from pipelines.close.period_states import read_state
from pipelines.errors import ControlError, UsageError
from pipelines.warehouse.reader import open_published
from pipelines.workspace.workspace import Workspace

PREVIEW = "PREVIEW"
LAYOUTS_NAME = "journal_layouts"


@dataclass(frozen=True)
class Export:
    """A journal that was written."""

    journal: Journal
    layout: str
    path: Path
    exported_before: str | None
    """When and by whom the same journal was exported first; None if this is the first time."""


def export_journal(
    workspace: Workspace,
    books: Books,
    period_id: str,
    layout_name: str | None = None,
    directory: Path | None = None,
    *,
    is_preview: bool = False,
) -> Export:
    """Write the journal of a period to `directory`, by default `journals/`.

    Raises UsageError where apportion.yml has no `journal`, ControlError where the period is not
    closed and no preview is asked for.
    """
    settings = workspace.config.journal
    if settings is None:
        raise UsageError(
            "apportion.yml says nothing about the journal: give the accounts under 'journal', see "
            "docs/reference/workspace.md"
        )
    name = layout_name or settings.layout
    layout = load_layout(name, workspace.root / LAYOUTS_NAME)
    with books.read() as connection:
        state = read_state(connection, period_id)
    if state.state != "closed" and not is_preview:
        raise ControlError(
            f"{period_id} is {state.state}: only a closed period is posted. '--preview' writes a "
            "file to look at."
        )
    with open_published(workspace) as marts:
        journal = load_journal(marts, settings, period_id)
    if is_preview:
        journal = replace(journal, reference=f"{PREVIEW}-{journal.reference}")
    content = write_journal(journal, layout)
    preview = f"_{PREVIEW.lower()}" if is_preview else ""
    target = (directory or workspace.root / "journals") / (
        f"{period_id}_v{journal.version}_{name}{preview}.csv"
    )
    before = None if is_preview else _record(books, journal, name, target.name, content)
    write_atomically(target, content)
    return Export(journal, name, target, before)


def _record(
    books: Books, journal: Journal, layout: str, file_name: str, content: bytes
) -> str | None:
    """Write the export down, or say when it was exported before."""
    from pipelines.books.tables import journal_exports as table

    sha256 = hashlib.sha256(content).hexdigest()
    with books.begin() as connection:
        known = connection.execute(
            table.select().where(table.c.reference == journal.reference, table.c.layout == layout)
        ).first()
        if known is not None:
            return f"{known.exported_at[:10]} by {known.person_name}"
        row = {
            "reference": journal.reference,
            "period_id": journal.period_id,
            "version": journal.version,
            "layout": layout,
            "file_name": file_name,
            "sha256": sha256,
            "total": format(journal.total, "f"),
        }
        connection.execute(
            table.insert().values(**row, person_name=current_person(), exported_at=current_time())
        )
        append_audit(connection, "export journal", journal.reference, row)
    return None
