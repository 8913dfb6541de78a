"""What all figures share: transparent ground, axes titled with their unit, quiet grid.

No text colour is set: Streamlit's theme gives it, so a figure is right on a light and on a dark
page. Numbers on charts are floats made from decimals, for drawing only.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import plotly.graph_objects as go

from app.formats import to_decimal

GRID = "rgba(128, 128, 128, 0.22)"
ZERO_LINE = "rgba(128, 128, 128, 0.7)"
TRANSPARENT = "rgba(0, 0, 0, 0)"
LABEL_LENGTH = 32


def make_figure(height: int, *, has_legend: bool = False) -> go.Figure:
    """An empty figure in the style of the house."""
    figure = go.Figure()
    style_figure(figure, height, has_legend=has_legend)
    return figure


def style_figure(figure: go.Figure, height: int, *, has_legend: bool = False) -> None:
    """The style of the house, for figures that something else made."""
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 34 if has_legend else 10, "b": 8},
        paper_bgcolor=TRANSPARENT,
        plot_bgcolor=TRANSPARENT,
        showlegend=has_legend,
        legend={"orientation": "h", "x": 0, "y": 1.0, "xanchor": "left", "yanchor": "bottom"},
        bargap=0.25,
        hoverlabel={"namelength": -1},
        separators=".,",
        dragmode=False,
    )


def title_axes(figure: go.Figure, x: str | None = None, y: str | None = None) -> None:
    """Titles of the axes; an axis that names things itself has none."""
    figure.update_xaxes(
        title_text=x, gridcolor=GRID, zerolinecolor=ZERO_LINE, automargin=True, fixedrange=True
    )
    figure.update_yaxes(
        title_text=y, gridcolor=GRID, zerolinecolor=ZERO_LINE, automargin=True, fixedrange=True
    )


def label_rows(figure: go.Figure, ids: Sequence[str], names: Sequence[str]) -> None:
    """Rows of a bar chart keyed by id and shown by name: two names that are equal when shortened
    stay two rows. The first id is at the bottom."""
    figure.update_yaxes(
        type="category",
        categoryorder="array",
        categoryarray=list(ids),
        tickmode="array",
        tickvals=list(ids),
        ticktext=[shorten(name) for name in names],
        showgrid=False,
    )


def to_floats(values: Iterable[Any]) -> list[float | None]:
    """Cells as floats for drawing; a missing figure leaves a gap."""
    numbers = (to_decimal(value) for value in values)
    return [None if number is None else float(number) for number in numbers]


def shorten(name: Any, length: int = LABEL_LENGTH) -> str:
    """A name that fits beside a bar, with HTML taken out of its meaning."""
    text = " ".join(str(name).split())
    if len(text) > length:
        text = f"{text[: length - 1].rstrip()}…"
    return text.replace("&", "&amp;").replace("<", "&lt;")


def wrap(name: Any, width: int = 24) -> str:
    """A name over several lines, for an axis that has room to its left only."""
    return "<br>".join(escape_html(line) for line in textwrap.wrap(str(name), width)) or str(name)


def escape_html(name: Any) -> str:
    """A name for a hover text, in full."""
    return shorten(name, length=200)
