"""Pages of a pack as HTML: one file each that loads nothing and runs nothing.

Reads well on a light and a dark screen, on a telephone and on paper. All text is escaped: what a
rule, a file name or a reason says is shown as it is written. A page shows the first rows of a long
table; the CSV file beside it has all of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from html import escape

from pipelines.close.evidence_pack.records import Cell, Page, Section, Table
from pipelines.method_sheets.render_html import STYLE, WIDE_COLUMNS
from pipelines.readable_text import LAYOUT, show_text

MOST_ROWS = 500
MORE_STYLE = """
main { max-width: 68rem; } nav { flex-wrap: wrap; gap: 0.3rem 1.1rem; }
p, footer, td.long { overflow-wrap: anywhere; } td.long { min-width: 12rem; }
td.hash { overflow-wrap: anywhere; min-width: 11rem;
  font: 0.8rem/1.5 ui-monospace, "Liberation Mono", monospace; }
td a, td.time { white-space: nowrap; }
.preview { border: 2px solid #b3261e; color: #b3261e; padding: 0.5rem 1rem; font-weight: 650;
  margin: 0 0 1rem; }
@media (prefers-color-scheme: dark) { .preview { border-color: #f2b8b5; color: #f2b8b5; } }
pre { background: var(--tint); padding: 0.7rem 1rem; overflow-x: auto; font-size: 0.88rem; }
@media print { pre { white-space: pre-wrap; } @page { size: A4 landscape; } }
"""
PREVIEW = "Preview: the period is not closed. These figures may still change."
HASH_DIGITS = 64
LONG_WORD = 30
TIME = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})[.\d]*\+00:00")


def render_page(page: Page, pages: Sequence[Page], origin: str, *, is_preview: bool) -> bytes:
    """One page, with links to the others."""
    links = "".join(
        f'<a href="{escape(other.name)}.html">{escape(other.title)}</a>'
        for other in pages
        if other.name != page.name
    )
    body = (
        f"<nav>{links}</nav>"
        + (f'<p class="preview">{PREVIEW}</p>' if is_preview else "")
        + f'<h1>{escape(page.title)}</h1><p class="summary">{escape(page.summary)}</p>'
        + "".join(_render_section(section) for section in page.sections)
        + f"<footer>{escape(origin)}</footer>"
    )
    text = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(page.title)}</title><style>{STYLE}{MORE_STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )
    return show_text(text, keep=LAYOUT).encode()


def _render_section(section: Section) -> str:
    parts = [f"<h2>{escape(section.heading)}</h2>"]
    for text in section.paragraphs:
        # A paragraph that begins with four spaces is a command to be typed.
        is_code = text.startswith("    ")
        parts.append(f"<pre>{escape(text.strip())}</pre>" if is_code else f"<p>{escape(text)}</p>")
    if section.table is not None:
        parts.append(_render_table(section.table, section.empty))
    return f"<section>{''.join(parts)}</section>"


def _render_table(table: Table, empty: str) -> str:
    if table.file and not table.is_shown:
        return f'<p><a href="{escape(table.file)}">{escape(table.file)}</a></p>'
    if not table.rows:
        return f"<p>{escape(empty)}</p>"
    head = "".join(
        f"<th{_mark(number, table)}>{escape(_name_column(name))}</th>"
        for number, name in enumerate(table.columns)
    )
    body = "".join(
        "<tr>" + "".join(_render_cell(cell, n, table) for n, cell in enumerate(row)) + "</tr>"
        for row in table.rows[:MOST_ROWS]
    )
    wide = ' class="wide"' if len(table.columns) > WIDE_COLUMNS else ""
    left = len(table.rows) - MOST_ROWS
    more = f" {left:,} more rows are in it." if left > 0 else ""
    note = ""
    if table.file:
        name = escape(table.file)
        note = f'<p class="note">As a file: <a href="{name}">{name}</a>.{more}</p>'
    return (
        f'<div class="scroll"><table{wide}><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>{note}"
    )


def _name_column(name: str) -> str:
    return name.replace("_", " ")


def _mark(number: int, table: Table) -> str:
    return ' class="number"' if number in table.numeric else ""


def _render_cell(cell: Cell, number: int, table: Table) -> str:
    text = write_cell(cell)
    if isinstance(cell, str) and cell.endswith(".html") and "/" not in cell:
        return f'<td><a href="{escape(cell)}">{escape(cell)}</a></td>'
    mark = _mark(number, table)
    if isinstance(cell, str):
        if time := TIME.fullmatch(cell):
            return f'<td class="time">{time[1]} {time[2]}</td>'
        if len(cell) == HASH_DIGITS and cell.isalnum():
            mark = ' class="hash"'
        elif any(len(word) > LONG_WORD for word in cell.split()):
            mark = ' class="long"'
    return f"<td{mark}>{escape(text)}</td>"


def write_cell(cell: Cell) -> str:
    """A cell as people read it: 1,234.50, yes, 2026-03-31."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, Decimal):
        return f"{cell:,.2f}" if cell == cell.quantize(Decimal("0.01")) else f"{cell:,f}"
    if isinstance(cell, int):
        return f"{cell:,}"
    if isinstance(cell, date):
        return cell.isoformat()
    return cell
