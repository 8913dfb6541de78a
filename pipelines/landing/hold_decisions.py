"""Decide on a delivery that is held: let it count, or leave it out for good.

The decision is a row of the books with who, when and why; the load's state follows it in the same
transaction. A released delivery takes the place of earlier ones as its source declares, at this
moment and not before. A late one that is released changes no closed figure: what it changes in a
closed period's charges is posted in an open one, as credit and debit notes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pipelines.books.audit import append_audit
from pipelines.books.books import Books, current_time
from pipelines.books.person import current_person
from pipelines.errors import UsageError
from pipelines.landing.load_history import find_state
from pipelines.landing.load_log import describe_replaced, supersede
from pipelines.landing.redelivery import NOTHING_REPLACED, Replacement, find_replaced, read_sizes
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

HoldDecision = Literal["released", "discarded"]
SHORTEST_HASH = 8


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
    if not why.strip():
        raise UsageError("a decision needs a reason: say it with --why TEXT")
    source = workspace.config.sources.get(source_id)
    if source is None:
        known = ", ".join(sorted(workspace.config.sources))
        raise UsageError(f"no source is called '{source_id}'; apportion.yml has: {known}")
    with books.begin() as connection:
        row = _find_held(connection, source_id, file)
        replaced = NOTHING_REPLACED
        if decision == "released":
            sizes = read_sizes(connection, row.load_id)
            replaced = find_replaced(
                connection, source_id, source, row.file_name, row.sha256, sizes
            )
        _record(connection, row, decision, why.strip(), replaced)
    return row


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
            f"{len(held)} held deliveries of source '{source_id}' are called '{file}'; "
            f"name one by the beginning of its hash: {hashes}"
        )
    if named:
        raise UsageError(f"{source_id}/{file} is {find_state(named[0])}, and no longer held")
    raise UsageError(
        f"source '{source_id}' has no held delivery called '{file}'; "
        "'apportion loads list' shows those that wait"
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
