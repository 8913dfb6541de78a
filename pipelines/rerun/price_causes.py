"""The largest cause of the terms of a price, in a sentence: the line, and what it is charged by.

As in bridge_causes.py a sentence explains a term and is no term. Prices and quantities are those of
the rate card and of the lines; an average price is what the units cost by their number, without
base fees and bounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from pipelines.money import minor_unit_digits
from pipelines.rerun.bridge_terms import to_amount
from pipelines.rerun.charge_terms import BY_QUANTITY, PRICE_TERMS, Charge
from pipelines.rerun.netting import find_netted_line
from pipelines.warehouse.audit_prices import split_price

if TYPE_CHECKING:
    from pipelines.rerun.bill_states import LineKey
    from pipelines.rerun.bill_terms import BillTerms
    from pipelines.rerun.bridge_subject import Subject
    from pipelines.rerun.charge_facts import PeriodFacts

POLICY_WORDS = {
    "at_cost": "at cost",
    "showback": "shown only",
    "cost_plus": "cost with a mark-up",
    "rate": "by rate card",
    "market": "at a market price",
    "fixed": "an agreed amount",
}
SHOWN_DECIMALS = 4


class PriceCauses:
    """What the sentences have in common: terms, facts of both periods and how money is written."""

    def __init__(
        self,
        terms: BillTerms,
        facts: tuple[PeriodFacts, PeriodFacts],
        subject: Subject,
        names: Mapping[str, Mapping[str, str]],
        currency_code: str,
    ) -> None:
        self.terms = terms
        self.facts = facts
        self.subject = subject
        self.names = names
        self.currency_code = currency_code
        self.digits = minor_unit_digits(currency_code)

    def say_all(self) -> dict[str, str]:
        """By term; of volume and rate only where the line that has most of it has a price."""
        writers = {
            "policy": self._say_policy,
            "volume": self._say_volume,
            "rate": self._say_share,
            "price": self._say_price,
            "tiers": self._say_tiers,
            "peak": self._say_peak,
            "base_fee": self._say_fee,
            "bounds": self._say_bounds,
            "mark_up": self._say_mark_up,
        }
        found = {}
        for term, write in writers.items():
            line = find_netted_line(term, self.terms.charges, self.terms.netted)
            if line is not None and (term in PRICE_TERMS or line not in self.terms.following_cost):
                before, after = (item.find_charge(line) for item in self.facts)
                found[term] = self._prefix(line, term) + write(before, after, self._unit_of(line))
        return found

    def _say_policy(self, before: Charge, after: Charge, _: str) -> str:
        was, becomes = (
            POLICY_WORDS.get(item.policy.kind, item.policy.kind) for item in (before, after)
        )
        return f"{was} -> {becomes}"

    def _say_volume(self, before: Charge, after: Charge, unit: str) -> str:
        text = f"{_write(before.quantity)} -> {_write(after.quantity)} {unit}"
        kept = before if before.exists else after
        return f"{text} at {self._write_price(kept)}" if kept.policy.kind in BY_QUANTITY else text

    def _say_share(self, before: Charge, after: Charge, _: str) -> str:
        return f"all together use {_write_weight(before)} -> {_write_weight(after)}"

    def _say_price(self, before: Charge, after: Charge, unit: str) -> str:
        if after.policy.kind == "cost_plus":
            was, becomes = (_write(item.policy.percent or Decimal(0)) for item in (before, after))
            return f"{was} % -> {becomes} % on the cost"
        # Both at the use of now: what differs is the prices.
        old = Charge(before.policy, True, after.cost, after.quantity, after.peak)
        return f"{self._write_price(old)} -> {self._write_price(after)} per {unit}"

    def _say_tiers(self, before: Charge, after: Charge, unit: str) -> str:
        new = Charge(before.policy, True, after.cost, after.quantity, after.peak)
        return (
            f"an average {unit} costs {self._write_price(before)} -> {self._write_price(new)} at "
            f"{_write(before.quantity)} -> {_write(after.quantity)}"
        )

    def _say_peak(self, before: Charge, after: Charge, unit: str) -> str:
        peaks = (_write(Decimal(round(item.peak))) for item in (before, after))
        return f"{' -> '.join(peaks)} {unit} at peak"

    def _say_fee(self, before: Charge, after: Charge, _: str) -> str:
        fees = [
            self._write_money(_find_fee(item)) if item.exists else "none"
            for item in (before, after)
        ]
        return f"base fee or agreed amount {fees[0]} -> {fees[1]}"

    def _say_bounds(self, before: Charge, after: Charge, _: str) -> str:
        texts = (
            f"{to_amount(_find_bounds(item) * 10 ** (self.digits + 6), self.digits):+,}"
            for item in (before, after)
        )
        return f"minimum and maximum make {' -> '.join(texts)}"

    def _say_mark_up(self, before: Charge, after: Charge, _: str) -> str:
        policy = before.policy if before.policy.key == after.policy.key else after.policy
        return (
            f"{_write(policy.percent or Decimal(0))} % on a cost of "
            f"{before.cost:,} -> {after.cost:,}"
        )

    def _write_price(self, charge: Charge) -> str:
        """The average price of a unit, with as many decimals as say something."""
        card = charge.policy.card
        if card is None:
            return "no price"
        if charge.quantity:
            units = split_price(card, charge.quantity, charge.peak).units
            return self._write_money(units / Fraction(charge.quantity))
        return self._write_money(Fraction(card.tiers[0][1]))

    def _write_money(self, amount: Fraction) -> str:
        digits = max(self.digits, SHOWN_DECIMALS)
        found = to_amount(amount * 10 ** (digits + 6), digits)
        kept = found.quantize(Decimal(1).scaleb(-self.digits))
        return f"{kept if kept == found else found:,} {self.currency_code}"

    def _unit_of(self, line: LineKey) -> str:
        for item in reversed(self.facts):
            found = item.lines.get(line)
            if found is not None and found.unit_code:
                return found.unit_code
        return "unit"

    def _prefix(self, line: LineKey, term: str) -> str:
        """The line that is meant, unless the bill is of this line only."""
        wanted = self.subject.wanted
        places = (
            ("services", line[0], wanted.service_id),
            ("centres", line[1], wanted.cost_centre_id),
        )
        texts = [self.names[kind].get(item, item) for kind, item, own in places if own is None]
        amount = to_amount(self.terms.charges[line][term], self.digits)
        return f"{', '.join(texts)} {amount:+,}: " if texts else ""


def _find_fee(charge: Charge) -> Fraction:
    if charge.policy.card is not None:
        return Fraction(charge.policy.card.base_fee)
    return Fraction(charge.policy.fixed_amount or 0)


def _find_bounds(charge: Charge) -> Fraction:
    card = charge.policy.card
    if card is None or not charge.exists:
        return Fraction(0)
    return split_price(card, charge.quantity, charge.peak).bounds


def _write(value: Decimal) -> str:
    """Without needless zeros."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _write_weight(charge: Charge) -> str:
    total = charge.total_weight
    return _write(Decimal(total.numerator) / Decimal(total.denominator))
