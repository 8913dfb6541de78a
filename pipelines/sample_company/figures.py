"""python -m pipelines.sample_company.figures [INBOX]

Prints the totals of the sample company's README, worked out from the CSV files with decimal
arithmetic alone. It shares no code with the generator or with the allocation, so that it can
contradict either of them.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

INBOX = Path(__file__).parents[2] / "data" / "samples" / "inbox"
CENT, UNIT = Decimal("0.01"), Decimal("0.00000001")
CURRENCIES = ("EUR", "CHF", "USD")

Totals = dict[str, dict[str, Decimal]]
"""Period -> currency -> amount in that currency."""


def read_rows(inbox: Path, source: str) -> list[dict[str, str]]:
    """All rows of a source, its files in order of name."""
    rows = []
    for path in sorted((inbox / source).glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as stream:
            rows += list(csv.DictReader(stream))
    return rows


def read_rates(inbox: Path) -> dict[tuple[str, str], Decimal]:
    """(period, currency) -> average rate to EUR."""
    rates = {
        (row["period_id"], row["from_currency_code"]): Decimal(row["exchange_rate"])
        for row in read_rows(inbox, "exchange_rates")
        if row["rate_type"] == "average"
    }
    return rates | {(period, "EUR"): Decimal(1) for period, _ in rates}


def sum_by_currency(inbox: Path, source: str, keep: Callable[[str], bool] = bool) -> Totals:
    """Totals of the ledger or the budget over the accounts that `keep` accepts."""
    totals: Totals = defaultdict(lambda: defaultdict(Decimal))
    for row in read_rows(inbox, source):
        if keep(row["account_id"]):
            totals[row["period_id"]][row["currency_code"]] += Decimal(row["amount_local"])
    return totals


def convert_period(
    totals: dict[str, Decimal], period: str, rates: dict[tuple[str, str], Decimal]
) -> Decimal:
    """EUR of one period: amounts have 2 decimals and rates 6, so that 8 are exact."""
    return sum(
        ((amount * rates[period, code]).quantize(UNIT) for code, amount in totals.items()),
        Decimal(0),
    )


def format_amount(value: Decimal) -> str:
    """12,345.67 with the decimals that the value has."""
    return f"{value:,}"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in [head, *rows]]
    lines.insert(1, "|---" + "|---:" * (len(head) - 1) + "|")
    return "\n".join(lines)


def table_money(inbox: Path, source: str) -> str:
    """Per period the totals in each currency, the rates and the total in EUR."""
    totals, rates = sum_by_currency(inbox, source), read_rates(inbox)
    rows = [
        [
            period,
            *(format_amount(totals[period][code].quantize(CENT)) for code in CURRENCIES),
            str(rates[period, "CHF"]),
            str(rates[period, "USD"]),
            format_amount(convert_period(totals[period], period, rates).quantize(UNIT)),
        ]
        for period in sorted(totals)
    ]
    return _table(["period", "EUR", "CHF", "USD", "CHF -> EUR", "USD -> EUR", "total in EUR"], rows)


PARTS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("IT cost", lambda account: account.startswith("6") and account != "6990"),
    ("unmapped (6990)", lambda account: account == "6990"),
    ("out of scope (47xx)", lambda account: account.startswith("47")),
    ("capitalised (07xx)", lambda account: account.startswith("07")),
    ("recovery (9900)", lambda account: account == "9900"),
)


def table_parts(inbox: Path) -> str:
    """What the ledger's total in EUR consists of."""
    rates = read_rates(inbox)
    parts = [sum_by_currency(inbox, "general_ledger", keep) for _, keep in PARTS]
    whole = sum_by_currency(inbox, "general_ledger")
    rows = []
    for period in sorted(whole):
        amounts = [convert_period(part[period], period, rates) for part in parts]
        total = convert_period(whole[period], period, rates)
        if sum(amounts, Decimal(0)) != total:
            raise ValueError(f"{period}: the parts sum to {sum(amounts)}, the ledger to {total}")
        rows.append([period, *(format_amount(a.quantize(CENT, ROUND_HALF_UP)) for a in amounts)])
    return _table(["period", *(name for name, _ in PARTS)], rows)


def table_cloud(inbox: Path) -> str:
    """The cloud bill against ledger account 6410, in USD."""
    billed: dict[str, Decimal] = defaultdict(Decimal)
    untagged: dict[str, Decimal] = defaultdict(Decimal)
    for row in read_rows(inbox, "cloud_bill"):
        period, cost = row["BillingPeriodStart"][:7], Decimal(row["BilledCost"])
        billed[period] += cost
        if '"service"' not in row["Tags"]:
            untagged[period] += cost
    ledger = sum_by_currency(inbox, "general_ledger", lambda account: account == "6410")
    rows = []
    for period in sorted(billed):
        booked = ledger[period]["USD"]
        share = (untagged[period] / billed[period] * 100).quantize(Decimal("0.1"))
        exact = billed[period].quantize(Decimal("1e-10"))
        rows.append(
            [
                period,
                format_amount(exact),
                format_amount(booked),
                format_amount(booked - exact),
                f"{share} %",
            ]
        )
    return _table(
        ["period", "bill, USD", "account 6410, USD", "not explained, USD", "untagged"], rows
    )


def table_outlook(inbox: Path) -> str:
    """IT cost against budget by fiscal year, over the periods that have actuals."""
    rates = read_rates(inbox)
    actual = sum_by_currency(inbox, "general_ledger", lambda account: account.startswith("6"))
    budget = sum_by_currency(inbox, "budget")
    rows = []
    for year in ("2024", "2025", "2026"):
        periods = [period for period in sorted(actual) if period.startswith(year)]
        spent = sum((convert_period(actual[p], p, rates) for p in periods), Decimal(0))
        planned = sum((convert_period(budget[p], p, rates) for p in periods), Decimal(0))
        over = ((spent / planned - 1) * 100).quantize(Decimal("0.01"))
        span = f"{periods[0]} to {periods[-1]}"
        cells = [format_amount(a.quantize(CENT, ROUND_HALF_UP)) for a in (spent, planned)]
        rows.append([span, *cells, f"{over} %"])
    return _table(["periods", "IT cost, EUR", "budget, EUR", "over budget"], rows)


def list_tables(inbox: Path) -> dict[str, str]:
    """Every table of the README by its name."""
    return {
        "ledger": table_money(inbox, "general_ledger"),
        "parts": table_parts(inbox),
        "cloud": table_cloud(inbox),
        "budget": table_money(inbox, "budget"),
        "outlook": table_outlook(inbox),
    }


def main() -> None:
    """Print all tables."""
    inbox = Path(sys.argv[1]) if len(sys.argv) > 1 else INBOX
    for name, table in list_tables(inbox).items():
        print(f"<!-- {name} -->\n{table}\n")


if __name__ == "__main__":
    main()
