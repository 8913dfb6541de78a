"""The suite of a subject: every check as an expectation that Great Expectations judges.

Each expectation carries the id of its check in its `meta` and the check's sentence as description,
which is what the pages show. Conditions on single records and thresholds are judged on what was
measured before (see `figures`); rules over groups run on the records themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.checks.check import Check, quote_text
from pipelines.checks.subjects import Subject

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

ROW_COUNT_CHECK = "has_records"


def build_expectations(subject: Subject) -> list[Expectation]:
    """The expectations of one subject, in the order of its checks.

    Imports Great Expectations, which takes seconds the first time.
    """
    return [_make_expectation(subject, check) for check in subject.checks]


def _make_expectation(subject: Subject, check: Check) -> Expectation:
    from pipelines.checks.expectations import (
        ExpectNoBrokenRecords,
        ExpectNoMatchingRows,
        ExpectTableRowCountToBeBetween,
    )

    about = _describe(check)
    if check.check_id == ROW_COUNT_CHECK:
        return ExpectTableRowCountToBeBetween(min_value=1, **about)
    if check.counting == "record":
        (source_id,) = subject.source_ids
        query = select_broken(source_id, check.check_id)
        return ExpectNoBrokenRecords(unexpected_rows_query=query, **about)
    if check.kind == "reference":
        return ExpectNoBrokenRecords(unexpected_rows_query=check.query, **about)
    return ExpectNoMatchingRows(unexpected_rows_query=check.query, **about)


def select_broken(source_id: str, check_id: str) -> str:
    """SQL for the numbers of broken records by period and currency."""
    return (
        "select period_id, currency_code, broken_count from figures.broken "
        f"where source_id = {quote_text(source_id)} and check_id = {quote_text(check_id)}"
    )


def _describe(check: Check) -> dict[str, Any]:
    """The arguments that every expectation shares. Its description is what the pages show."""
    return {
        "severity": "critical" if check.severity == "error" else "warning",
        # The pages take what follows a dollar sign for the name of a parameter.
        "description": check.sentence.replace("$", "\N{FULLWIDTH DOLLAR SIGN}"),
        "meta": {"check_id": check.check_id},
    }
