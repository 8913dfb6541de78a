"""Finance: can the period be closed, what blocks it, and what is late?"""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import streamlit as st

from app.bill_items import show_other_items
from app.close_findings import (
    capitalise,
    list_blocking,
    say_blocker,
    say_signatures,
    say_task,
    say_tasks,
    state_close,
    sum_blocking,
)
from app.components import (
    Figure,
    amount_column,
    show_download,
    show_figures,
    show_headline,
    show_ledger_tie,
    show_link,
    show_missing,
    show_section,
)
from app.context import Context, get_context
from app.formats import (
    MISSING,
    escape_markdown,
    format_amount,
    format_exact,
    format_period,
    to_decimal,
)
from app.names import BILL_ITEM_NAMES
from app.navigation import CLOSE, MONTHLY_CHARGEBACK
from app.queries.charges import read_other_items
from app.queries.close import CloseFacts, CloseUnknown, read_bill_kinds, read_close
from pipelines.close.blockers import Blocker

ROW_HEIGHT = 35
BLOCKS = ":red-badge[:material/block: Blocks]"
ACCEPTED = ":green-badge[:material/check: Accepted]"
SHOWN_PERIODS = 13


def render_page() -> None:
    """What blocks, the calendar, what the bills hold, and where every period stands."""
    context = get_context()
    facts = read_close(context.published, context.selection.period_id)
    title = state_close(facts, context.selection.period_id, context.currency)
    show_headline(CLOSE.question, title)
    if isinstance(facts, CloseUnknown):
        show_missing("The books say nothing of this period.", escape_markdown(facts.reason))
    else:
        show_figures(_make_figures(context, facts))
        if said := say_signatures(facts.state):
            st.caption(f"Version {facts.state.version}: {escape_markdown(said)}.")
    show_ledger_tie(context)
    if isinstance(facts, CloseFacts):
        _show_blockers(context, facts)
        _show_calendar(facts)
    _show_bills(context)
    if isinstance(facts, CloseFacts):
        _show_periods(facts)
        _show_chain(facts)


def _make_figures(context: Context, facts: CloseFacts) -> list[Figure]:
    left = list_blocking(facts.blockers)
    accepted = len(facts.blockers) - len(left)
    late = sum(task.state == "late" for task in facts.tasks)
    is_closed = facts.state.state == "closed"
    figures = [Figure("State", facts.state.state)]
    if not is_closed:
        worth = sum_blocking(left)
        said = f"worth {format_amount(worth, context.currency)}" if worth else "not about money"
        figures += [
            Figure("Blocks", str(len(left)), said if left else "nothing", bool(left) or None),
            Figure("Accepted", str(accepted), "by name" if accepted else "none"),
        ]
    done = sum(task.state == "done" for task in facts.tasks)
    figures.append(
        Figure(
            "Tasks done",
            f"{done} of {len(facts.tasks)}",
            f"{late} late" if late else "none late",
            bool(late) or None,
        )
    )
    return figures


def _show_blockers(context: Context, facts: CloseFacts) -> None:
    if facts.state.state == "closed":
        return
    show_section(
        "What blocks",
        "Found in what is published and in the books. What can stay as it is, is accepted by "
        "name: `apportion period accept`.",
    )
    if not facts.blockers:
        st.success("Nothing blocks.", icon=":material/check_circle:")
        return
    ordered = sorted(facts.blockers, key=lambda item: not item.blocks)
    for number, blocker in enumerate(ordered):
        _show_blocker(context, blocker, number)
    show_link(MONTHLY_CHARGEBACK, "Open items one by one", context)
    rows = pd.DataFrame([vars(blocker) for blocker in ordered])
    show_download(context, "What blocks (CSV)", rows, "close_blockers", "download_blockers")


def _show_blocker(context: Context, blocker: Blocker, number: int) -> None:
    with st.container(border=True, key=f"blocker_{number}"):
        badge = BLOCKS if blocker.blocks else ACCEPTED
        st.markdown(f"{badge} **{escape_markdown(capitalise(blocker.finding))}**")
        st.markdown(escape_markdown(say_blocker(blocker)))
        amount = (
            f"{format_exact(blocker.amount, context.currency)} · "
            if blocker.amount is not None
            else ""
        )
        st.caption(f"{escape_markdown(amount)}Name: `{blocker.blocker_id.replace('`', ' ')}`")


