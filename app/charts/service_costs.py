"""Charts of what services cost."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from app.charts import palette
from app.charts.layout import escape_html, make_figure, shorten, title_axes, to_floats
from app.formats import format_amount, format_signed, to_decimal
from app.names import name_place

ROW_HEIGHT = 30


def draw_cost_trend(frame: pd.DataFrame, currency: str, period_id: str) -> go.Figure:
    """Actual cost as bars from zero, the selected period darker; budget as a dashed step.

    `frame` as from read_trend: period_id, period_name, actual_amount, budget_amount.
    """
    figure = make_figure(320, has_legend=True)
    names = list(frame["period_name"])
    opacities = [1.0 if period == period_id else 0.55 for period in frame["period_id"]]
    figure.add_bar(
        name="Actual",
        x=names,
        y=to_floats(frame["actual_amount"]),
        marker={"color": palette.ACTUAL, "opacity": opacities},
        customdata=[format_amount(value, currency) for value in frame["actual_amount"]],
        hovertemplate="%{x}: %{customdata}<extra>Actual</extra>",
    )
    budget = to_floats(frame["budget_amount"])
    if any(value is not None for value in budget):
        figure.add_scatter(
            name="Budget",
            x=names,
            y=budget,
            mode="lines",
            line={"color": palette.BUDGET, "dash": "dash", "width": 2.5, "shape": "hvh"},
            customdata=[format_amount(value, currency) for value in frame["budget_amount"]],
            hovertemplate="%{x}: %{customdata}<extra>Budget</extra>",
        )
    title_axes(figure, y=f"{currency} per month")
    figure.update_yaxes(rangemode="tozero")
    figure.update_xaxes(showgrid=False, nticks=9, type="category")
    return figure


def draw_movers(frame: pd.DataFrame, currency: str, title: str) -> go.Figure:
    """Changes of cost as bars to either side of zero, the largest rise on top.

    `frame`: service_name, moved_amount; a rise is a cost and has the colour of over budget.
    """
    figure = make_figure(max(160, ROW_HEIGHT * len(frame) + 70))
    ordered = frame.sort_values("moved_amount", ascending=True)
    amounts = to_floats(ordered["moved_amount"])
    figure.add_bar(
        orientation="h",
        x=amounts,
        y=[shorten(name) for name in ordered["service_name"]],
        marker={
            "color": [palette.OVER if (value or 0) > 0 else palette.UNDER for value in amounts],
            "pattern": {"shape": ["" if (value or 0) > 0 else "/" for value in amounts]},
        },
        text=[format_signed(value, currency) for value in ordered["moved_amount"]],
        textposition="outside",
        cliponaxis=False,
        customdata=[escape_html(name) for name in ordered["service_name"]],
        hovertemplate="%{customdata}: %{text}<extra></extra>",
    )
    title_axes(figure, x=f"{title}, {currency}")
    widest = max((abs(value) for value in amounts if value is not None), default=1.0)
    figure.update_xaxes(range=[-1.9 * widest, 1.9 * widest], nticks=5)
    figure.update_yaxes(showgrid=False)
    return figure


def draw_breakdown(
    frame: pd.DataFrame, currency: str, amount_column: str, cost_pool_ids: list[str]
) -> go.Figure:
    """Cost of a service by tower, each bar stacked by cost pool.

    `frame`: tower_name, cost_pool_id, cost_pool_name and `amount_column`.
    """
    towers = list(dict.fromkeys(frame["tower_name"].astype(str)))
    figure = make_figure(max(220, ROW_HEIGHT * len(towers) + 130), has_legend=True)
    colours = palette.assign_colours([*cost_pool_ids, *frame["cost_pool_id"].astype(str)])
    for pool_id, rows in frame.groupby("cost_pool_id", sort=True):
        pool_name = escape_html(rows["cost_pool_name"].iloc[0])
        figure.add_bar(
            name=pool_name,
            orientation="h",
            x=to_floats(rows[amount_column]),
            y=[shorten(name) for name in rows["tower_name"]],
            marker={"color": colours[str(pool_id)], "line": {"width": 0}},
            customdata=[format_amount(value, currency) for value in rows[amount_column]],
            hovertemplate=f"%{{y}}: %{{customdata}}<extra>{pool_name}</extra>",
        )
    figure.update_layout(barmode="relative")
    title_axes(figure, x=f"{currency} in the month")
    figure.update_yaxes(
        showgrid=False, categoryorder="array", categoryarray=[shorten(t) for t in reversed(towers)]
    )
    return figure


def draw_consumers(frame: pd.DataFrame, currency: str) -> go.Figure:
    """What each business unit takes of a service, the largest on top, the budget as a mark.

    `frame`: business_unit_id, business_unit_name, cost_amount, budget_amount.
    """
    figure = make_figure(max(180, ROW_HEIGHT * len(frame) + 90), has_legend=True)
    ordered = frame.iloc[::-1]
    names = [
        shorten(name_place(unit_id, name))
        for unit_id, name in zip(
            ordered["business_unit_id"], ordered["business_unit_name"], strict=True
        )
    ]
    figure.add_bar(
        name="Actual",
        orientation="h",
        x=to_floats(ordered["cost_amount"]),
        y=names,
        marker={
            "color": [
                palette.ATTENTION if palette.is_special(str(unit_id)) else palette.ACTUAL
                for unit_id in ordered["business_unit_id"]
            ]
        },
        text=[format_amount(value, currency) for value in ordered["cost_amount"]],
        textposition="auto",
        insidetextanchor="start",
        hovertemplate="%{y}: %{text}<extra>Actual</extra>",
    )
    add_budget_marks(figure, ordered["budget_amount"], names, currency)
    title_axes(figure, x=f"{currency} in the month")
    figure.update_yaxes(showgrid=False)
    return figure


def add_budget_marks(
    figure: go.Figure, budgets: pd.Series[float], names: list[str], currency: str
) -> None:
    """A short upright line per bar where its budget lies; nothing without a budget."""
    if all(to_decimal(value) is None for value in budgets):
        return
    figure.add_scatter(
        name="Budget",
        x=to_floats(budgets),
        y=names,
        mode="markers",
        marker={
            "symbol": "line-ns",
            "size": 18,
            "line": {"width": 3, "color": palette.BUDGET},
            "color": palette.BUDGET,
        },
        customdata=[format_amount(value, currency) for value in budgets],
        hovertemplate="%{y}: %{customdata}<extra>Budget</extra>",
    )
