"""How the books sealed a closed period: its close, the manifest, and the head of the chain.

Reads the books and nothing else; `apportion verify` is what proves that files, manifests and books
belong together. A period that is published as closed and is not in these books has no seal, and
its statements say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.billing.records import BillScope, Closing

if TYPE_CHECKING:
    from pipelines.workspace.workspace import Workspace


def read_closing(workspace: Workspace, scope: BillScope) -> Closing | None:
    """The close of this version of the period; None where the books have none."""
    from sqlalchemy import select

    from pipelines.books.books import Books
    from pipelines.books.tables import periods
    from pipelines.close.period_states import find_last_close

    books = Books.open(workspace)
    try:
        with books.read() as connection:
            row = connection.execute(
                select(periods).where(
                    periods.c.scenario_id == scope.scenario_id,
                    periods.c.period_id == scope.period_id,
                    periods.c.version == scope.version,
                    periods.c.state == "closed",
                )
            ).first()
            head_number, head_hash = find_last_close(connection)
    finally:
        books.close()
    if row is None:
        return None
    return Closing(
        row.close_number,
        row.manifest_hash,
        row.closed_at,
        row.approved_by,
        head_number,
        head_hash,
    )
