"""Find totals and subtotals among the records of a file, and prove them by their sums.

A record is a total where a text says so and a number of it is the sum of the records before it,
since the last total of its kind or of an outer one. What only looks like a total is left to a
person: landing would refuse the file, or count the money twice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import compress
from typing import Any

from pipelines.mappings.file_head import LOOKED_AT_RECORDS, FileHead
from pipelines.mappings.gaps import read_number

LEVELS = (
    r"(?i) *(?:sub|sous)[ -]?totals?\b.*|(?i) *zwischensumme\b.*",
    r"(?i) *(?:totals?|totale|summe|somme|suma)(?: +(?:of|for|von|de))? +[^ ].*",
    r"(?i) *(?:totals?|totaal|totale|summe|somme|suma) *:?",
    r"(?i) *(?:grand|overall)[ -]?totals?\b.*|(?i) *(?:gesamtsumme|gesamt|insgesamt)\b.*"
    r"|(?i) *total g[eé]n[eé]ral\b.*",
)
"""Texts of totals, inner ones first."""
MOST_TOTALS = 0.6
"""Share of the records from which on such texts are something else."""


def find_totals(head: FileHead) -> tuple[list[dict[str, Any]], FileHead, str | None]:
    """(settings of the totals, the head without them, what a person must look at)."""
    records = head.records[:LOOKED_AT_RECORDS]
    doubted = None
    for index, column in enumerate(head.columns):
        found = [_find_level(record[index]) for record in records]
        levels = sorted({level for level in found if level is not None})
        if not levels or sum(level is not None for level in found) > MOST_TOTALS * len(found):
            continue
        sums = _find_sums(head, records, found)
        if not sums:
            doubted = (
                f"totals: {records[_first(found)][index]!r} in {column!r} looks like a total and "
                "is not the sum of its records; correct the file, or leave such records out"
            )
            continue
        settings = [
            {"column": column, "pattern": LEVELS[level], "columns": sums} for level in levels
        ]
        is_line = [_find_level(record[index]) is None for record in head.records]
        kept = tuple(compress(head.records, is_line))
        return (
            settings,
            replace(head, records=kept, lines=tuple(compress(head.lines, is_line))),
            None,
        )
    return [], head, doubted


def _find_level(text: str) -> int | None:
    return next((n for n, pattern in enumerate(LEVELS) if _says(pattern, text)), None)


def _says(pattern: str, text: str) -> bool:
    # Python takes a flag at the beginning only.
    return re.fullmatch(pattern.replace("(?i)", ""), text, re.IGNORECASE) is not None


def _first(found: Sequence[int | None]) -> int:
    return next(number for number, level in enumerate(found) if level is not None)


def _find_sums(
    head: FileHead, records: Sequence[tuple[str, ...]], found: Sequence[int | None]
) -> list[str]:
    """The columns in which every total is the sum of its records."""
    return [
        column
        for index, column in enumerate(head.columns)
        if _adds_up([read_number(record[index].strip()) for record in records], found)
    ]


def _adds_up(numbers: Sequence[Decimal | None], found: Sequence[int | None]) -> bool:
    """Whether each total is the sum since the last one of its level or of an outer one, and some
    number is not zero."""
    running: dict[int, Decimal] = {level: Decimal(0) for level in found if level is not None}
    has_value = False
    for number, level in zip(numbers, found, strict=True):
        if level is None:
            running = {key: total + (number or 0) for key, total in running.items()}
            has_value |= bool(number)
            continue
        if number is None or number != running[level]:
            return False
        running = {k: Decimal(0) if k <= level else total for k, total in running.items()}
    return has_value
