"""Draw the way of money as a picture: a Sankey diagram, written as SVG.

Takes routes (a name per column, and an amount) and bundles the smallest names of a column, so that
the picture stays readable however many there are. Widths are in proportion to the size of the
money; a credit is drawn by its size too, hatched, since a width below nothing cannot be drawn.
Colours follow the light or dark preference of who looks (`prefers-color-scheme`).

Plain text from here to the file: no library. Numbers become floats for coordinates only; a label's
amount is rounded half away from zero. Limit: where credits and costs meet in one name, its height
is the larger of what is drawn into it and out of it, and neither need be its net amount.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from html import escape

from pipelines.allocation.trace import to_decimal
from pipelines.readable_text import LAYOUT, show_text

SHOWN_NAMES = 12
"""Of a column; the others are one name."""
NAME_LENGTH = 30
_OTHERS = "\0others"

_COLUMN_WIDTH, _NODE_WIDTH, _LABEL_WIDTH = 290, 12, 250
_TOP, _BOTTOM, _SIDE = 92, 44, 24
_ROW, _GAP = 19, 9
_FLOW_HEIGHT = 420
_COLOURS = ("#6F6FD6", "#0E8F68", "#2B7BBB", "#B5638F", "#8F6B3D")

_STYLE = """
svg { background: #ffffff; font-family: system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif; }
text { fill: #1f2328; font-size: 12.5px; }
.halo { paint-order: stroke; stroke: #ffffff; stroke-width: 3px; stroke-linejoin: round; }
.title { font-size: 17px; font-weight: 600; }
.muted { fill: #59636e; }
.amount { font-variant-numeric: tabular-nums; fill: #59636e; }
.column { font-size: 12px; font-weight: 600; }
.link { fill-opacity: 0.32; }
.hatch { stroke: #ffffff; }
@media (prefers-color-scheme: dark) {
  svg { background: #0d1117; }
  text { fill: #e6edf3; }
  .halo { stroke: #0d1117; }
  .muted, .amount { fill: #9da7b1; }
  .link { fill-opacity: 0.5; }
  .hatch { stroke: #0d1117; }
}
"""


@dataclass(frozen=True)
class Route:
    """Money that went one way: a name per column, left to right."""

    names: tuple[str, ...]
    amount: Fraction


@dataclass
class _Node:
    name: str
    label: str
    net: Fraction = Fraction(0)
    arriving: float = 0.0
    leaving: float = 0.0
    top: float = 0.0
    drawn_in: float = 0.0
    drawn_out: float = 0.0

    @property
    def size(self) -> float:
        return max(self.arriving, self.leaving)


def draw_flow(
    title: str,
    subtitle: str,
    columns: Sequence[str],
    routes: Sequence[Route],
    currency_code: str,
) -> str:
    """The picture as the text of an SVG file. Every route has a name for every column."""
    routes, labels = _bundle(routes, len(columns))
    nodes, links = _collect(routes, labels, len(columns))
    scale, height = _place(nodes)
    width = 2 * _SIDE + _COLUMN_WIDTH * (len(columns) - 1) + _NODE_WIDTH + _LABEL_WIDTH
    lefts = [_SIDE + number * _COLUMN_WIDTH for number in range(len(columns))]
    has_credits = any(amount < 0 for amount in links.values())
    body = [
        f'<text class="title" x="{_SIDE}" y="30">{escape(title)}</text>',
        f'<text class="muted" x="{_SIDE}" y="50">{escape(subtitle)}</text>',
        *(
            f'<text class="column" x="{left}" y="{_TOP - 14}">{escape(name)}, '
            f"{escape(currency_code)}</text>"
            for left, name in zip(lefts, columns, strict=True)
        ),
        *_draw_links(nodes, links, lefts, scale),
        *_draw_nodes(nodes, lefts, scale),
    ]
    if has_credits:
        body.append(
            f'<text class="muted" x="{_SIDE}" y="{height - 14}">Hatched: credits, drawn by their '
            "size.</text>"
        )
    return show_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label="{escape(title)}">\n'
        f"<style>{_STYLE}</style>\n"
        '<defs><pattern id="credit" width="6" height="6" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><line class="hatch" x1="0" y1="0" x2="0" y2="6" '
        'stroke-width="3"/></pattern></defs>\n' + "\n".join(body) + "\n</svg>\n",
        keep=LAYOUT,
    )


def _bundle(routes: Sequence[Route], count: int) -> tuple[list[Route], list[dict[str, str]]]:
    """Routes in which the smallest names of each column are one, and the label of every name."""
    labels: list[dict[str, str]] = []
    kept: list[set[str]] = []
    for number in range(count):
        sizes: dict[str, Fraction] = defaultdict(Fraction)
        for route in routes:
            sizes[route.names[number]] += abs(route.amount)
        order = sorted(sizes, key=lambda name: (-sizes[name], name))
        shown = order if len(order) <= SHOWN_NAMES else order[: SHOWN_NAMES - 1]
        kept.append(set(shown))
        rest = len(order) - len(shown)
        labels.append({name: name for name in shown} | {_OTHERS: f"{rest} others"})
    bundled = [
        Route(
            tuple(
                name if name in kept[number] else _OTHERS for number, name in enumerate(route.names)
            ),
            route.amount,
        )
        for route in routes
    ]
    return bundled, labels


def _collect(
    routes: Sequence[Route], labels: list[dict[str, str]], count: int
) -> tuple[list[dict[str, _Node]], dict[tuple[int, str, str], Fraction]]:
    """Nodes by column, the largest first, and the money between neighbours."""
    nodes: list[dict[str, _Node]] = [{} for _ in range(count)]
    links: dict[tuple[int, str, str], Fraction] = defaultdict(Fraction)
    for route in routes:
        for number, name in enumerate(route.names):
            node = nodes[number].setdefault(name, _Node(name, labels[number][name]))
            node.net += route.amount
        for number in range(count - 1):
            links[number, route.names[number], route.names[number + 1]] += route.amount
    for (number, start, end), amount in links.items():
        nodes[number][start].leaving += abs(float(amount))
        nodes[number + 1][end].arriving += abs(float(amount))
    ordered = [
        dict(sorted(column.items(), key=lambda item: (item[0] == _OTHERS, -item[1].size, item[0])))
        for column in nodes
    ]
    return ordered, dict(links)


def _place(nodes: list[dict[str, _Node]]) -> tuple[float, int]:
    """Set the tops of the nodes; returns pixels per amount and the height of the picture."""
    total = max(sum(node.size for node in column.values()) for column in nodes) or 1.0
    scale = _FLOW_HEIGHT / total
    heights = [
        sum(max(node.size * scale, _ROW) + _GAP for node in column.values()) for column in nodes
    ]
    for column, height in zip(nodes, heights, strict=True):
        top = _TOP + (max(heights) - height) / 2
        for node in column.values():
            slot = max(node.size * scale, _ROW)
            node.top = top + (slot - node.size * scale) / 2
            top += slot + _GAP
    return scale, round(_TOP + max(heights) + _BOTTOM)


def _draw_links(
    nodes: list[dict[str, _Node]],
    links: dict[tuple[int, str, str], Fraction],
    lefts: list[int],
    scale: float,
) -> list[str]:
    """Bands between neighbours, in the order of their ends, so that few of them cross."""
    places = [{name: place for place, name in enumerate(column)} for column in nodes]
    entries: dict[tuple[int, str, str], float] = {}
    for key in sorted(links, key=lambda k: (k[0], places[k[0] + 1][k[2]], places[k[0]][k[1]])):
        target = nodes[key[0] + 1][key[2]]
        entries[key] = target.top + target.drawn_in
        target.drawn_in += abs(float(links[key])) * scale
    drawn = []
    for key in sorted(links, key=lambda k: (k[0], places[k[0]][k[1]], places[k[0] + 1][k[2]])):
        number, start, end = key
        thickness = abs(float(links[key])) * scale
        source = nodes[number][start]
        y1, y2 = source.top + source.drawn_out, entries[key]
        source.drawn_out += thickness
        x1, x2 = lefts[number] + _NODE_WIDTH, lefts[number + 1]
        middle = (x1 + x2) / 2
        shape = (
            f"M{x1} {y1:.2f}C{middle} {y1:.2f} {middle} {y2:.2f} {x2} {y2:.2f}"
            f"V{y2 + thickness:.2f}C{middle} {y2 + thickness:.2f} {middle} {y1 + thickness:.2f} "
            f"{x1} {y1 + thickness:.2f}Z"
        )
        names = f"{nodes[number][start].label} → {nodes[number + 1][end].label}"
        hint = f"<title>{escape(names)}: {_write(links[key])}</title>"
        colour = _COLOURS[number % len(_COLOURS)]
        drawn.append(f'<path class="link" fill="{colour}" d="{shape}">{hint}</path>')
        if links[key] < 0:
            drawn.append(f'<path fill="url(#credit)" d="{shape}"/>')
    return drawn


def _draw_nodes(nodes: list[dict[str, _Node]], lefts: list[int], scale: float) -> list[str]:
    drawn = []
    for number, column in enumerate(nodes):
        colour = _COLOURS[number % len(_COLOURS)]
        for node in column.values():
            height = max(node.size * scale, 0.75)
            middle = node.top + node.size * scale / 2 + 4.5
            drawn.append(
                f'<rect x="{lefts[number]}" y="{node.top:.2f}" width="{_NODE_WIDTH}" '
                f'height="{height:.2f}" rx="1.5" fill="{colour}"/>'
                f'<text class="halo" x="{lefts[number] + _NODE_WIDTH + 6}" y="{middle:.2f}">'
                f"{escape(_shorten(node.label))} "
                f'<tspan class="amount">{_write(node.net)}</tspan></text>'
            )
    return drawn


def _shorten(name: str) -> str:
    return name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1].rstrip()}…"


def _write(amount: Fraction) -> str:
    return f"{to_decimal(amount, 2):,.2f}"
