"""A delivery that is whole and still doubtful lands, counts for nothing, and waits for a person."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.errors import UsageError
from pipelines.landing.hold_decisions import decide_hold
from pipelines.landing.load_history import find_gaps, list_loads
from pipelines.warehouse.lake_views import list_active_loads
from tests.closed_periods import close_period
from tests.unit.landing.company import Company, ledger, open_company, record

JANUARY = ledger(record("J1", "1000.00"), record("J2", "-200.00"))
"""Gross 1,200.00, net 800.00."""


@pytest.fixture
def limited(company: Company) -> Company:
    """The company whose ledger is looked at beyond 50 %, as is the default."""
    path = company.workspace.root / "apportion.yml"
    text = path.read_text("utf-8").replace(", hold_above_percent: null}", "}", 1)
    path.write_text(text, "utf-8")
    company.books.close()
    return open_company(company.workspace.root)


def february(*amounts: str) -> bytes:
    """A ledger of 2026-02 with those amounts."""
    return ledger(
        *(
            record(f"F{n}", amount, period_id="2026-02", posting_date="2026-02-28")
            for n, amount in enumerate(amounts)
        )
    )


def _counting(company: Company) -> list[str]:
    return [load.file_name for load in list_active_loads(company.workspace, company.books)]


@pytest.mark.parametrize(
    "amounts",
    [
        ("1000.00", "-800.00"),  # gross 1,800.00: exactly 50 % more
        ("800.00",),  # a third less: January is exactly 50 % more
        # The net of January is two thirds of its gross, that of this file a third: no clear sign.
        ("-400.00", "800.00"),
    ],
)
def test_change_within_the_limit_counts_at_once(limited: Company, amounts: tuple[str, ...]) -> None:
    limited.land_one(JANUARY)
    assert limited.land_one(february(*amounts), "ledger/b.csv").state == "landed"
    assert _counting(limited) == ["a.csv", "b.csv"]


@pytest.mark.parametrize(
    ("amounts", "fragments"),
    [
        # 1,200.00 * 100: cents for euros.
        (("120000.00",), ("120,000.00 EUR", "had 1,200.00", "+9,900 %")),
        (("1800.01",), ("+50 %",)),
        # January is more than 50 % larger than 799.99. Half a month is 600.00.
        (("799.99",), ("-33 %",)),
        (("600.00",), ("-50 %", "is a part missing?")),
        (("2400.00",), ("+100 %", "delivered twice?")),
        (("-1000.00", "200.00"), ("-800.00 EUR", "2026-01 to 800.00", "the sign turned")),
    ],
)
def test_change_beyond_the_limit_is_held(
    limited: Company, amounts: tuple[str, ...], fragments: tuple[str, ...]
) -> None:
    limited.land_one(JANUARY)
    result = limited.land_one(february(*amounts), "ledger/b.csv")
    assert result.state == "held"
    for fragment in fragments:
        assert fragment in result.message
    assert "apportion loads release ledger b.csv" in result.message
    assert _counting(limited) == ["a.csv"]
    assert limited.directory(result).exists()


def test_other_currencies_are_compared_with_their_own(limited: Company) -> None:
    limited.land_one(JANUARY)
    other = ledger(record("F1", "90000.00", period_id="2026-02", currency_code="USD"))
    assert limited.land_one(other, "ledger/b.csv").state == "landed"


def test_period_is_compared_with_the_latest_before_it(limited: Company) -> None:
    """February is missing; March is near January, and need not be near April too."""
    april = ledger(record("A1", "50000.00", period_id="2026-04"))
    march = ledger(record("M1", "1100.00", period_id="2026-03"))
    limited.land_one(JANUARY)
    assert limited.land_one(april, "ledger/c.csv").state == "held"
    decide_hold(limited.workspace, limited.books, "ledger", "c.csv", "released", why="a purchase")
    assert limited.land_one(march, "ledger/b.csv").state == "landed"


def test_release_lets_it_count_and_says_who_and_why(limited: Company) -> None:
    limited.land_one(JANUARY)
    limited.land_one(february("9000.00"), "ledger/b.csv")
    with pytest.raises(UsageError, match="needs a reason"):
        decide_hold(limited.workspace, limited.books, "ledger", "b.csv", "released", why=" ")
    decide_hold(
        limited.workspace, limited.books, "ledger", "b.csv", "released", why="a new licence"
    )
    assert _counting(limited) == ["a.csv", "b.csv"]
    assert "hold released ledger/b.csv" in limited.audit_actions()
    (_, load) = list_loads(limited.workspace, limited.books)
    assert load.state == "counts"
    assert "released: 2026-02 has 9,000.00 EUR" in load.remarks[0]
    with pytest.raises(UsageError, match="is on hold no longer: it counts"):
        decide_hold(limited.workspace, limited.books, "ledger", "b.csv", "discarded", why="x")


def test_discarded_delivery_never_counts_and_a_corrected_one_may(limited: Company) -> None:
    limited.land_one(JANUARY)
    limited.land_one(february("120000.00"), "ledger/b.csv")
    decide_hold(limited.workspace, limited.books, "ledger", "b.csv", "discarded", why="in cents")
    assert limited.land_one(february("1200.00"), "ledger/c.csv").state == "landed"
    assert _counting(limited) == ["a.csv", "c.csv"]
    states = [load.state for load in list_loads(limited.workspace, limited.books)]
    assert states == ["counts", "discarded", "counts"]


def test_held_delivery_takes_no_place_until_it_is_released(company: Company) -> None:
    """`replaced` lets a later delivery of a period count instead of the earlier one."""
    path = company.workspace.root / "apportion.yml"
    path.write_text(
        path.read_text("utf-8").replace("hold_above_percent: null", "hold_above_percent: 50"),
        "utf-8",
    )
    company.books.close()
    opened = open_company(company.workspace.root)
    opened.land_one(JANUARY, "replaced/a.csv")
    opened.land_one(february("1200.00"), "replaced/b.csv")
    assert opened.land_one(february("7000.00"), "replaced/c.csv").state == "held"
    assert _counting(opened) == ["a.csv", "b.csv"]
    decide_hold(opened.workspace, opened.books, "replaced", "c.csv", "released", why="checked")
    assert _counting(opened) == ["a.csv", "c.csv"]


def test_delivery_for_a_closed_period_goes_to_the_late_queue(company: Company) -> None:
    close_period(company.books, "2026-01")
    result = company.land_one(JANUARY)
    assert result.state == "held"
    assert "2026-01 is closed" in result.message
    assert _counting(company) == []
    # A person lets its difference be posted in an open period.
    decide_hold(company.workspace, company.books, "ledger", "a.csv", "released", why="late")
    assert _counting(company) == ["a.csv"]


def test_open_period_beside_a_closed_one_takes_its_delivery(company: Company) -> None:
    close_period(company.books, "2026-01")
    assert company.land_one(february("1.00"), "ledger/b.csv").state == "landed"


def test_gaps_in_periods_and_in_numbers_of_files_are_named(company: Company) -> None:
    path = company.workspace.root / "apportion.yml"
    text = path.read_text("utf-8").replace(
        'inbox: "ledger/*",', 'inbox: "ledger/*", file_sequence: "gl_(\\\\d+)",'
    )
    path.write_text(text, "utf-8")
    company.books.close()
    opened = open_company(company.workspace.root)
    for number, period in (("007", "2026-01"), ("009", "2026-04"), ("011", "2026-05")):
        opened.land_one(ledger(record(number, period_id=period)), f"ledger/gl_{number}.csv")
    gaps = find_gaps(opened.workspace, list_loads(opened.workspace, opened.books))
    assert [str(gap) for gap in gaps] == [
        "source 'ledger': no delivery of periods 2026-02, 2026-03",
        "source 'ledger': no delivery of file numbers 008, 010",
    ]


def test_late_delivery_and_correction_are_named(company: Company) -> None:
    path = company.workspace.root / "apportion.yml"
    text = path.read_text("utf-8").replace(
        "redelivery: replace_period", "redelivery: replace_period\n    due_days: 5"
    )
    # A period of long ago: whatever the day is, it is more than five days after its end.
    text = text.replace("first_period: 2026-01", "first_period: 2020-01")
    path.write_text(text, "utf-8")
    company.books.close()
    opened = open_company(company.workspace.root)
    old = {"period_id": "2020-01", "posting_date": "2020-01-31"}
    opened.land_one(ledger(record("L1", **old)), "replaced/a.csv")
    opened.land_one(ledger(record("L1", "90.00", **old)), "replaced/b.csv")
    first, second = list_loads(opened.workspace, opened.books)
    assert (first.state, first.superseded_by) == ("superseded", "b.csv")
    assert second.remarks[0] == "takes the place of a.csv"
    assert second.remarks[1].endswith("days after it was due")
    assert int(second.remarks[1].split()[0]) > 365 * 6


@pytest.mark.parametrize(
    ("control", "state"),
    [("records: 0\nperiod: 2026-01", "landed"), ("period: 2026-01", "refused")],
)
def test_header_alone_needs_a_nil_return(company: Company, control: str, state: str) -> None:
    company.put(control.encode(), "replaced/b.csv.control.yml")
    result = company.land_one(ledger(), "replaced/b.csv")
    assert result.state == state
    if state == "landed":
        assert any("nil return" in note for note in result.notes)
        assert company.read(result, "select count(*) from records") == [(0,)]


def test_nil_return_takes_the_place_of_its_period(company: Company) -> None:
    company.land_one(JANUARY, "replaced/a.csv")
    company.put(b"records: 0\nperiod: 2026-01\n", "replaced/b.csv.control.yml")
    company.land_one(ledger(), "replaced/b.csv")
    assert _counting(company) == ["b.csv"]


def test_records_of_a_delivery_that_is_no_nil_return_are_refused(company: Company) -> None:
    company.put(b"records: 0\n", "ledger/a.csv.control.yml")
    result = company.land_one(JANUARY)
    assert "another number of records" in result.message


def test_unchanged_file_is_not_read_again(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told by size and time, once its time has settled."""
    import os

    from pipelines.landing import land

    path = company.put(JANUARY)
    settled = path.stat().st_mtime_ns - 10_000_000_000
    os.utime(path, ns=(settled, settled))
    company.land()

    def fail(*args: object) -> None:
        raise AssertionError("the file was read")

    with monkeypatch.context() as patched:
        patched.setattr(land, "copy_original", fail)
        assert [result.state for result in company.land()] == ["known"]
    # Other content of the same length and another time is read.
    path.write_bytes(JANUARY.replace(b"1000.00", b"1000.01"))
    assert [result.state for result in company.land()] == ["refused"]


def test_file_written_a_moment_ago_is_read_again(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within the same tick of the clock content may change without size or time saying so."""
    from pipelines.landing import lake_files, land

    company.put(JANUARY)
    company.land()
    read: list[Path] = []
    original = lake_files.copy_original

    def copy(*args: object) -> object:
        read.append(Path())
        return original(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(land, "copy_original", copy)
    assert [result.state for result in company.land()] == ["known"]
    assert len(read) == 1


def test_amounts_of_a_period_are_in_the_books(company: Company) -> None:
    from pipelines.books.tables import load_amounts

    company.land_one(JANUARY)
    with company.books.read() as connection:
        (row,) = connection.execute(load_amounts.select()).all()
    assert (row.period_id, row.currency_code, row.records_accepted) == ("2026-01", "EUR", 2)
    assert (Decimal(row.amount_local), Decimal(row.gross_local)) == (Decimal(800), Decimal(1200))
