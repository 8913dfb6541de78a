"""Before the first publication: what to run."""

from __future__ import annotations

import shlex

import streamlit as st

from app.queries.published import find_workspace_path


def render_page() -> None:
    """The commands from an inbox to the first figures."""
    path = find_workspace_path()
    argument = shlex.quote(str(path))
    st.title("Nothing is published yet")
    st.markdown(
        "This workspace has no figures to show. Three steps make them; the page then shows them "
        "at the next reload, without a restart."
    )
    st.markdown("**1. Drop deliveries** (general ledger, cost centres, usage …) into the inbox:")
    st.code(f"{path}/inbox/", language=None)
    st.markdown("**2. Check the cost model**, the rules that say who pays:")
    st.code(f"apportion doctor --workspace {argument}", language="bash")
    st.markdown("**3. Land, build and publish:**")
    st.code(f"apportion run --workspace {argument}", language="bash")
    st.info(
        "To look around first, make a workspace with a sample company: "
        "`apportion init DIR --template sample`, then `apportion run --workspace DIR`.",
        icon=":material/lightbulb:",
    )
    st.button("Look again", icon=":material/refresh:")


render_page()
