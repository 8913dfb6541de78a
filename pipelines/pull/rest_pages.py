"""Join pages of a service that lists the latest change first.

That order makes paging by offset safe while the service is in use: a record that changes moves to
the front and pushes the others back, so that some come twice and none is passed over. What changed
too late to be seen is newer than the first record of the first page, where the next pull begins.
Only a record that vanishes pulls the others forward: then the total is smaller than before, and
the pull begins again. So it does where a whole page comes twice, which a few changes cannot do to
pages of a hundred; a service that does not turn the page at all does it every time.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pipelines.pull.cursors import Cursor
from pipelines.pull.exact_json import write_line
from pipelines.pull.failures import ChangedWhileReadError, PullRefusedError
from pipelines.pull.pages import Page


class PageJoiner:
    """Takes pages of one pull in their order."""

    def __init__(self, source_id: str, since: Cursor | None) -> None:
        self._source_id = source_id
        self._since = since
        self._seen: set[str] = set()
        self._repeated = 0
        self._total: int | None = None
        self._newest: Cursor | None = None
        self._is_first = True

    def join(
        self,
        records: list[tuple[str, datetime | None, dict[str, Any]]],
        total: int | None,
    ) -> Page:
        """The new records of a page of (id, time of the last change, record). Raises
        ChangedWhileReadError where the pages do not fit, PullRefusedError where they hold what
        was not asked for."""
        if total is not None and self._total is not None and total < self._total:
            raise ChangedWhileReadError("records vanished while they were read")
        self._total = total
        fresh = [item for item in records if item[0] not in self._seen]
        if records and not fresh and not self._is_first:
            raise ChangedWhileReadError("the service repeats a page")
        self._refuse_older(records)
        ids = {item[0] for item in fresh}
        if len(ids) < len(fresh):
            message = "the service gives a record twice in one page"
            raise PullRefusedError(self._source_id, message, "Ask its administrator.")
        self._repeated += len(records) - len(fresh)
        self._seen |= ids
        if self._is_first:
            times = [time for _, time, _ in records if time is not None]
            self._newest = max(times, default=None)
        self._is_first = False
        reported = None if total is None else total - self._repeated
        return Page([write_line(item[2]) for item in fresh], self._newest, reported)

    def _refuse_older(self, records: list[tuple[str, datetime | None, dict[str, Any]]]) -> None:
        """Services pass over a condition that they do not understand, without a word."""
        if not isinstance(self._since, datetime):
            return
        # Services that know whole seconds are asked for them.
        since = self._since.replace(microsecond=0)
        for key, time, _ in records:
            if time is not None and time < since:
                message = (
                    f"asked for changes since {self._since.isoformat()}, found the record {key} "
                    f"of {time.isoformat()}: the service passed over the condition"
                )
                remedy = "Look at the field of the last change and at the query."
                raise PullRefusedError(self._source_id, message, remedy)
