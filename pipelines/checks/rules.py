"""Rules that a source must keep beyond its contract, read from `rules/<contract_id>.yml`.

A rule is data: an id, a severity, a sentence in the words of finance, and SQL that finds the
records that break it. Either `where` is a condition on one record, or `broken_rows` is a whole
query that returns `_file_id`, `_row_number` and the named columns. `{batch}` stands for the table
of the contract; there is no other brace, and no colon, because both mean something else to the
engine that runs the query.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

RULES_DIRECTORY = Path(__file__).parent / "rules"

Severity = Literal["error", "warning"]
"""'error' stops the build, 'warning' rides along with it."""


class Rule(BaseModel):
    """One rule of one source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    check_id: str
    severity: Severity
    sentence: str
    """What holds when the rule is kept, and what would go wrong otherwise."""
    columns: tuple[str, ...]
    """Columns that are shown of a record that breaks the rule."""
    where: str | None = None
    broken_rows: str | None = None

    @model_validator(mode="after")
    def query_is_usable(self) -> Rule:
        if (self.where is None) == (self.broken_rows is None):
            raise ValueError(f"rule {self.check_id}: expected either 'where' or 'broken_rows'")
        query = self.query
        bare = query.replace("{batch}", "")
        if bare == query or any(mark in bare for mark in "{}:"):
            raise ValueError(f"rule {self.check_id}: expected '{{batch}}', no other brace or colon")
        return self

    @property
    def query(self) -> str:
        """SQL that returns one row per record that breaks the rule."""
        if self.broken_rows is not None:
            return self.broken_rows
        return select_rows(self.columns, str(self.where))


def select_rows(columns: tuple[str, ...], condition: str) -> str:
    """SQL for the records that meet a condition, with where they stand and the named columns."""
    listed = ", ".join(["_file_id", "_row_number", *columns])
    return f"select {listed} from {{batch}} where {condition}"


@cache
def load_rules(contract_id: str) -> tuple[Rule, ...]:
    """The rules of one source, in the order of its file; none if it has no file."""
    path = RULES_DIRECTORY / f"{contract_id}.yml"
    if not path.is_file():
        return ()
    rules = tuple(Rule.model_validate(entry) for entry in yaml.safe_load(path.read_text("utf-8")))
    ids = [rule.check_id for rule in rules]
    if len(set(ids)) != len(ids):
        raise ValueError(f"{path.name}: a check_id occurs twice")
    return rules
