"""Read the table of the periods of a workspace: a CSV file in the form of `fiscal_calendar`.

It is read with the settings and not as a delivery, because what a day belongs to must be known
before anything can land. Every problem is reported with its line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from pipelines.contracts.contract import load_contract
from pipelines.errors import Problem
from pipelines.workspace.fiscal_calendar import PERIOD_PATTERN, Period, find_quarter

CONTRACT = "fiscal_calendar"


def read_calendar_file(path: Path, name: str) -> tuple[list[Period], list[Problem]]:
    """The periods in order, and what is wrong with the file; `name` is shown in problems."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        remedy = f"Write the table of the periods there; 'calendar' in apportion.yml names {name}."
        return [], [Problem(name, f"cannot be read: {reason}", remedy=remedy)]
    reader = csv.DictReader(text.splitlines())
    fields = load_contract(CONTRACT).fields
    required = [field.name for field in fields if field.is_required]
    header = reader.fieldnames or []
    unknown = [column for column in header if column not in {field.name for field in fields}]
    missing = [column for column in required if column not in header]
    if missing or unknown:
        return [], [
            Problem(
                f"{name}:1",
                "has not the columns of a calendar",
                expected=", ".join(field.name for field in fields),
                found=", ".join(header) or "nothing",
            )
        ]
    periods: list[Period] = []
    problems: list[Problem] = []
    for row in reader:
        line = reader.line_num
        found = list(_find_problems(row, name, line, periods[-1] if periods else None))
        problems += found
        if not found:
            periods.append(_make_period(row))
        if len(problems) > 20:
            break
    if not periods and not problems:
        problems.append(Problem(name, "has no periods"))
    return periods, problems


def _make_period(row: dict[str, str]) -> Period:
    return Period(
        row["period_id"],
        date.fromisoformat(row["starts_date"]),
        date.fromisoformat(row["ends_date"]),
        int(row["fiscal_year"]),
        int(row["period_number"]),
    )


def _find_problems(
    row: dict[str, str], name: str, line: int, before: Period | None
) -> Iterator[Problem]:
    def problem(field: str, what: str, expected: str) -> Problem:
        return Problem(
            f"{name}:{line}",
            what,
            field=field,
            expected=expected,
            found=row.get(field) or "nothing",
        )

    if None in row or None in row.values():
        yield Problem(f"{name}:{line}", "has another number of values than the header")
        return
    try:
        own = _make_period(row)
    except ValueError as error:
        yield Problem(
            f"{name}:{line}",
            f"is no period: {error}",
            expected="days such as 2026-03-31, and whole numbers",
        )
        return
    if not PERIOD_PATTERN.match(own.period_id):
        yield problem("period_id", "has the wrong form", "an id such as 2026-P03 or 2026-03")
    if own.end <= own.start:
        yield problem("ends_date", "is not after starts_date", "the first day after the period")
    quarter = (row.get("fiscal_quarter") or "").strip()
    if quarter and quarter != str(find_quarter(own.number)):
        expected = f"{find_quarter(own.number)}, the quarter of period {own.number}"
        yield problem("fiscal_quarter", "is another quarter", expected)
    weeks = (row.get("weeks_quantity") or "").strip()
    days = (own.end - own.start).days
    if weeks and weeks != f"{days / 7:g}":
        yield problem("weeks_quantity", "is not what the days are", f"{days / 7:g}")
    if before is None:
        return
    if own.start != before.end:
        gap = "leaves days out" if own.start > before.end else "overlaps the period before"
        yield problem("starts_date", gap, f"{before.end}, where {before.period_id} ends")
    if own.period_id <= before.period_id or ("P" in own.period_id) != ("P" in before.period_id):
        yield problem("period_id", "is out of order", f"an id after {before.period_id}")
    follows = (own.fiscal_year, own.number) in (
        (before.fiscal_year, before.number + 1),
        (before.fiscal_year + 1, 1),
    )
    if not follows:
        expected = f"{before.number + 1} of {before.fiscal_year}, or 1 of {before.fiscal_year + 1}"
        yield problem("period_number", "does not follow", expected)
