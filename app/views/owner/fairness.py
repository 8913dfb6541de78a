"""Service owner: is each cost share between the incremental and the stand-alone cost?"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app.charts.fairness import draw_bills_beside_shapley
from app.components import (
    Figure,
    amount_column,
    link_column,
    show_chart,
    show_download,
    show_figures,
    show_headline,
    show_ledger_tie,
    show_link,
    show_missing,
    show_section,
)
from app.context import Context, get_context
from app.findings import state_fairness
from app.formats import (
    MISSING,
    escape_markdown,
    format_amount,
    format_exact,
    to_text,
)
from app.names import FAIRNESS_NAMES, VERDICT_NAMES
from app.navigation import FAIRNESS, METHOD, SERVICE_DETAIL
from app.queries.fairness import read_bills, read_services, read_undeclared_pools
from app.service_choice import choose_service, find_services

SHOWN_CONSUMERS = 25
COMPARED = ("compared", "dedicated")

METHOD_TEXT = """
A service has a **fixed** part, which is there whoever uses it, and a part that **follows use**.
Whether cost is fixed is declared in the pool rules (`cost_behaviour` in `cost_model/pools.yml`).

- **Incremental cost**: what the service would cost less without this consumer: its share of the
  part that follows use. A consumer with a smaller cost share is paid for by the others.
- **Stand-alone cost**: what the service would cost for this consumer alone: the whole fixed part
  and its share of the rest. A consumer with a larger cost share would do better without the others.
- **Shapley value**: an equal part of the fixed cost and the own share of the rest. It is the
  average of what a consumer adds over all orders in which the consumers could come, and the
  values of all sum to the cost. Nobody is billed by it; it shows whom a split by use favours.

Where cost is split by use and no part is negative, every cost share lies between the two. A share
can leave them where something else decides: a weight, an even split. A share is called unfair only
if it is off by a whole cent. A cost share is what a consumer is charged where the service is
charged at cost; where it has a price, the charge is the price times the quantity, and the page
*Prices and recovery* compares it with the cost.

