"""Propose a price for a year: planned cost over planned volume, and where it breaks even.

Planned cost is that of the budget on the charge lines of a service's consumers, planned volume the
quantity on the same lines, over the periods of the fiscal year that have a budget. The price is
rounded to a few significant digits, half away from zero; what the rounding over- or under-recovers
at the planned volume is said. Break-even is the volume at which price x volume covers fixed cost +
variable cost per unit x volume. Variable is what pool rules declare to be so, in the proportion
that it has in the service's full cost; all else counts as fixed, so that a company that declares
nothing gets planned cost / price.

Assumes that the budget is published. Limits: a line without a quantity (a consumer that is named by
a tag) is in the cost and not in the volume. Where the budget plans no use, it stands on the actual
use of the same period or the latest one before.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from pipelines.cost_model.policies import PRICE_DECIMALS
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from datetime import date

    import duckdb

CENT = Decimal("0.01")
DEFAULT_DIGITS = 3


@dataclass(frozen=True)
class RateProposal:
    """A service with its proposed price. Amounts are in the reporting currency."""

    service_id: str
    service_name: str
    unit_code: str
    charging_policy: str
    period_count: int
    planned_cost: Decimal
    planned_volume: Decimal
    fixed_cost: Decimal
    planned_unit_cost: Decimal
    """Planned cost per unit, with ten decimals."""
    price: Decimal
    """The same, rounded: what is proposed."""
    planned_recovery: Decimal
    """What the rounded price charges above the planned cost, at the planned volume."""
    break_even_volume: Decimal | None
    """None where the price does not even cover the variable cost of a unit."""


@dataclass(frozen=True)
class RateProposals:
    """All proposals of a fiscal year, most cost first."""

    fiscal_year: int
    run_id: str
    currency_code: str
    first_day: date
    day_after: date
    proposals: list[RateProposal]


def propose_rates(
    connection: duckdb.DuckDBPyConnection,
    fiscal_year: int,
    *,
    services: tuple[str, ...] = (),
    digits: int = DEFAULT_DIGITS,
) -> RateProposals:
    """Prices for `services`, or for all that have a planned volume. `connection` reads what is
    published. Raises UsageError for a year without budget and for a service without volume."""
    span = connection.execute(
        "select min(period_start), max(period_end) from model.periods where fiscal_year = ?",
        [fiscal_year],
    ).fetchone()
    rows = connection.execute(_PLANNED, [fiscal_year]).fetchall()
    if span is None or span[0] is None or not rows:
        raise UsageError(
            f"no budget is published for the fiscal year {fiscal_year}. Deliver one, let the "
            "calendar of apportion.yml hold its periods, and run 'apportion build'."
        )
    known = {row[0] for row in rows}
    if missing := sorted(set(services) - known):
        raise UsageError(
            f"no planned volume of {', '.join(missing)} in {fiscal_year}; there is one of "
            f"{', '.join(sorted(known))}"
        )
    run = connection.execute("select run_id, currency_code from dim_run").fetchone()
    assert run is not None
    found = [_propose(row, digits) for row in rows if not services or row[0] in services]
    return RateProposals(fiscal_year, run[0], run[1], span[0], span[1], found)


_PLANNED = """
with planned as (
    select
        charges.service_id,
        any_value(charges.service_name) as service_name,
        max(charges.unit_code) as unit_code,
        arg_max(charges.charging_policy, charges.period_id) as charging_policy,
        count(distinct charges.period_id) as period_count,
        sum(charges.cost_amount) as cost_amount,
        sum(charges.quantity) as quantity
    from fct_charges_monthly as charges
    inner join model.periods as periods using (period_id)
    where charges.scenario_id = 'budget' and charges.disposition = 'allocated'
        and periods.fiscal_year = $1
    group by charges.service_id
    having sum(charges.quantity) > 0
),

behaviours as (
    select
        behaviours.service_id,
        sum(behaviours.joint_units) as joint_units,
        sum(joint_units - fixed_units - undeclared_units) as variable_units
    from fairness.int_fairness__services as behaviours
    inner join model.periods as periods using (period_id)
    where behaviours.scenario_id = 'budget' and periods.fiscal_year = $1
    group by behaviours.service_id
)

select planned.*, coalesce(joint_units, 0), coalesce(variable_units, 0)
from planned
left join behaviours using (service_id)
order by planned.cost_amount desc, planned.service_id
"""


def _propose(row: tuple[object, ...], digits: int) -> RateProposal:
    service_id, name, unit, policy, periods, cost, volume, joint, variable = row
    planned_cost, planned_volume = Decimal(str(cost)), Decimal(str(volume))
    exact = Fraction(planned_cost) / Fraction(planned_volume)
    rate = round_rate(exact, digits)
    share = Fraction(int(str(variable)), int(str(joint))) if int(str(joint)) > 0 else Fraction(0)
    # A credit may make more of the cost variable than there is, or less than nothing.
    variable_cost = Fraction(planned_cost) * min(max(share, Fraction(0)), Fraction(1))
    fixed_cost = Fraction(planned_cost) - variable_cost
    margin = Fraction(rate) - variable_cost / Fraction(planned_volume)
    recovery = Fraction(rate) * Fraction(planned_volume) - Fraction(planned_cost)
    return RateProposal(
        str(service_id),
        str(name),
        str(unit),
        str(policy),
        int(str(periods)),
        planned_cost,
        planned_volume,
        _round(fixed_cost, 2),
        _round(exact, PRICE_DECIMALS),
        rate,
        _round(recovery, 2),
        _round_up(fixed_cost / margin) if margin > 0 else None,
    )


def round_rate(exact: Fraction, digits: int) -> Decimal:
    """A price with `digits` significant digits, half away from zero, in at most ten decimals."""
    if exact <= 0:
        return Decimal("0.00")
    first = _round(exact, PRICE_DECIMALS).adjusted()
    decimals = min(max(digits - 1 - first, 0), PRICE_DECIMALS)
    if first >= digits:
        unit = Decimal(10) ** (first - digits + 1)
        return _round(exact / Fraction(unit), 0) * unit
    return _round(exact, decimals)


def _round(value: Fraction, decimals: int) -> Decimal:
    """Half away from zero."""
    scaled = abs(value) * 10**decimals
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole if value >= 0 else -whole).scaleb(-decimals)


def _round_up(value: Fraction) -> Decimal:
    """With two decimals: at the volume that is said, the cost is covered."""
    scaled = value * 100
    return Decimal(-(-scaled.numerator // scaled.denominator)).scaleb(-2)


def write_rate_card(found: RateProposals) -> str:
    """The proposals as entries of `prices` in rate_card.yml, without an approval."""
    lines = []
    for item in found.proposals:
        reason = (
            f"Planned cost {item.planned_cost:,.2f} {found.currency_code} / planned volume "
            f"{write_volume(item.planned_volume)} {item.unit_code} of {found.fiscal_year}, rounded."
        )
        lines += [
            f"  - id: {item.service_id}-{found.fiscal_year}",
            f"    service: {item.service_id}",
            f"    unit: {item.unit_code}",
            f'    price: "{item.price:f}"',
            f"    valid_from: {found.first_day}",
            f"    valid_to: {found.day_after}",
            f"    reason: {reason}",
        ]
    return "\n".join(lines)


def write_volume(volume: Decimal) -> str:
    """With thousands separators, without needless zeros, at most two decimals."""
    text = f"{volume.quantize(CENT, rounding=ROUND_HALF_UP):,f}"
    return text.rstrip("0").rstrip(".")
