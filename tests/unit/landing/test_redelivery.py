"""The same content twice is one load; other content for a period is what the source declares."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest

from pipelines.landing.load_history import list_loads
from pipelines.warehouse.lake_views import create_lake_views, list_active_loads, select_loads
from tests.unit.landing.company import GOOD, Company, ledger, open_company, record

JANUARY = ledger(record("L1"), record("L2", "200.50"))
JANUARY_AGAIN = ledger(record("L1"), record("L2", "300.75"))
FEBRUARY = ledger(record("F1", "7.00", period_id="2026-02"))


def _total(company: Company) -> Decimal:
    """What a build would read of the ledger."""
    with duckdb.connect() as connection:
        create_lake_views(connection, list_active_loads(company.workspace, company.books))
        row = connection.execute("select sum(amount_local) from lake.general_ledger").fetchone()
    assert row is not None
    return Decimal(row[0])


@pytest.mark.parametrize("source", ["ledger", "replaced", "appended"])
def test_same_content_under_any_name_is_known(company: Company, source: str) -> None:
    company.land_one(GOOD, f"{source}/a.csv")
    again = company.land_one(GOOD, f"{source}/b.csv")
    assert again.state == "known"
    assert again.message == "b.csv: same content as 'a.csv', landed before."
    assert [result.state for result in company.land()] == ["known", "known"]
    assert len(company.loads()) == 1
    assert company.audit_actions() == [f"land {source}/a.csv"]


def test_same_content_of_two_sources_is_two_loads(company: Company) -> None:
    assert company.land_one(GOOD, "ledger/a.csv").state == "landed"
    assert company.land_one(GOOD, "replaced/b.csv").state == "landed"


def test_refuse_keeps_the_period_and_shows_both_hashes(company: Company) -> None:
    first = company.land_one(JANUARY, "ledger/a.csv")
    again = company.land_one(JANUARY_AGAIN, "ledger/b.csv")
    assert again.state == "refused"
    assert "delivers 2026-01 again with other content than 'a.csv'" in again.message
    assert first.sha256[:12] in again.message
    assert "found sha256 " in again.message
    assert "replace_period" in again.message
    assert _total(company) == Decimal("300.50")
    assert len(company.lake_directories()) == 1


def test_refuse_takes_another_period(company: Company) -> None:
    company.land_one(JANUARY, "ledger/a.csv")
    assert company.land_one(FEBRUARY, "ledger/b.csv").state == "landed"
    assert _total(company) == Decimal("307.50")


def test_refuse_without_periods_takes_one_delivery(company: Company) -> None:
    head = "cost_centre_id,cost_centre_name,business_unit_id,business_unit_name,legal_entity_id,"
    head += "legal_entity_name,is_it,valid_from\n"
    first = f"{head}CC1,One,B1,Unit,E1,Entity,false,2026-01-01\n"
    company.land_one(first.encode(), "centres/a.csv")
    again = company.land_one(first.replace("CC1", "CC2").encode(), "centres/b.csv")
    assert again.state == "refused"
    assert "delivers the same data again" in again.message


def test_replace_period_counts_the_new_and_keeps_the_old(company: Company) -> None:
    first = company.land_one(JANUARY, "replaced/a.csv")
    second = company.land_one(JANUARY_AGAIN, "replaced/b.csv")
    assert second.state == "landed"
    assert _total(company) == Decimal("400.75")
    old, new = company.loads()
    assert (old["superseded_by"], new["superseded_by"]) == (new["load_id"], None)
    assert (company.directory(first) / "original").read_bytes() == JANUARY


def test_replaced_content_delivered_again_stays_replaced_and_says_so(company: Company) -> None:
    company.land_one(JANUARY, "replaced/a.csv")
    company.land_one(JANUARY_AGAIN, "replaced/b.csv")
    results = {result.file_name: result for result in company.land()}
    assert [result.state for result in results.values()] == ["known", "known"]
    assert "a later delivery took its place" in results["a.csv"].message
    assert _total(company) == Decimal("400.75")


def test_replace_period_replaces_several_loads_at_once(company: Company) -> None:
    company.land_one(JANUARY, "replaced/a.csv")
    company.land_one(FEBRUARY, "replaced/b.csv")
    both = ledger(record("N1", "1.00"), record("N2", "2.00", period_id="2026-02"))
    company.land_one(both, "replaced/c.csv")
    assert [row["superseded_by"] for row in company.loads()] == [3, 3, None]
    assert _total(company) == Decimal("3.00")


def _by_period(company: Company, source: str = "replaced") -> dict[str, str]:
    """What the model reads of a source, summed by period."""
    active = list_active_loads(company.workspace, company.books)
    own = [load for load in active if load.source_id == source]
    with duckdb.connect() as connection:
        body = select_loads(connection, "general_ledger", own)
        rows = connection.execute(
            f"select period_id, cast(sum(amount_local) as decimal(18, 2)) from ({body}) "
            "group by all order by all"
        ).fetchall()
    return {period: str(amount) for period, amount in rows}


JUNE = ledger(
    record("J1", "100.00", period_id="2026-06"),
    record("J2", "50.00", period_id="2026-06"),
    record("J3", "1.00", period_id="2026-07"),
)
"""An export of June that holds the first hours of July."""
JULY = ledger(
    record("K1", "1.00", period_id="2026-07"),
    record("K2", "99.00", period_id="2026-07"),
)


@pytest.mark.parametrize("first", ["june", "july"])
def test_an_export_that_reaches_into_the_next_month_keeps_its_own(
    company: Company, first: str
) -> None:
    """June is 100 + 50, July 1 + 99, whichever file arrives first."""
    files = {"june": JUNE, "july": JULY}
    second = "july" if first == "june" else "june"
    company.land_one(files[first], f"replaced/{first}.csv")
    result = company.land_one(files[second], f"replaced/{second}.csv")
    assert result.state == "landed", result.message
    assert _by_period(company) == {"2026-06": "150.00", "2026-07": "100.00"}
    expected = (
        "takes the place of 1 record, 1.00 EUR of 2026-07 in 'june.csv'"
        if second == "july"
        else "only reaches into 2026-07: 1 record, 1.00 EUR of it do not count, because 'july.csv' "
        "holds that period; 'overlap: latest' lets the later one count"
    )
    assert expected in result.notes
    remarks = {
        load.file_name: load.remarks for load in list_loads(company.workspace, company.books)
    }
    assert (
        "does not count in 2026-07 (1 records, 1 EUR), which july.csv holds"
        in (remarks["june.csv"])
    )


def test_a_later_export_of_each_month_goes_on_replacing(company: Company) -> None:
    """June again, and July again: each takes the place of its own month and of nothing else."""
    company.land_one(JUNE, "replaced/a.csv")
    company.land_one(JULY, "replaced/b.csv")
    again = ledger(
        record("J1", "120.00", period_id="2026-06"), record("J3", "2.00", period_id="2026-07")
    )
    company.land_one(again, "replaced/c.csv")
    assert _by_period(company) == {"2026-06": "120.00", "2026-07": "100.00"}
    company.land_one(ledger(record("K1", "70.00", period_id="2026-07")), "replaced/d.csv")
    assert _by_period(company) == {"2026-06": "120.00", "2026-07": "70.00"}
    assert [row["superseded_by"] for row in company.loads()] == [3, 4, None, None]


def test_a_month_of_a_longer_delivery_is_replaced_and_the_others_count(company: Company) -> None:
    """A year's first two months in one file, then January alone: February stays."""
    both = ledger(record("N1", "250.00"), record("N2", "200.00", period_id="2026-02"))
    company.land_one(both, "replaced/a.csv")
    assert company.land_one(JANUARY, "replaced/b.csv").state == "landed"
    assert _by_period(company) == {"2026-01": "300.50", "2026-02": "200.00"}


