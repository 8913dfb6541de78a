"""Chart of cost shares beside their Shapley values."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from app.charts import palette
from app.charts.layout import escape_html, label_rows, make_figure, title_axes, to_floats
from app.formats import format_amount

ROW_HEIGHT = 26


def draw_bills_beside_shapley(frame: pd.DataFrame, currency: str) -> go.Figure:
    """Cost share of each consumer as a dot, Shapley value as a diamond, a line between them.

    `frame`: consumer_key, consumer_name, bill_amount, shapley_amount; the first row on top.
    """
    figure = make_figure(max(200, ROW_HEIGHT * len(frame) + 110), has_legend=True)
    ordered = frame.iloc[::-1]
    keys = [str(key) for key in ordered["consumer_key"]]
    bills, values = to_floats(ordered["bill_amount"]), to_floats(ordered["shapley_amount"])
    line_x: list[float | None] = []
    line_y: list[str | None] = []
    for key, bill, value in zip(keys, bills, values, strict=True):
        line_x += [bill, value, None]
        line_y += [key, key, None]
    figure.add_scatter(
        x=line_x,
        y=line_y,
        mode="lines",
        line={"color": palette.NEUTRAL, "width": 1.5},
        hoverinfo="skip",
        showlegend=False,
    )
    for name, column, numbers, symbol, colour in (
        ("Cost share", "bill_amount", bills, "circle", palette.ACTUAL),
        ("Shapley value", "shapley_amount", values, "diamond-open", palette.OVER),
    ):
        figure.add_scatter(
            name=name,
            x=numbers,
            y=keys,
            mode="markers",
            marker={"symbol": symbol, "size": 10, "color": colour, "line": {"width": 2}},
            customdata=[
                f"{escape_html(consumer)}: {format_amount(amount, currency)}"
                for consumer, amount in zip(ordered["consumer_name"], ordered[column], strict=True)
            ],
            hovertemplate=f"%{{customdata}}<extra>{name}</extra>",
        )
    title_axes(figure, x=f"{currency} in the month")
    figure.update_xaxes(rangemode="tozero")
    label_rows(figure, keys, list(ordered["consumer_name"]))
    return figure
