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
from app.queries.prices import read_price_terms
from app.selection import CATEGORY, SEARCH, choose_one, choose_text
from pipelines.billing.price_terms import PriceTerms, name_price

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
    terms = read_price_terms(context.published, context.selection)
    catalogue = add_prices(catalogue, terms, context.currency)
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
        _show_cards(context, shown, terms)
    show_download(
        context,
        "Price list (CSV)",
        shown.drop(columns=["offerings"]),
        "price_list",
        "download_prices",
    )
    st.caption(
        f"A price is what {context.selection.period_name} is charged at, set in advance. A unit "
        f"cost is the latest one up to {format_period(context.selection.period_id)}: full cost, "
        "shared services included, by quantity."
    )
    show_ledger_tie(context)


def add_prices(
    catalogue: pd.DataFrame, terms: dict[str, PriceTerms], currency: str
) -> pd.DataFrame:
    """The catalogue with the policy of the period, the price in words, and its figures: the price
    of the first tier, how many tiers there are, and the base fee."""
    own = [terms.get(str(service_id)) for service_id in catalogue["service_id"]]
    first = [item.tiers[0].unit_price if item and item.tiers else None for item in own]
    policies = [
        item.charging_policy if item else policy
        for item, policy in zip(own, catalogue["charging_policy"], strict=True)
    ]
    return catalogue.assign(
        charging_policy=policies,
        price=[name_price(item, currency) if item else "" for item in own],
        unit_price=pd.Series(first, index=catalogue.index, dtype=object),
        tier_count=[len(item.tiers) if item else 0 for item in own],
        base_fee_amount=pd.Series(
            [item.base_fee if item and item.tiers else None for item in own],
            index=catalogue.index,
            dtype=object,
        ),
    )


def filter_catalogue(catalogue: pd.DataFrame, category: str | None, search: str) -> pd.DataFrame:
    """The services of a category that hold every word of the search in one of their texts."""
    shown = catalogue
    if category is not None:
        shown = shown[shown["category_name"] == category]
    texts = shown[list(SEARCHED_COLUMNS)].fillna("").agg(" ".join, axis=1).str.casefold()
    for word in search.casefold().split():
        texts = texts[texts.str.contains(word, regex=False)]
    return shown.loc[texts.index]


def _show_cards(context: Context, shown: pd.DataFrame, terms: dict[str, PriceTerms]) -> None:
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
    st.html(render_cards(records, links, terms, context.currency))


render_page()
