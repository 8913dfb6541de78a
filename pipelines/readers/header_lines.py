"""Join the lines of a header that has several: names of groups above the names of columns.

A name of a group holds for the columns beside it that have none, as the merged cells of a workbook
do. A column is then called by all of its names, the upper one first: `Budget Amount`.
"""

from __future__ import annotations

from collections.abc import Sequence


def join_header_lines(lines: Sequence[Sequence[str]]) -> list[str]:
    """One name per column of header lines, the upper one first; lines may differ in width."""
    width = max(map(len, lines), default=0)
    upper = [_fill_right([*line, *[""] * (width - len(line))]) for line in lines[:-1]]
    last = [*lines[-1], *[""] * (width - len(lines[-1]))] if lines else []
    return [
        " ".join(dict.fromkeys(text.strip() for text in texts if text.strip()))
        for texts in zip(*upper, last, strict=True)
    ]


def _fill_right(line: Sequence[str]) -> list[str]:
    filled, current = [], ""
    for text in line:
        current = text.strip() or current
        filled.append(current)
    return filled
