"""Find what a file says once for all of its records: in its name, or before its header.

A value that a mapping expects there and that is not there refuses the file: its records would lack
a period, an entity or a year, and nobody could say which.
"""

from __future__ import annotations

import re
from dataclasses import replace

from pipelines.errors import DeliveryRefusedError, Problem
from pipelines.mappings.mapping import Mapping
from pipelines.readers.csv_header import Header

SHOWN_CHARACTERS = 300


def add_file_values(header: Header, mapping: Mapping, name: str) -> Header:
    """The header with the values of the file called `name`. Raises DeliveryRefusedError."""
    values = tuple(
        (field, _find(item.where, item.pattern, f"the field {field}", header, name))
        for field, item in mapping.file_values.items()
    )
    year = None
    source = mapping.year_from
    if source is not None and source.year is not None:
        year = str(source.year)
    elif source is not None and source.column is None:
        year = _find(source.where, source.pattern, "the year", header, name)
    return replace(header, file_values=values, year=year)


def refuse_other_values(mapping: Mapping, name: str, known: str) -> None:
    """Raise DeliveryRefusedError where the names of two files with one content say two values, such
    as two months: the second would be taken for the first one."""
    patterns = [item.pattern for item in mapping.file_values.values() if item.where == "file_name"]
    if mapping.year_from is not None and mapping.year_from.where == "file_name":
        patterns.append(mapping.year_from.pattern)
    for pattern in patterns:
        one, other = re.search(pattern, name), re.search(pattern, known)
        if one and other and one[1] != other[1]:
            raise DeliveryRefusedError(
                Problem(
                    name,
                    f"has the content of '{known}' under a name that says {one[1]}, not {other[1]}",
                    expected="content of its own, because files are told apart by it",
                    found="the same bytes",
                    remedy="It was not loaded. Ask the sender for a file that says in its content "
                    "what it is for, or add that to the file.",
                )
            )


def _find(where: str, pattern: str, what: str, header: Header, name: str) -> str:
    texts = [name] if where == "file_name" else header.titles
    for text in texts:
        if (match := re.search(pattern, text)) is not None and match[1]:
            return match[1]
    place = "its name" if where == "file_name" else "the lines before its header"
    shown = " / ".join(texts)
    raise DeliveryRefusedError(
        Problem(
            name,
            f"does not say {what} in {place}",
            expected=f"a text that matches {pattern}",
            found=repr(shown[:SHOWN_CHARACTERS]) if shown else "no such line",
            remedy="Nothing was loaded. Correct the file or its mapping, then land it again.",
        )
    )
