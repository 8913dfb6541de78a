"""Statements reach each address once, by a real mail server or into a folder; what fails is named,
and the next call sends the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader
from sqlalchemy import text

from pipelines.books.books import BOOKS_URL_VARIABLE, Books
from pipelines.cli.main import run
from pipelines.close.period_states import read_state
from pipelines.dispatch import send as module
from pipelines.dispatch.channels import MailServerError
from pipelines.dispatch.dispatch_log import Destination, begin_attempt
from pipelines.dispatch.send import Outcome, send_statements
from pipelines.errors import ConfigurationError, ControlError, UsageError
from pipelines.workspace.workspace import Workspace
from tests.closed_periods import close_period
from tests.mail_server import MailServer, make_certificate, serve_mail

MARCH = "2026-03"
RETAIL = ["anna@example.com", "ben@example.com"]
SECRET = "gr8-s3cret"
CONFIG = """\
name: Example Works
currency: EUR
calendar: {{first_period: 2026-01, last_period: 2026-12}}
control_total: {{source: ledger}}
sources: {{ledger: {{contract: general_ledger, inbox: "ledger/*"}}}}
dispatch: {dispatch}
"""


@pytest.fixture
def books(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Books]:
    monkeypatch.delenv(BOOKS_URL_VARIABLE, raising=False)
    opened = Books.open(workspace)
    yield opened
    opened.close()


@pytest.fixture
def server() -> Iterator[MailServer]:
    with serve_mail() as running:
        yield running


def _configure(workspace: Workspace, dispatch: dict[str, Any]) -> Workspace:
    text_ = CONFIG.format(dispatch=json.dumps(dispatch))
    (workspace.root / "apportion.yml").write_text(text_, "utf-8")
    return Workspace.open(workspace.root)


def _by_mail(
    workspace: Workspace, server: MailServer, *, recipients: Any = None, **settings: Any
) -> Workspace:
    mail = {
        "host": "127.0.0.1",
        "port": server.port,
        "security": "none",
        "sender": "it-finance@example.com",
        "timeout_seconds": 10,
    }
    everybody = {"RETAIL": RETAIL, "LOGISTICS": ["carl@example.com"]}
    dispatch = {"mail": mail | settings, "recipients": recipients or everybody}
    return _configure(workspace, dispatch)


def _states(outcomes: list[Outcome]) -> list[tuple[str, str | None, str]]:
    return [(item.business_unit_id, item.address, item.state) for item in outcomes]


def _read_log(books: Books) -> list[tuple[Any, ...]]:
    with books.read() as connection:
        return [
            tuple(row)
            for row in connection.execute(
                text("select address, attempt, state, error from dispatches order by dispatch_id")
            )
        ]


def test_every_address_gets_a_whole_mail_once(
    workspace: Workspace, books: Books, server: MailServer
) -> None:
    close_period(books, MARCH)
    workspace = _by_mail(workspace, server, reply_to="help@example.com")
    first = send_statements(workspace, books, MARCH)
    assert _states(first) == [
        ("LOGISTICS", "carl@example.com", "sent"),
        ("RETAIL", "anna@example.com", "sent"),
        ("RETAIL", "ben@example.com", "sent"),
    ]
    assert server.list_recipients() == ["carl@example.com", *RETAIL]
    assert server.connections == 1
    message = server.received[1][1]
    assert message["To"] == "anna@example.com"
    assert message["From"] == "it-finance@example.com"
    assert message["Reply-To"] == "help@example.com"
    assert "Retail" in message["Subject"]
    assert "Preview" not in message["Subject"]
    body = message.get_body(("plain",))
    assert body is not None
    assert "f" * 64 in body.get_content()  # the manifest of the close
    parts = {part.get_filename(): part for part in message.iter_attachments()}
    pdf, xlsx = parts["2026-03_RETAIL.pdf"], parts["2026-03_RETAIL.xlsx"]
    assert pdf.get_content_type() == "application/pdf"
    assert "3,166.66" in PdfReader(BytesIO(pdf.get_content())).pages[0].extract_text()
    assert load_workbook(BytesIO(xlsx.get_content())).sheetnames
    # The total stands in no line that a locked screen shows.
    assert "3,166.66" not in body.get_content() + message["Subject"]
    again = send_statements(workspace, books, MARCH)
    assert {outcome.state for outcome in again} == {"sent before"}
    assert len(server.received) == 3


def test_what_was_sent_is_sent_again_when_asked_for(
    workspace: Workspace, books: Books, server: MailServer
) -> None:
    close_period(books, MARCH)
    workspace = _by_mail(workspace, server)
    for again in (False, True):
        send_statements(workspace, books, MARCH, ["LOGISTICS"], is_again=again)
    assert server.list_recipients() == ["carl@example.com"] * 2
    assert [row[:3] for row in _read_log(books)] == [
        ("carl@example.com", 1, "sent"),
        ("carl@example.com", 2, "sent"),
    ]
    first, second = (message["Message-ID"] for _, message in server.received)
    assert first == second


def test_a_failing_address_stops_no_other_and_is_tried_next_time(
    workspace: Workspace, books: Books, server: MailServer
) -> None:
    close_period(books, MARCH)
    workspace = _by_mail(workspace, server)
    server.refused = {"anna@example.com"}
    first = send_statements(workspace, books, MARCH)
    failed = next(item for item in first if not item.is_good)
    assert (failed.address, failed.state) == ("anna@example.com", "failed")
    assert failed.message == "refused by the server: 550 no such mailbox"
    assert server.list_recipients() == ["carl@example.com", "ben@example.com"]
    server.refused = set()
    assert run(["send", MARCH, "--workspace", str(workspace.root)]) == 0
    assert server.list_recipients() == ["carl@example.com", "ben@example.com", "anna@example.com"]
    assert _read_log(books) == [
        ("carl@example.com", 1, "sent", None),
        ("anna@example.com", 1, "failed", "refused by the server: 550 no such mailbox"),
        ("ben@example.com", 1, "sent", None),
        ("anna@example.com", 2, "sent", None),
    ]
    with books.read() as connection:
        logged = connection.execute(
            text("select count(*) from audit_log where action = 'send statement'")
        ).scalar()
    assert logged == 4


def test_a_server_that_hangs_up_fails_one_address(
    workspace: Workspace, books: Books, server: MailServer
) -> None:
    close_period(books, MARCH)
    workspace = _by_mail(workspace, server)
    server.hangs_up_for = {"anna@example.com"}
    outcomes = send_statements(workspace, books, MARCH)
    assert [item.state for item in outcomes] == ["sent", "failed", "sent"]
    assert server.connections == 2


def test_exit_code_says_that_some_are_left(
    workspace: Workspace, books: Books, server: MailServer, capsys: pytest.CaptureFixture[str]
) -> None:
    close_period(books, MARCH)
    workspace = _by_mail(workspace, server, recipients={"RETAIL": RETAIL})
    assert run(["send", MARCH, "--json", "--workspace", str(workspace.root)]) == 2
    answer = {row["business_unit_id"]: row["state"] for row in json.loads(capsys.readouterr().out)}
    assert answer == {"LOGISTICS": "no address", "RETAIL": "sent"}


def test_only_closed_periods_are_final(
    workspace: Workspace, books: Books, server: MailServer
) -> None:
    workspace = _by_mail(workspace, server)
    with pytest.raises(ControlError, match="2026-03 is open: only statements of a closed period"):
        send_statements(workspace, books, MARCH)
    previews = send_statements(workspace, books, MARCH, ["LOGISTICS"], is_preview=True)
    assert [item.state for item in previews] == ["sent"]
    message = server.received[0][1]
    assert message["Subject"].startswith("Preview: ")
    body = message.get_body(("plain",))
    assert body is not None
    assert "do not post it" in " ".join(body.get_content().split())
    close_period(books, MARCH)
    with pytest.raises(UsageError, match="its statements are final"):
        send_statements(workspace, books, MARCH, is_preview=True)
    # The preview is not the statement: that is sent all the same.
    final = send_statements(workspace, books, MARCH, ["LOGISTICS"])
    assert [item.state for item in final] == ["sent"]


def test_bills_of_another_version_than_was_closed_are_not_sent(
    workspace: Workspace, books: Books, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    close_period(books, MARCH)
    with books.read() as connection:
        state = read_state(connection, MARCH)
    monkeypatch.setattr(
        module, "read_state", lambda *_: type(state)(**vars(state) | {"version": 2})
    )
    with pytest.raises(ControlError, match="published bills are version 1, the books have closed"):
        send_statements(_by_mail(workspace, server), books, MARCH)
    assert server.received == []


def test_an_attempt_that_was_cut_off_is_not_repeated_by_itself(
    workspace: Workspace, books: Books, server: MailServer
) -> None:
    close_period(books, MARCH)
    workspace = _by_mail(workspace, server)
    carl = Destination(MARCH, 1, False, "LOGISTICS", "mail", "carl@example.com")
    begin_attempt(books, carl, [])
    (outcome,) = send_statements(workspace, books, MARCH, ["LOGISTICS"])
    assert (outcome.state, outcome.is_good) == ("unknown", False)
    assert server.received == []
    send_statements(workspace, books, MARCH, ["LOGISTICS"], is_again=True)
    assert server.list_recipients() == ["carl@example.com"]
    (outcome,) = send_statements(workspace, books, MARCH, ["LOGISTICS"])
    assert outcome.state == "sent before"


def test_a_server_that_is_not_there_sends_nothing(
    workspace: Workspace, books: Books, server: MailServer
) -> None:
    close_period(books, MARCH)
    workspace = _by_mail(workspace, server, port=1)
    with pytest.raises(MailServerError, match=r"127\.0\.0\.1:1 \(none\)"):
        send_statements(workspace, books, MARCH)
    assert _read_log(books) == []


def test_password_comes_from_the_environment_and_is_never_shown(
    workspace: Workspace, books: Books, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    close_period(books, MARCH)
    server.password = SECRET
    workspace = _by_mail(workspace, server, user="it", password_variable="MAIL_PASSWORD")
    monkeypatch.delenv("MAIL_PASSWORD", raising=False)
    with pytest.raises(MailServerError, match="environment variable MAIL_PASSWORD"):
        send_statements(workspace, books, MARCH)
    monkeypatch.setenv("MAIL_PASSWORD", "wr0ng-s3cret")
    with pytest.raises(MailServerError, match=r"535 \*\*\* is wrong") as refused:
        send_statements(workspace, books, MARCH)
    assert "wr0ng-s3cret" not in str(refused.value)
    monkeypatch.setenv("MAIL_PASSWORD", SECRET)
    assert {item.state for item in send_statements(workspace, books, MARCH)} == {"sent"}
    assert server.logins[-1] == "it"


def test_nothing_is_sent_in_the_clear_where_encryption_is_asked_for(
    workspace: Workspace, books: Books, server: MailServer
) -> None:
    """The server offers none."""
    close_period(books, MARCH)
    for security in ("starttls", "tls"):
        with pytest.raises(MailServerError):
            send_statements(_by_mail(workspace, server, security=security), books, MARCH)
    assert server.received == []


def test_mail_is_encrypted_and_the_certificate_is_checked(
    workspace: Workspace, books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close_period(books, MARCH)
    certificate = make_certificate(tmp_path)
    with serve_mail(certificate=certificate, password=SECRET) as server:
        monkeypatch.setenv("MAIL_PASSWORD", SECRET)
        settings = {"security": "starttls", "user": "it", "password_variable": "MAIL_PASSWORD"}
        workspace = _by_mail(workspace, server, **settings)
        with pytest.raises(MailServerError, match="certificate verify failed"):
            send_statements(workspace, books, MARCH)
        assert server.logins == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        send_statements(workspace, books, MARCH)
        assert server.was_encrypted == [True] * 3


def test_into_a_folder(workspace: Workspace, books: Books) -> None:
    close_period(books, MARCH)
    workspace = _configure(workspace, {"folder": "outbox"})
    assert {item.state for item in send_statements(workspace, books, MARCH)} == {"sent"}
    folder = workspace.root / "outbox" / "2026-03.v1"
    assert sorted(path.name for path in folder.iterdir() if path.suffix != ".csv") == [
        "2026-03_LOGISTICS.pdf",
        "2026-03_LOGISTICS.xlsx",
        "2026-03_RETAIL.pdf",
        "2026-03_RETAIL.xlsx",
    ]
    for path in folder.iterdir():
        path.unlink()
    again = send_statements(workspace, books, MARCH)
    assert {item.state for item in again} == {"sent before"}
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("dispatch", "message"),
    [
        ({}, "expected either 'mail' or 'folder'"),
        ({"folder": "x", "mail": {"host": "h", "sender": "a@b.example"}}, "expected either"),
        ({"mail": {"host": "h", "sender": "a@b.example", "user": "x"}}, "together, or neither"),
        (
            {
                "mail": {
                    "host": "mail.example.com",
                    "sender": "a@b.example",
                    "security": "none",
                    "user": "x",
                    "password_variable": "P",
                }
            },
            "a password is sent with",
        ),
        ({"folder": "x", "recipients": {"A": ["a@b.example, c@d.example"]}}, "recipients"),
        ({"folder": "x", "recipients": {"A": ["a@b.example\nBcc: c@d.example"]}}, "recipients"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(
    workspace: Workspace, dispatch: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        _ = _configure(workspace, dispatch).config


def test_without_settings_nothing_is_sent(workspace: Workspace, books: Books) -> None:
    close_period(books, MARCH)
    _configure(workspace, {"folder": "x"})
    path = workspace.root / "apportion.yml"
    path.write_text(path.read_text("utf-8").partition("dispatch:")[0], "utf-8")
    with pytest.raises(UsageError, match="does not say how statements are sent"):
        send_statements(Workspace.open(workspace.root), books, MARCH)
