"""What the reader looks at: kept in the URL, so that a view can be shared; parsed, not trusted.

Every choice is one URL parameter. A value in the URL that is not among the options is named and
ignored. The session remembers a choice while the reader moves between pages; the URL wins
whenever it was changed from outside (a link, a typed address).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd
import streamlit as st

from app.formats import escape_markdown, format_period
from app.names import SCENARIO_NAMES
from app.queries.published import ACTUAL, BUDGET

PERIOD = "period"
SCENARIO = "scenario"
SERVICE = "service"
BUSINESS_UNIT = "business_unit"
BASIS = "basis"
HIERARCHY = "hierarchy"
MOVERS = "movers"
CATEGORY = "category"
SEARCH = "search"

LONGEST_SEARCH = 80


@dataclass(frozen=True)
class Selection:
    """The scenario and period that a page shows, and the period before it."""

    scenario_id: str
    period_id: str
    previous_period_id: str | None
    fiscal_year: int
    state: str

    @property
    def is_actual(self) -> bool:
        return self.scenario_id == ACTUAL

    @property
    def period_name(self) -> str:
        return format_period(self.period_id)

    @property
    def parameters(self) -> dict[str, object]:
        """The parameters of queries."""
        return {
            "scenario": self.scenario_id,
            "period": self.period_id,
            "previous": self.previous_period_id,
            "year": self.fiscal_year,
        }

    @property
    def previous_period_name(self) -> str:
        return format_period(self.previous_period_id) if self.previous_period_id else "before"


def choose_selection(periods: pd.DataFrame) -> Selection:
    """Scenario and period, chosen in the sidebar. `periods` has at least one with figures."""
    has_budget = bool(periods["has_budget"].any())
    has_actuals = bool(periods["has_actuals"].any())
    scenarios = [ACTUAL] * has_actuals + [BUDGET] * has_budget
    scenario_id = scenarios[0]
    if len(scenarios) > 1:
        scenario_id = choose_one(
            SCENARIO,
            "Figures",
            scenarios,
            format_option=SCENARIO_NAMES.__getitem__,
            style="segments",
            help_text="Budget runs through the same stops as actual cost.",
        )
    has_figures = periods["has_actuals" if scenario_id == ACTUAL else "has_budget"]
    shown = periods[has_figures].sort_values("period_id", ascending=False)
    options = [str(period_id) for period_id in shown["period_id"]]
    states = dict(zip(options, shown["period_state"].astype(str), strict=True))
    latest_actual = periods.loc[periods["has_actuals"], "period_id"].max()
    period_id = choose_one(
        PERIOD,
        "Period",
        options,
        default=str(latest_actual) if str(latest_actual) in states else options[0],
        format_option=lambda option: f"{format_period(option)} · {states[option]}",
    )
    row = shown[shown["period_id"] == period_id].iloc[0]
    previous = row["previous_period_id"]
    return Selection(
        scenario_id,
        period_id,
        str(previous) if isinstance(previous, str) else None,
        int(row["fiscal_year"]),
        states[period_id],
    )


def choose_one(
    name: str,
    label: str,
    options: Sequence[str],
    *,
    default: str | None = None,
    format_option: Callable[[str], str] = str,
    style: Literal["list", "segments"] = "list",
    help_text: str | None = None,
    label_visibility: Literal["visible", "hidden", "collapsed"] = "visible",
) -> str:
    """One of `options`, kept in the URL parameter `name`. `options` is not empty."""
    _take_from_url(name, options, default if default and default in options else options[0])
    if style == "segments":
        chosen = st.segmented_control(
            label,
            options,
            key=name,
            required=True,
            format_func=format_option,
            help=help_text,
            label_visibility=label_visibility,
        )
    else:
        chosen = st.selectbox(
            label,
            options,
            key=name,
            format_func=format_option,
            help=help_text,
            label_visibility=label_visibility,
        )
    value = chosen if chosen is not None and chosen in options else options[0]
    _write_to_url(name, value)
    return value


def choose_text(name: str, label: str, placeholder: str) -> str:
    """A search text, kept in the URL parameter `name`; shortened to what a search needs."""
    requested, last = st.query_params.get(name), st.session_state.get(_last_key(name))
    if requested is not None and (name not in st.session_state or requested != last):
        st.session_state[name] = requested[:LONGEST_SEARCH]
    text = st.text_input(label, key=name, max_chars=LONGEST_SEARCH, placeholder=placeholder)
    _write_to_url(name, text)
    return text.strip()


def _take_from_url(name: str, options: Sequence[str], default: str) -> None:
    """Before a widget is made: its state takes what the URL asks for, if that is an option; else
    what was chosen last in this session, else the default."""
    requested, last = st.query_params.get(name), st.session_state.get(_last_key(name))
    is_new = name not in st.session_state
    if requested is not None and (is_new or requested != last):
        if requested in options:
            st.session_state[name] = requested
        else:
            shown = escape_markdown(requested[:LONGEST_SEARCH])
            st.warning(f"The address asks for {name} “{shown}”, which is not there.")
    if st.session_state.get(name) not in options:
        st.session_state[name] = last if last in options else default


def _write_to_url(name: str, value: str) -> None:
    """After a widget is made: the URL says what is shown."""
    if value:
        if st.query_params.get(name) != value:
            st.query_params[name] = value
    elif name in st.query_params:
        del st.query_params[name]
    st.session_state[_last_key(name)] = value


def _last_key(name: str) -> str:
    return f"_last_{name}"
