"""Everybody: what do the terms on bills, pages and sheets mean?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.components import show_download, show_headline, show_ledger_tie, show_missing
from app.context import get_context
from app.formats import escape_markdown, format_count
from app.navigation import GLOSSARY
from app.selection import SEARCH, choose_text
from pipelines.method_sheets.glossary import Term, read_terms


def render_page() -> None:
    """The terms from A to Z, narrowed by a search."""
    context = get_context()
    terms = read_terms()
    head = st.container()
    search = choose_text(SEARCH, "Search", "a term, or a word of its meaning …")
    shown = find_terms(terms, search)
    with head:
        show_headline(GLOSSARY.question, _state_finding(terms, shown))
    if shown:
        st.markdown(
            "\n\n".join(
                f"**{escape_markdown(term.name)}**  \n{escape_markdown(term.meaning)}"
                + (f" `{term.column}`" if term.column else "")
                for term in shown
            )
        )
    else:
        show_missing("No term matches.", "Clear the search.")
    st.info(
        "`apportion methods` writes these words and a sheet per service as documents.",
        icon=":material/description:",
    )
    frame = pd.DataFrame(
        {
            "term": [term.name for term in shown],
            "meaning": [term.meaning for term in shown],
            "mart_column": [term.column for term in shown],
        }
    )
    show_download(context, "Glossary (CSV)", frame, "glossary", "download_glossary")
    show_ledger_tie(context)


def find_terms(terms: tuple[Term, ...], search: str) -> list[Term]:
    """The terms that hold every word of the search; those with it in their name come first."""
    words = search.casefold().split()
    found = [
        term
        for term in terms
        if all(word in f"{term.name} {term.meaning}".casefold() for word in words)
    ]
    return sorted(found, key=lambda term: not all(w in term.name.casefold() for w in words))


def _state_finding(terms: tuple[Term, ...], shown: list[Term]) -> str:
    count = format_count(len(terms), "term")
    if len(shown) == len(terms):
        return f"{count} from A to Z"
    return f"{len(shown)} of {count} {'matches' if len(shown) == 1 else 'match'}"


render_page()
