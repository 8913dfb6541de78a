"""Finance: do the prices recover the cost, per service, this month and this fiscal year?"""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import streamlit as st

from app.charts.recovery import draw_recovery, draw_recovery_trend
from app.components import (
    Figure,
    amount_column,
    show_chart,
    show_download,
    show_figures,
    show_headline,
    show_ledger_tie,
    show_missing,
    show_section,
)
from app.context import Context, get_context
from app.findings import state_recovery
from app.formats import MISSING, format_amount, format_rate, format_signed, to_decimal
from app.names import SHORT_POLICY_NAMES
from app.navigation import PRICES
from app.queries.prices import read_price_terms
from app.queries.recovery import read_recovery, read_recovery_trend
from pipelines.billing.price_terms import name_price, say_charge


def render_page() -> None:
    """Recovery in figures, per service and month, and each price beside its unit cost."""
    context = get_context()
    services = read_recovery(context.published, context.selection)
    show_headline(PRICES.question, state_recovery(services, context.selection, context.currency))
    if services.empty:
        show_missing(
            "Every service is charged at cost, or is showback.",
            "Give a service another `policy` in `cost_model/services.yml`; "
            "`apportion rates propose --year YYYY` proposes prices for `cost_model/rate_card.yml`.",
        )
    else:
        show_figures(_make_figures(context, services))
    show_ledger_tie(context)
    if not services.empty:
        _show_charts(context, services)
        _show_services(context, services)
    show_download(context, "Recovery (CSV)", services, "recovery", "download_recovery")


def _make_figures(context: Context, services: pd.DataFrame) -> list[Figure]:
    """What is charged by price in the month, its cost, and the recovery of month and year."""
    currency = context.currency
    charged, cost, month, year = (
        sum((to_decimal(value) or Decimal(0) for value in services[column]), Decimal(0))
        for column in (
            *("charged_amount", "cost_amount"),
            *("recovery_amount", "recovery_to_date_amount"),
        )
    )
    name = context.selection.period_name
    return [
        Figure(
            f"Charged by price {name}",
            format_amount(charged, currency),
            help_text="What these services charge; those at cost are not in it.",
        ),
        Figure("Cost of these services", format_amount(cost, currency)),
        Figure(
            f"Recovery {name}",
            format_signed(month, currency),
            help_text="Charged without the cost: above zero is over-recovery.",
        ),
        Figure(f"Fiscal year {context.selection.fiscal_year}", format_signed(year, currency)),
    ]


def _show_charts(context: Context, services: pd.DataFrame) -> None:
    left, right = st.columns([3, 2], gap="medium")
    with left:
        show_section(
            "Recovery per service, fiscal year to date",
            "Charged above (+) or below (-) the cost. Under-recovery is hatched.",
        )
        show_chart(
            draw_recovery(services, context.currency),
            "recovery",
            "Recovery of the fiscal year to date by service",
        )
    with right:
        show_section("Per month", "All services together.")
        show_chart(
            draw_recovery_trend(
                read_recovery_trend(context.published, context.selection), context.currency
            ),
            "recovery_trend",
            "Recovery of all services per month and to date",
        )


def _show_services(context: Context, services: pd.DataFrame) -> None:
    show_section(
        f"Price beside unit cost, {context.selection.period_name}",
        f"In {context.currency} per unit. The price is set in advance; the charge per unit is what "
        "prices, tiers, base fees and bounds come to per unit used. A true-up of the year is an "
        "item of the bills and not part of the recovery.",
    )
    currency = context.currency
    terms = read_price_terms(context.published, context.selection)
    own = [terms.get(str(service_id)) for service_id in services["service_id"]]
    st.dataframe(
        pd.DataFrame(
            {
                "service": services["service_name"],
                "policy": [
                    SHORT_POLICY_NAMES.get(str(code), code) for code in services["charging_policy"]
                ],
                "price": [name_price(item, currency) if item else "" for item in own],
                "charged_rate": [format_rate(value) for value in services["charged_rate"]],
                "unit_cost": [format_rate(value) for value in services["unit_cost"]],
                "unit": services["unit_code"],
                "recovery": services["recovery_amount"],
                "to_date": services["recovery_to_date_amount"],
                "charged": services["charged_amount"],
                "cost": services["cost_amount"],
                "terms": [say_charge(item, currency) if item else "" for item in own],
            }
        ),
        hide_index=True,
        height="content",
        placeholder=MISSING,
        column_config={
            "service": st.column_config.TextColumn("Service", pinned=True, width=170),
            "policy": st.column_config.TextColumn("Policy", width=95),
            "price": st.column_config.TextColumn("Price", width=270),
            "charged_rate": st.column_config.TextColumn(
                "Charged per unit", alignment="right", width=110
            ),
            "unit_cost": st.column_config.TextColumn("Unit cost", alignment="right", width=80),
            "unit": st.column_config.TextColumn("Unit", width=90),
            "charged": amount_column(f"Charged, {currency}", places=2),
            "cost": amount_column(f"Cost, {currency}", places=2),
            "recovery": amount_column(f"Recovery, {currency}", places=2),
            "to_date": amount_column(f"Year to date, {currency}", places=2),
            "terms": st.column_config.TextColumn("How it is charged", width=420),
        },
        key="recovery_services",
        alt="Services with a price: charged and cost per unit, and recovery",
    )


render_page()
