"""Count what a delivery holds: records, money and reasons, accepted and quarantined.

Works on the tables `checked` and `quarantined` that `record_checks` makes. Guarantees that
accepted + quarantined = delivered, in records, and in money wherever an amount can be read.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.contracts.contract import Contract
from pipelines.errors import Problem
from pipelines.landing.delivery import Delivery
from pipelines.landing.field_checks import (
    EXPECTED_MARK,
    amount_expression,
    period_expression,
)

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
class RecordCounts:
    """Records of a delivery and its money by currency ('?' where the record names none)."""

    delivered: int
    accepted: int
    negative_zeros: int
    amounts: dict[str, Amounts]

    @property
    def quarantined(self) -> int:
        return self.delivered - self.accepted

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


def count_records(connection: duckdb.DuckDBPyConnection, contract: Contract) -> RecordCounts:
    """Count `checked`."""
    decimals = [field.name for field in contract.fields if field.type == "decimal"]
    negative_zeros = " + ".join(
        f"count(*) filter (_is_good and regexp_full_match(\"{name}\", '-[0.]+'))"
        for name in decimals
    )
    row = connection.execute(
        f"select count(*), count(*) filter (_is_good), {negative_zeros or '0'} from checked"
    ).fetchone()
    assert row is not None
    return RecordCounts(row[0], row[1], row[2], _sum_amounts(connection, contract))


def list_periods(connection: duckdb.DuckDBPyConnection, contract: Contract) -> list[str]:
    """Periods of all records whose period can be read, quarantined or not."""
    if contract.period_field is None:
        return []
    period = period_expression(contract.field(contract.period_field))
    rows = connection.execute(
        f"select distinct {period} as period from checked where ({period}) is not null order by 1"
    ).fetchall()
    return [row[0] for row in rows]


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


def _sum_amounts(connection: duckdb.DuckDBPyConnection, contract: Contract) -> dict[str, Amounts]:
    if contract.amount_field is None:
        return {}
    currency = f'"{contract.currency_field}"' if contract.currency_field else "null"
    rows = connection.execute(
        f"""
        select
            coalesce({currency}, '?') as currency_code,
            sum(amount) filter (_is_good),
            sum(amount) filter (not _is_good),
            count(*) filter (amount is null)
        from (
            select *, {amount_expression(contract.field(contract.amount_field))} as amount
            from checked
        )
        group by all order by all
        """
    ).fetchall()
    zero = Decimal(0)
    return {
        code: Amounts(accepted or zero, quarantined or zero, unreadable)
        for code, accepted, quarantined, unreadable in rows
    }


def show_amount(amount: Decimal) -> str:
    """An amount as exact text, without zeros that say nothing."""
    return format(amount.normalize(), "f")
