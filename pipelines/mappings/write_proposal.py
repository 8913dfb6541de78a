"""Write a proposed mapping as YAML: settings, a reason per column, decisions as comments."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from pipelines.errors import UsageError
from pipelines.mappings.infer import Proposal


class MappingExistsError(UsageError):
    """The file to write is there already; a mapping that a person made is not overwritten."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: expected a name that is free, found a file. Name another one.")


def render_proposal(proposal: Proposal, mapping_id: str | None = None) -> str:
    """The mapping as YAML. It is refused until every constant that is empty has a value; other
    decisions confirm what is written."""
    settings = dict(proposal.settings)
    if mapping_id:
        settings["mapping_id"] = mapping_id
    if proposal.adopted is not None:
        begin = f"# The ready mapping '{proposal.adopted}', which reads this file as it is."
        return "\n".join([begin, *_dump(settings), ""])
    if proposal.adapted is not None:
        begin = f"# The ready mapping '{proposal.adapted}', for another format. Look at every line."
        return "\n".join([begin, *_dump(settings), ""])
    columns = settings.pop("columns")
    optional = settings.pop("optional_columns", [])
    constants = settings.pop("constants", {})
    value_maps = settings.pop("value_maps", None)
    lines = ["# Proposed by 'apportion infer' from the head of a file. Look at every line."]
    lines += [f"# decide: {_one_line(decision)}" for decision in proposal.decisions]
    lines += _dump(settings)
    lines += _render_columns(proposal, columns, optional)
    if value_maps:
        lines += _dump({"value_maps": value_maps})
    lines += _render_constants(proposal, constants)
    return "\n".join([*lines, ""])


def _render_columns(
    proposal: Proposal, columns: dict[str, object], optional: list[str]
) -> list[str]:
    lines = ["columns:" if columns else "columns: {}"]
    reasons = {guess.field: guess for guess in proposal.match.guesses}
    for name, column in columns.items():
        guess = reasons[name]
        lines.append(
            f"  {_dump_column(name, column)}  # {guess.confidence:.2f}: {_one_line(guess.reason)}"
        )
    contract = proposal.match.contract
    lacking = [
        column
        for name, column in columns.items()
        if isinstance(column, str) and not contract.field(name).is_required
    ]
    needed = {
        column
        for name, column in columns.items()
        if isinstance(column, str) and contract.field(name).is_required
    }
    listed = [column for column in dict.fromkeys([*lacking, *optional])
              if column in optional or column not in needed]  # fmt: skip
    if listed:
        lines += _dump({"optional_columns": listed})
    return lines


def _render_constants(proposal: Proposal, constants: dict[str, str]) -> list[str]:
    """What no column gives: the value that every record has, empty where a person must say it."""
    if not constants:
        return []
    lines = [
        "# What no column gives: the value that every record has. Give the empty ones a value,"
    ]
    lines.append("# or name a column above instead and take the line out.")
    lines.append("constants:")
    for name, value in constants.items():
        meaning = proposal.match.contract.field(name).description
        lines.append(f"  {_dump_quoted(name, value)}  # {_one_line(meaning)}")
    return lines


def _dump_column(name: str, column: object) -> str:
    """One line: the field with its column, or with a list of those that it may have."""
    if isinstance(column, str):
        return _dump({name: column})[0]
    listed = yaml.safe_dump(column, default_flow_style=True, allow_unicode=True, width=10_000)
    return f"{name}: {listed.strip()}"


def _dump_quoted(name: str, value: str) -> str:
    text = yaml.safe_dump(value, default_style='"', allow_unicode=True, width=10_000).strip()
    return f"{name}: {text}"


def write_proposal(proposal: Proposal, path: Path) -> None:
    """Write the mapping to a new file; its id is the file's name. Raises MappingExistsError where
    there is one, and never leaves half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = render_proposal(proposal, path.stem)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise MappingExistsError(path) from None


def _dump(settings: dict[str, object]) -> list[str]:
    text = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True, width=10_000)
    return text.rstrip("\n").split("\n")


def _one_line(text: str) -> str:
    """Text of the sender must not end a comment and begin a setting."""
    return "".join(char if char.isprintable() else " " for char in text)
