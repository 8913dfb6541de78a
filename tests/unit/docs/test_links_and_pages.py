"""Links lead somewhere, every page of the app and every decision is named, commands exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from app.navigation import FIRST_STEPS, PAGES
from pipelines.cli.main import app
from tests.unit.docs.markdown_text import (
    list_anchors,
    list_fences,
    list_links,
    make_anchor,
    read_table_rows,
)

ROOT = Path(__file__).parents[3]
TEXTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("data/**/*.md")])
NAMES = [str(path.relative_to(ROOT)) for path in TEXTS]


@pytest.mark.parametrize("name", NAMES)
def test_relative_links_resolve(name: str, root: Path) -> None:
    path = root / name
    text = path.read_text("utf-8")
    broken = []
    for link in list_links(text):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        is_broken = not file.exists()
        if anchor and not is_broken:
            is_broken = anchor not in list_anchors(file.read_text("utf-8"))
        if is_broken:
            broken.append(link)
    assert broken == []


def test_anchors_are_made_as_a_forge_makes_them() -> None:
    assert make_anchor("pools.yml") == "poolsyml"
    assert make_anchor("A detail feed") == "a-detail-feed"
    assert make_anchor("asset_relations") == "asset_relations"


@pytest.mark.parametrize("name", NAMES)
def test_no_link_leaves_by_an_absolute_path(name: str, root: Path) -> None:
    assert [link for link in list_links((root / name).read_text("utf-8")) if link[0] == "/"] == []


def test_every_page_of_the_app_is_documented(root: Path, reference: Path) -> None:
    rows = read_table_rows((reference / "pages.md").read_text("utf-8"))[2:]
    specs = [*PAGES, FIRST_STEPS]
    expected = [
        [page.title, page.reader, f"`{page.url_path}`", f"`app/{page.file}`", page.question]
        for page in specs
    ]
    assert rows == expected
    files = {
        path.relative_to(root / "app").as_posix()
        for path in (root / "app" / "views").rglob("*.py")
        if path.name != "__init__.py"
    }
    assert files == {page.file for page in specs}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.url_path))
def test_a_guide_sends_its_reader_to_the_page(page: object, root: Path) -> None:
    title = getattr(page, "title", "")
    guide = {"Executive": "executive", "Finance": "finance", "Service owner": "service_owner"}[
        getattr(page, "reader", "")
    ]
    assert f"**{title}**" in (root / "docs" / "guide" / f"{guide}.md").read_text("utf-8")


def test_every_decision_is_listed_and_complete(root: Path) -> None:
    directory = root / "docs" / "decisions"
    files = sorted(directory.glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in files] == list(range(1, len(files) + 1))
    listed = {row[0]: row[1] for row in read_table_rows((directory / "README.md").read_text())[2:]}
    for path in files:
        text = path.read_text("utf-8")
        number, title = path.name[:4], text.splitlines()[0].removeprefix(f"# {path.name[:4]} ")
        assert listed[f"[{number}]({path.name})"] == title
        for part in ("Context", "Decision", "Consequence"):
            assert text.count(f"**{part}.**") == 1, f"{path.name}: {part}"
    assert len(listed) == len(files)


def list_shell_commands() -> list[tuple[str, str]]:
    """(file, command) for every line of every shell block, with continued lines joined."""
    commands = []
    for path, name in zip(TEXTS, NAMES, strict=True):
        for fence in list_fences(path.read_text("utf-8")):
            if fence.language != "sh":
                continue
            # A quoted argument may run over several lines.
            parts = fence.text.split('"')
            parts[1::2] = [part.replace("\n", " ") for part in parts[1::2]]
            joined = '"'.join(parts).replace("\\\n", " ")
            commands += [(name, line) for line in joined.splitlines() if line.strip()]
    return commands


def test_make_targets_exist(root: Path) -> None:
    makefile = (root / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    used = {
        line.split()[1] for _, line in list_shell_commands() if line.split()[0] == "make"
    } | set(re.findall(r"`make ([a-z]+)", (root / "README.md").read_text("utf-8")))
    assert {"demo", "run", "test", "check", "bench"} <= used
    assert used <= targets


def test_shell_blocks_call_commands_that_exist(root: Path) -> None:
    group = typer.main.get_command(app)
    commands = getattr(group, "commands", {})
    called = 0
    for name, line in list_shell_commands():
        words = shlex.split(line, comments=True)
        if Path(words[0]).name != "apportion" or words[1:] == ["--help"]:
            continue
        assert words[1] in commands, f"{name}: {line}"
        command = commands[words[1]]
        if hasattr(command, "commands"):
            assert words[2] in command.commands, f"{name}: {line}"
            command = command.commands[words[2]]
        options = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
        used = {word for word in words[2:] if re.fullmatch(r"--?[a-z][a-z-]*", word)}
        assert used <= options, f"{name}: {line}"
        called += 1
    assert called >= 10


def test_modules_that_are_called_exist(root: Path) -> None:
    called = {
        module
        for path in TEXTS
        for module in re.findall(r"python -m (pipelines[\w.]*)", path.read_text("utf-8"))
    }
    assert "pipelines.contracts.document" in called
    for module in called:
        path = root / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module
