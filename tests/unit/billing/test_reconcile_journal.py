"""What came back in the ledger, against a journal of March that credits 100.00 for mail and 20.00
for hosting to the recovery account 9900, and a mark-up of 3.00 to 9910, all in DE01."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from pipelines.billing.export_journal import export_journal
from pipelines.billing.journal import Entry, Journal
from pipelines.billing.reconcile_journal import Posting, compare, reconcile_journal
from pipelines.books.books import BOOKS_URL_VARIABLE, Books
from pipelines.cli.main import run
from pipelines.errors import ControlError
from pipelines.warehouse.publication import Publication, PublishedFile, write_publication
from pipelines.workspace.workspace import Workspace
from tests.closed_periods import close_period

from .test_journal import CONFIG, MARTS

REFERENCE, REPLACED, OTHER = "IT202603V2AAAA", "IT202603V1BBBB", "IT202602V1CCCC"
EXPORTED = {REFERENCE: "2026-03", REPLACED: "2026-03", OTHER: "2026-02"}
RECOVERY, MARK_UP = ("DE01", "9900"), ("DE01", "9910")
DUE = {RECOVERY: Decimal("-120.00"), MARK_UP: Decimal("-3.00")}
JOURNAL = Journal(
    "2026-03",
    2,
    date(2026, 3, 31),
    "EUR",
    REFERENCE,
    tuple(
        Entry("DE01", account, "IT1", Decimal(0), Decimal(amount), "", text)
        for account, amount, text in (
            ("9900", "100.00", "IT 2026-03 Mail"),
            ("9900", "20.00", "IT 2026-03 Hosting"),
            ("9910", "3.00", "IT 2026-03 Mail, mark-up"),
        )
    ),
    Decimal("123.00"),
)
MARK_UP_POSTED = ("2026-04", "9910", "-3.00", REFERENCE, None)

# Postings (month, account, amount, document, text) -> what is found on 9900.
Row = tuple[str, str, str, str | None, str | None]

CASES: dict[str, tuple[list[Row], list[tuple[str, str]]]] = {
    "named by its document": (
        [("2026-04", "9900", "-100.00", f"X-{REFERENCE}", None),
         ("2026-04", "9900", "-20.00", f"X-{REFERENCE}", None)],
        [("posted", "-120.00")],
    ),
    "named by a text, months later": (
        [("2026-06", "9900", "-120.00", "4711", f"chargeback {REFERENCE}")],
        [("posted", "-120.00")],
    ),
    "the texts of its entries, in its own month": (
        [("2026-03", "9900", "-100.00", "1", "IT 2026-03 Mail"),
         ("2026-03", "9900", "-20.00", "1", "IT 2026-03 Hosting")],
        [("posted", "-120.00")],
    ),
    "nothing but the amount": (
        [("2026-04", "9900", "-90.00", "7", "IT"), ("2026-04", "9900", "-30.00", "8", None)],
        [("posted", "-120.00")],
    ),
    "one document of that amount, and one by hand": (
        [("2026-04", "9900", "-120.00", "7", None), ("2026-04", "9900", "-1.50", "8", None)],
        [("posted", "-120.00"), ("by_hand", "-1.50")],
    ),
    "nothing yet": ([], [("not_posted", "0.00")]),
    "the amount, in a month that is not the next": (
        [("2026-05", "9900", "-120.00", "7", None)], [("not_posted", "0.00")],
    ),
    "twice by name": (
        [("2026-04", "9900", "-120.00", REFERENCE, None),
         ("2026-05", "9900", "-120.00", REFERENCE, None)],
        [("posted_twice", "-240.00")],
    ),
    "twice by amount": (
        [("2026-04", "9900", "-120.00", "7", None), ("2026-04", "9900", "-120.00", "8", None)],
        [("posted_twice", "-240.00")],
    ),
    "a cent less": (
        [("2026-04", "9900", "-119.99", REFERENCE, None)], [("other_amount", "-119.99")],
    ),
    "half of it": ([("2026-04", "9900", "-60.00", REFERENCE, None)], [("other_amount", "-60.00")]),
    "with the wrong sign": (
        [("2026-04", "9900", "120.00", REFERENCE, None)], [("other_amount", "120.00")],
    ),
    "a version that was replaced, beside it": (
        [("2026-04", "9900", "-120.00", REFERENCE, None),
         ("2026-04", "9900", "-110.00", REPLACED, None)],
        [("posted", "-120.00"), ("replaced", "-110.00")],
    ),
    "the journal of another month": (
        [("2026-04", "9900", "-120.00", REFERENCE, None),
         ("2026-04", "9900", "-80.00", OTHER, None)],
        [("posted", "-120.00")],
    ),
}  # fmt: skip


def make_postings(rows: list[Row]) -> list[Posting]:
    return [
        Posting(period, str(number), "DE01", account, document, text, Decimal(amount))
        for number, (period, account, amount, document, text) in enumerate(rows)
    ]


@pytest.mark.parametrize("name", CASES)
def test_what_is_found_is_named(name: str) -> None:
    rows, expected = CASES[name]
    postings = make_postings([*rows, MARK_UP_POSTED])
    findings = compare(JOURNAL, DUE, postings, EXPORTED, "2026-04")
    found = [(f.state, str(f.posted)) for f in findings if f.account_id == "9900"]
    assert found == expected
    assert [f.state for f in findings if f.account_id == "9910"] == ["posted"]


def test_what_was_never_exported_is_posted_by_hand() -> None:
    postings = make_postings([("2026-04", "9900", "-120.00", "7", None)])
    (finding,) = compare(JOURNAL, {}, postings, {}, "2026-04")
    assert (finding.state, finding.difference) == ("by_hand", Decimal("-120.00"))
    assert finding.explanation == "posted by hand, of no exported journal: 2026-04, 7"


def test_ledger_that_has_not_come_is_told_apart() -> None:
    states = {f.explanation for f in compare(JOURNAL, DUE, [], EXPORTED, None)}
    assert states == {"the ledger of the next month has not been delivered"}


LEDGER = """
create or replace table dim_periods as
    select period_id, '2026-05-01'::date as period_end, 'open' as period_state, true as has_actuals
    from (values ('2026-03'), ('2026-04')) as t (period_id);
