"""Issues of Jira, Cloud by page token and Server by offset."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rest_services import Answer, Jira
from tests.unit.pull.conftest import Puller, issue, jira_source

STATES = "select ticket_id, strftime(resolved_at, '%H:%M') from lake.tickets order by all"
FLAVOURS = [("cloud", True), ("server", False)]


@pytest.mark.parametrize(("flavour", "is_cloud"), FLAVOURS)
def test_changes_are_pulled_and_the_latest_state_counts_once(
    jira: Jira, make_puller: Any, flavour: str, is_cloud: bool
) -> None:
    jira.is_cloud = is_cloud
    jira.records = [issue(n, f"10:0{n}:00.000") for n in range(1, 6)]
    puller: Puller = make_puller(jira_source(jira, flavour=flavour, overlap_minutes=0))
    assert puller.pull().records == 5
    assert len(jira.pages()) == 3
    assert puller.files()[1].read_text() == "records: 5\n"
    assert puller.land().records_accepted == 5
    jira.records[0] = issue(1, "12:00:00.500", resolutiondate="2026-03-02T11:59:00.000+0100")
    jira.requests.clear()
    assert puller.pull().records == 2
    # 10:05 at +01:00 is 09:05 UTC: 2026-03-02 is day 20514 since 1970.
    since = (20514 * 86400 + 9 * 3600 + 5 * 60) * 1000
    assert jira.pages()[0]["jql"] == (
        f"(project = ITSM) AND updated >= {since} ORDER BY updated DESC, key DESC"
    )
    puller.land()
    assert puller.ask(STATES) == [
        ("ITSM-1", "10:59"),
        *((f"ITSM-{n}", None) for n in range(2, 6)),
    ]
    assert puller.ask("select distinct ticket_type, service_id, priority from lake.tickets") == [
        ("incident", "ITSM", 2)
    ]
    # 09:00 at +01:00.
    assert puller.ask("select distinct opened_at::varchar from lake.tickets") == [
        ("2026-03-02 08:00:00",)
    ]
    # The cursor is exact: the change at 12:00:00.500 is asked for from there on.
    jira.requests.clear()
    assert puller.pull().records == 1
    assert str(since + (55 + 60) * 60 * 1000 + 500) in jira.pages()[0]["jql"]


def test_server_that_gives_smaller_pages_loses_nothing(jira: Jira, make_puller: Any) -> None:
    jira.is_cloud = False
    jira.records = [issue(n, f"10:0{n}:00.000") for n in range(8)]
    jira.largest_page = 3
    puller: Puller = make_puller(jira_source(jira, flavour="server", page_size=100))
    assert puller.pull().records == 8
    assert [item["startAt"] for item in jira.pages()] == ["0", "3", "6"]


def test_account_is_asked_for_before_the_search(jira: Jira, make_puller: Any) -> None:
    jira.lets_in = False
    result = make_puller(jira_source(jira)).pull()
    assert result.exit_code == 2
    assert "does not accept the credentials of REST_USER and REST_PASSWORD (401)" in result.message
    assert jira.pages() == []


def test_wrong_flavour_is_a_failure(jira: Jira, make_puller: Any) -> None:
    result = make_puller(jira_source(jira, flavour="server")).pull()
    assert result.exit_code == 2
    assert "answered 404" in result.message


def test_pages_that_end_early_are_refused(jira: Jira, make_puller: Any) -> None:
    jira.records = [issue(n, f"10:0{n}:00.000") for n in range(5)]
    cut = Answer(200, {"issues": [issue(9, "11:00:00.000")], "isLast": False})
    jira.before_answer = lambda number: jira.faults.append(cut) if number == 2 else None
    puller: Puller = make_puller(jira_source(jira))
    result = puller.pull()
    assert result.exit_code == 4
    assert "end without a last one" in result.message
    assert puller.files() == []


def test_answer_without_a_total_is_refused(jira: Jira, make_puller: Any) -> None:
    jira.is_cloud = False
    jira.before_answer = lambda number: (
        jira.faults.append(Answer(200, {"issues": []})) if number == 2 else None
    )
    result = make_puller(jira_source(jira, flavour="server")).pull()
    assert result.exit_code == 4
    assert "has no pages" in result.message


def test_empty_page_before_the_end_is_refused(jira: Jira, make_puller: Any) -> None:
    jira.is_cloud = False
    jira.records = [issue(n, f"10:0{n}:00.000") for n in range(5)]
    empty = Answer(200, {"issues": [], "total": 5, "startAt": 2, "maxResults": 2})
    jira.before_answer = lambda number: jira.faults.append(empty) if number == 3 else None
    result = make_puller(jira_source(jira, flavour="server")).pull()
    assert result.exit_code == 4
    assert "expected 5 records, as the system says, got 2" in result.message


def test_number_keeps_its_digits(jira: Jira, make_puller: Any) -> None:
    jira.records = [issue(1, "10:00:00.000", customfield_1=0)]
    body = {"issues": jira.records, "isLast": True}
    import json

    text = json.dumps(body).replace('"customfield_1": 0', '"customfield_1": 12345678901234567.10')
    jira.before_answer = lambda number: (
        jira.faults.append(Answer(200, text.encode())) if number == 2 else None
    )
    puller: Puller = make_puller(jira_source(jira))
    puller.pull()
    assert '"customfield_1":12345678901234567.10' in puller.files()[0].read_text()
