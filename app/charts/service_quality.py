"""Charts of unit cost, its references, and service quality."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.charts import palette
from app.charts.layout import (
    escape_html,
    label_rows,
    make_figure,
    style_figure,
    title_axes,
    to_floats,
    wrap,
)
from app.charts.service_costs import ROW_HEIGHT, make_upright_mark
from app.formats import format_quantity, format_rate, format_share

SMALLEST_ROOM = 0.002
"""Above and below a line of shares, so that a flat one does not lie on the edge."""


def draw_unit_cost(frame: pd.DataFrame, currency: str, unit: str) -> go.Figure:
    """Unit cost over time: actual as a line with points, budget dashed.

    `frame` as from read_unit_costs. The axis starts at zero, so that a change looks as large
    as it is.
    """
    figure = make_figure(300, has_legend=True)
    names = list(frame["period_name"])
    figure.add_scatter(
        name="Actual",
        x=names,
        y=to_floats(frame["actual_unit_cost"]),
        mode="lines+markers",
        line={"color": palette.ACTUAL, "width": 2.5},
        marker={"size": 6},
        customdata=[format_rate(value, currency) for value in frame["actual_unit_cost"]],
        hovertemplate="%{x}: %{customdata}<extra>Actual</extra>",
    )
    budget = to_floats(frame["budget_unit_cost"])
    if any(value is not None for value in budget):
        figure.add_scatter(
            name="Budget",
            x=names,
            y=budget,
            mode="lines",
            line={"color": palette.BUDGET, "dash": "dash", "width": 2.5},
            customdata=[format_rate(value, currency) for value in frame["budget_unit_cost"]],
            hovertemplate="%{x}: %{customdata}<extra>Budget</extra>",
        )
    title_axes(figure, y=f"{currency} per {escape_html(unit)}")
    figure.update_yaxes(rangemode="tozero")
    figure.update_xaxes(showgrid=False, nticks=14, type="category")
    return figure


def draw_peers(frame: pd.DataFrame, currency: str, unit: str) -> go.Figure:
    """Business units side by side: what they pay per unit, and how much they use.

    `frame` as from read_peers, the first row on top.
    """
    figure = make_subplots(rows=1, cols=2, shared_yaxes=True, horizontal_spacing=0.04)
    ordered = frame.iloc[::-1]
    ids = [str(unit_id) for unit_id in ordered["business_unit_id"]]
    panels = (
        ("unit_cost", palette.ACTUAL, [format_rate(value) for value in ordered["unit_cost"]]),
        ("quantity", palette.NEUTRAL, [format_quantity(value) for value in ordered["quantity"]]),
    )
    for number, (column, colour, texts) in enumerate(panels, start=1):
        figure.add_trace(_make_bars(ordered, column, texts, colour), row=1, col=number)
    style_figure(figure, max(200, ROW_HEIGHT * len(frame) + 80))
    title_axes(figure)
    label_rows(figure, ids, list(ordered["business_unit_name"]))
    figure.update_xaxes(nticks=4)
    figure.update_xaxes(title_text=f"{currency} per {escape_html(unit)}", row=1, col=1)
    figure.update_xaxes(title_text=f"Quantity, {escape_html(unit)}", row=1, col=2)
    return figure


def draw_quantities(frame: pd.DataFrame, unit: str) -> go.Figure:
    """How much each business unit uses. `frame` as from read_peers, the first row on top."""
    figure = make_figure(max(180, ROW_HEIGHT * len(frame) + 70))
    ordered = frame.iloc[::-1]
    texts = [format_quantity(value) for value in ordered["quantity"]]
    figure.add_trace(_make_bars(ordered, "quantity", texts, palette.ACTUAL))
    title_axes(figure, x=f"Quantity, {escape_html(unit)}")
    label_rows(
        figure,
        [str(unit_id) for unit_id in ordered["business_unit_id"]],
        list(ordered["business_unit_name"]),
    )
    return figure


def _make_bars(ordered: pd.DataFrame, column: str, texts: list[str], colour: str) -> go.Bar:
    return go.Bar(
        orientation="h",
        x=to_floats(ordered[column]),
        y=[str(unit_id) for unit_id in ordered["business_unit_id"]],
        marker={"color": colour},
        text=texts,
        textposition="auto",
        insidetextanchor="start",
        customdata=[escape_html(name) for name in ordered["business_unit_name"]],
        hovertemplate="%{customdata}: %{text}<extra></extra>",
    )


def draw_references(frame: pd.DataFrame, own: Decimal | None, unit: str, name: str) -> go.Figure:
    """Published references as bands from low to high with a mark at the median, our own figure
    as an upright line through all of them.

    `frame`: source_name, publication_year, low_value, median_value, high_value, all in `unit`.
    """
    figure = make_figure(max(190, 64 * len(frame) + 120), has_legend=True)
    labels = [
        f"{wrap(source)}<br>{year}"
        for source, year in zip(frame["source_name"], frame["publication_year"], strict=True)
    ]
    low, high = to_floats(frame["low_value"]), to_floats(frame["high_value"])
    has_band = [a is not None and b is not None for a, b in zip(low, high, strict=True)]
    figure.add_bar(
        name="Lower to upper quartile",
        orientation="h",
        base=[a if shown else None for a, shown in zip(low, has_band, strict=True)],
        x=[
            (b or 0) - (a or 0) if shown else None
            for a, b, shown in zip(low, high, has_band, strict=True)
        ],
        y=labels,
        width=0.5,
        marker={"color": palette.fade(palette.NEUTRAL, 0.5)},
        customdata=[
            f"{format_rate(a)} to {format_rate(b)}"
            for a, b in zip(frame["low_value"], frame["high_value"], strict=True)
        ],
        hovertemplate="%{customdata}<extra>%{y}</extra>",
    )
    figure.add_scatter(
        name="Median",
        x=to_floats(frame["median_value"]),
        y=labels,
        mode="markers",
        marker=make_upright_mark(palette.BUDGET, 26),
        customdata=[format_rate(value) for value in frame["median_value"]],
        hovertemplate="Median %{customdata}<extra>%{y}</extra>",
    )
    if own is not None:
        _add_own_figure(figure, float(own), labels, f"{name} {format_rate(own)}")
    title_axes(figure, x=unit)
    figure.update_xaxes(rangemode="tozero")
    figure.update_yaxes(showgrid=False, autorange="reversed")
    return figure


def _add_own_figure(figure: go.Figure, own: float, labels: list[str], name: str) -> None:
    """Our own figure as an upright line with a diamond on each reference."""
    figure.add_vline(x=own, line={"color": palette.SELECTED, "width": 2})
    figure.add_scatter(
        name=escape_html(name),
        x=[own] * len(labels),
        y=labels,
        mode="markers",
        marker={"symbol": "diamond", "size": 12, "color": palette.SELECTED},
        hovertemplate=f"{escape_html(name)}<extra></extra>",
    )


def draw_share_trend(
    frame: pd.DataFrame, column: str, target: Decimal | None, title: str
) -> go.Figure:
    """A share over time, its target dashed; the axis is cut to where the points lie.

    `frame` as from read_quality.
    """
    figure = make_figure(220, has_legend=True)
    names = list(frame["period_name"])
    figure.add_scatter(
        name=title,
        x=names,
        y=to_floats(frame[column]),
        mode="lines+markers",
        line={"color": palette.ACTUAL, "width": 2.5},
        marker={"size": 6},
        customdata=[format_share(value, 2) for value in frame[column]],
        hovertemplate="%{x}: %{customdata}<extra></extra>",
    )
    if target is not None:
        figure.add_scatter(
            name=f"Target {format_share(target, 2)}",
            x=names,
            y=[float(target)] * len(names),
            mode="lines",
            line={"color": palette.TARGET, "dash": "dash", "width": 2},
            hoverinfo="skip",
        )
    title_axes(figure, y=f"{title}, share")
    figure.update_xaxes(showgrid=False, nticks=8, type="category")
    shown = [
        value for value in (*to_floats(frame[column]), *to_floats([target])) if value is not None
    ]
    if shown:
        room = max((max(shown) - min(shown)) * 0.15, SMALLEST_ROOM)
        figure.update_yaxes(range=[min(shown) - room, max(shown) + room])
    figure.update_yaxes(nticks=5, tickformat=".1%" if min(shown, default=0) < 0.99 else ".2%")
    return figure
