"""Calendars of months, of weeks and of a table: which days belong to which period."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from pydantic import ValidationError

from pipelines.contracts.contract import load_contract
from pipelines.errors import ConfigurationError
from pipelines.workspace.fiscal_calendar import Calendar, WeekYears, find_quarter
from pipelines.workspace.phasing import Phasing, list_phases
from pipelines.workspace.workspace import Workspace

RETAIL = {
    "pattern": "4-5-4",
    "end_month": 1,
    "end_rule": "nearest",
    "year_named_after": "start",
}
FOUR_WEEKS = {"pattern": "13x4", "end_month": 3, "end_rule": "last"}
HEADER = "period_id,fiscal_year,fiscal_quarter,period_number,starts_date,ends_date\n"
TABLE = (
    HEADER
    + "2021-P01,2021,1,1,2020-04-01,2020-05-03\n"
    + "2021-P02,2021,1,2,2020-05-03,2020-05-31\n"
    + "2021-P03,2021,1,3,2020-05-31,2020-06-28\n"
)
SETTINGS = """\
name: Example Works
currency: EUR
calendar: {{first_period: 2021-P01, last_period: 2021-P03{more}}}
control_total: {{source: ledger}}
sources:
  ledger: {{contract: general_ledger, inbox: "ledger/*"}}
