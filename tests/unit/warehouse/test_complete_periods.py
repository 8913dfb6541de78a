"""Which periods are not complete: a feed that is missing, and postings that end early."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from pipelines.warehouse.complete_periods import read_incomplete

MONTHS = ("2026-01", "2026-02", "2026-03", "2026-04", "2026-05")


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    """Five open months, of which May has no figures yet."""
    with duckdb.connect() as connection:
        connection.execute(
            "create table dim_periods as select period_id, "
            "cast(period_id || '-01' as date) as period_start, "
            "cast(period_start + interval 1 month as date) as period_end, "
            "period_id < '2026-05' as has_actuals, 'open' as period_state "
            "from unnest($1) as months(period_id)",
            [list(MONTHS)],
        )
        connection.execute(
            "create table rpt_data_sources(source_id text, source_name text, source_order int)"
        )
        connection.execute(
            "create table rpt_data_source_periods(source_id text, scenario_id text, "
            "period_id text, record_count bigint, last_date date)"
        )
        yield connection


def deliver(
    marts: duckdb.DuckDBPyConnection,
    source: str,
    *months: str,
    days: tuple[str, ...] = (),
    scenario: str = "actual",
) -> None:
    name = source.replace("_", " ").capitalize()
    marts.execute("insert into rpt_data_sources values (?, ?, 0)", [source, name])
    for number, month in enumerate(months):
        day = f"{month}-{days[number]}" if days else None
        marts.execute(
            "insert into rpt_data_source_periods values (?, ?, ?, 10, ?)",
            [source, scenario, f"2026-{month}" if len(month) == 2 else month, day],
        )


def test_a_feed_that_came_every_month_and_not_in_this_one(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    deliver(marts, "general_ledger", *MONTHS[:4])
    deliver(marts, "timesheets", *MONTHS[:3])
    deliver(marts, "service_usage", "2026-03")
    assert read_incomplete(marts) == {
        "2026-04": "no delivery of service usage, no delivery of timesheets"
    }


def test_what_does_not_come_every_month_is_not_missing(marts: duckdb.DuckDBPyConnection) -> None:
    """Outages of January and March; a source that begins in March; a budget; a month without
    figures; and a gap is one once the source is back."""
    deliver(marts, "general_ledger", *MONTHS[:4])
    deliver(marts, "outages", "2026-01", "2026-03")
    deliver(marts, "licences", "2026-03", "2026-04")
    deliver(marts, "budget", "2026-01", scenario="budget")
    # Outages came in the only month before February, and not in each of the two before March.
    assert read_incomplete(marts) == {"2026-02": "no delivery of outages"}


def test_a_closed_month_is_complete(marts: duckdb.DuckDBPyConnection) -> None:
    deliver(marts, "timesheets", *MONTHS[:3])
    marts.execute("update dim_periods set period_state = 'closed' where period_id = '2026-04'")
    assert read_incomplete(marts) == {}


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (("31", "28", "31", "30"), {}),
        # April has its postings of the first twelve days.
        (("31", "28", "31", "12"), {"2026-04": "postings to 12 Apr only"}),
        # All is posted in the middle of each month: that is how this ledger is.
        (("15", "15", "15", "12"), {}),
        # The first month has the one after to be told by.
        (("15", "28", "31", "30"), {"2026-01": "postings to 15 Jan only"}),
        # The last week may be without a posting.
        (("31", "28", "31", "24"), {}),
    ],
)
def test_postings_that_end_early(
    marts: duckdb.DuckDBPyConnection, days: tuple[str, ...], expected: dict[str, str]
) -> None:
    deliver(marts, "general_ledger", *MONTHS[:4], days=days)
    assert read_incomplete(marts) == expected


def test_nothing_is_known_to_be_missing_where_nothing_was_counted(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    assert read_incomplete(marts) == {}
