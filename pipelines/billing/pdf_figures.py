"""The pictures and the table of pools of a statement, as texts and small whole numbers to place.

- the bridge: a waterfall. A row per term, whose bar begins where the one before ended; lengths are
  thousandths of the width, over the span that the total moves in, so that the axis does not begin
  at zero: the totals are marks and not bars;
- the pools by service: the largest pools have columns, the others share one, so that it fits;
- confidence: how much of the cost rests on what.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate
from typing import Any

from pipelines.billing.formats import (
    ABSENT,
    breakable,
    format_amount,
    format_change,
    format_share,
    format_share_change,
)
from pipelines.billing.records import BridgeTerm, ServiceCost, Statement, sum_amounts

Data = dict[str, Any]

WIDTH = 1000
MAX_POOL_COLUMNS = 6
PAGE_MM, SERVICE_MM, DIGIT_MM, PADDING_MM, LEAST_MM = 174, 40, 1.3, 2.6, 17
"""Of the table of pools: the width of the page, of its first column, of a digit, of a column's
padding, and of a column whose amounts are short."""
HEAD_LETTER_MM = 1.6
LINE_DIGIT_MM, LINE_LETTER_MM, LINE_PADDING_MM, LONGEST_UNIT = 1.5, 1.6, 3.2, 22
"""Of the lines: the width of a digit and of a letter, of a column's padding, and how many letters
of a unit stand in one line."""
CONFIDENCE_NAMES = {
    "measured": "measured all the way",
    "estimated": "estimated, or shared out as declared",
    "stale": "of an earlier period",
    "fallback": "by a fallback",
}


def build_bridge(statement: Statement) -> Data:
    """The waterfall and its table, or why there is none."""
    bridge = statement.bridge
    if bridge is None:
        change = statement.total - statement.previous.amount if statement.previous else None
        return {
            "rows": [],
            "why": breakable(statement.why_no_bridge),
            "change": format_change(change),
            "before": statement.previous.name
            if statement.previous and not statement.missing
            else "",
        }
    levels = list(accumulate((term.amount for term in bridge.terms), initial=bridge.before))
    low, high = min(levels), max(levels)
    span = high - low

    def place(amount: Decimal) -> int:
        return int((amount - low) * WIDTH / span) if span else WIDTH // 2

    return {
        "why": "",
        "before": bridge.before_name,
        "before_amount": format_amount(bridge.before),
        "before_at": place(bridge.before),
        "after": statement.period.name,
        "after_amount": format_amount(bridge.after),
        "after_at": place(bridge.after),
        "change": format_change(bridge.after - bridge.before),
        "share": format_share_change(bridge.after - bridge.before, bridge.before) or "",
        "rows": [
            _build_term(term, place(start), place(start + term.amount))
            for term, start in zip(bridge.terms, levels, strict=False)
        ],
        "recovery": [
            {
                "name": term.name,
                "amount": (format_amount if term.is_total else format_change)(term.amount),
                "is_total": term.is_total,
            }
            for term in bridge.recovery
        ],
    }


def _build_term(term: BridgeTerm, start: int, end: int) -> Data:
    return {
        "name": term.name,
        "told": breakable(term.told),
        "amount": format_change(term.amount),
        "is_less": term.amount < 0,
        "from": min(start, end),
        "to": max(start, end),
    }


def build_matrix(statement: Statement) -> Data:
    """What each service costs by pool. Rows and columns sum; pools that do not fit share one."""
    pools = statement.pools
    has_recovery = any(service.recovery for service in statement.service_costs)
    sums = (statement.charged, statement.recovery, *(pool.amount for pool in pools))
    longest = max(len(format_amount(amount)) for amount in sums)
    width = max(LEAST_MM, round(longest * DIGIT_MM + PADDING_MM, 1))
    # All pools, or the largest and a column for the others: as many as leave the names a place.
    room = int((PAGE_MM - SERVICE_MM) / width) - (2 if has_recovery else 1)
    room = max(1, min(room, MAX_POOL_COLUMNS))
    shown = pools if len(pools) <= room else pools[: room - 1]
    columns = [[pool.cost_pool_id] for pool in shown]
    titles = [breakable(pool.cost_pool_name) for pool in shown]
    if len(shown) < len(pools):
        columns.append([pool.cost_pool_id for pool in pools[len(shown) :]])
        titles.append(f"{len(pools) - len(shown)} others")
    return {
        "width": width,
        # A word is broken only where it does not fit.
        "titles": [
            {
                "name": title,
                "is_long": max(map(len, title.split())) * HEAD_LETTER_MM > width - 2,
            }
            for title in titles
        ],
        "others": ", ".join(pool.cost_pool_name for pool in pools[len(shown) :]),
        "has_recovery": has_recovery,
        "rows": [
            {
                "name": breakable(service.service_name),
                "parts": [_format_part(_sum_parts([service], column)) for column in columns],
                "recovery": _format_part(service.recovery),
                "total": format_amount(service.charged),
            }
            for service in statement.service_costs
        ],
        "sums": [format_amount(_sum_parts(statement.service_costs, column)) for column in columns],
        "recovery": format_amount(statement.recovery),
        "total": format_amount(statement.charged),
    }


def measure_columns(groups: Sequence[Data]) -> dict[str, float]:
    """Widths in millimetres for the columns of all lines, by their longest text.

    Typst could find them by setting every cell twice, which is an eighth of the time of a long
    statement. Digits are all of one width; other text gets the same, and a second line if need be.
    """
    heads = {"quantity": "Quantity", "unit": "Unit", "rate": "Rate", "amount": "Charged (EUR)"}
    texts = {key: [head] for key, head in heads.items()}
    for group in groups:
        texts["amount"].append(group["total"])
        for row in group["rows"]:
            for key in heads:
                texts[key].append(row[key])
    longest = {key: max(map(len, found)) for key, found in texts.items()}
    longest["unit"] = min(longest["unit"], LONGEST_UNIT)
    widths = {}
    for key, length in longest.items():
        letter = LINE_LETTER_MM if key == "unit" else LINE_DIGIT_MM
        widths[key] = round(length * letter + LINE_PADDING_MM, 1)
    return widths


def _sum_parts(services: Sequence[ServiceCost], pools: Sequence[str]) -> Decimal:
    return sum_amounts(
        service.parts.get(pool, Decimal(0)) for service in services for pool in pools
    )


def _format_part(amount: Decimal) -> str:
    return format_amount(amount) if amount else ABSENT


def name_recovery(amount: Decimal) -> str:
    """What the difference between charges and cost is called."""
    return "Over-recovery against cost" if amount >= 0 else "Under-recovery against cost"


def build_confidence(statement: Statement) -> Data:
    """The cost of the charges by what it rests on; nothing where there is no cost."""
    confidence = statement.confidence
    total = confidence.total
    if total <= 0:
        return {"rows": []}
    return {
        "rows": [
            {
                "kind": kind,
                "name": name,
                "amount": format_amount(amount),
                "share": format_share(amount / total),
                "per_mille": max(0, int(amount * WIDTH / total)),
            }
            for kind, name in CONFIDENCE_NAMES.items()
            if (amount := getattr(confidence, kind))
        ],
        "total": format_amount(total),
    }
