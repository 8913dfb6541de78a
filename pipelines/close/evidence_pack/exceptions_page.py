"""The page on exceptions: what was accepted, what is open, what was left out or let in by hand."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelines.close.evidence_pack.books_extract import BooksExtract
from pipelines.close.evidence_pack.frozen_figures import FrozenFigures
from pipelines.close.evidence_pack.inputs_page import Input
from pipelines.close.evidence_pack.records import Page, Row, Section, Table

if TYPE_CHECKING:
    from sqlalchemy import Connection


def make_exceptions(
    figures: FrozenFigures,
    extract: BooksExtract,
    connection: Connection,
    inputs: Sequence[Input],
    currency: str,
) -> Page:
    """Accepted blockers, open items, money without a place, quarantine, held deliveries."""
    accepted: list[Row] = [
        (item["blocker_id"], item["finding"], item["why"], item["person_name"], item["accepted_at"])
        for item in extract.acceptances
    ]
    items = figures.read_period(
        "marts.rpt_open_items",
        "item_kind, item_key, item_name, amount, what_to_do",
        "item_kind, item_key, item_name",
    )
    places = _read_places(figures)
    records = _read_quarantine(figures)
    numbers = [item.load_id for item in inputs]
    decisions = _read_decisions(connection, numbers)
    holds = _read_holds(connection, extract.state.period_id)
    hold_columns = ("source", "file", "kind", "reason", "decision", "why", "who", "when")
    decision_columns = ("source", "file", "row", "decision", "why", "who", "when")
    sections = (
        Section(
            "Accepted by name",
            ("What would have blocked the approval, and who let it stay as it is, with a reason.",),
            Table(
                ("blocker", "found", "why", "who", "when"),
                tuple(accepted),
                file="accepted_blockers.csv",
            ),
            "Nothing was accepted: nothing blocked.",
        ),
        Section(
            "Open items",
            (f"What somebody has to settle. Amounts in {currency}.",),
            Table(
                ("kind", "key", "item", "amount", "what_to_do"),
                tuple(items),
                numeric=(3,),
                file="open_items.csv",
            ),
        ),
        Section(
            "Money that is charged to nobody",
            (
                "Unmapped: no rule says what it is. Unallocated: no driver says who uses it. Idle: "
                f"capacity that nobody used. Amounts in {currency}.",
            ),
            Table(
                ("disposition", "service_id", "cost_centre_id", "amount"),
                tuple(places),
                numeric=(3,),
                file="money_without_consumer.csv",
            ),
        ),
        Section(
            "Records in quarantine",
            ("Of the period, or of no period that could be read. None of them counts.",),
            Table(
                ("source", "file", "row", "period", "amount", "currency", "reason", "state"),
                tuple(records),
                numeric=(2, 4),
                file="quarantine.csv",
            ),
        ),
        Section(
            "Decisions on quarantined records",
            ("On records of the deliveries of the period; the latest one of a record holds.",),
            Table(
                (*decision_columns, "values_before", "values_after"),
                tuple(decisions),
                numeric=(2,),
                file="quarantine_decisions.csv",
            ),
        ),
        Section(
            "Deliveries that were held",
            ("Held deliveries do not count until somebody releases them.",),
            Table(hold_columns, tuple(holds), file="held_deliveries.csv"),
        ),
    )
    total = sum((abs(row[3]) for row in places), Decimal(0))
    summary = (
        f"{len(accepted)} blockers were accepted by name, {len(items)} items are open, "
        f"{total:,.2f} {currency} is charged to nobody, {len(records)} records are in quarantine."
    )
    return Page("exceptions", "Exceptions", summary, sections)


def _read_places(figures: FrozenFigures) -> list[tuple[Any, ...]]:
    return figures.read(
        "select disposition, service_id, cost_centre_id, sum(cost_amount) "
        "from marts.fct_charges_monthly where scenario_id = 'actual' and period_id = $period "
        "and disposition in ('unmapped', 'unallocated', 'idle') group by all order by all"
    )


def _read_quarantine(figures: FrozenFigures) -> list[tuple[Any, ...]]:
    """Without the records themselves, which may name persons."""
    return figures.read(
        "select source_id, file_name, row_number, period_id, amount_local, currency_code, reason, "
        "state from model.quarantine where period_id = $period "
        "or period_id is null or period_id not in (select period_id from model.periods) "
        "order by source_id, file_name, row_number"
    )


def _read_decisions(connection: Connection, numbers: list[int]) -> list[Row]:
    from sqlalchemy import select

    from pipelines.books.tables import loads
    from pipelines.books.tables import quarantine_decisions as table

    query = (
        select(
            *(loads.c.source_id, loads.c.file_name, table.c.row_number, table.c.decision),
            *(table.c.why, table.c.person_name, table.c.decided_at),
            *(table.c.values_before, table.c.values_after),
        )
        .join(loads, loads.c.load_id == table.c.load_id)
        .where(table.c.load_id.in_(numbers))
        .order_by(table.c.decision_id)
    )
    return [tuple(row) for row in connection.execute(query)]


def _read_holds(connection: Connection, period_id: str) -> list[Row]:
    from sqlalchemy import select

    from pipelines.books.tables import hold_decisions, load_periods, loads

    query = (
        select(
            *(loads.c.source_id, loads.c.file_name, loads.c.hold_kind, loads.c.hold_reason),
            *(hold_decisions.c.decision, hold_decisions.c.why),
            *(hold_decisions.c.person_name, hold_decisions.c.decided_at),
        )
        .join(load_periods, load_periods.c.load_id == loads.c.load_id)
        .outerjoin(hold_decisions, hold_decisions.c.load_id == loads.c.load_id)
        .where(load_periods.c.period_id == period_id, loads.c.hold_kind.is_not(None))
        .order_by(loads.c.load_id, hold_decisions.c.decision_id)
    )
    return [tuple(row) for row in connection.execute(query)]
