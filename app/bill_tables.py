"""The bills of a month, for a page: a table and a chart of them, what moved between them, and the
lines of one or of all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd
import streamlit as st

from app.charts.charges import draw_bills
from app.components import (
    TALL_TABLE,
    amount_column,
    change_column,
    link_column,
    show_chart,
    show_download,
    show_missing,
    show_section,
)
from app.context import Context
from app.formats import (
    MISSING,
    escape_markdown,
    format_count,
    format_exact,
    format_period,
    to_decimal,
    to_percent_points,
)
from app.names import HIERARCHY_NAMES, SHORT_POLICY_NAMES
from app.navigation import SERVICE_DETAIL
from app.queries.charges import HIERARCHIES, read_bill_lines, read_bills, read_reorganisation
from app.selection import BUSINESS_UNIT, HIERARCHY, choose_ahead, choose_one

ALL_UNITS = "all"
DRAWN_BILLS = 20


def show_bills(context: Context, unit_count: int) -> None:
    show_section("Bills")
    if not unit_count:
        show_missing(
            "No business unit is billed in this month.",
            "Choose another period, or give the services a driver and the policy `at_cost` in "
            "`cost_model/services.yml`.",
        )
        return
    hierarchy = choose_one(
        HIERARCHY,
        "Business units",
        HIERARCHIES,
        format_option=HIERARCHY_NAMES.__getitem__,
        style="segments",
        help_text="A cost centre may have moved since. As it was: the bill that was sent. "
        "As it is today: the same money under today's business units.",
    )
    bills = read_bills(context.published, context.selection, hierarchy)
    names = {ALL_UNITS: "All business units"} | dict(
        zip(bills["business_unit_id"], bills["business_unit_name"], strict=True)
    )
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _show_bill_table(context, bills, hierarchy)
    with right:
        chart = bills[bills["billed_amount"] != 0].head(DRAWN_BILLS)
        if not context.selection.is_actual:
            chart = chart.assign(budget_amount=None)
        show_chart(
            draw_bills(chart, context.currency),
            "bills",
            "What each business unit is billed, with its budget",
        )
    _show_reorganisation(context)
    unit_id = choose_one(
        BUSINESS_UNIT,
        "Bill of",
        list(names),
        format_option=names.__getitem__,
        help_text="Or select a row of the table above.",
    )
    is_all = unit_id == ALL_UNITS
    shown = bills if is_all else bills[bills["business_unit_id"] == unit_id]
    _show_lines(context, hierarchy, None if is_all else unit_id, names[unit_id], shown)


def _show_bill_table(context: Context, bills: pd.DataFrame, hierarchy: str) -> None:
    """One row per business unit; selecting one opens its bill below."""
    currency = context.currency
    frame = pd.DataFrame(
        {
            "unit": bills["business_unit_name"],
            "billed": bills["billed_amount"],
            "change_share": [
                to_percent_points(now, before)
                for now, before in zip(
                    bills["billed_amount"], bills["comparable_amount"], strict=True
                )
            ],
            "budget": bills["budget_amount"],
            "variance": bills["variance_amount"],
            "charged": bills["charged_amount"],
            "other": bills["other_amount"],
            "showback": bills["showback_amount"],
            "lines": bills["line_count"],
            "division": bills["division_name"],
            "change": bills["change_amount"],
            "moved": bills["moved_amount"],
        }
    )
    if not context.selection.is_actual or frame["budget"].isna().all():
        frame = frame.drop(columns=["budget", "variance"])
    if not context.selection.is_comparable or frame["change"].isna().all():
        frame = frame.drop(columns=["change", "change_share", "moved"])
    elif not any(map(to_decimal, frame["moved"])):
        frame = frame.drop(columns="moved")
    unit_ids = [str(unit_id) for unit_id in bills["business_unit_id"]]
    key = f"bills_{context.selection.scenario_id}_{context.selection.period_id}_{hierarchy}"
    st.dataframe(
        frame,
        hide_index=True,
        height="content" if len(frame) <= DRAWN_BILLS else TALL_TABLE,
        placeholder=MISSING,
        on_select=lambda: _open_selected_bill(key, unit_ids),
        selection_mode="single-row",
        column_config={
            "unit": st.column_config.TextColumn("Business unit", pinned=True, width=170),
            "billed": amount_column(
                f"Billed, {currency}", "Charged and other billed items: the total of the bill", 2
            ),
            "charged": amount_column(f"Charged, {currency}", places=2),
            "other": amount_column(
                f"Other billed items, {currency}", "Notes, adjustments, mark-up, tax, true-up", 2
            ),
            "change": amount_column(
                f"Change, {currency}",
                "On the month before, with the cost centres that the unit has in this one",
                places=2,
            ),
            "change_share": change_column("Change"),
            "moved": amount_column(
                f"Moved in or out, {currency}",
                "Charges of the month before that moved with reassigned cost centres; no change",
                places=2,
            ),
            "budget": amount_column(f"Budget, {currency}", places=2),
            "variance": amount_column(f"Over budget, {currency}", places=2),
            "showback": amount_column(f"Showback, {currency}", "Shown, not charged", places=2),
            "lines": "Lines",
            "division": "Division",
        },
        key=key,
        alt="Bills per business unit; select a row to see its lines",
    )


def _show_reorganisation(context: Context) -> None:
    """What moved with reassigned cost centres, as reported and by the current organisation: of the
    selected month, or of the one before where that was the last of the old organisation."""
    moved = read_reorganisation(context.published, context.selection)
    if moved.empty:
        return
    period_id = str(moved["period_id"].iloc[0])
    moved = moved[moved["period_id"] == period_id]
    name, currency = format_period(period_id), context.currency
    with st.expander(f"Reorganisation: what moved between business units after {name}"):
        st.caption(
            f"Charges of {name} by the organisation as reported and by the current one. What moves "
            "with a cost centre is no rise and no fall: changes of units are like for like."
        )
        st.dataframe(
            moved.drop(columns=["period_id", "business_unit_id"]),
            hide_index=True,
            height="content",
            column_config={
                "business_unit_name": st.column_config.TextColumn("Business unit", pinned=True),
                "charged_as_was_amount": amount_column(f"As reported, {currency}", places=2),
                "moved_out_amount": amount_column(f"Moved out, {currency}", places=2),
                "moved_in_amount": amount_column(f"Moved in, {currency}", places=2),
                "charged_as_is_amount": amount_column(
                    f"Current organisation, {currency}", places=2
                ),
            },
            key="reorganisation",
            alt="Charges as reported and by the current organisation",
        )
        show_download(
            context, "Reorganisation (CSV)", moved, "reorganisation", "download_reorganisation"
        )


def _open_selected_bill(key: str, unit_ids: list[str]) -> None:
    """Runs before the page when a row is selected or cleared."""
    rows = st.session_state[key]["selection"]["rows"]
    is_valid = bool(rows) and 0 <= rows[0] < len(unit_ids)
    choose_ahead(BUSINESS_UNIT, unit_ids[rows[0]] if is_valid else ALL_UNITS)


def _show_lines(
    context: Context, hierarchy: str, unit_id: str | None, name: str, bills: pd.DataFrame
) -> None:
    """The charges of a bill, or of all. `bills`: its rows of the table above."""
    lines = read_bill_lines(context.published, context.selection, hierarchy, unit_id)
    billed, charged, other = (
        format_exact(sum(bills[column], Decimal(0)), context.currency)
        for column in ("billed_amount", "charged_amount", "other_amount")
    )
    st.markdown(
        f"**{escape_markdown(name)}**: billed {billed} = charged {charged} + other billed items "
        f"{other}. {format_count(len(lines), 'charge line')}, each leads to its service."
    )
    st.dataframe(
        _shape_lines(context, lines),
        hide_index=True,
        height="auto",
        placeholder=MISSING,
        column_config=_configure_lines(context.currency),
        key="bill_lines",
        alt="Bill lines with service, quantity, rate and amount",
    )
    with st.container(horizontal=True):
        show_download(
            context,
            "Bill lines shown (CSV)",
            lines,
            f"bill_lines_{unit_id or ALL_UNITS}",
            "download_lines",
        )
        if unit_id is not None:
            show_download(
                context,
                "All bill lines (CSV)",
                read_bill_lines(context.published, context.selection, hierarchy),
                f"bill_lines_{ALL_UNITS}",
                "download_all_lines",
            )


def _shape_lines(context: Context, lines: pd.DataFrame) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "service": [
                context.make_link(SERVICE_DETAIL.url_path, str(name), service=str(service_id))
                for service_id, name in zip(lines["service_id"], lines["service_name"], strict=True)
            ],
            "cost_centre": lines["cost_centre_name"],
            "charged": lines["charged_amount"],
            "change": lines["change_amount"],
            "quantity": lines["quantity"],
            "unit": lines["unit_code"],
            "rate": lines["unit_rate"],
            "budget": lines["budget_amount"],
            "variance": lines["variance_amount"],
            "policy": [
                SHORT_POLICY_NAMES.get(str(code), code) for code in lines["charging_policy"]
            ],
            "cost": lines["cost_amount"],
            "driver": lines["driver_name"],
            "quality": lines["driver_quality"],
            "entity": lines["legal_entity_id"],
            "unit_name": lines["business_unit_name"],
        }
    )
    if not context.selection.is_actual or frame["budget"].isna().all():
        frame = frame.drop(columns=["budget", "variance"])
    if not context.selection.is_comparable:
        frame = frame.drop(columns="change")
    return frame


def _configure_lines(currency: str) -> dict[str, Any]:
    return {
        "service": link_column("Service", "Opens in a new tab", is_pinned=True, width=170),
        "cost_centre": st.column_config.TextColumn("Cost centre", width=150),
        "charged": amount_column(f"Charged, {currency}", places=2),
        "change": amount_column(f"Change, {currency}", "On the month before", places=2),
        "quantity": amount_column("Quantity", places=2),
        "unit": "Unit",
        "rate": st.column_config.NumberColumn(
            f"Rate, {currency}", format="%,.4f", help="What a unit is charged at"
        ),
        "budget": amount_column(f"Budget, {currency}", places=2),
        "variance": amount_column(f"Over budget, {currency}", places=2),
        "policy": "Policy",
        "cost": amount_column(f"Cost, {currency}", "Equal to charged where charged at cost", 2),
        "driver": "Driver",
        "quality": st.column_config.TextColumn(
            "Driver quality", help="measured, estimated, stale, or fallback"
        ),
        "entity": "Legal entity",
        "unit_name": "Business unit",
    }
