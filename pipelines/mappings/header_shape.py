"""Find the header of a table: its line, and whether names of groups stand in a line above it.

Titles before a header are narrower than the table, or hold few names. A line of groups is one whose
names stand over several columns each and tell columns apart that are called alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pipelines.readers.header_lines import join_header_lines

LEAST_NAMES = 0.8
"""Share of the columns that a header names."""
LOOKED_AT_LINES = 60
Cells = Sequence[str]


def find_header(rows: Sequence[Cells], width: int) -> tuple[int, int]:
    """(index of the first line of the header, how many lines it has) in a table of `width`."""
    wide = [index for index, row in enumerate(rows) if len(row) == width]
    for index in wide[:LOOKED_AT_LINES]:
        row, above = rows[index], rows[index - 1] if index else ()
        below = rows[index + 1] if index + 1 < len(rows) else ()
        if count_names(row) >= LEAST_NAMES * width:
            return (index - 1, 2) if _groups(above, row, width) else (index, 1)
        if len(below) == width and _are_names(below) and _groups(row, below, width):
            joined = join_header_lines([row, below])
            if count_names(joined) >= LEAST_NAMES * width:
                return index, 2
    return (wide[0] if wide else 0), 1


def count_names(cells: Cells) -> int:
    """How many of the cells may be the name of a column."""
    texts = (cell.strip() for cell in cells)
    return sum(bool(text) and not text[0].isdigit() and text[0] != "-" for text in texts)


def _are_names(cells: Cells) -> bool:
    return count_names(cells) == sum(bool(cell.strip()) for cell in cells)


def _groups(upper: Cells, lower: Cells, width: int) -> bool:
    """Whether the upper line names groups of the columns that the lower one names."""
    cells = [*(cell.strip() for cell in upper), *[""] * (width - len(upper))]
    filled = [index for index, cell in enumerate(cells) if cell]
    if len(cells) != width or not filled or all(cells):
        return False
    names = [cell.strip() for cell in lower]
    joined = join_header_lines([cells, names])
    doubled = {name for name, count in Counter(names).items() if name and count > 1}
    if doubled and len(set(joined)) == width:
        return True
    ends = [*filled[1:], width]
    # A group begins behind the first column and is of several named ones.
    wide = [
        start
        for start, end in zip(filled, ends, strict=True)
        if start and sum(bool(name) for name in names[start:end]) > 1
    ]
    return len(wide) > 1
