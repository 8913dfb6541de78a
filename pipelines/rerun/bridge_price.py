"""What prices do to a bill beside the cost: one term more of a bridge, the last before rounding.

The terms of `explain` say why the cost of a bill changed. Where a service is charged at a price,
the bill is that price; it differs from the cost by what the price recovers above it. The term
`price` is that recovery now minus then, in the cents of the published lines: nothing is run again
for it, and at cost it is 0.00.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.rerun.bridge_terms import ROUNDING, TERMS, Part

if TYPE_CHECKING:
    from pipelines.rerun.bill_states import LineKey
    from pipelines.rerun.bridge_subject import Subject

PRICE = "price"

Recoveries = Mapping["LineKey", Decimal]


def sum_recoveries(recoveries: Recoveries) -> Decimal:
    """What prices recover above the cost of a bill."""
    return sum(recoveries.values(), Decimal(0))


def add_price(terms: Mapping[str, Decimal], price: Decimal, digits: int) -> dict[str, Decimal]:
    """The terms with that of the price before the rounding."""
    found = {name: amount for name, amount in terms.items() if name != ROUNDING}
    return found | {PRICE: price + Decimal(0).scaleb(-digits), ROUNDING: terms[ROUNDING]}


def add_price_to_parts(parts: list[Part], subject: Subject, place: int, digits: int) -> list[Part]:
    """The parts of a bridge (by service, `place` 0, or by cost centre, 1) with their prices; a part
    that has a price and no cost is added."""
    nothing = Decimal(0).scaleb(-digits)
    before, after = (_sum_by(bill.recoveries, place) for bill in (subject.before, subject.after))
    known = {part.part_id: part for part in parts}
    names = subject.part_names
    for item in sorted((before.keys() | after.keys()) - known.keys()):
        zeros = dict.fromkeys((*TERMS, ROUNDING), nothing)
        known[item] = Part(item, names.get(item, item), nothing, nothing, zeros)
    found = []
    for item, part in known.items():
        old, new = before.get(item, Decimal(0)), after.get(item, Decimal(0))
        terms = add_price(part.terms, new - old, digits)
        priced = replace(part, before=part.before + old, after=part.after + new, terms=terms)
        if priced.before or priced.after or any(terms.values()):
            found.append(priced)
    return sorted(found, key=lambda part: (-abs(part.change), part.part_id))


def say_price(subject: Subject) -> str:
    """The line whose price moves the bill most, with what it charged above its cost."""
    before, after = subject.before.recoveries, subject.after.recoveries
    changes = {
        line: after.get(line, Decimal(0)) - before.get(line, Decimal(0))
        for line in sorted(before.keys() | after.keys())
    }
    sign = -1 if sum(changes.values()) < 0 else 1
    line = max(changes, key=lambda item: sign * changes[item], default=None)
    if line is None or not changes[line]:
        return ""
    names = {item.line: item for item in subject.before.charges + subject.after.charges}
    charge = names[line]
    where = []
    if subject.wanted.service_id is None:
        where.append(charge.service_name)
    if subject.wanted.cost_centre_id is None:
        where.append(charge.cost_centre_name)
    prefix = f"{', '.join(where)} {changes[line]:+,}: " if where else ""
    was, becomes = (amounts.get(line, Decimal(0)) for amounts in (before, after))
    return f"{prefix}charged above its cost {was:+,.2f} -> {becomes:+,.2f}"


def _sum_by(recoveries: Recoveries, place: int) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for line, amount in recoveries.items():
        if amount:
            sums[line[place]] += amount
    return dict(sums)
