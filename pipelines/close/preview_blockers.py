"""What owners say of their bills, as blockers of a close, where the workspace requires previews.

An owner who has not answered blocks while there is time to answer; after the deadline silence is
shown and blocks nothing. An open comment and an open dispute of the period block until they are
settled or accepted by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.books.books import current_time
from pipelines.close.blocker import Blocker
from pipelines.close.preview import Preview, find_preview, list_answers, list_bills
from pipelines.disputes.disputes import list_disputes

if TYPE_CHECKING:
    import duckdb
    from sqlalchemy import Connection

    from pipelines.close.period_states import PeriodState
    from pipelines.workspace.config import WorkspaceConfig


def find_preview_blockers(
    connection: Connection,
    marts: duckdb.DuckDBPyConnection,
    config: WorkspaceConfig,
    state: PeriodState,
) -> list[Blocker]:
    """Blockers of a period by its preview and its disputes; none where previews are optional."""
    if config.close.preview != "required":
        return []
    preview = find_preview(connection, state)
    return [
        *_find_preview(preview, state),
        *_find_answers(connection, marts, preview, state),
        *_find_disputes(connection, state),
    ]


def _find_preview(preview: Preview | None, state: PeriodState) -> list[Blocker]:
    what = f"Send them: 'apportion period preview {state.period_id}'."
    if preview is None:
        return [Blocker("preview", "the bills were not sent for preview", what)]
    if state.content_hash not in (None, preview.content_hash):
        finding = f"the bills have changed since they were sent for preview {preview.sent_at[:10]}"
        return [Blocker("preview", finding, what)]
    return []


def _find_answers(
    connection: Connection,
    marts: duckdb.DuckDBPyConnection,
    preview: Preview | None,
    state: PeriodState,
) -> list[Blocker]:
    bills = list_bills(marts, state.period_id)
    answers = list_answers(connection, state.period_id, state.version, bills)
    blockers = [
        Blocker(
            f"comment:{item.business_unit_id}",
            f"{item.person_name} commented on the bill of {item.business_unit_name}: "
            f"{item.comment}{' (the bill has changed since)' if item.is_outdated else ''}",
            "Settle it and ask for an acknowledgement: 'apportion answer'.",
        )
        for item in answers
        if item.is_open_comment
    ]
    missing = [item.business_unit_name for item in answers if item.is_missing]
    if preview is not None and missing and current_time()[:10] <= preview.answer_until:
        count = f"{len(missing)} of {len(answers)} business units"
        finding = f"{count} may still answer until {preview.answer_until}: {', '.join(missing)}"
        blockers.append(Blocker("answers", finding, "Wait for them, or remind them."))
    return blockers


def _find_disputes(connection: Connection, state: PeriodState) -> list[Blocker]:
    return [
        Blocker(
            f"dispute:{item.dispute_id}",
            f"{item.opened_by} asks for {item.asked_amount:+,.2f} {item.currency_code} on "
            f"{item.service_name} for {item.cost_centre_name}: {item.reason}",
            "Decide it: 'apportion dispute accept' or 'reject'.",
            item.asked_amount,
        )
        for item in list_disputes(connection, "open")
        if item.period_id == state.period_id
    ]
