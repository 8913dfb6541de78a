"""Finance: what is each business unit billed, does it tie to the ledger, what is still open?"""

from __future__ import annotations

from decimal import Decimal

import pandas as pd

from app.bill_items import make_item_figures, show_other_items
from app.bill_tables import show_bills
from app.components import (
    Figure,
    make_moving_figure,
    make_variance_figure,
    show_figures,
    show_headline,
    show_ledger_tie,
)
from app.confidence import make_confidence_figure
from app.context import Context, get_context
from app.findings import state_chargeback
from app.formats import format_amount, to_decimal
from app.names import DISPOSITION_NAMES
from app.navigation import MONTHLY_CHARGEBACK
from app.open_items import show_measure_next, show_open_items
from app.proof import show_proof
from app.queries.charges import read_bill_total, read_open_amounts, read_other_items
from app.queries.confidence import read_confidence
from app.queries.proof import read_certificate


def render_page() -> None:
    """The bills, their proof against the ledger, and what is open."""
    context = get_context()
    total = read_bill_total(context.published, context.selection).iloc[0]
    certificate = read_certificate(context.published, context.selection)
    open_amounts = read_open_amounts(context.published, context.selection)
    payerless = open_amounts[open_amounts["disposition"] != "idle"]
    show_headline(
        MONTHLY_CHARGEBACK.question,
        state_chargeback(
            total,
            sum(payerless["amount"], Decimal(0)),
            _find_largest_difference(certificate),
            context.selection,
            context.currency,
        ),
    )
    sure = make_confidence_figure(
        read_confidence(context.published, context.selection).iloc[0], context.currency
    )
    items = read_other_items(context.published, context.selection)
    figures = _make_figures(context, total, open_amounts)
    figures[1:1] = make_item_figures(total, context.currency)
    show_figures([*figures, sure] if sure else figures)
    show_ledger_tie(context)
    show_bills(context, int(total["business_unit_count"]))
    show_other_items(context, items)
    show_proof(context, certificate)
    show_open_items(context)
    show_measure_next(context)


def _find_largest_difference(certificate: pd.DataFrame) -> Decimal | None:
    """The largest difference of the identities by size; None without a certificate."""
    differences = certificate.loc[certificate["side"] == "difference", "amount"]
    return max(differences, key=abs) if len(differences) else None


def _make_figures(context: Context, total: pd.Series, open_amounts: pd.DataFrame) -> list[Figure]:
    selection, currency = context.selection, context.currency
    figures = [
        make_moving_figure(
            f"Billed {selection.period_name}",
            format_amount(total["billed_amount"], currency),
            total["billed_amount"],
            total["previous_billed_amount"],
            selection,
            is_cost=False,
            currency=currency,
        )
    ]
    if selection.is_actual and to_decimal(total["variance_amount"]) is not None:
        figures.append(
            make_variance_figure(
                total["billed_amount"], total["budget_amount"], selection, currency
            )
        )
    figures.append(
        Figure(
            "Showback",
            format_amount(to_decimal(total["showback_amount"]) or Decimal(0), currency),
            "shown, not charged",
        )
    )
    for disposition, name in DISPOSITION_NAMES.items():
        amounts = open_amounts.loc[open_amounts["disposition"] == disposition, "amount"]
        amount = amounts.iloc[0] if len(amounts) else Decimal(0)
        if disposition == "idle" and not amount:
            continue
        is_open = bool(amount) and disposition != "idle"
        figures.append(
            Figure(
                name,
                format_amount(amount, currency),
                "nobody pays it yet" if is_open else "nothing is open" if not amount else None,
                True if is_open else False if not amount else None,
            )
        )
    return figures


render_page()
