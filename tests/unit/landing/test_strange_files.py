"""What may lie in an inbox and is no ordinary file: nothing waits, nothing is passed over in
silence, and no name reaches a terminal, a path or the books with its traps in it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from pipelines.cli.main import run
from pipelines.landing.delivery import find_unread_files
from pipelines.landing.land import InboxMissingError, LoadResult, land_inbox
from tests.unit.landing.company import GOOD, Company, ledger, record


def _february(line_id: str) -> bytes:
    return ledger(record(line_id, period_id="2026-02"))


def _land_beside_good(company: Company) -> LoadResult:
    """What becomes of the one file of `ledger` that is not b.csv, which lands in any case."""
    company.put(_february("B1"), "ledger/b.csv")
    results = {result.file_name: result for result in company.land()}
    assert results.pop("b.csv").state == "landed"
    (result,) = results.values()
    assert company.staging_directories() == []
    return result


def _in_ledger(company: Company, name: str) -> Path:
    folder = company.workspace.inbox / "ledger"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def _expect_refused(result: LoadResult, *says: str) -> None:
    assert result.state == "refused", result
    for text in (*says, "Nothing was loaded"):
        assert text in result.message


def test_named_pipe_is_refused_and_nobody_waits(company: Company) -> None:
    os.mkfifo(_in_ledger(company, "a.csv"))
    _expect_refused(_land_beside_good(company), "a regular file", "a named pipe")


def test_device_is_refused(company: Company) -> None:
    """/dev/zero would be read for ever."""
    path = _in_ledger(company, "a.csv")
    try:
        os.mknod(path, 0o020644, os.makedev(1, 5))
        path.open("rb").close()
    except PermissionError:
        pytest.skip("only the superuser makes devices, and not everywhere")
    _expect_refused(_land_beside_good(company), "a regular file", "a device")


def test_link_loop_is_refused(company: Company) -> None:
    _in_ledger(company, "a.csv").symlink_to("a.csv")
    _expect_refused(_land_beside_good(company), "a.csv: cannot be read")


def test_link_that_leads_nowhere_is_refused(company: Company) -> None:
    _in_ledger(company, "a.csv").symlink_to("gone.csv")
    _expect_refused(_land_beside_good(company), "a.csv: cannot be read", "No such file")


@pytest.mark.parametrize("target", ["secret.csv", "apportion.yml", "inbox/../secret.csv"])
def test_link_out_of_the_inbox_is_refused(company: Company, target: str) -> None:
    (company.workspace.root / "secret.csv").write_bytes(GOOD)
    _in_ledger(company, "a.csv").symlink_to(company.workspace.root / target)
    result = _land_beside_good(company)
    _expect_refused(result, "a.csv: is a link out of the inbox", Path(target).name)
    assert str(company.workspace.root) not in result.message


def test_link_inside_the_inbox_and_linked_folder_are_read(company: Company, tmp_path: Path) -> None:
    """An administrator mounts the sender's folder; a sender points at its latest file."""
    folder = tmp_path / "mounted"
    folder.mkdir()
    (folder / "2026-01.txt").write_bytes(GOOD)
    (folder / "latest.csv").symlink_to("2026-01.txt")
    (company.workspace.inbox / "replaced").symlink_to(folder)
    (result,) = company.land()
    assert (result.file_name, result.state) == ("latest.csv", "landed")


def test_directory_named_like_a_delivery_is_none_and_its_files_are_named(company: Company) -> None:
    company.put(GOOD, "ledger/a.csv/inside.csv")
    company.put(_february("B1"), "ledger/b.csv")
    assert [result.file_name for result in company.land()] == ["b.csv"]
    assert [file.name for file in find_unread_files(company.workspace)] == [
        "ledger/a.csv/inside.csv"
    ]


LONG = "x" * 251 + ".csv"
"""The longest name that a file can have: no control file can have it and more."""


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\nb.csv", "a\\nb.csv"),
        ("gpj\u202evsc.csv", "gpj\\u202evsc.csv"),
        ("a\x1b[2J.csv", "a\\x1b[2J.csv"),
        ("..csv", "..csv"),
        ("...;rm -rf .csv", "...;rm -rf .csv"),
        ("a'; drop table loads; --.csv", "a'; drop table loads; --.csv"),
        ("*?[1].csv", "*?[1].csv"),
        (os.fsdecode(b"not utf-8 \xff.csv"), "not utf-8 \\udcff.csv"),
        (LONG, LONG),
        ("\u00e4" * 125 + ".csv", "\u00e4" * 125 + ".csv"),
    ],
)
def test_any_name_lands_once_and_is_shown_escaped(company: Company, name: str, shown: str) -> None:
    try:
        path = company.put(GOOD, f"appended/{name}")
    except OSError as error:
        pytest.skip(f"the file system takes no such name: {error.strerror}")
    # Told by size and time the second time: its path is in the books.
    os.utime(path, (1, 1))
    is_hidden = name.startswith(".")
    states = [(result.file_name, result.state) for result in company.land()]
    assert states == ([] if is_hidden else [(shown, "landed")])
    again = [(result.file_name, result.state) for result in company.land()]
    assert again == ([] if is_hidden else [(shown, "known")])
    assert all(shown == load["file_name"] for load in company.loads())


def test_names_on_the_terminal_are_escaped(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    company.put(b"", "ledger/a\x1b[2J\nb.csv")
    company.put(GOOD, "nobody\x1b[2J/c\n\u202e.csv")
    company.books.close()
    assert run(["land", "--workspace", str(company.workspace.root)]) == 4
    printed = capsys.readouterr()
    text = (printed.out + printed.err).replace("\n", " ")
    assert "\x1b[2J" not in text
    assert "\u202e" not in text
    assert "a\\x1b[2J\\nb.csv" in text
    assert "inbox/nobody\\x1b[2J/c\\n\\u202e.csv: not read, no source reads it" in text


@pytest.mark.parametrize("kind", ["pipe", "directory", "broken link"])
def test_control_file_that_is_no_file_refuses_the_delivery(company: Company, kind: str) -> None:
    path = _in_ledger(company, "a.csv.control.yml")
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to("gone.yml")
    company.put(GOOD)
    _expect_refused(_land_beside_good(company), "a.csv.control.yml", "cannot be read")


def test_inbox_that_vanished_is_a_clear_error(company: Company) -> None:
    shutil.rmtree(company.workspace.inbox)
    with pytest.raises(InboxMissingError, match=r"No such file.*Nothing was loaded") as caught:
        company.land()
    assert caught.value.exit_code == 2
    assert str(company.workspace.inbox) in str(caught.value)


def test_inbox_that_is_a_file_is_a_clear_error(company: Company) -> None:
    company.workspace.inbox.rmdir()
    company.workspace.inbox.write_bytes(GOOD)
    with pytest.raises(InboxMissingError, match="Not a directory"):
        company.land()


def test_inbox_that_vanishes_while_it_is_landed_is_a_clear_error(company: Company) -> None:
    """The folder of the next source then looks like one that nobody has made yet."""
    company.put(GOOD)
    company.put(_february("B1"), "ledger/b.csv")
    company.put(GOOD, "replaced/c.csv")

    def remove(delivery: object) -> None:
        if company.loads():
            shutil.rmtree(company.workspace.inbox)

    with pytest.raises(InboxMissingError, match="1 deliveries landed before that"):
        land_inbox(company.workspace, company.books, remove)
    assert [load["file_name"] for load in company.loads()] == ["a.csv"]
    assert company.staging_directories() == []
