"""Check that each service has one policy in every period, and that its policy has its price.

A period of the calendar may have actual figures or planned ones; a service that is charged by the
rate card needs a price in each of them, else there would be a bill without an amount.
"""

from __future__ import annotations

from datetime import date

from pipelines.cost_model.policies import BY_RATE_CARD, Policy
from pipelines.cost_model.rate_card import RateCard, RateCardPrice
from pipelines.cost_model.reference_checks import RuleFile
from pipelines.cost_model.rule_order import Periods
from pipelines.cost_model.rule_spans import holds_on, overlap
from pipelines.cost_model.schema import Service, Services
from pipelines.cost_model.splits import find_driver
from pipelines.workspace.yaml_files import Path_


def check_policies(
    file: RuleFile, services: Services, rate_card: RateCard | None, periods: Periods
) -> None:
    """Collect in `file` (services.yml) overlaps, gaps, and policies that lack a price."""
    prices: dict[str, list[RateCardPrice]] = {}
    for price in rate_card.prices if rate_card else []:
        prices.setdefault(price.service, []).append(price)
    for index, service in enumerate(services.services):
        # Policies that could not be read were complained about.
        if service.policy:
            place: Path_ = ("services", index, "policy")
            _check_times(file, place, service, periods)
            for number, policy in enumerate(service.policy):
                own = (*place, number)
                _check_price(file, own, service, policy, prices.get(service.id, []), periods)


def _check_times(file: RuleFile, place: Path_, service: Service, periods: Periods) -> None:
    for number, policy in enumerate(service.policy):
        if any(overlap(other, policy) for other in service.policy[:number]):
            file.complain(
                (*place, number),
                f"a second policy, {policy.kind}, holds beside another one at one time",
                service.id,
                "End the one on the day on which the other begins.",
            )
    empty = [
        period_id
        for period_id, day in periods
        if not any(holds_on(policy, day) for policy in service.policy)
    ]
    if empty:
        file.complain(
            place,
            f"has no policy from {empty[0]} to {empty[-1]}",
            service.id,
            "Let one of its policies hold then, such as {kind: at_cost, valid_to: ...}.",
            expected="one policy in every period of the calendar",
            found="none",
        )


def _check_price(
    file: RuleFile,
    place: Path_,
    service: Service,
    policy: Policy,
    prices: list[RateCardPrice],
    periods: Periods,
) -> None:
    """A policy by the rate card has a price in every period, and a quantity to multiply it by."""
    if policy.kind not in BY_RATE_CARD:
        return
    if not _has_driver(service):
        file.complain(
            place,
            f"the policy {policy.kind} prices a quantity, and no driver counts one",
            service.id,
            "Name a driver in the unit of the service, or charge it by the policy fixed.",
        )
    held = [(period_id, day) for period_id, day in periods if holds_on(policy, day)]
    empty = [period_id for period_id, day in held if not _find_price(prices, day)]
    if empty:
        file.complain(
            place,
            f"the policy {policy.kind} has no price from {empty[0]} to {empty[-1]}",
            service.id,
            f"Add a price of '{service.id}' to rate_card.yml, or let the policy begin later.",
            expected=f"a price per {service.unit} in rate_card.yml in every period",
            found="none",
        )
    found = {item.id for _, day in held if (item := _find_price(prices, day)) and not item.source}
    if policy.kind == "market" and found:
        file.complain(
            place,
            f"the policy market is charged by {', '.join(sorted(found))}, whose price has no "
            "source",
            service.id,
            "Say in rate_card.yml with 'source' whose price it is and of when, or use the policy "
            "rate.",
        )


def _has_driver(service: Service) -> bool:
    if service.split is None:
        return service.driver is not None
    part = find_driver(service.split)
    return part is not None and part.driver is not None


def _find_price(prices: list[RateCardPrice], day: date) -> RateCardPrice | None:
    return next((price for price in prices if holds_on(price, day)), None)