def test_late_lines_do_not_take_the_place_of_their_month(company: Company) -> None:
    """A file of February with one late line of January, in either order of arrival."""
    late = ledger(
        record("F0", "5.00"),
        record("F1", "200.00", period_id="2026-02"),
        record("F2", "200.00", period_id="2026-02"),
    )
    company.land_one(JANUARY, "replaced/a.csv")
    result = company.land_one(late, "replaced/b.csv")
    assert result.state == "refused"
    assert "holds only a part of 2026-01, which 'a.csv'" in result.message
    assert _by_period(company) == {"2026-01": "300.50"}


def test_a_month_does_not_take_the_place_of_late_lines_that_came_before(company: Company) -> None:
    late = ledger(
        record("F0", "5.00"),
        record("F1", "200.00", period_id="2026-02"),
        record("F2", "200.00", period_id="2026-02"),
    )
    company.land_one(late, "replaced/b.csv")
    result = company.land_one(JANUARY, "replaced/a.csv")
    assert result.state == "refused"
    assert "replaces only a part of 'b.csv'" in result.message
    assert "found none for 2026-02" in result.message


@pytest.mark.parametrize(
    ("overlap", "state", "sums"),
    [
        ("latest", "landed", {"2026-06": "150.00", "2026-07": "1.00"}),
        ("refuse", "refused", {"2026-07": "100.00", "2026-08": "100.00"}),
    ],
)
def test_which_delivery_counts_is_declared(
    company: Company, overlap: str, state: str, sums: dict[str, str]
) -> None:
    config = company.workspace.root / "apportion.yml"
    text = config.read_text("utf-8").replace(
        "redelivery: replace_period\n", f"redelivery: replace_period\n    overlap: {overlap}\n"
    )
    config.write_text(text, "utf-8")
    opened = open_company(company.workspace.root)
    july = JULY
    if overlap == "refuse":
        july = ledger(
            record("K1", "100.00", period_id="2026-07"), record("K2", "100.00", period_id="2026-08")
        )
    opened.land_one(july, "replaced/july.csv")
    assert opened.land_one(JUNE, "replaced/june.csv").state == state
    assert _by_period(opened) == sums


