"""Every period and currency of a delivery is compared, as the sum of what would count.

The ledger of these tests has 2,000.00 EUR a month in two postings. Limit: 50 %, so that a month of
1,334.00 to 3,000.00 is near; 2,000.00 is at most half as much again as the smaller one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.errors import UsageError
from pipelines.landing.hold_decisions import decide_holds
from pipelines.landing.land import land_inbox
from pipelines.landing.load_history import list_loads
from pipelines.warehouse.lake_views import list_active_loads
from tests.unit.landing.company import Company, make_company, open_company

MAPPING = """\
mapping_id: m
contract: general_ledger
description: x
row_key: true
columns: {posting_date: date, amount_local: amount, currency_code: cur}
period_from: posting_date
constants: {legal_entity_id: DE01, account_id: "6100", cost_centre_id: IT}
"""
CONFIG = """\
name: H
currency: EUR
calendar: {{first_period: 2023-01, last_period: 2026-12}}
control_total: {{source: gl}}
{settings}
sources:
  gl: {{contract: general_ledger, inbox: gl/*.csv, mapping: m, redelivery: {mode}}}
"""


def open_ledger(root: Path, mode: str = "append", settings: str = "") -> Company:
    """A workspace with one ledger."""
    company = make_company(root / mode)
    company.books.close()
    (root / mode / "mappings").mkdir()
    return change_ledger(company, mode, settings)


def change_ledger(
    company: Company, mode: str = "append", settings: str = "", mapping: str = MAPPING
) -> Company:
    """The company under other settings or another mapping."""
    root = company.workspace.root
    (root / "mappings" / "m.yml").write_text(mapping, "utf-8")
    (root / "apportion.yml").write_text(CONFIG.format(mode=mode, settings=settings), "utf-8")
    return open_company(root)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Company]:
    opened = open_ledger(tmp_path)
    yield opened
    opened.books.close()


def lines(period: str, *amounts: str, currency: str = "EUR") -> str:
    """Postings of a period."""
    return "".join(f"{period}-{10 + n % 18},{a},{currency}\n" for n, a in enumerate(amounts))


def land(company: Company, **files: str) -> dict[str, str]:
    """Put files of postings into the inbox, land them, and say what became of each."""
    for name, content in files.items():
        company.put(f"date,amount,cur\n{content}".encode(), f"gl/{name}.csv")
    results = land_inbox(company.workspace, company.books)
    return {r.file_name.removesuffix(".csv"): r.state for r in results if r.state != "known"}


def reason(company: Company, file: str) -> str:
    """Why a file is on hold."""
    return next(str(row["hold_reason"]) for row in company.loads() if row["file_name"] == file)


def counting(company: Company) -> list[str]:
    loads = list_active_loads(company.workspace, company.books)
    return sorted(load.file_name.removesuffix(".csv") for load in loads)


DECEMBER = lines("2025-12", "900.00", "1100.00")
JANUARY = lines("2026-01", "1000.00", "1000.00")
FEBRUARY = lines("2026-02", "1000.00", "1100.00")


@pytest.mark.parametrize("mode", ["append", "replace_period", "refuse"])
@pytest.mark.parametrize("is_backfill", [True, False])
@pytest.mark.parametrize(
    ("february", "fragment"),
    [
        # 210,000.00 is 105 times 2,000.00.
        (lines("2026-02", "100000", "110000"), "+10,400 %"),
        (lines("2026-02", "1000.00"), "(-50 %), 2025-12 had 2,000.00 (-50 %); is a part missing?"),
        (lines("2026-02", "-1000.00", "-1100.00"), "the sign turned"),
        (lines("2026-02", "1000.00", "1000.00", currency="USD"), "another currency"),
    ],
)
def test_wrong_month_is_held_and_its_neighbours_count(
    tmp_path: Path, mode: str, is_backfill: bool, february: str, fragment: str
) -> None:
    """Whether the months come at once, without any history, or one after the other."""
    company = open_ledger(tmp_path, mode)
    if is_backfill:
        states = land(company, dec=DECEMBER, jan=JANUARY, feb=february)
    else:
        states = land(company, dec=DECEMBER) | land(company, jan=JANUARY)
        states |= land(company, feb=february)
    assert states == {"dec": "landed", "jan": "landed", "feb": "held"}
    assert fragment in reason(company, "feb.csv")
    assert counting(company) == ["dec", "jan"]
    company.books.close()


def test_late_line_does_not_hide_the_month_after_it(ledger: Company) -> None:
    """A line of January before a February in cents, as large as January itself."""
    february = lines("2026-01", "1900") + lines("2026-02", "100000", "110000")
    states = land(ledger, dec=DECEMBER, jan=JANUARY, feb=february)
    assert states == {"dec": "landed", "jan": "landed", "feb": "held"}
    text = reason(ledger, "feb.csv")
    # January would have 2,000.00 + 1,900.00.
    assert "2026-02 has 210,000.00 EUR" in text
    assert "2026-01 has 3,900.00 EUR" in text


def test_late_line_of_each_month_is_no_month_of_its_own(ledger: Company) -> None:
    """38 months, each with a line of the month before: 50.00 is not -98 % of 2,000.00."""
    months = [f"{2023 + n // 12}-{n % 12 + 1:02d}" for n in range(38)]
    files = {
        f"m{n:02d}": (lines(months[n - 1], "50.00") if n else "")
        + lines(month, "400.00", "400.00", "400.00", "400.00", "400.00", "50.00")
        for n, month in enumerate(months)
    }
    assert set(land(ledger, **files).values()) == {"landed"}


def test_first_lines_of_the_month_after_are_no_month_of_their_own(tmp_path: Path) -> None:
    """An export that reaches into July by an hour; July then comes whole and takes its place."""
    company = open_ledger(tmp_path, "replace_period")
    june = lines("2026-06", *["250.00"] * 8) + lines("2026-07", "1.00")
    land(company, may=lines("2026-05", *["250.00"] * 8))
    assert land(company, jun=june) == {"jun": "landed"}
    again = lines("2026-06", *["250.00"] * 8) + lines("2026-07", *["240.00"] * 8)
    assert land(company, jul=again) == {"jul": "landed"}
    company.books.close()


@pytest.mark.parametrize(
    ("february", "fragment"),
    [
        (lines("2026-02", "100000", "110000"), "2026-02 as delivered before had 2,100.00 (+9,900"),
        (lines("2026-02", "1000.00"), "2026-02 as delivered before had 2,100.00 (-52 %)"),
        (lines("2026-02", "-1000.00", "-1100.00"), "the sign turned"),
        (lines("2026-02", "1000.00", "1100.00", currency="USD"), "0.00 EUR of absolute amounts"),
        # As many lines of January as of February: no late line, and not January as it was.
        (lines("2026-01", "25.00", "25.00") + FEBRUARY, "2026-01 has 50.00 EUR"),
    ],
)
def test_redelivery_is_compared_with_what_it_replaces(
    tmp_path: Path, february: str, fragment: str
) -> None:
    company = open_ledger(tmp_path, "replace_period")
    land(company, jan=JANUARY, feb=FEBRUARY)
    assert land(company, feb2=february) == {"feb2": "held"}
    assert fragment in reason(company, "feb2.csv")
    assert counting(company) == ["feb", "jan"]
    company.books.close()


def test_late_lines_in_a_redelivery_do_not_take_the_place_of_their_month(tmp_path: Path) -> None:
    """One line of January beside February would replace January's 2,000.00 by 50.00."""
    company = open_ledger(tmp_path, "replace_period")
    land(company, jan=JANUARY, feb=FEBRUARY)
    assert land(company, feb2=lines("2026-01", "50.00") + FEBRUARY) == {"feb2": "refused"}
    assert counting(company) == ["feb", "jan"]
    company.books.close()


def test_redelivery_of_the_only_month_is_compared_with_it(tmp_path: Path) -> None:
    company = open_ledger(tmp_path, "replace_period")
    land(company, jan=JANUARY)
    assert land(company, jan2=lines("2026-01", "100000", "100000")) == {"jan2": "held"}
    company.books.close()


def test_files_of_a_month_count_as_their_sum(ledger: Company) -> None:
    """Three files of about 667 are 2,003.01, whether they come together or one after the other."""
    land(ledger, jan=JANUARY)
    thirds = {f"feb{n}": lines("2026-02", f"66{6 + n}.67") for n in range(3)}
    assert set(land(ledger, **thirds).values()) == {"landed"}
    for n in range(3):
        # Of February there were three files: one of March is not the whole of it yet.
        name = f"mar{n}"
        assert land(ledger, **{name: lines("2026-03", f"66{n}.00")}) == {name: "landed"}


def test_the_file_that_is_too_much_waits_and_the_others_of_its_month_count(ledger: Company) -> None:
    land(ledger, jan=JANUARY)
    states = land(
        ledger,
        a=lines("2026-02", "900.00"),
        b=lines("2026-02", "100000"),
        c=lines("2026-02", "800.00"),
    )
    assert states == {"a": "landed", "b": "held", "c": "landed"}


def test_same_records_in_a_second_currency_are_held(ledger: Company) -> None:
    land(ledger, jan=JANUARY, feb=FEBRUARY)
    usd = lines("2026-02", "1000.00", "1100.00", currency="USD")
    assert land(ledger, usd=usd) == {"usd": "held"}
    assert "just the same in EUR" in reason(ledger, "usd.csv")


def test_month_that_is_as_the_year_before_is_no_doubt(ledger: Company) -> None:
    """A bonus of every December: 6,000.00 after 2,000.00, as it was in 2024."""
    land(ledger, **{f"y{n}": lines(f"2024-{n:02d}", "1000.00", "1000.00") for n in range(9, 12)})
    assert land(ledger, bonus=lines("2024-12", "6000.00")) == {"bonus": "held"}
    decide_holds(ledger.workspace, ledger.books, "gl", [], "released", why="bonus")
    states = land(
        ledger,
        after=lines("2025-01", "2000.00"),
        before=lines("2025-11", "2000.00"),
        again=lines("2025-12", "6100.00"),
    )
    # January is near November 2024, the month before the one that stood out.
    assert states == {"after": "landed", "before": "landed", "again": "landed"}


def test_first_month_in_cents_is_the_one_that_waits(ledger: Company) -> None:
    first = lines("2025-12", "90000", "110000")
    states = land(ledger, dec=first, jan=JANUARY, feb=FEBRUARY)
    assert states == {"dec": "held", "jan": "landed", "feb": "landed"}
    assert "a hundred times as much" in reason(ledger, "dec.csv")


def test_first_delivery_without_any_decimals_is_asked_about(tmp_path: Path) -> None:
    company = open_ledger(tmp_path)
    assert land(company, jan=lines("2026-01", "100000", "110000")) == {"jan": "held"}
    assert "none of its 2 amounts has decimals" in reason(company, "jan.csv")
    # The workspace may say that its amounts are whole: the hold is lifted.
    changed = change_ledger(company, settings="holds: {whole_amounts: accept}")
    assert land(changed) == {"jan": "lifted"}
    assert counting(changed) == ["jan"]
    assert "hold lifted gl/jan.csv" in changed.audit_actions()
    # Written with decimals, the same amounts are in units; yen have no hundredths.
    other = open_ledger(tmp_path / "other")
    assert land(other, jan=lines("2026-01", "100000.00", "110000.00")) == {"jan": "landed"}
    assert land(other, yen=lines("2026-01", "1234", "5678", currency="JPY")) == {"yen": "landed"}
    for opened in (company, changed, other):
        opened.books.close()


def test_few_small_amounts_without_decimals_are_not_asked_about(tmp_path: Path) -> None:
    """200 and 60 are written so by people; 60 cents in a ledger of two lines are not."""
    company = open_ledger(tmp_path)
    assert land(company, jan=lines("2026-01", "200", "60")) == {"jan": "landed"}
    company.books.close()
    many = open_ledger(tmp_path / "many")
    assert land(many, jan=lines("2026-01", *["200"] * 20)) == {"jan": "held"}
    many.books.close()


def test_months_within_a_first_file_differ_by_nature_but_not_a_hundredfold(
    ledger: Company,
) -> None:
    year = DECEMBER + lines("2026-01", "9000.00", "900.00") + FEBRUARY
    assert land(ledger, year=year) == {"year": "landed"}


def test_month_in_cents_within_a_first_file_is_held(ledger: Company) -> None:
    year = DECEMBER + lines("2026-01", "100000.00", "100000.00") + FEBRUARY
    assert land(ledger, year=year) == {"year": "held"}


def test_running_month_may_be_incomplete(ledger: Company) -> None:
    """An export of a month that is not over has less than a month, and is no doubt."""
    from datetime import date

    from pipelines.landing.settle_holds import settle_source

    land(ledger, dec=DECEMBER, jan=JANUARY)
    assert land(ledger, feb=lines("2026-02", "300.00")) == {"feb": "held"}
    config = ledger.workspace.config
    with ledger.books.begin() as connection:
        day = date(2026, 2, 5)
        (feb,) = settle_source(connection, "gl", config.sources["gl"], config.holds, day)
    assert (feb.reason, feb.was_held) == (None, True)


def test_small_part_of_a_source_waits_for_tenfold_differences_only(ledger: Company) -> None:
    """One posting in CHF among a hundred: it moves far from month to month."""
    many = ["20.00"] * 100
    land(ledger, jan=lines("2026-01", *many) + lines("2026-01", "40.00", currency="CHF"))
    february = lines("2026-02", *many) + lines("2026-02", "-90.00", currency="CHF")
    assert land(ledger, feb=february) == {"feb": "landed"}
    march = lines("2026-03", *many) + lines("2026-03", "4000", currency="CHF")
    assert land(ledger, mar=march) == {"mar": "held"}


def test_limit_of_the_workspace_and_of_a_source(tmp_path: Path) -> None:
    company = open_ledger(tmp_path, settings="holds: {above_percent: 300}")
    land(company, jan=JANUARY)
    assert land(company, feb=lines("2026-02", "8000.00")) == {"feb": "landed"}
    assert land(company, mar=lines("2026-03", "40000.00")) == {"mar": "held"}
    company.books.close()


def test_corrected_mapping_lifts_the_hold(ledger: Company) -> None:
    """By points as thousands 1.000 and 1.100 are 2,100.00, by the first mapping they are 2.10."""
    land(ledger, dec=DECEMBER, jan=JANUARY)
    assert land(ledger, feb=lines("2026-02", "1.000", "1.100")) == {"feb": "held"}
    assert "2026-02 has 2.10 EUR" in reason(ledger, "feb.csv")
    corrected = MAPPING + 'decimal_mark: ","\nthousands_mark: "."\n'
    opened = change_ledger(ledger, mapping=corrected)
    # Nobody has to ask for it: what waits counts for nothing yet.
    assert land(opened) == {"feb": "landed"}
    assert counting(opened) == ["dec", "feb", "jan"]
    assert "hold lifted gl/feb.csv" not in opened.audit_actions()
    opened.books.close()


def test_bulk_decision_has_one_reason_and_is_whole(ledger: Company) -> None:
    land(ledger, dec=DECEMBER, jan=JANUARY)
    wrong = {f"w{n}": lines(f"2026-0{n}", "90000.00") for n in (2, 3, 4)}
    assert set(land(ledger, **wrong).values()) == {"held"}
    with pytest.raises(UsageError, match="needs a reason"):
        decide_holds(ledger.workspace, ledger.books, None, [], "released", why=" ")
    with pytest.raises(UsageError, match="no delivery on hold called 'x'"):
        decide_holds(ledger.workspace, ledger.books, "gl", ["w2.csv", "x"], "released", why="y")
    assert counting(ledger) == ["dec", "jan"]
    two = ["w3.csv", "w2.csv"]
    rows = decide_holds(ledger.workspace, ledger.books, "gl", two, "released", why="new contract")
    assert [row.file_name for row in rows] == ["w2.csv", "w3.csv"]
    decide_holds(ledger.workspace, ledger.books, None, [], "discarded", why="cents")
    assert counting(ledger) == ["dec", "jan", "w2", "w3"]
    from pipelines.books.tables import hold_decisions

    with ledger.books.read() as connection:
        decisions = connection.execute(hold_decisions.select()).all()
    assert [row.why for row in decisions] == ["new contract", "new contract", "cents"]


def test_landing_that_was_cut_off_is_settled_by_the_next(
    ledger: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What landed and was not compared counts for nothing until it is."""
    from pipelines.landing import land as module

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, "settle_landing", stop)
        with pytest.raises(KeyboardInterrupt):
            land(ledger, dec=DECEMBER, jan=JANUARY)
    assert counting(ledger) == []
    land(ledger)
    assert counting(ledger) == ["dec", "jan"]


def test_a_later_delivery_of_the_month_ends_the_hold(tmp_path: Path) -> None:
    """The sender corrects February: the file in cents waits for nothing any more."""
    company = open_ledger(tmp_path, "replace_period")
    land(company, dec=DECEMBER, jan=JANUARY)
    assert land(company, feb=lines("2026-02", "100000", "110000")) == {"feb": "held"}
    assert land(company, feb2=FEBRUARY) == {"feb2": "landed"}
    states = {load.file_name: load.state for load in list_loads(company.workspace, company.books)}
    assert states["feb.csv"] == "superseded"
    company.books.close()


def test_every_command_that_leaves_a_hold_says_so(
    ledger: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    from pipelines.cli.main import run

    land(ledger, dec=DECEMBER, jan=JANUARY)
    wrong = {f"w{n}": lines(f"2026-0{n}", "90000.00") for n in (2, 3, 4)}
    land(ledger, **wrong)
    where = ["--workspace", str(ledger.workspace.root)]
    for _ in range(2):
        # Nothing new: the hold of before is said again.
        assert run(["land", *where]) == 3
        said = capsys.readouterr().out
        assert "gl: 3 deliveries are on hold (2026-02 to 2026-04) and not in the figures" in said
        assert "apportion loads release gl --all --why REASON" in said
    run(["loads", "list", "--held", "--json", *where])
    assert len(json.loads(capsys.readouterr().out)["loads"]) == 3
    assert run(["loads", "release", "gl", "--why", "x", *where]) == 2
    assert run(["loads", "release", "gl", "--all", "--why", "x", *where]) == 0
    assert "gl/w2.csv is released." in capsys.readouterr().out
    assert run(["land", *where]) == 0


def test_first_landing_shows_its_holds_as_one_decision(
    ledger: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    from pipelines.cli.main import run

    for n in range(1, 10):
        amount = "90000.00" if n % 3 == 0 else "2000.00"
        content = f"date,amount,cur\n{lines(f'2026-0{n}', amount, amount)}"
        ledger.put(content.encode(), f"gl/m{n}.csv")
    assert run(["land", "--workspace", str(ledger.workspace.root)]) == 3
    said = capsys.readouterr().out
    assert "6 files landed (18 records), 3 on hold" in said
    assert "gl: 3 deliveries are on hold, to be decided on as one" in said


def test_first_file_of_two_months_with_few_lines_is_not_judged(ledger: Company) -> None:
    """One line of 1,000.00 in January does not say that 600,100.00 in February is too much."""
    first = lines("2026-01", "1000.00") + lines("2026-02", "300000.00", "300000.00", "100.00")
    assert land(ledger, first=first) == {"first": "landed"}


def test_month_too_large_among_several_of_a_first_file_is_held(ledger: Company) -> None:
    """January and February of 1,000.00 say that 100,000.00 in March is too much."""
    months = lines("2026-01", "1000.00") + lines("2026-02", "1000.00")
    assert land(ledger, first=months + lines("2026-03", "100000.50")) == {"first": "held"}


def test_few_unlike_months_of_a_first_file_do_not_judge_each_other(ledger: Company) -> None:
    """A month that has only a refund, and months from 1,000.00 to 600,000.00."""
    refund = lines("2026-01", "1250.00") + lines("2026-02", "89.99") + lines("2026-03", "-200.50")
    assert land(ledger, refund=refund) == {"refund": "landed"}


def test_first_file_of_unlike_sizes_lands(ledger: Company) -> None:
    sizes = ("240000.00", "600000.00", "11260.00", "1000.50", "8960.00", "1100.00", "1500000.00")
    content = "".join(lines(f"2026-0{n}", size) for n, size in enumerate(sizes, start=1))
    assert land(ledger, first=content) == {"first": "landed"}


def test_month_of_a_first_file_with_many_records_whose_sign_turned_is_held(ledger: Company) -> None:
    """Six lines in each month: a month of credits alone is no single refund."""
    months = "".join(lines(f"2026-0{n}", *["100.50"] * 6) for n in (1, 2))
    turned = lines("2026-03", *["-100.50"] * 6)
    assert land(ledger, first=months + turned) == {"first": "held"}
