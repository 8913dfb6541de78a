"""Figures as plain functions."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest

from app.charts import palette
from app.charts.charges import draw_bills
from app.charts.cloud_coverage import COLOURS, draw_coverage
from app.charts.cost_flow import draw_cost_flow, split_drawable
from app.charts.layout import shorten, to_floats
from app.charts.service_costs import draw_breakdown, draw_cost_trend, draw_movers
from app.charts.service_quality import (
    draw_peers,
    draw_quantities,
    draw_references,
    draw_share_trend,
    draw_unit_cost,
)
from app.queries.cost_flow import read_cost_flow
from app.queries.published import Published
from tests.app.conftest import FEBRUARY, clean

TREND = pd.DataFrame(
    {
        "period_id": ["2026-01", "2026-02", "2026-03"],
        "period_name": ["Jan 2026", "Feb 2026", "Mar 2026"],
        "actual_amount": [Decimal(860), Decimal(1000), None],
        "budget_amount": [Decimal(870), Decimal(890), Decimal(890)],
    }
)


def describe_axes(figure: go.Figure) -> tuple[str | None, str | None]:
    return figure.layout.xaxis.title.text, figure.layout.yaxis.title.text


def contrast(colour: str, ground: str) -> float:
    """Contrast of two colours by WCAG 2.2."""

    def luminance(value: str) -> float:
        parts = [int(value[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(colour), luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("ground", ["#ffffff", "#171614"])
def test_every_colour_stands_out_on_a_light_and_on_a_dark_page(ground: str) -> None:
    colours = {*palette.CATEGORICAL, *palette.STOPS.values(), palette.NEUTRAL, palette.BUDGET}
    colours |= set(COLOURS.values())
    assert {colour for colour in colours if contrast(colour, ground) < 3} == set()


def test_an_id_keeps_its_colour_whichever_ids_are_shown_in_which_order() -> None:
    ids = ["staffing", "hardware", "cloud", "software", "(unmapped)"]
    colours = palette.assign_colours(ids)
    assert palette.assign_colours(reversed(ids)) == colours
    assert len({colours[key] for key in ids[:4]}) == 4
    assert colours["(unmapped)"] == palette.NEUTRAL


def test_trend_has_bars_from_zero_and_a_dashed_budget() -> None:
    figure = draw_cost_trend(TREND, "EUR", "2026-02")
    actual, budget = figure.data
    assert list(actual.y) == [860.0, 1000.0, None]
    assert list(actual.marker.opacity) == [0.55, 1.0, 0.55]
    assert (budget.line.dash, list(budget.y)) == ("dash", [870.0, 890.0, 890.0])
    assert describe_axes(figure) == (None, "EUR per month")
    assert figure.layout.yaxis.rangemode == "tozero"


def test_trend_without_a_budget_draws_none() -> None:
    figure = draw_cost_trend(TREND.assign(budget_amount=None), "EUR", "2026-02")
    assert [trace.name for trace in figure.data] == ["Actual"]


def test_figures_set_no_text_colour_and_no_ground() -> None:
    figure = draw_cost_trend(TREND, "EUR", "2026-02")
    assert figure.layout.font.color is None
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0, 0, 0, 0)"


def test_movers_have_the_largest_rise_on_top_and_falls_hatched() -> None:
    frame = pd.DataFrame(
        {
            "service_id": ["storage", "mail", "print"],
            "service_name": ["Storage", "E-mail", "Printing"],
            "moved_amount": [Decimal(50), Decimal(20), Decimal(-5)],
        }
    )
    figure = draw_movers(frame, "EUR", "Change on Jan 2026")
    bars = figure.data[0]
    assert list(bars.y) == ["print", "mail", "storage"]
    assert [clean(text) for text in bars.text] == ["-5.00 EUR", "+20.00 EUR", "+50.00 EUR"]
    assert list(bars.marker.pattern.shape) == ["/", "", ""]
    assert bars.marker.color[0] != bars.marker.color[2]
    assert describe_axes(figure) == ("Change on Jan 2026, EUR", None)


def test_breakdown_stacks_pools_in_the_colours_of_all_pools() -> None:
    frame = pd.DataFrame(
        {
            "tower_id": ["dc", "dc", "net"],
            "tower_name": ["Data centre", "Data centre", "Network"],
            "cost_pool_id": ["staffing", "hardware", "staffing"],
            "cost_pool_name": ["Staffing", "Hardware", "Staffing"],
            "delivered_amount": [Decimal(250), Decimal(100), Decimal(50)],
        }
    )
    pools = ["cloud", "hardware", "staffing"]
    figure = draw_breakdown(frame, "EUR", "delivered_amount", pools)
    colours = palette.assign_colours(pools)
    traces: dict[str, Any] = {trace.name: trace for trace in figure.data}
    assert list(traces["Staffing"].x) == [250.0, 50.0]
    assert traces["Hardware"].marker.color == colours["hardware"]
    assert list(figure.layout.yaxis.ticktext) == ["Network", "Data centre"]
    assert describe_axes(figure)[0] == "EUR in the month"


def test_two_long_names_that_begin_alike_stay_two_rows() -> None:
    name = "Sales Switzerland and Italy and Liechtenstein"
    frame = pd.DataFrame(
        {
            "business_unit_id": ["A", "B"],
            "business_unit_name": [f"{name} one", f"{name} two"],
            "billed_amount": [Decimal(2), Decimal(1)],
            "budget_amount": [None, None],
        }
    )
    figure = draw_bills(frame, "EUR")
    assert list(figure.data[0].y) == ["B", "A"]
    assert len(figure.data) == 1
    assert len(set(figure.layout.yaxis.ticktext)) == 1


def test_bill_without_a_place_has_its_name_and_stands_out() -> None:
    frame = pd.DataFrame(
        {
            "business_unit_id": ["SAL", "(unallocated)"],
            "business_unit_name": ["Sales", "(unallocated)"],
            "billed_amount": [Decimal(2), Decimal(1)],
            "budget_amount": [Decimal(3), None],
        }
    )
    figure = draw_bills(frame, "EUR")
    assert list(figure.layout.yaxis.ticktext) == ["Not allocated", "Sales"]
    assert list(figure.data[0].marker.color) == [palette.ATTENTION, palette.ACTUAL]
    assert list(figure.data[1].x) == [None, 3.0]


def test_flow_draws_what_is_above_zero_and_tells_the_rest(published: Published) -> None:
    frame = read_cost_flow(published, FEBRUARY, 10)
    drawn, credits = split_drawable(frame)
    assert list(credits["from_id"]) == ["refunds"]
    figure = draw_cost_flow(frame, "EUR")
    sankey = figure.data[0]
    assert len(sankey.link.value) == len(drawn) == 11
    labels = [clean(label) for label in sankey.node.label]
    assert "mail 400.00" in labels
    assert labels.count("Not mapped 30.00") == 4
    pool = labels.index("staffing 600.00")
    business_unit = labels.index("SAL 450.00")
    assert sankey.node.x[pool] < sankey.node.x[business_unit]
    assert all(0 < place < 1 for place in sankey.node.y)


def test_flow_nodes_do_not_overlap(published: Published) -> None:
    sankey = draw_cost_flow(read_cost_flow(published, FEBRUARY, 10), "EUR").data[0]
    services = sorted(
        place for x, place in zip(sankey.node.x, sankey.node.y, strict=True) if x == 0.6
    )
    assert all(after - before > 0.03 for before, after in pairwise(services))


UNIT_COSTS = pd.DataFrame(
    {
        "period_name": ["Jan 2026", "Feb 2026"],
        "actual_unit_cost": [Decimal("9.5"), Decimal(10)],
        "budget_unit_cost": [Decimal("9.75"), Decimal("9.75")],
    }
)
PEERS = pd.DataFrame(
    {
        "business_unit_id": ["SAL", "FIN"],
        "business_unit_name": ["Sales", "Finance"],
        "quantity": [Decimal(30), Decimal(10)],
        "unit_cost": [Decimal(10), Decimal(12)],
    }
)


def test_unit_cost_names_currency_and_unit_and_starts_at_zero() -> None:
    figure = draw_unit_cost(UNIT_COSTS, "EUR", "seat")
    assert describe_axes(figure) == (None, "EUR per seat")
    assert figure.layout.yaxis.rangemode == "tozero"
    assert [trace.name for trace in figure.data] == ["Actual", "Budget"]


def test_peers_have_a_panel_for_unit_cost_and_one_for_quantity() -> None:
    figure = draw_peers(PEERS, "EUR", "seat")
    assert list(figure.data[0].x) == [12.0, 10.0]
    assert list(figure.data[1].x) == [10.0, 30.0]
    assert figure.layout.xaxis.title.text == "EUR per seat"
    assert figure.layout.xaxis2.title.text == "Quantity, seat"
    assert list(draw_quantities(PEERS, "seat").data[0].x) == [10.0, 30.0]


def test_references_have_a_band_a_median_and_our_own_figure() -> None:
    frame = pd.DataFrame(
        {
            "source_name": ["Peers", "Survey"],
            "publication_year": [2025, 2024],
            "low_value": [Decimal("0.02"), None],
            "median_value": [Decimal("0.04"), Decimal("0.05")],
            "high_value": [Decimal("0.06"), None],
        }
    )
    figure = draw_references(frame, Decimal("0.05"), "EUR per gb-month", "We:")
    band, median, own = figure.data
    assert list(band.base) == [0.02, None]
    assert list(band.x) == [pytest.approx(0.04), None]
    assert list(median.x) == [0.04, 0.05]
    assert list(own.x) == [0.05, 0.05]
    assert describe_axes(figure)[0] == "EUR per gb-month"
    assert len(draw_references(frame, None, "EUR", "We:").data) == 2


def test_share_is_drawn_as_a_share_with_its_target() -> None:
    frame = pd.DataFrame({"period_name": ["Jan", "Feb"], "sla": [Decimal("0.9"), None]})
    figure = draw_share_trend(frame, "sla", Decimal("0.95"), "SLA attainment")
    assert list(figure.data[0].y) == [0.9, None]
    assert list(figure.data[1].y) == [0.95, 0.95]
    assert figure.layout.yaxis.tickformat == ".1%"


def test_names_are_no_html_and_missing_figures_are_gaps() -> None:
    assert shorten("<b>R&D</b>") == "&lt;b>R&amp;D&lt;/b>"
    assert shorten("x" * 50, 10) == "x" * 9 + "…"
    assert to_floats([Decimal("1.5"), None, float("nan")]) == [1.5, None, None]


def test_coverage_stacks_what_is_open_hatched_and_on_top() -> None:
    frame = pd.DataFrame(
        {
            "period_id": ["2026-01", "2026-01", "2026-02"],
            "period_name": ["Jan 2026", "Jan 2026", "Feb 2026"],
            "mapping_method": ["unmapped", "feed", "feed"],
            "amount": [Decimal(10), Decimal(90), Decimal(95)],
        }
    )
    figure = draw_coverage(frame, "EUR")
    assert [bar.name for bar in figure.data] == ["By the detail feed", "Not mapped"]
    assert list(figure.data[0].y) == [90.0, 95.0]
    assert list(figure.data[1].y) == [10.0, None]
    assert [bar.marker.pattern.shape for bar in figure.data] == ["", "/"]
    assert describe_axes(figure) == (None, "EUR per month")
