"""What people decided on quarantined records, as the books hold it.

A decision is a row that is never changed; the latest one on a record counts. A released record
lies, checked and typed, in a file of its own beside the load: `corrections/<sha256>.parquet`, one
per act of releasing, written once. Where a later decision overtakes a part of such a file, the
books say which rows of it no longer count.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from sqlalchemy import Connection

CORRECTIONS_NAME = "corrections"

Decision = Literal["release", "discard"]
State = Literal["open", "released", "discarded"]
STATES: dict[Decision, State] = {"release": "released", "discard": "discarded"}


@dataclass(frozen=True)
class RecordDecision:
    """The decision that counts for one record; values are JSON objects of the fields set."""

    row_number: int
    decision: Decision
    values_before: str
    values_after: str
    correction_id: str | None
    why: str
    person_name: str
    decided_at: str


@dataclass(frozen=True)
class Correction:
    """One file of released records: the rows that count, and those overtaken since."""

    correction_id: str
    rows: tuple[int, ...]
    overtaken: tuple[int, ...]

    def find_path(self, directory: Path) -> Path:
        """Where it lies below the directory of its load."""
        return directory / CORRECTIONS_NAME / f"{self.correction_id}.parquet"


@dataclass(frozen=True)
class LoadDecisions:
    """All decisions on one load that count, in the order of its records."""

    current: tuple[RecordDecision, ...] = ()
    corrections: tuple[Correction, ...] = ()

    @property
    def released_rows(self) -> list[int]:
        return [item.row_number for item in self.current if item.decision == "release"]

    @property
    def discarded_rows(self) -> list[int]:
        return [item.row_number for item in self.current if item.decision == "discard"]


NO_DECISIONS = LoadDecisions()


def read_decisions(connection: Connection) -> dict[int, LoadDecisions]:
    """Decisions by load; a load without any is left out. Those on an earlier reading of a load
    were about other records."""
    from sqlalchemy import select

    from pipelines.books.tables import loads
    from pipelines.books.tables import quarantine_decisions as table

    latest: dict[int, dict[int, RecordDecision]] = defaultdict(dict)
    written: dict[int, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    of_now = (table.c.load_id == loads.c.load_id) & (table.c.reading == loads.c.reading)
    query = select(table).join(loads, of_now).order_by(table.c.decision_id)
    for row in connection.execute(query):
        latest[row.load_id][row.row_number] = RecordDecision(
            row.row_number,
            row.decision,
            row.values_before,
            row.values_after,
            row.correction_id,
            row.why,
            row.person_name,
            row.decided_at,
        )
        if row.correction_id is not None:
            written[row.load_id][row.correction_id].add(row.row_number)
    return {
        load_id: LoadDecisions(
            tuple(rows[number] for number in sorted(rows)),
            _list_corrections(rows, written[load_id]),
        )
        for load_id, rows in latest.items()
    }


def _list_corrections(
    latest: dict[int, RecordDecision], written: dict[str, set[int]]
) -> tuple[Correction, ...]:
    corrections = []
    for correction_id, rows in sorted(written.items()):
        counting = {row for row in rows if latest[row].correction_id == correction_id}
        if counting:
            overtaken = tuple(sorted(rows - counting))
            corrections.append(Correction(correction_id, tuple(sorted(counting)), overtaken))
    return tuple(corrections)
