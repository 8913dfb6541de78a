"""The ledger of the sample company, read and added up here and not by the program."""

from __future__ import annotations

import csv
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from tests.e2e.command import ROOT

INBOX = ROOT / "data" / "samples" / "inbox"
UNIT = Decimal("0.00000001")


def read_rows(source: str, inbox: Path = INBOX) -> list[dict[str, str]]:
    """Records of the delivered files of a source, read with the standard library only."""
    rows = []
    for path in sorted((inbox / source).glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows += list(csv.DictReader(file))
    return rows


def count_ledger() -> dict[str, Decimal]:
    """The ledger by period in EUR: the (period, account, currency) sum times the average rate,
    rounded to a hundred-millionth, then added up."""
    rates = {
        (row["period_id"], row["from_currency_code"]): Decimal(row["exchange_rate"])
        for row in read_rows("exchange_rates")
        if row["rate_type"] == "average" and row["to_currency_code"] == "EUR"
    }
    sums: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for row in read_rows("general_ledger"):
        key = (row["period_id"], row["account_id"], row["currency_code"])
        sums[key] += Decimal(row["amount_local"])
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for (period, _, currency), amount in sums.items():
        rate = Decimal(1) if currency == "EUR" else rates[period, currency]
        totals[period] += (amount * rate).quantize(UNIT, ROUND_HALF_UP)
    return dict(totals)
