"""Read a table of ServiceNow through its Table API.

Every field comes with its value and its display value: values are what the database holds, times
in UTC; display values are names, and times in the zone of the account, which nobody should read.
A time in the query is UTC too. The total (X-Total-Count) counts records that the account may not
read; a pull that gets fewer is refused, because nobody knows what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from pipelines.pull.cursors import Cursor
from pipelines.pull.failures import PullFailedError, PullRefusedError
from pipelines.pull.pages import Page
from pipelines.pull.rest_client import RestService
from pipelines.pull.rest_pages import PageJoiner
from pipelines.workspace.connections import ServiceNowConnection

KEY = "sys_id"
TIME_FORM = "%Y-%m-%d %H:%M:%S"
NEW_QUERY = "^NQ"
MESSAGE_CHARACTERS = 200


def read_servicenow(
    source_id: str, settings: ServiceNowConnection, since: Cursor | None
) -> Iterator[Page]:
    """Pages of the table's records, the latest change first; all, or those changed at or after
    `since` (a time with zone)."""
    from pipelines.pull.paginators import HeaderTotalPaginator, find_total

    service = RestService(source_id, settings)
    names = [*settings.fields, KEY, *([settings.updated_field] if settings.updated_field else [])]
    params = {
        "sysparm_query": make_query(settings, since),
        "sysparm_fields": ",".join(dict.fromkeys(names)),
        "sysparm_display_value": "all",
        "sysparm_exclude_reference_link": "true",
    }
    path = f"api/now/table/{settings.table}"
    joiner = PageJoiner(source_id, since)
    paginator = HeaderTotalPaginator(settings.page_size)
    for answer, response in service.ask_pages(path, params, "result", paginator):
        _refuse_error(source_id, answer)
        _refuse_missing_fields(source_id, settings, answer["result"])
        records = [_read_record(source_id, settings, record) for record in answer["result"]]
        yield joiner.join(records, find_total(response))


def make_query(settings: ServiceNowConnection, since: Cursor | None) -> str:
    """The encoded query: the settings' own, the change since when, and the order. A query may be
    several (^NQ means 'or'), and the condition belongs to each."""
    condition = ""
    if isinstance(since, datetime) and settings.updated_field:
        # The table knows whole seconds: a fraction is cut off, so that none is passed over.
        condition = f"{settings.updated_field}>={since.astimezone(UTC).strftime(TIME_FORM)}"
    parts = settings.sysparm_query.split(NEW_QUERY)
    query = NEW_QUERY.join("^".join(filter(None, (part, condition))) for part in parts)
    order = [settings.updated_field] if settings.updated_field else []
    return "^".join(filter(None, (query, *(f"ORDERBYDESC{name}" for name in (*order, KEY)))))


def _refuse_error(source_id: str, answer: dict[str, Any]) -> None:
    """A query that takes too long ends with a part of the records, status 200 and an error."""
    error = answer.get("error")
    if error:
        text = error.get("message") if isinstance(error, dict) else error
        message = f"the answer holds an error: {str(text)[:MESSAGE_CHARACTERS]}"
        raise PullFailedError(source_id, message, "Ask for smaller pages or a narrower query.")


def _refuse_missing_fields(
    source_id: str, settings: ServiceNowConnection, records: list[dict[str, Any]]
) -> None:
    """A field that does not exist, or that the account may not read, is left out in silence."""
    given = {name for record in records for name in record}
    missing = [name for name in settings.fields if name not in given]
    if records and missing:
        message = f"expected the fields {', '.join(missing)} of {settings.table}, found none"
        remedy = "Look at 'fields' and at what the account may read; the table may have changed."
        raise PullRefusedError(source_id, message, remedy)


def _read_record(
    source_id: str, settings: ServiceNowConnection, record: dict[str, Any]
) -> tuple[str, datetime | None, dict[str, Any]]:
    """Id, time of the last change, and the record. Raises PullRefusedError where one lacks."""
    key = _read_value(record, KEY)
    if not key:
        message = f"expected the field {KEY} in every record of {settings.table}, found none"
        raise PullRefusedError(source_id, message, "Look at what the account may read.")
    if settings.updated_field is None:
        return key, None, record
    text = _read_value(record, settings.updated_field)
    try:
        time = datetime.strptime(text, TIME_FORM).replace(tzinfo=UTC)
    except ValueError:
        message = (
            f"expected a time such as 2026-03-31 14:05:00 in {settings.updated_field} of the "
            f"record {key}, found {text!r}"
        )
        raise PullRefusedError(source_id, message, "Look at updated_field.") from None
    return key, time, record


def _read_value(record: dict[str, Any], name: str) -> str:
    field = record.get(name)
    value = field.get("value") if isinstance(field, dict) else field
    return str(value or "")
