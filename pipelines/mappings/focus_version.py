"""Name the FOCUS version of a cost and usage header from its columns.

The version is the newest one that introduced a column of the header, and 1.4 where the provider is
named only as 1.4 names it. Known limit: many columns are conditional, so a file of a newer version
that uses none of its new columns looks like the older one; mappings of both read it alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import yaml

VERSIONS = Path(__file__).parent / "hints" / "focus_versions.yml"
MARKS = frozenset({"BilledCost", "BillingPeriodStart", "ChargePeriodStart", "ChargeCategory"})
"""Mandatory in every version; a header without them is not FOCUS."""
OLDEST_READ = "1.0"


def name_focus_version(columns: Iterable[str]) -> str | None:
    """The version, such as '1.2'; None where the header is not that of FOCUS cost and usage."""
    found = set(columns)
    if not found >= MARKS:
        return None
    versions = _load_versions()
    introduced: dict[str, list[str]] = versions["introduced"]
    newest = max(version for version, names in introduced.items() if found & set(names))
    for version, names in versions["removed"].items():
        # What replaced a column that is gone is there, and the column is not.
        if not found & set(names) and "ServiceProviderName" in found:
            newest = max(newest, version)
    return max(newest, OLDEST_READ)


@cache
def _load_versions() -> dict[str, Any]:
    versions: dict[str, Any] = yaml.safe_load(VERSIONS.read_text("utf-8"))
    return versions
