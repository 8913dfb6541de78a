"""Service owner: what is offered, at which price and service level, and how is it ordered?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.cards import CardLinks, render_cards
from app.components import show_download, show_headline, show_ledger_tie, show_missing
from app.context import Context, get_context
from app.findings import state_catalogue
from app.formats import format_period
from app.navigation import METHOD, SERVICE_BENCHMARK, SERVICE_CATALOGUE, SERVICE_DETAIL
from app.queries.catalogue import read_catalogue
from app.selection import CATEGORY, SEARCH, choose_one, choose_text

ALL_CATEGORIES = "all"
SEARCHED_COLUMNS = (
    "service_name",
    "category_name",
    "description",
    "owner_name",
    "business_processes",
    "unit_name",
    "driver_name",
)


def render_page() -> None:
    """The services as cards, filtered by category and search."""
    context = get_context()
    catalogue = read_catalogue(context.published, context.selection)
    if catalogue.empty:
        show_headline(SERVICE_CATALOGUE.question, "The catalogue is empty")
        show_missing(
            "No services are described.",
            "Describe them in `cost_model/services.yml`, then run `apportion run`.",
        )
        return
    head = st.container()
    left, right = st.columns([1, 2], gap="medium")
    with left:
        categories = sorted(set(catalogue["category_name"].dropna().astype(str)))
        category = choose_one(
            CATEGORY,
            "Category",
            [ALL_CATEGORIES, *categories],
            format_option=lambda option: "All categories" if option == ALL_CATEGORIES else option,
        )
    with right:
        search = choose_text(SEARCH, "Search", "name, business process, owner, unit …")
    shown = filter_catalogue(catalogue, None if category == ALL_CATEGORIES else category, search)
    with head:
        show_headline(SERVICE_CATALOGUE.question, state_catalogue(catalogue, shown))
    if shown.empty:
        show_missing("No service matches.", "Clear the search or choose all categories.")
    else:
        _show_cards(context, shown)
    show_download(
        context,
        "Price list (CSV)",
        shown.drop(columns=["offerings"]),
        "price_list",
        "download_prices",
    )
    st.caption(
        f"Prices are the latest unit cost up to {format_period(context.selection.period_id)}: full "
        "cost, shared services included, by quantity."
    )
    show_ledger_tie(context)


def filter_catalogue(catalogue: pd.DataFrame, category: str | None, search: str) -> pd.DataFrame:
    """The services of a category that hold every word of the search in one of their texts."""
    shown = catalogue
    if category is not None:
        shown = shown[shown["category_name"] == category]
    texts = shown[list(SEARCHED_COLUMNS)].fillna("").agg(" ".join, axis=1).str.casefold()
    for word in search.casefold().split():
        texts = texts[texts.str.contains(word, regex=False)]
    return shown.loc[texts.index]


def _show_cards(context: Context, shown: pd.DataFrame) -> None:
    records = [
        {str(column): value for column, value in row.items()} for row in shown.to_dict("records")
    ]
    links = [
        CardLinks(
            cost=context.make_link(SERVICE_DETAIL.url_path, service=str(record["service_id"])),
            benchmark=context.make_link(
                SERVICE_BENCHMARK.url_path, service=str(record["service_id"])
            ),
            method=context.make_link(METHOD.url_path, service=str(record["service_id"])),
        )
        for record in records
    ]
    st.html(render_cards(records, links, context.currency))


render_page()
