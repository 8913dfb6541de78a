"""Method sheets of the small company, written by the command, against figures worked by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.cli.main import run
from pipelines.errors import EXIT_USAGE

from .golden import Golden


@pytest.fixture(scope="module")
def sheets(small_company: Golden, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All sheets of January, as Markdown."""
    directory = tmp_path_factory.mktemp("sheets")
    options = ["--period", "2026-01", "--format", "md", "--output", str(directory)]
    assert run(["methods", *options, "-w", str(small_company.workspace.root)]) == 0
    return directory


def read_sheet(sheets: Path, service_id: str) -> str:
    return (sheets / f"service_{service_id}.md").read_text("utf-8").replace("\u00a0", " ")


def test_there_is_a_sheet_per_service_an_index_and_the_words(sheets: Path) -> None:
    assert {path.name for path in sheets.iterdir()} == {
        "index.md",
        "glossary.md",
        "service_crm.md",
        "service_erp.md",
        "service_network.md",
        "service_service-desk.md",
    }


def test_example_and_parts_are_those_of_the_bills(sheets: Path) -> None:
    text = read_sheet(sheets, "crm")
    assert "> It is charged at cost by seats: unit cost 162.98 EUR per seat in Jan 2026." in text
    assert (
        "had 3 of 4 seats. That is 75.0 %, so it is charged 75.0 % of 651.93 EUR: 488.95 EUR."
    ) in text


def test_other_services_and_their_parts(sheets: Path) -> None:
    """58.33333333 of the network and 124.43777778 of the desk in 651.93027778: 28.0 %."""
    text = read_sheet(sheets, "crm")
    assert "28.0 % of its cost comes from 2 other services" in text
    assert "| Service Desk | 19.1 % | 124.44 |" in text
    assert "| Network | 8.9 % | 58.33 |" in text


def test_rules_carry_their_reason(sheets: Path) -> None:
    """180.00 by the tag and 45.00 of 469.15916667 in equal parts, 244.15916667 by contract."""
    text = read_sheet(sheets, "crm")
    assert "| in agreed percentages | 52.0 % | By contract. |  | compute |" in text
    assert "| to the service that each line names | 38.4 % | The tag says it. |  | tagged |" in text
    assert "| in equal parts | 9.6 % | Nobody knows better. |  | untagged |" in text


def test_user_that_no_master_knows_is_named(sheets: Path) -> None:
    assert "| Nobody: a cost centre that is not known | 1 | 50.0 % | 451.24 | 0.00 |" in read_sheet(
        sheets, "erp"
    )


def test_the_same_publication_gives_the_same_bytes(small_company: Golden, tmp_path: Path) -> None:
    written = []
    for name in ("one", "two"):
        directory = tmp_path / name
        command = ["methods", "crm", "--output", str(directory)]
        assert run([*command, "-w", str(small_company.workspace.root)]) == 0
        written.append({path.name: path.read_bytes() for path in directory.iterdir()})
    assert set(written[0]) == {"service_crm.html", "glossary.html"}
    assert written[0] == written[1]


@pytest.mark.parametrize("wrong", [["nosuch"], ["--period", "1999-01"]])
def test_what_is_not_there_is_wrong_use(
    wrong: list[str], small_company: Golden, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = str(small_company.workspace.root)
    assert run(["methods", *wrong, "--output", str(tmp_path), "-w", workspace]) == EXIT_USAGE
    assert wrong[-1] in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
