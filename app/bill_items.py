"""Notes, adjustments, mark-up and what else is billed besides the charges of a month."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.components import Figure, amount_column, show_download, show_section
from app.context import Context
from app.formats import MISSING, format_amount
from app.names import BILL_ITEM_NAMES

SHOWN_ROWS = 20
TALL_TABLE = 740  # pixels of twenty rows; longer tables scroll


def make_item_figure(items: pd.DataFrame, currency: str) -> Figure:
    """What comes to the charges, and what is to pay with it."""
    return Figure(
        "Besides the charges",
        format_amount(items["besides_amount"].iloc[0], currency),
        f"to pay in all: {format_amount(items['billed_amount'].iloc[0], currency)}",
    )


def show_other_items(context: Context, items: pd.DataFrame) -> None:
    """A table of the items with their reasons; nothing where there is none."""
    if not len(items):
        return
    show_section("Billed besides the charges")
    st.dataframe(
        pd.DataFrame(
            {
                "unit": items["business_unit_name"],
                "kind": [BILL_ITEM_NAMES.get(str(kind), kind) for kind in items["item_kind"]],
                "amount": items["amount"],
                "service": items["service_name"],
                "cost_centre": items["cost_centre_name"],
                "origin": items["origin_period_id"],
                "reference": items["reference_id"],
                "reason": items["reason"],
            }
        ),
        hide_index=True,
        height="content" if len(items) <= SHOWN_ROWS else TALL_TABLE,
        placeholder=MISSING,
        column_config={
            "unit": st.column_config.TextColumn("Business unit", pinned=True, width=170),
            "kind": "What it is",
            "amount": amount_column(f"Billed, {context.currency}", "A credit is negative", 2),
            "service": "Service",
            "cost_centre": "Cost centre",
            "origin": st.column_config.TextColumn("For period", help="The bill that it refers to"),
            "reference": "Reference",
            "reason": "Reason",
        },
        key="other_items",
        alt="Credit and debit notes, adjustments, mark-up and tax, with their reasons",
    )
    items = items.drop(columns=["besides_amount", "billed_amount"])
    show_download(context, "Items (CSV)", items, "bill_items", "download_items")
