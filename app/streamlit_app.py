"""Entry point of the app: page config, shared filters in the sidebar, navigation; nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import streamlit as st

from app.comparisons import judge_selection
from app.components import show_menu, show_run, show_trouble
from app.context import Context, set_context
from app.navigation import FIRST_STEPS, PAGES, PageSpec
from app.queries.periods import read_periods, read_run
from app.queries.published import find_published
from app.selection import begin_run, choose_selection, write_url
from pipelines.errors import ApportionError, NothingPublishedError


def run_app() -> None:
    """Draw the page that the reader asked for, or what to do before there are figures."""
    st.set_page_config(layout="wide")
    try:
        published = find_published()
        run = read_run(published)
        periods = read_periods(published)
        if not (periods["has_actuals"].any() or periods["has_budget"].any()):
            raise NothingPublishedError(published.root)
    except NothingPublishedError:
        st.navigation(_make_pages(FIRST_STEPS, PAGES, file=FIRST_STEPS.file)).run()
        return
    except (ApportionError, duckdb.Error) as error:
        show_trouble(error)
        return
    page = st.navigation(_make_pages(PAGES[0], PAGES), position="hidden")
    begin_run()
    with st.sidebar:
        menu = st.container()
        selection = choose_selection(periods)
        show_run(run)
    context = Context(published, run, judge_selection(published, selection))
    set_context(context)
    with menu:
        show_menu(context, page)
    page.run()
    write_url()


def _make_pages(
    first: PageSpec, specs: Sequence[PageSpec], file: str | None = None
) -> list[st.Page]:
    """The first page at the bare address, and every page at its own; `file` in place of all."""
    home = st.Page(
        first.file, title=_name_tab(first), icon=first.icon, url_path="home", default=True
    )
    return [
        home,
        *(
            st.Page(
                file or spec.file,
                title=_name_tab(spec),
                icon=spec.icon,
                url_path=spec.url_path,
                help=spec.question,
                visibility="hidden" if file else "visible",
            )
            for spec in specs
        ),
    ]


def _name_tab(spec: PageSpec) -> str:
    return f"{spec.title} · Apportion"


run_app()
