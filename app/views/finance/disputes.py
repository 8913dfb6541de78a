"""Finance: what of the bills is in dispute, how long has it waited, and what do owners say?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.charts.disputes import draw_ageing
from app.components import (
    Figure,
    amount_column,
    show_chart,
    show_figures,
    show_headline,
    show_ledger_tie,
    show_missing,
    show_section,
)
from app.context import Context, get_context
from app.downloads import write_csv
from app.findings import state_disputes
from app.formats import (
    MISSING,
    escape_markdown,
    format_amount,
    format_count,
    format_exact,
    format_period,
)
from app.names import ANSWER_NAMES
from app.navigation import DISPUTES
from app.queries.disputes import BookedDisputes, make_frame, read_disputes, read_owners
from pipelines.books.books import BooksOutdatedError, BooksTooNewError, BooksUnavailableError
from pipelines.disputes.ageing import count_days, name_bucket, sum_by_bucket
from pipelines.disputes.disputes import FINANCE, Dispute, Message

LISTED = 25
HOW_TO_OPEN = (
    "A business unit disputes a line of its bill with `apportion dispute open PERIOD --service "
    "SERVICE --cost-centre CENTRE --why REASON`; finance grants a credit by itself with "
    "`apportion adjust`."
)
AGE_BADGES = {"0-30": "gray", "31-60": "orange", "61-90": "orange", ">90": "red"}


def render_page() -> None:
    """What is open and how old it is, then the answers to the bills, then what was decided."""
    context = get_context()
    try:
        booked = read_disputes(context.published, context.selection.period_id)
    except (BooksOutdatedError, BooksTooNewError, BooksUnavailableError) as error:
        show_headline(DISPUTES.question, state_disputes([], None, context.selection, "", today()))
        show_missing("The books cannot be read.", escape_markdown(error))
        show_ledger_tie(context)
        _show_download(make_frame([], {}, today()))
        return
    waiting = [item for item in booked.disputes if item.state == "open"]
    show_headline(
        DISPUTES.question,
        state_disputes(waiting, booked.answers, context.selection, context.currency, today()),
    )
    show_figures(_make_figures(context, booked, waiting))
    show_ledger_tie(context)
    owners = read_owners(context.published)
    _show_open(context, booked, waiting, owners)
    _show_answers(context, booked)
    _show_decided(booked, owners)


def today() -> pd.Timestamp:
    """The day by UTC, to which ages are counted."""
    return pd.Timestamp.now("UTC").normalize()


def _make_figures(context: Context, booked: BookedDisputes, waiting: list[Dispute]) -> list[Figure]:
    period, currency = context.selection.period_id, context.currency
    posted = [item for item in booked.disputes if item.posting_period_id == period]
    oldest = max((count_days(item, today().date()) for item in waiting), default=None)
    answered = sum(item.answer != "none" for item in booked.answers)
    return [
        Figure("Open", str(len(waiting)), "to be decided" if waiting else "none", bool(waiting)),
        Figure(
            "Amount in dispute",
            format_amount(sum(abs(item.asked_amount) for item in waiting), currency),
        ),
        Figure(
            "Oldest",
            MISSING if oldest is None else format_count(oldest, "day"),
            None if oldest is None else f"{name_bucket(oldest)} days",
            None if oldest is None else oldest > 30,
        ),
        Figure(
            "Posted",
            format_amount(sum(item.adjusted_amount or 0 for item in posted), currency),
            format_count(len(posted), "adjustment"),
            help_text=f"What was accepted and is posted on the bills of "
            f"{context.selection.period_name}; a credit is negative.",
        ),
        Figure(
            "Bills answered",
            f"{answered} of {len(booked.answers)}" if booked.preview else MISSING,
            f"by {booked.preview.answer_until}" if booked.preview else "not sent for preview",
        ),
    ]


def _show_open(
    context: Context, booked: BookedDisputes, waiting: list[Dispute], owners: dict[str, str]
) -> None:
    show_section("What is open", "Of all periods, the oldest first, each with its conversation.")
    if not waiting:
        show_missing("Nothing is in dispute.", HOW_TO_OPEN)
        return
    show_chart(
        draw_ageing(sum_by_bucket(waiting, today().date()), context.currency),
        "ageing",
        "Amount in dispute by days open",
    )
    for number, item in enumerate(waiting[:LISTED]):
        said = [one for one in booked.messages if one.dispute_id == item.dispute_id]
        _show_dispute(item, said, owners.get(item.service_id), number)
    if len(waiting) > LISTED:
        st.caption(f"And {len(waiting) - LISTED} more, in the download below.")


def _show_dispute(item: Dispute, said: list[Message], owner: str | None, number: int) -> None:
    days = count_days(item, today().date())
    colour = AGE_BADGES[name_bucket(days)]
    with st.container(border=True, key=f"dispute_{number}"):
        amount = format_exact(abs(item.asked_amount), item.currency_code)
        sign = "more" if item.asked_amount > 0 else "less"
        line = format_exact(item.line_amount, item.currency_code)
        st.markdown(
            f":{colour}-badge[:material/schedule: {format_count(days, 'day')}] "
            f"**{escape_markdown(f'{item.dispute_id}: {amount} {sign}')}** on "
            f"{escape_markdown(line)} for "
            f"{escape_markdown(item.service_name)}, {escape_markdown(item.cost_centre_name)} "
            f"({escape_markdown(item.business_unit_name)}), {format_period(item.period_id)}"
        )
        turns = [(item.opened_by, item.opened_at, item.reason)]
        turns += [(one.person_name, one.written_at, one.message) for one in said]
        st.markdown(
            "\n".join(
                f"- **{escape_markdown(who)}**, {at[:10]}: {escape_markdown(text)}"
                for who, at, text in turns
            )
        )
        asked = f"Owner of the service: {escape_markdown(owner)}. " if owner else ""
        what = "Proposed by finance. " if item.raised_by == FINANCE else ""
        st.caption(
            f"{what}{asked}Somebody else than {escape_markdown(item.opened_by)} decides: "
            f"`apportion dispute accept {item.dispute_id} --why REASON`, or `reject`."
        )


def _show_answers(context: Context, booked: BookedDisputes) -> None:
    period = context.selection.period_id
    show_section(
        f"Answers to the bills of {context.selection.period_name}",
        "What business units say before the close. An answer to a bill that has changed is asked "
        "for again.",
    )
    if booked.preview is None:
        show_missing(
            "These bills were not sent for preview.",
            f"Calculate the period, then send them with `apportion period preview {period}`.",
        )
        return
    st.caption(
        f"Sent by {escape_markdown(booked.preview.sent_by)} on {booked.preview.sent_at[:10]}; "
        f"answers until {booked.preview.answer_until}. "
        f"`apportion answer {period} --business-unit UNIT --acknowledge`, or `--comment TEXT`."
    )
    st.dataframe(
        pd.DataFrame(
            {
                "unit": [item.business_unit_name for item in booked.answers],
                "answer": [
                    ANSWER_NAMES[item.answer] + (" (bill has changed)" if item.is_outdated else "")
                    for item in booked.answers
                ],
                "comment": [item.comment for item in booked.answers],
                "who": [item.person_name for item in booked.answers],
                "when": [(item.answered_at or "")[:10] or None for item in booked.answers],
                "amount": [item.amount for item in booked.answers],
            }
        ),
        hide_index=True,
        placeholder=MISSING,
        column_config={
            "unit": st.column_config.TextColumn("Business unit", pinned=True),
            "answer": "Answer",
            "comment": st.column_config.TextColumn("Comment", width=320),
            "who": "Who",
            "when": "When",
            "amount": amount_column(f"Billed, {context.currency}", places=2),
        },
        key="answers",
        alt="What each business unit says to its bill",
    )


def _show_decided(booked: BookedDisputes, owners: dict[str, str]) -> None:
    decided = [item for item in booked.disputes if item.state != "open"]
    show_section("What was decided", "Accepted amounts stand on the bill of one period, for ever.")
    if not decided:
        st.caption("Nothing yet.")
    else:
        frame = make_frame(decided[::-1], owners, today())
        st.dataframe(
            pd.DataFrame(
                {
                    "id": frame["dispute_id"],
                    "state": frame["state"],
                    "line": frame["service_name"] + ", " + frame["cost_centre_name"],
                    "period": frame["period_id"],
                    "adjusted": frame["adjusted_amount"],
                    "posting": frame["posting_period_id"],
                    "by": frame["decided_by"],
                    "why": frame["decision_reason"],
                    "days": frame["days_open"],
                }
            ),
            hide_index=True,
            placeholder=MISSING,
            column_config={
                "id": st.column_config.TextColumn("Id", pinned=True),
                "state": "Decided",
                "line": st.column_config.TextColumn("Line", width=220),
                "period": "Bill of",
                "adjusted": amount_column("Adjusted", "A credit is negative", places=2),
                "posting": "Posted in",
                "by": "By",
                "why": st.column_config.TextColumn("Why", width=260),
                "days": st.column_config.NumberColumn("Days open", format="%d"),
            },
            key="decided",
            alt="Disputes and adjustments that were decided",
        )
    _show_download(make_frame(booked.disputes, owners, today()))


def _show_download(frame: pd.DataFrame) -> None:
    """Of the books, as they are now: these rows belong to no run and to no selected period."""
    st.download_button(
        "Disputes and adjustments (CSV)",
        lambda: write_csv(frame),
        file_name=f"disputes_{today():%Y-%m-%d}.csv",
        mime="text/csv",
        key="download_disputes",
        icon=":material/download:",
        on_click="ignore",
        disabled=frame.empty,
    )


render_page()
