"""A record that breaks its contract is quarantined with its reasons; the rest loads, and
accepted + quarantined = delivered, in records and in money where it can be read."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest

from pipelines.contracts.contract import list_contract_ids, load_contract
from pipelines.landing.field_checks import good_expression, problem_expressions
from tests.unit.landing.company import GOOD, HEADER, Company, ledger, record
from tests.unit.landing.own_source import CONSTANTS, land_own, ledger_mapping

FORM = "has the wrong form"
DIGITS = "has too many digits before the point"

# case -> (field, delivered text, what the reason says, quarantined money that can be read)
AMOUNTS: dict[str, tuple[str, str, str | None]] = {
    "a word": ("abc", FORM, None),
    "blank": ("", "is missing", None),
    "38 digits": ("9" * 38 + ".00", DIGITS, None),
    "19 digits": ("9" * 19, DIGITS, None),
    "infinity": ("inf", FORM, None),
    "not a number": ("NaN", FORM, None),
    "scientific": ("1e3", FORM, None),
    "underscore": ("1_234.56", FORM, None),
    "plus sign": ("+100.00", FORM, None),
    "parentheses": ("(1234.56)", FORM, None),
    "trailing CR": ("100.00CR", FORM, None),
    "trailing minus": ("100.00-", FORM, None),
    "formula": ("=1+1", FORM, None),
    "thousands": ('"1,234.56"', FORM, None),
    "no-break space": ("1\u00a0234.56", FORM, None),
    "decimal comma": ('"12,50"', FORM, None),
    "leading space": (" 12.50", FORM, None),
    "currency sign": ("12.50 €", FORM, None),
    "other digits": ("١٢", FORM, None),
    "no digit before the point": (".5", FORM, None),
    "hexadecimal": ("0x10", FORM, None),
    "too many decimals": ("1.005", "has more decimals than its currency", "1.005"),
    "far too many decimals": ("1.0000000000001", "has too many decimals", None),
}
FIELDS: dict[str, tuple[str, str, str]] = {
    "day of two digits": ("posting_date", "31/01/26", FORM),
    "day first": ("posting_date", "31/02/2026", FORM),
    "day ambiguous": ("posting_date", "05/01/2026", FORM),
    "Excel serial": ("posting_date", "46053", FORM),
    "date with zone": ("posting_date", "2026-01-31T23:30-05:00", FORM),
    "31 February": ("posting_date", "2026-02-31", "is impossible"),
    "zero date": ("posting_date", "0000-00-00", "is impossible"),
    "month 13": ("period_id", "2026-13", FORM),
    "period as date": ("period_id", "2026-01-01", FORM),
    "trailing space": ("cost_centre_id", "CC100 ", FORM),
    "look-alike letters": ("cost_centre_id", "\u0421\u0421100", FORM),
    "SQL in a key": ("cost_centre_id", "'; drop table loads; --", FORM),
    "currency in lower case": ("currency_code", "eur", FORM),
    "currency missing": ("currency_code", "", "is missing"),
    "key missing": ("line_id", "", "is missing"),
    "control character": ("description", "a\x1ab", FORM),
}


@pytest.mark.parametrize("case", AMOUNTS)
def test_amount_in_another_form_is_quarantined(company: Company, case: str) -> None:
    text, reason, readable = AMOUNTS[case]
    content = ledger(record("L1"), record("L2", text), record("L3", "200.50"))
    result = company.land_one(content)
    assert (result.state, result.records_delivered) == ("landed", 3)
    assert (result.records_accepted, result.records_quarantined) == (2, 1)
    # 100.00 + 200.50 were accepted.
    assert result.amounts == {
        "EUR": {
            "accepted": "300.5",
            "quarantined": readable or "0",
            "unreadable_records": "0" if readable else "1",
        }
    }
    assert len(result.reasons) == 1
    assert f"a.csv, record 2, field amount_local: {reason}" in result.reasons[0]
    assert "expected" in result.reasons[0]
    assert company.read(result, "select _row_number, amount_local from records") == [
        (1, Decimal("100.00")),
        (3, Decimal("200.50")),
    ]
    kept = company.quarantined_texts(result)
    assert [item["line_id"] for item in kept] == ["L2"]
    assert kept[0]["amount_local"] == (text.strip('"') or None)


@pytest.mark.parametrize("case", FIELDS)
def test_field_in_another_form_is_quarantined(company: Company, case: str) -> None:
    field, text, reason = FIELDS[case]
    bad = record(**{"line_id": "L2", "amount": "50.25", field: text})
    result = company.land_one(ledger(record("L1"), bad, record("L3", "200.50")))
    assert (result.records_accepted, result.records_quarantined) == (2, 1)
    assert f"a.csv, record 2, field {field}: {reason}" in result.reasons[0]
    assert result.amounts is not None
    total = sum(
        Decimal(sums["accepted"]) + Decimal(sums["quarantined"]) for sums in result.amounts.values()
    )
    assert total == Decimal("350.75")
    row = company.read(result, "select _row_number, amount_local, period_id from quarantine")[0]
    assert row == (2, Decimal("50.25"), None if field == "period_id" else "2026-01")


def test_control_character_of_the_mapping_is_found_too(company: Company) -> None:
    """The bytes of the delivery are clean; what its mapping puts into a field is not."""
    mapping = ledger_mapping(constants={**CONSTANTS, "description": "memo\x1a"})
    result = land_own(company, mapping, b"id,date,amount\nL1,2026-01-31,5.00\n")
    assert (result.records_accepted, result.records_quarantined) == (0, 1)
    assert f"field description: {FORM}" in result.reasons[0]


def test_yen_has_no_decimals_and_dinar_has_three(company: Company) -> None:
    result = company.land_one(
        ledger(
            record("L1", "1.50", currency_code="JPY"),
            record("L2", "150", currency_code="JPY"),
            record("L3", "150.00", currency_code="JPY"),
            record("L4", "1.005", currency_code="KWD"),
            record("L5", "1.0005", currency_code="KWD"),
        )
    )
    assert company.read(result, "select _row_number from records order by all") == [
        (2,),
        (3,),
        (4,),
    ]
    assert "'1.50'" in result.reasons[0]
    assert "minor unit of the currency" in result.reasons[0]
    assert result.amounts is not None
    assert result.amounts["JPY"]["accepted"] == "300"
    assert result.amounts["JPY"]["quarantined"] == "1.5"


def test_every_fault_of_a_record_is_kept(company: Company) -> None:
    bad = record("L 1", "1e3", currency_code="euro")
    result = company.land_one(ledger(bad, record("L2")))
    assert [reason.split("field ")[1].split(":")[0] for reason in result.reasons] == [
        "line_id",
        "currency_code",
        "amount_local",
    ]


def test_a_look_alike_letter_is_called_by_its_name(company: Company) -> None:
    result = company.land_one(ledger(record("L1", cost_centre_id="\u0421C100"), record("L2")))
    assert "with U+0421 CYRILLIC CAPITAL LETTER ES" in result.reasons[0]


def test_only_five_reasons_are_shown_and_all_records_kept(company: Company) -> None:
    bad = [record(f"L{number}", "abc") for number in range(1, 21)]
    result = company.land_one(ledger(*bad, record("L21", "1.00")))
    assert len(result.reasons) == 5
    assert "record 1," in result.reasons[0]
    assert company.read(result, "select count(*), sum(_row_number) from quarantine") == [(20, 210)]


def test_unknown_business_unit_and_account_load(company: Company) -> None:
    line = record("L1", cost_centre_id="CC-NEW.9", account_id="0000", legal_entity_id="ZZ99")
    result = company.land_one(ledger(line))
    assert (result.records_accepted, result.records_quarantined) == (1, 0)


# Texts that a generous cast would take, and some that are right, for every type there is.
TEXTS = (
    "", " ", "x", "L1", "2026-01", "2026-13", "2026-02-28", "2026-02-31", "0000-00-00", "1",
    "-1", "0", "-0.00", "1.5", "1.123456789012", "1.1234567890123", "1e3", "inf", "nan", "EUR",
    "JPY", "true", "TRUE", "{}", "{", '{"a": 1}', "2026-01-31T23:30:00Z", "2026-01-31 24:00:00",
    "2026-01-31T23:30:00+05:30", "2026-01-31T23:30:00+99:99", "consumer", "Usage", "a\x00b",
    "9" * 18, "9" * 19,
)  # fmt: skip


@pytest.mark.parametrize("contract_id", list_contract_ids())
def test_a_record_is_good_exactly_if_it_has_no_problem(contract_id: str) -> None:
    """The two expressions are written apart for speed; they must say the same. The first row has
    the text in every field; the others have it in one field and none in the rest."""
    contract = load_contract(contract_id)
    names = [field.name for field in contract.fields]
    rows = [[text or None] * len(names) for text in TEXTS]
    rows += [
        [text if i == j else None for j in range(len(names))]
        for text in TEXTS
        for i in range(len(names))
    ]
    with duckdb.connect() as connection:
        columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
        connection.register("texts", pa.table(columns, names=names))
        problems = ", ".join(problem_expressions(contract))
        found = connection.execute(
            f"""
            select {good_expression(contract)} as is_good,
                len(list_filter([{problems}], lambda problem: problem is not null)) = 0 as is_clean,
                count(*)
            from texts group by all
            """
        ).fetchall()
    assert found
    assert all(is_good is not None and is_good == is_clean for is_good, is_clean, _ in found)


def test_header_is_never_a_record_and_first_record_never_a_header(company: Company) -> None:
    result = company.land_one(GOOD)
    assert company.read(result, "select line_id from records order by _row_number") == [
        ("L1",),
        ("L2",),
        ("L3",),
    ]
    assert HEADER.startswith("line_id")
