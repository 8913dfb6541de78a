"""Totals among the records are proposed where their sums prove them, and only there."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.mappings.answers import Answers
from pipelines.mappings.infer import infer_mapping

from .test_system_layouts import land_proposal

HEADER = "Doc No,Posting Date,Account,Amount\n"
LINES = ("1,2026-01-05,6100,100.00\n", "2,2026-01-06,6100,50.25\n", "3,2026-01-07,6200,-0.25\n")
"""100.00 + 50.25 = 150.25; 150.25 - 0.25 = 150.00."""


@pytest.mark.parametrize(
    ("first", "second", "last"),
    [
        ("Subtotal", "Subtotal", "Grand total"),
        ("Total 6100", "Total 6200", "Total"),
        ("Zwischensumme", "Zwischensumme", "Gesamtsumme"),
        ("Sous-total", "Sous-total", "Total général"),
    ],
)
def test_totals_that_their_sums_prove(tmp_path: Path, first: str, second: str, last: str) -> None:
    one, two, three = LINES
    more = "4,2026-01-08,6300,7.00\n"
    text = f"{HEADER}{one}{two},,{first},150.25\n{three},,{second},-0.25\n,,{last},150.00\n{more}"
    file = tmp_path / "ledger.csv"
    file.write_text(text, "utf-8")
    found = infer_mapping(file, answers=Answers(constants={"currency_code": "EUR"}))
    assert [item["columns"] for item in found.settings["totals"]] == [["Amount"]] * 2
    # The records of totals have no date, and say nothing of the columns.
    assert "defaults" not in found.settings
    result = land_proposal(tmp_path, file, found)
    assert (result.state, result.message, result.records_quarantined) == ("landed", "", 0)
    assert result.records_accepted == 4
    # 150.00 + 7.00
    assert Decimal((result.amounts or {})["EUR"]["accepted"]) == Decimal("157.00")
    assert any("3 totals passed over; 3 figures agree" in note for note in result.notes)


def test_what_only_looks_like_a_total_is_left_to_a_person(tmp_path: Path) -> None:
    file = tmp_path / "ledger.csv"
    text = f"{HEADER}{''.join(LINES)},,Subtotal,149.00\n4,2026-01-08,6300,7.00\n"
    file.write_text(text, "utf-8")
    found = infer_mapping(file)
    assert "totals" not in found.settings
    assert any(text.startswith("totals: 'Subtotal' in 'Account'") for text in found.decisions)


def test_an_account_called_total_rewards_is_no_total(tmp_path: Path) -> None:
    file = tmp_path / "ledger.csv"
    text = f"{HEADER}1,2026-01-05,Total Rewards,10.00\n2,2026-01-06,Travel,5.00\n"
    file.write_text(text, "utf-8")
    found = infer_mapping(file)
    assert "totals" not in found.settings
    assert len(found.head.records) == 2
