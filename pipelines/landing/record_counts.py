"""Count what a delivery holds: records, money and reasons, accepted and quarantined.

Guarantees that accepted + quarantined = delivered, in records, and in money wherever an amount can
be read. Sums are exact: an amount has at most 18 digits before the point and 12 after it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelines.contracts.contract import Contract
from pipelines.errors import Problem
from pipelines.landing.delivery import Delivery
from pipelines.landing.field_checks import EXPECTED_MARK, PATTERNS
from pipelines.landing.typed_records import NEGATIVE_ZEROS, TypedRecords

if TYPE_CHECKING:
    import duckdb

SAMPLE_OF_REASONS = 5
SHOWN_CHARACTERS = 80


@dataclass(frozen=True)
class Amounts:
    """Sums of one currency; `unreadable` counts records whose amount is not a number."""

    accepted: Decimal
    quarantined: Decimal
    unreadable: int


@dataclass(frozen=True)
class PeriodAmount:
    """What a delivery holds of one period and currency ('?' where records name none)."""

    period_id: str
    currency_code: str
    delivered: int
    accepted: int
    amount_local: Decimal
    """Sum of the accepted records."""
    gross_local: Decimal
    """Sum of their absolute amounts, in which credits do not hide costs."""


@dataclass(frozen=True)
class RecordCounts:
    """Records of a delivery and its money by currency ('?' where the record names none)."""

    delivered: int
    accepted: int
    negative_zeros: int
    amounts: dict[str, Amounts]
    by_period: tuple[PeriodAmount, ...] = ()

    @property
    def quarantined(self) -> int:
        return self.delivered - self.accepted

    @property
    def periods(self) -> list[str]:
        """Periods of all records whose period can be read, quarantined or not."""
        return sorted({item.period_id for item in self.by_period})

    def amounts_as_text(self) -> dict[str, dict[str, str]]:
        """The sums as exact decimals in text, as the books keep them."""
        return {
            code: {
                "accepted": show_amount(item.accepted),
                "quarantined": show_amount(item.quarantined),
                "unreadable_records": str(item.unreadable),
            }
            for code, item in self.amounts.items()
        }


def count_records(
    connection: duckdb.DuckDBPyConnection, contract: Contract, records: TypedRecords
) -> RecordCounts:
    """Count the records and their money, by period and currency, in one pass."""
    currency, amount, period = "null", "null", "null"
    if contract.currency_field:
        currency = f'"{contract.currency_field}"'
    if contract.amount_field:
        amount = f'"{contract.amount_field}"'
    if contract.period_field:
        period = f'"{contract.period_field}"'
        if contract.field(contract.period_field).type != "period":
            period = f"strftime({period}, '%Y-%m')"
    rows = connection.execute(
        f"""
        select
            cast({period} as varchar) as period_id,
            cast({currency} as varchar) as currency_code,
            count(*),
            count(*) filter (_is_good),
            coalesce(sum({NEGATIVE_ZEROS}) filter (_is_good), 0),
            count(*) filter (amount is null),
            coalesce(sum(amount) filter (_is_good), 0),
            coalesce(sum(amount) filter (not _is_good), 0),
            coalesce(sum(abs(amount)) filter (_is_good), 0)
        from (
            select *, cast({amount} as decimal(38, 12)) as amount,
                coalesce({records.good}, false) as _is_good
            from {records.relation}
        )
        group by all order by all
        """
    ).fetchall()
    return RecordCounts(
        sum(row[2] for row in rows),
        sum(row[3] for row in rows),
        sum(row[4] for row in rows),
        _sum_by_currency(rows) if contract.amount_field else {},
        _sum_by_period(rows),
    )


def sample_reasons(connection: duckdb.DuckDBPyConnection, delivery: Delivery) -> tuple[str, ...]:
    """Sentences on the first problems in `quarantined`."""
    rows = connection.execute(
        """
        select _row_number, problem.field, problem.found, problem.reason
        from (
            select _row_number, unnest(_problems) as problem
            from (select * from quarantined order by _row_number limit $limit)
        )
        order by _row_number limit $limit
        """,
        {"limit": SAMPLE_OF_REASONS},
    ).fetchall()
    sentences = []
    for number, field, found, reason in rows:
        message, _, expected = reason.partition(EXPECTED_MARK)
        problem = Problem(
            delivery.name, message, number, field, show_value(found), expected=expected
        )
        sentences.append(str(problem))
    return tuple(sentences)


def show_value(found: str | None) -> str:
    """A delivered text for a message: quoted, short, a look-alike letter called by its name."""
    if found is None:
        return "nothing"
    shown = repr(found if len(found) <= SHOWN_CHARACTERS else f"{found[:SHOWN_CHARACTERS]}…")
    foreign = next((char for char in found if ord(char) > 127), None)
    if foreign is None:
        return shown
    name = unicodedata.name(foreign, "a character without a name")
    return f"{shown} (with U+{ord(foreign):04X} {name})"


def _sum_by_currency(rows: list[tuple[Any, ...]]) -> dict[str, Amounts]:
    sums: dict[str, Amounts] = {}
    for _, code, _, _, _, unreadable, accepted, quarantined, _ in rows:
        own = sums.get(code or "?", Amounts(Decimal(0), Decimal(0), 0))
        sums[code or "?"] = Amounts(
            own.accepted + accepted, own.quarantined + quarantined, own.unreadable + unreadable
        )
    return dict(sorted(sums.items()))


def _sum_by_period(rows: list[tuple[Any, ...]]) -> tuple[PeriodAmount, ...]:
    """Quarantined records say their period too, where it can be read."""
    form = re.compile(PATTERNS["period"][0])
    return tuple(
        PeriodAmount(period, code or "?", delivered, accepted_records, amount, gross)
        for period, code, delivered, accepted_records, _, _, amount, _, gross in rows
        if period is not None and form.fullmatch(period)
    )


def show_amount(amount: Decimal) -> str:
    """An amount as exact text, without zeros that say nothing."""
    return format(amount.normalize(), "f")
