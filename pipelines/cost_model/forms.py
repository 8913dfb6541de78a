"""The forms that all rule files share: ids, lists of globs, parts without unknown keys, spans."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)]

Globs = Annotated[list[str], Field(min_length=1)]
"""A list of globs; an empty one would match nothing, silently."""


class Strict(BaseModel):
    """A part of a rule file: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Dated(Strict):
    """Something that holds for a span of time: [valid_from, valid_to)."""

    valid_from: date | None = None
    valid_to: date | None = None

    @model_validator(mode="after")
    def span_is_not_empty(self) -> Dated:
        if self.valid_from and self.valid_to and self.valid_from >= self.valid_to:
            raise ValueError(f"valid_to {self.valid_to} is not after valid_from {self.valid_from}")
        return self


class Approvable(Dated):
    """A rule that somebody agrees to as it stands."""

    approved_by: str | None = Field(default=None, min_length=1)
    approved_on: date | None = None

    @model_validator(mode="after")
    def approval_is_whole(self) -> Approvable:
        if (self.approved_by is None) != (self.approved_on is None):
            raise ValueError("an approval has both 'approved_by' and 'approved_on'")
        return self
