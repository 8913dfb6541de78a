"""The money of a load is accounted for, whatever was decided on its quarantined records.

Per load and currency, in the amounts as they were delivered and can be read:

    delivered = accepted + released + quarantined + discarded

A correction may change an amount or a currency, so what counts is

    counted = accepted + released + corrected

with `corrected` the sum of the released records as they count less the same as delivered. The
left sides are not sums of the right: `delivered` is what landing counted before anything was
decided, and `counted` is what the lake gives to a build.

Known limits: a record whose amount could not be read has no amount until it is released; then all
of its money is `corrected`. The file of a correction vouches for itself by its hash, which `doctor`
checks; a changed one is not seen here.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.contracts.contract import load_contract
from pipelines.landing.quarantine import open_quarantine
from pipelines.warehouse.lake_views import ActiveLoad, list_relations

if TYPE_CHECKING:
    import duckdb

    from pipelines.books.books import Books

ZERO = Decimal(0)


@dataclass(frozen=True)
class LoadMoney:
    """The money of one load in one currency ('?' where records name none)."""

    load_id: int
    currency_code: str
    delivered: Decimal
    accepted: Decimal
    released: Decimal
    quarantined: Decimal
    discarded: Decimal
    corrected: Decimal
    counted: Decimal

    @property
    def delivered_difference(self) -> Decimal:
        """Zero where all that was delivered is accounted for."""
        parts = self.accepted + self.released + self.quarantined + self.discarded
        return self.delivered - parts

    @property
    def counted_difference(self) -> Decimal:
        """Zero where all that counts has a reason to."""
        return self.counted - (self.accepted + self.released + self.corrected)


def count_money(books: Books, loads: Sequence[ActiveLoad]) -> list[LoadMoney]:
    """Every term for each of `loads` and each currency, by load and currency."""
    landed = _read_landed(books)
    terms: dict[tuple[int, str], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for load in loads:
        for code, (accepted, quarantined) in landed[load.load_id].items():
            terms[load.load_id, code] |= {
                "delivered": accepted + quarantined,
                "accepted": accepted,
            }
    with open_quarantine(loads) as connection:
        for load_id, code, term, amount in _sum_quarantine(connection):
            terms[load_id, code][term] += amount
        for load in loads:
            for code, amount in _sum_counted(connection, load):
                terms[load.load_id, code]["counted"] += amount
    names = list(LoadMoney.__dataclass_fields__)[2:]
    return [
        LoadMoney(load_id, code, *(terms[load_id, code].get(name, ZERO) for name in names))
        for load_id, code in sorted(terms)
    ]


def _read_landed(books: Books) -> dict[int, dict[str, tuple[Decimal, Decimal]]]:
    """(accepted, quarantined) by load and currency, as landing counted them."""
    from sqlalchemy import select

    from pipelines.books.tables import loads

    with books.read() as connection:
        rows = connection.execute(select(loads.c.load_id, loads.c.amounts)).all()
    return {
        row.load_id: {
            code: (Decimal(sums["accepted"]), Decimal(sums["quarantined"]))
            for code, sums in json.loads(row.amounts).items()
        }
        for row in rows
    }


def _sum_quarantine(
    connection: duckdb.DuckDBPyConnection,
) -> list[tuple[int, str, str, Decimal]]:
    """(load, currency, term, amount) of all quarantined records, as delivered and as corrected."""
    return connection.execute(
        """
        select load_id, coalesce(delivered_currency_code, '?'),
            case state when 'open' then 'quarantined' else state end as term,
            coalesce(sum(delivered_amount_local), 0)
        from quarantine_records where has_amount group by all
        union all
        select load_id, coalesce(currency_code, '?'), 'corrected', coalesce(sum(amount_local), 0)
        from quarantine_records where has_amount and state = 'released' group by all
        union all
        select load_id, coalesce(delivered_currency_code, '?'), 'corrected',
            -coalesce(sum(delivered_amount_local), 0)
        from quarantine_records where has_amount and state = 'released' group by all
        """
    ).fetchall()


def _sum_counted(
    connection: duckdb.DuckDBPyConnection, load: ActiveLoad
) -> list[tuple[str, Decimal]]:
    """What the lake gives to a build, by currency."""
    contract = load_contract(load.contract_id)
    if contract.amount_field is None:
        return []
    currency = f'"{contract.currency_field}"' if contract.currency_field else "null"
    selects = " union all ".join(
        f"select coalesce(cast({currency} as varchar), '?') as code, \"{contract.amount_field}\" "
        f"as amount from {relation}"
        for relation in list_relations(load)
    )
    return connection.execute(
        f"select code, coalesce(sum(amount), 0) from ({selects}) group by code"
    ).fetchall()
