"""Services on this machine that speak as much of ServiceNow's Table API and of Jira's search as is
needed to read from them, in real HTTP, with the faults that such services have."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

USER = "reader"
PASSWORD = "sn-s3cret-passwörd"
LOGIN_PAGE = b"<!DOCTYPE html><html><body>Log in</body></html>"


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "application/json;charset=UTF-8"


@dataclass
class Service:
    """A service that answers on a port of this machine while `serve` lasts."""

    records: list[dict[str, Any]] = field(default_factory=list)
    """What it holds; tests change it between pulls, or between pages."""
    faults: list[Answer] = field(default_factory=list)
    """What it answers first, each once, instead of what was asked."""
    before_answer: Callable[[int], None] | None = None
    """Called with the number of the request, before it is answered."""
    requests: list[dict[str, str]] = field(default_factory=list)
    """The parameters of every request that came, with its path."""
    url: str = ""

    def answer(self, path: str, params: dict[str, str]) -> Answer:
        raise NotImplementedError

    def pages(self) -> list[dict[str, str]]:
        """Requests for pages of records."""
        return [item for item in self.requests if "myself" not in item["path"]]


@contextmanager
def serve(service: Service) -> Iterator[Service]:
    """Answer on a free port of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            params = {key: values[-1] for key, values in parse_qs(parts.query).items()}
            service.requests.append({"path": parts.path, **params})
            if service.before_answer:
                service.before_answer(len(service.requests))
            self._send(self._choose(parts.path, params))

        def _choose(self, path: str, params: dict[str, str]) -> Answer:
            expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            if self.headers.get("Authorization") != f"Basic {expected}":
                return Answer(401, {"error": {"message": "User Not Authenticated"}})
            if service.faults:
                return service.faults.pop(0)
            return service.answer(path, params)

        def _send(self, answer: Answer) -> None:
            is_bytes = isinstance(answer.body, bytes)
            body = answer.body if is_bytes else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(len(body)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class ServiceNow(Service):
    """One table. A record is a dictionary of values; its display values are made up from them."""

    table: str = "incident"
    hidden: set[str] = field(default_factory=set)
    """sys_ids that the account may not read; they are counted all the same."""
    tells_total: bool = True
    ignores_offset: bool = False
    ignores_conditions: bool = False

    def answer(self, path: str, params: dict[str, str]) -> Answer:
        if path != f"/api/now/table/{self.table}":
            message = f"Invalid table {path.rpartition('/')[2]}"
            return Answer(400, {"error": {"message": message}})
        found = self._find(params["sysparm_query"])
        offset = 0 if self.ignores_offset else int(params["sysparm_offset"])
        limit = int(params["sysparm_limit"])
        names = params["sysparm_fields"].split(",")
        page = [
            item for item in found[offset : offset + limit] if item["sys_id"] not in self.hidden
        ]
        headers = {"X-Total-Count": str(len(found))} if self.tells_total else {}
        if offset + limit < len(found):
            # A link to somewhere else, as instances behind a proxy give it: not to be followed.
            headers["Link"] = '<http://elsewhere.invalid/next>;rel="next"'
        return Answer(200, {"result": [_show(item, names) for item in page]}, headers)

    def _find(self, query: str) -> list[dict[str, Any]]:
        orders = [part[11:] for part in query.split("^") if part.startswith("ORDERBYDESC")]
        conditions = "^".join(part for part in query.split("^") if not part.startswith("ORDERBY"))
        groups = [group.split("^") for group in conditions.split("^NQ")]
        found = [
            item
            for item in self.records
            if self.ignores_conditions
            or any(all(_holds(item, part) for part in group if part) for group in groups)
        ]
        for name in reversed(orders):
            found.sort(key=lambda item: str(item[name]), reverse=True)
        return found


def _holds(record: dict[str, Any], condition: str) -> bool:
    if ">=" in condition:
        name, value = condition.split(">=")
        return str(record.get(name, "")) >= value
    name, value = condition.split("=")
    return record.get(name) == value


def _show(record: dict[str, Any], names: list[str]) -> dict[str, Any]:
    return {
        name: {"display_value": record.get(f"{name}|shown", record[name]), "value": record[name]}
        for name in names
        if name in record
    }


@dataclass
class Jira(Service):
    """Issues of one site, Cloud (pages by token) or Server (by offset)."""

    is_cloud: bool = True
    largest_page: int = 50
    """A server gives no more than that, whatever is asked for."""
    lets_in: bool = True

    def answer(self, path: str, params: dict[str, str]) -> Answer:
        root = "/rest/api/3" if self.is_cloud else "/rest/api/2"
        if path == f"{root}/myself":
            return (
                Answer(200, {"timeZone": "America/New_York"}) if self.lets_in else Answer(401, {})
            )
        if path != (f"{root}/search/jql" if self.is_cloud else f"{root}/search"):
            return Answer(404, {"errorMessages": ["no such resource"]})
        found = self._find(params["jql"])
        limit = min(int(params.get("maxResults", 50)), self.largest_page)
        start = int(params.get("nextPageToken" if self.is_cloud else "startAt", 0))
        names = params["fields"].split(",")
        issues = [
            {**item, "fields": {n: v for n, v in item["fields"].items() if n in names}}
            for item in found[start : start + limit]
        ]
        if not self.is_cloud:
            shown = {"startAt": start, "maxResults": limit, "total": len(found)}
            return Answer(200, {**shown, "issues": issues})
        is_last = start + limit >= len(found)
        more = {} if is_last else {"nextPageToken": str(start + limit)}
        return Answer(200, {"issues": issues, "isLast": is_last, **more})

    def _find(self, jql: str) -> list[dict[str, Any]]:
        conditions, _, order = jql.partition(" ORDER BY ")
        assert order == "updated DESC, key DESC"
        since = conditions.partition(" AND updated >= ")[2]
        found = [item for item in self.records if not since or _millis(item) >= int(since)]
        return sorted(found, key=lambda item: (_millis(item), item["key"]), reverse=True)


def _millis(issue: dict[str, Any]) -> int:
    time = datetime.fromisoformat(issue["fields"]["updated"])
    elapsed = time - datetime(1970, 1, 1, tzinfo=UTC)
    return elapsed.days * 86_400_000 + elapsed.seconds * 1000 + elapsed.microseconds // 1000
