"""Finance: what is each business unit billed, does it tie to the ledger, what is still open?"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

import pandas as pd
import streamlit as st

from app.bill_items import make_item_figures, show_other_items
from app.charts.charges import draw_bills
from app.components import (
    CROSS,
    TICK,
    Figure,
    amount_column,
    change_column,
    link_column,
    make_moving_figure,
    make_variance_figure,
    render_statement,
    show_chart,
    show_download,
    show_figures,
    show_headline,
    show_ledger_tie,
    show_missing,
    show_section,
)
from app.confidence import make_confidence_figure
from app.context import Context, get_context
from app.findings import state_chargeback
from app.formats import (
    MISSING,
    escape_markdown,
    format_amount,
    format_count,
    format_exact,
    format_number,
    format_period,
    to_decimal,
    to_percent_points,
)
from app.names import (
    DISPOSITION_NAMES,
    HIERARCHY_NAMES,
    ITEM_NAMES,
    MEASURE_BASIS_NAMES,
    SHORT_POLICY_NAMES,
)
from app.navigation import MONTHLY_CHARGEBACK, SERVICE_DETAIL
from app.queries.charges import (
    HIERARCHIES,
    read_bill_lines,
    read_bill_total,
    read_bills,
    read_open_amounts,
    read_other_items,
    read_reorganisation,
)
from app.queries.confidence import read_confidence
from app.queries.proof import (
    read_certificate,
    read_conservation,
    read_delivered_currencies,
    read_measure_next,
    read_open_items,
)
from app.selection import BUSINESS_UNIT, HIERARCHY, choose_ahead, choose_one

ALL_UNITS = "all"
DRAWN_BILLS = 20
TALL_TABLE = 740  # pixels of twenty rows; longer tables scroll
LISTED_ITEMS = 30
IDENTITIES_BESIDE = 3
LISTED_MEASURES = 10


def render_page() -> None:
    """The bills, their proof against the ledger, and what is open."""
    context = get_context()
    total = read_bill_total(context.published, context.selection).iloc[0]
    certificate = read_certificate(context.published, context.selection)
    open_amounts = read_open_amounts(context.published, context.selection)
    payerless = open_amounts[open_amounts["disposition"] != "idle"]
    show_headline(
        MONTHLY_CHARGEBACK.question,
        state_chargeback(
            total,
            sum(payerless["amount"], Decimal(0)),
            _find_largest_difference(certificate),
            context.selection,
            context.currency,
        ),
    )
    sure = make_confidence_figure(
        read_confidence(context.published, context.selection).iloc[0], context.currency
    )
    items = read_other_items(context.published, context.selection)
    figures = _make_figures(context, total, open_amounts)
    figures[1:1] = make_item_figures(total, context.currency)
    show_figures([*figures, sure] if sure else figures)
    show_ledger_tie(context)
    _show_bills(context, int(total["business_unit_count"]))
    show_other_items(context, items)
    _show_proof(context, certificate)
    _show_open_items(context)
    _show_measure_next(context)


def _find_largest_difference(certificate: pd.DataFrame) -> Decimal | None:
    """The largest difference of the identities by size; None without a certificate."""
    differences = certificate.loc[certificate["side"] == "difference", "amount"]
    return max(differences, key=abs) if len(differences) else None


def _make_figures(context: Context, total: pd.Series, open_amounts: pd.DataFrame) -> list[Figure]:
    selection, currency = context.selection, context.currency
    figures = [
        make_moving_figure(
            f"Billed {selection.period_name}",
            format_amount(total["billed_amount"], currency),
            total["billed_amount"],
            total["previous_billed_amount"],
            selection,
            is_cost=False,
            currency=currency,
        )
    ]
    if selection.is_actual and to_decimal(total["variance_amount"]) is not None:
        figures.append(
            make_variance_figure(
                total["billed_amount"], total["budget_amount"], selection, currency
            )
        )
    figures.append(
        Figure(
            "Showback",
            format_amount(to_decimal(total["showback_amount"]) or Decimal(0), currency),
            "shown, not charged",
        )
    )
    for disposition, name in DISPOSITION_NAMES.items():
        amounts = open_amounts.loc[open_amounts["disposition"] == disposition, "amount"]
        amount = amounts.iloc[0] if len(amounts) else Decimal(0)
        if disposition == "idle" and not amount:
            continue
        is_open = bool(amount) and disposition != "idle"
        figures.append(
            Figure(
                name,
                format_amount(amount, currency),
                "nobody pays it yet" if is_open else "nothing is open" if not amount else None,
                True if is_open else False if not amount else None,
            )
        )
    return figures


def _show_bills(context: Context, unit_count: int) -> None:
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


def _show_proof(context: Context, certificate: pd.DataFrame) -> None:
    show_section(
        "Does it tie to the ledger?",
        "The certificate of the month: each amount is explained by those below it, to the cent.",
    )
    if certificate.empty:
        show_missing("There is no certificate of this period.", "Run `apportion run` to make it.")
        return
    identities = list(certificate.groupby("identity_id", sort=False))
    for first in range(0, len(identities), IDENTITIES_BESIDE):
        beside = identities[first : first + IDENTITIES_BESIDE]
        for column, (_, rows) in zip(st.columns(len(beside), gap="medium"), beside, strict=True):
            with column, st.container(border=True, height="stretch"):
                _show_identity(context, rows)
    _show_delivered_currencies(context)
    _show_conservation(context)
    show_download(
        context,
        "Certificate (CSV)",
        certificate,
        "certificate",
        "download_certificate",
    )


def _show_identity(context: Context, rows: pd.DataFrame) -> None:
    """One identity as a statement: the left, its explanation, and the difference."""
    differences = rows.loc[rows["side"] == "difference", "amount"]
    is_tied = len(differences) > 0 and all(amount == 0 for amount in differences)
    st.markdown(
        f"{TICK if is_tied else CROSS} **{escape_markdown(rows['identity_name'].iloc[0])}**"
    )
    statement: list[tuple[str, Decimal | None, Literal["left", "term", "total", "difference"]]] = []
    left, right = rows[rows["side"] == "left"], rows[rows["side"] == "right"]
    for terms, kind in ((left, "left"), (right, "term")):
        statement += [
            (str(name), to_decimal(amount), "left" if kind == "left" else "term")
            for name, amount in zip(terms["term_name"], terms["amount"], strict=True)
        ]
    statement.append(("Sum of what explains it", sum(right["amount"], Decimal(0)), "total"))
    statement += [("Difference", to_decimal(amount), "difference") for amount in differences]
    st.html(render_statement(statement, context.currency))


def _show_delivered_currencies(context: Context) -> None:
    """What was delivered in its own currency, where the certificate alone does not say it all."""
    rows = read_delivered_currencies(context.published, context.selection)
    left_out = int((rows["quarantined_record_count"] + rows["discarded_record_count"]).sum())
    if rows.empty or (not left_out and set(rows["currency_code"]) == {context.currency}):
        return
    with st.expander("Delivered, by currency", expanded=left_out > 0):
        st.dataframe(
            rows.assign(currency_code=rows["currency_code"].str.strip("()")),
            hide_index=True,
            height="content",
            placeholder=MISSING,
            column_config={
                "currency_code": st.column_config.TextColumn("Currency", pinned=True),
                "delivered_record_count": "Records",
                "quarantined_record_count": "In quarantine",
                "discarded_record_count": "Discarded",
                "unreadable_record_count": "Without a readable amount",
                "delivered_amount_local": amount_column("Delivered", places=2),
                "counted_amount_local": amount_column("Counted", places=2),
                "quarantined_amount_local": amount_column("In quarantine", places=2),
                "discarded_amount_local": amount_column("Discarded", places=2),
                "exchange_rate": amount_column("Rate", places=6),
                "delivered_amount": amount_column(f"Delivered, {context.currency}", places=2),
            },
            key="delivered_currencies",
            alt="Records and amounts that were delivered, by currency",
        )


def _show_conservation(context: Context) -> None:
    stops = read_conservation(context.published, context.selection)
    if stops.empty:
        return
    is_conserved = all(amount == 0 for amount in stops["difference_amount"])
    currency = context.currency
    with st.expander(
        f"{TICK if is_conserved else CROSS} At every stop, what leaves equals what arrived",
        expanded=not is_conserved,
    ):
        st.dataframe(
            stops.drop(columns="stop_order").assign(
                is_equal=["✓" if amount == 0 else "✗" for amount in stops["difference_amount"]]
            ),
            hide_index=True,
            height="content",
            column_config={
                "stop_name": "Stop",
                "arrived_amount": amount_column(f"Arrived, {currency}", places=2),
                "left_amount": amount_column(f"Left, {currency}", places=2),
                "difference_amount": amount_column(f"Difference, {currency}", places=8),
                "is_equal": "",
            },
            key="conservation",
            alt="What arrived and what left at every stop of the money",
        )


def _show_open_items(context: Context) -> None:
    show_section("What is open", "Money or records that somebody has to settle, and how.")
    items = read_open_items(context.published, context.selection)
    if items.empty:
        st.success("Nothing is open in this period.", icon=":material/check_circle:")
        return
    if len(items) <= LISTED_ITEMS:
        _list_items(items, context.currency)
    else:
        _tabulate_items(items, context.currency)
    show_download(context, "Open items (CSV)", items, "open_items", "download_open")


def _list_items(items: pd.DataFrame, currency: str) -> None:
    """A few items, their remedies in full."""
    st.table(
        pd.DataFrame(
            {
                "Item": list(map(escape_markdown, items["item_name"])),
                f"Amount, {currency}": [format_number(amount, 2) for amount in items["amount"]],
                "What to do": list(map(escape_markdown, items["what_to_do"])),
                "Kind": [ITEM_NAMES.get(str(kind), str(kind)) for kind in items["item_kind"]],
            }
        ),
        border="horizontal",
        hide_index=True,
        alt="Open items with amount and what to do",
    )


def _tabulate_items(items: pd.DataFrame, currency: str) -> None:
    """Many items, to scroll and sort."""
    st.dataframe(
        items[["item_name", "amount", "what_to_do", "item_kind", "item_key"]],
        hide_index=True,
        height=TALL_TABLE,
        placeholder=MISSING,
        column_config={
            "item_name": st.column_config.TextColumn("Item", pinned=True, width=190),
            "amount": amount_column(f"Amount, {currency}", places=2),
            "what_to_do": st.column_config.TextColumn("What to do", width=520),
            "item_kind": "Kind",
            "item_key": "Key",
        },
        key="open_items",
        alt="Open items with amount and what to do",
    )


def _show_measure_next(context: Context) -> None:
    show_section(
        "What to measure next",
        "Money that rests on estimates, even splits and declared shares, the largest first. "
        "It may stand in several rows, once per stop that it passed, so there is no total.",
    )
    items = read_measure_next(context.published, context.selection)
    if items.empty:
        st.success("Everything of this period is measured.", icon=":material/check_circle:")
        return
    currency = context.currency
    st.dataframe(
        pd.DataFrame(
            {
                "rank": items["measure_rank"],
                "subject": items["subject_name"],
                "basis": [MEASURE_BASIS_NAMES.get(str(c), str(c)) for c in items["basis_code"]],
                "amount": items["amount"],
                "year": items["year_amount"],
                "deliver": items["contract_id"],
                "do": items["what_to_do"],
                "changes": items["what_changes"],
            }
        ),
        hide_index=True,
        height="content" if len(items) <= LISTED_MEASURES else TALL_TABLE,
        placeholder=MISSING,
        column_config={
            "rank": st.column_config.NumberColumn("", width=40),
            "subject": st.column_config.TextColumn("What", pinned=True, width=200),
            "basis": "Rests on",
            "amount": amount_column(f"Amount, {currency}", places=2),
            "year": amount_column(f"Year to date, {currency}", places=2),
            "deliver": "Deliver",
            "do": st.column_config.TextColumn("What to do", width=420),
            "changes": st.column_config.TextColumn("What it changes", width=320),
        },
        key="measure_next",
        alt="What to measure next, by the money that rests on what is not measured",
    )
    show_download(context, "What to measure next (CSV)", items, "measure_next", "download_measure")


render_page()
