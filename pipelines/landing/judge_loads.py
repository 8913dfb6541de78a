"""Judge loads of one source by every period and currency that they would change.

What is compared is what would count: under `append` the sum of all files of a month, where a file
replaces others, that file alone. It is compared with what counts in other months, and with what it
replaces. Months of the loads that proved near are what later ones are compared with, so that a
year in one file is judged month by month; two months that are wrong alike do not vouch for each
other.

Less than elsewhere says nothing of a period that may be incomplete: the running one, one of which
a file holds only some lines, and one that has fewer files yet than the others have.

Of a currency that is a small part of its source (few records) only tenfold differences count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from pipelines.landing.compare_periods import (
    ORDER_OF_MAGNITUDE,
    Doubt,
    Reference,
    compare_totals,
    find_doubt,
    find_other_currency,
    list_references,
)
from pipelines.landing.period_totals import (
    Key,
    LoadTotals,
    PeriodTotal,
    Totals,
    add_totals,
)
from pipelines.money import minor_unit_digits

LEAST_FIRST_RECORDS = 2
"""Records from which on a first delivery without any decimals is asked about."""
SMALL_SHARE = Decimal("0.05")
NOTHING = PeriodTotal()


@dataclass(frozen=True)
class Measure:
    """What a source is judged by."""

    factor: Decimal
    """How many times the smaller of two periods the larger one may be."""
    running_period: str = ""
    few_records: int = 5
    """A currency with fewer records in a period, and a twentieth of them, is a small part."""
    asks_about_whole_amounts: bool = True


@dataclass(frozen=True)
class Surroundings:
    """What loads are judged against."""

    counting: Totals
    """What counts, without what the loads replace."""
    beside: Totals = field(default_factory=dict)
    """In a backfill, the files that are not judged yet."""
    replaced: Totals = field(default_factory=dict)
    is_backfill: bool = False


def find_doubts(
    loads: Sequence[LoadTotals], around: Surroundings, measure: Measure
) -> dict[Key, Doubt]:
    """By period and currency, what is doubtful of loads if they count together; the largest
    amount first."""
    case = _Case(loads, around, measure)
    found: dict[Key, Doubt] = {}
    for key in sorted({*case.own, *around.replaced}):
        doubt = case.judge(key)
        if doubt is not None:
            found[key] = doubt
        elif key[1] in case.codes_before:
            case.known[key] = case.after.get(key, NOTHING)
    return dict(sorted(found.items(), key=lambda item: -case.after.get(item[0], NOTHING).gross))


class _Case:
    """Loads that are judged together, and all that is known while they are."""

    def __init__(self, loads: Sequence[LoadTotals], around: Surroundings, measure: Measure) -> None:
        self.around, self.measure = around, measure
        self.own = add_totals(loads)
        self.after = _add(around.counting, self.own)
        self.known = _add(around.counting, around.beside)
        self.codes_before = {code for (_, code), total in self.known.items() if total.gross}
        self.own_periods = {period for load in loads for period in load.own_periods}
        self.are_whole = all(load.are_amounts_whole for load in loads)

    def judge(self, key: Key) -> Doubt | None:
        """What is doubtful of one period and currency."""
        period, code = key
        total = self.after.get(key, NOTHING)
        others = {other: value for other, value in self.known.items() if other != key}
        references = list_references(others, period, code)
        replaced = self.around.replaced.get(key, NOTHING)
        if not references and not replaced.gross:
            return self._judge_first(key, total)
        factor = self.measure.factor
        if self.around.is_backfill and references and _are_all_later(references, period):
            # The first of two is taken as right, unless one of them is out by a decimal place.
            factor = max(factor, ORDER_OF_MAGNITUDE)
        if self._is_small_part(key, total):
            # Few records move far, and turn their sign.
            factor = max(factor, ORDER_OF_MAGNITUDE)
            total, *rest = (_without_sign(t) for t in (total, *(r.total for r in references)))
            references = [Reference(r.name, t) for r, t in zip(references, rest, strict=True)]
        may_be_lower = self._may_be_incomplete(period, total, references)
        if replaced.gross:
            references.insert(0, Reference(f"{period} as delivered before", replaced))
            may_be_lower &= compare_totals(total, replaced, factor) != "lower"
        doubt = find_doubt(period, code, total, references, factor, may_be_lower=may_be_lower)
        if doubt is None and code not in self.codes_before and total.gross:
            return find_other_currency(period, code, total, self._all_known(), factor)
        return doubt

    def _judge_first(self, key: Key, total: PeriodTotal) -> Doubt | None:
        """Without another delivery to compare with: against the rest of its own file, against
        other currencies, and by how its amounts are written."""
        period, code = key
        if not total.gross:
            return None
        doubt = self._compare_within(key, total)
        is_first = self.around.is_backfill and not any(p < period for p, _ in self._all_known())
        if doubt is None and not is_first:
            known = self._all_known()
            doubt = find_other_currency(period, code, total, known, self.measure.factor)
        return doubt or self._find_whole_amounts(key, total)

    def _compare_within(self, key: Key, total: PeriodTotal) -> Doubt | None:
        """Against the other months of the same file, by a wide limit and by record too: a month
        with a hundred times the records is no month in cents."""
        period, code = key
        if period not in self.own_periods:
            return None
        own = {k: v for k, v in self.own.items() if k != key and k[0] in self.own_periods}
        references = list_references(own, period, code)
        if _are_all_later(references, period):
            # The first month is what the second one is compared with.
            return None
        are_few = all(t.records < self.measure.few_records for t in _list_totals(references))
        if are_few and len(references) == 1:
            # A single month of a few records says nothing of what a month holds.
            return None
        are_few &= total.records < self.measure.few_records
        if are_few and not _agree(references, self.measure.factor):
            return None
        factor = max(self.measure.factor, ORDER_OF_MAGNITUDE)
        doubt = find_doubt(period, code, total, references, factor)
        if doubt is None or doubt.kind == "turned":
            # A refund may be all that a month of a few records has.
            return None if are_few else doubt
        means = [Reference(item.name, _mean(item.total)) for item in references]
        return doubt if find_doubt(period, code, _mean(total), means, factor) else None

    def _find_whole_amounts(self, key: Key, total: PeriodTotal) -> Doubt | None:
        period, code = key
        is_asked = self.measure.asks_about_whole_amounts and self.are_whole
        if not is_asked or total.records < LEAST_FIRST_RECORDS or not minor_unit_digits(code):
            return None
        return Doubt(
            "whole",
            f"{period} has {total.gross:,.2f} {code} of absolute amounts, none of its "
            f"{total.records:,} amounts has decimals and nothing was delivered before to compare "
            f"with: are they in {code}, and not in its cents?",
        )

    def _may_be_incomplete(
        self, period: str, total: PeriodTotal, references: Sequence[Reference]
    ) -> bool:
        if period not in self.own_periods or period == self.measure.running_period:
            return True
        return total.files < max((item.total.files for item in references), default=0)

    def _is_small_part(self, key: Key, total: PeriodTotal) -> bool:
        if total.records >= self.measure.few_records:
            return False
        beside = [value for (period, _), value in self.after.items() if period == key[0]]
        records = sum(value.records for value in beside)
        gross = sum((value.gross for value in beside), Decimal(0))
        return total.records < records * SMALL_SHARE and total.gross < 2 * gross * SMALL_SHARE

    def _all_known(self) -> Totals:
        return {**self.known, **self.after}


def _are_all_later(references: Sequence[Reference], period: str) -> bool:
    return all(item.name > period for item in references)


def _list_totals(references: Sequence[Reference]) -> list[PeriodTotal]:
    return [item.total for item in references]


def _agree(references: Sequence[Reference], factor: Decimal) -> bool:
    """Whether months are all about as large as each other."""
    sizes = [total.gross for total in _list_totals(references)]
    return max(sizes) <= min(sizes) * factor


def _without_sign(total: PeriodTotal) -> PeriodTotal:
    return replace(total, amount=Decimal(0))


def _mean(total: PeriodTotal) -> PeriodTotal:
    return PeriodTotal(1, Decimal(0), total.gross / max(total.records, 1))


def _add(totals: Totals, more: Totals) -> Totals:
    added = {key: totals.get(key, NOTHING) + total for key, total in more.items()}
    return {**totals, **added}
