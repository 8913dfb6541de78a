"""Compare the money of a period with other periods of its source, and say what is far from them.

Two periods are near each other where the larger one is at most the declared percentage above the
smaller one, in gross amounts (so that credits do not hide costs), and the sign of the net total is
the same wherever both nets are most of their gross. A period is doubtful where it is near none of
those it is compared with: the two periods before, the one after, the same month a year before, and
what it replaces. So a bonus that comes every December, or the month after one that stood out, is
nothing to ask about; a file in cents, half a month or credits as costs is.

Currencies are compared each with its own. An amount of a currency that is new to the source, as
large as what another currency had and now has no more, is doubtful too.

Known limits: growth beyond the percentage from one month to the next is asked about, real or not.
Without anything to compare with, only amounts that are all written without decimals are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pipelines.landing.period_totals import PeriodTotal, Totals

Verdict = Literal["near", "higher", "lower", "turned"]
DoubtKind = Literal["higher", "lower", "turned", "currency", "whole"]

ONE_SIDED = Decimal("0.5")
"""A net total of more than this share of the gross has a sign that says something."""
ALL_OF_IT = Decimal("0.9")
ORDER_OF_MAGNITUDE = Decimal(10)
HUNDREDFOLD = (Decimal(80), Decimal(125))
HALF = (Decimal("1.7"), Decimal("2.4"))
BEFORE, AFTER = 2, 1


@dataclass(frozen=True)
class Reference:
    """What a period is compared with."""

    name: str
    total: PeriodTotal


@dataclass(frozen=True)
class Doubt:
    """What is doubtful of a period and currency, in a sentence."""

    kind: DoubtKind
    text: str


def factor_of(percent: Decimal) -> Decimal:
    """How many times the smaller of two near periods the larger one may be."""
    return 1 + percent / 100


def compare_totals(own: PeriodTotal, other: PeriodTotal, factor: Decimal) -> Verdict:
    """Where a total stands against another one that is not nothing."""
    if own.gross > other.gross * factor:
        return "higher"
    if own.gross * factor < other.gross:
        return "lower"
    share, other_share = own.amount / own.gross, other.amount / other.gross
    if min(abs(share), abs(other_share)) > ONE_SIDED and (share > 0) != (other_share > 0):
        return "turned"
    # Nearly all of the other one has one sign, and less than three quarters of this one has it.
    is_partly_turned = abs(other_share) >= ALL_OF_IT and share * other_share < ONE_SIDED
    return "turned" if is_partly_turned else "near"


def list_references(totals: Totals, period: str, code: str) -> list[Reference]:
    """The periods of `totals` that a period is compared with, nearest first: those that some load
    has as its own, and not only a few lines of."""
    known = sorted(
        p for (p, c), total in totals.items() if c == code and total.gross and total.files
    )
    before = [p for p in known if p < period][-BEFORE:]
    after = [p for p in known if p > period][:AFTER]
    year_before = f"{int(period[:4]) - 1:04d}{period[4:]}"
    chosen = [*reversed(before), *after]
    chosen += [year_before] if year_before in known and year_before not in chosen else []
    return [Reference(p, totals[(p, code)]) for p in chosen]


def find_doubt(
    period: str,
    code: str,
    own: PeriodTotal,
    references: Sequence[Reference],
    factor: Decimal,
    *,
    may_be_lower: bool = False,
) -> Doubt | None:
    """What is far from all references; None where one is near or there is none.

    `may_be_lower`: the period may be incomplete, and less than elsewhere says nothing.
    """
    judged = [item for item in references if item.total.gross]
    verdicts = [compare_totals(own, item.total, factor) for item in judged]
    if not judged or "near" in verdicts or (may_be_lower and "lower" in verdicts):
        return None
    if verdicts[0] == "turned":
        shown = ", ".join(f"{item.name} to {item.total.amount:,.2f}" for item in judged)
        return Doubt(
            "turned",
            f"{period} sums to {own.amount:,.2f} {code} of {own.gross:,.2f} in absolute amounts, "
            f"{shown}: the sign turned",
        )
    shown = ", ".join(_show_change(own, item) for item in judged)
    hint = _guess_reason(own, [item.total for item in judged])
    text = f"{period} has {own.gross:,.2f} {code} of absolute amounts, {shown}{hint}"
    return Doubt("lower" if verdicts[0] == "lower" else "higher", text)


def find_other_currency(
    period: str, code: str, own: PeriodTotal, totals: Totals, factor: Decimal
) -> Doubt | None:
    """The currency that has the same figures: one that the period lacks and whose other periods
    are as large, or one that has just the same in the period itself.

    `totals` are those of the source with the period; `code` has no other period."""
    has = f"{period} has {own.gross:,.2f} {code} of absolute amounts and"
    for other in sorted({c for (_, c), total in totals.items() if c != code and total.gross}):
        beside = totals.get((period, other), PeriodTotal())
        if beside.gross:
            if (beside.gross, beside.records) == (own.gross, own.records):
                text = f"{has} just the same in {other}: the same records in two currencies?"
                return Doubt("currency", text)
            continue
        for item in list_references(totals, period, other):
            if compare_totals(own, item.total, factor) in ("near", "turned"):
                return Doubt(
                    "currency",
                    f"{has} no {other}, {item.name} had {item.total.gross:,.2f} {other}: "
                    "the same figures in another currency?",
                )
    return None


def _show_change(own: PeriodTotal, item: Reference) -> str:
    change = (own.gross - item.total.gross) / item.total.gross * 100
    return f"{item.name} had {item.total.gross:,.2f} ({change:+,.0f} %)"


def _guess_reason(own: PeriodTotal, others: list[PeriodTotal]) -> str:
    """What such a distance usually is."""
    if not own.gross:
        return ""
    for other in others:
        larger, smaller = max(own.gross, other.gross), min(own.gross, other.gross)
        ratio = larger / smaller
        if HUNDREDFOLD[0] <= ratio <= HUNDREDFOLD[1]:
            is_more = own.gross > other.gross
            what = "a hundred times as much: cents" if is_more else "a hundredth: units"
            return f"; {what} sent as {'units' if is_more else 'cents'}?"
    larger, smaller = max(own.gross, others[0].gross), min(own.gross, others[0].gross)
    if HALF[0] <= larger / smaller <= HALF[1]:
        return "; delivered twice?" if own.gross > others[0].gross else "; is a part missing?"
    return ""
