"""What is accepted, what is normalised, and that the latter is logged."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal

from tests.unit.landing.company import GOOD, Company, ledger, record


def test_good_file_loads_whole(company: Company) -> None:
    result = company.land_one(GOOD)
    assert (result.state, result.records_delivered, result.records_quarantined) == ("landed", 3, 0)
    assert result.amounts == {
        "EUR": {"accepted": "300.25", "quarantined": "0", "unreadable_records": "0"}
    }
    assert result.notes == ()
    assert (company.directory(result) / "original").read_bytes() == GOOD
    types = company.read(
        result, "select distinct typeof(amount_local), typeof(posting_date) from records"
    )
    assert types == [("DECIMAL(38,12)", "DATE")]
    assert company.audit_actions() == ["land ledger/a.csv"]


def test_byte_order_mark_is_removed_and_logged(company: Company) -> None:
    result = company.land_one(b"\xef\xbb\xbf" + GOOD)
    assert result.records_accepted == 3
    assert result.notes == ("byte-order mark removed",)
    assert json.loads(company.loads()[0]["notes"]) == ["byte-order mark removed"]
    assert company.read(result, "select line_id from records where _row_number = 1") == [("L1",)]


def test_crlf_is_accepted_without_a_note(company: Company) -> None:
    result = company.land_one(GOOD.replace(b"\n", b"\r\n"))
    assert (result.records_accepted, result.notes) == (3, ())
    assert company.read(result, "select count(*) from records where description = 'memo'") == [(3,)]


def test_missing_final_line_end_is_logged(company: Company) -> None:
    result = company.land_one(GOOD[:-1])
    assert (result.records_accepted, result.notes) == (3, ("last line has no line end",))


def test_negative_zero_becomes_zero_and_is_logged(company: Company) -> None:
    result = company.land_one(ledger(record("L1", "-0.00"), record("L2", "-0"), record("L3", "0")))
    assert result.notes == ("-0 read as 0 in 2 fields",)
    rows = company.read(result, "select amount_local::varchar from records")
    assert {row[0] for row in rows} == {"0.000000000000"}


def test_quoted_field_keeps_its_line_end_comma_and_quotes(company: Company) -> None:
    text = '"two\nlines, and ""quotes"""'
    result = company.land_one(ledger(record("L1", description=text), record("L2")))
    rows = company.read(result, "select _row_number, description from records order by 1")
    assert rows == [(1, 'two\nlines, and "quotes"'), (2, "memo")]


def test_optional_columns_may_be_left_out(company: Company) -> None:
    content = (
        b"line_id,period_id,posting_date,legal_entity_id,account_id,cost_centre_id,currency_code,"
        b"amount_local\nL1,2026-01,2026-01-31,DE01,6400,CC100,EUR,12.34\n"
    )
    result = company.land_one(content)
    assert company.read(result, "select vendor_name, amount_local from records") == [
        (None, Decimal("12.34"))
    ]


def test_last_record_that_resembles_a_total_in_one_way_only_loads(company: Company) -> None:
    """100.00 + 100.00 = 200.00, but all fields are there and nothing says 'total'."""
    result = company.land_one(
        ledger(record("L1"), record("L2"), record("L3", "200.00", vendor_name="Total Energies"))
    )
    assert (result.state, result.records_accepted) == ("landed", 3)


def test_bill_columns_come_by_name_in_any_order_and_others_are_logged(company: Company) -> None:
    columns = {
        "Tags": '"{""service"": ""mail""}"',
        "BilledCost": "12.5",
        "BillingCurrency": "USD",
        "ProviderName": "Cloud",
        "BillingAccountId": "A1",
        "BillingPeriodStart": "2026-02-01T00:00:00+01:00",
        "BillingPeriodEnd": "2026-03-01T00:00:00Z",
        "ChargePeriodStart": "2026-02-03T00:00:00Z",
        "ChargePeriodEnd": "2026-02-04T00:00:00Z",
        "ChargeCategory": "Usage",
        "ServiceName": "Compute",
        "SubAccountId": "NULL",
        "x_row_number": "7",
        "_row_number": "8",
    }
    content = f"{','.join(columns)}\n{','.join(columns.values())}\n".encode()
    result = company.land_one(content, "bill/bill.csv")
    assert result.notes == (
        "column 'x_row_number' is not mapped; the original keeps it",
        "column '_row_number' is not mapped; the original keeps it",
    )
    rows = company.read(
        result,
        "select billed_cost, sub_account_id, billing_period_start, tags, _row_number from records",
    )
    assert rows == [(Decimal("12.5"), None, datetime(2026, 1, 31, 23, 0), '{"service": "mail"}', 1)]


def test_period_of_a_time_with_zone_is_that_of_its_typed_value(company: Company) -> None:
    """1 February 00:00 at +01:00 is 31 January in UTC, as the lake and the build hold it."""
    test_bill_columns_come_by_name_in_any_order_and_others_are_logged(company)
    from pipelines.books.tables import load_periods

    with company.books.read() as connection:
        assert [row.period_id for row in connection.execute(load_periods.select())] == ["2026-01"]


def test_workspace_and_file_names_that_are_globs_mean_themselves(company: Company) -> None:
    company.put(ledger(record("X1", "9.00")), "replaced/a1.csv")
    result = company.land_one(GOOD, "appended/a[1] *?.csv")
    assert result.records_accepted == 3
    assert company.read(result, "select sum(amount_local) from records") == [(Decimal("300.25"),)]


def test_records_keep_their_number_in_a_file_of_many_blocks(company: Company) -> None:
    """The parser reads blocks of a large file side by side; record n must stay record n."""
    count = 120_000
    lines = [record(f"L{number}", "1.00", description="m" * 60) for number in range(1, count + 1)]
    result = company.land_one(ledger(*lines))
    assert result.records_accepted == count
    assert company.read(
        result, "select count(*) from records where line_id <> 'L' || _row_number"
    ) == [(0,)]
    assert result.amounts is not None
    assert result.amounts["EUR"]["accepted"] == str(count)
