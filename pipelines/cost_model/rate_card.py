"""The typed form of the optional rule file `cost_model/rate_card.yml`: what a unit of use costs.

A price is an exact decimal in the reporting currency, with at most ten decimals, and holds for a
span of time. It is either one price for every unit, or a list of tiers. Tiers are `graduated` (each
unit at the price of the tier that it falls into) or `volume` (all units at the price of the tier
that the quantity reaches). Units that were used at peak may have a price of their own. A base fee
is due besides, and what comes of all this may have a minimum and a maximum: each once per consumer
and period.

Services whose policy is `rate` or `market` are charged by it; prices of others are checked and
kept. What a price makes of a quantity is computed in dbt_project (int_charges__prices).
"""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Literal

from pydantic import model_validator

from pipelines.cost_model.forms import Approvable, Id, Strict
from pipelines.cost_model.policies import Price
from pipelines.cost_model.reference_checks import RuleFile, check_unique
from pipelines.cost_model.rule_order import Periods
from pipelines.cost_model.rule_spans import holds_on, overlap
from pipelines.cost_model.schema import Services


class Tier(Strict):
    """A price from a quantity on."""

    from_quantity: Price
    price: Price


class RateCardPrice(Approvable):
    """The price of one unit of a service for a time."""

    id: Id
    service: Id
    unit: Id
    """The unit of the service, said again: a price without its unit means nothing."""
    price: Price | None = None
    tiers: list[Tier] | None = None
    """Instead of `price`; the first begins at 0, each later one above the one before."""
    tier_mode: Literal["graduated", "volume"] = "graduated"
    base_fee: Price = Decimal(0)
    """Per consumer and period, whatever the quantity."""
    peak_price: Price | None = None
    """Of the units that were used at peak; left out, they cost what the others do."""
    minimum: Price | None = None
    """The least that a consumer with use pays in a period."""
    maximum: Price | None = None
    """The most that a consumer pays in a period."""
    source: str | None = None
    """Whose price it is and of when, where it is one of the market."""
    owner: str | None = None
    reason: str

    @model_validator(mode="after")
    def has_one_kind_of_price(self) -> RateCardPrice:
        if (self.price is None) == (self.tiers is None):
            raise ValueError("a price has either 'price' or 'tiers'")
        if self.tiers is None and "tier_mode" in self.model_fields_set:
            raise ValueError("'tier_mode' needs 'tiers'")
        return self

    @model_validator(mode="after")
    def bounds_do_not_cross(self) -> RateCardPrice:
        if self.maximum is not None and self.maximum < (self.minimum or self.base_fee):
            least = self.minimum if self.minimum is not None else f"base_fee {self.base_fee}"
            raise ValueError(f"maximum {self.maximum} is below the least that is due, {least}")
        return self

    @model_validator(mode="after")
    def tiers_rise(self) -> RateCardPrice:
        starts = [tier.from_quantity for tier in self.tiers or []]
        if self.tiers is not None and starts[:1] != [0]:
            raise ValueError("the first tier begins at from_quantity 0")
        for before, after in itertools.pairwise(starts):
            if after <= before:
                raise ValueError(
                    f"the tier from {after} does not begin above the one from {before}"
                )
        return self

    @property
    def steps(self) -> list[Tier]:
        """Its tiers; one price is a single tier."""
        if self.tiers is not None:
            return self.tiers
        assert self.price is not None
        return [Tier(from_quantity=Decimal(0), price=self.price)]


class RateCard(Strict):
    """rate_card.yml"""

    prices: list[RateCardPrice]


def check_rate_card(
    file: RuleFile,
    rate_card: RateCard,
    services: Services,
    service_ids: set[str] | None,
    periods: Periods,
) -> None:
    """Collect in `file` unknown services, other units, and prices that overlap or leave a gap."""
    check_unique(file, ("prices",), rate_card.prices)
    units = {service.id: service.unit for service in services.services}
    by_service: dict[str, list[tuple[int, RateCardPrice]]] = {}
    for index, price in enumerate(rate_card.prices):
        place = ("prices", index)
        if service_ids is not None:
            file.require_known((*place, "service"), price.id, "service", price.service, service_ids)
        unit = units.get(price.service)
        if unit and price.unit and price.unit != unit:
            message = f"has the unit '{price.unit}', its service is measured in '{unit}'"
            remedy = "Give both the same unit."
            file.complain(
                (*place, "unit"), message, price.id, remedy, expected=unit, found=price.unit
            )
        by_service.setdefault(price.service, []).append((index, price))
    for own in by_service.values():
        _check_times(file, own, periods)


def _check_times(file: RuleFile, own: list[tuple[int, RateCardPrice]], periods: Periods) -> None:
    """The prices of one service follow each other without overlap and without gap."""
    for number, (index, price) in enumerate(own):
        for _, other in own[:number]:
            if overlap(other, price):
                message = f"is a second price of '{price.service}' beside {other.id} at one time"
                remedy = "End the one on the day on which the other begins."
                file.complain(("prices", index, "valid_from"), message, price.id, remedy)
        _check_gap(file, index, price, [other for _, other in own], periods)


def _check_gap(
    file: RuleFile,
    index: int,
    price: RateCardPrice,
    own: list[RateCardPrice],
    periods: Periods,
) -> None:
    """Between the end of a price and the begin of the next one no period is without a price."""
    start = price.valid_from
    ends = [other.valid_to for other in own if other.valid_to and start and other.valid_to < start]
    if not ends or start is None:
        return
    end = max(ends)
    empty = [
        period_id
        for period_id, day in periods
        if end <= day < start and not any(holds_on(other, day) for other in own)
    ]
    if empty:
        file.complain(
            ("prices", index, "valid_from"),
            f"leaves '{price.service}' without a price from {empty[0]} to {empty[-1]}",
            price.id,
            "Let it begin on the day on which the one before ends.",
            expected=f"valid_from {end}",
            found=str(start),
        )
