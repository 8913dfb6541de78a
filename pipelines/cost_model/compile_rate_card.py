"""Compile prices and policies into the tables that the build reads.

The one of rate_card.yml is empty without the file; every service has a policy.
"""

from __future__ import annotations

from pipelines.cost_model.compile_tagging import Row, Table
from pipelines.cost_model.rate_card import RateCard
from pipelines.cost_model.schema import Services

RATE = "decimal(28, 10)"


def compile_rate_card(rate_card: RateCard | None) -> Table:
    """One row per tier of each price; a price without tiers is a single one from 0 on."""
    columns = (
        "price_id varchar, service_id varchar, unit_code varchar, tier_mode varchar, "
        f"tier_number integer, from_quantity {RATE}, unit_price_rate {RATE}, "
        f"base_fee_amount {RATE}, peak_price_rate {RATE}, minimum_amount {RATE}, "
        f"maximum_amount {RATE}, source_name varchar, owner_name varchar, "
        "reason varchar, valid_from date, "
        "valid_to date, approved_by varchar, approved_on date"
    )
    rows: list[Row] = [
        (
            price.id,
            price.service,
            price.unit,
            price.tier_mode,
            number,
            tier.from_quantity,
            tier.price,
            price.base_fee,
            price.peak_price,
            price.minimum,
            price.maximum,
            price.source,
            price.owner,
            price.reason,
            price.valid_from,
            price.valid_to,
            price.approved_by,
            price.approved_on,
        )
        for price in (rate_card.prices if rate_card else [])
        for number, tier in enumerate(price.steps, start=1)
    ]
    return columns, rows


def compile_policies(services: Services) -> Table:
    """One row per policy of a service and span of time."""
    columns = (
        "service_id varchar, charging_policy varchar, percent decimal(28, 10), "
        "fixed_amount decimal(28, 2), fixed_per varchar, reason varchar, valid_from date, "
        "valid_to date, approved_by varchar, approved_on date"
    )
    rows: list[Row] = [
        (
            service.id,
            policy.kind,
            policy.percent,
            policy.amount,
            policy.per,
            policy.reason,
            policy.valid_from,
            policy.valid_to,
            policy.approved_by,
            policy.approved_on,
        )
        for service in services.services
        for policy in service.policy
    ]
    return columns, rows
