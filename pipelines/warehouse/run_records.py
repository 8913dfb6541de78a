"""The rows of the books that say which runs there were and what became of them."""

from __future__ import annotations

import json

from pipelines.books.audit import append_audit
from pipelines.books.books import Books, current_time
from pipelines.books.person import current_person
from pipelines.cost_model.compile import RunStamp
from pipelines.warehouse.publication import PublishedFile


def record_start(books: Books, stamp: RunStamp) -> None:
    from pipelines.books.tables import runs

    with books.begin() as connection:
        connection.execute(
            runs.insert().values(
                run_id=stamp.run_id,
                fingerprint=stamp.fingerprint,
                state="running",
                started_at=current_time(),
                person_name=current_person(),
                steps="[]",
            )
        )


def record_abandoned(books: Books) -> None:
    """Runs that still call themselves running were killed. Only under the warehouse's lock."""
    from pipelines.books.tables import runs

    with books.begin() as connection:
        connection.execute(
            runs.update()
            .where(runs.c.state == "running")
            .values(state="failed", finished_at=current_time(), error="ended before it was done")
        )


def record_failure(books: Books, stamp: RunStamp, error: BaseException) -> None:
    from pipelines.books.tables import runs

    with books.begin() as connection:
        connection.execute(
            runs.update()
            .where(runs.c.run_id == stamp.run_id, runs.c.state == "running")
            .values(state="failed", finished_at=current_time(), error=str(error)[:4000])
        )


def record_publication(
    books: Books, stamp: RunStamp, seconds: dict[str, float], file: PublishedFile
) -> None:
    from pipelines.books.tables import runs

    steps = [{"step": step, "seconds": round(value, 3)} for step, value in seconds.items()]
    with books.begin() as connection:
        connection.execute(
            runs.update()
            .where(runs.c.run_id == stamp.run_id)
            .values(state="published", finished_at=current_time(), steps=json.dumps(steps))
        )
        append_audit(
            connection,
            "publish",
            stamp.run_id,
            {"fingerprint": stamp.fingerprint, "file": file.name, "sha256": file.sha256},
        )
