"""The columns of FOCUS, the open specification of cost and usage data, as `columns.yml` has them.

Names, types, null rules and allowed values are those of the specification (focus.finops.org), of
1.4 for all datasets that bills are written as, and of 1.2 for Cost and Usage.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from pipelines.errors import UsageError

FILE = Path(__file__).with_name("columns.yml")
CURRENT = "1.4"

ColumnType = Literal["string", "decimal", "datetime", "json"]
Format = Literal[
    "currency", "not_negative", "object", "key_value", "service_category", "service_subcategory"
]


class Column(BaseModel):
    """One column of a dataset."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    type: ColumnType = "string"
    has_nulls: bool = False
    allowed: tuple[str, ...] = ()
    format: Format | None = None


class _Definitions(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    service_categories: dict[str, tuple[str, ...]]
    versions: dict[str, dict[str, tuple[Column, ...]]]


@cache
def _load() -> _Definitions:
    return _Definitions.model_validate(yaml.safe_load(FILE.read_text("utf-8")))


def list_versions() -> list[str]:
    """Versions of FOCUS that bills are written in."""
    return list(_load().versions)


def find_datasets(version: str) -> dict[str, tuple[Column, ...]]:
    """Dataset -> its columns in the order of the file. Raises UsageError for another version."""
    found = _load().versions.get(version)
    if found is None:
        raise UsageError(
            f"FOCUS version '{version}' is not written; there are {', '.join(list_versions())}"
        )
    return found


def list_service_categories() -> dict[str, tuple[str, ...]]:
    """Category of a service -> its subcategories; those of 1.2 and 1.4 are the same."""
    return _load().service_categories
