"""Executive: what is one service made of, who uses it, and who pays by which driver?"""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.charts.service_costs import draw_breakdown, draw_consumers, draw_cost_trend
from app.components import (
    Figure,
    amount_column,
    choose_basis,
    link_column,
    make_moving_figure,
    make_variance_figure,
    share_column,
    show_chart,
    show_download,
    show_figures,
    show_headline,
    show_ledger_tie,
    show_link,
    show_missing,
    show_section,
)
from app.confidence import make_confidence_figure
from app.context import Context, get_context
from app.findings import share_of, state_service
from app.formats import (
    GAP,
    MISSING,
    escape_markdown,
    format_amount,
    format_quantity,
    format_rate,
    format_share,
    to_decimal,
    to_percent_of,
    to_text,
)
from app.names import (
    BASIS_NAMES,
    DRIVERLESS_SENTENCES,
    SHORT_POLICY_NAMES,
    SPLIT_SENTENCES,
    is_place,
    name_place,
)
from app.navigation import (
    FAIRNESS,
    METHOD,
    MONTHLY_CHARGEBACK,
    SERVICE_BENCHMARK,
    SERVICE_CATALOGUE,
    SERVICE_DETAIL,
)
from app.queries.catalogue import read_service_facts
from app.queries.charges import read_consumers, read_consuming_units, read_driver_quality
from app.queries.confidence import read_confidence
from app.queries.prices import read_price_terms
from app.queries.service_costs import (
    read_breakdown,
    read_cost_pool_ids,
    read_service,
    read_trend,
)
from app.service_choice import choose_service, find_services
from pipelines.billing.price_terms import PriceTerms, format_price, name_price, say_charge


def render_page() -> None:
    """One service: its cost, what it is made of, its consumers and their method."""
    context = get_context()
    names = find_services(context, SERVICE_DETAIL.question)
    if not names:
        return
    head = st.container()
    service_id = choose_service(context, names)
    row = read_service(context.published, context.selection, service_id).iloc[0]
    units = read_consuming_units(context.published, context.selection, service_id)
    facts = read_service_facts(context.published, service_id).iloc[0]
    terms = read_price_terms(context.published, context.selection, service_id).get(service_id)
    with head:
        show_headline(
            SERVICE_DETAIL.question,
            state_service(names[service_id], row, units, context.selection, context.currency),
        )
    sure = make_confidence_figure(
        read_confidence(context.published, context.selection, service_id).iloc[0],
        context.currency,
    )
    figures = [f for f in _make_figures(context, row, facts, terms) if f.value != MISSING]
    show_figures([*figures, sure] if sure else figures)
    _show_links(context, service_id)
    basis = _choose_shown_basis(row)
    left, right = st.columns(2, gap="medium")
    with left:
        _show_trend(context, service_id, basis)
    with right:
        _show_consuming_units(context, row, units)
    _show_method(context, facts, units, terms)
    _show_breakdown(context, service_id, basis)
    _show_consumers(context, service_id)
    show_ledger_tie(context)


def passes_all_on(row: pd.Series) -> bool:
    """Whether nothing leaves IT through a service, because other services bear all of its cost."""
    return to_decimal(row["amount"]) == 0 and bool(to_decimal(row["passed_on_amount"]))


def has_known_consumers(units: pd.DataFrame) -> bool:
    """Whether some business unit is known to use a service."""
    return any(not is_place(unit_id) for unit_id in units["business_unit_id"])


def _choose_shown_basis(row: pd.Series) -> str:
    """Delivered or direct; direct for a service that delivers nothing to consumers itself."""
    basis = choose_basis()
    if basis == "delivered" and passes_all_on(row):
        st.caption(
            "Nothing leaves IT through this service: other services use it and pass its cost on. "
            "Its direct cost is shown."
        )
        return "direct"
    return basis