Services that use this one count as consumers; their share is what is passed on to them. Idle
capacity and cost that is held are left out. Sources: L. S. Shapley, *A Value for n-Person Games*
(1953); H. P. Young, *Cost Allocation: Methods, Principles, Applications* (1985). With one fixed
cost for all it is the airport game of Littlechild and Owen (1973) with one length of runway.
"""


def render_page() -> None:
    """The bills of one service beside their bounds, and all services at a glance."""
    context = get_context()
    names = find_services(context, FAIRNESS.question)
    if not names:
        return
    head = st.container()
    service_id = choose_service(context, names)
    bills = read_bills(context.published, context.selection, service_id)
    with head:
        show_headline(
            FAIRNESS.question,
            state_fairness(names[service_id], bills, context.selection, context.currency),
        )
    _show_service(context, service_id, bills)
    _show_all_services(context)
    with st.expander("How the bounds are found"):
        st.markdown(METHOD_TEXT)
    show_ledger_tie(context)


def _show_service(context: Context, service_id: str, bills: pd.DataFrame) -> None:
    if bills.empty:
        show_missing(
            "There is nothing to compare.", "A service needs two consumers with cost in the month."
        )
    else:
        show_figures(_make_figures(bills.iloc[0], context.currency))
    with st.container(horizontal=True):
        show_link(METHOD, "What you pay for", context, service=service_id)
        show_link(SERVICE_DETAIL, "Cost and consumers", context, service=service_id)
    if bills.empty:
        return
    if bills.iloc[0]["status_code"] not in COMPARED:
        _show_why_not(context, str(bills.iloc[0]["status_code"]))
        return
    _show_chart(context, bills)
    _show_bills(context, service_id, bills)


def _make_figures(row: pd.Series, currency: str) -> list[Figure]:
    parts = (
        ("Cost shared", "service_cost_amount", "The sum of the cost shares below."),
        ("Fixed", "service_fixed_amount", "There whoever uses it."),
        ("Follows use", "service_variable_amount", "Would be less with less use."),
        ("Named in the lines", "service_dedicated_amount", "Lines that name their consumer."),
        ("Not declared", "service_undeclared_amount", "Its pool rule has no `cost_behaviour`."),
    )
    always = {"service_cost_amount", "service_fixed_amount", "service_variable_amount"}
    return [
        Figure(label, format_amount(row[column], currency), help_text=text)
        for label, column, text in parts
        if column in always or row[column]
    ]


def _show_why_not(context: Context, status: str) -> None:
    if status == "unmeasured":
        show_missing(
            "A consumer has no quantity.",
            "Its cost is split without one, so what follows use cannot be told. Deliver the use of "
            "the service.",
        )
        return
    if status == "credit":
        show_missing(
            "The fixed part or the part that follows use is below zero.",
            "A credit is larger than the cost beside it; compare another month.",
        )
        return
    pools = read_undeclared_pools(context.published, context.selection)
    show_missing(
        "Some of its cost is neither declared fixed nor declared to follow use.",
        "Give the rules of these pools a `cost_behaviour: fixed` or `variable` in "
        "`cost_model/pools.yml`, then run `apportion run`.",
    )
    rows = [
        f"- {_name_pool(pool)}: {format_exact(pool['amount'], context.currency)}"
        for pool in pools.to_dict("records")
    ]
    st.markdown("\n".join(rows))


def _name_pool(pool: Mapping[Hashable, Any]) -> str:
    parts = (to_text(pool["cost_pool_name"]), to_text(pool["sub_pool_name"]))
    return escape_markdown(" / ".join(filter(None, parts)))


def _show_chart(context: Context, bills: pd.DataFrame) -> None:
    shown = bills.head(SHOWN_CONSUMERS)
    more = f" The {SHOWN_CONSUMERS} largest cost shares." if len(bills) > len(shown) else ""
    show_section(
        "Cost share and Shapley value",
        "A share to the right of its diamond is more than an equal part of the fixed cost makes it."
        + more,
    )
    frame = shown.assign(consumer_key=shown["consumer_kind"] + ":" + shown["consumer_id"])
    show_chart(
        draw_bills_beside_shapley(frame, context.currency),
        "shapley",
        "Cost share and Shapley value of each consumer",
    )


def _show_bills(context: Context, service_id: str, bills: pd.DataFrame) -> None:
    show_section("Cost shares and their bounds", "One row per cost centre or service that uses it.")
    st.dataframe(
        _shape_bills(bills),
        hide_index=True,
        height="auto",
        placeholder=MISSING,
        column_config=_configure_bills(context.currency),
        key="bills",
        alt="Cost shares of the service with incremental and stand-alone cost, and Shapley value",
    )
    show_download(
        context,
        "Cost shares (CSV)",
        bills,
        f"fairness_{service_id}",
        "download_fairness",
    )


def _shape_bills(bills: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "consumer": bills["consumer_name"],
            "unit": [
                "Service" if kind == "service" else to_text(name) or MISSING
                for kind, name in zip(
                    bills["consumer_kind"], bills["business_unit_name"], strict=True
                )
            ],
            "quantity": bills["quantity"],
            "adds": bills["incremental_amount"],
            "bill": bills["bill_amount"],
            "alone": bills["stand_alone_amount"],
            "saving": bills["saving_amount"],
            "shapley": bills["shapley_amount"],
            "difference": bills["shapley_difference_amount"],
            "verdict": [VERDICT_NAMES.get(str(code), MISSING) for code in bills["verdict_code"]],
        }
    )


def _configure_bills(currency: str) -> dict[str, Any]:
    return {
        "consumer": st.column_config.TextColumn("Consumer", pinned=True),
        "unit": "Business unit",
        "quantity": amount_column("Use", places=1),
        "adds": amount_column(
            f"Incremental, {currency}", "What the service would cost less without this consumer", 2
        ),
        "bill": amount_column(f"Cost share, {currency}", "Its share of the cost of the service", 2),
        "alone": amount_column(
            f"Stand-alone, {currency}", "What the service would cost for this consumer alone", 2
        ),
        "saving": amount_column(
            f"Saves, {currency}", "Cost share below the stand-alone cost, because others share", 2
        ),
        "shapley": amount_column(
            f"Shapley, {currency}", "An equal part of the fixed cost, and its share of the rest", 2
        ),
        "difference": amount_column(
            f"Difference, {currency}",
            "Shapley value less cost share; above zero: a split by use favours it",
            2,
        ),
        "verdict": "The share is",
    }


def _show_all_services(context: Context) -> None:
    services = read_services(context.published, context.selection)
    if services.empty:
        show_missing(
            "No service has more than one consumer in this month.",
            "Deliver who uses the services; `apportion measure` says what is missing.",
        )
        return
    show_section("All services", "Every service with more than one consumer.")
    st.dataframe(
        pd.DataFrame(
            {
                "service": [
                    context.make_link(FAIRNESS.url_path, str(name), service=str(service_id))
                    for service_id, name in zip(
                        services["service_id"], services["service_name"], strict=True
                    )
                ],
                "bills": services["bill_count"],
                "above": services["above_count"],
                "below": services["below_count"],
                "cost": services["service_cost_amount"],
                "fixed": services["service_fixed_amount"],
                "undeclared": services["service_undeclared_amount"],
                "status": [
                    FAIRNESS_NAMES.get(str(code), str(code)) for code in services["status_code"]
                ],
            }
        ),
        hide_index=True,
        height="auto",
        column_config={
            "service": link_column("Service", is_pinned=True, width=190),
            "bills": "Cost shares",
            "above": st.column_config.NumberColumn(
                "Above", help="Cost shares above the stand-alone cost"
            ),
            "below": st.column_config.NumberColumn(
                "Below", help="Cost shares below the incremental cost"
            ),
            "cost": amount_column(f"Cost, {context.currency}"),
            "fixed": amount_column(f"Fixed, {context.currency}"),
            "undeclared": amount_column(f"Not declared, {context.currency}"),
            "status": "Comparison",
        },
        key="services",
        alt="Services with their cost shares, those out of bounds, and whether they are compared",
    )
    show_download(context, "All services (CSV)", services, "fairness", "download_all_fairness")


render_page()
