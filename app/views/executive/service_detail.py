"""Executive: what is one service made of, who uses it, and who pays by which driver?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.charts.service_costs import draw_breakdown, draw_consumers, draw_cost_trend
from app.components import (
    Figure,
    amount_column,
    change_column,
    link_column,
    show_chart,
    show_download,
    show_figures,
    show_headline,
    show_ledger_tie,
    show_link,
    show_missing,
    show_section,
)
from app.context import Context, get_context
from app.findings import share_of, state_service
from app.formats import (
    compute_change,
    describe_against,
    escape_markdown,
    format_amount,
    format_change,
    format_quantity,
    format_rate,
    format_share,
    format_signed,
    to_decimal,
    to_percent_points,
)
from app.navigation import (
    MONTHLY_CHARGEBACK,
    SERVICE_BENCHMARK,
    SERVICE_CATALOGUE,
    SERVICE_DETAIL,
)
from app.queries.catalogue import read_service_facts, read_service_names
from app.queries.charges import read_consumers, read_consuming_units, read_driver_quality
from app.queries.service_costs import (
    read_breakdown,
    read_cost_pool_ids,
    read_service,
    read_trend,
)
from app.selection import BASIS, SERVICE, choose_one

BASIS_NAMES = {"delivered": "Delivered", "direct": "Direct"}
POLICIES = {
    "at_cost": "charged at cost",
    "showback": "shown, not charged (showback)",
}


def render_page() -> None:
    context = get_context()
    names = read_service_names(context.published)
    if not names:
        show_headline(SERVICE_DETAIL.question, "No services are in the catalogue")
        show_missing(
            "The cost model has no services.",
            "Describe them in `cost_model/services.yml`, then run `apportion run`.",
        )
        return
    head = st.container()
    service_id = choose_one(SERVICE, "Service", list(names), format_option=names.__getitem__)
    row = read_service(context.published, context.selection, service_id).iloc[0]
    units = read_consuming_units(context.published, context.selection, service_id)
    facts = read_service_facts(context.published, service_id).iloc[0]
    with head:
        show_headline(
            SERVICE_DETAIL.question,
            state_service(names[service_id], row, units, context.selection, context.currency),
        )
    show_figures(_make_figures(context, row, facts))
    _show_links(context, service_id)
    left, right = st.columns(2, gap="medium")
    with left:
        _show_trend(context, service_id)
    with right:
        _show_consuming_units(context, units)
    _show_method(context, service_id, facts)
    _show_breakdown(context, service_id)
    _show_consumers(context, service_id)
    show_ledger_tie(context)


def _make_figures(context: Context, row: pd.Series, facts: pd.Series) -> list[Figure]:
    selection, currency = context.selection, context.currency
    unit = str(facts["unit_code"])
    figures = [
        _make_moving(
            f"Cost {selection.period_name}",
            format_amount(row["amount"], currency),
            row["amount"],
            row["previous_amount"],
            selection.previous_period_name,
            "Delivered cost: what leaves IT through the service.",
        )
    ]
    if selection.is_actual and to_decimal(row["variance_amount"]) is not None:
        variance = to_decimal(row["variance_amount"])
        figures.append(
            Figure(
                "Against budget",
                format_signed(variance, currency),
                describe_against(row["amount"], row["budget_amount"], "budget"),
                None if not variance else variance > 0,
                f"Budget {format_amount(row['budget_amount'], currency)}.",
            )
        )
    figures.append(
        _make_moving(
            f"Unit cost per {unit}",
            format_rate(row["unit_cost"], currency),
            row["unit_cost"],
            row["previous_unit_cost"],
            selection.previous_period_name,
            "Full cost, shared services included, by quantity used outside the service itself.",
        )
    )
    quantity = _make_moving(
        "Quantity",
        format_quantity(row["quantity"], unit),
        row["quantity"],
        row["previous_quantity"],
        selection.previous_period_name,
    )
    figures.append(Figure(quantity.label, quantity.value, quantity.delta, None))
    figures.append(
        Figure(
            "Charged",
            format_amount(row["charged_amount"], currency),
            POLICIES.get(str(facts["charging_policy"]), str(facts["charging_policy"])),
        )
    )
    return figures


def _make_moving(
    label: str,
    value: str,
    now: object,
    before: object,
    before_name: str,
    help_text: str | None = None,
) -> Figure:
    """A figure with its change on the month before; a rise of cost is unwelcome."""
    change = compute_change(to_decimal(now), to_decimal(before))
    if change is None:
        return Figure(label, value, help_text=help_text)
    delta = f"{format_change(to_decimal(now), to_decimal(before))} on {before_name}"
    return Figure(label, value, delta, None if not change else change > 0, help_text)


def _show_links(context: Context, service_id: str) -> None:
    with st.container(horizontal=True):
        show_link(SERVICE_BENCHMARK, "Benchmark and quality", context, service=service_id)
        show_link(SERVICE_CATALOGUE, "Catalogue", context)
        show_link(MONTHLY_CHARGEBACK, "Bills", context)


def _show_trend(context: Context, service_id: str) -> None:
    show_section("Cost over 24 months", "Delivered cost; the budget is dashed.")
    trend = read_trend(context.published, context.selection, service_id)
    show_chart(
        draw_cost_trend(trend, context.currency, context.selection.period_id),
        "service_trend",
        "Cost of the service per month, actual and budget",
    )


def _show_consuming_units(context: Context, units: pd.DataFrame) -> None:
    show_section("Who uses it", "Delivered cost by business unit; the mark is the budget.")
    if units.empty:
        show_missing("No consumers in this month.", "The service has no cost, or it has no driver.")
        return
    shown = units if context.selection.is_actual else units.assign(budget_amount=None)
    show_chart(
        draw_consumers(shown, context.currency),
        "consumers",
        "Cost of the service by business unit",
    )


def _show_method(context: Context, service_id: str, facts: pd.Series) -> None:
    """In words: who pays, by which driver, and how good the driver's quantities are."""
    show_section("Who pays, and why that much")
    policy = POLICIES.get(str(facts["charging_policy"]), str(facts["charging_policy"]))
    driver_name = facts["driver_name"]
    if not isinstance(driver_name, str) or not driver_name:
        show_missing(
            "No driver says who uses this service.",
            "Its cost is not allocated. Name a `driver` for it in `cost_model/services.yml`.",
        )
        return
    lines = [
        f"The service is **{policy}**. Each consumer bears its share of "
        f"**{escape_markdown(driver_name)}**: cost × own quantity ÷ quantity of all consumers, "
        "to the cent."
    ]
    if isinstance(facts["driver_description"], str) and facts["driver_description"]:
        lines.append(f"Where the quantities come from: {escape_markdown(facts['driver_description'])}.")
    if bool(facts["is_shared"]):
        lines.append(
            "It is a shared service: other services use it too and pass its cost on to their "
            "consumers; only what consumers use themselves is shown here."
        )
    quality = read_driver_quality(context.published, context.selection, service_id)
    if not quality.empty:
        total = quality["cost_amount"].sum()
        parts = [
            f"{escape_markdown(name)} {format_share(share_of(amount, total))}"
            for name, amount in zip(quality["driver_quality"], quality["cost_amount"], strict=True)
        ]
        lines.append(f"How good the quantities are, by money: {', '.join(parts)}.")
    st.markdown("  \n".join(line.replace("..", ".") for line in lines))


