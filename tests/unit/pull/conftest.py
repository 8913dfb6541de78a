"""A workspace whose sources are pulled, and the services that they are pulled from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from pipelines.books.books import Books
from pipelines.landing.land import LoadResult, land_inbox
from pipelines.pull.pull import PullResult, list_connected, pull_sources
from pipelines.warehouse.lake_views import create_lake_views, list_active_loads
from pipelines.workspace.workspace import Workspace
from tests.rest_services import PASSWORD, USER, Jira, Service, ServiceNow, serve


@dataclass
class Puller:
    """A workspace, its books, and what a person would do with them."""

    workspace: Workspace
    books: Books

    def pull(self, *, is_full: bool = False) -> PullResult:
        """Pull the one source."""
        (result,) = pull_sources(
            self.workspace, self.books, list_connected(self.workspace), is_full=is_full
        )
        return result

    def land(self) -> LoadResult:
        """Land the inbox; what became of its last file."""
        return land_inbox(self.workspace, self.books)[-1]

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """A query over the lake as the model reads it."""
        with duckdb.connect() as connection:
            create_lake_views(connection, list_active_loads(self.workspace, self.books))
            return connection.execute(sql).fetchall()

    def files(self) -> list[Path]:
        """All files of the inbox."""
        return sorted(path for path in self.workspace.inbox.rglob("*") if path.is_file())


@pytest.fixture
def make_puller(tmp_path: Path) -> Iterator[Any]:
    """A function from the settings of the one connected source to a Puller."""
    opened: list[Books] = []

    def make(source: dict[str, Any]) -> Puller:
        root = tmp_path / "works"
        (root / "inbox").mkdir(parents=True, exist_ok=True)
        pulled = {"inbox": "pulled/*.jsonl", "redelivery": "update_records", **source}
        settings = {
            "name": "Example Works",
            "currency": "EUR",
            "calendar": {"first_period": "2026-01", "last_period": "2026-12"},
            "control_total": {"source": "ledger"},
            "sources": {
                "ledger": {"contract": "general_ledger", "inbox": "ledger/*.csv"},
                "pulled": pulled,
            },
        }
        (root / "apportion.yml").write_text(yaml.safe_dump(settings), "utf-8")
        workspace = Workspace.open(root)
        books = Books.open(workspace)
        opened.append(books)
        return Puller(workspace, books)

    yield make
    for books in opened:
        books.close()


@pytest.fixture
def service_now(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    _set_credentials(monkeypatch)
    with serve(ServiceNow()) as service:
        yield service


@pytest.fixture
def jira(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    _set_credentials(monkeypatch)
    with serve(Jira()) as service:
        yield service


def _set_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REST_USER", USER)
    monkeypatch.setenv("REST_PASSWORD", PASSWORD)


CREDENTIALS = {"user_variable": "REST_USER", "password_variable": "REST_PASSWORD"}
INCIDENT_FIELDS = ["number", "business_service", "priority", "opened_at", "resolved_at"]
JIRA_FIELDS = ["issuetype", "project", "priority", "created", "resolutiondate"]


def service_now_source(service: Service, **changes: Any) -> dict[str, Any]:
    """The settings of a source that reads incidents, two to a page."""
    connection = {
        "kind": "servicenow",
        "url": service.url,
        "table": "incident",
        "fields": INCIDENT_FIELDS,
        "page_size": 2,
        **CREDENTIALS,
        **changes,
    }
    mapping = "servicenow_table_incidents"
    return {"contract": "tickets", "mapping": mapping, "connection": connection}


def incident(number: int, updated: str, **changes: Any) -> dict[str, Any]:
    """An incident of 2026-03-02; `updated` is the time of that day, in UTC."""
    return {
        "sys_id": f"{number:032x}",
        "number": f"INC{number:07d}",
        "business_service": "0123456789abcdef0123456789abcdef",
        "business_service|shown": "crm",
        "priority": "3",
        "priority|shown": "3 - Moderate",
        "opened_at": "2026-03-02 08:00:00",
        "opened_at|shown": "2026-03-02 03:00:00",
        "resolved_at": "",
        "sys_updated_on": f"2026-03-02 {updated}",
        "sys_updated_on|shown": "2026-03-02 01:00:00",
        **changes,
    }


def jira_source(service: Service, **changes: Any) -> dict[str, Any]:
    """The settings of a source that reads issues, two to a page."""
    connection = {
        "kind": "jira",
        "url": service.url,
        "jql": "project = ITSM",
        "fields": JIRA_FIELDS,
        "page_size": 2,
        **CREDENTIALS,
        **changes,
    }
    return {"contract": "tickets", "mapping": "jira_rest_issues", "connection": connection}


def issue(number: int, updated: str, **changes: Any) -> dict[str, Any]:
    """An issue of 2026-03-02; `updated` is the time of that day, an hour ahead of UTC."""
    fields = {
        "issuetype": {"name": "Incident"},
        "project": {"key": "ITSM"},
        "priority": {"name": "High"},
        "created": "2026-03-02T09:00:00.000+0100",
        "resolutiondate": None,
        "updated": f"2026-03-02T{updated}+0100",
        **changes,
    }
    return {"id": str(10000 + number), "key": f"ITSM-{number}", "self": "x", "fields": fields}
