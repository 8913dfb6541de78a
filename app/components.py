"""Parts that pages are put together from: headline, figures, statement, ledger tie, downloads.

Text from data is escaped here or by the caller's use of formats.escape_markdown; a component never
computes money.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from itertools import groupby
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from app.comparisons import Movement, compare_months, compare_reference, describe_threshold
from app.context import Context
from app.downloads import write_csv
from app.formats import (
    CHANGE_IN_PERCENT,
    SHARE_IN_PERCENT,
    escape_markdown,
    format_amount,
    format_exact,
    format_number,
    format_signed,
    to_decimal,
)
from app.names import BASIS_NAMES
from app.navigation import PAGES, PageSpec
from app.queries.periods import RunFacts
from app.queries.proof import read_ledger_tie
from app.selection import BASIS, SERVICE, Selection, choose_one, recall

CHART_CONFIG = {"displayModeBar": False, "scrollZoom": False}
LINK_LABEL = r"#(.*)$"
TALL_TABLE = 740  # pixels of twenty rows; longer tables scroll
TICK = ":green[:material/check_circle:]"
CROSS = ":red[:material/error:]"

STATEMENT_STYLE = """
<style>
.statement { width: 100%; border-collapse: collapse; font-size: 0.95rem; line-height: 1.5; }
.statement td { padding: 0.2rem 0.4rem; border: none; vertical-align: top; }
.statement td.amount { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.statement tr.left td { font-weight: 600; }
.statement tr.total td { border-top: 1px solid rgba(128, 128, 128, 0.7); font-weight: 600; }
.statement tr.difference td { border-top: 3px double rgba(128, 128, 128, 0.7); font-weight: 600; }
.statement .muted { opacity: 0.6; }
</style>
"""

FIGURES_STYLE = """
<style>
.st-key-figures {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(10.2rem, 1fr));
    gap: 0.75rem;
}
.st-key-figures > div { width: 100%; min-width: 0; }
</style>
"""

WIDE_CHART_STYLE = """
<style>
.st-key-wide_chart { overflow-x: auto; }
.st-key-wide_chart > div { min-width: 46rem; }
.st-key-wide_chart .node-label { fill: currentColor !important; }
</style>
"""


@dataclass(frozen=True)
class Figure:
    """One headline figure: what it is, its value, and how it moved."""

    label: str
    value: str
    delta: str | None = None
    is_delta_bad: bool | None = None
    """Whether the movement is unwelcome; None where it is neither good nor bad."""
    help_text: str | None = None


def show_headline(question: str, finding: str) -> None:
    """The page's question in small letters and its answer as the title."""
    st.caption(escape_markdown(question))
    st.title(escape_markdown(finding), anchor=False)


def show_figures(figures: Sequence[Figure]) -> None:
    """Headline figures side by side; on a narrow page two beside each other."""
    st.html(FIGURES_STYLE)
    with st.container(horizontal=True, key="figures"):
        for figure in figures:
            st.metric(
                escape_markdown(figure.label),
                figure.value,
                figure.delta,
                delta_color=_colour_delta(figure.is_delta_bad),
                delta_arrow="off",
                help=figure.help_text,
                border=True,
                height="stretch",
            )


def make_moving_figure(
    label: str,
    value: str,
    now: Any,
    before: Any,
    selection: Selection,
    *,
    is_cost: bool = True,
    currency: str | None = None,
) -> Figure:
    """A figure with its change on the month before; a rise is unwelcome where it is a cost. With a
    `currency` it is an amount of it."""
    moved = compare_months(selection, now, before, currency)
    if moved is None:
        return Figure(label, value)
    return Figure(label, value, moved.text, moved.is_rise if is_cost else None, moved.help_text)


def make_reference_figure(
    label: str, value: str, moved: Movement | None, help_text: str | None = None
) -> Figure:
    """A figure beside its budget or another reference; over is unwelcome."""
    if moved is None:
        return Figure(label, value, help_text=help_text)
    texts = " ".join(filter(None, (help_text, moved.help_text)))
    return Figure(label, value, moved.text or None, moved.is_rise, texts or None)


