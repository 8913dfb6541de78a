"""Numbers that are made of more than one text: exponents, units, debit and credit, signs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pipelines.landing.land import LoadResult
from tests.unit.landing.company import Company
from tests.unit.landing.own_source import land_own, ledger_mapping, read_fields

BILL: dict[str, Any] = {
    "contract": "cloud_bill",
    "columns": {"billed_cost": "cost"},
    "constants": {
        "provider_name": "P",
        "billing_account_id": "A",
        "billing_period_start": "2026-01-01T00:00:00Z",
        "billing_period_end": "2026-02-01T00:00:00Z",
        "charge_period_start": "2026-01-01T00:00:00Z",
        "charge_period_end": "2026-02-01T00:00:00Z",
        "charge_category": "Usage",
        "service_name": "S",
        "billing_currency": "EUR",
    },
}


def _costs(company: Company, texts: list[str], **form: Any) -> tuple[list[str], LoadResult]:
    lines = "".join(f'"{text}"\n' for text in texts)
    result = land_own(company, {**BILL, **form}, ("cost\n" + lines).encode())
    assert result.records_delivered == len(texts)
    rows = read_fields(company, result, "billed_cost")
    return [f"{Decimal(row[0]).normalize():f}" for row in rows], result


@pytest.mark.parametrize(
    ("text", "written_out"),
    [
        ("1.5E-7", "0.00000015"),
        ("1.60101e-07", "0.000000160101"),
        ("-2E-1", "-0.2"),
        ("1.234E+2", "123.4"),
        ("12E3", "12000"),
        ("0.0125e2", "1.25"),
        ("0E-9", "0"),
        ("0.00", "0"),
        ("7", "7"),
        ("123456789012345678E-12", "123456.789012345678"),
    ],
)
def test_exponents_are_written_out_digit_by_digit(
    company: Company, text: str, written_out: str
) -> None:
    costs, _ = _costs(company, [text], allow_scientific=["billed_cost"])
    assert costs == [written_out]


def test_exponents_are_read_where_they_are_declared_only(company: Company) -> None:
    costs, result = _costs(company, ["1.5E-7", "2"])
    assert costs == ["2"]
    assert "found '1.5E-7'" in result.reasons[0]


def test_texts_that_are_no_exponents_are_problems(company: Company) -> None:
    bad = ["1.5E", "E5", "1.5E-7.0", "1e9999", "1E999", "0x1E2", "1 E2"]
    costs, result = _costs(company, [*bad, "2E0"], allow_scientific=["billed_cost"])
    assert costs == ["2"]
    assert result.records_quarantined == len(bad)
    assert "a number such as -1234.56 or 1.5E-7" in result.reasons[0]


def test_an_exponent_that_no_field_can_hold_is_not_written_out(company: Company) -> None:
    """A thousand digits of zeros would be rounded to nothing, or fill the machine."""
    form = {"allow_scientific": ["billed_cost"], "round_to": {"billed_cost": 12}}
    costs, result = _costs(company, ["1E-41", "1E-40"], **form)
    assert costs == ["0"]
    assert "is not as its mapping declares" in result.reasons[0]
    assert "found '1E-41'" in result.reasons[0]


def test_power_of_ten_and_exponent_add_up(company: Company) -> None:
    form = {"allow_scientific": ["billed_cost"], "power_of_ten": {"billed_cost": 3}}
    costs, _ = _costs(company, ["1.5E-7", "-2", "x"], **form)
    assert costs == ["0.00015", "-2000"]


def test_exponents_come_with_a_decimal_comma_too(company: Company) -> None:
    form = {"decimal_mark": ",", "thousands_mark": ".", "allow_scientific": ["billed_cost"]}
    costs, _ = _costs(company, ["1,5E-7", "-1.234,5"], **form)
    assert costs == ["0.00000015", "-1234.5"]


def test_amounts_are_rounded_as_declared_and_counted(company: Company) -> None:
    """Half away from zero: 0.0000000000005 becomes 10^-12, 0.0000000000004999 becomes 0."""
    texts = ["0.0000000000005", "-0.0000000000005", "0.00000000000049999999999999", "1.5", "0.10"]
    costs, result = _costs(company, texts, round_to={"billed_cost": 12})
    assert costs == ["0.000000000001", "-0.000000000001", "0", "1.5", "0.1"]
    assert "3 values of billed_cost rounded to 12 decimals" in result.notes
    assert result.records_quarantined == 0


def test_rounding_to_whole_numbers(company: Company) -> None:
    costs, _ = _costs(company, ["2.5", "-2.5", "2.4999", "3.0"], round_to={"billed_cost": 0})
    assert costs == ["3", "-3", "2", "3"]


def test_what_is_not_rounded_is_a_problem(company: Company) -> None:
    costs, result = _costs(company, ["0.0000000000005", "1.5"])
    assert costs == ["1.5"]
    assert "has too many decimals" in result.reasons[0]
    assert not any("rounded" in note for note in result.notes)


@pytest.mark.parametrize(
    ("power", "texts", "amounts"),
    [
        (6, ["0.03", "-1.25", "1131.108210"], ["30000", "-1250000", "1131108210"]),
        (-2, ["12345", "-7", "0"], ["123.45", "-0.07", "0"]),
    ],
)
def test_amounts_in_millions_and_in_cents(
    company: Company, power: int, texts: list[str], amounts: list[str]
) -> None:
    costs, _ = _costs(company, texts, power_of_ten={"billed_cost": power})
    assert costs == amounts


HEADER = "id;date;soll;haben;kz;amount\n"


def _amounts(company: Company, lines: str, **form: Any) -> tuple[list[str], LoadResult]:
    mapping = ledger_mapping(delimiter=";", decimal_mark=",", unknown_columns="log", **form)
    result = land_own(company, mapping, (HEADER + lines).encode())
    rows = read_fields(company, result, "amount_local")
    return [f"{Decimal(row[0]):.2f}" for row in rows], result


NET = {
    "columns": {"line_id": "id", "posting_date": "date"},
    "net_of": {"amount_local": {"debit": "soll", "credit": ["haben", "credit"]}},
}


def test_debit_and_credit_become_one_amount(company: Company) -> None:
    """1234.50; -99.90; 100.00 - 0.30 = 99.70; 5.00 - 5.00 = 0; a credit of -3.00 is a debit."""
    lines = (
        "1;2026-01-31;1234,5;;;\n2;2026-01-31;;99,90;;\n3;2026-01-31;100,00;0,30;;\n"
        "4;2026-01-31;5,00;5;;\n5;2026-01-31;;-3,00;;\n6;2026-01-31;0,00;12,00;;\n"
    )
    amounts, result = _amounts(company, lines, **NET)
    assert amounts == ["1234.50", "-99.90", "99.70", "0.00", "3.00", "-12.00"]
    assert result.amounts is not None
    assert Decimal(result.amounts["EUR"]["accepted"]) == Decimal("1225.30")


def test_neither_debit_nor_credit_is_a_missing_amount(company: Company) -> None:
    lines = "1;2026-01-31;;;;\n2;2026-01-31;1;x;;\n3;2026-01-31;1.5;;;\n4;2026-01-31;1;;;\n"
    amounts, result = _amounts(company, lines, **NET)
    assert amounts == ["1.00"]
    reasons = "\n".join(result.reasons)
    assert "record 1, field amount_local: is missing" in reasons
    assert "record 2, field amount_local" in reasons
    assert "found '1.5'" in reasons


def test_both_columns_of_debit_and_credit_must_be_there(company: Company) -> None:
    mapping = ledger_mapping(**NET)
    result = land_own(company, mapping, b"id,date,soll\n1,2026-01-31,1\n")
    assert result.state == "refused"
    assert "lacks haben or credit" in result.message


SIGN = {"column": "kz", "negative": ["H"], "positive": ["S"]}


def test_a_column_says_the_sign(company: Company) -> None:
    lines = (
        "1;2026-01-31;;;S;10,00\n2;2026-01-31;;;H;4,00\n3;2026-01-31;;;H;-1,00\n"
        "4;2026-01-31;;;H;0,00\n5;2026-01-31;;;X;8,00\n6;2026-01-31;;;;8,00\n"
    )
    amounts, result = _amounts(company, lines, sign_from={"amount_local": SIGN})
    assert amounts == ["10.00", "-4.00", "1.00", "0.00"]
    assert result.records_quarantined == 2
    reasons = "\n".join(result.reasons)
    assert "one of 'S', 'H' in the column 'kz' to say the sign, found X" in reasons
    assert "to say the sign, found nothing" in reasons


def test_sign_of_a_typed_value(company: Company) -> None:
    """In JSON the sign may be true or false, and the amount a number without a declared form."""
    mapping = ledger_mapping(
        format="jsonl",
        columns={"line_id": "id", "posting_date": "date", "amount_local": "amount"},
        sign_from={
            "amount_local": {"column": "is_credit", "negative": ["true"], "positive": ["false"]}
        },
    )
    content = (
        b'{"id": "1", "date": "2026-01-31", "amount": 12.50, "is_credit": true}\n'
        b'{"id": "2", "date": "2026-01-31", "amount": 7.25, "is_credit": false}\n'
    )
    result = land_own(company, mapping, content, "own/a.jsonl")
    assert [row[0] for row in read_fields(company, result, "amount_local")] == [
        "-12.500000000000",
        "7.250000000000",
    ]
