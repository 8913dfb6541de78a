"""The desk at which a period is prepared, reviewed and approved: steps over one workspace.

Puts together what a step needs: the books, the published figures, and what blocks. An approval is
refused while something blocks that nobody accepted; before that, blockers are only shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from pipelines.books.books import Books
from pipelines.close.blockers import Blocker, accept_blocker, list_blockers, refuse_blocked
from pipelines.close.figures import read_figures
from pipelines.close.period_states import (
    Figures,
    PeriodState,
    approve,
    calculate,
    list_states,
    review,
)
from pipelines.workspace.workspace import Workspace


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

    def look(self, period_id: str) -> tuple[Figures, list[Blocker]]:
        """The figures of the period as the published run made them, and its blockers."""
        from pipelines.warehouse.build import collect
        from pipelines.warehouse.publication import read_publication
        from pipelines.warehouse.reader import connect_published

        publication = read_publication(self.workspace)
        fingerprint = collect(self.workspace, self.books).stamp.fingerprint
        # The open file holds all that is asked; with those of closed periods, a close would cost
        # more with every one that came before it.
        opened = tuple(file for file in publication.files if file.role == "open")
        marts = connect_published(self.workspace, replace(publication, files=opened))
        try:
            figures = read_figures(marts, period_id)
            blockers = list_blockers(
                self.books,
                marts,
                self.workspace.config,
                period_id,
                is_current=fingerprint == publication.fingerprint,
            )
        finally:
            marts.close()
        return figures, blockers


@contextmanager
def open_desk(workspace: Workspace) -> Iterator[CloseDesk]:
    """The desk of a workspace; its books are closed on leaving."""
    books = Books.open(workspace)
    try:
        yield CloseDesk(workspace, books)
    finally:
        books.close()