def _make_figures(
    context: Context, row: pd.Series, facts: pd.Series, terms: PriceTerms | None
) -> list[Figure]:
    selection, currency = context.selection, context.currency
    unit_figures = [
        make_moving_figure(
            f"Unit cost per {to_text(facts['unit_code']) or 'unit'}",
            format_rate(row["unit_cost"], currency),
            row["unit_cost"],
            row["previous_unit_cost"],
            selection,
        ),
        make_moving_figure(
            f"Used, {to_text(facts['unit_code']) or 'units'}",
            format_quantity(row["quantity"]),
            row["quantity"],
            row["previous_quantity"],
            selection,
            is_cost=False,
        ),
    ]
    passed_on = Figure(
        "Passed on", format_amount(row["passed_on_amount"], currency), "to other services"
    )
    if passes_all_on(row):
        full = make_moving_figure(
            f"Full cost {selection.period_name}",
            format_amount(row["full_amount"], currency),
            row["full_amount"],
            row["previous_full_amount"],
            selection,
            currency=currency,
        )
        return [full, passed_on, *unit_figures]
    figures = [
        make_moving_figure(
            f"Delivered cost {selection.period_name}",
            format_amount(row["amount"], currency),
            row["amount"],
            row["previous_amount"],
            selection,
            currency=currency,
        )
    ]
    if selection.is_actual and to_decimal(row["variance_amount"]) is not None:
        figures.append(
            make_variance_figure(row["amount"], row["budget_amount"], selection, currency)
        )
    if to_decimal(row["passed_on_amount"]) and bool(facts["is_shared"]):
        figures.append(passed_on)
    policy = terms.charging_policy if terms else str(facts["charging_policy"])
    charged = Figure(
        "Charged",
        format_amount(row["charged_amount"], currency),
        SHORT_POLICY_NAMES.get(policy, policy),
    )
    return [*figures, *unit_figures, *_make_price_figure(terms, currency), charged]


def _make_price_figure(terms: PriceTerms | None, currency: str) -> list[Figure]:
    """The price of one unit; of several tiers the first, and that there are more."""
    if terms is None or not terms.has_price:
        return []
    more = len(terms.tiers) - 1
    return [
        Figure(
            f"Price per {terms.unit_name}",
            f"{format_price(terms.tiers[0].unit_price)}{GAP}{currency}",
            f"first of {more + 1} tiers" if more else "one price for all units",
            help_text=escape_markdown(f"{name_price(terms, currency)}."),
        )
    ]


def _show_links(context: Context, service_id: str) -> None:
    with st.container(horizontal=True):
        show_link(SERVICE_BENCHMARK, "Benchmark and quality", context, service=service_id)
        show_link(METHOD, "What you pay for", context, service=service_id)
        show_link(FAIRNESS, "Fairness of its cost shares", context, service=service_id)
        show_link(SERVICE_CATALOGUE, "Catalogue", context)
        show_link(MONTHLY_CHARGEBACK, "Bills", context)


def _show_trend(context: Context, service_id: str, basis: str) -> None:
    trend = read_trend(context.published, context.selection, service_id, basis)
    mark = "; the budget is dashed" if trend["budget_amount"].notna().any() else ""
    show_section("Cost over two years", f"{BASIS_NAMES[basis]}{mark}.")
    show_chart(
        draw_cost_trend(trend, context.currency, context.selection.period_id),
        "service_trend",
        "Cost of the service per month, actual and budget",
    )


def _show_consuming_units(context: Context, row: pd.Series, units: pd.DataFrame) -> None:
    shown = units if context.selection.is_actual else units.assign(budget_amount=None)
    mark = "; the mark is the budget" if shown["budget_amount"].notna().any() else ""
    show_section("Who uses it", f"Delivered cost by business unit{mark}.")
    if units.empty:
        if passes_all_on(row):
            show_missing("Only other services use it.", "Their consumers bear its cost.")
        else:
            show_missing("No consumers in this month.", "It has no cost, or it has no driver.")
        return
    show_chart(
        draw_consumers(shown, context.currency),
        "consumers",
        "Cost of the service by business unit",
    )


def _show_method(
    context: Context, facts: pd.Series, units: pd.DataFrame, terms: PriceTerms | None
) -> None:
    """In words: how a charge is found, how the cost is split, and how good the quantities are."""
    show_section("How charges are found")
    charge = say_charge(terms, context.currency) if terms else ""
    split = _say_split(facts, units, terms)
    if not split:
        show_missing(
            "No driver says who uses this service.",
            "Its cost is not allocated. Name a `driver` for it in `cost_model/services.yml`.",
        )
        return
    lines = [f"{escape_markdown(charge)} {split}".strip()]
    if to_text(facts["driver_description"]):
        lines.append(
            f"Where the quantities come from: {escape_markdown(facts['driver_description'])}."
        )
    if bool(facts["is_shared"]):
        lines.append(
            "It is a shared service: other services use it too and pass its cost on to their "
            "consumers; only what consumers use themselves is shown here."
        )
    quality = read_driver_quality(context.published, context.selection, str(facts["service_id"]))
    if not quality.empty:
        parts = [
            f"{escape_markdown(line['driver_quality'])} "
            f"{format_share(share_of(line['cost_amount'], line['total_amount']))}"
            for line in quality.to_dict("records")
        ]
        lines.append(f"How good the quantities are, by money: {', '.join(parts)}.")
    st.markdown("  \n".join(line.replace("..", ".") for line in lines))


