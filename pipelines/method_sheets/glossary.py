"""The terms, from the one place that knows them: docs/glossary.md.

The app, the method sheets and the reader of the repository see the same table. Assumes its form:
two columns, the term in bold; an amount ends with the mart column that holds it. A row that has
another form is a defect of the page and is refused, so that no term can get lost on the way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipelines.errors import ApportionError

GLOSSARY = Path(__file__).parents[2] / "docs" / "glossary.md"
_ROW = re.compile(r"^\| \*\*(?P<term>[^*|]+)\*\* \| (?P<meaning>[^|]+) \|$")
_COLUMN = re.compile(r" `(?P<column>[a-z_]+\.[a-z_]+)`$")
_MARKS = re.compile(r"[*`]")


class GlossaryError(ApportionError):
    """A row of the glossary that is not a term and its meaning."""

    def __init__(self, path: Path, number: int, line: str) -> None:
        super().__init__(
            f"{path}, line {number}: expected '| **Term** | meaning |', found '{line}'"
        )


@dataclass(frozen=True)
class Term:
    """A term of the field and what Apportion means by it, as plain text."""

    name: str
    meaning: str
    column: str = ""
    """The one mart column that holds it, as `mart.column`; empty where the term is no amount."""


@cache
def read_terms(path: Path = GLOSSARY) -> tuple[Term, ...]:
    """All terms in the order of the page. Raises GlossaryError for a row of another form."""
    terms = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        if not line.startswith("| ") or line == "| term | meaning |":
            continue
        found = _ROW.match(line)
        if found is None:
            raise GlossaryError(path, number, line)
        meaning = found["meaning"].strip()
        column = _COLUMN.search(meaning)
        text = _MARKS.sub("", _COLUMN.sub("", meaning)).strip()
        terms.append(Term(found["term"], text, column["column"] if column else ""))
    return tuple(terms)
