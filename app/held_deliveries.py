"""Deliveries on hold, for a page: what waits, its amounts, why, and how it is decided on."""

from __future__ import annotations

import shlex
from collections import defaultdict
from pathlib import Path

import streamlit as st

from app.components import Figure, show_section
from app.formats import escape_markdown, format_count, format_number, format_period
from pipelines.landing.load_history import HeldLoad

LISTED_FILES = 12


def make_hold_figures(held: list[HeldLoad] | None) -> list[Figure]:
    """How many deliveries wait; no figure where none does, or where it is not known."""
    if not held:
        return []
    return [Figure("On hold", _count(held), "not in the figures", True)]


def show_held(held: list[HeldLoad] | None, root: Path) -> None:
    """A frame per source with deliveries on hold; nothing where there are none."""
    if not held:
        return
    show_section(
        "Deliveries on hold",
        "Delivered, and not in the figures: they differ too much from what was delivered before, "
        "or are for a closed period. They wait for a decision.",
    )
    by_source: dict[str, list[HeldLoad]] = defaultdict(list)
    for load in held:
        by_source[load.source_id].append(load)
    for number, (source_id, own) in enumerate(by_source.items()):
        _show_source(source_id, own, root, number)


def _show_source(source_id: str, held: list[HeldLoad], root: Path, number: int) -> None:
    with st.container(border=True, key=f"held_{number}"):
        st.markdown(
            f":orange-badge[:material/pause_circle: On hold] **{escape_markdown(source_id)}: "
            f"{_count(held)}, {_name_periods(held)}**"
        )
        lines = [_describe(load) for load in held[:LISTED_FILES]]
        if len(held) > LISTED_FILES:
            lines.append(f"and {len(held) - LISTED_FILES} more: `apportion loads list --held`")
        st.markdown("\n".join(f"- {line}" for line in lines))
        st.markdown("What to do: look at the files, run one of these commands, then build.")
        st.code(_name_commands(source_id, held, root), language="bash", wrap_lines=True)


def _describe(load: HeldLoad) -> str:
    """The file with what it holds, and why it waits. A list, because a table is too wide for a
    narrow page."""
    amounts = [f"{format_number(value, 2)} {code}" for code, value in load.amounts.items()]
    facts = [f"landed {load.landed_at[:10]}", format_count(load.records, "record"), *amounts]
    return (
        f"**{escape_markdown(load.file_name)}**, {escape_markdown(', '.join(facts))}: "
        f"{escape_markdown(load.reason)}"
    )


def _count(held: list[HeldLoad]) -> str:
    return format_count(len(held), "delivery", "deliveries")


def _name_periods(held: list[HeldLoad]) -> str:
    periods = sorted({period for load in held for period in load.periods})
    if not periods:
        return "no readable period"
    first, last = format_period(periods[0]), format_period(periods[-1])
    return escape_markdown(first if first == last else f"{first} to {last}")


def _name_commands(source_id: str, held: list[HeldLoad], root: Path) -> str:
    which = shlex.quote(held[0].file_name) if len(held) == 1 else "--all"
    rest = f"{shlex.quote(source_id)} {which} --why REASON --workspace {shlex.quote(str(root))}"
    return f"apportion loads release {rest}\napportion loads discard {rest}"
