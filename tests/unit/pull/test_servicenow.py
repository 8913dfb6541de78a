"""Tables of ServiceNow: pages, faults, what changes between pulls and between pages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.closed_periods import close_period
from tests.rest_services import LOGIN_PAGE, Answer, ServiceNow
from tests.unit.pull.conftest import Puller, incident, service_now_source

STATES = "select ticket_id, strftime(resolved_at, '%H:%M') from lake.tickets order by all"


def test_all_pages_land_as_the_service_gave_them(service_now: ServiceNow, make_puller: Any) -> None:
    service_now.records = [incident(n, f"09:0{n}:00") for n in range(5)]
    puller: Puller = make_puller(service_now_source(service_now))
    result = puller.pull()
    assert (result.state, result.records) == ("pulled", 5)
    # Two to a page: offsets 0, 2 and 4.
    assert [item["sysparm_offset"] for item in service_now.requests] == ["0", "2", "4"]
    file, control = puller.files()
    assert control.read_text() == "records: 5\n"
    first = json.loads(file.read_text().splitlines()[0])
    assert first["opened_at"] == {
        "display_value": "2026-03-02 03:00:00",
        "value": "2026-03-02 08:00:00",
    }
    landed = puller.land()
    assert (landed.state, landed.records_accepted) == ("landed", 5)
    rows = puller.ask(
        "select ticket_id, ticket_type, service_id, priority, opened_at::varchar, resolved_at "
        "from lake.tickets order by all limit 1"
    )
    assert rows == [("INC0000000", "incident", "crm", 3, "2026-03-02 08:00:00", None)]


def test_only_changes_are_pulled_and_the_latest_state_counts_once(
    service_now: ServiceNow, make_puller: Any
) -> None:
    service_now.records = [incident(1, "09:01:00"), incident(2, "09:02:00")]
    puller: Puller = make_puller(service_now_source(service_now, overlap_minutes=0))
    puller.pull()
    puller.land()
    service_now.records[0] = incident(1, "10:00:00", resolved_at="2026-03-02 09:59:00")
    service_now.records.append(incident(3, "10:05:00"))
    service_now.requests.clear()
    result = puller.pull()
    assert service_now.requests[0]["sysparm_query"] == (
        "sys_updated_on>=2026-03-02 09:02:00^ORDERBYDESCsys_updated_on^ORDERBYDESCsys_id"
    )
    # The second incident comes again, because its change is as late as the cursor.
    assert result.records == 3
    assert puller.land().state == "landed"
    assert puller.ask(STATES) == [
        ("INC0000001", "09:59"),
        ("INC0000002", None),
        ("INC0000003", None),
    ]


def test_overlap_finds_what_was_shown_late(service_now: ServiceNow, make_puller: Any) -> None:
    service_now.records = [incident(1, "09:01:00"), incident(2, "09:30:00")]
    puller: Puller = make_puller(service_now_source(service_now))
    puller.pull()
    puller.land()
    # Committed after the pull with a time before it: 09:30 less ten minutes is 09:20.
    service_now.records.append(incident(3, "09:20:00"))
    assert puller.pull().records == 2
    puller.land()
    assert [row[0] for row in puller.ask(STATES)] == ["INC0000001", "INC0000002", "INC0000003"]


def test_nothing_new_writes_nothing(service_now: ServiceNow, make_puller: Any) -> None:
    service_now.records = [incident(1, "09:01:00")]
    puller: Puller = make_puller(service_now_source(service_now))
    puller.pull()
    puller.land()
    before = puller.files()
    assert puller.pull().state == "unchanged"
    assert puller.files() == before


def test_cursor_moves_only_when_the_file_has_landed(
    service_now: ServiceNow, make_puller: Any
) -> None:
    service_now.records = [incident(1, "09:01:00")]
    puller: Puller = make_puller(service_now_source(service_now))
    puller.pull()
    for path in puller.files():
        path.unlink()
    result = puller.pull()
    assert (result.since, result.records) == (None, 1)


def test_full_pull_and_another_question_begin_at_the_beginning(
    service_now: ServiceNow, make_puller: Any
) -> None:
    service_now.records = [incident(n, f"0{n}:00:00") for n in range(1, 4)]
    source = service_now_source(service_now)
    puller: Puller = make_puller(source)
    puller.pull()
    puller.land()
    service_now.records[0] = incident(1, "01:00:00", priority="1")
    assert puller.pull(is_full=True).records == 3
    other = make_puller(service_now_source(service_now, sysparm_query="priority=3"))
    assert other.pull().records == 2


def test_condition_belongs_to_every_part_of_the_query(
    service_now: ServiceNow, make_puller: Any
) -> None:
    service_now.records = [incident(1, "09:00:00", priority="1"), incident(2, "09:00:01")]
    source = service_now_source(
        service_now, sysparm_query="priority=1^NQpriority=3", overlap_minutes=0
    )
    puller: Puller = make_puller(source)
    assert puller.pull().records == 2
    puller.land()
    service_now.records.append(incident(3, "10:00:00"))
    # With the condition at the last part only, the first incident would come again.
    assert puller.pull().records == 2


def test_busy_and_failing_service_is_asked_again(service_now: ServiceNow, make_puller: Any) -> None:
    service_now.records = [incident(n, f"09:0{n}:00") for n in range(3)]
    service_now.faults = [
        Answer(429, {}, {"Retry-After": "1"}),
        Answer(500, b"<html>broken</html>", kind="text/html"),
    ]
    puller: Puller = make_puller(service_now_source(service_now))
    assert puller.pull().records == 3
    # Two pages, and two answers that were none.
    assert len(service_now.requests) == 4


def test_pause_is_the_one_that_the_service_asks_for(
    service_now: ServiceNow, make_puller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", pauses.append)
    service_now.records = [incident(1, "09:00:00")]
    service_now.faults = [Answer(429, {}, {"Retry-After": "7"}), Answer(503, {})]
    puller: Puller = make_puller(service_now_source(service_now))
    assert puller.pull().records == 1
    # Seven seconds as asked, then its own pause at the second failure.
    assert pauses == [7, 2]


def test_tries_have_an_end(service_now: ServiceNow, make_puller: Any) -> None:
    service_now.faults = [Answer(503, {}, {"Retry-After": "1"})] * 9
    puller: Puller = make_puller(service_now_source(service_now, max_attempts=2))
    result = puller.pull()
    assert (result.state, result.exit_code, len(service_now.requests)) == ("failed", 2, 2)
    assert "still failing after 2 attempts (503)" in result.message
    assert puller.files() == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(200, LOGIN_PAGE, kind="text/html"), "text/html instead of JSON"),
        (Answer(200, LOGIN_PAGE), "instead of JSON"),
        (Answer(302, b"", {"Location": "https://login.example/x"}), "redirects to login.example"),
        (Answer(403, {"error": {"message": "ACL"}}), "REST_USER and REST_PASSWORD (403)"),
        (
            Answer(200, {"result": [], "error": {"message": "maximum execution time exceeded"}}),
            "maximum execution time exceeded",
        ),
    ],
)
def test_answer_that_is_none_is_a_failure(
    service_now: ServiceNow, make_puller: Any, answer: Answer, expected: str
) -> None:
    service_now.records = [incident(n, f"09:0{n}:00") for n in range(3)]
    service_now.before_answer = lambda number: (
        service_now.faults.append(answer) if number == 2 else None
    )
    puller: Puller = make_puller(service_now_source(service_now))
    result = puller.pull()
    assert (result.state, result.exit_code) == ("failed", 2)
    assert expected in result.message
    assert puller.files() == []


def test_wrong_password_and_unknown_table_are_named(
    service_now: ServiceNow, make_puller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    puller: Puller = make_puller(service_now_source(service_now, table="incidents"))
    result = puller.pull()
    assert result.exit_code == 2
    assert "answered 400" in result.message and "Invalid table incidents" in result.message
    monkeypatch.setenv("REST_PASSWORD", "not-the-password")
    result = puller.pull()
    assert result.exit_code == 2
    assert "does not accept the credentials of REST_USER and REST_PASSWORD" in result.message
    monkeypatch.delenv("REST_PASSWORD")
    result = puller.pull()
    assert result.exit_code == 2
    assert "REST_PASSWORD, which 'password_variable' names" in result.message


def test_service_that_cannot_be_reached_is_named(service_now: ServiceNow, make_puller: Any) -> None:
    source = service_now_source(service_now, url="http://127.0.0.1:1", max_attempts=1)
    result = make_puller(source).pull()
    assert result.exit_code == 2
    assert "127.0.0.1:1/api/now/table/incident cannot be reached" in result.message


def test_slow_service_is_given_up(service_now: ServiceNow, make_puller: Any) -> None:
    import time

    service_now.before_answer = lambda _: time.sleep(1.5)
    source = service_now_source(service_now, timeout_seconds=1, max_attempts=1)
    result = make_puller(source).pull()
    assert result.exit_code == 2
    assert "did not answer within 1 s" in result.message


def test_fewer_records_than_the_service_says_are_refused(
    service_now: ServiceNow, make_puller: Any
) -> None:
    service_now.records = [incident(n, f"09:0{n}:00") for n in range(5)]
    service_now.hidden = {f"{3:032x}"}
    puller: Puller = make_puller(service_now_source(service_now))
    result = puller.pull()
    assert (result.state, result.exit_code) == ("failed", 4)
    assert "expected 5 records, as the system says, got 4" in result.message
    assert puller.files() == []


def test_change_of_a_ticket_of_a_closed_period_holds_no_others_back(
    service_now: ServiceNow, make_puller: Any
) -> None:
    service_now.records = [incident(1, "09:00:00"), incident(2, "09:01:00")]
    puller: Puller = make_puller(service_now_source(service_now))
    close_period(puller.books, "2026-03")
    puller.pull()
    assert puller.land().state == "landed"
    assert len(puller.ask(STATES)) == 2


def test_file_that_lost_a_record_is_refused_by_landing(
    service_now: ServiceNow, make_puller: Any
) -> None:
    service_now.records = [incident(n, f"09:0{n}:00") for n in range(3)]
    puller: Puller = make_puller(service_now_source(service_now))
    puller.pull()
    file = puller.files()[0]
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))
    landed = puller.land()
    assert landed.state == "refused"
    # The cursor has not moved: the next pull asks for everything again.
    assert puller.pull().since is None


def test_page_that_repeats_is_refused(service_now: ServiceNow, make_puller: Any) -> None:
    service_now.records = [incident(n, f"09:0{n}:00") for n in range(5)]
    service_now.ignores_offset = True
    result = make_puller(service_now_source(service_now)).pull()
    assert (result.state, result.exit_code) == ("failed", 4)
    assert "repeats a page" in result.message


def test_condition_that_is_passed_over_is_refused(
    service_now: ServiceNow, make_puller: Any
) -> None:
    service_now.records = [incident(1, "08:00:00"), incident(2, "09:00:00")]
    puller: Puller = make_puller(service_now_source(service_now))
    puller.pull()
    puller.land()
    service_now.ignores_conditions = True
    result = puller.pull()
    assert result.exit_code == 4
    assert "passed over the condition" in result.message


def test_field_that_is_gone_is_refused(service_now: ServiceNow, make_puller: Any) -> None:
    service_now.records = [incident(1, "09:00:00")]
    del service_now.records[0]["business_service"]
    result = make_puller(service_now_source(service_now)).pull()
    assert result.exit_code == 4
    assert "expected the fields business_service of incident" in result.message


@pytest.mark.parametrize("tells_total", [True, False])
def test_change_between_pages_passes_nothing_over(
    service_now: ServiceNow, make_puller: Any, tells_total: bool
) -> None:
    service_now.tells_total = tells_total
    service_now.records = [incident(n, f"09:0{n}:00") for n in range(6)]

    def change(number: int) -> None:
        if number == 2:
            # The oldest one, not read yet, moves to the front and pushes the others back.
            service_now.records[0] = incident(0, "10:00:00", priority="1")

    service_now.before_answer = change
    puller: Puller = make_puller(service_now_source(service_now, overlap_minutes=0))
    # 5 and 4; then 4 and 3, pushed back by one; then 2 and 1. The changed one has gone ahead.
    assert puller.pull().records == 5
    puller.land()
    assert len(puller.ask(STATES)) == 5
    puller.pull()
    puller.land()
    rows = puller.ask("select ticket_id, priority from lake.tickets order by all")
    assert rows == [
        ("INC0000000", 1),
        *((f"INC000000{n}", 3) for n in range(1, 6)),
    ]


def test_whole_page_pushed_back_begins_the_pull_again(
    service_now: ServiceNow, make_puller: Any
) -> None:
    service_now.records = [incident(n, f"09:0{n}:00") for n in range(4)]

    def change(number: int) -> None:
        if number == 2:
            service_now.records += [incident(8, "10:00:00"), incident(9, "10:01:00")]

    service_now.before_answer = change
    puller: Puller = make_puller(service_now_source(service_now))
    assert puller.pull().records == 6


def test_record_that_vanishes_between_pages_begins_the_pull_again(
    service_now: ServiceNow, make_puller: Any
) -> None:
    service_now.records = [incident(n, f"09:0{n}:00") for n in range(5)]

    def change(number: int) -> None:
        if number == 2:
            # The latest one is gone, so that the third would move onto the page that was read.
            service_now.records.pop()

    service_now.before_answer = change
    puller: Puller = make_puller(service_now_source(service_now))
    assert puller.pull().records == 4
    puller.land()
    assert [row[0] for row in puller.ask(STATES)] == [f"INC000000{n}" for n in range(4)]


@pytest.mark.parametrize(
    ("mapping", "table", "person", "kind"),
    [
        ("servicenow_table_incidents", "incident", "caller_id", "incident"),
        ("servicenow_table_changes", "change_request", "requested_by", "change"),
        ("servicenow_table_requests", "sc_req_item", "request.requested_for", "request"),
    ],
)
def test_other_tables_have_a_ready_mapping(
    service_now: ServiceNow, make_puller: Any, mapping: str, table: str, person: str, kind: str
) -> None:
    service_now.table = table
    centre = f"{person}.cost_center.code"
    end = "resolved_at" if kind == "incident" else "closed_at"
    times = {end: "2026-03-02 10:30:00"}
    service_now.records = [incident(1, "11:00:00", **times, **{centre: "CC42"})]
    fields = ["number", "business_service", "priority", "opened_at", end, centre]
    source = service_now_source(service_now, table=table, fields=fields)
    puller: Puller = make_puller({**source, "mapping": mapping})
    assert puller.pull().records == 1
    assert puller.land().records_accepted == 1
    assert puller.ask(
        "select ticket_type, service_id, cost_centre_id, resolved_at::varchar from lake.tickets"
    ) == [(kind, "crm", "CC42", "2026-03-02 10:30:00")]
