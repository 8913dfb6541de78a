"""Cards of the catalogue."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from app.cards import CardLinks, describe_service_level, render_cards
from tests.app.conftest import clean

LINKS = CardLinks(
    cost="service?a=1&service=mail",
    benchmark="benchmark?service=mail",
    method="method?service=mail",
)
MAIL: dict[str, Any] = {
    "service_id": "mail",
    "service_name": "E-mail",
    "category_name": "Workplace",
    "description": "Mailbox for everybody",
    "owner_name": "Ada Berg",
    "owner_email": "ada@example.com",
    "business_processes": "Order to cash",
    "unit_code": "seat",
    "unit_name": "seat per month",
    "driver_name": "Seats",
    "charging_policy": "at_cost",
    "unit_cost": Decimal(10),
    "unit_cost_period_id": "2026-02",
    "offerings": [{"name": "50 GB", "description": "A mailbox of 50 GB"}],
    "availability_target_share": Decimal("0.995"),
    "response_target_minutes": 60,
    "resolution_target_minutes": 480,
    "sla_attainment_target_share": Decimal("0.95"),
    "how_to_order": "In the portal",
    "how_to_use_less": "",
}


def render(**changes: Any) -> str:
    return clean(render_cards([{**MAIL, **changes}], [LINKS], {}, "EUR"))


def test_card_says_what_it_costs_and_who_to_ask() -> None:
    card = render()
    assert (
        "<small>Unit cost</small> 10.00 EUR <small>per seat per month, Feb 2026</small>"
        "<small>; charged at cost</small>"
    ) in card
    assert '<a href="mailto:ada@example.com">Ada Berg</a>' in card
    assert '<a href="service?a=1&amp;service=mail">' in card
    assert "1 offering<" in card
    assert "<b>50 GB</b>: A mailbox of 50 GB" in card
    assert "How to order" in card
    assert "How to use less" not in card


def test_service_level_in_words() -> None:
    assert clean(describe_service_level(MAIL)) == (
        "available 99.50 %, first response in 1 h, solved in 8 h, kept for 95 % of tickets"
    )
    assert describe_service_level({**MAIL, **dict.fromkeys(_TARGETS)}) == ""


_TARGETS = (
    "availability_target_share",
    "response_target_minutes",
    "resolution_target_minutes",
    "sla_attainment_target_share",
)


def test_card_without_price_or_owner_leaves_them_out() -> None:
    card = render(unit_cost=None, owner_name=None, owner_email=None, offerings=None)
    assert "No unit cost yet" in card
    assert "Owner" not in card
    assert "offering" not in card


def test_text_from_data_is_escaped() -> None:
    card = render(
        description="<script>alert(1)</script>",
        owner_email='x"onmouseover="y@example.com',
        how_to_order="<b>now</b>",
    )
    assert "<script>" not in card
    assert "<b>now</b>" not in card
    assert 'x"onmouseover' not in card