def test_replace_period_counts_periods_of_quarantined_records(company: Company) -> None:
    """All of January is in quarantine: the old January must not count beside it."""
    company.land_one(JANUARY, "replaced/a.csv")
    bad = ledger(record("L1", "1e3"), record("F1", "7.00", period_id="2026-02"))
    company.land_one(bad, "replaced/b.csv")
    assert company.loads()[0]["superseded_by"] == 2
    assert _total(company) == Decimal("7.00")


def test_append_counts_both(company: Company) -> None:
    company.land_one(JANUARY, "appended/a.csv")
    company.land_one(JANUARY_AGAIN, "appended/b.csv")
    assert _total(company) == Decimal("701.25")


def test_the_declaration_by_default_is_refuse(company: Company) -> None:
    assert company.workspace.config.sources["ledger"].redelivery == "refuse"


def test_unreadable_dates_are_no_repetition(company: Company) -> None:
    """No period of the second file can be read: its records wait, each with the true reason, and a
    file of another month still lands."""
    first = company.land_one(ledger(record("L1")), "ledger/jan.csv")
    bad = {"period_id": "Feb 26", "posting_date": "28 Feb 2026"}
    second = company.land_one(ledger(record("L2", **bad), record("L3", **bad)), "ledger/feb.csv")
    assert (first.state, second.state, second.records_quarantined) == ("landed", "landed", 2)
    assert "field period_id: has the wrong form; expected a period" in second.reasons[0]
    march = {"period_id": "2026-03", "posting_date": "2026-03-31"}
    assert company.land_one(ledger(record("L4", **march)), "ledger/mar.csv").state == "landed"


def test_a_file_of_that_name_replaces_one_without_a_readable_period(company: Company) -> None:
    bad = {"period_id": "Feb 26", "posting_date": "28 Feb 2026"}
    company.land_one(ledger(record("L1")), "replaced/jan.csv")
    company.land_one(ledger(record("L2", **bad)), "replaced/feb.csv")
    good = {"period_id": "2026-02", "posting_date": "2026-02-28"}
    company.land_one(ledger(record("L2", **good)), "replaced/feb.csv")
    january, unreadable, february = company.loads()
    assert (january["superseded_by"], unreadable["superseded_by"]) == (None, february["load_id"])