def _say_split(facts: pd.Series, units: pd.DataFrame, terms: PriceTerms | None) -> str:
    """How shares of the cost are found; where a price is charged, that they are not the charge."""
    driver_name, method = to_text(facts["driver_name"]), str(facts["split_method"])
    driver = escape_markdown(driver_name)
    if terms is not None and terms.is_apart_from_cost:
        by = f" by **{driver}**" if driver_name else ""
        return (
            f"What the use costs is another figure: the cost is split{by}, and charged minus cost "
            "is the over- or under-recovery."
        )
    if driver_name:
        return SPLIT_SENTENCES.get(method, SPLIT_SENTENCES["driver"]).format(driver=driver)
    if method in DRIVERLESS_SENTENCES:
        return DRIVERLESS_SENTENCES[method]
    if has_known_consumers(units):
        return (
            "No driver splits its cost: each line of the bill says itself who uses it, by its "
            "account or a tag."
        )
    return ""


def _show_breakdown(context: Context, service_id: str, basis: str) -> None:
    show_section("What it is made of", f"{BASIS_NAMES[basis]} by resource tower and cost pool.")
    breakdown = read_breakdown(context.published, context.selection, service_id)
    column = f"{basis}_amount"
    breakdown = breakdown[breakdown[column].notna() & (breakdown[column] != 0)]
    if breakdown.empty:
        show_missing("No cost in this month.", "No tower delivered to this service.")
        return
    show_chart(
        draw_breakdown(breakdown, context.currency, column, read_cost_pool_ids(context.published)),
        "breakdown",
        "Cost of the service by tower and cost pool",
    )
    with st.expander("As a table"):
        st.dataframe(
            breakdown[["tower_name", "cost_pool_name", column]],
            hide_index=True,
            height="content",
            column_config={
                "tower_name": "Tower",
                "cost_pool_name": "Cost pool",
                column: amount_column(f"{BASIS_NAMES[basis]}, {context.currency}", places=2),
            },
            key="breakdown",
        )
        show_download(
            context,
            "Breakdown (CSV)",
            breakdown.assign(service_id=service_id),
            f"service_{service_id}_breakdown",
            "download_breakdown",
        )


def _show_consumers(context: Context, service_id: str) -> None:
    consumers = read_consumers(context.published, context.selection, service_id)
    if consumers.empty:
        return
    show_section("Consumers", "One row per cost centre; the business unit leads to its bill.")
    st.dataframe(
        _shape_consumers(context, consumers),
        hide_index=True,
        height="auto",
        placeholder=MISSING,
        column_config=_configure_consumers(context.currency),
        key="consumers",
        alt="Consumers of the service with quantity, rate and cost",
    )
    show_download(
        context,
        "Consumers (CSV)",
        consumers.drop(columns="total_amount").assign(service_id=service_id),
        f"service_{service_id}_consumers",
        "download_consumers",
    )


def _shape_consumers(context: Context, consumers: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "business_unit": [
                context.make_link(
                    MONTHLY_CHARGEBACK.url_path,
                    name_place(unit_id, name),
                    business_unit=None if is_place(unit_id) else str(unit_id),
                )
                for unit_id, name in zip(
                    consumers["business_unit_id"], consumers["business_unit_name"], strict=True
                )
            ],
            "cost_centre": list(
                map(name_place, consumers["cost_centre_id"], consumers["cost_centre_name"])
            ),
            "quantity": consumers["quantity"],
            "unit": consumers["unit_code"],
            "rate": consumers["unit_rate"],
            "cost": consumers["cost_amount"],
            "share": [
                to_percent_of(amount, total)
                for amount, total in zip(
                    consumers["cost_amount"], consumers["total_amount"], strict=True
                )
            ],
            "charged": consumers["charged_amount"],
            "quality": consumers["driver_quality"],
        }
    )


def _configure_consumers(currency: str) -> dict[str, Any]:
    return {
        "business_unit": link_column("Business unit", is_pinned=True, width=170),
        "cost_centre": "Cost centre",
        "quantity": amount_column("Quantity", places=1),
        "unit": "Unit",
        "rate": st.column_config.NumberColumn(
            f"Rate, {currency}", format="%,.4f", help="What a unit is charged at"
        ),
        "cost": amount_column(f"Cost, {currency}", places=2),
        "share": share_column("Share", "Of the service's delivered cost"),
        "charged": amount_column(f"Charged, {currency}", places=2),
        "quality": "Driver quality",
    }


render_page()
