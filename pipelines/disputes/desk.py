"""The desk at which bills are disputed: the steps of disputes over one workspace.

Puts together what a step needs: the books, the published bills, and the periods in which an
adjustment can be posted. Bills of closed periods are read from their frozen files.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.books.books import Books
from pipelines.disputes.bill_items import BillItem, find_charge, find_item
from pipelines.disputes.disputes import Dispute, accept, open_dispute, propose_adjustment
from pipelines.errors import NothingPublishedError, UsageError
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Line:
    """How a person names the item of a bill: by its service and cost centre, or by its id."""

    period_id: str
    service_id: str | None = None
    cost_centre_id: str | None = None
    bill_item_id: str | None = None


@dataclass(frozen=True)
class DisputeDesk:
    """The disputes of one workspace."""

    workspace: Workspace
    books: Books

    def open(
        self, line: Line, reason: str, amount: Decimal | None, *, is_above_line: bool
    ) -> Dispute:
        """Dispute a line; all of it where no amount is given."""
        item = self._find(line)
        return open_dispute(self.books, item, reason, amount, is_above_line=is_above_line)

    def propose(self, line: Line, amount: Decimal, kind: str, reason: str) -> Dispute:
        """Propose an adjustment that nobody disputed; a credit is negative."""
        return propose_adjustment(self.books, self._find(line), amount, kind, reason)

    def accept(
        self, dispute_id: str, why: str, amount: Decimal | None, kind: str | None
    ) -> Dispute:
        """Accept a dispute or a proposed adjustment; it is posted in a period that is open."""
        with self._read() as marts:
            rows = marts.execute(
                "select period_id from dim_periods where has_actuals order by all"
            ).fetchall()
        calendar = [period[0] for period in self.workspace.config.calendar.periods()]
        with_cost = [row[0] for row in rows]
        return accept(
            self.books, dispute_id, why, amount, kind, with_cost=with_cost, calendar=calendar
        )

    def list_owners(self) -> dict[str, str]:
        """Who owns a service, by its id; nobody where nothing is published."""
        try:
            with self._read() as marts:
                rows = marts.execute(
                    "select service_id, owner_name from dim_services where owner_name is not null"
                ).fetchall()
        except NothingPublishedError:
            return {}
        return dict(rows)

    def _find(self, line: Line) -> BillItem:
        with self._read() as marts:
            if line.bill_item_id is not None:
                if line.service_id or line.cost_centre_id:
                    raise UsageError("name the line by --item, or by --service and --cost-centre")
                return find_item(marts, line.period_id, line.bill_item_id)
            if line.service_id is None or line.cost_centre_id is None:
                raise UsageError("a line is named by --service and --cost-centre, or by --item")
            return find_charge(marts, line.period_id, line.service_id, line.cost_centre_id)

    @contextmanager
    def _read(self) -> Iterator[duckdb.DuckDBPyConnection]:
        from pipelines.warehouse.reader import open_published

        with open_published(self.workspace) as marts:
            yield marts


@contextmanager
def open_dispute_desk(workspace: Workspace) -> Iterator[DisputeDesk]:
    """The desk of a workspace; its books are closed on leaving."""
    books = Books.open(workspace)
    try:
        yield DisputeDesk(workspace, books)
    finally:
        books.close()
