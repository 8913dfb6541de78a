"""Read issues of Jira through its REST search: Cloud by page token, Server by offset.

The time of the last change is asked for in milliseconds since 1970: JQL takes a written time in
the zone of the account. The account is asked for first, because a search without valid credentials
answers with no issues instead of an error. Cloud tells no total; its pages end with `isLast`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipelines.pull.cursors import Cursor
from pipelines.pull.failures import PullRefusedError
from pipelines.pull.pages import Page
from pipelines.pull.rest_client import RestService
from pipelines.pull.rest_pages import PageJoiner
from pipelines.workspace.connections import JiraConnection

if TYPE_CHECKING:
    from dlt.sources.helpers.rest_client.paginators import BasePaginator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UPDATED = "updated"
ISSUE_NAMES = ("id", "key", "self")
"""What every issue has beside its fields."""


def read_jira(source_id: str, settings: JiraConnection, since: Cursor | None) -> Iterator[Page]:
    """Pages of issues, the latest change first; all, or those changed at or after `since`."""
    service = RestService(source_id, settings)
    is_cloud = settings.flavour == "cloud"
    root = "rest/api/3" if is_cloud else "rest/api/2"
    service.ask(f"{root}/myself", {})
    asked = [name for name in settings.fields if name not in ISSUE_NAMES]
    params: dict[str, Any] = {
        "jql": make_jql(settings, since),
        "fields": ",".join(dict.fromkeys([*asked, UPDATED])),
    }
    if is_cloud:
        params["maxResults"] = settings.page_size
    path = f"{root}/search/jql" if is_cloud else f"{root}/search"
    joiner = PageJoiner(source_id, since)
    is_last: Any = None
    for answer, _ in service.ask_pages(path, params, "issues", _make_paginator(settings)):
        records = [_read_issue(source_id, settings, issue) for issue in answer["issues"]]
        total = None if is_cloud else int(answer.get("total", 0))
        is_last = answer.get("isLast")
        yield joiner.join(records, total)
    if is_cloud and is_last is False:
        message = "the pages end without a last one (isLast is false, and there is no token)"
        raise PullRefusedError(source_id, message, "Pull again.")


def make_jql(settings: JiraConnection, since: Cursor | None) -> str:
    """The settings' own question, the change since when, and the order."""
    condition = ""
    if isinstance(since, datetime):
        condition = f" AND updated >= {(since - EPOCH) // timedelta(milliseconds=1)}"
    return f"({settings.jql}){condition} ORDER BY updated DESC, key DESC"


def _make_paginator(settings: JiraConnection) -> BasePaginator:
    from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator

    from pipelines.pull.paginators import ServedOffsetPaginator

    if settings.flavour == "server":
        return ServedOffsetPaginator(settings.page_size)
    return JSONResponseCursorPaginator(cursor_path="nextPageToken", cursor_param="nextPageToken")


def _read_issue(
    source_id: str, settings: JiraConnection, issue: dict[str, Any]
) -> tuple[str, datetime | None, dict[str, Any]]:
    """Id, time of the last change, and the issue. Raises PullRefusedError where one lacks. An
    issue may lack fields that its project does not have; landing says which are needed."""
    fields = issue.get("fields")
    key = str(issue.get("id") or "")
    if not key or not isinstance(fields, dict):
        message = f"expected an id and fields in every issue, found none in {issue.get('key')}"
        raise PullRefusedError(source_id, message, "Ask the administrator of the site.")
    if not settings.is_incremental:
        return key, None, issue
    text = str(fields.get(UPDATED) or "")
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        message = f"expected a time with its zone in updated of the issue {key}, found {text!r}"
        raise PullRefusedError(source_id, message, "Ask the administrator of the site.")
    return key, time, issue
