"""Finance: what part of the cloud bill has an owner, and what would give the rest one?"""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import streamlit as st

from app.charts.cloud_coverage import draw_coverage
from app.components import (
    TICK,
    Figure,
    amount_column,
    share_column,
    show_chart,
    show_download,
    show_figures,
    show_headline,
    show_ledger_tie,
    show_missing,
    show_section,
)
from app.context import Context, get_context
from app.findings import state_coverage
from app.formats import (
    MISSING,
    format_amount,
    format_count,
    format_exact,
    format_number,
    format_share,
    to_decimal,
    to_percent_of,
)
from app.names import DRIFT_NAMES, KEY_NAMES, METHOD_NAMES, TARGET_NAMES
from app.navigation import CLOUD_COVERAGE
from app.queries.cloud_coverage import (
    read_bill_tie,
    read_coverage,
    read_coverage_trend,
    read_drift,
    read_unmapped_keys,
)

SHORT_TABLE, TALL_TABLE = 15, 560  # rows shown in full; pixels of a table that scrolls


def render_page() -> None:
    """How the bills are mapped, what the unmapped lines have in common, and spellings to settle."""
    context = get_context()
    parts = read_coverage(context.published, context.selection)
    keys = read_unmapped_keys(context.published, context.selection)
    show_headline(
        CLOUD_COVERAGE.question,
        state_coverage(parts, keys, context.selection, context.currency),
    )
    if parts.empty:
        show_missing(
            "No cloud bill in this period.",
            "Deliver one to a source with a `detail_feed` in `apportion.yml`, or choose another "
            "period. A budget has no bill.",
        )
    else:
        show_figures(_make_figures(context, parts))
        _show_bill_tie(context, parts)
    show_ledger_tie(context)
    if not parts.empty:
        _show_parts(context, parts)
    _show_keys(context, keys)
    _show_drift(context)


def _make_figures(context: Context, parts: pd.DataFrame) -> list[Figure]:
    """The bill, and per target how much of it is mapped."""
    currency = context.currency
    figures = [Figure("Cloud bills", format_amount(parts["bill_amount"].iloc[0], currency))]
    for target, name in TARGET_NAMES.items():
        rows = parts[parts["target_kind"] == target]
        if rows.empty:
            continue
        mapped = to_decimal(rows["mapped_amount"].iloc[0]) or Decimal(0)
        open_amount = to_decimal(rows["open_amount"].iloc[0]) or Decimal(0)
        whole = to_decimal(rows["bill_amount"].iloc[0]) or Decimal(0)
        figures.append(
            Figure(
                f"With a {name}",
                format_share(mapped / whole if whole > 0 else None),
                f"{format_amount(open_amount, currency)} without"
                if open_amount
                else "all of it is mapped",
                bool(open_amount),
            )
        )
    return figures


def _show_bill_tie(context: Context, parts: pd.DataFrame) -> None:
    """The parts of the bill and what its cost lines sum to."""
    row = read_bill_tie(context.published, context.selection).iloc[0]
    difference = to_decimal(row["difference_amount"])
    rows = parts[parts["target_kind"] == "service"]
    terms = " + ".join(
        f"{METHOD_NAMES[method].lower()} {format_number(amount, 2)}"
        for method, amount in zip(rows["mapping_method"], rows["amount"], strict=True)
    )
    sentence = (
        f"{terms} = **cloud bills {format_exact(row['service_amount'], context.currency)}**; "
        f"their cost lines have {format_exact(row['bill_amount'], context.currency)}, "
        f"difference {format_exact(difference, context.currency)}"
    )
    if difference != 0:
        st.error(f"**Does not tie to the bill:** {sentence}", icon=":material/error:")
    else:
        st.caption(f"{TICK} **Ties to the bill:** {sentence}")


