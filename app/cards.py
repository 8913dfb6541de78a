"""Service cards of the catalogue as one piece of HTML.

One element instead of some hundred widgets: quick on the server, flowing from one to three cards
beside each other. Everything that comes from data is escaped; addresses are built, not taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import quote

from app.formats import (
    GAP,
    format_duration,
    format_period,
    format_rate,
    format_share,
    to_decimal,
    to_text,
)
from app.names import POLICY_NAMES
from pipelines.billing.price_terms import PriceTerms, format_price, name_price

CARD_STYLE = """
<style>
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr));
  gap: 1rem; }
.card { border: 1px solid rgba(128, 128, 128, 0.35); border-radius: 0.5rem; padding: 0.9rem 1rem;
  display: flex; flex-direction: column; gap: 0.45rem; font-size: 0.92rem; line-height: 1.45; }
.card h3 { font-size: 1.08rem; font-weight: 650; margin: 0; padding: 0; }
.card p { margin: 0; }
.card .muted { opacity: 0.72; }
.card .price { font-size: 1.15rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.card .price small { font-size: 0.85rem; font-weight: 400; opacity: 0.75; }
.card .facts { display: grid; grid-template-columns: auto 1fr; gap: 0.15rem 0.8rem; }
.card summary { cursor: pointer; font-weight: 600; }
.card ul { margin: 0.2rem 0 0 1.1rem; padding: 0; }
.card a { color: inherit; text-decoration: underline; text-underline-offset: 0.15em; }
.card .links { margin-top: auto; padding-top: 0.3rem; display: flex; gap: 1rem; flex-wrap: wrap; }
</style>
"""


@dataclass(frozen=True)
class CardLinks:
    """Relative addresses that a card leads to."""

    cost: str
    benchmark: str
    method: str


def render_cards(
    services: Sequence[Mapping[str, Any]],
    links: Sequence[CardLinks],
    terms: Mapping[str, PriceTerms],
    currency: str,
) -> str:
    """The cards of services as from read_catalogue, in the given order. `terms`: at what each is
    charged, by its id."""
    cards = [
        _render_card(service, link, terms.get(str(service["service_id"])), currency)
        for service, link in zip(services, links, strict=True)
    ]
    return f'{CARD_STYLE}<div class="cards">{"".join(cards)}</div>'


def _render_card(
    service: Mapping[str, Any], links: CardLinks, terms: PriceTerms | None, currency: str
) -> str:
    facts = "".join(
        f'<span class="muted">{escape(name)}</span><span>{value}</span>'
        for name, value in _list_facts(service)
        if value
    )
    return (
        '<article class="card">'
        f"<h3>{_text(service, 'service_name')}</h3>"
        f'<p class="muted">{_text(service, "category_name")}</p>'
        f"<p>{_text(service, 'description')}</p>"
        f"{_render_price(service, terms, currency)}"
        f'<div class="facts">{facts}</div>'
        f"{_render_offerings(service)}"
        f"{_render_advice('How to order', _text(service, 'how_to_order'))}"
        f"{_render_advice('How to use less', _text(service, 'how_to_use_less'))}"
        f'<p class="links"><a href="{escape(links.cost)}">Cost and consumers</a>'
        f'<a href="{escape(links.benchmark)}">Benchmark and quality</a>'
        f'<a href="{escape(links.method)}">What you pay for</a></p>'
        "</article>"
    )


def _render_price(service: Mapping[str, Any], terms: PriceTerms | None, currency: str) -> str:
    """The price, where one is charged, and the unit cost: two figures, each by its name."""
    cost = _say_unit_cost(service, currency)
    if terms is None or not terms.has_price:
        code = terms.charging_policy if terms else str(service["charging_policy"])
        policy = escape(POLICY_NAMES.get(code, code))
        if not cost:
            return (
                f'<p class="price">No unit cost yet <small>no use is measured; {policy}</small></p>'
            )
        return f'<p class="price"><small>Unit cost</small> {cost}<small>; {policy}</small></p>'
    first = f"{format_price(terms.tiers[0].unit_price)}{GAP}{currency}"
    rest = name_price(terms, currency).removeprefix(first)
    said = f'<p class="price"><small>Price</small> {escape(first)}<small>{escape(rest)}</small></p>'
    return said + (f'<p class="muted">Unit cost {cost}</p>' if cost else "")


def _say_unit_cost(service: Mapping[str, Any], currency: str) -> str:
    """'76.29 EUR per seat, Oct 2026' as HTML; nothing without one."""
    if to_decimal(service["unit_cost"]) is None:
        return ""
    unit = to_text(service.get("unit_name")) or to_text(service.get("unit_code")) or "unit"
    period = format_period(str(service["unit_cost_period_id"]))
    rate = format_rate(service["unit_cost"], currency)
    return f"{escape(rate)} <small>per {escape(unit)}, {escape(period)}</small>"


def _list_facts(service: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("Owner", _render_owner(service)),
        ("For", _text(service, "business_processes")),
        ("Counted by", _text(service, "driver_name")),
        ("Service level", escape(describe_service_level(service))),
    ]


def describe_service_level(service: Mapping[str, Any]) -> str:
    """'available 99.50 %, first response in 1 h, solved in 8 h, kept for 95 % of tickets'."""
    parts = []
    if to_decimal(service["availability_target_share"]) is not None:
        parts.append(f"available {format_share(service['availability_target_share'], 2)}")
    if to_decimal(service["response_target_minutes"]) is not None:
        parts.append(f"first response in {format_duration(service['response_target_minutes'])}")
    if to_decimal(service["resolution_target_minutes"]) is not None:
        parts.append(f"solved in {format_duration(service['resolution_target_minutes'])}")
    if to_decimal(service["sla_attainment_target_share"]) is not None:
        parts.append(
            f"kept for {format_share(service['sla_attainment_target_share'], 0)} of tickets"
        )
    return ", ".join(parts)


def _render_owner(service: Mapping[str, Any]) -> str:
    name, email = _text(service, "owner_name"), service.get("owner_email")
    if not isinstance(email, str) or "@" not in email:
        return name
    return f'<a href="mailto:{quote(email, safe="@.+-_")}">{name or escape(email)}</a>'


def _render_offerings(service: Mapping[str, Any]) -> str:
    offerings = service.get("offerings")
    if offerings is None or isinstance(offerings, float) or not len(offerings):
        return ""
    items = "".join(
        f"<li><b>{escape(str(offering['name']))}</b>"
        f"{': ' + escape(str(offering['description'])) if offering['description'] else ''}</li>"
        for offering in offerings
    )
    count = f"{len(offerings)} offering{'s' if len(offerings) != 1 else ''}"
    return f"<details><summary>{count}</summary><ul>{items}</ul></details>"


def _render_advice(title: str, text: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{text}</details>" if text else ""


def _text(service: Mapping[str, Any], column: str) -> str:
    value = service.get(column)
    return escape(value) if isinstance(value, str) else ""
