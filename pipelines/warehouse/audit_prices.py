"""Audit the prices of a build: every priced charge line worked out again, in Python.

The build prices in SQL, in integers; this prices the published lines one by one in fractions, from
the compiled rate card and the quantities that stand on the lines, so that one mistake cannot be
made on both sides. What a line is charged is defined here in so many words:

- `rate`, `market`: base fee + what is used off peak through the tiers + what is used at peak at its
  price; at least the minimum where something was used, at most the maximum. A negative quantity is
  worth what the same use would cost.
- `cost_plus`: the cost of the line in cents and its percentage.
- `fixed` per consumer: the amount. Per period: shares that sum to the amount, if anybody has one.

Cents are made once per line, half away from zero. Limit: which consumers have a line is not looked
at here; that is compared by the dbt tests.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from pipelines.errors import ControlError

if TYPE_CHECKING:
    import duckdb

SHOWN = 10


@dataclass(frozen=True)
class PriceTerms:
    """A price of the rate card; `tiers` are (from quantity, price of a unit), the first from 0."""

    tiers: Sequence[tuple[Decimal, Decimal]]
    is_volume: bool = False
    base_fee: Decimal = Decimal(0)
    peak_price: Decimal | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None


@dataclass(frozen=True)
class PriceParts:
    """What the price of a quantity is made of; the three sum to it."""

    base_fee: Fraction
    units: Fraction
    """What is used off peak through the tiers, and what is used at peak."""
    bounds: Fraction
    """What the minimum adds, or the maximum takes away."""

    @property
    def total(self) -> Fraction:
        return self.base_fee + self.units + self.bounds


def split_price(
    terms: PriceTerms, quantity: Decimal | Fraction, peak: Decimal | Fraction = Decimal(0)
) -> PriceParts:
    """The exact price of a quantity by its parts, of which `peak` was used at peak."""
    at_peak = Fraction(peak) if terms.peak_price is not None else Fraction(0)
    units = _price_tiers(terms, Fraction(quantity) - at_peak)
    if terms.peak_price is not None:
        units += at_peak * Fraction(terms.peak_price)
    base = Fraction(terms.base_fee)
    amount = base + units
    if terms.minimum is not None and quantity > 0:
        amount = max(amount, Fraction(terms.minimum))
    if terms.maximum is not None:
        amount = min(amount, Fraction(terms.maximum))
    return PriceParts(base, units, amount - base - units)


def price_quantity(terms: PriceTerms, quantity: Decimal, peak: Decimal = Decimal(0)) -> Fraction:
    """The exact price of a quantity, of which `peak` was used at peak."""
    return split_price(terms, quantity, peak).total


def _price_tiers(terms: PriceTerms, quantity: Fraction) -> Fraction:
    size = abs(quantity)
    sign = -1 if quantity < 0 else 1
    if terms.is_volume:
        reached = [price for start, price in terms.tiers if Fraction(start) <= size]
        return sign * size * Fraction(reached[-1])
    ends = [Fraction(start) for start, _ in terms.tiers[1:]] + [size]
    parts = (
        max(min(size, end) - Fraction(start), Fraction(0)) * Fraction(price)
        for (start, price), end in zip(terms.tiers, ends, strict=True)
    )
    return sign * sum(parts, Fraction(0))


def round_half_away(amount: Fraction, digits: int) -> Decimal:
    """An exact amount in minor units."""
    scaled = abs(amount) * 10**digits
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole if amount >= 0 else -whole).scaleb(-digits)


def audit_prices(connection: duckdb.DuckDBPyConnection) -> None:
    """Compare every priced line with its price. Raises ControlError with the lines that differ."""
    (digits,) = connection.execute("select minor_unit_digits from model.settings").fetchall()[0]
    terms = read_price_terms(connection)
    problems: list[str] = []
    shared: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    agreed: dict[tuple[Any, ...], Decimal] = {}
    for row in connection.execute(_LINES).fetchall():
        (
            scenario,
            period,
            service,
            centre,
            kind,
            percent,
            fixed,
            per,
            quantity,
            cost,
            found,
            peak,
        ) = row
        if kind == "fixed" and per == "period":
            shared[scenario, period, service] += found
            agreed[scenario, period, service] = fixed
            continue
        if kind == "cost_plus":
            exact = Fraction(cost) * (100 + Fraction(percent)) / 100
        elif kind == "fixed":
            exact = Fraction(fixed)
        else:
            exact = price_quantity(terms[service, period], quantity or Decimal(0), peak)
        expected = round_half_away(exact, digits)
        if expected != found:
            problems.append(
                f"{scenario} {period} {service} {centre}: priced {expected}, charged {found}"
            )
    for key, total in shared.items():
        if total and total != round_half_away(Fraction(agreed[key]), digits):
            problems.append(f"{' '.join(key)}: agreed {agreed[key]}, charged {total} in all")
    if problems:
        raise ControlError(
            f"{len(problems)} charges are not what their price says; nothing was published:\n  "
            + "\n  ".join(problems[:SHOWN])
        )


_LINES = """
with peaks as (
    select usage._scenario_id as scenario_id, usage.period_id, usage.service_id,
        usage.receiver_id as cost_centre_id, sum(usage.peak_quantity) as peak_quantity
    from lake.service_usage as usage
    inner join model.services as services using (service_id, unit_code)
    inner join model.drivers as drivers
        on services.driver_id = drivers.driver_id and drivers.driver_kind = 'service_usage'
    where usage.receiver_kind = 'consumer' and usage.peak_quantity is not null
    group by all
)
select charges.scenario_id, charges.period_id, charges.service_id, charges.cost_centre_id,
    charges.charging_policy, policies.percent, policies.fixed_amount, policies.fixed_per,
    charges.quantity, charges.cost_amount, charges.charged_amount, coalesce(peak_quantity, 0)
