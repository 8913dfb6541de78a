"""Charts of what prices charge above or below the cost."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from app.charts import palette
from app.charts.layout import escape_html, label_rows, make_figure, title_axes, to_floats
from app.formats import format_signed

ROW_HEIGHT = 34


def draw_recovery(frame: pd.DataFrame, currency: str) -> go.Figure:
    """Recovery of the fiscal year to date as bars to either side of zero.

    `frame` as from read_recovery: service_id, service_name, recovery_to_date_amount. Under-recovery
    is hatched, so that it is seen without its colour.
    """
    figure = make_figure(max(160, ROW_HEIGHT * len(frame) + 70))
    ordered = frame.iloc[::-1]
    amounts = to_floats(ordered["recovery_to_date_amount"])
    figure.add_bar(
        orientation="h",
        x=amounts,
        y=list(ordered["service_id"]),
        marker={
            "color": [palette.OVER if (value or 0) < 0 else palette.UNDER for value in amounts],
            "pattern": {"shape": ["/" if (value or 0) < 0 else "" for value in amounts]},
        },
        text=[format_signed(value, currency) for value in ordered["recovery_to_date_amount"]],
        textposition="outside",
        cliponaxis=False,
        customdata=[escape_html(name) for name in ordered["service_name"]],
        hovertemplate="%{customdata}: %{text}<extra></extra>",
    )
    title_axes(figure, x=f"Recovery, {currency}")
    widest = max((abs(value) for value in amounts if value is not None), default=0.0) or 1.0
    figure.update_xaxes(range=[-2.2 * widest, 2.2 * widest], nticks=5)
    label_rows(figure, list(ordered["service_id"]), list(ordered["service_name"]))
    return figure


def draw_recovery_trend(frame: pd.DataFrame, currency: str) -> go.Figure:
    """Recovery of all services per month as bars, and to date as a line.

    `frame` as from read_recovery_trend: period_name, recovery_amount, recovery_to_date_amount.
    """
    figure = make_figure(300, has_legend=True)
    names = list(frame["period_name"])
    months = to_floats(frame["recovery_amount"])
    figure.add_bar(
        name="Month",
        x=names,
        y=months,
        marker={
            "color": palette.ACTUAL,
            "pattern": {"shape": ["/" if (value or 0) < 0 else "" for value in months]},
        },
        customdata=[format_signed(value, currency) for value in frame["recovery_amount"]],
        hovertemplate="%{x}: %{customdata}<extra>Month</extra>",
    )
    figure.add_scatter(
        name="Fiscal year to date",
        x=names,
        y=to_floats(frame["recovery_to_date_amount"]),
        mode="lines+markers",
        line={"color": palette.BUDGET, "width": 2.5},
        customdata=[format_signed(value, currency) for value in frame["recovery_to_date_amount"]],
        hovertemplate="%{x}: %{customdata}<extra>Fiscal year to date</extra>",
    )
    title_axes(figure, y=f"Recovery, {currency}")
    figure.update_xaxes(showgrid=False, nticks=9, type="category")
    return figure
