"""Charts of what is in dispute."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import plotly.graph_objects as go

from app.charts.layout import make_figure, title_axes, to_floats
from app.charts.palette import ACTUAL
from app.formats import format_count, format_exact

HEIGHT = 220


def draw_ageing(buckets: Sequence[tuple[str, int, Decimal]], currency: str) -> go.Figure:
    """The amount in dispute by age, the youngest first; each bar with the number of disputes.

    `buckets`: name of the age in days, number, amount.
    """
    figure = make_figure(HEIGHT)
    figure.add_bar(
        x=[name for name, _, _ in buckets],
        y=to_floats(amount for _, _, amount in buckets),
        text=[str(count) if count else "" for _, count, _ in buckets],
        textposition="outside",
        cliponaxis=False,
        marker_color=ACTUAL,
        customdata=[
            f"{format_count(count, 'dispute')}, {format_exact(amount, currency)}"
            for _, count, amount in buckets
        ],
        hovertemplate="%{x} days: %{customdata}<extra></extra>",
    )
    title_axes(figure, "Days open", f"In dispute ({currency})")
    # Names such as 0-30 are no dates.
    figure.update_xaxes(type="category")
    figure.update_yaxes(rangemode="tozero")
    return figure
