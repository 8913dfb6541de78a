"""What is published changes at once or not at all, and its readers can do nothing but read it."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from pipelines.errors import NothingPublishedError
from pipelines.warehouse.publication import (
    Publication,
    PublishedFile,
    hash_file,
    read_publication,
    replace_text,
    write_publication,
)
from pipelines.warehouse.reader import connect_published, current_run_id, open_published
from pipelines.workspace.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "apportion.yml").write_text("name: x\n", "utf-8")
    (tmp_path / "warehouse").mkdir()
    return Workspace.open(tmp_path)


def _publish(workspace: Workspace, run_id: str, amount: str, *more: PublishedFile) -> Publication:
    file = _make_file(workspace, run_id, amount)
    publication = Publication(run_id, "f" * 64, "2026-01-31T12:00:00Z", (file, *more))
    write_publication(workspace, publication)
    return publication


def _make_file(workspace: Workspace, run_id: str, amount: str) -> PublishedFile:
    path = workspace.warehouse / f"run-{run_id}.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts")
        connection.execute("create schema ledger")
        connection.execute(f"create table marts.fct_x as select {amount}::decimal(18, 2) as amount")
        connection.execute(f"create table ledger.lines as select '{run_id}' as run_id")
    return PublishedFile(path.name, "open", hash_file(path), path.stat().st_size)


def _total(connection: duckdb.DuckDBPyConnection) -> Decimal:
    row = connection.execute("select sum(amount) from fct_x").fetchone()
    assert row is not None
    return Decimal(row[0])


def test_nothing_published_is_said(workspace: Workspace) -> None:
    with pytest.raises(NothingPublishedError, match="apportion run"):
        read_publication(workspace)


def test_publication_is_read_back(workspace: Workspace) -> None:
    written = _publish(workspace, "1", "10.00")
    assert read_publication(workspace) == written
    assert current_run_id(workspace) == "1"


def test_reader_sees_marts_by_bare_name_and_stops_by_schema(workspace: Workspace) -> None:
    _publish(workspace, "1", "10.00")
    with open_published(workspace) as connection:
        assert _total(connection) == Decimal("10.00")
        assert connection.execute("select run_id from ledger.lines").fetchall() == [("1",)]


def test_rows_of_a_closed_period_come_from_its_own_file(workspace: Workspace) -> None:
    """The open file has other figures of the closed month by now; rows of no month stay."""
    rows = {
        "1": "('actual', '2026-01', 99), ('actual', '2026-02', 20), ('budget', '2026-01', 7), "
        "('actual', null, 1)",
        "0": "('actual', '2026-01', 5)",
    }
    for run_id, values in rows.items():
        with duckdb.connect(str(workspace.warehouse / f"run-{run_id}.duckdb")) as connection:
            connection.execute("create schema marts")
            connection.execute(
                "create table marts.fct_x as select * "
                f"from (values {values}) as x (scenario_id, period_id, amount)"
            )
            connection.execute(f"create table marts.dim_x as select '{run_id}' as run_id")
    closed = PublishedFile("run-0.duckdb", "closed", "", 0, "2026-01", 1)
    opened = PublishedFile("run-1.duckdb", "open", "", 0)
    write_publication(workspace, Publication("1", "", "", (opened, closed)))
    with open_published(workspace) as connection:
        assert _total(connection) == 5 + 20 + 7 + 1
        assert connection.execute("select run_id from dim_x").fetchall() == [("1",)]


def test_reader_keeps_its_figures_while_the_pointer_moves(workspace: Workspace) -> None:
    _publish(workspace, "1", "10.00")
    with open_published(workspace) as before:
        _publish(workspace, "2", "20.00")
        assert _total(before) == Decimal("10.00")
        with open_published(workspace) as after:
            assert _total(after) == Decimal("20.00")
            assert _total(before) == Decimal("10.00")
        (workspace.warehouse / "run-1.duckdb").unlink()
        assert _total(before) == Decimal("10.00")
    assert current_run_id(workspace) == "2"


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('{secret}')",
        "select * from '{secret}'",
        "select * from read_parquet('{secret}')",
        "select * from read_text('{secret}')",
        "select * from read_blob('{secret}')",
        "select * from glob('{root}/*')",
        "attach '{root}/other.duckdb' as other",
        "copy (select 1) to '{root}/out.csv'",
        "copy fct_x to '{root}/out.parquet' (format parquet)",
        "export database '{root}/dump'",
        "install httpfs",
        "load '{root}/x.duckdb_extension'",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "reset enable_external_access",
        "set temp_directory = '{root}'",
        "insert into run_0.marts.fct_x values (1)",
        "update run_0.marts.fct_x set amount = 0",
        "delete from run_0.marts.fct_x",
        "drop table run_0.marts.fct_x",
        "create table run_0.marts.mine (x integer)",
    ],
)
def test_reader_is_locked(workspace: Workspace, sql: str) -> None:
    _publish(workspace, "1", "10.00")
    secret = workspace.root / "secret.csv"
    secret.write_text("a,b\n1,2\n", "utf-8")
    before = sorted(path.name for path in workspace.root.rglob("*"))
    with open_published(workspace) as connection:
        with pytest.raises(duckdb.Error):
            connection.execute(sql.format(root=workspace.root, secret=secret)).fetchall()
        assert _total(connection) == Decimal("10.00")
    assert sorted(path.name for path in workspace.root.rglob("*")) == before


def test_missing_file_is_an_error_and_no_empty_database(workspace: Workspace) -> None:
    publication = _publish(workspace, "1", "10.00")
    (workspace.warehouse / "run-1.duckdb").unlink()
    with pytest.raises(duckdb.IOException):
        connect_published(workspace, publication)
    assert not (workspace.warehouse / "run-1.duckdb").exists()


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_failure_while_the_pointer_is_written_keeps_the_old_one(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    _publish(workspace, "1", "10.00")

    def fail(*args: object) -> None:
        raise OSError("power lost")

    with monkeypatch.context() as patched:
        patched.setattr(f"pipelines.warehouse.publication.os.{step}", fail)
        with pytest.raises(OSError, match="power lost"):
            _publish(workspace, "2", "20.00")
    assert current_run_id(workspace) == "1"


def test_pointer_is_replaced_and_never_written_in_place(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the moment of the rename the new text is complete under another name, the old in place."""
    target = workspace.warehouse / "CURRENT"
    replace_text(target, '{"run": 1}')
    seen: list[tuple[str, str]] = []
    original = os.replace

    def look_and_replace(source: Path, to: Path) -> None:
        seen.append((source.read_text("utf-8"), to.read_text("utf-8")))
        original(source, to)

    monkeypatch.setattr("pipelines.warehouse.publication.os.replace", look_and_replace)
    replace_text(target, '{"run": 2}')
    assert seen == [('{"run": 2}', '{"run": 1}')]
    assert json.loads(target.read_text("utf-8")) == {"run": 2}
    assert [path.name for path in workspace.warehouse.iterdir()] == ["CURRENT"]


def test_hash_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1.
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert hash_file(path) == expected