def _show_breakdown(context: Context, service_id: str) -> None:
    show_section("What it is made of")
    basis = choose_one(
        BASIS,
        "Cost of a service",
        list(BASIS_NAMES),
        format_option=BASIS_NAMES.__getitem__,
        style="segments",
        help_text="Delivered: what leaves IT through the service, shared services included. "
        "Direct: what arrived at it, before shared services passed their cost on.",
    )
    breakdown = read_breakdown(context.published, context.selection, service_id)
    column = f"{basis}_amount"
    breakdown = breakdown[breakdown[column].notna() & (breakdown[column] != 0)]
    if breakdown.empty:
        show_missing("No cost in this month.", "No tower delivered to this service.")
        return
    show_chart(
        draw_breakdown(
            breakdown, context.currency, column, read_cost_pool_ids(context.published)
        ),
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
            "Breakdown (CSV)",
            breakdown,
            f"service_{service_id}_{context.selection.period_id}_breakdown.csv",
            "download_breakdown",
        )


def _show_consumers(context: Context, service_id: str) -> None:
    consumers = read_consumers(context.published, context.selection, service_id)
    show_section("Consumers", "One row per cost centre; the business unit leads to its bill.")
    if consumers.empty:
        show_missing("Nobody consumes this service in this month.", "Choose another period.")
        return
    total = consumers["cost_amount"].sum()
    frame = pd.DataFrame(
        {
            "business_unit": [
                context.make_link(
                    MONTHLY_CHARGEBACK.url_path, str(name), business_unit=str(unit_id)
                )
                for unit_id, name in zip(
                    consumers["business_unit_id"], consumers["business_unit_name"], strict=True
                )
            ],
            "cost_centre": consumers["cost_centre_name"],
            "quantity": consumers["quantity"],
            "unit": consumers["unit_code"],
            "rate": consumers["unit_rate"],
            "cost": consumers["cost_amount"],
            "share": [_percent_of(amount, total) for amount in consumers["cost_amount"]],
            "charged": consumers["charged_amount"],
            "quality": consumers["driver_quality"],
        }
    )
    currency = context.currency
    st.dataframe(
        frame,
        hide_index=True,
        height="auto",
        placeholder="–",
        column_config={
            "business_unit": link_column("Business unit", is_pinned=True, width=170),
            "cost_centre": "Cost centre",
            "quantity": amount_column("Quantity", places=1),
            "unit": "Unit",
            "rate": st.column_config.NumberColumn(f"Rate, {currency}", format="%,.4f"),
            "cost": amount_column(f"Cost, {currency}", places=2),
            "share": st.column_config.NumberColumn("Share", format="%.1f %%"),
            "charged": amount_column(f"Charged, {currency}", places=2),
            "quality": "Driver quality",
        },
        key="consumers",
        alt="Consumers of the service with quantity, rate and cost",
    )
    show_download(
        "Consumers (CSV)",
        consumers,
        f"service_{service_id}_{context.selection.period_id}_consumers.csv",
        "download_consumers",
    )


render_page()
