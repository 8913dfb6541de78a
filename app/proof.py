"""The proof of a month, for a page: its certificate, what was delivered by currency, the stages."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import pandas as pd
import streamlit as st

from app.components import (
    CROSS,
    TICK,
    amount_column,
    render_statement,
    show_download,
    show_missing,
    show_section,
)
from app.context import Context
from app.formats import MISSING, escape_markdown, to_decimal
from app.queries.proof import read_conservation, read_delivered_currencies

IDENTITIES_BESIDE = 3


def show_proof(context: Context, certificate: pd.DataFrame) -> None:
    show_section(
        "Does it tie to the ledger?",
        "The certificate of the month: each amount is explained by those below it, to the cent.",
    )
    if certificate.empty:
        show_missing("There is no certificate of this period.", "Run `apportion run` to make it.")
        return
    identities = list(certificate.groupby("identity_id", sort=False))
    for first in range(0, len(identities), IDENTITIES_BESIDE):
        beside = identities[first : first + IDENTITIES_BESIDE]
        for column, (_, rows) in zip(st.columns(len(beside), gap="medium"), beside, strict=True):
            with column, st.container(border=True, height="stretch"):
                _show_identity(context, rows)
    _show_delivered_currencies(context)
    _show_conservation(context)
    show_download(
        context,
        "Certificate (CSV)",
        certificate,
        "certificate",
        "download_certificate",
    )


def _show_identity(context: Context, rows: pd.DataFrame) -> None:
    """One identity as a statement: the left, its explanation, and the difference."""
    differences = rows.loc[rows["side"] == "difference", "amount"]
    is_tied = len(differences) > 0 and all(amount == 0 for amount in differences)
    st.markdown(
        f"{TICK if is_tied else CROSS} **{escape_markdown(rows['identity_name'].iloc[0])}**"
    )
    statement: list[tuple[str, Decimal | None, Literal["left", "term", "total", "difference"]]] = []
    left, right = rows[rows["side"] == "left"], rows[rows["side"] == "right"]
    for terms, kind in ((left, "left"), (right, "term")):
        statement += [
            (str(name), to_decimal(amount), "left" if kind == "left" else "term")
            for name, amount in zip(terms["term_name"], terms["amount"], strict=True)
        ]
    statement.append(("Sum of what explains it", sum(right["amount"], Decimal(0)), "total"))
    statement += [("Difference", to_decimal(amount), "difference") for amount in differences]
    st.html(render_statement(statement, context.currency))


def _show_delivered_currencies(context: Context) -> None:
    """What was delivered in its own currency, where the certificate alone does not say it all."""
    rows = read_delivered_currencies(context.published, context.selection)
    left_out = int((rows["quarantined_record_count"] + rows["discarded_record_count"]).sum())
    if rows.empty or (not left_out and set(rows["currency_code"]) == {context.currency}):
        return
    with st.expander("Delivered, by currency", expanded=left_out > 0):
        st.dataframe(
            rows.assign(currency_code=rows["currency_code"].str.strip("()")),
            hide_index=True,
            height="content",
            placeholder=MISSING,
            column_config={
                "currency_code": st.column_config.TextColumn("Currency", pinned=True),
                "delivered_record_count": "Records",
                "quarantined_record_count": "In quarantine",
                "discarded_record_count": "Discarded",
                "unreadable_record_count": "Without a readable amount",
                "delivered_amount_local": amount_column("Delivered", places=2),
                "counted_amount_local": amount_column("Counted", places=2),
                "quarantined_amount_local": amount_column("In quarantine", places=2),
                "discarded_amount_local": amount_column("Discarded", places=2),
                "exchange_rate": amount_column("Rate", places=6),
                "delivered_amount": amount_column(f"Delivered, {context.currency}", places=2),
            },
            key="delivered_currencies",
            alt="Records and amounts that were delivered, by currency",
        )


def _show_conservation(context: Context) -> None:
    stops = read_conservation(context.published, context.selection)
    if stops.empty:
        return
    is_conserved = all(amount == 0 for amount in stops["difference_amount"])
    currency = context.currency
    with st.expander(
        f"{TICK if is_conserved else CROSS} At every stop, what leaves equals what arrived",
        expanded=not is_conserved,
    ):
        st.dataframe(
            stops.drop(columns="stop_order").assign(
                is_equal=["✓" if amount == 0 else "✗" for amount in stops["difference_amount"]]
            ),
            hide_index=True,
            height="content",
            column_config={
                "stop_name": "Stop",
                "arrived_amount": amount_column(f"Arrived, {currency}", places=2),
                "left_amount": amount_column(f"Left, {currency}", places=2),
                "difference_amount": amount_column(f"Difference, {currency}", places=8),
                "is_equal": "",
            },
            key="conservation",
            alt="What arrived and what left at every stop of the money",
        )
