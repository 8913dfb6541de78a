"""Times without a zone are asked for, and named where nobody answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.mappings.answers import Answers
from pipelines.mappings.infer import infer_mapping
from pipelines.mappings.questions import list_questions
from tests.unit.landing.company import read_load

from .test_system_layouts import land_proposal

TICKETS = "number,business_service,priority,opened_at\nINC1,Mail,3,{}\nINC2,Mail,2,{}\n"
NOTE = (
    "times without a zone are read as UTC: opened_at; name their zone as time_zone in the mapping"
)


def write(root: Path, *times: str) -> Path:
    path = root / "tickets.csv"
    path.write_text(TICKETS.format(*times), "utf-8")
    return path


def land(root: Path, file: Path, answers: Answers | None = None) -> tuple[Any, list[Any]]:
    result = land_proposal(root, file, infer_mapping(file, "tickets", answers))
    assert (result.state, result.records_quarantined, result.message) == ("landed", 0, "")
    sql = "select cast(opened_at as varchar) from records order by ticket_id"
    return result.notes, read_load(root / "acme/lake/foreign" / result.sha256, sql)


@pytest.mark.parametrize(
    "times",
    [
        ("2026-01-31 23:30:00", "2026-02-01 08:00:00"),
        ("2026-01-31T23:30", "2026-02-01T08:00"),
        ("31/01/2026 23:30", "28/02/2026 08:00"),
        ("31-Jan-2026 11:30 PM", "01-Feb-2026 8:00 AM"),
    ],
)
def test_a_zone_is_asked_for_and_its_lack_is_named(tmp_path: Path, times: tuple[str, str]) -> None:
    file = write(tmp_path, *times)
    found = infer_mapping(file)
    (decision,) = [text for text in found.decisions if text.startswith("time_zone: ")]
    assert "opened_at" in decision
    assert "read as UTC" in decision
    assert "time_zone" not in found.settings
    (question,) = [q for q in list_questions(found) if q.name == "time_zone"]
    assert question.flag == "--setting time_zone=VALUE"
    notes, rows = land(tmp_path, file)
    assert NOTE in notes
    assert rows[0] == ("2026-01-31 23:30:00",)


def test_the_answer_moves_the_times(tmp_path: Path) -> None:
    """23:30 in Berlin in winter is 22:30 in UTC."""
    file = write(tmp_path, "2026-01-31 23:30:00", "2026-02-01 08:00:00")
    answers = Answers(settings={"time_zone": "Europe/Berlin"})
    assert not [
        q for q in list_questions(infer_mapping(file, None, answers)) if q.kind == "setting"
    ]
    notes, rows = land(tmp_path, file, answers)
    assert NOTE not in notes
    assert rows == [("2026-01-31 22:30:00",), ("2026-02-01 07:00:00",)]


def test_the_zone_of_the_workspace_is_proposed(tmp_path: Path) -> None:
    file = write(tmp_path, "2026-07-31 23:30:00", "2026-08-01 00:30:00")
    found = infer_mapping(file, None, Answers(time_zone="America/New_York"))
    assert found.settings["time_zone"] == "America/New_York"
    (question,) = [q for q in list_questions(found) if q.name == "time_zone"]
    assert question.proposed == "America/New_York"
    assert any("the zone of the workspace is America/New_York" in d for d in found.decisions)


def test_times_with_a_zone_ask_nothing(tmp_path: Path) -> None:
    file = write(tmp_path, "2026-01-31T23:30:00Z", "2026-02-01T08:00:00+01:00")
    assert not [d for d in infer_mapping(file).decisions if d.startswith("time_zone")]
    notes, rows = land(tmp_path, file)
    assert NOTE not in notes
    assert rows[1] == ("2026-02-01 07:00:00",)


def test_bills_of_providers_are_in_utc(tmp_path: Path) -> None:
    path = tmp_path / "bill.csv"
    path.write_text(
        "line_item_usage_start_date,line_item_unblended_cost,currency\n"
        "2026-01-31 23:30:00,5.25,USD\n",
        "utf-8",
    )
    found = infer_mapping(path, "cloud_bill", Answers(time_zone="Europe/Berlin"))
    assert found.settings["time_zone"] == "UTC"
    assert any("such exports are written in UTC" in text for text in found.decisions)