def _show_parts(context: Context, parts: pd.DataFrame) -> None:
    left, right = st.columns([3, 2], gap="medium")
    with left:
        show_section("How the bills find their service", "What is not mapped is hatched.")
        show_chart(
            draw_coverage(
                read_coverage_trend(context.published, context.selection), context.currency
            ),
            "coverage",
            "Cloud bills per month by how their lines are mapped to services",
        )
    with right:
        show_section(f"In {context.selection.period_name}")
        st.dataframe(
            pd.DataFrame(
                {
                    "to": [TARGET_NAMES[str(kind)] for kind in parts["target_kind"]],
                    "how": [METHOD_NAMES[str(method)] for method in parts["mapping_method"]],
                    "share": [
                        to_percent_of(part, whole)
                        for part, whole in zip(parts["amount"], parts["bill_amount"], strict=True)
                    ],
                    "amount": parts["amount"],
                    "lines": parts["line_count"].astype("int64"),
                }
            ),
            hide_index=True,
            height="content",
            placeholder=MISSING,
            column_config={
                "to": st.column_config.TextColumn("To a", width=80),
                "how": st.column_config.TextColumn("How", width=150),
                "amount": amount_column(f"Cost, {context.currency}", places=2),
                "share": share_column("Of the bill"),
                "lines": "Lines",
            },
            key="coverage_parts",
            alt="Cloud bills by target and way of mapping",
        )
        show_download(context, "Coverage (CSV)", parts, "cloud_coverage", "download_coverage")


def _show_keys(context: Context, keys: pd.DataFrame) -> None:
    show_section(
        "The largest keys without an owner",
        "What unmapped lines have in common; a line counts under each of its keys. "
        "`apportion coverage` writes the rules for `cost_model/tagging.yml`.",
    )
    if keys.empty:
        st.success("Every line of the bills is mapped.", icon=":material/check_circle:")
    else:
        st.dataframe(
            pd.DataFrame(
                {
                    "value": [
                        f"{name} = {value}" if name else str(value)
                        for name, value in zip(keys["key_name"], keys["key_value"], strict=True)
                    ],
                    "amount": keys["amount"],
                    "kind": [KEY_NAMES.get(str(kind), str(kind)) for kind in keys["key_kind"]],
                    "lines": keys["line_count"].astype("int64"),
                    "target": [TARGET_NAMES[str(kind)] for kind in keys["target_kind"]],
                    "source": keys["source_id"],
                }
            ),
            hide_index=True,
            height="content" if len(keys) <= SHORT_TABLE else TALL_TABLE,
            column_config={
                "value": st.column_config.TextColumn("Key", pinned=True, width=190),
                "kind": st.column_config.TextColumn("Kind", width=160),
                "amount": amount_column(f"Cost, {context.currency}", places=2),
                "lines": "Lines",
                "target": "Has no",
                "source": "Bill",
            },
            key="unmapped_keys",
            alt="Keys of unmapped lines with cost and number of lines",
        )
    show_download(context, "Unmapped keys (CSV)", keys, "unmapped_keys", "download_keys")


def _show_drift(context: Context) -> None:
    show_section(
        "Spellings that look like one",
        "Proposals only: nothing is merged until `tag_keys` or `tag_values` in "
        "`cost_model/tagging.yml` says so.",
    )
    drift = read_drift(context.published, context.selection)
    if drift.empty:
        st.success("No tag is spelled in two ways.", icon=":material/check_circle:")
        return
    st.caption(f"{format_count(len(drift), 'proposal')}, the most money first.")
    st.dataframe(
        pd.DataFrame(
            {
                "found": drift["found_text"],
                "proposed": drift["proposed_text"],
                "amount": drift["amount"],
                "lines": drift["line_count"].astype("int64"),
                "tag": drift["tag_key"],
                "how": [DRIFT_NAMES.get(str(kind), str(kind)) for kind in drift["drift_kind"]],
            }
        ),
        hide_index=True,
        height="content" if len(drift) <= SHORT_TABLE else TALL_TABLE,
        column_config={
            "found": st.column_config.TextColumn("Found", pinned=True, width=150),
            "proposed": st.column_config.TextColumn("Like", width=150),
            "amount": amount_column(f"Cost, {context.currency}", places=2),
            "lines": "Lines",
            "tag": "Tag",
            "how": st.column_config.TextColumn("How", width=240),
        },
        key="tag_drift",
        alt="Spellings of tags that look like one, with cost",
    )
    show_download(context, "Spellings (CSV)", drift, "tag_drift", "download_drift")


render_page()
