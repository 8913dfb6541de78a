"""Method sheets, their index and the glossary as Markdown, for a wiki or a repository.

What comes from rules and catalogue is escaped, so that it reads as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from pipelines.method_sheets.glossary import Term
from pipelines.method_sheets.records import Section, Sheet, Table

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$])")
_BREAKS = re.compile(r"\s*[\r\n]+\s*")


def escape_text(text: str) -> str:
    """Text that Markdown shows as it is."""
    return _SPECIAL.sub(r"\\\1", _BREAKS.sub(" ", text))


def render_sheet(sheet: Sheet) -> str:
    """One service as a document of its own."""
    parts = [
        f"# {escape_text(sheet.service_name)}",
        f"*{escape_text(sheet.category_name)}* · [All services](index.md) · [Words](glossary.md)",
        f"> {escape_text(sheet.summary)}",
        *(_render_section(section) for section in sheet.sections),
        f"---\n\n{escape_text(sheet.origin)}",
    ]
    return "\n\n".join(parts) + "\n"


def render_index(sheets: Sequence[Sheet], files: Sequence[str]) -> str:
    """All services by category, each with its price, leading to its sheet."""
    pairs = sorted(
        zip(sheets, files, strict=True),
        key=lambda pair: (pair[0].category_name, pair[0].service_name.casefold()),
    )
    parts = ["# What you pay for", "One sheet per service. The words are in [Words](glossary.md)."]
    for category, group in groupby(pairs, key=lambda pair: pair[0].category_name):
        rows = [
            "| service | counted by | price | unit cost | whom to ask |",
            "|---|---|---:|---:|---|",
            *(
                f"| [{escape_text(sheet.service_name)}]({file}) | {escape_text(sheet.counted_by)} "
                f"| {escape_text(sheet.price)} | {escape_text(sheet.unit_cost)} "
                f"| {escape_text(sheet.owner_name)} |"
                for sheet, file in group
            ),
        ]
        parts += [f"## {escape_text(category)}", "\n".join(rows)]
    return "\n\n".join(parts) + "\n"


def render_glossary(terms: Sequence[Term]) -> str:
    """The words of the field, from A to Z."""
    rows = [
        f"| **{escape_text(t.name)}** | {escape_text(t.meaning)}"
        f"{f' `{t.column}`' if t.column else ''} |"
        for t in terms
    ]
    return "\n".join(["# Words", "", "| term | meaning |", "|---|---|", *rows]) + "\n"


def _render_section(section: Section) -> str:
    parts = [f"## {escape_text(section.heading)}", *map(escape_text, section.paragraphs)]
    if section.table:
        parts.append(_render_table(section.table))
    if section.note:
        parts.append(f"*{escape_text(section.note)}*")
    return "\n\n".join(parts)


def _render_table(table: Table) -> str:
    marks = ["---:" if n in table.numeric else "---" for n in range(len(table.columns))]
    rows = [table.columns, *table.rows]
    lines = [f"| {' | '.join(map(escape_text, row))} |" for row in rows]
    lines.insert(1, f"|{'|'.join(marks)}|")
    return "\n".join(lines)
