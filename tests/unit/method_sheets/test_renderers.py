"""Documents hold every word of a sheet, show what rules say as text, and load nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.method_sheets import render_html, render_markdown
from pipelines.method_sheets.build_sheet import build_sheet
from pipelines.method_sheets.glossary import GlossaryError, Term, read_terms
from pipelines.method_sheets.records import Sheet
from tests.unit.method_sheets.sheet_rows import make_facts, make_rows

EVIL = "<script>alert(1)</script> | [a](http://b) *x*"


@pytest.fixture
def sheet() -> Sheet:
    return build_sheet(make_rows(facts=make_facts(description=EVIL, service_name=EVIL)), "2026-03")


def test_html_shows_text_as_text_and_loads_nothing(sheet: Sheet) -> None:
    text = render_html.render_sheet(sheet)
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert not re.search(r"(?:src|href)=\"(?!index\.html|glossary\.html)", text)
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_html_of_one_sheet_alone_leads_nowhere(sheet: Sheet) -> None:
    assert "index.html" not in render_html.render_sheet(sheet, has_index=False)


def test_markdown_shows_text_as_text(sheet: Sheet) -> None:
    text = render_markdown.render_sheet(sheet)
    assert r"\<script\>" in text
    assert r"\[a\](http://b) \*x\*" in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert rows
    assert all(re.search(r"(?<!\\)\|$", row) for row in rows)


@pytest.mark.parametrize("render", [render_html.render_sheet, render_markdown.render_sheet])
def test_every_section_is_in_the_document(render: object, sheet: Sheet) -> None:
    assert callable(render)
    text = render(sheet)
    assert [s.heading for s in sheet.sections if s.heading not in text] == []


def test_index_leads_to_every_sheet(sheet: Sheet) -> None:
    assert '<a href="service_crm.html">' in render_html.render_index([sheet], ["service_crm.html"])
    assert "](service_crm.md)" in render_markdown.render_index([sheet], ["service_crm.md"])


def test_terms_are_those_of_the_page() -> None:
    terms = {term.name: term for term in read_terms()}
    assert terms["Direct cost"].meaning == "What arrived at a service itself."
    assert terms["Direct cost"].column == "fct_service_costs_monthly.direct_amount"
    assert terms["Actual"].column == ""
    assert not re.search(r"[*`]", "".join(term.meaning for term in terms.values()))


def test_a_row_of_another_form_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "glossary.md"
    page.write_text("| term | meaning |\n|---|---|\n| **One** | is a term. |\n", "utf-8")
    assert read_terms(page) == (Term("One", "is a term."),)
    page = tmp_path / "broken.md"
    page.write_text("| term | meaning |\n|---|---|\n| Two | has lost its marks. |\n", "utf-8")
    with pytest.raises(GlossaryError, match=r"line 3: expected '\| \*\*Term\*\*"):
        read_terms(page)
