"""Cut what stands before the header and after the records of a text delivery, line by line.

Titles and totals have another width than the records, so a strict parser cannot read past them.
Lines are what the file shows: a declared header row counts them from 1.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from pipelines.errors import DeliveryRefusedError, Problem
from pipelines.mappings.mapping import Mapping
from pipelines.readers.header_lines import join_header_lines

MAX_LINE_CHARACTERS = 2_000_000
MAX_FOOTER_LINES = 1000
CHUNK_BYTES = 1 << 22
NEWLINES = re.compile(rb"\n{2,}")
SHOWN_CHARACTERS = 80


def needs_cutting(mapping: Mapping) -> bool:
    """Whether the mapping declares lines that are neither header nor records."""
    return (
        mapping.header_row > 1
        or mapping.header_rows > 1
        or mapping.footer_rows > 0
        or mapping.footer_pattern is not None
    )


def cut_lines(path: Path, mapping: Mapping, target: Path, name: str) -> list[str]:
    """Copy header and records of the UTF-8 file at `path` to `target`; say what was cut.

    Raises DeliveryRefusedError where a declared header row or footer is not there.
    """
    pattern = re.compile(mapping.footer_pattern) if mapping.footer_pattern is not None else None
    held: deque[str] = deque()
    with (
        path.open(encoding="utf-8-sig", newline="") as source,
        target.open("w", encoding="utf-8", newline="") as result,
    ):
        for number in range(1, mapping.header_row):
            if not source.readline(MAX_LINE_CHARACTERS):
                expected = f"the header in line {mapping.header_row}"
                raise _refuse(name, "is too short", expected, f"{number - 1} lines")
        result.write(_read_header(source, mapping, name))
        while line := source.readline(MAX_LINE_CHARACTERS):
            # What may be the footer is held back until a record follows it.
            is_held = pattern is None or not line.strip() or pattern.match(line) is not None
            if pattern is None:
                held.append(line)
                if len(held) > mapping.footer_rows:
                    result.write(held.popleft())
            elif is_held and len(held) < MAX_FOOTER_LINES:
                held.append(line)
            else:
                result.writelines((*held, line))
                held.clear()
    footer = [line.strip() for line in held if line.strip()]
    if pattern is not None and not footer:
        raise _refuse(name, "lacks its footer", f"a last line like {pattern.pattern}", "none")
    if len(held) < mapping.footer_rows:
        expected = f"{mapping.footer_rows} lines of footer"
        raise _refuse(name, "lacks its footer", expected, f"{len(held)} lines after the header")
    return [*_say_cut("before the header", mapping.header_row - 1), *_say_footer(footer)]


def _read_header(source: TextIO, mapping: Mapping, name: str) -> str:
    """The header as one line. Raises DeliveryRefusedError where it has not so many lines."""
    if mapping.header_rows == 1:
        return source.readline(MAX_LINE_CHARACTERS)
    lines = iter(lambda: source.readline(MAX_LINE_CHARACTERS), "")
    form: dict[str, Any] = {"delimiter": mapping.delimiter, "quotechar": mapping.quote or None}
    form["quoting"] = csv.QUOTE_MINIMAL if mapping.quote else csv.QUOTE_NONE
    header: list[list[str]] = []
    try:
        header += islice(csv.reader(lines, strict=True, **form), mapping.header_rows)
        if len(header) < mapping.header_rows:
            raise _refuse(
                name, "is too short", f"a header of {mapping.header_rows} lines", f"{len(header)}"
            )
        joined = io.StringIO(newline="")
        csv.writer(joined, lineterminator="\n", **form).writerow(join_header_lines(header))
    except csv.Error as error:
        raise _refuse(name, "has no readable header", "a header", str(error)) from None
    return joined.getvalue()


def read_titles(path: Path, mapping: Mapping) -> tuple[str, ...]:
    """The lines of the UTF-8 file at `path` before its header, without their ends."""
    with path.open(encoding="utf-8-sig", newline="") as source:
        lines = [source.readline(MAX_LINE_CHARACTERS) for _ in range(1, mapping.header_row)]
    return tuple(line.rstrip("\r\n") for line in lines)


@dataclass(frozen=True)
class TextLines:
    """The lines of a CSV that a parser reads."""

    path: Path
    quote: str
    count: int | None
    """How many there are; None where their number says nothing about that of the records."""


def say_blank_lines(lines: TextLines | None, records: int) -> tuple[str, ...]:
    """A note of the empty lines, which the parser passes over in silence. They are looked for only
    in a text that has more lines than its header and `records`."""
    if lines is None or lines.count == records + 1:
        return ()
    count = _count_blank_lines(lines)
    return (f"{count:,} empty line{'s' if count > 1 else ''} passed over",) if count else ()


def _count_blank_lines(lines: TextLines) -> int:
    """Empty lines outside quotes. Assumes that a quote stands only around a field, or doubled."""
    count, is_quoted, last = 0, False, b""
    mark = lines.quote.encode()
    with lines.path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            parts = chunk.split(mark) if mark else [chunk]
            for number, part in enumerate(parts):
                if number:
                    is_quoted, last = not is_quoted, mark
                if part and not is_quoted:
                    text = (last + part).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
                    count += sum(run - 1 for run in map(len, NEWLINES.findall(text)))
                last = part[-1:] or last
    return count


def _say_cut(where: str, count: int) -> list[str]:
    return [f"{count} line{'s' if count > 1 else ''} {where} passed over"] if count else []


def _say_footer(footer: list[str]) -> list[str]:
    if not footer:
        return []
    shown = footer[0][:SHOWN_CHARACTERS]
    return [f"footer of {len(footer)} line{'s' if len(footer) > 1 else ''} passed over: {shown!r}"]


def _refuse(name: str, message: str, expected: str, found: str) -> DeliveryRefusedError:
    remedy = "Nothing was loaded. Correct the file or its mapping, then land it again."
    return DeliveryRefusedError(
        Problem(name, message, expected=expected, found=found, remedy=remedy)
    )
