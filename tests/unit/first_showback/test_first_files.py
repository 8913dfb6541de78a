"""The files of the first day: lists of business units, groups of accounts, ledger exports."""

from __future__ import annotations

import gzip
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import yaml

from pipelines.books.books import Books
from pipelines.errors import UsageError
from pipelines.first_showback.account_groups import AccountGroup, group_accounts
from pipelines.first_showback.ledger_export import read_ledger_export
from pipelines.first_showback.unit_list import BusinessUnit, read_unit_list
from pipelines.first_showback.write_first_showback import FirstFiles
from pipelines.landing.land import land_inbox
from pipelines.workspace.init_workspace import init_first_showback

LEDGER = "Date,Account,Department,Amount\n2026-03-31,64001,9050,1.50\n2026-03-01,61000,9050,2\n"


def _write(directory: Path, text: str, name: str = "units.csv") -> Path:
    path = directory / name
    path.write_text(text, "utf-8")
    return path


def test_cells_and_rows_may_hold_the_cost_centres_of_a_unit(tmp_path: Path) -> None:
    text = "Division;Cost center;FTE\nSales South;C1, C2;4,5\nOperations;C9;7\nSales South;C3;1\n"
    assert read_unit_list(_write(tmp_path, text)) == [
        BusinessUnit("sales-south", "Sales South", ("C1", "C2", "C3"), Decimal("5.5")),
        BusinessUnit("operations", "Operations", ("C9",), Decimal(7)),
    ]


def test_a_unit_without_cost_centres_is_its_own(tmp_path: Path) -> None:
    units = read_unit_list(_write(tmp_path, "Name,Comment\nÖffentlichkeit,x\nHR,y\n"))
    assert [unit.cost_centres for unit in units] == [("oeffentlichkeit",), ("hr",)]
    assert [unit.heads for unit in units] == [None, None]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Unit,Heads\nA,1\nB,\n", "heads for every business unit, or no such column, found none"),
        ("Unit,Heads\nA,0\nB,0\n", "has no heads at all"),
        ("Unit,Heads\nA,1.200\nB,3\n", "record 1; expected heads such as 1200 or 37.5"),
        ("Unit,Heads\nA,-1\nB,3\n", "record 1; expected heads"),
        ("Unit,Cost centre\nA,C1\nB,C1\n", "gives the cost centre C1 to two business units"),
        ("Unit,Cost centre\nA,C1\nB,\n", "record 2; expected a cost centre, found nothing"),
        ("Unit,Cost centre\n*,C1\n", "expected a name of letters or digits"),
        ("Colour,Shape\nred,round\n", "names no business unit"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_unit_list(_write(tmp_path, text))


def test_accounts_that_begin_alike_are_a_group() -> None:
    names = {"6400": "Software", "6410": "Cloud", "6420": "Support", "6100": "Staff"}
    assert group_accounts(["6410", "6400", "6420", "6100", "6700"], names) == [
        AccountGroup("61", "61*", "Staff"),
        AccountGroup("64", "64*", "Software, Cloud, …"),
        AccountGroup("67", "67*", "Accounts 67xx"),
    ]


def test_many_beginnings_are_grouped_by_one_digit_less() -> None:
    accounts = [f"{number}0" for number in range(10, 100)]
    assert [group.glob for group in group_accounts(accounts, {})] == [f"{n}*" for n in range(1, 10)]


def test_accounts_without_a_pattern_are_groups_of_their_own_or_none() -> None:
    assert [g.glob for g in group_accounts(["HW", "SW1"], {"HW": "Hardware"})] == ["HW", "SW1"]
    assert group_accounts(["A*", "B"], {}) == []
    assert group_accounts([f"X{n}" for n in range(40)], {}) == []
    assert group_accounts([], {}) == []


def test_accounts_and_months_beyond_the_head_are_found(tmp_path: Path) -> None:
    lines = [f"2026-03-31,64001,9050,{n}.50\n" for n in range(600)]
    text = "Date,Account,Department,Amount\n" + "".join(lines) + "2027-01-31,69999,9050,1\n"
    path = tmp_path / "gl.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    assert set(read_ledger_export(path, None).accounts) == {"64001", "69999"}
    workspace, _ = init_first_showback(tmp_path / "ws", FirstFiles(ledger=path))
    calendar = workspace.config.calendar
    assert (calendar.first_period, calendar.last_period) == ("2026-03", "2027-12")


def test_what_an_export_lacks_is_filled_in_and_said(tmp_path: Path) -> None:
    ledger = _write(tmp_path, LEDGER.replace("Department", "Remark"), "gl.csv")
    files = FirstFiles(ledger=ledger, currency="CHF")
    workspace, showback = init_first_showback(tmp_path / "ws", files)
    mapping = yaml.safe_load((workspace.mappings / "ledger.yml").read_text("utf-8"))
    assert mapping["constants"] == {
        "legal_entity_id": "main",
        "cost_centre_id": "it",
        "currency_code": "CHF",
    }
    # The currency was said, the other two are proposed.
    assert sum(item.startswith("constants.") for item in showback.decisions) == 2
    assert workspace.config.currency == "CHF"


def test_a_ledger_by_period_has_its_postings_on_the_last_day(tmp_path: Path) -> None:
    ledger = _write(tmp_path, "Period,Account,Amount\n2028-02,64001,1.50\n", "gl.csv")
    workspace, _ = init_first_showback(tmp_path / "ws", FirstFiles(ledger=ledger))
    (result,) = land_inbox(workspace, Books.open(workspace))
    assert (result.state, result.records_accepted, result.reasons) == ("landed", 1, ())
    path = workspace.lake / "general_ledger" / result.sha256 / "records.parquet"
    with duckdb.connect() as connection:
        row = connection.execute(f"select posting_date, period_id from '{path}'").fetchone()
    assert row == (date(2028, 2, 29), "2028-02")  # 2028 is a leap year


def test_a_chart_of_accounts_names_the_pools(tmp_path: Path) -> None:
    ledger = _write(tmp_path, LEDGER, "gl.csv")
    chart = _write(tmp_path, "Account,Account name\n64001,Licences\n61000,Helpers\n", "coa.csv")
    files = FirstFiles(ledger=ledger, accounts=chart)
    workspace, showback = init_first_showback(tmp_path / "ws", files)
    assert [group.name for group in showback.groups] == ["Helpers", "Licences"]
    delivered = (workspace.inbox / "chart_of_accounts" / "accounts.csv").read_text("utf-8")
    assert delivered.split("\n")[1] == "64001,Licences,expense"


def test_an_export_may_name_its_accounts(tmp_path: Path) -> None:
    text = (
        "Konto;Kontobezeichnung;Beschreibung;Buchungsdatum;Betrag\n"
        "6400;;Lizenz;31.03.2026;1,50\n6400;Software;Lizenz;31.03.2026;2,50\n"
    )
    ledger = _write(tmp_path, text, "gl.csv")
    assert read_ledger_export(ledger, None).accounts == {"6400": "Software"}


def test_a_refused_file_leaves_no_workspace(tmp_path: Path) -> None:
    units = _write(tmp_path, "Unit,Heads\nA,1\nB,\n")
    ledger = _write(tmp_path, LEDGER, "gl.csv")
    with pytest.raises(UsageError, match="lacks heads"):
        init_first_showback(tmp_path / "ws", FirstFiles(ledger=ledger, units=units))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gl.csv", "units.csv"]
