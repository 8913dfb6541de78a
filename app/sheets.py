"""Sections of a method sheet as a page shows them, in the theme of the page.

The text is made in pipelines/method_sheets, where the documents have it from too; here it is
escaped and laid out, and nothing is added.
"""

from __future__ import annotations

import streamlit as st

from app.components import show_section
from app.formats import escape_markdown
from pipelines.method_sheets.records import Section
from pipelines.method_sheets.render_html import render_table

SHEET_STYLE = """
<style>
.sheet { max-width: 58rem; font-size: 0.95rem; line-height: 1.45; }
.sheet .scroll { overflow-x: auto; }
.sheet table { border-collapse: collapse; width: 100%; }
.sheet table.wide { min-width: 44rem; }
.sheet th, .sheet td { text-align: left; vertical-align: top; padding: 0.35rem 0.9rem 0.35rem 0;
  border: none; border-bottom: 1px solid rgba(128, 128, 128, 0.3); }
.sheet th { font-weight: 600; opacity: 0.72; }
.sheet th.number, .sheet td.number { text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
</style>
"""


def show_sheet_section(section: Section) -> None:
    """Heading, sentences, table and note of one section."""
    show_section(section.heading)
    if section.paragraphs:
        st.markdown("  \n".join(escape_markdown(text) for text in section.paragraphs))
    if section.table:
        st.html(f'{SHEET_STYLE}<div class="sheet">{render_table(section.table)}</div>')
    if section.note:
        st.caption(escape_markdown(section.note))