def _show_calendar(facts: CloseFacts) -> None:
    show_section(
        "Calendar",
        f"{say_tasks(facts.tasks)}. Feeds and steps show by themselves when they are done, the "
        "rest is ticked: `apportion period tick`.",
    )
    st.dataframe(
        pd.DataFrame(
            {
                "due": [task.due_date for task in facts.tasks],
                "state": [say_task(task) for task in facts.tasks],
                "task": [task.name for task in facts.tasks],
                "owner": [task.owner for task in facts.tasks],
                "who": [task.done.person_name if task.done else "" for task in facts.tasks],
                "when": [task.done.at[:10] if task.done else "" for task in facts.tasks],
                "id": [task.task_id for task in facts.tasks],
            }
        ),
        hide_index=True,
        height=_measure(len(facts.tasks)),
        column_config={
            "due": st.column_config.DateColumn("Due", format="YYYY-MM-DD", width=100),
            "task": st.column_config.TextColumn("What", width=270),
            "state": st.column_config.TextColumn("State", width=130),
            "owner": st.column_config.TextColumn("Owner", width=150),
            "who": st.column_config.TextColumn("Done by", width=120),
            "when": "Done on",
            "id": "Task",
        },
        key="calendar",
        alt="Tasks of the close by the day on which they are due",
    )


def _show_bills(context: Context) -> None:
    kinds = read_bill_kinds(context.published, context.selection)
    show_section(
        "What the bills hold",
        f"Items of all bills of {context.selection.period_name} by kind, in {context.currency}. "
        "A credit is negative.",
    )
    if kinds.empty:
        show_missing("Nothing is billed in this period.", "Choose another period.")
    else:
        st.dataframe(
            kinds.assign(
                item_kind=[BILL_ITEM_NAMES.get(k, k.capitalize()) for k in kinds["item_kind"]]
            ),
            hide_index=True,
            column_config={
                "item_kind": st.column_config.TextColumn("Kind", width=230),
                "item_count": st.column_config.NumberColumn("Items", format="%,d"),
                "debit_amount": amount_column("Debit", places=2),
                "credit_amount": amount_column("Credit", places=2),
                "amount": amount_column("Billed", "Debit and credit together", places=2),
            },
            key="bill_kinds",
            alt="Items of the bills by kind",
        )
        billed = format_exact(sum(kinds["amount"], Decimal(0)), context.currency)
        st.markdown(f"**Billed: {billed}**, charges and other billed items together.")
    show_download(context, "Bills by kind (CSV)", kinds, "bill_kinds", "download_kinds")
    notes = read_other_items(context.published, context.selection)
    if notes.empty:
        st.caption("No credit or debit note, adjustment or transfer is on the bills of the period.")
    show_other_items(context, notes)


def _show_periods(facts: CloseFacts) -> None:
    show_section("Every period that was begun", "The newest version, the latest period first.")
    states = sorted(facts.states.values(), key=lambda state: state.period_id, reverse=True)
    if not states:
        st.caption("No period has been calculated yet.")
        return
    st.dataframe(
        pd.DataFrame(
            {
                "period": [format_period(state.period_id) for state in states],
                "version": [state.version for state in states],
                "state": [state.state for state in states],
                "prepared": [state.prepared_by for state in states],
                "reviewed": [state.reviewed_by for state in states],
                "approved": [state.approved_by for state in states],
                "closed": [state.closed_by for state in states],
                "on": [str(state.closed_at or "")[:10] or None for state in states],
                "number": [to_decimal(state.close_number) for state in states],
            }
        ),
        hide_index=True,
        height=_measure(min(len(states), SHOWN_PERIODS)),
        placeholder=MISSING,
        column_config={
            "period": "Period",
            "version": "Version",
            "state": "State",
            "prepared": "Calculated by",
            "reviewed": "Reviewed by",
            "approved": "Approved by",
            "closed": "Closed by",
            "on": "Closed on",
            "number": st.column_config.NumberColumn("Close", format="%d"),
        },
        key="periods",
        alt="Every period with its state and who signed it",
    )


def _show_chain(facts: CloseFacts) -> None:
    if not facts.close_number:
        st.caption("Nothing is closed yet: the chain of closes has no head.")
        return
    st.caption(
        f"Head of the chain, close number {facts.close_number}: `{facts.head_hash}`. "
        "`apportion verify` proves that every closed period is what was closed; "
        "`apportion evidence` writes what an auditor asks of one."
    )


def _measure(rows: int) -> int:
    """Pixels of a table that shows all of its rows."""
    return ROW_HEIGHT * (rows + 1) + 3


render_page()
