"""Records outside the calendar and budgets without a declared phasing are named, never silent."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipelines.cost_model.compile import RunStamp, compile_tables, write_tables
from pipelines.cost_model.load import load_cost_model
from pipelines.warehouse.lake_views import create_lake_views
from pipelines.warehouse.notices import create_notices
from pipelines.workspace.workspace import Workspace
from tests.unit.cost_model.model_files import write_files

SOURCES = """\
  plan: {contract: budget, inbox: plan/*.csv, scenario: budget}
  desk: {contract: tickets, inbox: desk/*.csv}
  use: {contract: service_usage, inbox: use/*.csv}
  failures: {contract: outages, inbox: failures/*.csv}
"""


class Made:
    """A workspace whose calendar is 2026, from January or April, and its empty lake."""

    def __init__(self, root: Path) -> None:
        write_files(root)
        path = root / "apportion.yml"
        path.write_text(path.read_text("utf-8") + SOURCES, "utf-8")
        self.root = root
        self.connection = duckdb.connect()
        self.connection.execute("set time zone 'UTC'")
        create_lake_views(self.connection, [])
        self.set_calendar("2026-01", "2026-12")

    def set_calendar(self, first: str, last: str, start_month: int = 1) -> None:
        path = self.root / "apportion.yml"
        lines = [
            f"calendar: {{first_period: {first}, last_period: {last}, "
            f"fiscal_year_start_month: {start_month}}}"
            if line.startswith("calendar:")
            else line
            for line in path.read_text("utf-8").splitlines()
        ]
        path.write_text("\n".join(lines) + "\n", "utf-8")
        self.workspace = Workspace.open(self.root)
        self.config = self.workspace.config
        tables = compile_tables(
            self.config, load_cost_model(self.workspace), RunStamp("run", "f", None, "code")
        )
        write_tables(self.connection, tables, self.root / "model")

    def add(self, contract_id: str, rows: str) -> None:
        """Rows as SQL `values` behind the names of their columns."""
        names, values = rows.split(":", 1)
        self.connection.execute(
            f"insert into lake.{contract_id} by name "
            f"select * from (values {values}) as rows ({names})"
        )

    def notice(self) -> list[tuple[str, str, str | None, str]]:
        create_notices(self.connection, self.config)
        return self.connection.execute(
            "select item_kind, source_id, period_id, item_name from model.notices order by all"
        ).fetchall()

    def remedy(self) -> str:
        row = self.connection.execute("select what_to_do from model.notices").fetchone()
        assert row is not None
        return str(row[0])


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


def _budget(made: Made, *periods: str, amount: str = "12000.00") -> None:
    for period in periods:
        made.add(
            "budget",
            "_source_id, _scenario_id, period_id, account_id, currency_code, amount_local: "
            f"('plan', 'budget', '{period}', '6300', 'EUR', {amount})",
        )


def test_a_yearly_budget_in_april_is_named_with_its_source_and_setting(made: Made) -> None:
    made.set_calendar("2026-04", "2027-03", 4)
    _budget(made, "2026-04")
    (found,) = made.notice()
    assert found == (
        "undeclared_phasing",
        "plan",
        "2026-04",
        "EUR 12,000.00 of plan in 2026-04 only",
    )
    assert "'phasing: {over: year, by: even}' at the source 'plan'" in made.remedy()
    assert "'phasing: {over: period}'" in made.remedy()


@pytest.mark.parametrize(
    ("periods", "span"),
    [
        (("2026-01", "2026-04", "2026-07", "2026-10"), "quarter"),
        (("2026-02", "2026-08"), "half_year"),
        (("2026-12",), "year"),
    ],
)
def test_budgets_of_quarters_and_half_years_are_named(
    made: Made, periods: tuple[str, ...], span: str
) -> None:
    _budget(made, *periods, amount="3000.00")
    ((kind, *_, name),) = made.notice()
    # As many times 3,000.00 as there are periods.
    total = f"EUR {3000 * len(periods):,}.00"
    assert kind == "undeclared_phasing"
    assert name == f"{total} of plan in {', '.join(periods)} only"
    assert f"over: {span}, by: even" in made.remedy()


@pytest.mark.parametrize(
    "periods",
    [
        tuple(f"2026-{month:02d}" for month in range(1, 13)),
        # Delivered month by month, the second of which is there.
        ("2026-01", "2026-02"),
        # Every second month is no span that is budgeted by.
        ("2026-01", "2026-03", "2026-05"),
    ],
)
def test_monthly_budgets_are_not_named(made: Made, periods: tuple[str, ...]) -> None:
    _budget(made, *periods)
    assert made.notice() == []


def test_a_quarter_of_a_year_says_nothing(made: Made) -> None:
    made.set_calendar("2026-01", "2026-03")
    _budget(made, "2026-01")
    assert made.notice() == []


@pytest.mark.parametrize("over", ["year", "period"])
def test_what_is_declared_is_not_named(made: Made, over: str) -> None:
    path = made.root / "apportion.yml"
    declared = f"scenario: budget, phasing: {{over: {over}}}}}"
    path.write_text(path.read_text("utf-8").replace("scenario: budget}", declared), "utf-8")
    made.set_calendar("2026-01", "2026-12")
    _budget(made, "2026-04")
    assert made.notice() == []


def test_records_outside_the_calendar_are_counted_by_source(made: Made) -> None:
    """At Berlin 23:30 UTC is half past midnight: of 2026, and a year later of 2027."""
    path = made.root / "apportion.yml"
    path.write_text("time_zone: Europe/Berlin\n" + path.read_text("utf-8"), "utf-8")
    made.set_calendar("2026-01", "2026-12")
    columns = "_source_id, _scenario_id, ticket_id, opened_at: "
    for name, opened in (
        ("first", "2025-12-31 23:30:00"),
        ("inside", "2026-06-01 00:00:00"),
        ("after", "2026-12-31 23:30:00"),
        ("long after", "2027-03-01 00:00:00"),
        ("before", "2025-12-31 22:59:59"),
    ):
        made.add("tickets", f"{columns} ('desk', 'actual', '{name}', timestamp '{opened}')")
    made.add("tickets", f"{columns} ('desk', 'restated', 'x', timestamp '2020-01-01 00:00:00')")
    made.add(
        "service_usage",
        "_source_id, _scenario_id, period_id: ('use', 'actual', '2025-12'), "
        "('use', 'actual', '2026-01')",
    )
    assert made.notice() == [
        (
            "outside_calendar",
            "desk",
            None,
            "3 records of desk outside the calendar (2025-12 to 2027-03)",
        ),
        ("outside_calendar", "use", None, "1 record of use outside the calendar (2025-12)"),
    ]


def test_an_outage_that_reaches_into_the_calendar_counts(made: Made) -> None:
    made.add(
        "outages",
        "_source_id, _scenario_id, outage_id, started_at, ended_at: "
        "('failures', 'actual', 'reaches in', timestamp '2025-12-31 22:00:00', "
        "timestamp '2026-01-01 01:00:00'), "
        "('failures', 'actual', 'before', timestamp '2025-12-31 22:00:00', "
        "timestamp '2025-12-31 23:00:00')",
    )
    assert [name for *_, name in made.notice()] == [
        "1 record of failures outside the calendar (2025-12)"
    ]
