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
    """The mapping as YAML. It is refused until every field under `# decide:` is settled, unless
    the decision only confirms what is written."""
    settings = dict(proposal.settings)
    if mapping_id:
        settings["mapping_id"] = mapping_id
    columns = settings.pop("columns")
    value_maps = settings.pop("value_maps", None)
    lines = ["# Proposed by 'apportion infer' from the head of a file. Look at every line."]
    lines += [f"# decide: {_one_line(decision)}" for decision in proposal.decisions]
    lines += _dump(settings)
    lines.append("columns:")
    reasons = {guess.field: guess for guess in proposal.match.guesses}
    for name, column in columns.items():
        guess = reasons[name]
        entry = _dump({name: column})[0]
        lines.append(f"  {entry}  # {guess.confidence:.2f}: {_one_line(guess.reason)}")
    optional = [
        column
        for name, column in columns.items()
        if not proposal.match.contract.field(name).is_required
    ]
    if optional:
        lines += _dump({"optional_columns": optional})
    if value_maps:
        lines += _dump({"value_maps": value_maps})
    if missing := proposal.match.missing:
        lines.append("# What no column gives: name one above, or give what every record has.")
        lines.append("# constants:")
        for name in missing:
            meaning = proposal.match.contract.field(name).description
            lines.append(f'#   {name}: ""  # {_one_line(meaning)}')
    return "\n".join([*lines, ""])


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
