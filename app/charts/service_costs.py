"""Charts of what services cost."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from app.charts import palette
from app.charts.layout import escape_html, label_rows, make_figure, title_axes, to_floats
from app.formats import format_amount, format_signed, name_step, to_decimal
from app.names import is_place, name_place

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
    title_axes(figure, y=f"{currency} per {name_step(period_id)}")
    figure.update_yaxes(rangemode="tozero")
    figure.update_xaxes(showgrid=False, nticks=9, type="category")
    return figure


def draw_movers(frame: pd.DataFrame, currency: str, title: str) -> go.Figure:
    """Changes of cost as bars to either side of zero, the largest rise on top.

    `frame`: service_id, service_name, moved_amount; a rise is a cost and has the colour of over
    budget, a fall is hatched. With cost_amount and driver_amount, which sum to it, the part that
    drivers moved is grey.
    """
    figure = make_figure(max(160, ROW_HEIGHT * len(frame) + 70))
    ordered = frame.iloc[::-1]
    if "driver_amount" in ordered.columns:
        return _draw_split_movers(figure, ordered, currency, title)
    amounts = to_floats(ordered["moved_amount"])
    figure.add_bar(
        orientation="h",
        x=amounts,
        y=list(ordered["service_id"]),
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
    figure.update_xaxes(range=[-2.4 * widest, 2.4 * widest], nticks=5)
    label_rows(figure, list(ordered["service_id"]), list(ordered["service_name"]))
    return figure


def _draw_split_movers(
    figure: go.Figure, ordered: pd.DataFrame, currency: str, title: str
) -> go.Figure:
    """Two bars a service, one after the other or to either side, and the change beside them."""
    ids, names = list(ordered["service_id"]), list(ordered["service_name"])
    ends = [0.0] * len(ordered)
    for column, name in (("cost_amount", "Cost"), ("driver_amount", "Drivers")):
        amounts = [value or 0.0 for value in to_floats(ordered[column])]
        ends = [end + max(value, 0.0) for end, value in zip(ends, amounts, strict=True)]
        is_cost = column == "cost_amount"
        colours = [palette.OVER if value > 0 else palette.UNDER for value in amounts]
        figure.add_bar(
            name=name,
            orientation="h",
            x=amounts,
            y=ids,
            marker={
                "color": colours if is_cost else palette.NEUTRAL,
                "pattern": {"shape": ["" if value > 0 else "/" for value in amounts]},
            },
            customdata=[
                f"{escape_html(service)}: {format_signed(value, currency)}"
                for service, value in zip(names, ordered[column], strict=True)
            ],
            hovertemplate=f"%{{customdata}}<extra>{name}</extra>",
        )
    figure.add_scatter(
        x=ends,
        y=ids,
        mode="text",
        text=[f"  {format_signed(value, currency)}" for value in ordered["moved_amount"]],
        textposition="middle right",
        cliponaxis=False,
        hoverinfo="skip",
    )
    figure.update_layout(barmode="relative", showlegend=False)
    title_axes(figure, x=f"{title}, {currency}")
    lows = [
        sum(min(value or 0.0, 0.0) for value in pair)
        for pair in zip(
            to_floats(ordered["cost_amount"]), to_floats(ordered["driver_amount"]), strict=True
        )
    ]
    widest = max((*ends, *(-low for low in lows)), default=1.0) or 1.0
    figure.update_xaxes(range=[-1.3 * widest, 2.1 * widest], nticks=5)
    label_rows(figure, ids, names)
    return figure


def draw_breakdown(
    frame: pd.DataFrame, currency: str, amount_column: str, cost_pool_ids: list[str]
) -> go.Figure:
    """Cost of a service by tower, the largest on top, each bar stacked by cost pool.

    `frame`: tower_id, tower_name, cost_pool_id, cost_pool_name and `amount_column`, the towers in
    the order in which they are shown.
    """
    towers = dict(zip(frame["tower_id"].astype(str), frame["tower_name"], strict=True))
    # On a narrow page the legend takes a line per pool; the bars keep their height.
    legend_height = 16 * frame["cost_pool_id"].nunique()
    figure = make_figure(max(200, ROW_HEIGHT * len(towers) + 110) + legend_height, has_legend=True)
    colours = palette.assign_colours([*cost_pool_ids, *frame["cost_pool_id"].astype(str)])
    for pool_id, rows in frame.groupby("cost_pool_id", sort=True):
        pool_name = escape_html(rows["cost_pool_name"].iloc[0])
        figure.add_bar(
            name=pool_name,
            orientation="h",
            x=to_floats(rows[amount_column]),
            y=list(rows["tower_id"].astype(str)),
            marker={
                "color": colours[str(pool_id)],
                "line": {"width": 1, "color": "rgba(255, 255, 255, 0.6)"},
            },
            customdata=[
                f"{escape_html(tower)}: {format_amount(value, currency)}"
                for tower, value in zip(rows["tower_name"], rows[amount_column], strict=True)
            ],
            hovertemplate=f"%{{customdata}}<extra>{pool_name}</extra>",
        )
    figure.update_layout(barmode="relative")
    title_axes(figure, x=f"{currency} in the month")
    label_rows(figure, list(towers)[::-1], list(towers.values())[::-1])
    return figure


def draw_consumers(frame: pd.DataFrame, currency: str) -> go.Figure:
    """What each business unit takes of a service, the largest on top, the budget as a mark.

    `frame`: business_unit_id, business_unit_name, cost_amount, budget_amount. Money without a
    consumer stands out.
    """
    return draw_amounts(frame, currency, "cost_amount", "Actual")


def draw_amounts(frame: pd.DataFrame, currency: str, amount_column: str, name: str) -> go.Figure:
    """An amount per business unit as bars, the first row on top, and its budget as a mark."""
    figure = make_figure(max(180, ROW_HEIGHT * len(frame) + 90), has_legend=True)
    ordered = frame.iloc[::-1]
    ids = [str(unit_id) for unit_id in ordered["business_unit_id"]]
    names = list(map(name_place, ids, ordered["business_unit_name"]))
    figure.add_bar(
        name=name,
        orientation="h",
        x=to_floats(ordered[amount_column]),
        y=ids,
        marker={
            "color": [palette.ATTENTION if is_place(unit_id) else palette.ACTUAL for unit_id in ids]
        },
        text=[format_amount(value, currency) for value in ordered[amount_column]],
        textposition="auto",
        insidetextanchor="start",
        customdata=[escape_html(unit_name) for unit_name in names],
        hovertemplate=f"%{{customdata}}: %{{text}}<extra>{name}</extra>",
    )
    if any(to_decimal(value) is not None for value in ordered["budget_amount"]):
        figure.add_scatter(
            name="Budget",
            x=to_floats(ordered["budget_amount"]),
            y=ids,
            mode="markers",
            marker=make_upright_mark(palette.BUDGET, 18),
            customdata=[
                f"{escape_html(unit_name)}: {format_amount(value, currency)}"
                for unit_name, value in zip(names, ordered["budget_amount"], strict=True)
            ],
            hovertemplate="%{customdata}<extra>Budget</extra>",
        )
    title_axes(figure, x=f"{currency} in the month")
    label_rows(figure, ids, names)
    return figure


def make_upright_mark(colour: str, size: int) -> dict[str, object]:
    """A marker that is a short upright line."""
    return {
        "symbol": "line-ns",
        "size": size,
        "line": {"width": 3, "color": colour},
        "color": colour,
    }
