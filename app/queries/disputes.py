"""Disputes, adjustments and answers to bills, from the books, which the app cannot write.

They change between two publications, so nothing of them is kept in a cache.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from app.queries.published import Published, read_frame
from pipelines.books.books import Books
from pipelines.close.period_states import PeriodState, read_state
from pipelines.close.preview import BILLS, Answer, Bill, Preview, find_preview, list_answers
from pipelines.disputes.ageing import count_days, name_bucket
from pipelines.disputes.disputes import Dispute, Message, list_disputes, list_messages
from pipelines.workspace.workspace import Workspace


@dataclass(frozen=True)
class BookedDisputes:
    """What the books hold at this moment: disputes, the oldest first, and what was said to them;
    where a period stands, and what business units say to their bills of it."""

    disputes: list[Dispute]
    messages: list[Message]
    state: PeriodState
    preview: Preview | None
    answers: list[Answer]


def read_disputes(published: Published, period_id: str) -> BookedDisputes:
    """Raises BooksOutdatedError where there are no books of this version yet."""
    bills = _read_bills(published, period_id)
    books = Books.open_read_only(Workspace.open(published.root))
    with books.read() as connection:
        state = read_state(connection, period_id)
        return BookedDisputes(
            list_disputes(connection),
            list_messages(connection),
            state,
            find_preview(connection, state),
            list_answers(connection, period_id, state.version, bills),
        )


def read_owners(published: Published) -> dict[str, str]:
    """Who owns a service, by its id."""
    frame = read_frame(
        published, "select service_id, owner_name from dim_services where owner_name is not null"
    )
    return dict(zip(frame["service_id"], frame["owner_name"], strict=True))


def make_frame(
    disputes: list[Dispute], owners: dict[str, str], today: pd.Timestamp
) -> pd.DataFrame:
    """One row per dispute with its age and the owner of its service, for a table or a file."""
    rows = []
    for item in disputes:
        days = count_days(item, today.date())
        age = {"days_open": days, "age": name_bucket(days)}
        rows.append({**vars(item), **age, "service_owner": owners.get(item.service_id)})
    columns = [*Dispute.__dataclass_fields__, "days_open", "age", "service_owner"]
    return pd.DataFrame(rows, columns=columns)


def _read_bills(published: Published, period_id: str) -> list[Bill]:
    frame = read_frame(published, BILLS, {"period": period_id})
    return [Bill(*row) for row in frame.itertuples(index=False, name=None)]
