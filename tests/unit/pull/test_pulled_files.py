"""A pull is whole or not there, tells no secret, and its place is checked before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from pipelines.books.audit import find_chain_breaks
from pipelines.books.tables import pulls
from pipelines.cli.main import run
from pipelines.errors import ConfigurationError, UsageError
from pipelines.pull.delivery_file import DeliveryFile
from pipelines.pull.failures import PullFailedError
from pipelines.pull.pull import list_connected
from pipelines.workspace.workspace import Workspace
from tests.rest_services import PASSWORD, ServiceNow
from tests.unit.pull.conftest import Puller, incident, service_now_source

APPORTION = Path(sys.executable).with_name("apportion")


def test_killed_pull_leaves_nothing_that_lands(service_now: ServiceNow, make_puller: Any) -> None:
    service_now.records = [incident(n, f"09:0{n}:00") for n in range(6)]
    reached = threading.Event()

    def stop_at_third(number: int) -> None:
        if number == 3:
            reached.set()
            time.sleep(1)

    service_now.before_answer = stop_at_third
    puller: Puller = make_puller(service_now_source(service_now))
    process = subprocess.Popen(
        [str(APPORTION), "pull", "-w", str(puller.workspace.root)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert reached.wait(60)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    (left,) = puller.files()
    assert left.name == ".pulled.pulling"
    from pipelines.landing.delivery import find_unread_files
    from pipelines.landing.land import land_inbox

    assert land_inbox(puller.workspace, puller.books) == []
    assert find_unread_files(puller.workspace) == []
    service_now.before_answer = None
    result = puller.pull()
    assert (result.state, result.records, result.since) == ("pulled", 6, None)
    assert puller.land().records_accepted == 6
    assert [path.name for path in puller.files()] == [
        result.file_name,
        f"{result.file_name}.control.yml",
    ]


@pytest.mark.parametrize("moment", ["control file", "delivery", "books"])
def test_crash_at_the_end_repeats_and_skips_nothing(
    service_now: ServiceNow, make_puller: Any, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    service_now.records = [incident(1, "09:00:00"), incident(2, "09:01:00")]
    puller: Puller = make_puller(service_now_source(service_now))
    replace, renamed = os.replace, []

    def fail(*arguments: Any) -> None:
        raise KeyboardInterrupt

    def replace_until(source: Path, target: Path) -> None:
        renamed.append(target)
        if moment == "control file" or (moment == "delivery" and len(renamed) == 2):
            raise KeyboardInterrupt
        replace(source, target)

    if moment == "books":
        monkeypatch.setattr("pipelines.pull.pull.record_pull", fail)
    else:
        monkeypatch.setattr("pipelines.pull.delivery_file.os.replace", replace_until)
    with pytest.raises(KeyboardInterrupt):
        puller.pull()
    monkeypatch.undo()
    monkeypatch.setenv("REST_USER", "reader")
    monkeypatch.setenv("REST_PASSWORD", PASSWORD)
    whole = [path for path in puller.files() if path.suffix == ".jsonl"]
    assert len(whole) == (moment == "books")
    result = puller.pull()
    assert (result.state, result.since) == ("pulled", None)
    puller.land()
    assert puller.ask("select count(*) from lake.tickets") == [(2,)]


def test_two_pulls_of_one_source_do_not_mix(tmp_path: Path) -> None:
    with DeliveryFile(tmp_path, "tickets") as first:
        first.write([b"{}\n"])
        with pytest.raises(PullFailedError, match="another pull of it is running"):
            DeliveryFile(tmp_path, "tickets")
        first.put_into_place("a.jsonl", 1)
        # The first one is in place; its file is not what the next one writes to.
        with DeliveryFile(tmp_path, "tickets") as second:
            second.write([b"[]\n"])
            assert (tmp_path / "a.jsonl").read_bytes() == b"{}\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "a.jsonl.control.yml"]


def test_secret_is_in_no_file_and_no_output(
    service_now: ServiceNow,
    make_puller: Any,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    service_now.records = [incident(1, "09:00:00")]
    puller: Puller = make_puller(service_now_source(service_now))
    root = puller.workspace.root
    assert run(["pull", "-w", str(root)]) == 0
    assert run(["land", "-w", str(root)]) == 0
    assert run(["pull", "--json", "-w", str(root)]) == 0
    wrong = "another-s3cret-password"
    monkeypatch.setenv("REST_PASSWORD", wrong)
    assert run(["pull", "-w", str(root)]) == 2
    assert run(["doctor", "-w", str(root)]) in (0, 4)
    captured = capfd.readouterr()
    assert "REST_USER and REST_PASSWORD" in captured.out
    import base64

    texts = [PASSWORD, wrong, base64.b64encode(f"reader:{PASSWORD}".encode()).decode()]
    for text in texts:
        assert text not in captured.out + captured.err
        for path in root.rglob("*"):
            assert not path.is_file() or text.encode() not in path.read_bytes(), path


def test_doctor_says_which_variables_are_not_set(
    make_puller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.workspace.doctor import examine

    source = service_now_source(ServiceNow(url="https://acme.example"))
    root = make_puller(source).workspace.root
    monkeypatch.setenv("REST_USER", "reader")
    monkeypatch.delenv("REST_PASSWORD", raising=False)
    found = [item.message for item in examine(root) if item.subject == "connections"]
    assert found == ["pulled: REST_PASSWORD not set here, so it cannot be pulled"]


def test_books_say_what_was_pulled(service_now: ServiceNow, make_puller: Any) -> None:
    service_now.records = [incident(1, "09:00:00")]
    puller: Puller = make_puller(service_now_source(service_now))
    result = puller.pull()
    with puller.books.read() as connection:
        row = connection.execute(pulls.select()).one()
        assert find_chain_breaks(connection) == []
    assert (row.source_id, row.file_name, row.records) == ("pulled", result.file_name, 1)
    assert (row.cursor_before, row.cursor_after) == (None, "time 2026-03-02T09:00:00+00:00")


def test_sources_without_connection_are_not_pulled(
    service_now: ServiceNow, make_puller: Any
) -> None:
    puller: Puller = make_puller(service_now_source(service_now))
    with pytest.raises(UsageError, match="ledger: no connection in "):
        list_connected(puller.workspace, ["ledger"])
    with pytest.raises(UsageError, match="nowhere: no such source"):
        list_connected(puller.workspace, ["nowhere"])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"inbox": "pulled/*/x.jsonl"}, "does not say where a pulled file"),
        ({"inbox": "pulled/*.csv"}, "does not say where a pulled file"),
        ({"inbox": "ledger/*"}, None),
        ({"redelivery": "append"}, "redelivery is 'append'"),
        ({"mapping": "canonical"}, "reads no JSON lines"),
        ({"connection": {"url": "http://acme.example"}}, "expected an address such as https"),
        ({"connection": {"url": "https://me:pa55word@acme.example"}}, "holds a user or password"),
        ({"connection": {"password_variable": "my pa55word"}}, "connection.password_variable"),
        ({"connection": {"token_variable": "TOKEN"}}, "or 'token_variable' alone"),
        ({"connection": {"password": "pa55word"}}, "unknown key 'password'"),
        ({"connection": {"sysparm_query": "a=1^ORDERBYa"}}, "the order belongs to the pull"),
        ({"connection": {"kind": "oracle"}}, "connection"),
    ],
)
def test_connection_that_cannot_work_is_refused(
    make_puller: Any, changes: dict[str, Any], expected: str | None
) -> None:
    source = service_now_source(ServiceNow(url="https://acme.example"))
    source = {
        **source,
        **changes,
        "connection": {**source["connection"], **changes.get("connection", {})},
    }
    workspace: Workspace = make_puller(source).workspace
    if expected is None:
        assert workspace.config.sources["pulled"].connection is not None
        return
    with pytest.raises(ConfigurationError) as caught:
        _ = workspace.config
    message = str(caught.value)
    assert expected in message
    assert "pa55word" not in message
    assert "apportion.yml:1:" not in message


def test_source_without_key_cannot_update_records(make_puller: Any) -> None:
    source = {"contract": "cloud_bill", "mapping": "focus_1_2", "inbox": "bill/*.csv"}
    with pytest.raises(ConfigurationError, match="have no key by which one could update another"):
        _ = make_puller(source).workspace.config
