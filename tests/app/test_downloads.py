"""Files to download."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pandas as pd

from app.components import describe_origin
from app.context import Context
from app.downloads import write_csv


def read_back(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_amounts_are_exact_and_text_is_no_formula() -> None:
    frame = pd.DataFrame(
        {
            "name": ["=cmd|' /c calc'!A0", 'Müller, "West"', None],
            "amount": [Decimal("12345678901234567.89"), Decimal("-5.00"), None],
            "share": [0.5, float("nan"), 0.25],
        }
    )
    content = write_csv(frame)
    assert content.startswith(b"\xef\xbb\xbf")
    assert read_back(content) == [
        {"name": "'=cmd|' /c calc'!A0", "amount": "12345678901234567.89", "share": "0.5"},
        {"name": 'Müller, "West"', "amount": "-5.00", "share": ""},
        {"name": "", "amount": "", "share": "0.25"},
    ]


def test_small_decimal_is_not_written_with_an_exponent() -> None:
    frame = pd.DataFrame({"amount": [Decimal("0E-8"), Decimal("1E+3")]})
    assert [row["amount"] for row in read_back(write_csv(frame))] == ["0.00000000", "1000"]


def test_file_says_what_its_figures_are_of(context: Context) -> None:
    frame = pd.DataFrame({"period_id": ["2026-02"], "amount": [Decimal("1.00")]})
    assert describe_origin(context, frame).to_dict("records") == [
        {
            "scenario_id": "actual",
            "period_id": "2026-02",
            "amount": Decimal("1.00"),
            "currency_code": "EUR",
            "run_id": "run-1",
        }
    ]
