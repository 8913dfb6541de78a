"""What stands among the records and is none: totals, headings, repeated headers, rows left out."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.unit.landing.company import Company
from tests.unit.landing.own_source import land_own, ledger_mapping, read_fields

REPORT = b"""\
centre,date,id,amount
Centre CC1 - Sales,,,
,2026-01-31,L1,100.00
,2026-01-31,L2,50.25
Subtotal,,,150.25
centre,date,id,amount
Centre CC2 - Works,,,
,2026-01-31,L3,-0.25
Subtotal,,,-0.25
Grand total,,,150.00
"""
"""100.00 + 50.25 = 150.25; 150.25 - 0.25 = 150.00."""
SHAPE: dict[str, Any] = {
    "columns": {
        "line_id": "id",
        "posting_date": "date",
        "amount_local": "amount",
        "cost_centre_id": "unit",
    },
    "constants": {"legal_entity_id": "DE01", "account_id": "6400", "currency_code": "EUR"},
    "skip_repeated_headers": True,
    "group_headings": {"unit": {"column": "centre", "pattern": r"Centre (\w+) - .*"}},
    "totals": [
        {"column": "centre", "pattern": "Subtotal", "columns": ["amount"]},
        {"column": "centre", "pattern": "Grand total", "columns": ["amount"]},
    ],
}


def test_a_report_with_headings_and_totals(company: Company) -> None:
    result = land_own(company, ledger_mapping(**SHAPE), REPORT)
    assert (result.state, result.records_delivered, result.message) == ("landed", 3, "")
    assert read_fields(company, result, "line_id, cost_centre_id, _row_number") == [
        ("L1", "CC1", "2"),
        ("L2", "CC1", "3"),
        ("L3", "CC2", "7"),
    ]
    assert result.notes == (
        "1 repeated headers passed over",
        "2 headings of 'unit' read and passed over",
        "3 totals passed over; 3 figures agree with their records",
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"Subtotal,,,150.25", b"Subtotal,,,150.35", "record 4: is a total of 'amount' that is"),
        (b"Grand total,,,150.00", b"Grand total,,,1500.00", "record 9: is a total of 'amount'"),
        (b",2026-01-31,L2,50.25\n", b"", "that is 50.25 too much; expected 100, the sum of its"),
        (b"Subtotal,,,150.25", b"Subtotal,,,", "record 4: is a total without a number in 'amount'"),
    ],
)
def test_a_total_that_is_not_the_sum_refuses_the_file(
    company: Company, old: bytes, new: bytes, says: str
) -> None:
    assert old in REPORT
    result = land_own(company, ledger_mapping(**SHAPE), REPORT.replace(old, new))
    assert result.state == "refused"
    assert says in result.message


def test_a_total_over_an_unreadable_record_is_said_to_be_unchecked(company: Company) -> None:
    """Of the first subtotal and of the grand total one record is not known."""
    result = land_own(company, ledger_mapping(**SHAPE), REPORT.replace(b"L1,100.00", b"L1,abc"))
    assert (result.records_accepted, result.records_quarantined) == (2, 1)
    assert "2 figures of totals not checked: a record has no readable number" in result.notes
    assert "3 totals passed over; 1 figures agree with their records" in result.notes


def test_empty_places_take_the_value_above(company: Company) -> None:
    content = b"id,date,amount,centre\nL1,2026-01-31,1,CC1\nL2,,2,\nL3,2026-02-28,3,CC2\nL4,,4,-\n"
    mapping = ledger_mapping(
        columns={**SHAPE["columns"], "cost_centre_id": "centre"},
        constants=SHAPE["constants"],
        fill_down=["date", "centre"],
        null_tokens=["-"],
    )
    result = land_own(company, mapping, content)
    assert read_fields(company, result, "posting_date, cost_centre_id") == [
        ("2026-01-31", "CC1"),
        ("2026-01-31", "CC1"),
        ("2026-02-28", "CC2"),
        ("2026-02-28", "CC2"),
    ]


@pytest.mark.parametrize(
    ("condition", "kept", "note"),
    [
        (
            {"column": "state", "values": ["Posted"]},
            ["L1", "L4"],
            "2 records left out, because state is not 'Posted': 2.5 in 'amount', 1 without a "
            "readable amount",
        ),
        (
            {"column": "state", "pattern": "Dr.*", "is_not": True},
            ["L1", "L4"],
            "1 records left out, because state is a text like Dr.*: 2.5 in 'amount'",
        ),
        (
            {"column": "state", "values": [""], "is_not": True},
            ["L1", "L2", "L4"],
            "1 records left out, because state is '': 0 in 'amount', 1 without a readable amount",
        ),
    ],
)
def test_records_left_out_are_counted_with_their_money(
    company: Company, condition: dict[str, Any], kept: list[str], note: str
) -> None:
    content = b"id,date,amount,state\nL1,2026-01-31,1,Posted\nL2,2026-01-31,2.5,Draft\n"
    content += b"L3,2026-01-31,x,\nL4,2026-01-31,3,Posted\n"
    result = land_own(company, ledger_mapping(keep_rows=[condition]), content)
    assert note in result.notes
    assert [row[0] for row in read_fields(company, result, "line_id")] == kept


def test_the_sender_counts_records_that_are_left_out(company: Company) -> None:
    content = b"id,date,amount,state\nL1,2026-01-31,1,P\nL2,2026-01-31,2,D\n"
    company.put(b"records: 2\n", "own/a.csv.control.yml")
    mapping = ledger_mapping(keep_rows=[{"column": "state", "values": ["P"]}])
    result = land_own(company, mapping, content)
    assert (result.state, result.records_delivered) == ("landed", 1)


STATED = b"""\
id,date,amount,state
L1,2026-01-31,1.00,P
L2,2026-01-31,2.50,D
L3,2026-01-31,-0.75,X
"""


@pytest.mark.parametrize(
    ("changes", "total", "message"),
    [
        # 1.00 + 2.50 - 0.75 = 2.75, whichever of them counts.
        ({}, "2.75", ""),
        # The same in another sign, and in thousands.
        ({"sign_flip": ["amount_local"]}, "-2.75", ""),
        ({"power_of_ten": {"amount_local": 3}}, "2750", ""),
        # What counts alone is 1.00: 1.75 is left out.
        ({}, "1.00", "1.75 EUR too much"),
    ],
)
def test_a_control_total_of_the_whole_file_counts_records_that_are_left_out(
    company: Company, changes: dict[str, Any], total: str, message: str
) -> None:
    conditions = [
        {"column": "state", "values": ["D"], "is_not": True},
        {"column": "state", "values": ["P"]},
    ]
    company.put(f"totals: {{EUR: {total}}}\n".encode(), "own/a.csv.control.yml")
    result = land_own(company, ledger_mapping(keep_rows=conditions, **changes), STATED)
    assert message in result.message
    assert (result.state == "landed") is not bool(message)


def test_amounts_in_several_currencies_of_one_row(company: Company) -> None:
    content = b"id,date,memo,EUR amount,USD amount\nL1,2026-01-31,a,1.00,\nL2,2026-01-31,b,2.00,3\n"
    mapping = ledger_mapping(
        columns={
            "posting_date": "date",
            "document_id": "id",
            "description": "memo",
            "currency_code": "currency",
            "amount_local": "amount",
        },
        join={"line_id": {"columns": ["id", "currency"], "separator": "-"}},
        constants={"legal_entity_id": "DE01", "account_id": "6400", "cost_centre_id": "CC1"},
        unpivot={
            "value_columns": {"EUR amount": "EUR", "USD amount": "USD"},
            "name_column": "currency",
            "value_column": "amount",
        },
    )
    result = land_own(company, mapping, content)
    rows = read_fields(company, result, "line_id, currency_code, amount_local, description")
    assert [(line, code, Decimal(amount), memo) for line, code, amount, memo in rows] == [
        ("L1-EUR", "EUR", Decimal(1), "a"),
        ("L2-EUR", "EUR", Decimal(2), "b"),
        ("L2-USD", "USD", Decimal(3), "b"),
    ]


def test_totals_of_a_workbook(company: Company, tmp_path: Path) -> None:
    """Cells are numbers there, and the total is one of three columns."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (
        ["id", "date", "amount"],
        ["L1", "2026-01-31", 1.1],
        ["L2", "2026-01-31", 2.2],
        ["Total", None, 3.3],
    ):
        book.active.append(row)
    path = tmp_path / "a.xlsx"
    book.save(path)
    mapping = ledger_mapping(
        format="xlsx", totals=[{"column": "id", "pattern": "Total", "columns": ["amount"]}]
    )
    result = land_own(company, mapping, path, "own/a.xlsx")
    assert [row[0] for row in read_fields(company, result, "line_id")] == ["L1", "L2"]
    assert "1 totals passed over; 1 figures agree with their records" in result.notes
