"""Terms of a bridge as money: from exact engine units to cents that sum to the change of the bills.

Pure functions on numbers. A term becomes cents once, rounded half away from zero. The bills were
rounded line by line; what that makes of the sum is the term `rounding`, which is bounded. Parts of
a bill (its services, or the consumers of a service) share out the cents of a term by largest
remainder, so that a table of parts sums to the bridge in each column and in each row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from pipelines.errors import ControlError
from pipelines.money import ENGINE_DIGITS

if TYPE_CHECKING:
    from pipelines.rerun.bill_states import LineKey

TERMS = ("restatement", "rules", "organisation", "pool_cost", "volume", "rate", "mix")
"""In the order of the swaps."""
ROUNDING = "rounding"


@dataclass(frozen=True)
class Part:
    """A service of a consumer's bill or a consumer of a service, with its own terms."""

    part_id: str
    name: str
    before: Decimal
    after: Decimal
    terms: dict[str, Decimal]
    """With `rounding`; they sum to the change."""

    @property
    def change(self) -> Decimal:
        return self.after - self.before


def make_terms(
    lines: Iterable[Mapping[str, Fraction]],
    before: Mapping[LineKey, Decimal],
    after: Mapping[LineKey, Decimal],
    digits: int,
    names: Sequence[str] = TERMS,
) -> tuple[dict[str, Decimal], Decimal, Decimal]:
    """Terms in the currency with their rounding, and the two bills."""
    sums: dict[str, Fraction] = defaultdict(Fraction)
    for line in lines:
        for term, units in line.items():
            sums[term] += units
    old, new = (sum(bill.values(), Decimal(0).scaleb(-digits)) for bill in (before, after))
    terms = {term: to_amount(sums[term], digits) for term in names}
    terms[ROUNDING] = new - old - sum(terms.values())
    # A bill line is less than two minor units away from its engine units, a term half of one.
    most = Decimal(2 * (len(before) + len(after)) + len(names)).scaleb(-digits)
    if abs(terms[ROUNDING]) > most:
        raise ControlError(
            f"the terms of the bridge do not tie: expected {new - old} up to a rounding of "
            f"{most}, found {terms[ROUNDING]} more. This is a defect, please report it."
        )
    return terms, old, new


def to_amount(units: Fraction, digits: int) -> Decimal:
    """Engine units as an amount, rounded half away from zero to the minor unit."""
    minor = abs(units) / 10**ENGINE_DIGITS
    whole = (2 * minor.numerator + minor.denominator) // (2 * minor.denominator)
    return Decimal(whole if units >= 0 else -whole).scaleb(-digits)


def make_parts(
    lines: Mapping[LineKey, Mapping[str, Fraction]],
    bills: tuple[Mapping[LineKey, Decimal], Mapping[LineKey, Decimal]],
    terms: Mapping[str, Decimal],
    names: Mapping[str, str],
    place: int,
    digits: int,
) -> list[Part]:
    """The terms by service (`place` 0) or cost centre (1) of lines; they sum to `terms`, whose
    names but for the rounding are those of the lines."""
    shown = [term for term in terms if term != ROUNDING]
    units: dict[str, dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    for line, own in lines.items():
        for term, amount in own.items():
            units[line[place]][term] += amount
    old, new = (_sum_by(bill, place, digits) for bill in bills)
    ids = sorted(units.keys() | old.keys() | new.keys())
    shares = {
        term: _share_out([units[item][term] for item in ids], terms[term], digits) for term in shown
    }
    nothing = Decimal(0).scaleb(-digits)
    parts = []
    for number, item in enumerate(ids):
        before, after = old.get(item, nothing), new.get(item, nothing)
        own_terms = {term: shares[term][number] for term in shown}
        own_terms[ROUNDING] = after - before - sum(own_terms.values())
        if before or after or any(own_terms.values()):
            parts.append(Part(item, names.get(item, item), before, after, own_terms))
    return sorted(parts, key=lambda part: (-abs(part.change), part.part_id))


def _share_out(units: Sequence[Fraction], total: Decimal, digits: int) -> list[Decimal]:
    """Round down, and hand the minor units that are open to those that lost most."""
    minor = [amount / 10**ENGINE_DIGITS for amount in units]
    floors = [amount.numerator // amount.denominator for amount in minor]
    open_units = int(total.scaleb(digits)) - sum(floors)
    order = sorted(range(len(units)), key=lambda item: (floors[item] - minor[item], item))
    for item in order[:open_units]:
        floors[item] += 1
    return [Decimal(amount).scaleb(-digits) for amount in floors]


def _sum_by(bill: Mapping[LineKey, Decimal], place: int, digits: int) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(lambda: Decimal(0).scaleb(-digits))
    for line, amount in bill.items():
        sums[line[place]] += amount
    return sums
