"""Count what a delivery holds: records, money and reasons, accepted and quarantined.

Guarantees that accepted + quarantined = delivered, in records, and in money wherever an amount can
be read. Sums are exact: an amount has at most 18 digits before the point and 12 after it.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.contracts.contract import Contract
from pipelines.errors import Problem
from pipelines.landing.delivery import Delivery
from pipelines.landing.field_checks import (
    EXPECTED_MARK,
    amount_expression,
    landed_period,
    period_expression,
)
from pipelines.landing.typed_records import NEGATIVE_ZEROS, TypedRecords
from pipelines.readers.physical_lines import is_line_telling

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


NO_AMOUNTS = Amounts(Decimal(0), Decimal(0), 0)


@dataclass(frozen=True)
class PeriodAmount:
    """The accepted records of one period and currency ('?' where they name none)."""

    period_id: str
    currency_code: str
    records: int
    amount_local: Decimal
    gross_local: Decimal
    """Sum of the absolute amounts, in which credits do not hide costs."""


@dataclass(frozen=True)
class RecordCounts:
    """Records of a delivery and its money by currency ('?' where the record names none)."""

    delivered: int
    accepted: int
    negative_zeros: int
    amounts: dict[str, Amounts]
    by_period: tuple[PeriodAmount, ...] = ()
    periods_of_quarantined: tuple[str, ...] = ()

    @property
    def quarantined(self) -> int:
        return self.delivered - self.accepted

    @property
    def periods(self) -> list[str]:
        """Periods of all records whose period can be read, quarantined or not."""
        return sorted({item.period_id for item in self.by_period} | {*self.periods_of_quarantined})

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
    """Count the records and the money of the good ones, by period and currency, in one pass."""
    currency, amount = "null", "null"
    if contract.currency_field:
        currency = f'"{contract.currency_field}"'
    if contract.amount_field:
        amount = f'"{contract.amount_field}"'
    period = landed_period(contract)
    rows = connection.execute(
        f"""
        select
            cast({period} as varchar) as period_id,
            coalesce(cast({currency} as varchar), '?') as currency_code,
            count(*),
            coalesce(sum({NEGATIVE_ZEROS}), 0),
            coalesce(sum(cast({amount} as decimal(38, 12))), 0),
            coalesce(sum(abs(cast({amount} as decimal(38, 12)))), 0)
        from {records.relation} where {records.good}
        group by all order by all
        """
    ).fetchall()
    delivered = sum(row[2] for row in rows)
    if not records.are_all_good:
        row = connection.execute(f"select count(*) from {records.relation}").fetchone()
        assert row is not None
        delivered = row[0]
    amounts: dict[str, Amounts] = {}
    for _, code, _, _, accepted, _ in rows if contract.amount_field else []:
        own = amounts.get(code, NO_AMOUNTS)
        amounts[code] = replace(own, accepted=own.accepted + accepted)
    return RecordCounts(
        delivered,
        sum(row[2] for row in rows),
        sum(row[3] for row in rows),
        amounts,
        tuple(
            PeriodAmount(period_id, code, count, amount, gross)
            for period_id, code, count, _, amount, gross in rows
            if period_id is not None
        ),
    )


def count_quarantined(
    connection: duckdb.DuckDBPyConnection, contract: Contract, counts: RecordCounts
) -> RecordCounts:
    """The counts with the money and the periods of the table `quarantined` in them, as far as they
    can be read."""
    currency, amount, period = "null", "null", "null"
    if contract.currency_field:
        currency = f'"{contract.currency_field}"'
    if contract.amount_field:
        amount = amount_expression(contract.field(contract.amount_field))
    if contract.period_field:
        period = period_expression(contract.field(contract.period_field))
    rows = connection.execute(
        f"""
        select
            cast({period} as varchar), coalesce(cast({currency} as varchar), '?'),
            coalesce(sum(cast({amount} as decimal(38, 12))), 0),
            count(*) filter (({amount}) is null)
        from quarantined group by all order by all
        """
    ).fetchall()
    amounts = dict(counts.amounts)
    for _, code, quarantined, unreadable in rows if contract.amount_field else []:
        own = amounts.get(code, NO_AMOUNTS)
        amounts[code] = replace(
            own,
            quarantined=own.quarantined + quarantined,
            unreadable=own.unreadable + unreadable,
        )
    periods = tuple(sorted({row[0] for row in rows if row[0] is not None}))
    return replace(counts, amounts=dict(sorted(amounts.items())), periods_of_quarantined=periods)


def sample_reasons(connection: duckdb.DuckDBPyConnection, delivery: Delivery) -> tuple[str, ...]:
    """Sentences on the first problems in `quarantined`."""
    rows = connection.execute(
        """
        select _row_number, _line_number, problem.field, problem.found, problem.reason
        from (
            select _row_number, _line_number, unnest(_problems) as problem
            from (select * from quarantined order by _row_number limit $limit)
        )
        order by _row_number limit $limit
        """,
        {"limit": SAMPLE_OF_REASONS},
    ).fetchall()
    sentences = []
    for number, line, field, found, reason in rows:
        message, _, expected = reason.partition(EXPECTED_MARK)
        problem = Problem(
            delivery.name,
            message,
            number,
            field,
            show_value(found),
            expected=expected,
            line=line if is_line_telling(number, line) else None,
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


def show_amount(amount: Decimal) -> str:
    """An amount as exact text, without zeros that say nothing."""
    return format(amount.normalize(), "f")