def make_variance_figure(amount: Any, budget: Any, selection: Selection, currency: str) -> Figure:
    """How far a cost is from its budget; over is unwelcome."""
    moved = compare_reference(selection, amount, budget, "budget", currency)
    variance = (to_decimal(amount) or Decimal(0)) - (to_decimal(budget) or Decimal(0))
    texts = (f"Budget {format_amount(budget, currency)}.", describe_threshold(selection, currency))
    return make_reference_figure(
        "Against budget", format_signed(variance, currency), moved, " ".join(filter(None, texts))
    )


def show_section(title: str, explanation: str = "") -> None:
    """A heading with one sentence that says what is shown."""
    st.subheader(escape_markdown(title), anchor=False)
    if explanation:
        st.caption(explanation)


def show_chart(figure: go.Figure, key: str, alt: str, *, is_wide: bool = False) -> None:
    """A chart in the theme of the page. A wide one scrolls sideways on a narrow page."""
    if is_wide:
        st.html(WIDE_CHART_STYLE)
    with st.container(key="wide_chart" if is_wide else None):
        st.plotly_chart(figure, key=f"chart_{key}", config=CHART_CONFIG, alt=alt)


def show_missing(what: str, remedy: str) -> None:
    """An empty state: what is not there, and what to do to fill it."""
    st.info(f"**{what}** {remedy}", icon=":material/inbox:")


def show_trouble(error: Exception) -> None:
    """A page in place of the app when the workspace cannot be read."""
    st.title("The figures cannot be read", anchor=False)
    st.error(escape_markdown(error), icon=":material/error:")
    st.markdown(
        "Set `APPORTION_WORKSPACE` to the directory of the workspace (it holds `apportion.yml`), "
        "or run `apportion doctor`, then reload this page."
    )


def show_menu(context: Context, current: st.Page) -> None:
    """The pages by reader. Each link carries the period, and the service where a page is of one."""
    for reader, specs in groupby(PAGES, key=lambda spec: spec.reader):
        st.caption(f"**{reader}**")
        for spec in specs:
            service_id = recall(SERVICE) if spec.is_of_one_service else None
            st.page_link(
                current if current.url_path == spec.url_path else spec.file,
                label=spec.title,
                icon=spec.icon,
                query_params=context.make_parameters(service=service_id),
            )


def show_run(run: RunFacts) -> None:
    """Which company and which publication the figures are from."""
    st.caption(
        f"**{escape_markdown(run.workspace_name)}** · amounts in {run.currency}  \n"
        f"Published {run.built_at:%Y-%m-%d %H:%M} UTC  \n"
        f"Run {escape_markdown(run.run_id)}"
    )


def choose_basis() -> str:
    """The switch between the two figures of a service, which are never mixed."""
    return choose_one(
        BASIS,
        "Cost of a service",
        list(BASIS_NAMES),
        format_option=BASIS_NAMES.__getitem__,
        style="segments",
        help_text="Delivered cost: what leaves IT through the service, shared services included. "
        "Direct cost: what arrived at it, before shared services passed their cost on. "
        "Both sum to the ledger.",
    )


IT_COST_PARTS = (
    ("charged_amount", "cost of what is charged"),
    ("showback_amount", "showback"),
    ("idle_amount", "idle"),
    ("unallocated_amount", "not allocated"),
    ("unmapped_amount", "not mapped"),
)
OTHER_PARTS = (
    ("capitalised_amount", "capitalised"),
    ("out_of_scope_amount", "out of scope"),
    ("recovery_amount", "recovery postings"),
)


def show_ledger_tie(context: Context) -> None:
    """The way from what is charged over IT cost to the ledger's total, and whether it ties."""
    row = read_ledger_tie(context.published, context.selection).iloc[0]
    difference = to_decimal(row["difference_amount"])
    if difference is None:
        st.caption(f"{CROSS} There are no ledger lines of this period to tie to.")
        return
    currency = context.currency
    it_cost = format_exact(row["it_cost_amount"], currency)
    sentence = f"{_join_parts(row, IT_COST_PARTS)} = **IT cost {it_cost}**"
    others = _join_parts(row, OTHER_PARTS)
    if others:
        sentence += f"; + {others} = {format_exact(row['shown_amount'], currency)}"
    sentence += (
        f"; the ledger has {format_exact(row['ledger_amount'], currency)}, "
        f"difference {format_exact(difference, currency)}"
    )
    if difference or to_decimal(row["charges_difference_amount"]):
        st.error(f"**Does not tie to the ledger:** {sentence}", icon=":material/error:")
    else:
        st.caption(f"{TICK} **Ties to the ledger:** {sentence}")


