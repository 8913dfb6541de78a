"""Content that landed is read again when its mapping was corrected and a person asks for it."""

from __future__ import annotations

from decimal import Decimal

from pipelines.landing.land import land_inbox
from pipelines.landing.quarantine_decisions import discard_records
from pipelines.landing.quarantine_log import read_decisions
from pipelines.warehouse.lake_views import create_lake_views, list_active_loads
from tests.closed_periods import close_period
from tests.unit.landing.company import Company, read_load
from tests.unit.landing.own_source import ledger_mapping, open_own

# By points as thousands: 1.234 is one thousand, and 5,6 is no number of the first mapping.
CONTENT = b"id;date;amount\nL1;2026-01-31;1.234\nL2;2026-01-31;5,6\n"
WRONG = ledger_mapping(delimiter=";")
RIGHT = ledger_mapping(delimiter=";", decimal_mark=",", thousands_mark=".")


def _sum(company: Company) -> Decimal:
    import duckdb

    with duckdb.connect() as connection:
        create_lake_views(connection, list_active_loads(company.workspace, company.books))
        row = connection.execute("select sum(amount_local) from lake.general_ledger").fetchone()
    assert row is not None
    return Decimal(row[0])


def test_known_content_says_that_its_mapping_changed(company: Company) -> None:
    with open_own(company, WRONG) as opened:
        assert opened.land_one(CONTENT, "own/a.csv").records_quarantined == 1 + 1
    with open_own(company, RIGHT) as opened:
        (result,) = opened.land()
        assert result.state == "known"
        assert "apportion land --reread own" in result.message


def test_reading_again_counts_instead(company: Company) -> None:
    with open_own(company, WRONG) as opened:
        first = opened.land_one(CONTENT, "own/a.csv")
        discard_records(opened.workspace, opened.books, "own", "a.csv", None, why="unreadable")
    with open_own(company, RIGHT) as opened:
        (result,) = land_inbox(opened.workspace, opened.books, reread=["own"])
        assert (result.state, result.records_accepted) == ("landed", 2)
        assert _sum(opened) == Decimal("1239.6")
        # The earlier reading stays in the lake, its decisions are about other records.
        directory = opened.workspace.lake / "own"
        assert sorted(path.name for path in directory.iterdir()) == [
            first.sha256,
            f"{first.sha256}.2",
        ]
        assert read_load(directory / f"{first.sha256}.2", "select count(*) from records") == [(2,)]
        with opened.books.read() as connection:
            assert read_decisions(connection) == {}
        assert "reread own/a.csv" in opened.audit_actions()
        # Once more changes nothing: it is read by the mapping of now.
        (again,) = land_inbox(opened.workspace, opened.books, reread=["own"])
        assert again.state == "known"
        assert _sum(opened) == Decimal("1239.6")


def test_file_of_a_closed_period_is_not_read_anew(company: Company) -> None:
    with open_own(company, WRONG) as opened:
        opened.land_one(CONTENT, "own/a.csv")
        close_period(opened.books, "2026-01")
    with open_own(company, RIGHT) as opened:
        (result,) = land_inbox(opened.workspace, opened.books, reread=["own"])
        assert result.state == "refused"
        assert "2026-01, which is closed" in result.message
        assert [load["reading"] for load in opened.loads()] == [1]
