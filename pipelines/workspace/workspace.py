"""A workspace: the directory that holds all that belongs to one organisation.

This is the only reader of the workspace's configuration and the only place that knows where
its parts lie.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipelines.errors import ConfigurationError, Problem, WorkspaceMissingError
from pipelines.workspace.config import WorkspaceConfig
from pipelines.workspace.yaml_files import parse_yaml_model

CONFIG_NAME = "apportion.yml"


@dataclass(frozen=True)
class Workspace:
    """The places of one workspace. Reading the configuration is lazy and done once."""

    root: Path

    @classmethod
    def open(cls, directory: Path) -> Workspace:
        """The workspace at `directory`. Raises WorkspaceMissingError if there is none."""
        root = directory.resolve()
        if not (root / CONFIG_NAME).is_file():
            raise WorkspaceMissingError(root)
        return cls(root)

    @cached_property
    def config(self) -> WorkspaceConfig:
        """apportion.yml, read and checked. Raises ConfigurationError with all of its problems."""
        from pipelines.workspace.source_checks import check_config

        value, problems, lines = parse_yaml_model(
            self.root / CONFIG_NAME, WorkspaceConfig, root=self.root
        )
        if value is not None and value.calendar.file is not None:
            value, problems = self._read_calendar(value)
        if value is not None:
            problems = check_config(value, lines, CONFIG_NAME, self.mappings)
        if value is None or problems:
            raise ConfigurationError(problems)
        return value

    def _read_calendar(
        self, config: WorkspaceConfig
    ) -> tuple[WorkspaceConfig | None, list[Problem]]:
        """The settings with the periods of the calendar's file, or its problems."""
        from pipelines.workspace.calendar_file import read_calendar_file

        name = config.calendar.file or ""
        table, problems = read_calendar_file(self.root / name, name)
        if problems:
            return None, problems
        try:
            calendar = config.calendar.with_table(table)
        except ValueError as error:
            return None, [Problem(CONFIG_NAME, str(error), field="calendar")]
        return config.model_copy(update={"calendar": calendar}), []

    @property
    def config_path(self) -> Path:
        return self.root / CONFIG_NAME

    @property
    def cost_model(self) -> Path:
        return self.root / "cost_model"

    @property
    def mappings(self) -> Path:
        """Mappings of the workspace's own; they come before the ready ones. May be missing."""
        return self.root / "mappings"

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def lake(self) -> Path:
        return self.root / "lake"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse"

    @property
    def bills(self) -> Path:
        return self.root / "bills"

    @property
    def methods(self) -> Path:
        """The method sheets, one per service, as last written."""
        return self.root / "methods"

    @property
    def evidence(self) -> Path:
        return self.root / "evidence"

    @property
    def pseudonym_key(self) -> Path:
        """The key of the pseudonyms of persons; made when a delivery names some."""
        return self.root / ".pseudonym_key"

    @property
    def books_path(self) -> Path:
        return self.root / "books.sqlite"
