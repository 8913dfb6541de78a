"""What is open in a month, for a page: the items with what to do, and what to measure next."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.components import TALL_TABLE, amount_column, show_download, show_section
from app.context import Context
from app.formats import MISSING, escape_markdown, format_number
from app.names import ITEM_NAMES, MEASURE_BASIS_NAMES
from app.queries.proof import read_measure_next, read_open_items

LISTED_ITEMS = 30
LISTED_MEASURES = 10


def show_open_items(context: Context) -> None:
    show_section("What is open", "Money or records that somebody has to settle, and how.")
    items = read_open_items(context.published, context.selection)
    if items.empty:
        st.success("Nothing is open in this period.", icon=":material/check_circle:")
        return
    if len(items) <= LISTED_ITEMS:
        _list_items(items, context.currency)
    else:
        _tabulate_items(items, context.currency)
    show_download(context, "Open items (CSV)", items, "open_items", "download_open")


def _list_items(items: pd.DataFrame, currency: str) -> None:
    """A few items, their remedies in full."""
    st.table(
        pd.DataFrame(
            {
                "Item": list(map(escape_markdown, items["item_name"])),
                f"Amount, {currency}": [format_number(amount, 2) for amount in items["amount"]],
                "What to do": list(map(escape_markdown, items["what_to_do"])),
                "Kind": [ITEM_NAMES.get(str(kind), str(kind)) for kind in items["item_kind"]],
            }
        ),
        border="horizontal",
        hide_index=True,
        alt="Open items with amount and what to do",
    )


def _tabulate_items(items: pd.DataFrame, currency: str) -> None:
    """Many items, to scroll and sort."""
    st.dataframe(
        items[["item_name", "amount", "what_to_do", "item_kind", "item_key"]],
        hide_index=True,
        height=TALL_TABLE,
        placeholder=MISSING,
        column_config={
            "item_name": st.column_config.TextColumn("Item", pinned=True, width=190),
            "amount": amount_column(f"Amount, {currency}", places=2),
            "what_to_do": st.column_config.TextColumn("What to do", width=520),
            "item_kind": "Kind",
            "item_key": "Key",
        },
        key="open_items",
        alt="Open items with amount and what to do",
    )


def show_measure_next(context: Context) -> None:
    show_section(
        "What to measure next",
        "Money that rests on estimates, even splits and declared shares, the largest first. "
        "It may stand in several rows, once per stop that it passed, so there is no total.",
    )
    items = read_measure_next(context.published, context.selection)
    if items.empty:
        st.success("Everything of this period is measured.", icon=":material/check_circle:")
        return
    currency = context.currency
    st.dataframe(
        pd.DataFrame(
            {
                "rank": items["measure_rank"],
                "subject": items["subject_name"],
                "basis": [MEASURE_BASIS_NAMES.get(str(c), str(c)) for c in items["basis_code"]],
                "amount": items["amount"],
                "year": items["year_amount"],
                "deliver": items["contract_id"],
                "do": items["what_to_do"],
                "changes": items["what_changes"],
            }
        ),
        hide_index=True,
        height="content" if len(items) <= LISTED_MEASURES else TALL_TABLE,
        placeholder=MISSING,
        column_config={
            "rank": st.column_config.NumberColumn("", width=40),
            "subject": st.column_config.TextColumn("What", pinned=True, width=200),
            "basis": "Rests on",
            "amount": amount_column(f"Amount, {currency}", places=2),
            "year": amount_column(f"Year to date, {currency}", places=2),
            "deliver": "Deliver",
            "do": st.column_config.TextColumn("What to do", width=420),
            "changes": st.column_config.TextColumn("What it changes", width=320),
        },
        key="measure_next",
        alt="What to measure next, by the money that rests on what is not measured",
    )
    show_download(context, "What to measure next (CSV)", items, "measure_next", "download_measure")
