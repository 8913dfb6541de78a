"""Every command, argument and option stands in docs/reference/commands.md, and no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer

from pipelines.cli.main import app
from tests.unit.docs.markdown_text import read_first_cells, split_sections


def list_commands(command: Any, name: str = "") -> dict[str, Any]:
    """Commands by the words that call them: 'run', and 'group command' for a nested one."""
    found: dict[str, Any] = {}
    for word, child in command.commands.items():
        path = f"{name} {word}".strip()
        found |= list_commands(child, path) if hasattr(child, "commands") else {path: child}
    return found


def list_parameters(command: Any) -> set[str]:
    """'PERIOD', '--service', '-w' ... but not --help, which all commands have."""
    names: set[str] = set()
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            names.add(str(parameter.name).upper())
        else:
            names |= {*parameter.opts, *parameter.secondary_opts}
    return names - {"--help"}


COMMANDS = list_commands(typer.main.get_command(app))


@pytest.fixture(scope="module")
def sections(reference: Path) -> dict[str, str]:
    return split_sections((reference / "commands.md").read_text("utf-8"), 2)


def test_there_are_commands() -> None:
    assert {"init", "doctor", "land", "build", "run", "trace", "bill", "sql", "serve"} <= set(
        COMMANDS
    )


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_command_is_documented_with_every_parameter(name: str, sections: dict[str, str]) -> None:
    assert name in sections, f"no heading '## {name}' in commands.md"
    assert read_first_cells(sections[name]) == list_parameters(COMMANDS[name])


def test_no_section_describes_a_command_that_is_not_there(sections: dict[str, str]) -> None:
    assert set(sections) - {"Commands", "Other programs"} == set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_defaults_are_documented(name: str, sections: dict[str, str]) -> None:
    for parameter in COMMANDS[name].params:
        default = parameter.default
        if isinstance(default, bool) or not isinstance(default, str | int) or default == ".":
            continue
        shown = getattr(default, "value", default)
        rows = [line for line in sections[name].splitlines() if f"`{parameter.opts[0]}`" in line]
        assert len(rows) == 1
        assert f"default `{shown}`" in rows[0] or f"default {shown}" in rows[0]


def test_readme_lists_every_command(readme: str) -> None:
    table = split_sections(readme, 2)["Commands"]
    listed = {name.removeprefix("apportion ") for name in read_first_cells(table)}
    assert listed == set(COMMANDS)


def test_exit_codes_are_those_of_the_program(readme: str, sections: dict[str, str]) -> None:
    from pipelines import errors

    codes = {value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    for text in (split_sections(readme, 2)["Commands"], sections["Commands"]):
        documented = [line for line in text.splitlines() if line[:3] in {f"| {c}" for c in codes}]
        assert len(documented) == len(codes) == 5
