"""What a service is charged at, in words: its price, or the policy that makes its charge.

The one place that says it for the catalogue, the method sheets, the pages and the command line. A
price is printed with every digit that was agreed, so that price times quantity is the charge; a
unit cost is no price and is never printed by this file. Assumes rows of fct_prices_monthly of one
service, the tiers in their order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pipelines.billing.formats import format_number, format_quantity

GAP = "\N{NO-BREAK SPACE}"
PRICE_DECIMALS = 2
AT_COST, SHOWBACK, COST_PLUS, FIXED = "at_cost", "showback", "cost_plus", "fixed"
POLICY_VERBS = {
    AT_COST: "is charged at cost",
    SHOWBACK: "is shown",
    COST_PLUS: "is charged at cost plus a percentage",
    FIXED: "is charged by a fixed fee",
}
PER_PERIOD = "period"


@dataclass(frozen=True)
class Tier:
    """A price from a quantity on."""

    from_quantity: Decimal
    unit_price: Decimal


@dataclass(frozen=True)
class PriceTerms:
    """At what a service is charged in a period. Amounts are in the reporting currency."""

    charging_policy: str
    unit_name: str
    tiers: tuple[Tier, ...] = ()
    """Empty where the service has no price; one tier is one price for every unit."""
    is_volume: bool = False
    peak_unit_price: Decimal | None = None
    base_fee: Decimal = Decimal(0)
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    source_name: str = ""
    percent: Decimal | None = None
    fixed_amount: Decimal | None = None
    fixed_per: str = ""

    @property
    def has_price(self) -> bool:
        """Whether a quantity is charged at a price that was set in advance."""
        return bool(self.tiers)

    @property
    def is_apart_from_cost(self) -> bool:
        """Whether a charge is found without the share of the cost."""
        return self.has_price or self.charging_policy == FIXED


def make_terms(rows: Sequence[Mapping[str, Any]], unit_name: str) -> PriceTerms | None:
    """The terms of one service from its rows; None without any."""
    if not rows:
        return None
    first = rows[0]
    tiers = tuple(
        Tier(Decimal(row["from_quantity"] or 0), Decimal(row["unit_price"]))
        for row in rows
        if row["unit_price"] is not None
    )
    return PriceTerms(
        charging_policy=str(first["charging_policy"]),
        unit_name=unit_name,
        tiers=tiers,
        is_volume=first["tier_mode"] == "volume",
        peak_unit_price=first["peak_unit_price"],
        base_fee=Decimal(first["base_fee_amount"] or 0),
        minimum=first["minimum_amount"],
        maximum=first["maximum_amount"],
        source_name=str(first["source_name"] or ""),
        percent=first["cost_plus_percent"],
        fixed_amount=first["fixed_amount"],
        fixed_per=str(first["fixed_per"] or ""),
    )


def format_price(price: Decimal) -> str:
    """Every digit of a price, and at least cents: 71.50, 0.165."""
    return _format_digits(price, PRICE_DECIMALS)


def _format_digits(value: Decimal, least: int) -> str:
    exponent = value.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return format_number(value, max(least, -exponent))


def name_price(terms: PriceTerms, currency: str) -> str:
    """The price in a few words, '71.50 EUR per seat'; nothing where the service has none."""
    if not terms.has_price:
        return ""
    first, *others = terms.tiers
    text = f"{format_price(first.unit_price)}{GAP}{currency} per {terms.unit_name}"
    for tier in others:
        text += f", {format_price(tier.unit_price)} from {format_quantity(tier.from_quantity)}"
    if terms.peak_unit_price is not None:
        text += f", {format_price(terms.peak_unit_price)} at peak"
    if terms.base_fee:
        text += f", and a base fee of {_say_amount(terms.base_fee, currency)}"
    return text


def name_policy(terms: PriceTerms) -> str:
    """The policy as the verb of a sentence: 'is charged at cost', 'is shown'."""
    if terms.has_price:
        return f"is charged by its {_name_kind(terms)}"
    return POLICY_VERBS.get(terms.charging_policy) or (
        f"is charged by the policy {terms.charging_policy.replace('_', ' ')}"
    )


def say_charge(terms: PriceTerms, currency: str) -> str:
    """How the charge of one consumer is found, in sentences that hold for its policy alone."""
    if terms.has_price:
        return f"It is charged by its {_name_kind(terms)}: {_say_price(terms, currency)}"
    if terms.charging_policy == SHOWBACK:
        return "It is showback: each consumer is shown its share of the cost and charged nothing."
    if terms.charging_policy == COST_PLUS:
        percent = terms.percent or Decimal(0)
        more = "and" if percent >= 0 else "less"
        return (
            "It is charged at cost plus a percentage: each consumer is charged its share of the "
            f"cost {more} {_format_digits(abs(percent), 0)}{GAP}% of it."
        )
    if terms.charging_policy == FIXED:
        return _say_fixed_fee(terms, currency)
    if terms.charging_policy == AT_COST:
        return "It is charged at cost: each consumer is charged its share of the cost."
    return f"It is charged by the policy {terms.charging_policy.replace('_', ' ')}."


def _name_kind(terms: PriceTerms) -> str:
    return "market price" if terms.charging_policy == "market" else "price"


def _say_price(terms: PriceTerms, currency: str) -> str:
    first, *others = terms.tiers
    price = f"{format_price(first.unit_price)}{GAP}{currency}"
    if not others:
        text = f"{price} per {terms.unit_name}, times the quantity of each consumer."
    else:
        steps = ", ".join(
            f"{format_price(tier.unit_price)} from {format_quantity(tier.from_quantity)} on"
            for tier in others
        )
        rule = (
            "all units of a consumer at the price of the tier that its quantity reaches"
            if terms.is_volume
            else "each unit of a consumer at the price of the tier that it falls into"
        )
        text = f"{price} per {terms.unit_name}, {steps}; {rule}."
    if terms.peak_unit_price is not None:
        peak = format_price(terms.peak_unit_price)
        text += f" A unit used at peak is charged at {peak}{GAP}{currency}."
    if terms.base_fee:
        fee = _say_amount(terms.base_fee, currency)
        text += f" A base fee of {fee} per consumer and period is added."
    text += _say_bounds(terms, currency)
    if terms.source_name:
        text += f" Source of the price: {terms.source_name.rstrip('.')}."
    return text


def _say_bounds(terms: PriceTerms, currency: str) -> str:
    bounds = [
        f"{words} {_say_amount(amount, currency)}"
        for words, amount in (("at least", terms.minimum), ("at most", terms.maximum))
        if amount is not None
    ]
    return f" The charge is {' and '.join(bounds)} per consumer and period." if bounds else ""


def _say_fixed_fee(terms: PriceTerms, currency: str) -> str:
    fee = _say_amount(terms.fixed_amount or Decimal(0), currency)
    if terms.fixed_per == PER_PERIOD:
        return (
            f"It is charged by a fixed fee: {fee} per period, of which each consumer is charged "
            "its share of the use."
        )
    return f"It is charged by a fixed fee: {fee} per consumer and period, whatever is used."


def _say_amount(amount: Decimal, currency: str) -> str:
    return f"{format_price(amount)}{GAP}{currency}"
