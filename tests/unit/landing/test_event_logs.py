"""A log of events becomes one record per thing: the first event says when it began, the last one
the rest, and all of them how long it was closed before it was reopened."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.errors import ConfigurationError
from tests.unit.landing.company import Company
from tests.unit.landing.own_source import land_own, read_fields

MAPPING: dict[str, Any] = {
    "contract": "tickets",
    "columns": {
        "ticket_id": "No",
        "service_id": "Product",
        "priority": "Impact",
        "opened_at": "Changed",
    },
    "constants": {"ticket_type": "incident", "effort_minutes": "0"},
    "unknown_columns": "log",
    "last_state_of": {"key": ["ticket_id"], "order": ["opened_at"]},
}
CLOSED = {
    "column": "Status",
    "values": ["Completed"],
    "paused": ["Awaiting"],
    "time": "opened_at",
    "at": "resolved_at",
    "minutes": "paused_minutes",
}
HEADER = "No,Changed,Status,Impact,Product\n"
LOG = (
    HEADER + "1-100,2012-01-31T15:59:42+01:00,Accepted,2,P1\n"
    "1-101,2012-05-20T08:00:00+02:00,Completed,1,P3\n"
    "1-100,2012-05-04T09:00:00+02:00,Completed,1,P2\n"
    "1-101,2012-04-10T08:00:00+02:00,Accepted,2,P2\n"
)


def _with_states(**closed: Any) -> dict[str, Any]:
    states = {**MAPPING["last_state_of"], "closed": {**CLOSED, **closed}}
    return {**MAPPING, "last_state_of": states}


def _read(
    company: Company, mapping: dict[str, Any], log: str, fields: str
) -> list[tuple[str, ...]]:
    result = land_own(company, mapping, log.encode())
    assert result.state == "landed", result.message
    return read_fields(company, result, fields)


def test_a_ticket_is_opened_by_its_first_event_and_is_in_the_state_of_its_last(
    company: Company,
) -> None:
    """15:59:42 in a zone an hour before UTC is 14:59:42. The order of the file does not matter."""
    result = land_own(company, MAPPING, LOG.encode())
    rows = read_fields(company, result, "ticket_id, opened_at, priority, service_id")
    assert sorted(rows) == [
        ("1-100", "2012-01-31 14:59:42", "1", "P2"),
        ("1-101", "2012-04-10 06:00:00", "1", "P3"),
    ]
    assert "opened_at taken from the first event of each" in result.notes
    # The periods of the load are those of the openings: the last events are of May.
    assert company.read(result, "select count(*) from records where month(opened_at) = 5") == [(0,)]


def test_a_mapping_may_take_all_from_the_last_event(company: Company) -> None:
    states = {**MAPPING["last_state_of"], "first": []}
    rows = _read(company, {**MAPPING, "last_state_of": states}, LOG, "ticket_id, opened_at")
    assert sorted(rows) == [("1-100", "2012-05-04 07:00:00"), ("1-101", "2012-05-20 06:00:00")]


def test_the_first_event_that_has_a_value_gives_it(company: Company) -> None:
    """The first event has no product yet: that of the second is the first one."""
    log = HEADER + "1,2026-03-01T08:00:00Z,A,1,\n1,2026-03-01T09:00:00Z,A,1,P1\n"
    log += "1,2026-03-01T10:00:00Z,A,1,P2\n"
    states = {**MAPPING["last_state_of"], "first": ["service_id"]}
    rows = _read(company, {**MAPPING, "last_state_of": states}, log, "service_id, opened_at")
    assert rows == [("P1", "2026-03-01 10:00:00")]


@pytest.mark.parametrize(
    ("events", "resolved", "minutes"),
    [
        # Opened 8:00, closed 10:00.
        (("08:00 Open", "10:00 Completed"), "2026-03-01 10:00:00", "0"),
        # Closed twice in a row: it was closed by the first.
        (("08:00 Open", "10:00 Completed", "11:00 Completed"), "2026-03-01 10:00:00", "0"),
        # Closed at 9:00, reopened at 11:30, closed for good at 12:00: 150 minutes do not count.
        (
            ("08:00 Open", "09:00 Completed", "11:30 Open", "12:00 Completed"),
            "2026-03-01 12:00:00",
            "150",
        ),
        # Waits from 9:00 to 9:45 and again from 10:00 until it is closed at 10:30.
        (
            ("08:00 Open", "09:00 Awaiting", "09:45 Open", "10:00 Awaiting", "10:30 Completed"),
            "2026-03-01 10:30:00",
            "75",
        ),
        # Reopened and not closed again: it is open, and was closed for an hour.
        (("08:00 Open", "09:00 Completed", "10:00 Open"), None, "60"),
        (("08:00 Open",), None, "0"),
    ],
)
def test_time_closed_before_a_reopening_does_not_count(
    company: Company, events: tuple[str, ...], resolved: str | None, minutes: str
) -> None:
    lines = [event.split() for event in events]
    log = HEADER + "".join(f"1,2026-03-01T{at}:00Z,{state},1,P1\n" for at, state in lines)
    rows = _read(company, _with_states(), log, "resolved_at, paused_minutes")
    assert rows == [(resolved, minutes)]


def test_a_bad_record_of_a_log_says_what_is_wrong_with_its_last_state(company: Company) -> None:
    log = HEADER + "1,2026-03-01T08:00:00Z,Open,1,P1\n1,2026-03-01T09:00:00Z,Completed,high,P1\n"
    log += "2,2026-03-01T08:00:00Z,Open,1,P1\n"
    result = land_own(company, _with_states(), log.encode())
    assert (result.records_accepted, result.records_quarantined) == (1, 1)
    assert "record 2, field priority" in result.reasons[0]


def test_states_need_a_field_to_fill(company: Company) -> None:
    mapping = _with_states(at=None, minutes=None)
    with pytest.raises(ConfigurationError, match="'closed' fills neither a field 'at'"):
        land_own(company, mapping, LOG.encode())
