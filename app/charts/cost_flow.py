"""The way of the money as a Sankey diagram."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from app.charts import palette
from app.charts.layout import escape_html, make_figure, shorten, to_floats
from app.formats import format_amount, format_scaled
from app.names import is_place, name_place

STOP_NAMES = {
    "cost_pool": "Cost pools",
    "tower": "Towers",
    "service": "Services",
    "business_unit": "Business units",
}
_STOP_PLACES = {"cost_pool": 0.0, "tower": 0.3, "service": 0.6, "business_unit": 1.0}
"""Business units have their names on the left, so the last step is the widest."""
_NODE_HEIGHT = 46
_NODE_GAP = 16
_EDGE = 0.001
"""Nodes lie between 0.001 and 0.999: at the very edge Plotly ignores positions."""


def draw_cost_flow(frame: pd.DataFrame, currency: str) -> go.Figure:
    """Cost pool -> tower -> service -> business unit; money without a place stands out.

    `frame` as from read_cost_flow. Only flows above zero can be drawn; see split_drawable.
    """
    drawn, _ = split_drawable(frame)
    drawn = drawn.assign(
        from_name=list(map(name_place, drawn["from_id"], drawn["from_name"])),
        to_name=list(map(name_place, drawn["to_id"], drawn["to_name"])),
    )
    nodes = _collect_nodes(drawn)
    height = max(380, _NODE_HEIGHT * int(nodes.groupby("stop").size().max()))
    nodes["place"] = _place_nodes(nodes, _NODE_GAP / height)
    figure = make_figure(height + 46)
    figure.update_layout(margin={"l": 8, "r": 8, "t": 34, "b": 12})
    figure.add_sankey(
        arrangement="snap",
        node=_draw_nodes(nodes, currency),
        link=_draw_links(drawn, nodes, currency),
    )
    for stop, place in _STOP_PLACES.items():
        figure.add_annotation(
            text=f"<b>{STOP_NAMES[stop]}</b>" + (f", {currency}" if place == 0 else ""),
            x=place,
            y=1.0,
            yshift=24,
            xref="paper",
            yref="paper",
            xanchor="left" if place < 0.5 else "right",
            showarrow=False,
        )
    return figure


def _draw_nodes(nodes: pd.DataFrame, currency: str) -> dict[str, object]:
    named = list(zip(nodes["name"], nodes["amount"], strict=True))
    return {
        "label": [f"{shorten(name, 24)} {format_scaled(amount)}" for name, amount in named],
        "color": [
            _colour_node(stop, node_id)
            for stop, node_id in zip(nodes["stop"], nodes["id"], strict=True)
        ],
        "customdata": [
            f"{escape_html(name)}: {format_amount(amount, currency)}" for name, amount in named
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
        "x": [min(1 - _EDGE, max(_EDGE, _STOP_PLACES[stop])) for stop in nodes["stop"]],
        "y": list(nodes["place"]),
        "pad": _NODE_GAP,
        "thickness": 14,
        "line": {"width": 0},
    }


def _draw_links(drawn: pd.DataFrame, nodes: pd.DataFrame, currency: str) -> dict[str, object]:
    places = {key: index for index, key in enumerate(zip(nodes["stop"], nodes["id"], strict=True))}
    flows = drawn.to_dict("records")
    return {
        "source": [places[flow["from_stop"], flow["from_id"]] for flow in flows],
        "target": [places[flow["to_stop"], flow["to_id"]] for flow in flows],
        "value": to_floats(drawn["amount"]),
        "color": [
            _colour_link(str(flow["from_stop"]), str(flow["from_id"]), str(flow["to_id"]))
            for flow in flows
        ],
        "customdata": [
            f"{escape_html(flow['from_name'])} → {escape_html(flow['to_name'])}: "
            f"{format_amount(flow['amount'], currency)}"
            for flow in flows
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def split_drawable(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The flows that a Sankey diagram can draw (above zero), and the credits that it cannot."""
    is_known = frame["from_stop"].isin(STOP_NAMES) & frame["to_stop"].isin(STOP_NAMES)
    is_positive = frame["amount"] > 0
    return frame[is_known & is_positive], frame[is_known & (frame["amount"] < 0)]


def _collect_nodes(drawn: pd.DataFrame) -> pd.DataFrame:
    """One row per node: stop, id, name, amount through it, and its place from the top."""
    columns = ["stop", "id", "name", "amount"]
    outgoing = drawn[["from_stop", "from_id", "from_name", "amount"]].set_axis(columns, axis=1)
    incoming = drawn[["to_stop", "to_id", "to_name", "amount"]].set_axis(columns, axis=1)
    sums = [
        side.groupby(["stop", "id", "name"], as_index=False)["amount"].sum()
        for side in (outgoing, incoming)
    ]
    nodes = pd.concat(sums).groupby(["stop", "id", "name"], as_index=False)["amount"].max()
    nodes["is_special"] = nodes["id"].map(is_place)
    nodes["size"] = nodes["amount"].map(float)
    nodes = nodes.sort_values(["stop", "is_special", "size"], ascending=[True, True, False])
    ordered: pd.DataFrame = nodes.reset_index(drop=True)
    return ordered


def _place_nodes(nodes: pd.DataFrame, gap: float) -> list[float]:
    """The middle of each node from the top, 0 to 1: heights in proportion to the amount, the same
    scale at every stop, a gap between neighbours, each stop centred."""
    sums = nodes.groupby("stop")["size"].agg(["sum", "count"])
    scale = float(((1 - gap * (sums["count"] - 1)) / sums["sum"]).min())
    places: list[float] = []
    for _, rows in nodes.groupby("stop", sort=False):
        heights = [size * scale for size in rows["size"]]
        top = (1 - sum(heights) - gap * (len(heights) - 1)) / 2
        for height in heights:
            places.append(min(1 - _EDGE, max(_EDGE, top + height / 2)))
            top += height + gap
    return places


def _colour_node(stop: str, node_id: str) -> str:
    if node_id == "(other)":
        return palette.NEUTRAL
    return palette.ATTENTION if is_place(node_id) else palette.STOPS[stop]


def _colour_link(stop: str, from_id: str, to_id: str) -> str:
    for node_id in (from_id, to_id):
        if is_place(node_id) and node_id != "(other)":
            return palette.fade(palette.ATTENTION, 0.45)
    return palette.fade(palette.STOPS[stop], 0.28)
