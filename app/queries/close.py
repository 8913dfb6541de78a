"""Where the close of a period stands: from the books, which are opened for reading only, and from
what is published.

Cached under the run, the newest record of the audit log (whatever writes to the books leaves one)
and the moment at which settings or rules were last changed, so that a step, an acceptance or a new
delivery shows at the next rerun.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from app.queries.published import Published, latest, read_frame
from app.selection import Selection
from pipelines.books.books import Books
from pipelines.close.blockers import Blocker
from pipelines.close.calendar.due_tasks import DueTask, list_due_tasks
from pipelines.close.desk import CloseDesk
from pipelines.close.period_states import (
    PeriodState,
    find_last_close,
    list_states,
    list_steps,
)
from pipelines.errors import ApportionError
from pipelines.workspace.workspace import CONFIG_NAME, Workspace

CACHED_STATES = 50


@dataclass(frozen=True)
class CloseFacts:
    """What the books say of one period, and what blocks it."""

    state: PeriodState
    states: dict[str, PeriodState]
    """The newest version of every period that the books know."""
    steps: list[dict[str, object]]
    tasks: list[DueTask]
    blockers: list[Blocker]
    close_number: int
    head_hash: str
    """Number and manifest hash of the newest close; 0 and zeros before the first."""


@dataclass(frozen=True)
class CloseUnknown:
    """Why nothing can be said: no books yet, settings that cannot be read, no figures."""

    reason: str


def read_close(published: Published, period_id: str) -> CloseFacts | CloseUnknown:
    """The facts of a period, or why there are none. Never writes to the books."""
    workspace = Workspace.open(published.root)
    try:
        sequence = _read_sequence(workspace)
        zone = ZoneInfo(workspace.config.time_zone)
        return _read_cached(
            published.workspace_path,
            published.run_id,
            sequence,
            _find_last_change(workspace),
            period_id,
            datetime.now(zone).date(),
        )
    except ApportionError as error:
        return CloseUnknown(str(error))


def _read_sequence(workspace: Workspace) -> int:
    from sqlalchemy import func, select

    from pipelines.books.tables import audit_log

    books = Books.open_read_only(workspace)
    with books.read() as connection:
        return int(connection.execute(select(func.max(audit_log.c.sequence))).scalar() or 0)


def _find_last_change(workspace: Workspace) -> int:
    """When a setting or a rule was last written, in nanoseconds."""
    paths: list[Path] = [workspace.root / CONFIG_NAME, *workspace.cost_model.rglob("*")]
    return max((path.stat().st_mtime_ns for path in paths), default=0)


@st.cache_data(max_entries=CACHED_STATES, show_spinner=False)
def _read_cached(
    workspace_path: str,
    run_id: str,  # noqa: ARG001 - part of the cache's key
    sequence: int,  # noqa: ARG001 - part of the cache's key
    last_change: int,  # noqa: ARG001 - part of the cache's key
    period_id: str,
    today: date,
) -> CloseFacts:
    workspace = Workspace.open(Path(workspace_path))
    books = Books.open_read_only(workspace)
    with books.read() as connection:
        states = list_states(connection)
        state = states.get(period_id, PeriodState(period_id))
    is_closed = state.state == "closed"
    blockers = [] if is_closed else CloseDesk(workspace, books).list_blockers(period_id)
    with books.read() as connection:
        number, head = find_last_close(connection)
        return CloseFacts(
            state,
            states,
            list_steps(connection, period_id),
            list_due_tasks(connection, workspace.config, period_id, today),
            blockers,
            number,
            head,
        )


def read_bill_kinds(published: Published, selection: Selection) -> pd.DataFrame:
    """One row per kind of item on the bills: how many, debits, credits and their sum."""
    return read_frame(
        published,
        f"""
        select
            item_kind,
            count(*)::bigint as item_count,
            coalesce(sum(amount) filter (amount > 0), 0)::decimal(38, 2) as debit_amount,
            coalesce(sum(amount) filter (amount < 0), 0)::decimal(38, 2) as credit_amount,
            sum(amount)::decimal(38, 2) as amount,
        from {latest("fct_bill_items_monthly")}
        where scenario_id = $scenario and period_id = $period
        group by item_kind
        order by
            list_position(
                ['charge', 'correction', 'adjustment', 'service_credit', 'mark_up', 'tax',
                'true_up'], item_kind
            ) nulls last,
            item_kind
        """,
        selection.parameters,
    )
