"""Executive: what does each IT service cost, against budget and the months before?"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd
import streamlit as st

from app.charts.cost_flow import draw_cost_flow, split_drawable
from app.charts.service_costs import draw_cost_trend, draw_movers
from app.comparisons import compare_reference
from app.components import (
    Figure,
    amount_column,
    change_column,
    choose_basis,
    link_column,
    make_moving_figure,
    make_reference_figure,
    make_variance_figure,
    show_chart,
    show_download,
    show_figures,
    show_headline,
    show_ledger_tie,
    show_missing,
    show_section,
)
from app.context import Context, get_context
from app.findings import COST_CHANGE, state_cost, state_outlook
from app.formats import (
    MISSING,
    choose_places,
    escape_markdown,
    format_amount,
    format_count,
    format_period,
    name_step,
    to_decimal,
    to_percent_points,
)
from app.names import PLACE_NAMES, PLACE_REASONS
from app.navigation import COST_PER_SERVICE, MONTHLY_CHARGEBACK, SERVICE_DETAIL
from app.queries.charges import read_open_amounts
from app.queries.cost_flow import read_cost_flow
from app.queries.service_costs import (
    read_changed_parts,
    read_headline,
    read_outlook,
    read_services,
    read_trend,
)
from app.selection import MOVERS, Selection, choose_one
from pipelines.planning.cost_changes import CostChange, split_changes

MOVER_NAMES = {"previous": "Month before", "budget": "Budget"}
SHOWN_MOVERS = 5
FLOW_NODES = 10
BUDGET_REMEDY = (
    "Deliver a file of the contract `budget` to the workspace's inbox and run `apportion run`."
)


def render_page() -> None:
    """The total, its trend and movers, where it goes, and every service."""
    context = get_context()
    headline = read_headline(context.published, context.selection).iloc[0]
    delivered = read_services(context.published, context.selection, "delivered")
    show_headline(
        COST_PER_SERVICE.question,
        state_cost(
            headline, add_cost_changes(context, delivered), context.selection, context.currency
        ),
    )
    outlook = read_outlook(context.published, context.selection.fiscal_year)
    show_figures(_make_figures(context, headline, outlook))
    if not outlook.empty:
        sentence = state_outlook(outlook.iloc[0], context.selection.fiscal_year, context.currency)
        st.markdown(f":material/flag: {escape_markdown(sentence)}")
    elif context.selection.is_actual:
        show_missing("No budget for this year.", BUDGET_REMEDY)
    show_ledger_tie(context)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _show_trend(context)
    with right:
        _show_movers(context, delivered)
    _show_flow(context)
    _show_services(context)


def _make_figures(context: Context, row: pd.Series, outlook: pd.DataFrame) -> list[Figure]:
    """The headline figures; what there is no budget for stays away."""
    selection, currency = context.selection, context.currency
    figures = [
        make_moving_figure(
            f"{'IT cost' if selection.is_actual else 'IT budget'} {selection.period_name}",
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
    against_year = None
    if selection.is_actual:
        amounts = (row["year_amount"], row["year_budget_amount"])
        against_year = compare_reference(selection, *amounts, "budget", currency)
    figures.append(
        make_reference_figure(
            f"Year to date {selection.fiscal_year}",
            format_amount(row["year_amount"], currency),
            against_year,
        )
    )
    if selection.is_actual and not outlook.empty:
        figures.append(_make_outlook(outlook.iloc[0], selection, currency))
    return [*figures, _make_open_figure(context)]


def _make_outlook(landing: pd.Series, selection: Selection, currency: str) -> Figure:
    amounts = (landing["outlook_amount"], landing["budget_year_amount"])
    return make_reference_figure(
        f"Outlook {selection.fiscal_year}",
        format_amount(landing["outlook_amount"], currency),
        compare_reference(selection, *amounts, "budget", currency),
        f"Actual to {format_period(str(landing['last_actual_period_id']))}, then budget.",
    )


def _make_open_figure(context: Context) -> Figure:
    amounts = read_open_amounts(context.published, context.selection)
    open_amount = sum(amounts.loc[amounts["disposition"] != "idle", "amount"], Decimal(0))
    return Figure(
        "No payer yet",
        format_amount(open_amount, context.currency),
        "see chargeback" if open_amount else "nothing is open",
        bool(open_amount),
        "Not allocated or not mapped; Monthly chargeback says what to do.",
    )


def _show_trend(context: Context) -> None:
    trend = read_trend(context.published, context.selection)
    has_budget = bool(trend["budget_amount"].notna().any())
    explanation = "Actual cost as bars"
    show_section(
        "Cost over two years",
        f"{explanation}; the budget is dashed and runs to the year's end."
        if has_budget
        else f"{explanation}; there is no budget to compare with.",
    )
    show_chart(
        draw_cost_trend(trend, context.currency, context.selection.period_id),
        "cost_trend",
        f"Actual IT cost and budget per {name_step(context.selection.period_id)}",
    )


def _show_movers(context: Context, services: pd.DataFrame) -> None:
    has_budget = context.selection.is_actual and bool(services["budget_amount"].notna().any())
    show_section("What moved most")
    against = "previous"
    if has_budget:
        against = choose_one(
            MOVERS,
            "Compared with",
            list(MOVER_NAMES),
            format_option=MOVER_NAMES.__getitem__,
            style="segments",
            label_visibility="collapsed",
        )
    if not is_comparable_with(context.selection, against):
        show_missing("Nothing to compare.", say_incomplete(context.selection))
        return
    column = "change_amount" if against == "previous" else "variance_amount"
    movers = select_movers(services, column)
    if movers.empty:
        show_missing(
            "Nothing moved.", "There is no earlier month to compare with, or all is equal."
        )
        return
    title = f"Change on {context.selection.previous_period_name}"
    if against == "previous":
        movers = add_split(movers, read_changed_parts(context.published, context.selection))
        st.caption(
            "Coloured: there is more or less cost. Grey: shares of drivers moved cost from or to "
            "other services, which is zero over all of them."
        )
    show_chart(
        draw_movers(
            movers,
            context.currency,
            title if against == "previous" else "Over (+) or under (-) budget",
        ),
        "movers",
        "Services whose cost rose or fell most",
    )


def is_comparable_with(selection: Selection, against: str) -> bool:
    """Whether the month is whole, and so is the one before where it is compared with that."""
    return selection.is_comparable if against == "previous" else not selection.missing


def say_incomplete(selection: Selection) -> str:
    """Which month is not complete, and what is missing in it."""
    if selection.missing:
        return f"{selection.period_name} is not complete: {selection.missing}."
    return f"{selection.previous_period_name} is not complete: {selection.previous_missing}."


def add_cost_changes(context: Context, services: pd.DataFrame) -> pd.DataFrame:
    """The services with the part of their change that is cost; as they are where nothing is to be
    compared with."""
    if services["change_amount"].isna().all():
        return services
    found = split_parts(read_changed_parts(context.published, context.selection))
    nothing = CostChange(Decimal(0), Decimal(0))
    costs = [found.get(str(service_id), nothing).cost for service_id in services["service_id"]]
    return services.assign(**{COST_CHANGE: pd.Series(costs, services.index, dtype=object)})


def split_parts(parts: pd.DataFrame) -> dict[str, CostChange]:
    """The changes of services out of the parts of their cost."""
    columns = ["service_id", "tower_id", "cost_pool_id", "previous_amount", "amount"]
    return split_changes(parts[columns].itertuples(index=False, name=None))


def add_split(movers: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """The movers with the part of their change that is cost, and the part that drivers moved."""
    found = split_parts(parts)
    nothing = CostChange(Decimal(0), Decimal(0))
    splits = [found.get(str(service_id), nothing) for service_id in movers["service_id"]]
    return movers.assign(
        cost_amount=pd.Series([item.cost for item in splits], movers.index, dtype=object),
        driver_amount=pd.Series([item.drivers for item in splits], movers.index, dtype=object),
    )


def select_movers(services: pd.DataFrame, column: str) -> pd.DataFrame:
    """The services with the largest rises and falls: service_id, service_name, moved_amount. What
    had no cost in the month before, or has none now, says so in its name."""
    named = services.assign(
        service_name=[
            _mark_name(name, now, before) if column == "change_amount" else name
            for name, now, before in zip(
                services["service_name"],
                services["amount"],
                services["previous_amount"],
                strict=True,
            )
        ]
    )
    moves = named.loc[~named["is_pseudo"], ["service_id", "service_name", column]].dropna()
    moves = moves[moves[column] != 0].rename(columns={column: "moved_amount"})
    ordered = moves.sort_values("moved_amount", ascending=False)
    if len(ordered) <= 2 * SHOWN_MOVERS:
        return ordered
    return pd.concat([ordered.head(SHOWN_MOVERS), ordered.tail(SHOWN_MOVERS)])


def _mark_name(name: str, now: Any, before: Any) -> str:
    if not to_decimal(before):
        return f"{name} (new)"
    return name if to_decimal(now) else f"{name} (ended)"


def _show_services(context: Context) -> None:
    show_section("Cost per service")
    basis = choose_basis()
    services = read_services(context.published, context.selection, basis)
    st.dataframe(
        _shape_services(context, services),
        hide_index=True,
        height="content",
        placeholder=MISSING,
        column_config=_configure_services(context, choose_places(services["amount"])),
        alt="Cost per service with budget and trend",
        key="services",
    )
    show_download(
        context,
        "Cost per service (CSV)",
        services.drop(columns=["trend", "is_pseudo"]).assign(basis=basis),
        f"cost_per_service_{basis}",
        "download_services",
    )


def _shape_services(context: Context, services: pd.DataFrame) -> pd.DataFrame:
    """The table as shown: links, amounts, relative change. Pseudo services say what they are."""
    frame = pd.DataFrame(
        {
            "service": [
                _link_service(context, str(service_id), str(name))
                for service_id, name in zip(
                    services["service_id"], services["service_name"], strict=True
                )
            ],
            "amount": services["amount"],
            "trend": services["trend"],
            "change_share": [
                to_percent_points(now, before)
                for now, before in zip(services["amount"], services["previous_amount"], strict=True)
            ],
            "budget": services["budget_amount"],
            "variance": services["variance_amount"],
            "year": services["year_amount"],
            "change": services["change_amount"],
            "category": [
                PLACE_REASONS.get(str(service_id), category)
                for service_id, category in zip(
                    services["service_id"], services["category_name"], strict=True
                )
            ],
        }
    )
    if not context.selection.is_actual or frame["budget"].isna().all():
        frame = frame.drop(columns=["budget", "variance"])
    if not context.selection.is_comparable or frame["change"].isna().all():
        frame = frame.drop(columns=["change", "change_share"])
    return frame


def _link_service(context: Context, service_id: str, name: str) -> str:
    """A service leads to its page; money without a service to where it is settled."""
    if service_id in PLACE_NAMES:
        return context.make_link(MONTHLY_CHARGEBACK.url_path, PLACE_NAMES[service_id])
    return context.make_link(SERVICE_DETAIL.url_path, name, service=service_id)


def _configure_services(context: Context, places: int) -> dict[str, Any]:
    currency = context.currency
    return {
        "service": link_column("Service", "Opens in a new tab", is_pinned=True, width=190),
        "amount": amount_column(f"{context.selection.period_name}, {currency}", places=places),
        "change": amount_column(f"Change, {currency}", "On the month before", places=places),
        "change_share": change_column("Change", "On the month before"),
        "budget": amount_column(f"Budget, {currency}", places=places),
        "variance": amount_column(
            f"Over budget, {currency}", "Below zero: under budget", places=places
        ),
        "year": amount_column(f"Year to date, {currency}", places=places),
        "trend": st.column_config.LineChartColumn(
            "One year", help="Each line on its own scale", width=110
        ),
        "category": st.column_config.TextColumn("Category", width=220),
    }


def _show_flow(context: Context) -> None:
    show_section(
        "Where the money goes",
        f"From cost pool to business unit, delivered cost of {context.selection.period_name}. "
        f"Each stop shows its {FLOW_NODES} largest; orange has no place or payer yet.",
    )
    flow = read_cost_flow(context.published, context.selection, FLOW_NODES)
    drawn, credits = split_drawable(flow)
    if drawn.empty:
        show_missing("No flow to draw.", "The period has no cost that reached a service.")
        return
    show_chart(
        draw_cost_flow(flow, context.currency),
        "cost_flow",
        "Flow of cost from cost pools over towers and services to business units",
        is_wide=True,
    )
    if not credits.empty:
        st.caption(
            f"{format_count(len(credits), 'flow')} below zero (credits) cannot be drawn; every "
            "figure and the download include them."
        )
    show_download(context, "Cost flow (CSV)", flow, "cost_flow", "download_flow")


render_page()
