"""How dlt's client goes from page to page where its own ways would lose records."""

from __future__ import annotations

from typing import Any

from dlt.sources.helpers.rest_client.paginators import OffsetPaginator
from requests import Response

TOTAL_HEADER = "X-Total-Count"


class HeaderTotalPaginator(OffsetPaginator):
    """Offset and limit, with the total in a header (ServiceNow).

    The offset counts records that the account may not see too, so a page may be short or empty
    before the end; only without a total does an empty page end it.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(
            limit=limit,
            offset_param="sysparm_offset",
            limit_param="sysparm_limit",
            total_path=None,
            stop_after_empty_page=True,
        )

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        total = find_total(response)
        self.stop_after_empty_page = total is None
        self.maximum_value = total
        super().update_state(response, data)


class ServedOffsetPaginator(OffsetPaginator):
    """Offset by what was served (Jira Server): it may give fewer issues than were asked for."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            limit=limit,
            offset_param="startAt",
            limit_param="maxResults",
            stop_after_empty_page=False,
        )

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        self.value_step = len(data or ())
        super().update_state(response, data)
        if not data:
            # Even where the total says that there is more: the same page would come for ever.
            self._has_next_page = False


def find_total(response: Response) -> int | None:
    """How many records there are in all, as the header says; None where it says nothing."""
    text = response.headers.get(TOTAL_HEADER, "")
    return int(text) if text.isascii() and text.isdigit() else None
