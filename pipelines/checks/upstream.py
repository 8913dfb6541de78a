"""Columns that came broken from upstream: readable, plausible line by line, wrong as a whole.

A converter that casts a cost to an integer leaves a column that passes every check of types and
ranges, but whose total is wrong. Such a column must not be reported and nothing may tie to it.
What is looked for, in the cost columns of a cloud bill that are optional beside `billed_cost`:

- *rounded*: the column's non-zero values are all whole numbers, while lines of the same bill have
  a `billed_cost` with a fraction;
- *empty of money*: the column is zero on all lines that carry a value, while the bill is not.

It is looked for per source, provider and currency, because each is exported by another converter.
Lines of category Purchase do not count as evidence: FOCUS gives the prepayment of a commitment a
`billed_cost` and an `effective_cost` of zero.

Known limits: a column that is null throughout was not delivered, and is not a finding; a column
that is rounded in one period only, or to cents, is not found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

CLOUD_BILL = "cloud_bill"
COST_COLUMNS = ("effective_cost", "contracted_cost", "list_cost")


@dataclass(frozen=True)
class UpstreamFinding:
    """One column of one provider that cannot be used."""

    contract_id: str
    source_id: str
    scope: str
    """Name of the provider."""
    currency_code: str
    column: str
    sentence: str
    """What was found."""
    expected: str
    remedy: str
    """What to do."""
    figures: tuple[tuple[str, Decimal], ...]
    """(name, figure): the totals in the currency and the numbers of lines behind the sentence."""

    def get_figure(self, name: str) -> Decimal:
        """The figure of that name; KeyError if there is none."""
        return dict(self.figures)[name]


def find_unusable_columns(
    lake_database: Path, contract_ids: Sequence[str] = (CLOUD_BILL,)
) -> tuple[UpstreamFinding, ...]:
    """Look through the cost columns of the cloud bill, if it is among the contracts.

    `lake_database` is a DuckDB file with `lake.cloud_bill`; it is opened read-only. Money stays
    decimal throughout. Findings are ordered by source, provider, currency and column.
    """
    if CLOUD_BILL not in contract_ids:
        return ()
    import duckdb

    with duckdb.connect(str(lake_database), read_only=True) as connection:
        cursor = connection.execute(_build_query())
        names = [column[0] for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return tuple(_make_finding(row) for row in rows)


def _build_query() -> str:
    """One row per source, provider, currency and column that is unusable, with its figures."""
    columns = "\n            union all by name\n            ".join(
        f"select _source_id, provider_name, billing_currency, charge_category, billed_cost, "
        f"'{column}' as column_name, {column} as column_cost from lake.{CLOUD_BILL}"
        for column in COST_COLUMNS
    )
    return f"""
        with lines as (
            {columns}
        ),
        figures as (
            select
                _source_id as source_id,
                provider_name,
                billing_currency,
                column_name,
                count(*) as line_count,
                coalesce(sum(billed_cost), 0) as billed_cost_total,
                coalesce(sum(column_cost), 0) as column_total,
                count(column_cost) as filled_count,
                count(*) filter (where column_cost <> 0) as non_zero_count,
                count(*) filter (where column_cost <> trunc(column_cost)) as fractional_count,
                count(*) filter (
                    where billed_cost <> 0
                        and column_cost is not null
                        and charge_category is distinct from 'Purchase'
                ) as billed_non_zero_count,
                count(*) filter (
                    where billed_cost <> trunc(billed_cost)
                        and column_cost is not null
                        and charge_category is distinct from 'Purchase'
                ) as billed_fractional_count,
            from lines
            group by _source_id, provider_name, billing_currency, column_name
        )
        select *
        from figures
        where
            filled_count > 0
            and fractional_count = 0
            and (
                (non_zero_count > 0 and billed_fractional_count > 0)
                or (non_zero_count = 0 and billed_non_zero_count > 0)
            )
        order by source_id, provider_name, billing_currency, column_name
    """


def _make_finding(row: dict[str, Any]) -> UpstreamFinding:
    column, provider, currency = row["column_name"], row["provider_name"], row["billing_currency"]
    figures = {
        "column_total": Decimal(row["column_total"]),
        "billed_cost_total": Decimal(row["billed_cost_total"]),
        "difference": Decimal(row["column_total"]) - Decimal(row["billed_cost_total"]),
        "line_count": Decimal(row["line_count"]),
        "non_zero_count": Decimal(row["non_zero_count"]),
        "billed_fractional_count": Decimal(row["billed_fractional_count"]),
    }
    totals = (
        f"it sums to {row['column_total'].normalize():f} {currency} "
        f"where billed_cost sums to {row['billed_cost_total'].normalize():f} {currency}"
    )
    if row["non_zero_count"]:
        found = f"all {row['non_zero_count']} non-zero values are whole numbers"
    else:
        found = f"all {row['filled_count']} values are zero"
    return UpstreamFinding(
        contract_id=CLOUD_BILL,
        source_id=row["source_id"],
        scope=provider,
        currency_code=currency,
        column=column,
        sentence=f"{column} of {provider} is unusable: {found}; {totals}.",
        expected=f"{column} with the same decimals as billed_cost, "
        f"of which {row['billed_fractional_count']} lines have a fraction",
        remedy=f"Ask for a new export of the bill of {provider} in which {column} is not rounded; "
        "until then use billed_cost, and do not report or tie to this column.",
        figures=tuple(figures.items()),
    )
