"""Disputes, adjustments, previews and answers through the commands, on published marts by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.books.books import BOOKS_URL_VARIABLE, Books
from pipelines.books.person import act_as
from pipelines.cli.main import run
from pipelines.close.figures import read_figures
from pipelines.close.period_states import calculate
from pipelines.warehouse.reader import open_published
from pipelines.workspace.workspace import Workspace
from tests.app.marts import FEB, JAN, build_company, publish

CONFIG = """\
name: Small company
currency: EUR
is_demo: true
calendar: {first_period: 2026-01, last_period: 2026-12}
control_total: {source: ledger}
sources: {ledger: {contract: general_ledger, inbox: "ledger/*"}}
"""


class Commands:
    """The commands of one workspace, in this process."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._capsys = capsys

    def run(self, *arguments: str, code: int = 0) -> str:
        """What a command prints; what it complains about where it fails with `code`."""
        found = run([*arguments, "-w", str(self.root)])
        printed = self._capsys.readouterr()
        assert found == code, printed
        return printed.out if code == 0 else printed.err

    def ask(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json"))


@pytest.fixture
def commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Commands:
    monkeypatch.delenv(BOOKS_URL_VARIABLE, raising=False)
    publish(tmp_path, build_company())
    (tmp_path / "apportion.yml").write_text(CONFIG, "utf-8")
    return Commands(tmp_path, capsys)


MAIL = ("--service", "mail", "--cost-centre", "CC10")


def test_dispute_goes_from_open_to_accepted(commands: Commands) -> None:
    assert "There is none" in commands.run("dispute", "list")
    said = commands.run(
        *("dispute", "open", FEB, *MAIL, "--amount", "100.50", "--why", "14 seats, not 31"),
        *("--as", "Olga"),
    )
    assert "is open: 100.50 EUR of 240.00 for E-mail, Field sales, 2026-02" in said
    (listed,) = commands.ask("dispute", "list", "--state", "open")["disputes"]
    name = listed["dispute_id"]
    assert (listed["asked_amount"], listed["days_open"], listed["age"]) == ("-100.50", 0, "0-30")
    assert listed["business_unit_id"] == "SAL"
    commands.run("dispute", "comment", name, "Which accounts?", "--as", "Finn")
    refused = commands.run("dispute", "accept", name, "--why", "x", "--as", "OLGA", code=4)
    assert f"Olga opened {name}; somebody else must accept it" in refused
    accepted = ("dispute", "accept", name, "--amount", "80", "--why", "right", "--as", "Finn")
    assert "-80.00 EUR as adjustment on the bills of 2026-02" in commands.run(*accepted)
    assert f"{name} is accepted, by Finn" in commands.run(*accepted, code=4)
    shown = commands.ask("dispute", "show", name)
    assert [one["message"] for one in shown["messages"]] == ["Which accounts?"]
    assert (shown["posting_period_id"], shown["adjusted_amount"]) == (FEB, "-80.00")
    conversation = commands.run("dispute", "show", name)
    assert conversation.index("14 seats") < conversation.index("Which accounts?")
    assert "accepted: right" in conversation


def test_wrong_use_is_told(commands: Commands) -> None:
    opening = ("dispute", "open", FEB, "--why", "x", "--as", "Olga")
    for arguments, message in (
        (("--service", "mail", "--cost-centre", "CC99"), "mail is charged to: CC10, CC11, CC20"),
        (("--service", "mail"), "a line is named by --service and --cost-centre, or by --item"),
        ((*MAIL, "--item", "x"), "name the line by --item, or by --service"),
        ((*MAIL, "--amount", "much"), "--amount expects an amount such as 120.00"),
        ((*MAIL, "--amount", "240.01"), "or say --above-line"),
    ):
        assert message in commands.run(*opening, *arguments, code=2)
    assert "--state expects one of" in commands.run("dispute", "list", "--state", "late", code=2)
    both = ("--credit", "1", "--debit", "1", "--why", "x")
    assert "either --credit or --debit" in commands.run("adjust", FEB, *MAIL, *both, code=2)


def test_finance_adjusts_and_another_one_accepts(commands: Commands) -> None:
    proposed = commands.ask(
        *("adjust", JAN, *MAIL, "--credit", "12", "--kind", "service_credit"),
        *("--why", "two days down", "--as", "Finn"),
    )
    name = proposed["dispute_id"]
    assert (proposed["asked_amount"], proposed["raised_by"]) == ("-12.00", "finance")
    accepting = ("dispute", "accept", name, "--why", "agreed", "--as")
    assert "somebody else must accept" in commands.run(*accepting, "Finn", code=4)
    assert "-12.00 EUR as service credit on the bills of 2026-01" in commands.run(
        *accepting, "Anton"
    )
    assert "asked for" in commands.run("dispute", "list")


def test_who_opened_it_withdraws_it_and_another_one_is_rejected(commands: Commands) -> None:
    opening = ("dispute", "open", FEB, *MAIL, "--why", "too much", "--as", "Olga")
    first = commands.ask(*opening)["dispute_id"]
    assert f"{first} of Olga is open on the same line" in commands.run(*opening, code=4)
    withdrawing = ("dispute", "withdraw", first, "--why", "found it", "--as")
    assert "you may reject it" in commands.run(*withdrawing, "Finn", code=4)
    assert f"{first} is withdrawn by Olga" in commands.run(*withdrawing, "Olga")
    second = commands.ask(*opening)["dispute_id"]
    rejected = commands.run("dispute", "reject", second, "--why", "no", "--as", "Finn")
    assert f"{second} is rejected by Finn" in rejected


def test_bills_are_sent_and_answered(commands: Commands) -> None:
    unsent = ("answer", FEB, "--business-unit", "SAL", "--acknowledge", "--as", "Olga")
    assert "were not sent for preview yet" in commands.run(*unsent, code=4)
    space = Workspace.open(commands.root)
    books = Books.open(space)
    with books.begin() as connection:
        connection.exec_driver_sql(
            "insert into runs (run_id, fingerprint, state, started_at, person_name, steps) "
            "values ('run-1', '', 'published', '', '', '[]')"
        )
    with open_published(space) as marts, act_as("Petra", is_demo=True):
        calculate(books, FEB, read_figures(marts, FEB))
    books.close()
    sent = commands.run("period", "preview", FEB, "--days", "3", "--as", "Petra")
    assert "The bills of 2026-02 are sent for preview" in sent
    assert "acknowledged the bill of Sales for 2026-02: 450.00" in commands.run(*unsent)
    assert "somebody else must acknowledge" in commands.run(*unsent[:-1], "Petra", code=4)
    commented = commands.ask(
        *("answer", FEB, "--business-unit", "FIN", "--comment", "why so much?", "--as", "Fred")
    )
    assert (commented["answer"], commented["amount"]) == ("commented", "400.00")
    unknown = ("answer", FEB, "--business-unit", "HR", "--acknowledge")
    assert "no bill of 'HR' in 2026-02; there is one of FIN, SAL" in commands.run(*unknown, code=2)
    neither = ("answer", FEB, "--business-unit", "SAL")
    assert "either --acknowledge or --comment" in commands.run(*neither, code=2)
