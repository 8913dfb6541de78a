"""Codes made from names: by the name alone, one for each, kept and shown."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
import yaml

from pipelines.books.books import Books
from pipelines.landing.land import LoadResult, land_inbox
from pipelines.landing.name_table import list_named_codes
from pipelines.readers.name_codes import find_told_codes, make_codes
from pipelines.workspace.init_workspace import init_workspace
from pipelines.workspace.workspace import Workspace

HEADER = "line_id,posting_date,Account,amount_local\n"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Computer Hardware", "computer-hardware"),
        ("COMPUTER \u00a0 HARDWARE ", "computer-hardware"),
        ("Research & Development", "research-and-development"),
        ("Öffentlichkeit / Straße", "oeffentlichkeit-strasse"),
        ("Électricité", "electricite"),
        ("C++", "c-plus-plus"),
        ("--", None),
    ],
)
def test_code_of_a_name(name: str, code: str | None) -> None:
    assert make_codes([name]) == [code]


def test_letters_that_no_code_has_leave_a_hash() -> None:
    one, other, long = make_codes(["Отдел IT", "会計", "x" * 150])
    assert one.startswith("it-")
    assert len(one) == len("it-") + 8
    assert other.startswith("n-")
    assert len(long) == 100 + 1 + 8
    assert make_codes(["отдел it"]) == [one]


def test_names_of_one_code_are_told_apart() -> None:
    names = ["Security (Guards)", "SECURITY (GUARDS)", "Security - Guards", "Other"]
    assert find_told_codes(names) == {"Security - Guards": "security-guards-2"} or (
        find_told_codes(names) == {"SECURITY (GUARDS)": "security-guards-2"}
    )


class _Company:
    """A workspace whose ledger names its accounts."""

    def __init__(self, root: Path) -> None:
        init_workspace(root / "acme", "empty")
        self.root = root / "acme"
        config = yaml.safe_load((self.root / "apportion.yml").read_text("utf-8"))
        config["sources"]["general_ledger"] |= {"mapping": "named", "redelivery": "append"}
        (self.root / "apportion.yml").write_text(yaml.safe_dump(config), "utf-8")
        (self.root / "mappings").mkdir(exist_ok=True)
        self.tell("from_name")

    def tell(self, names: object) -> None:
        mapping = {
            "mapping_id": "named",
            "contract": "general_ledger",
            "description": "Accounts by name.",
            "period_from": "posting_date",
            "identifiers": {"account_id": names},
            "constants": {
                "legal_entity_id": "main",
                "cost_centre_id": "it",
                "currency_code": "EUR",
            },
            "columns": {
                "line_id": "line_id",
                "posting_date": "posting_date",
                "account_id": "Account",
                "amount_local": "amount_local",
            },
        }
        (self.root / "mappings" / "named.yml").write_text(yaml.safe_dump(mapping), "utf-8")

    def land(self, name: str, *accounts: str) -> LoadResult:
        rows = [f"{name}-{n},2026-01-31,{a},1.50\n" for n, a in enumerate(accounts)]
        path = self.root / "inbox" / "general_ledger" / f"{name}.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(HEADER + "".join(rows), "utf-8")
        space = Workspace.open(self.root)
        results = land_inbox(space, Books.open(space))
        return next(result for result in results if result.file_name == f"{name}.csv")


def test_codes_land_and_are_kept_with_their_names(tmp_path: Path) -> None:
    company = _Company(tmp_path)
    result = company.land("one", "IT Staff", "it staff", "Cloud", " ")
    assert (result.records_accepted, result.records_quarantined) == (3, 1)
    assert any("2 codes of account_id made from names" in note for note in result.notes)
    space = Workspace.open(company.root)
    path = space.lake / "general_ledger" / result.sha256 / "records.parquet"
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"select account_id, count(*) from '{path}' group by 1 order by 1"
        ).fetchall()
    assert rows == [("cloud", 1), ("it-staff", 2)]
    codes = list_named_codes(space, Books.open(space))
    found = [(item.code, item.name, item.records) for item in codes if item.code]
    assert found == [
        ("cloud", "Cloud", 1),
        ("it-staff", "IT Staff", 1),
        ("it-staff", "it staff", 1),
    ]


def test_one_code_of_two_names_refuses_the_delivery(tmp_path: Path) -> None:
    company = _Company(tmp_path)
    result = company.land("one", "Guards (Day)", "Guards - Day")
    assert result.state == "refused"
    assert "guards-day for 'Guards (Day)' and for 'Guards - Day'" in result.message
    company.tell({"codes": {"Guards - Day": "guards-day-2"}})
    assert company.land("one", "Guards (Day)", "Guards - Day").records_accepted == 2


def test_one_code_of_two_deliveries_refuses_the_second(tmp_path: Path) -> None:
    company = _Company(tmp_path)
    assert company.land("one", "Guards (Day)").state == "landed"
    result = company.land("two", "Guards - Day")
    assert result.state == "refused"
    assert "guards-day for 'Guards (Day)' and for 'Guards - Day'" in result.message
    # Both told one code, they are one thing.
    company.tell({"codes": {"Guards - Day": "guards-day"}})
    assert company.land("two", "Guards - Day").state == "landed"
