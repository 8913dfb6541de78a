"""Charts of what is billed."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from app.charts import palette
from app.charts.layout import make_figure, shorten, title_axes, to_floats
from app.charts.service_costs import ROW_HEIGHT, add_budget_marks
from app.formats import format_amount


def draw_bills(frame: pd.DataFrame, currency: str) -> go.Figure:
    """What each business unit is billed, the largest on top, the budget as a mark.

    `frame`: business_unit_id, business_unit_name, charged_amount, budget_amount.
    """
    figure = make_figure(max(180, ROW_HEIGHT * len(frame) + 90), has_legend=True)
    ordered = frame.iloc[::-1]
    names = [shorten(name) for name in ordered["business_unit_name"]]
    figure.add_bar(
        name="Billed",
        orientation="h",
        x=to_floats(ordered["charged_amount"]),
        y=names,
        marker={"color": palette.ACTUAL},
        text=[format_amount(value, currency) for value in ordered["charged_amount"]],
        textposition="auto",
        insidetextanchor="start",
        hovertemplate="%{y}: %{text}<extra>Billed</extra>",
    )
    add_budget_marks(figure, ordered["budget_amount"], names, currency)
    title_axes(figure, x=f"{currency} in the month")
    figure.update_yaxes(showgrid=False)
    return figure
