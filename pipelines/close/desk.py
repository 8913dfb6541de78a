"""The desk at which a period is prepared, reviewed and approved: steps over one workspace.

Puts together what a step needs: the books, the published figures, and what blocks. An approval is
refused while something blocks that nobody accepted; before that, blockers are only shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipelines.books.books import Books
from pipelines.close.blockers import Blocker, accept_blocker, list_blockers, refuse_blocked
from pipelines.close.figures import read_figures
from pipelines.close.period_states import (
    Figures,
    PeriodState,
    approve,
    calculate,
    list_states,
    read_state,
    review,
)
from pipelines.close.preview import (
    Answer,
    Preview,
    answer_bill,
    find_preview,
    list_answers,
    list_bills,
    send_preview,
)
from pipelines.errors import UsageError
from pipelines.warehouse.publication import Publication, read_publication
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class PeriodRow:
    """A period with cost and where it stands."""

    period_name: str
    state: PeriodState


@dataclass(frozen=True)
class CloseDesk:
    """The steps of one workspace's periods."""

    workspace: Workspace
    books: Books

    def list_periods(self) -> list[PeriodRow]:
        """Every period with actual cost, in order."""
        from pipelines.warehouse.reader import open_published

        with open_published(self.workspace) as marts:
            rows = marts.execute(
                "select period_id, period_name from dim_periods where has_actuals order by all"
            ).fetchall()
        with self.books.read() as connection:
            states = list_states(connection)
        return [PeriodRow(name, states.get(period, PeriodState(period))) for period, name in rows]

    def calculate(self, period_id: str) -> tuple[PeriodState, list[Blocker]]:
        """Bind the period to what is published, and say what will block its approval."""
        figures, blockers = self.look(period_id)
        outdated = [item for item in blockers if item.blocker_id in ("outdated", "certificate")]
        refuse_blocked(period_id, outdated)
        return calculate(self.books, period_id, figures), blockers

    def review(self, period_id: str) -> PeriodState:
        """Sign that the calculated figures were looked at."""
        return review(self.books, period_id, self.look(period_id)[0])

    def approve(self, period_id: str) -> PeriodState:
        """Sign that the calculated figures may be charged. Raises ControlError with everything
        that still blocks."""
        figures, blockers = self.look(period_id)
        refuse_blocked(period_id, blockers)
        return approve(self.books, period_id, figures)

    def list_blockers(self, period_id: str) -> list[Blocker]:
        """What blocks, what was accepted among it."""
        return self.look(period_id)[1]

    def accept(self, period_id: str, blocker_id: str, why: str) -> Blocker:
        """Accept one blocker by name."""
        return accept_blocker(self.books, period_id, self.list_blockers(period_id), blocker_id, why)

    def preview(self, period_id: str, days: int | None = None) -> Preview:
        """Send the calculated bills to their owners, for as many days as the workspace gives them
        where `days` says no other number."""
        with self._open_marts(read_publication(self.workspace)) as marts:
            figures = read_figures(marts, period_id)
        given = self.workspace.config.close.preview_days if days is None else days
        return send_preview(self.books, period_id, figures, given)

    def answer(self, period_id: str, business_unit_id: str, comment: str | None) -> Answer:
        """Acknowledge the bill of a business unit, or comment on it. Raises UsageError where the
        unit has no bill."""
        with self._open_marts(read_publication(self.workspace)) as marts:
            figures = read_figures(marts, period_id)
            bills = {bill.business_unit_id: bill for bill in list_bills(marts, period_id)}
        if business_unit_id not in bills:
            raise UsageError(
                f"there is no bill of '{business_unit_id}' in {period_id}; there is one of "
                f"{', '.join(bills) or 'nobody'}"
            )
        return answer_bill(self.books, period_id, figures, bills[business_unit_id], comment)

    def list_answers(self, period_id: str) -> tuple[Preview | None, list[Answer]]:
        """The latest preview of a period, and what every business unit said to its bill."""
        with self._open_marts(read_publication(self.workspace)) as marts:
            bills = list_bills(marts, period_id)
        with self.books.read() as connection:
            state = read_state(connection, period_id)
            answers = list_answers(connection, period_id, state.version, bills)
            return find_preview(connection, state), answers

    def look(self, period_id: str) -> tuple[Figures, list[Blocker]]:
        """The figures of the period as the published run made them, and its blockers."""
        from pipelines.warehouse.build import collect

        publication = read_publication(self.workspace)
        fingerprint = collect(self.workspace, self.books).stamp.fingerprint
        with self._open_marts(publication) as marts:
            figures = read_figures(marts, period_id)
            blockers = list_blockers(
                self.books,
                marts,
                self.workspace.config,
                period_id,
                is_current=fingerprint == publication.fingerprint,
            )
        return figures, blockers

    @contextmanager
    def _open_marts(self, publication: Publication) -> Iterator[duckdb.DuckDBPyConnection]:
        """The open file alone, which holds all that is asked: with those of closed periods, a close
        would cost more with every one that came before it."""
        from pipelines.warehouse.reader import connect_published

        opened = tuple(file for file in publication.files if file.role == "open")
        marts = connect_published(self.workspace, replace(publication, files=opened))
        try:
            yield marts
        finally:
            marts.close()


@contextmanager
def open_desk(workspace: Workspace) -> Iterator[CloseDesk]:
    """The desk of a workspace; its books are closed on leaving."""
    books = Books.open(workspace)
    try:
        yield CloseDesk(workspace, books)
    finally:
        books.close()
