"""What the reader looks at: kept in the URL, so that a view can be shared; parsed, not trusted.

Every choice is one URL parameter. A value in the URL that is not among the options is named and
ignored. The session remembers a choice while the reader moves between pages; the URL wins
whenever it was changed from outside (a link, a typed address, the browser's back button).

The URL is written once per run, after the page, and only if it says something else: each write is
a step in the browser's history. Scenario, period and service are always written, because a link
that somebody keeps must not move on to the next month; other choices only if they differ from
what a new reader sees.
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
from pipelines.workspace.materiality import USUAL_MATERIALITY, Materiality

PERIOD = "period"
SCENARIO = "scenario"
SERVICE = "service"
BUSINESS_UNIT = "business_unit"
BASIS = "basis"
HIERARCHY = "hierarchy"
MOVERS = "movers"
CATEGORY = "category"
SEARCH = "search"

PINNED = (SCENARIO, PERIOD, SERVICE)
LONGEST_TEXT = 80
_WANTED_KEY = "_wanted_url"
_SEEN_KEY = "_seen_url"


@dataclass(frozen=True)
class Selection:
    """The scenario and period that a page shows, and the period before it."""

    scenario_id: str
    period_id: str
    previous_period_id: str | None
    fiscal_year: int
    state: str
    materiality: Materiality = USUAL_MATERIALITY
    """From which change on a figure is worth a colour; see app/comparisons.py."""
    missing: str = ""
    """What is missing in the period; empty where it is complete."""
    previous_missing: str = ""
    """The same of the period before."""

    @property
    def is_actual(self) -> bool:
        return self.scenario_id == ACTUAL

    @property
    def is_comparable(self) -> bool:
        """Whether the month and the one before are both whole, so that one can rise on the other;
        there may be no figures before all the same."""
        return not self.missing and not self.previous_missing

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
    latest_actual = str(periods.loc[periods["has_actuals"], "period_id"].max())
    period_id = choose_one(
        PERIOD,
        "Period",
        options,
        default=latest_actual,
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
    usual = default if default is not None and default in options else options[0]
    _take_from_url(name, options, usual)
    if style == "segments":
        chosen = st.segmented_control(
            label,
            options,
            key=name,
            required=True,
            format_func=format_option,
            help=help_text,
            label_visibility=label_visibility,
            on_change=_note_change,
            args=(name,),
        )
    else:
        chosen = st.selectbox(
            label,
            options,
            key=name,
            format_func=format_option,
            help=help_text,
            label_visibility=label_visibility,
            on_change=_note_change,
            args=(name,),
        )
    value = chosen if chosen is not None and chosen in options else usual
    _remember(name, value, is_usual=value == usual and name not in PINNED)
    return value


def choose_text(name: str, label: str, placeholder: str) -> str:
    """A search text, kept in the URL parameter `name`; shortened to what a search needs."""
    if not _was_changed(name):
        requested = _read_request(name)
        st.session_state[name] = (requested or recall(name) or "")[:LONGEST_TEXT]
    text = st.text_input(
        label,
        key=name,
        max_chars=LONGEST_TEXT,
        placeholder=placeholder,
        on_change=_note_change,
        args=(name,),
    )
    _remember(name, text, is_usual=not text)
    return text.strip()


def choose_ahead(name: str, value: str) -> None:
    """Choose for the reader, from a callback: selecting a row of a table, for example."""
    st.session_state[name] = value
    _note_change(name)


def recall(name: str) -> str | None:
    """What was chosen last in this session, on whichever page."""
    value = st.session_state.get(_last_key(name))
    return value if isinstance(value, str) else None


def begin_run() -> None:
    """Called by the entry point before anything is chosen."""
    st.session_state[_WANTED_KEY] = {}


def write_url() -> None:
    """Called by the entry point after the page: the URL says what is shown."""
    wanted: dict[str, str] = st.session_state[_WANTED_KEY]
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)
    st.session_state[_SEEN_KEY] = wanted


def _take_from_url(name: str, options: Sequence[str], usual: str) -> None:
    """Before a widget is made: its state is what the reader just chose in it; else what the URL
    newly asks for, if that is an option; else what was chosen last; else the usual choice.

    What the browser sends for a widget without a change by the reader is not asked: after a step
    back in the history it is older than the URL.
    """
    if _was_changed(name) and st.session_state.get(name) in options:
        return
    requested, last = _read_request(name), recall(name)
    if requested is not None and requested not in options:
        shown = escape_markdown(requested[:LONGEST_TEXT])
        st.warning(f"The address asks for {name} “{shown}”, which is not there.")
    choices = (choice for choice in (requested, last, usual) if choice in options)
    st.session_state[name] = next(choices)


def _read_request(name: str) -> str | None:
    """What the URL asks for, if it was changed since this app wrote it."""
    requested: str | None = st.query_params.get(name)
    seen: dict[str, str] = st.session_state.get(_SEEN_KEY, {})
    return None if requested == seen.get(name) else requested


def _note_change(name: str) -> None:
    """Runs before the script when the reader changed a widget."""
    st.session_state[_changed_key(name)] = True


def _was_changed(name: str) -> bool:
    return bool(st.session_state.pop(_changed_key(name), False))


def _remember(name: str, value: str, *, is_usual: bool) -> None:
    """For the next page, and for the URL at the end of the run."""
    st.session_state[_last_key(name)] = value
    if not is_usual:
        wanted: dict[str, str] = st.session_state[_WANTED_KEY]
        wanted[name] = value


def _changed_key(name: str) -> str:
    return f"_changed_{name}"


def _last_key(name: str) -> str:
    return f"_last_{name}"
