"""The other billed items of a month: notes, adjustments, mark-up and what else is no charge."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.components import TALL_TABLE, Figure, amount_column, show_download, show_section
from app.context import Context
from app.formats import MISSING, format_amount, to_decimal
from app.names import BILL_ITEM_NAMES

SHOWN_ROWS = 20


def make_item_figures(total: pd.Series, currency: str) -> list[Figure]:
    """What is billed, by charges and other items; nothing where charges are all of it."""
    if not to_decimal(total["other_amount"]):
        return []
    return [
        Figure("Charged", format_amount(total["charged_amount"], currency), "part of billed"),
        Figure(
            "Other billed items",
            format_amount(total["other_amount"], currency),
            "part of billed",
            help_text="Credit and debit notes, adjustments, service credits, mark-up, tax and "
            "true-up. Charged and other billed items are the total billed.",
        ),
    ]


def show_other_items(context: Context, items: pd.DataFrame) -> None:
    """A table of the items with their reasons; nothing where there is none."""
    if not len(items):
        return
    show_section("Other billed items")
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
            "kind": "Kind",
            "amount": amount_column(f"Amount, {context.currency}", "A credit is negative", 2),
            "service": "Service",
            "cost_centre": "Cost centre",
            "origin": st.column_config.TextColumn("For period", help="The bill that it refers to"),
            "reference": "Reference",
            "reason": "Reason",
        },
        key="other_items",
        alt="Credit and debit notes, adjustments, mark-up and tax, with their reasons",
    )
    show_download(context, "Other billed items (CSV)", items, "bill_items", "download_items")