create table fct_ledger_lines as
    select 'actual' as scenario_id, '2026-04' as period_id, id as ledger_line_id,
        'DE01' as legal_entity_id, account as account_id, 'JE7' as document_id,
        text as description, currency as currency_code, local::decimal(38, 12) as amount_local,
        amount::decimal(38, 8) as amount, disposition
    from (values
        ('a', '9900', 'IT 2026-03 Mail', 'EUR', -180.10, -180.10, 'recovery'),
        ('b', '9900', 'IT 2026-03 =ERP', 'USD', 5.50, 5.00, 'recovery'),
        ('c', '6000', 'IT 2026-03 Mail', 'EUR', 77.00, 77.00, 'allocated')
    ) as t (id, account, text, currency, local, amount, disposition);
"""


def test_journal_of_a_workspace_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The journal of test_journal credits mail 180.10 and debits ERP 5.00 on 9900."""
    monkeypatch.delenv(BOOKS_URL_VARIABLE, raising=False)
    (tmp_path / "apportion.yml").write_text(CONFIG, "utf-8")
    (tmp_path / "warehouse").mkdir()
    with duckdb.connect(str(tmp_path / "warehouse" / "run-1.duckdb")) as connection:
        connection.execute(MARTS + LEDGER)
    workspace = Workspace.open(tmp_path)
    file = PublishedFile("run-1.duckdb", "open", "", 0)
    write_publication(workspace, Publication("1", "", "", (file,)))
    books = Books.open(workspace)
    with pytest.raises(ControlError, match="2026-03 is open: only a closed period was posted"):
        reconcile_journal(workspace, books, "2026-03")
    close_period(books, "2026-03")
    assert not reconcile_journal(workspace, books, "2026-03").is_exported
    export_journal(workspace, books, "2026-03")
    done = reconcile_journal(workspace, books, "2026-03")
    books.close()
    assert done.ties
    assert [(f.account_id, str(f.exported), str(f.posted)) for f in done.findings] == [
        ("9900", "-175.10", "-175.10")
    ]
    assert run(["reconcile", "2026-03", "-w", str(tmp_path)]) == 0
    assert "posted" in capsys.readouterr().out
    with duckdb.connect(str(tmp_path / "warehouse" / "run-1.duckdb")) as connection:
        connection.execute(
            "update marts.fct_ledger_lines set amount_local = -180 where currency_code = 'EUR'"
        )
    assert run(["reconcile", "2026-03", "--json", "-w", str(tmp_path)]) == 4
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["state"], finding["difference"]) == ("other_amount", "0.10")
