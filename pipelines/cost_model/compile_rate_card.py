"""Compile rate_card.yml into the table that the build reads; it is empty without the file."""

from __future__ import annotations

from pipelines.cost_model.compile_tagging import Row, Table
from pipelines.cost_model.rate_card import RateCard

RATE = "decimal(28, 10)"


def compile_rate_card(rate_card: RateCard | None) -> Table:
    """One row per tier of each price; a price without tiers is a single one from 0 on."""
    columns = (
        "price_id varchar, service_id varchar, unit_code varchar, tier_mode varchar, "
        f"tier_number integer, from_quantity {RATE}, unit_price_rate {RATE}, "
        f"base_fee_amount {RATE}, owner_name varchar, reason varchar, valid_from date, "
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
