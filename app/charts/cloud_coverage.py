"""Charts of how cloud bills are mapped."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from app.charts import palette
from app.charts.layout import make_figure, title_axes, to_floats
from app.formats import format_amount, name_step
from app.names import METHOD_NAMES

COLOURS = {
    "rule": "#2B7BBB",
    "tag": "#0E8F68",
    "feed": "#6F6FD6",
    "driver": "#2595A8",
    "unknown": "#B97F00",
    "unmapped": palette.ATTENTION,
}
OPEN_METHODS = ("unknown", "unmapped")


def draw_coverage(frame: pd.DataFrame, currency: str) -> go.Figure:
    """The bills of each month as stacked bars, by how their lines are mapped to services.

    `frame` as from read_coverage_trend: period_name, mapping_method, amount. What is open is
    hatched and on top, so that it is seen without its colour.
    """
    figure = make_figure(320, has_legend=True)
    names = list(dict.fromkeys(frame["period_name"]))
    for method, name in METHOD_NAMES.items():
        rows = frame[frame["mapping_method"] == method]
        if rows.empty:
            continue
        amounts = dict(zip(rows["period_name"], rows["amount"], strict=True))
        figure.add_bar(
            name=name,
            x=names,
            y=to_floats(amounts.get(period) for period in names),
            marker={
                "color": COLOURS[method],
                "pattern": {"shape": "/" if method in OPEN_METHODS else ""},
            },
            customdata=[format_amount(amounts.get(period), currency) for period in names],
            hovertemplate="%{x}: %{customdata}<extra>" + name + "</extra>",
        )
    figure.update_layout(barmode="relative")
    title_axes(figure, y=f"{currency} per {name_step(str(frame['period_id'].max()))}")
    figure.update_xaxes(showgrid=False, nticks=9, type="category")
    return figure
