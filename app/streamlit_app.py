"""Entry point of the app: page config, shared filters in the sidebar, navigation; nothing else."""

from __future__ import annotations

import duckdb
import streamlit as st

from app.components import show_run, show_trouble
from app.context import Context, set_context
from app.navigation import FIRST_STEPS, PAGES, PageSpec
from app.queries.periods import read_periods, read_run
from app.queries.published import find_published
from app.selection import choose_selection
from pipelines.errors import ApportionError, NothingPublishedError


def run_app() -> None:
    """Draw the page that the reader asked for, or what to do before there are figures."""
    st.set_page_config(page_title="Apportion", page_icon=":material/account_tree:", layout="wide")
    try:
        published = find_published()
        run = read_run(published)
        periods = read_periods(published)
        if not (periods["has_actuals"].any() or periods["has_budget"].any()):
            raise NothingPublishedError(published.root)
    except NothingPublishedError:
        st.navigation([_make_page(FIRST_STEPS, is_default=True)]).run()
        return
    except (ApportionError, duckdb.Error) as error:
        show_trouble(error)
        return
    sections: dict[str, list[st.Page]] = {}
    for number, spec in enumerate(PAGES):
        sections.setdefault(spec.reader, []).append(_make_page(spec, is_default=number == 0))
    page = st.navigation(sections)
    with st.sidebar:
        selection = choose_selection(periods)
        show_run(run)
    set_context(Context(published, run, selection))
    page.run()


def _make_page(spec: PageSpec, *, is_default: bool) -> st.Page:
    return st.Page(
        spec.file,
        title=spec.title,
        icon=spec.icon,
        url_path=spec.url_path,
        default=is_default,
        help=spec.question,
    )


run_app()