from marts.fct_charges_monthly as charges
inner join model.periods as periods on charges.period_id = periods.period_id
inner join model.service_policies as policies
    on charges.service_id = policies.service_id
    and coalesce(policies.valid_from, date '0001-01-01') <= periods.period_start
    and periods.period_start < coalesce(policies.valid_to, date '9999-12-31')
left join peaks
    on charges.scenario_id = peaks.scenario_id and charges.period_id = peaks.period_id
    and charges.service_id = peaks.service_id and charges.cost_centre_id = peaks.cost_centre_id
where charges.disposition = 'allocated'
    and policies.charging_policy not in ('at_cost', 'showback')
order by all
"""


def read_price_terms(
    connection: duckdb.DuckDBPyConnection, catalogue: str = ""
) -> dict[tuple[str, str], PriceTerms]:
    """The price of each service in each period that has one; of another catalogue 'name.'."""
    rows = connection.execute(
        "select rate_card.service_id, periods.period_id, rate_card.from_quantity, "
        "rate_card.unit_price_rate, rate_card.tier_mode, rate_card.base_fee_amount, "
        "rate_card.peak_price_rate, rate_card.minimum_amount, rate_card.maximum_amount "
        f"from {catalogue}model.rate_card as rate_card "
        f"inner join {catalogue}model.periods as periods "
        "on coalesce(rate_card.valid_from, date '0001-01-01') <= periods.period_start "
        "and periods.period_start < coalesce(rate_card.valid_to, date '9999-12-31') "
        "order by rate_card.service_id, periods.period_id, rate_card.tier_number"
    ).fetchall()
    found: dict[tuple[str, str], PriceTerms] = {}
    for service, period, start, price, mode, *bounds in rows:
        before = found.get((service, period))
        tiers = [*(before.tiers if before else ()), (start, price)]
        found[service, period] = PriceTerms(tiers, mode == "volume", *bounds)
    return found