"""


def _make(first: str, last: str, **more: object) -> Calendar:
    return Calendar.model_validate({"first_period": first, "last_period": last, **more})


def _open(directory: Path, table: str) -> Workspace:
    (directory / "apportion.yml").write_text(SETTINGS.format(more=", file: calendar.csv"), "utf-8")
    (directory / "calendar.csv").write_text(table, "utf-8")
    return Workspace.open(directory)


def test_retail_year_of_53_weeks_is_as_published() -> None:
    """The National Retail Federation's 4-5-4 calendar: fiscal 2023 runs from 29 January 2023 to
    3 February 2024, 53 weeks with January as a month of five; fiscal 2024 from 4 February 2024 to
    1 February 2025."""
    periods = _make("2023-P01", "2024-P12", weeks=RETAIL).periods()
    weeks = [(item.end - item.start).days // 7 for item in periods]
    assert weeks == [4, 5, 4, 4, 5, 4, 4, 5, 4, 4, 5, 5] + [4, 5, 4] * 4
    assert periods[0].start == date(2023, 1, 29)
    assert periods[11].end == periods[12].start == date(2024, 2, 4)
    assert periods[-1].end == date(2025, 2, 2)


def test_thirteen_periods_end_on_the_last_saturday() -> None:
    """The last Saturdays of March are the 29th in 2025 and the 28th in 2026: 364 days."""
    periods = _make("2026-P01", "2026-P13", weeks=FOUR_WEEKS).periods()
    assert [(item.end - item.start).days for item in periods] == [28] * 13
    assert (periods[0].start, periods[-1].end) == (date(2025, 3, 30), date(2026, 3, 29))
    assert [item.number for item in periods] == list(range(1, 14))


@pytest.mark.parametrize(
    ("rule", "month", "year", "expected"),
    [
        ("last", 12, 2026, date(2026, 12, 26)),
        # 31 December 2026 is a Thursday: the Saturday after it is nearer than the one before.
        ("nearest", 12, 2026, date(2027, 1, 2)),
        # 31 August 2027 is a Tuesday: the Saturday before it is nearer.
        ("nearest", 8, 2027, date(2027, 8, 28)),
        ("last", 2, 2028, date(2028, 2, 26)),
    ],
)
def test_end_of_a_year_of_weeks(rule: str, month: int, year: int, expected: date) -> None:
    weeks = WeekYears.model_validate({"pattern": "4-4-5", "end_month": month, "end_rule": rule})
    assert weeks.find_end(year) == expected


def test_months_may_have_the_number_in_the_fiscal_year() -> None:
    periods = _make("2026-P01", "2026-P12", fiscal_year_start_month=4).periods()
    assert (periods[0].start, periods[0].fiscal_year) == (date(2025, 4, 1), 2026)
    assert (periods[-1].period_id, periods[-1].end) == ("2026-P12", date(2026, 4, 1))


@pytest.mark.parametrize(
    "calendar",
    [
        _make("2023-P01", "2024-P12", weeks=RETAIL),
        _make("2023-P03", "2024-P02", weeks={**FOUR_WEEKS, "ends_on": "sunday"}),
        _make("2024-P01", "2024-P01", weeks=FOUR_WEEKS),
        _make("2023-P02", "2024-P07", fiscal_year_start_month=7),
        _make("2023-01", "2024-12"),
    ],
)
def test_every_day_has_the_same_period_in_sql(calendar: Calendar) -> None:
    spans = calendar.spans
    days = [date(2022, 1, 1) + timedelta(days=n) for n in range(1400)]
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"select day, {spans.of_day('day')} from (select unnest($days) as day)", {"days": days}
        ).fetchall()
    assert rows == [(day, spans.find_period(day)) for day in days]
    for item in calendar.periods():
        assert spans.find_period(item.start) == item.period_id
        assert spans.find_period(item.end - timedelta(days=1)) == item.period_id
        assert tuple(spans.find_days(item.period_id)) == item[:3]


def test_a_day_outside_has_no_period() -> None:
    spans = _make("2026-P01", "2026-P13", weeks=FOUR_WEEKS).spans
    assert spans.find_period(date(2025, 3, 29)) == "2025-03 (outside)"
    assert spans.find_period(date(2026, 3, 29)) == "2026-03 (outside)"


def test_bill_belongs_to_the_period_of_its_charge_where_periods_are_no_months() -> None:
    weeks = _make("2026-P01", "2026-P13", weeks=FOUR_WEEKS).spans
    months = _make("2026-P01", "2026-P12", fiscal_year_start_month=4).spans
    bill = load_contract("cloud_bill")
    assert bill.with_periods(weeks).period_field == "charge_period_start"
    assert bill.with_periods(months).period_field == "billing_period_start"


def test_last_quarter_of_thirteen_periods_has_four() -> None:
    assert [find_quarter(number) for number in range(1, 14)] == [1] * 3 + [2] * 3 + [3] * 3 + [
        4
    ] * 4
    periods = _make("2026-P01", "2026-P13", weeks=FOUR_WEEKS).periods()
    phases = list_phases(periods, Phasing(over="quarter"))
    delivered = [phase.period_id for phase in phases if phase.delivered_period_id == "2026-P10"]
    assert delivered == ["2026-P10", "2026-P11", "2026-P12", "2026-P13"]


@pytest.mark.parametrize(
    ("first", "last", "more", "expected"),
    [
        ("2026-01", "2026-P12", {}, "two forms"),
        ("2026-01", "2026-12", {"weeks": RETAIL}, "have the form 2026-P01"),
        ("2026-P01", "2026-P13", {"weeks": RETAIL}, "2026-P13 is no period"),
        ("2026-P01", "2026-P13", {}, "2026-P13 is no period"),
        ("2026-P01", "2026-P12", {"weeks": RETAIL, "file": "a.csv"}, "leave one out"),
        ("2026-P01", "2026-P12", {"weeks": RETAIL, "fiscal_year_start_month": 2}, "for months"),
        ("2026-P01", "2026-P12", {"file": "../a.csv"}, "a file in the workspace"),
        ("2026-P00", "2026-P12", {}, "should match pattern"),
    ],
)
def test_calendars_that_fit_together_only(
    first: str, last: str, more: dict[str, object], expected: str
) -> None:
    with pytest.raises(ValidationError, match=expected):
        _make(first, last, **more)


def test_table_gives_the_days_of_every_period(tmp_path: Path) -> None:
    """Periods that end on Saturdays, but the first one, which begins with the year."""
    calendar = _open(tmp_path, TABLE).config.calendar
    assert [(item.period_id, item.end - item.start) for item in calendar.periods()] == [
        ("2021-P01", timedelta(days=32)),
        ("2021-P02", timedelta(days=28)),
        ("2021-P03", timedelta(days=28)),
    ]
    assert calendar.spans.find_period(date(2020, 5, 2)) == "2021-P01"
    assert calendar.spans.find_period(date(2020, 5, 3)) == "2021-P02"


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (TABLE.replace("2020-05-03,2020-05-31", "2020-05-04,2020-05-31"), ":3, .*leaves days out"),
        (TABLE.replace("2020-05-03,2020-05-31", "2020-05-02,2020-05-31"), ":3, .*overlaps"),
        (TABLE.replace("2021-P03", "2021-P01"), ":4, .*out of order"),
        (TABLE.replace("2021-P03", "2021-03"), ":4, .*out of order"),
        (TABLE.replace("2021,1,3", "2021,1,4"), "does not follow; expected 3 of 2021"),
        (TABLE.replace("2021,1,3", "2021,2,3"), "expected 1, the quarter of period 3"),
        (TABLE.replace("2020-06-28", "2020-05-31"), "is not after starts_date"),
        (TABLE.replace("2020-06-28", "28.06.2020"), "is no period"),
        (TABLE.replace("fiscal_year", "year"), "has not the columns of a calendar"),
        (TABLE + "2021-P04,2021\n", "another number of values"),
        (HEADER, "has no periods"),
        (TABLE.replace("2021-P03", "2021-P04"), "2021-P03 is no period"),
    ],
)
def test_wrong_table_is_explained_with_its_line(tmp_path: Path, table: str, expected: str) -> None:
    with pytest.raises(ConfigurationError, match=expected):
        _ = _open(tmp_path, table).config


def test_table_that_is_not_there_is_said(tmp_path: Path) -> None:
    workspace = _open(tmp_path, TABLE)
    (tmp_path / "calendar.csv").unlink()
    with pytest.raises(ConfigurationError, match=r"calendar\.csv: cannot be read"):
        _ = workspace.config
