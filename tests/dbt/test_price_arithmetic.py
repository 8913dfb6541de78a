"""Prices as the SQL of the build makes them, against exact fractions, on drawn rate cards.

The published SQL of int_charges__prices is run on quantities and rate cards that were drawn: tiers
of both modes, quantities on their borders and a billionth beside them, credits, peaks, fees and
bounds, prices down to the tenth decimal.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from pipelines.rerun.engine import Rerun, Scope, open_rerun
from pipelines.warehouse.audit_prices import PriceTerms, price_quantity, round_half_away

from .golden import Golden

SEED = 30
SERVICES = 150
JANUARY = Scope("actual", "2026-01")
PRICES = "stops.int_charges__prices"


def draw_price(draw: random.Random) -> Decimal:
    """Zero, the smallest price, or one of any size."""
    size = draw.choice([0, 1, 4, 8, 12])
    return Decimal(draw.randrange(10**size + 1)).scaleb(-10)


def draw_terms(draw: random.Random) -> PriceTerms:
    starts = sorted(draw.sample(range(1, 1000), draw.randrange(4)))
    tiers = [(Decimal(start), draw_price(draw)) for start in (0, *starts)]
    base_fee = draw.choice([Decimal(0), draw_price(draw)])
    peak = draw.choice([None, draw_price(draw)])
    minimum = draw.choice([None, draw_price(draw)])
    least = base_fee if minimum is None else minimum
    maximum = draw.choice([None, least + draw_price(draw)])
    return PriceTerms(tiers, draw.random() < 0.5, base_fee, peak, minimum, maximum)


def draw_quantities(draw: random.Random, terms: PriceTerms) -> Iterator[tuple[Decimal, Decimal]]:
    """(quantity, peak): the borders of the tiers and what is just beside them, and others."""
    billionth = Decimal(1).scaleb(-12)
    for start, _ in terms.tiers:
        yield from ((start + step, Decimal(0)) for step in (-billionth, Decimal(0), billionth))
    for digits in (3, 9, 15, 18):
        quantity = Decimal(draw.randrange(1, 10**digits)).scaleb(-12) * draw.choice([1, 10**6])
        sign = draw.choice([1, -1])
        part = Decimal(draw.randrange(101)) / 100
        yield sign * quantity, sign * (quantity * part).quantize(billionth)


@pytest.fixture
def rerun(prices: Golden) -> Iterator[Rerun]:
    with open_rerun(prices.workspace, JANUARY) as found:
        yield found


def test_prices_are_those_of_exact_fractions(rerun: Rerun) -> None:
    draw = random.Random(SEED)
    cards = {f"s{number}": draw_terms(draw) for number in range(SERVICES)}
    uses = {
        (service, f"c{number}"): use
        for service, terms in cards.items()
        for number, use in enumerate(draw_quantities(draw, terms))
    }
    replace_inputs(rerun, cards, uses)
    rerun.run((PRICES,))
    found = rerun.connection.execute(
        f"select service_id, cost_centre_id, charged_cents, exact_parts from {PRICES}"
    ).fetchall()
    assert len(found) == len(uses) > 1000
    for service, centre, cents, parts in found:
        quantity, peak = uses[service, centre]
        exact = price_quantity(cards[service], quantity, peak)
        case = (service, centre, cards[service], quantity, peak)
        assert Fraction(int(parts), 10**22) == exact, case
        assert Decimal(int(cents)).scaleb(-2) == round_half_away(exact, 2), case


def replace_inputs(
    rerun: Rerun,
    cards: dict[str, PriceTerms],
    uses: dict[tuple[str, str], tuple[Decimal, Decimal]],
) -> None:
    """Services, prices and quantities that were drawn, in place of those of the workspace."""
    put(rerun, "drawn_services", "service_id varchar", [(service,) for service in cards])
    use_rows = [(*key, *use) for key, use in uses.items()]
    columns = "service_id varchar, centre_id varchar, quantity decimal(38, 12), "
    put(rerun, "drawn_use", columns + "peak decimal(38, 12)", use_rows)
    card_rows = [
        (service, terms.is_volume, number, start, price, *bounds_of(terms))
        for service, terms in cards.items()
        for number, (start, price) in enumerate(terms.tiers, start=1)
    ]
    rate = "decimal(28, 10)"
    columns = f"service_id varchar, is_volume boolean, number integer, start {rate}, price {rate}, "
    columns += f"base {rate}, peak {rate}, least {rate}, most {rate}"
    put(rerun, "drawn_cards", columns, card_rows)
    rerun.replace(
        "model.services",
        "select services.* replace (drawn.service_id as service_id) "
        "from (from {relation} where service_id = 'mail') as services "
        "cross join temp.main.drawn_services as drawn",
    )
    rerun.replace(
        "model.rate_card",
        "select card.* replace (drawn.service_id || '-price' as price_id, drawn.service_id as "
        "service_id, if(is_volume, 'volume', 'graduated') as tier_mode, number as tier_number, "
        "start as from_quantity, price as unit_price_rate, base as base_fee_amount, "
        "peak as peak_price_rate, least as minimum_amount, most as maximum_amount) "
        "from (from {relation} where price_id = 'bits') as card "
        "cross join temp.main.drawn_cards as drawn",
    )
    rerun.replace(
        "stops.int_charges__policies",
        "select policies.* replace (drawn.service_id as service_id) from "
        "(from {relation} where service_id = 'mail') as policies "
        "cross join temp.main.drawn_services as drawn",
    )
    rerun.replace(
        "stops.int_charges__quantities",
        "select model.* replace (drawn.service_id as service_id, drawn.centre_id as receiver_id, "
        "drawn.quantity as quantity) from (from {relation} where service_id = 'mail' limit 1) "
        "as model cross join temp.main.drawn_use as drawn",
    )
    rerun.replace(
        "metering.met_service_usage",
        "select usage.* replace (drawn.service_id as service_id, drawn.centre_id as receiver_id, "
        "drawn.quantity as quantity, drawn.peak as peak_quantity) from (from {relation} "
        "where service_id = 'mail' and period_id = '2026-01' limit 1) as usage "
        "cross join temp.main.drawn_use as drawn",
    )
    rerun.replace("stops.int_charges__lines", "from {relation} where false")


def bounds_of(terms: PriceTerms) -> tuple[Decimal | None, ...]:
    return (terms.base_fee, terms.peak_price, terms.minimum, terms.maximum)


def put(rerun: Rerun, name: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
    rerun.connection.execute(f"create or replace temp table {name} ({columns})")
    places = ", ".join("?" for _ in rows[0])
    rerun.connection.executemany(f"insert into temp.main.{name} values ({places})", rows)


def test_a_price_is_worked_out_by_hand() -> None:
    """What the drawn cases are compared with, on figures of the README of the golden workspace."""
    graduated = PriceTerms(
        [(Decimal(0), Decimal(4)), (Decimal(100), Decimal(3))], False, Decimal(10)
    )
    assert price_quantity(graduated, Decimal(100)) == 410
    assert price_quantity(graduated, Decimal(150)) == 560
    assert price_quantity(graduated, Decimal(0)) == 10
    assert price_quantity(graduated, Decimal(-150)) == 10 - 550
    tiers = [(Decimal(0), Decimal("0.5")), (Decimal(100), Decimal("0.4"))]
    volume = PriceTerms(tiers, True, minimum=Decimal(20), maximum=Decimal(45))
    assert price_quantity(volume, Decimal("99.5")) == 45
    assert price_quantity(volume, Decimal(100)) == 40
    assert price_quantity(volume, Decimal(3)) == 20
    assert price_quantity(volume, Decimal(0)) == 0
    peak = PriceTerms([(Decimal(0), Decimal("0.1"))], peak_price=Decimal("0.25"))
    assert price_quantity(peak, Decimal(1000), Decimal(400)) == 160
