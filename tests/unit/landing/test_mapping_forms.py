"""Each form that a mapping can declare: that form is read, and only that form."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.landing.company import Company
from tests.unit.landing.own_source import COLUMNS, land_own, ledger_mapping, read_fields

HEADER = "id;date;amount\n"
SEMICOLON = {"delimiter": ";"}


def _amounts(company: Company, texts: list[str], **form: Any) -> tuple[list[str], list[str]]:
    """Amounts that are read, and reasons of those that are not."""
    lines = "".join(f"L{i};2026-01-31;{text}\n" for i, text in enumerate(texts))
    mapping = ledger_mapping(**SEMICOLON, **form)
    result = land_own(company, mapping, (HEADER + lines).encode())
    rows = read_fields(company, result, "amount_local")
    assert result.records_accepted + result.records_quarantined == len(texts)
    return [f"{Decimal(row[0]):.2f}" for row in rows], list(result.reasons)


@pytest.mark.parametrize(
    ("form", "good", "read", "bad"),
    [
        ({"decimal_mark": ","}, ["1234,56", "-0,5"], ["1234.56", "-0.50"], "1234.56"),
        (
            {"decimal_mark": ",", "thousands_mark": "."},
            ["1.234.567,89", "1234,5", "-1.000"],
            ["1234567.89", "1234.50", "-1000.00"],
            "12.34,56",
        ),
        ({"thousands_mark": "\u00a0"}, ["1\u00a0234.56"], ["1234.56"], "1,234.56"),
        ({"thousands_mark": "'"}, ["1'234.5"], ["1234.50"], "1'23.5"),
        ({"negative_form": "trailing"}, ["12.34-", "5"], ["-12.34", "5.00"], "-12.34"),
        ({"negative_form": "parentheses"}, ["(1.50)", "2"], ["-1.50", "2.00"], "(1.50"),
        ({"negative_form": "cr_dr"}, ["1CR", "2 DR", "0.00"], ["-1.00", "2.00", "0.00"], "3"),
        ({"sign_flip": ["amount_local"]}, ["5", "-6.5", "0"], ["-5.00", "6.50", "0.00"], "x"),
    ],
)
def test_declared_numbers_are_read_and_only_they(
    company: Company, form: dict[str, Any], good: list[str], read: list[str], bad: str
) -> None:
    amounts, reasons = _amounts(company, [*good, bad], **form)
    assert amounts == read
    assert len(reasons) == 1
    assert f"record {len(good) + 1}, field amount_local" in reasons[0]
    assert bad in reasons[0]


def test_misread_amount_keeps_its_delivered_text_and_counts_no_money(company: Company) -> None:
    """1234.56 would be a number; under a decimal comma it is not known which."""
    content = (HEADER + "L1;2026-01-31;1234,56\nL2;2026-01-31;1234.56\n").encode()
    result = land_own(company, ledger_mapping(**SEMICOLON, decimal_mark=","), content)
    assert result.amounts == {
        "EUR": {"accepted": "1234.56", "quarantined": "0", "unreadable_records": "1"}
    }
    assert "a number such as -1234,56" in result.reasons[0]
    (record,) = company.quarantined_texts(result)
    assert record["amount_local"] == "1234.56"
    assert company.read(result, "select _problems[1].found from quarantine") == [("1234.56",)]


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        ({"date_order": "dmy", "date_separator": "."}, ["05.01.2026", "5.1.2026"], "2026-01-05"),
        ({"date_order": "mdy", "date_separator": "/"}, ["01/05/2026", "1/5/2026"], "5.1.2026"),
        ({"date_order": "dmy", "date_separator": "/"}, ["05/01/2026"], "05/01/26"),
        ({"date_order": "ymd", "date_separator": ""}, ["20260105"], "2026-01-05"),
    ],
)
def test_declared_dates_are_read_and_only_they(
    company: Company, form: dict[str, Any], good: list[str], bad: str
) -> None:
    texts = [*good, bad, bad]
    lines = "".join(f"L{i};{text};1\n" for i, text in enumerate(texts))
    result = land_own(company, ledger_mapping(**SEMICOLON, **form), (HEADER + lines).encode())
    assert read_fields(company, result, "posting_date, period_id") == [
        ("2026-01-05", "2026-01") for _ in good
    ]
    assert result.records_quarantined == 2
    assert f"found {bad!r}" in result.reasons[0]


def test_declared_date_that_does_not_exist_is_quarantined(company: Company) -> None:
    content = (HEADER + "L1;31.02.2026;1\nL2;28.02.2026;1\n").encode()
    form = {"date_order": "dmy", "date_separator": "."}
    result = land_own(company, ledger_mapping(**SEMICOLON, **form), content)
    assert (result.records_accepted, result.records_quarantined) == (1, 1)
    reason = next(reason for reason in result.reasons if "field posting_date" in reason)
    assert "expected a date such as 31.03.2026; found '31.02.2026'" in reason


def _outages(company: Company, times: list[str], **form: Any) -> tuple[list[str], list[str]]:
    mapping = {
        "contract": "outages",
        "columns": {"outage_id": "id", "started_at": "start"},
        "constants": {"service_id": "S1", "ended_at": "2027-01-01T00:00:00Z"},
        **form,
    }
    from pipelines.contracts.contract import load_contract

    for field in load_contract("outages").fields:
        if field.is_required and field.name not in (*mapping["columns"], *mapping["constants"]):
            value = {"boolean": "true", "integer": "1", "decimal": "1"}.get(field.type, "X")
            mapping["constants"][field.name] = (field.allowed_values or (value,))[0]
    lines = "".join(f"O{i},{time}\n" for i, time in enumerate(times))
    result = land_own(company, mapping, ("id,start\n" + lines).encode())
    rows = read_fields(company, result, "started_at")
    return [row[0] for row in rows], list(result.reasons)


def test_declared_times_are_read_and_only_they(company: Company) -> None:
    form = {"timestamp_formats": ["%d/%m/%Y %H:%M"]}
    texts = ["29/2/2016 01:16", "29/02/2015 01:16", "2016-02-29T01:16:00Z", "29/2/16 01:16"]
    times, reasons = _outages(company, texts, **form)
    assert times == ["2016-02-29 01:16:00"]
    assert len(reasons) == 3
    assert all("a time in the form %d/%m/%Y %H:%M" in reason for reason in reasons)


def test_times_with_an_offset_become_utc(company: Company) -> None:
    times, _ = _outages(
        company, ["05.01.2026 01:30 +0200"], timestamp_formats=["%d.%m.%Y %H:%M %z"]
    )
    assert times == ["2026-01-04 23:30:00"]


def test_times_without_a_zone_are_of_the_declared_one(company: Company) -> None:
    """Berlin: +1 in winter, +2 in summer; on 29 March 2026 the clocks go from 2 to 3."""
    texts = ["2026-01-31 23:30:00", "2026-07-01T00:30:00", "2026-01-31T23:30:00Z"]
    times, reasons = _outages(company, [*texts, "2026-03-29 02:30:00"], time_zone="Europe/Berlin")
    assert times == ["2026-01-31 22:30:00", "2026-06-30 22:30:00", "2026-01-31 23:30:00"]
    assert len(reasons) == 1
    assert "a time that there is in Europe/Berlin" in reasons[0]


def test_null_tokens_spaces_and_lost_zeros(company: Company) -> None:
    content = (
        b"id,date,amount,account,vendor\n7, 2026-01-31 ,1,64, ?\n00000008,2026-01-31,2,6500,V\n"
    )
    mapping = ledger_mapping(
        columns={**COLUMNS, "account_id": "account", "vendor_name": "vendor"},
        constants=dict.fromkeys(("legal_entity_id", "cost_centre_id"), "X1")
        | {"currency_code": "EUR"},
        null_tokens=["?"],
        strip_text=True,
        pad_left={"line_id": 8, "account_id": 4},
    )
    result = land_own(company, mapping, content)
    assert read_fields(company, result, "line_id, posting_date, account_id, vendor_name") == [
        ("00000007", "2026-01-31", "0064", None),
        ("00000008", "2026-01-31", "6500", "V"),
    ]
    assert result.notes == ("spaces around 2 values removed",)


def test_spaces_stay_where_nothing_says_otherwise(company: Company) -> None:
    result = land_own(company, ledger_mapping(), b"id,date,amount\nL1 ,2026-01-31,1\n")
    assert result.records_quarantined == 1


def test_value_map_turns_the_named_and_quarantines_the_others(company: Company) -> None:
    content = b"id,date,amount,currency\nL1,2026-01-31,1,Euro\nL2,2026-01-31,2,EUR\n"
    mapping = ledger_mapping(
        columns={**COLUMNS, "currency_code": "currency"},
        constants=dict.fromkeys(("legal_entity_id", "cost_centre_id", "account_id"), "X1"),
        value_maps={"currency_code": {"Euro": "EUR"}},
    )
    result = land_own(company, mapping, content)
    assert read_fields(company, result, "line_id, currency_code") == [("L1", "EUR")]
    assert "found 'EUR'" in result.reasons[0]
    assert "one of 'Euro', which its value map names" in result.reasons[0]


def test_value_map_with_a_default_takes_all(company: Company) -> None:
    content = b"id,date,amount,vendor\nL1,2026-01-31,1,a\nL2,2026-01-31,2,b\nL3,2026-01-31,3,\n"
    mapping = ledger_mapping(
        columns={**COLUMNS, "vendor_name": "vendor"},
        value_maps={"vendor_name": {"a": "Alpha"}},
        value_defaults={"vendor_name": "Other"},
    )
    result = land_own(company, mapping, content)
    assert read_fields(company, result, "vendor_name") == [("Alpha",), ("Other",), (None,)]


def test_period_of_an_unreadable_date_is_quarantined_with_it(company: Company) -> None:
    content = b"id,date,amount\nL1,soon,1\nL2,2026-03-01,2\n"
    result = land_own(company, ledger_mapping(), content)
    assert read_fields(company, result, "line_id, period_id") == [("L2", "2026-03")]
    assert "field posting_date" in " ".join(result.reasons)


def test_row_key_is_made_of_file_and_record(company: Company) -> None:
    mapping = ledger_mapping(
        columns={"posting_date": "date", "amount_local": "amount"}, row_key=True
    )
    content = b"date,amount\n2026-01-31,1\n2026-01-31,1\n"
    result = land_own(company, mapping, content)
    start = result.sha256[:16]
    assert read_fields(company, result, "line_id") == [(f"{start}-1",), (f"{start}-2",)]


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ("month_start", "2024-02-01"),
        ("month_last_day", "2024-02-29"),
        ("next_month", "2024-03-01"),
    ],
)
def test_a_day_follows_from_the_period(company: Company, point: str, expected: str) -> None:
    mapping = ledger_mapping(
        columns={"line_id": "id", "period_id": "period", "amount_local": "amount"},
        derived_times={"posting_date": {"of": "period_id", "point": point}},
        period_from=None,
    )
    content = b"id,period,amount\nL1,2024-02,1\nL2,Feb 24,1\n"
    result = land_own(company, mapping, content)
    assert [str(row[0]) for row in read_fields(company, result, "posting_date")] == [expected]
    assert result.records_quarantined == 1
    assert "a period to derive posting_date from" in " ".join(result.reasons)