def _join_parts(row: pd.Series, parts: Sequence[tuple[str, str]]) -> str:
    """'charged 1,200.00 + not mapped 3.40'; what is zero is left out."""
    return " + ".join(
        f"{name} {format_number(row[column], 2)}"
        for column, name in parts
        if to_decimal(row[column])
    )


def show_download(context: Context, label: str, frame: pd.DataFrame, name: str, key: str) -> None:
    """A button that writes the frame when it is clicked, not before.

    The file says which scenario, period, currency and run its figures are of.
    """
    st.download_button(
        label,
        lambda: write_csv(describe_origin(context, frame)),
        file_name=f"{name}_{context.selection.scenario_id}_{context.selection.period_id}.csv",
        mime="text/csv",
        key=key,
        icon=":material/download:",
        on_click="ignore",
        disabled=frame.empty,
    )


def describe_origin(context: Context, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with scenario and period in front, currency and run behind."""
    keys = {
        "scenario_id": context.selection.scenario_id,
        "period_id": context.selection.period_id,
    }
    front = pd.DataFrame(keys, index=frame.index)
    rest = frame.drop(columns=[column for column in keys if column in frame.columns])
    return pd.concat([front, rest], axis=1).assign(
        currency_code=context.currency, run_id=context.run.run_id
    )


def show_link(spec: PageSpec, label: str, context: Context, **parameters: str | None) -> None:
    """A link to another page within this session, with the selection in its address."""
    st.page_link(
        spec.file,
        label=escape_markdown(label),
        icon=spec.icon,
        query_params=context.make_parameters(**parameters),
    )


def link_column(
    label: str, help_text: str | None = None, *, is_pinned: bool = False, width: int | None = None
) -> Any:
    """A column of addresses made by Context.make_link, shown by their labels."""
    return st.column_config.LinkColumn(
        label,
        display_text=LINK_LABEL,
        help=help_text,
        pinned=is_pinned,
        alignment="left",
        width=width,
    )


def amount_column(label: str, help_text: str | None = None, places: int = 0) -> Any:
    """A column of amounts with thousands separators; the caption or heading names the currency."""
    return st.column_config.NumberColumn(label, format=f"%,.{places}f", help=help_text)


def change_column(label: str, help_text: str | None = None) -> Any:
    """A column of relative changes made by formats.to_percent_points: +3.1 %."""
    return st.column_config.NumberColumn(label, format=CHANGE_IN_PERCENT, help=help_text)


def share_column(label: str, help_text: str | None = None) -> Any:
    """A column of shares made by formats.to_percent_of: 12.3 %."""
    return st.column_config.NumberColumn(label, format=SHARE_IN_PERCENT, help=help_text)


def render_statement(
    rows: Sequence[tuple[str, Decimal | None, Literal["left", "term", "total", "difference"]]],
    currency: str,
) -> str:
    """An accounting statement as HTML: terms, totals under a line, the difference under two."""
    body = []
    for name, amount, kind in rows:
        text = format_number(amount, 2)
        muted = " muted" if kind == "term" and not amount else ""
        tick = ""
        if kind == "difference":
            tick = " ✓" if amount == 0 else " ✗"
        body.append(
            f'<tr class="{kind}"><td class="{muted.strip()}">{escape(name)}</td>'
            f'<td class="amount{muted}">{text}{tick}</td></tr>'
        )
    head = f'<tr><td></td><td class="amount muted">{escape(currency)}</td></tr>'
    return f'{STATEMENT_STYLE}<table class="statement">{head}{"".join(body)}</table>'


def _colour_delta(is_bad: bool | None) -> Literal["red", "green", "gray"]:
    if is_bad is None:
        return "gray"
    return "red" if is_bad else "green"
