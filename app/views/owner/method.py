"""Those who pay: what do you pay for, how is your part found, and how do you pay less?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.components import (
    show_headline,
    show_ledger_tie,
    show_link,
    show_missing,
)
from app.context import Context, get_context
from app.names import is_place
from app.navigation import FAIRNESS, GLOSSARY, METHOD, MONTHLY_CHARGEBACK, SERVICE_DETAIL
from app.queries.charges import read_consuming_units
from app.queries.method_sheets import read_sheet
from app.selection import BUSINESS_UNIT, choose_one
from app.service_choice import choose_service, find_services
from app.sheets import show_sheet_section
from pipelines.billing.files import safe_name
from pipelines.method_sheets.records import UnknownPeriodError
from pipelines.method_sheets.render_html import render_sheet


def render_page() -> None:
    """The method sheet of one service, with the example of one business unit."""
    context = get_context()
    names = find_services(context, METHOD.question)
    if not names:
        return
    head = st.container()
    left, right = st.columns(2, gap="medium")
    with left:
        service_id = choose_service(context, names)
    with right:
        unit_id = _choose_unit(
            read_consuming_units(context.published, context.selection, service_id)
        )
    with head:
        _show_sheet_head(context, names[service_id], service_id, unit_id)
    _show_sheet(context, service_id, unit_id)
    show_ledger_tie(context)


def _choose_unit(units: pd.DataFrame) -> str | None:
    """The business unit that the example is about; None where nobody uses the service."""
    known = {
        str(unit_id): str(name)
        for unit_id, name in zip(
            units["business_unit_id"], units["business_unit_name"], strict=True
        )
        if not is_place(unit_id)
    }
    if not known:
        return None
    return choose_one(
        BUSINESS_UNIT,
        "Business unit of the example",
        list(known),
        format_option=known.__getitem__,
    )


def _show_sheet_head(context: Context, name: str, service_id: str, unit_id: str | None) -> None:
    try:
        sheet = read_sheet(context.published, context.selection, service_id, unit_id)
    except UnknownPeriodError:
        finding = f"{name} has no figures in {context.selection.period_name}"
    else:
        finding = sheet.finding
    show_headline(METHOD.question, finding)


def _show_sheet(context: Context, service_id: str, unit_id: str | None) -> None:
    try:
        sheet = read_sheet(context.published, context.selection, service_id, unit_id)
    except UnknownPeriodError:
        show_missing("No figures in this month.", "Choose another period.")
        return
    with st.container(horizontal=True):
        show_link(GLOSSARY, "What the words mean", context)
        show_link(SERVICE_DETAIL, "Cost and consumers", context, service=service_id)
        show_link(FAIRNESS, "Fairness of its cost shares", context, service=service_id)
        show_link(MONTHLY_CHARGEBACK, "Bills", context)
    for section in sheet.sections:
        show_sheet_section(section)
    st.download_button(
        "This sheet (HTML)",
        lambda: render_sheet(sheet, has_index=False).encode("utf-8"),
        file_name=f"service_{safe_name(service_id)}_{context.selection.period_id}.html",
        mime="text/html",
        key="download_sheet",
        icon=":material/download:",
        on_click="ignore",
    )


render_page()
