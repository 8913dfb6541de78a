"""A backup of a workspace with a closed period restores to the same figures, closes and books, on
either database; one that was changed, cut off or made of another workspace is found, by file."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.books.audit import append_audit
from pipelines.books.books import BOOKS_URL_VARIABLE, Books
from pipelines.books.tables import audit_log, runs
from pipelines.cli.main import run
from pipelines.close.close_period import close_period
from pipelines.close.desk import CloseDesk
from pipelines.close.verify import verify
from pipelines.errors import UsageError
from pipelines.landing.land import land_inbox
from pipelines.operation.backup import Backup, make_backup
from pipelines.operation.drill import drill_backup
from pipelines.operation.restore import BackupDamagedError, restore_backup
from pipelines.warehouse.closed_periods import list_closed_files
from pipelines.warehouse.publication import hash_file, read_publication, write_publication
from pipelines.warehouse.reader import open_published
from pipelines.workspace.workspace import Workspace
from tests.closed_periods import approve_published
from tests.postgres_server import PostgresDatabase

from .golden import Golden

JANUARY = "2026-01"
FROZEN = "warehouse/closed/2026-01.v1/2026-01.v1.duckdb"


@pytest.fixture(scope="module")
def company(small_company: Golden, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small company with January closed, and files of people beside it."""
    root = tmp_path_factory.mktemp("backup") / "company"
    shutil.copytree(small_company.workspace.root, root, ignore=shutil.ignore_patterns(".dbt"))
    (root / "mappings").mkdir()
    (root / "mappings" / "own.yml").write_text("# ours\n", "utf-8")
    (root / ".pseudonym_key").write_text("0" * 64 + "\n", "ascii")
    (root / ".pseudonym_key").chmod(0o600)
    workspace = Workspace.open(root)
    books = Books.open(workspace)
    desk = CloseDesk(workspace, books)
    approve_published(desk, JANUARY)
    close_period(desk, JANUARY)
    books.close()
    return root


@pytest.fixture(scope="module")
def kept(company: Path, tmp_path_factory: pytest.TempPathFactory) -> Backup:
    """A backup that tests only read, or copy."""
    return _back_up(company, tmp_path_factory.mktemp("kept"))


def _back_up(root: Path, target: Path, **options: Any) -> Backup:
    workspace = Workspace.open(root)
    books = Books.open(workspace)
    try:
        return make_backup(workspace, books, target, **options)
    finally:
        books.close()


def _drill(root: Path, backup: Path) -> list[str]:
    workspace = Workspace.open(root)
    books = Books.open(workspace)
    try:
        return drill_backup(workspace, books, backup).problems
    finally:
        books.close()


def _read_figures(root: Path) -> list[tuple[Any, ...]]:
    with open_published(Workspace.open(root)) as marts:
        return marts.execute(
            "select period_id, period_state, sum(charged_amount) from fct_charges_monthly "
            "inner join dim_periods using (period_id) where scenario_id = 'actual' "
            "group by all order by all"
        ).fetchall()


def _read_log(books: Books) -> list[tuple[Any, ...]]:
    with books.read() as connection:
        rows = connection.execute(audit_log.select().order_by(audit_log.c.sequence))
        return [tuple(row) for row in rows]


def test_what_is_restored_is_what_was_backed_up(
    company: Path, kept: Backup, tmp_path: Path
) -> None:
    left = tmp_path / ".again.restoring-1"
    (left / "warehouse").mkdir(parents=True)
    restored = restore_backup(kept.path, tmp_path / "again", is_deep=True)
    assert restored.problems == []
    # What a restore into the same place left that was killed is swept away.
    assert not left.exists()
    assert restored.verification.closes == 1
    assert _read_figures(restored.root) == _read_figures(company)
    assert (restored.root / "mappings" / "own.yml").read_text("utf-8") == "# ours\n"
    assert hash_file(restored.root / FROZEN) == hash_file(company / FROZEN)
    assert not (restored.root / ".pseudonym_key").exists()
    assert not (restored.root / "inbox").exists()
    books = Books.open(Workspace.open(restored.root))
    log = _read_log(books)
    books.close()
    assert [row[3] for row in log[-2:]] == ["period close", "restore"]
    assert log[-2][-1] == kept.manifest.audit_hash
    # It is a workspace like any other: what landed is known, and the next publication can follow.
    shutil.copytree(company / "inbox", restored.root / "inbox")
    workspace = Workspace.open(restored.root)
    books = Books.open(workspace)
    assert {result.state for result in land_inbox(workspace, books)} == {"known"}
    books.close()


