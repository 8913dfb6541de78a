"""The preview of bills: sent to their owners before the close, who acknowledge them or comment.

What is sent is the calculated figures of a period, by their hash. An answer is tied to the bill of
its business unit, by the hash of its items: where that bill changes, the answer is outdated, and
the unit is asked again; where only another unit's bill changes, it holds. The latest answer of a
unit counts, and all of them are kept. Who sent the preview may write a comment down that came by
another way, but acknowledges nothing; the database refuses it too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelines.books.audit import append_audit
from pipelines.books.books import Books, current_time
from pipelines.books.person import current_person, is_same_person
from pipelines.close.period_states import (
    ACTUAL,
    Figures,
    PeriodState,
    read_state,
    refuse_other_figures,
)
from pipelines.errors import ControlError, UsageError

if TYPE_CHECKING:
    import duckdb
    from sqlalchemy import Connection

ACKNOWLEDGED, COMMENTED, NONE = "acknowledged", "commented", "none"

BILLS = """
select business_unit_id, any_value(business_unit_name) as business_unit_name,
    sum(amount) as amount,
    sha256(string_agg(cast(items as varchar), chr(10) order by cast(items as varchar)))
        as bill_hash
from fct_bill_items_monthly as items
where scenario_id = 'actual' and period_id = $period and business_unit_id not like '(%'
group by business_unit_id
order by business_unit_name, business_unit_id
"""
"""SQL of the bills of a period, one row per business unit, with the hash that an answer is to."""


@dataclass(frozen=True)
class Bill:
    """The published bill of a business unit; `amount` in the reporting currency."""

    business_unit_id: str
    business_unit_name: str
    amount: Decimal
    bill_hash: str


@dataclass(frozen=True)
class Preview:
    """That the calculated figures of a period were sent to those who are billed."""

    preview_id: int
    version: int
    content_hash: str
    answer_until: str
    """The last day on which an answer is expected, by UTC."""
    sent_by: str
    sent_at: str


@dataclass(frozen=True)
class Answer:
    """What a business unit said to its bill, or that it said nothing."""

    business_unit_id: str
    business_unit_name: str
    amount: Decimal
    answer: str = NONE
    comment: str | None = None
    person_name: str | None = None
    answered_at: str | None = None
    is_outdated: bool = False
    """Whether the bill has changed since."""

    @property
    def is_open_comment(self) -> bool:
        """A comment stays open until the unit acknowledges, also where the bill has changed."""
        return self.answer == COMMENTED

    @property
    def is_missing(self) -> bool:
        return self.answer == NONE or (self.answer == ACKNOWLEDGED and self.is_outdated)


def send_preview(books: Books, period_id: str, figures: Figures, days: int) -> Preview:
    """Record that the calculated figures go to their owners, who have `days` days from today.

    Raises ControlError where the period is not calculated, is signed already, or where what is
    published is not what was calculated."""
    from pipelines.books.tables import bill_previews

    if not 0 <= days <= 60:
        raise UsageError(f"--days expects 0 to 60 days, found {days}")
    with books.begin() as connection:
        state = read_state(connection, period_id)
        if state.state not in ("calculated", "reviewed"):
            raise ControlError(
                f"{period_id} is {state.state}; a preview is sent of what is calculated and not "
                "approved yet"
            )
        refuse_other_figures(state, figures)
        now = current_time()
        row: dict[str, Any] = {
            "version": state.version,
            "content_hash": figures.content_hash,
            "answer_until": str(date.fromisoformat(now[:10]) + timedelta(days=days)),
            "sent_by": current_person(),
            "sent_at": now,
        }
        done = connection.execute(
            bill_previews.insert().values(scenario_id=ACTUAL, period_id=period_id, **row)
        )
        append_audit(connection, "period preview", f"{period_id} version {state.version}", row)
    assert done.inserted_primary_key is not None
    return Preview(done.inserted_primary_key[0], **row)


def answer_bill(
    books: Books, period_id: str, figures: Figures, bill: Bill, comment: str | None
) -> Answer:
    """Answer for a business unit: acknowledge its bill, or comment on it.

    Raises UsageError for a comment without a text, ControlError where the period was not sent for
    preview, where other figures are published than were sent, or where it is closed."""
    from pipelines.books.tables import bill_answers

    if comment is not None and not comment.strip():
        raise UsageError("--comment expects a text, for those who prepare the bill")
    with books.begin() as connection:
        state = read_state(connection, period_id)
        preview = _require_preview(connection, state, figures)
        if comment is None and is_same_person(preview.sent_by, current_person()):
            raise ControlError(
                f"{preview.sent_by} sent the bills of {period_id} for preview; somebody else must "
                "acknowledge them"
            )
        row: dict[str, Any] = {
            "business_unit_id": bill.business_unit_id,
            "bill_hash": bill.bill_hash,
            "answer": ACKNOWLEDGED if comment is None else COMMENTED,
            "comment": comment,
        }
        signed: dict[str, Any] = {"person_name": current_person(), "answered_at": current_time()}
        connection.execute(
            bill_answers.insert().values(
                preview_id=preview.preview_id,
                scenario_id=ACTUAL,
                period_id=period_id,
                version=state.version,
                **row,
                **signed,
            )
        )
        subject = f"{period_id} version {state.version} {bill.business_unit_id}"
        append_audit(connection, f"bill {row['answer']}", subject, row)
    name, amount = bill.business_unit_name, bill.amount
    return Answer(bill.business_unit_id, name, amount, row["answer"], comment, **signed)


def find_preview(connection: Connection, state: PeriodState) -> Preview | None:
    """The latest preview of the period's version."""
    from pipelines.books.tables import bill_previews as table

    query = (
        table.select()
        .where(
            table.c.scenario_id == ACTUAL,
            table.c.period_id == state.period_id,
            table.c.version == state.version,
        )
        .order_by(table.c.preview_id.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    values = {
        name: value for name, value in row.items() if name not in ("scenario_id", "period_id")
    }
    return Preview(**values)


def list_bills(marts: duckdb.DuckDBPyConnection, period_id: str) -> list[Bill]:
    """The published bills of a period, by the names of their units."""
    return [Bill(*row) for row in marts.execute(BILLS, {"period": period_id}).fetchall()]


def list_answers(
    connection: Connection, period_id: str, version: int, bills: list[Bill]
) -> list[Answer]:
    """The latest answer of every business unit that is billed, and which of them gave none."""
    from pipelines.books.tables import bill_answers as table

    query = (
        table.select()
        .where(
            table.c.scenario_id == ACTUAL,
            table.c.period_id == period_id,
            table.c.version == version,
        )
        .order_by(table.c.answer_id)
    )
    latest = {row["business_unit_id"]: row for row in connection.execute(query).mappings()}
    answers = []
    for bill in bills:
        row = latest.get(bill.business_unit_id)
        said = (
            {}
            if row is None
            else {
                **{name: row[name] for name in ("answer", "comment", "person_name", "answered_at")},
                "is_outdated": row["bill_hash"] != bill.bill_hash,
            }
        )
        answers.append(Answer(bill.business_unit_id, bill.business_unit_name, bill.amount, **said))
    return answers


def _require_preview(connection: Connection, state: PeriodState, figures: Figures) -> Preview:
    if state.state == "closed":
        raise ControlError(
            f"{state.period_id} is closed. What is wrong with its bills is disputed: "
            "'apportion dispute open'."
        )
    preview = find_preview(connection, state)
    if preview is None:
        raise ControlError(
            f"the bills of {state.period_id} were not sent for preview yet. Who prepares them does "
            f"it: 'apportion period preview {state.period_id}'."
        )
    if preview.content_hash != figures.content_hash:
        raise ControlError(
            f"the bills of {state.period_id} have changed since they were sent for preview on "
            f"{preview.sent_at[:10]}. Who prepares them sends them again: 'apportion period "
            f"preview {state.period_id}'."
        )
    return preview
