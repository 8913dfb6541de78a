"""What a person has said about a file already: constants, columns and settings of its mapping."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import yaml


@dataclass(frozen=True)
class Answers:
    """Answers to what a proposal leaves open."""

    constants: dict[str, str] = field(default_factory=dict)
    """Field -> the value that every record has."""
    columns: dict[str, str] = field(default_factory=dict)
    """Field -> the column that gives it."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Setting of the mapping -> its value."""

    currency: str | None = None
    """The currency of the workspace, to be proposed where the file says none."""
    time_zone: str | None = None
    """The time zone of the workspace, to be proposed where times name none."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was said."""
        return not (self.constants or self.columns or self.settings)

    def add(self, kind: str, name: str, value: Any) -> Answers:
        """These answers and one more: a 'constant', a 'column' or a 'setting'."""
        if kind == "constant":
            return replace(self, constants={**self.constants, name: value})
        if kind == "column":
            return replace(self, columns={**self.columns, name: value})
        return replace(self, settings={**self.settings, name: value})


def read_settings(texts: dict[str, str]) -> dict[str, Any]:
    """Settings of a mapping as a command line gives them."""
    return {name: _read_value(text) for name, text in texts.items()}


def _read_value(text: str) -> Any:
    """A value of a mapping's setting as YAML: 2 is a number, dmy a text, [a, b] a list."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return text if value is None else value
