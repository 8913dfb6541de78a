"""Method sheets, their index and the glossary as HTML: one file each that loads nothing.

Reads well on a light and a dark screen, on a telephone and on paper. All text is escaped: what a
rule or a catalogue says is shown as it is written and never run.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby

from pipelines.method_sheets.glossary import Term
from pipelines.method_sheets.records import Section, Sheet, Table
from pipelines.readable_text import LAYOUT, show_text

WIDE_COLUMNS = 4
"""Tables with more columns keep their width and scroll on a telephone."""

STYLE = """
:root { color-scheme: light dark; --ink: #1d2733; --soft: #5a6775; --line: #d5dbe1;
  --ground: #ffffff; --tint: #f3f6f9; --accent: #0b62a4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --soft: #a3afbb; --line: #3a4653;
  --ground: #12181f; --tint: #1b232c; --accent: #7db8ea; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "Liberation Sans", Arial, sans-serif; }
main { max-width: 54rem; margin: 0 auto; padding: 2rem 1.25rem 3rem; }
a { color: var(--accent); text-underline-offset: 0.15em; }
nav { font-size: 0.9rem; display: flex; gap: 1.25rem; margin-bottom: 1.5rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 0.3rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 0.4rem; }
p { margin: 0.4rem 0; }
.kind, .note, footer { color: var(--soft); font-size: 0.9rem; }
.summary { font-size: 1.12rem; background: var(--tint); border-left: 4px solid var(--accent);
  padding: 0.7rem 1rem; margin: 1rem 0 0; }
.scroll { overflow-x: auto; margin: 0.7rem 0 0.3rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.93rem; line-height: 1.4; }
table.wide { min-width: 44rem; }
th, td { text-align: left; vertical-align: top; padding: 0.4rem 0.9rem 0.4rem 0;
  border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; }
th.number, td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
dt { font-weight: 650; margin-top: 0.9rem; }
dd { margin: 0.1rem 0 0; }
footer { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: 0.8rem; }
@media print {
  :root { color-scheme: light; --ink: #000000; --soft: #444444; --line: #bbbbbb;
    --ground: #ffffff; --tint: #f3f6f9; --accent: #000000; }
  @page { margin: 16mm 15mm; }
  body { font-size: 10.5pt; } main { max-width: none; padding: 0; } nav { display: none; }
  h2 { break-after: avoid; } tr { break-inside: avoid; } .scroll { overflow: visible; }
  table.wide { min-width: 0; }
}
"""


def render_sheet(sheet: Sheet, *, has_index: bool = True) -> str:
    """One service as a document of its own; `has_index` says whether index and glossary are
    beside it."""
    links = '<nav><a href="index.html">All services</a><a href="glossary.html">Words</a></nav>'
    body = (
        f"{links if has_index else ''}"
        f'<p class="kind">{escape(sheet.category_name)}</p>'
        f"<h1>{escape(sheet.service_name)}</h1>"
        f'<p class="summary">{escape(sheet.summary)}</p>'
        f"{''.join(_render_section(section) for section in sheet.sections)}"
        f"<footer>{escape(sheet.origin)}</footer>"
    )
    return _render_page(f"{sheet.service_name}: what you pay for", body)


def render_index(sheets: Sequence[Sheet], files: Sequence[str]) -> str:
    """All services by category, each with its price, leading to its sheet."""
    parts = []
    pairs = sorted(
        zip(sheets, files, strict=True),
        key=lambda pair: (pair[0].category_name, pair[0].service_name.casefold()),
    )
    for category, group in groupby(pairs, key=lambda pair: pair[0].category_name):
        rows = "".join(
            f'<tr><td><a href="{escape(file)}">{escape(sheet.service_name)}</a></td>'
            f"<td>{escape(sheet.counted_by)}</td>"
            f"<td>{escape(sheet.price)}</td>"
            f"<td>{escape(sheet.unit_cost)}</td>"
            f"<td>{escape(sheet.owner_name)}</td></tr>"
            for sheet, file in group
        )
        parts.append(
            f'<h2>{escape(category)}</h2><div class="scroll"><table><thead><tr><th>Service</th>'
            "<th>Counted by</th><th>Price</th><th>Unit cost</th><th>Whom to ask</th></tr></thead>"
            f"<tbody>{rows}</tbody></table></div>"
        )
    origin = sheets[0].origin if sheets else ""
    body = (
        '<nav><a href="glossary.html">Words</a></nav><h1>What you pay for</h1>'
        "<p>One sheet per service: what you are charged for, how your part is found, and how to "
        f"pay less.</p>{''.join(parts)}<footer>{escape(origin)}</footer>"
    )
    return _render_page("What you pay for", body)


def render_glossary(terms: Sequence[Term]) -> str:
    """The words of the field, from A to Z."""
    items = "".join(
        f"<dt>{escape(term.name)}</dt><dd>{escape(term.meaning)}{_render_column(term)}</dd>"
        for term in terms
    )
    body = (
        '<nav><a href="index.html">All services</a></nav><h1>Words</h1>'
        f"<p>What the terms on bills, pages and sheets mean.</p><dl>{items}</dl>"
    )
    return _render_page("Words", body)


def _render_column(term: Term) -> str:
    return f" <code>{escape(term.column)}</code>" if term.column else ""


def render_table(table: Table) -> str:
    """A table as HTML; wide ones scroll sideways."""
    head = "".join(
        f"<th{_mark(number, table)}>{escape(name)}</th>"
        for number, name in enumerate(table.columns)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{_mark(number, table)}>{escape(cell)}</td>" for number, cell in enumerate(row)
        )
        + "</tr>"
        for row in table.rows
    )
    wide = ' class="wide"' if len(table.columns) > WIDE_COLUMNS else ""
    return (
        f'<div class="scroll"><table{wide}><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _mark(number: int, table: Table) -> str:
    return ' class="number"' if number in table.numeric else ""


def _render_section(section: Section) -> str:
    paragraphs = "".join(f"<p>{escape(text)}</p>" for text in section.paragraphs)
    table = render_table(section.table) if section.table else ""
    note = f'<p class="note">{escape(section.note)}</p>' if section.note else ""
    return f"<section><h2>{escape(section.heading)}</h2>{paragraphs}{table}{note}</section>"


def _render_page(title: str, body: str) -> str:
    return show_text(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>\n",
        keep=LAYOUT,
    )
