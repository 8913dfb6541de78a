"""What a check is: what must hold, how it is counted, and what to do where it does not.

A check is judged by Great Expectations (see `suites`) through one query. There are three ways to
count, because a delivery may have a hundred million records:

- 'record'   a condition on one record; all of a source are counted in one scan (see `figures`),
- 'records'  a query that sets records against each other, run on the records themselves,
- 'figure'   a threshold on figures of a source that were measured before, one row per finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipelines.checks.rules import Severity

CheckKind = Literal[
    "delivered",
    "filled",
    "allowed",
    "range",
    "unique",
    "rule",
    "completeness",
    "freshness",
    "volume",
    "amount",
    "reference",
]
Counting = Literal["record", "records", "figure"]


@dataclass(frozen=True)
class Check:
    """One thing that must hold for a source, or for the sources of a family together."""

    check_id: str
    kind: CheckKind
    severity: Severity
    sentence: str
    """What holds when the check passes, in the words of finance."""
    counting: Counting
    query: str = ""
    """What Great Expectations counts; for 'record' it follows from the check's id."""
    condition: str | None = None
    """'record': SQL condition of a broken record."""
    broken_rows: str = ""
    """SQL for the records that break it, with `{batch}`; '' where there is no such record."""
    expected: str = ""
    """'figure': the threshold in words, such as 'expected at most +50 %'."""
    field: str = ""
    """The field that is looked at, where it is one."""


def quote_text(value: str) -> str:
    """A text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"
