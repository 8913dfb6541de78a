"""Decide on a delivery that is held: let it count, or leave it out for good.

The decision is a row of the books with who, when and why; the load's state follows it in the same
transaction. A released delivery takes the place of earlier ones as its source declares, at this
moment and not before. A late one that is released changes no closed figure: what it changes in a
closed period's charges is posted in an open one, as credit and debit notes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pipelines.books.audit import append_audit
from pipelines.books.books import Books, current_time
from pipelines.books.person import current_person
from pipelines.errors import UsageError
from pipelines.landing.load_history import find_state
from pipelines.landing.load_log import describe_replaced, supersede
from pipelines.landing.redelivery import (
    NOTHING_REPLACED,
    Replacement,
    find_replaced,
    list_unreadable,
    read_sizes,
)
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

HoldDecision = Literal["released", "discarded"]
SHORTEST_HASH = 8
STATES = {
    "counts": "it counts",
    "superseded": "a later one took its place",
    "discarded": "it is discarded",
}


def decide_hold(
    workspace: Workspace,
    books: Books,
    source_id: str,
    file: str,
    decision: HoldDecision,
    *,
    why: str,
) -> Row[Any]:
    """Decide on the held load that a file's name or the beginning of its hash names; its row.

    Raises UsageError for an unknown source or load, one that is not held, and an empty reason;
    DeliveryRefusedError where its source does not take it any more.
    """
    (row,) = decide_holds(workspace, books, source_id, [file], decision, why=why)
    return row


def decide_holds(
    workspace: Workspace,
    books: Books,
    source_id: str | None,
    files: Sequence[str],
    decision: HoldDecision,
    *,
    why: str,
) -> list[Row[Any]]:
    """Decide on several held loads with one reason, all or none; their rows.

    `files` name loads of the source as in `decide_hold`; without any, all held loads of the source
    are decided on, without a source all held loads there are. Raises as `decide_hold` does.
    """
    if not why.strip():
        raise UsageError("a decision needs a reason: say it with --why TEXT")
    sources = workspace.config.sources
    if source_id is not None and source_id not in sources:
        known = ", ".join(sorted(sources))
        raise UsageError(f"no source is called '{source_id}'; apportion.yml has: {known}")
    with books.begin() as connection:
        rows = _select_held(connection, sources, source_id, files)
        for row in rows:
            replaced = NOTHING_REPLACED
            unreadable = list_unreadable(connection, row.source_id)
            if decision == "released" and row.load_id not in unreadable:
                replaced = find_replaced(
                    connection,
                    row.source_id,
                    sources[row.source_id],
                    row.file_name,
                    row.sha256,
                    read_sizes(connection, row.load_id),
                )
            _record(connection, row, decision, why.strip(), replaced)
    return rows


def _select_held(
    connection: Connection, sources: Collection[str], source_id: str | None, files: Sequence[str]
) -> list[Row[Any]]:
    """The held loads that are meant, in the order in which they came."""
    from sqlalchemy import select

    from pipelines.books.tables import loads

    if source_id is not None and files:
        named = {row.load_id: row for row in (_find_held(connection, source_id, f) for f in files)}
        return [named[load_id] for load_id in sorted(named)]
    query = select(loads).where(loads.c.hold_kind.is_not(None)).order_by(loads.c.load_id)
    held = [
        row
        for row in connection.execute(query)
        if find_state(row) == "held"
        and (row.source_id == source_id if source_id is not None else row.source_id in sources)
    ]
    if not held:
        where = f"of source '{source_id}' " if source_id is not None else ""
        raise UsageError(f"no delivery {where}is on hold; 'apportion loads list' shows them all")
    return held


def _find_held(connection: Connection, source_id: str, file: str) -> Row[Any]:
    from sqlalchemy import select

    from pipelines.books.tables import loads

    rows = connection.execute(
        select(loads).where(loads.c.source_id == source_id, loads.c.hold_kind.is_not(None))
    ).all()
    is_hash = len(file) >= SHORTEST_HASH
    named = [
        row
        for row in rows
        if row.file_name == file or (is_hash and row.sha256.startswith(file.lower()))
    ]
    held = [row for row in named if find_state(row) == "held"]
    if len(held) == 1:
        return held[0]
    if held:
        hashes = ", ".join(row.sha256[:12] for row in held)
        raise UsageError(
            f"{len(held)} deliveries on hold of source '{source_id}' are called '{file}'; "
            f"name one by the beginning of its hash: {hashes}"
        )
    if named:
        raise UsageError(f"{source_id}/{file} is on hold no longer: {STATES[find_state(named[0])]}")
    raise UsageError(
        f"source '{source_id}' has no delivery on hold called '{file}'; "
        "'apportion loads list --held' shows those there are"
    )


def _record(
    connection: Connection, row: Row[Any], decision: HoldDecision, why: str, replaced: Replacement
) -> None:
    from pipelines.books.tables import hold_decisions, loads

    connection.execute(
        hold_decisions.insert().values(
            load_id=row.load_id,
            decision=decision,
            why=why,
            person_name=current_person(),
            decided_at=current_time(),
        )
    )
    connection.execute(
        loads.update().where(loads.c.load_id == row.load_id).values(hold_decision=decision)
    )
    supersede(connection, row.load_id, replaced)
    details = {"sha256": row.sha256, "why": why, "held": row.hold_kind}
    details |= describe_replaced(replaced)
    append_audit(connection, f"hold {decision}", f"{row.source_id}/{row.file_name}", details)
