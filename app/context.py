"""What every page starts from: one publication and one selection per run of the script.

The entry point sets the context, pages read it; so all figures of a page come from the same
publication, even if a new one appears while the page is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode

import streamlit as st

from app.queries.periods import RunFacts
from app.queries.published import Published
from app.selection import PERIOD, SCENARIO, Selection

_KEY = "_context"


@dataclass(frozen=True)
class Context:
    """The publication, its facts, and what the reader selected."""

    published: Published
    run: RunFacts
    selection: Selection

    @property
    def currency(self) -> str:
        return self.run.currency

    def make_parameters(self, **parameters: str | None) -> dict[str, str]:
        """URL parameters of a link: the given ones and the scenario and period that are shown."""
        shown = {
            SCENARIO: self.selection.scenario_id,
            PERIOD: self.selection.period_id,
            **parameters,
        }
        return {name: value for name, value in shown.items() if value is not None}

    def make_link(self, url_path: str, label: str = "", **parameters: str | None) -> str:
        """Relative address of a page, 'service?service=mail#E-mail'. What stands after the # is
        the label that a link column shows, see components.link_column."""
        query = urlencode(self.make_parameters(**parameters), quote_via=quote)
        return f"{url_path}?{query}" + (f"#{quote(label, safe='')}" if label else "")


def set_context(context: Context) -> None:
    """Called by the entry point before a page runs."""
    st.session_state[_KEY] = context


def get_context() -> Context:
    """The context of this run."""
    context: Context = st.session_state[_KEY]
    return context