def test_full_disk_is_no_damage_of_the_backup(
    kept: Backup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Simulated, as a test cannot mount a small disk everywhere: the second file finds no room."""
    from pipelines.operation import restore as module

    written: list[Path] = []
    write = module._write

    def fill(source: Any, target: Path) -> tuple[int, str]:
        written.append(target)
        if len(written) > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
        return write(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(module, "_write", fill)
        with pytest.raises(OSError, match="No space left"):
            restore_backup(kept.path, tmp_path / "again")
    assert list(tmp_path.iterdir()) == []
    assert restore_backup(kept.path, tmp_path / "again").problems == []


def test_a_second_backup_copies_only_what_is_new(company: Path, tmp_path: Path) -> None:
    root = tmp_path / "company"
    shutil.copytree(company, root)
    first = _back_up(root, tmp_path / "backups")
    (root / "mappings" / "own.yml").write_text("# ours, changed\n", "utf-8")
    second = _back_up(root, tmp_path / "backups")
    assert first.linked_files == 0
    assert second.copied_files == 2  # the books, and what was changed
    assert second.linked_files == len(second.manifest.files) - 2 > 50
    frozen = [made.path / "workspace" / FROZEN for made in (first, second)]
    assert frozen[0].samefile(frozen[1])
    own = [(made.path / "workspace/mappings/own.yml").read_text() for made in (first, second)]
    assert own == ["# ours\n", "# ours, changed\n"]
    third = _back_up(root, tmp_path / "backups", is_full=True)
    assert third.linked_files == 0
    # A directory of backups stands for the newest of them.
    restored = restore_backup(tmp_path / "backups", tmp_path / "again")
    assert restored.manifest.backup_id == third.manifest.backup_id


def test_key_and_inbox_are_there_when_asked_for(company: Path, tmp_path: Path) -> None:
    made = _back_up(company, tmp_path / "backups", has_key=True, has_inbox=True)
    restored = restore_backup(made.path, tmp_path / "again")
    assert (restored.root / ".pseudonym_key").stat().st_mode & 0o777 == 0o600
    assert any((restored.root / "inbox").iterdir())


def test_an_archive_restores_and_one_that_is_cut_off_is_found(
    company: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "company.tar"
    made = _back_up(company, archive)
    assert made.path == archive
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == [
        "company.tar"
    ]
    assert restore_backup(archive, tmp_path / "again").problems == []
    with pytest.raises(UsageError, match="an archive is never overwritten"):
        _back_up(company, archive)
    os.truncate(archive, archive.stat().st_size // 2)
    with pytest.raises(BackupDamagedError) as damaged:
        restore_backup(archive, tmp_path / "third")
    assert "cannot be read on after workspace/" in damaged.value.problems[0]
    assert "there is no manifest.json" in damaged.value.problems[1]
    assert not (tmp_path / "third").exists()


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _swap(path: Path) -> None:
    path.write_bytes((path.parent / "manifest.json").read_bytes())


def _link_elsewhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/null")


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        (FROZEN, _flip, f"{FROZEN} has other bytes than were backed up"),
        (FROZEN, lambda path: os.truncate(path, 100), f"{FROZEN} has 100 bytes, expected"),
        (FROZEN, Path.unlink, f"{FROZEN} is missing"),
        (FROZEN, _swap, f"{FROZEN} has "),
        (FROZEN, _link_elsewhere, f"{FROZEN} is no file"),
        ("books.sqlite", _flip, "books.sqlite has other bytes than were backed up"),
        ("mappings/new.yml", Path.touch, "mappings/new.yml is not in the manifest"),
        ("../manifest.json", _flip, "manifest.json is not the one that manifest.sha256 names"),
        ("../manifest.json", Path.unlink, "there is no manifest.json"),
    ],
)
def test_a_changed_backup_is_found_by_file(
    company: Path,
    kept: Backup,
    tmp_path: Path,
    name: str,
    change: Callable[[Path], None],
    problem: str,
) -> None:
    backup = tmp_path / kept.path.name
    shutil.copytree(kept.path, backup)
    change(backup / "workspace" / name)
    with pytest.raises(BackupDamagedError) as damaged:
        restore_backup(backup, tmp_path / "again")
    assert any(text.startswith(problem) for text in damaged.value.problems), damaged.value.problems
    assert [path.name for path in tmp_path.iterdir()] == [kept.path.name]


def test_a_restore_never_writes_over_a_workspace(
    company: Path, kept: Backup, tmp_path: Path
) -> None:
    for target in (company, company / "apportion.yml"):
        with pytest.raises(UsageError, match="does not exist or is empty"):
            restore_backup(kept.path, target)
    with pytest.raises(UsageError, match="lies in the workspace"):
        _back_up(company, company / "backups")


def test_a_drill_is_passed_and_recorded(company: Path, tmp_path: Path) -> None:
    root = tmp_path / "company"
    shutil.copytree(company, root)
    made = _back_up(root, tmp_path / "backups")
    assert _drill(root, made.path) == []
    books = Books.open(Workspace.open(root))
    last = _read_log(books)[-1]
    books.close()
    assert last[3:5] == ("backup drill", made.manifest.backup_id)
    assert json.loads(last[5]) == {"result": "passed", "closes": 1, "problems": []}


def test_a_drill_that_fails_is_recorded_too(company: Path, tmp_path: Path) -> None:
    root = tmp_path / "company"
    shutil.copytree(company, root)
    made = _back_up(root, tmp_path / "backups")
    _flip(made.path / "workspace" / FROZEN)
    code = run(["restore", str(made.path), "--drill", "--workspace", str(root), "--json"])
    assert code == 4
    books = Books.open(Workspace.open(root))
    last = _read_log(books)[-1]
    books.close()
    assert json.loads(last[5])["result"] == "failed"
    assert json.loads(last[5])["problems"] == [f"{FROZEN} has other bytes than were backed up"]


def test_a_drill_finds_the_backup_of_another_workspace(
    company: Path, kept: Backup, tmp_path: Path
) -> None:
    """The same company, whose books went another way after the close: a backup that was made there
    is whole, and not a backup of this one."""
    root = tmp_path / "company"
    shutil.copytree(company, root)
    made = _back_up(root, tmp_path / "backups")
    problems = _drill(company, made.path)
    assert problems == ["the audit log of the workspace knows nothing of this backup"]


def test_a_damaged_workspace_is_backed_up_and_said_to_be_damaged(
    company: Path, tmp_path: Path
) -> None:
    root = tmp_path / "company"
    shutil.copytree(company, root)
    _flip(root / FROZEN)
    original = next((root / "lake").rglob("original"))
    original.write_text("other", "utf-8")
    (published,) = (root / "warehouse").glob("run-*.duckdb")
    published.unlink()
    code = run(["backup", "--to", str(tmp_path / "backups"), "--workspace", str(root), "--json"])
    assert code == 4
    restored = restore_backup(tmp_path / "backups", tmp_path / "again")
    assert set(restored.manifest.damaged) == {
        f"warehouse/{published.name} is missing",
        f"{FROZEN} has other bytes than the books know",
        f"{original.relative_to(root)} has other bytes than the books know",
    }
    assert "2026-01.v1: 2026-01.v1.duckdb has other bytes than were frozen" in restored.problems


def test_others_work_on_while_a_backup_is_made(company: Path, tmp_path: Path) -> None:
    """What is decided after the snapshot is not in the backup, and breaks nothing in it."""
    root = tmp_path / "company"
    shutil.copytree(company, root)
    workspace = Workspace.open(root)
    books, other = Books.open(workspace), Books.open(workspace)
    noted: list[int] = []

    def note(step: str, done: int, _total: int) -> None:
        if step == "Backing up" and done % 20 == 0:
            with other.begin() as connection:
                append_audit(connection, "test", "meanwhile", {"file": done})
            noted.append(done)

    made = make_backup(workspace, books, tmp_path / "backups", on_progress=note)
    for opened in (books, other):
        opened.close()
    assert len(noted) > 5
    restored = restore_backup(made.path, tmp_path / "again", is_deep=True)
    assert restored.problems == []
    assert _drill(root, made.path) == []
    assert "meanwhile" not in {row[4] for row in _read_log(Books.open(Workspace(restored.root)))}


def test_a_publication_that_gives_way_meanwhile_is_followed(company: Path, tmp_path: Path) -> None:
    """The run that the snapshot names is gone before it is copied: the backup holds the next one,
    with the books that name it."""
    root = tmp_path / "company"
    shutil.copytree(company, root)
    workspace = Workspace.open(root)
    books, other = Books.open(workspace), Books.open(workspace)
    seen: list[str] = []

    def follow(step: str, _done: int, _total: int) -> None:
        if step == "Backing up" and not seen:
            seen.append(_publish_another(workspace, other))

    made = make_backup(workspace, books, tmp_path / "backups", on_progress=follow)
    for opened in (books, other):
        opened.close()
    files = [file.name for file in made.manifest.files if file.name.endswith("duckdb")]
    assert files == [FROZEN, "warehouse/run-29990101.duckdb"]
    assert made.manifest.damaged == []
    restored = restore_backup(made.path, tmp_path / "again")
    assert restored.problems == []
    assert read_publication(Workspace.open(restored.root)).run_id == "29990101"


def _publish_another(workspace: Workspace, books: Books) -> str:
    """The same figures as another run, and the one before it removed, as a build does it."""
    before, run_id = read_publication(workspace), "29990101"
    (opened,) = [file for file in before.files if file.role == "open"]
    old, new = workspace.warehouse / opened.name, workspace.warehouse / f"run-{run_id}.duckdb"
    shutil.copy(old, new)
    files = (replace(opened, name=new.name), *list_closed_files(workspace, books))
    publication = replace(before, run_id=run_id, files=files)
    new.with_suffix(".json").write_text(json.dumps(asdict(publication)), "utf-8")
    with books.begin() as connection:
        connection.execute(
            runs.insert().values(
                run_id=run_id,
                fingerprint="",
                state="published",
                started_at="2999",
                finished_at="2999",
                person_name="",
                steps="[]",
            )
        )
        append_audit(connection, "publish", run_id, {"file": new.name, "sha256": opened.sha256})
    write_publication(workspace, publication)
    for path in (old, old.with_suffix(".json")):
        path.unlink()
    return run_id


def test_books_on_postgresql_come_back_on_either(
    company: Path,
    tmp_path: Path,
    postgres_database: PostgresDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A workspace goes from SQLite to PostgreSQL by a restore, and back by another one."""
    made = _back_up(company, tmp_path / "first")
    monkeypatch.setenv(BOOKS_URL_VARIABLE, postgres_database.address)
    moved = restore_backup(made.path, tmp_path / "moved", is_into_address=True)
    assert moved.problems == []
    assert not list(moved.root.glob("books*"))
    again = _back_up(moved.root, tmp_path / "second")
    assert again.manifest.books_form == "books.jsonl"
    assert again.manifest.audit_sequence == made.manifest.audit_sequence + 1
    with pytest.raises(UsageError, match="expected an empty database"):
        restore_backup(again.path, tmp_path / "third", is_into_address=True)
    # A drill touches no books but its own, wherever the variable points.
    assert _drill(moved.root, again.path) == []
    back = restore_backup(again.path, tmp_path / "back", is_deep=True)
    assert back.problems == []
    books = Books.open(Workspace.open(moved.root))
    actions = [row[3] for row in _read_log(books)][made.manifest.audit_sequence :]
    books.close()
    assert actions == ["restore", "backup", "backup drill"]
    monkeypatch.delenv(BOOKS_URL_VARIABLE)
    assert _read_figures(back.root) == _read_figures(company)
    books = Books.open(Workspace.open(back.root))
    assert verify(Workspace.open(back.root), books, deep=True).problems == []
    books.close()
