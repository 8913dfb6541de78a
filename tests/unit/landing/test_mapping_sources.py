"""Where a field comes from: one column twice, a part of one, several, one per key, a month."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.landing.company import Company
from tests.unit.landing.own_source import COLUMNS, land_own, ledger_mapping, read_fields
from tests.unit.landing.test_mapping_numbers import BILL

HEADER = "id,date,amount,text,unit,dept\n"


def _ledger(**changes: Any) -> dict[str, Any]:
    constants = {"legal_entity_id": "DE01", "account_id": "6400", "currency_code": "EUR"}
    return ledger_mapping(constants=constants, unknown_columns="log", **changes)


def test_one_column_gives_two_fields(company: Company) -> None:
    columns = {**COLUMNS, "cost_centre_id": "dept", "description": "dept"}
    result = land_own(
        company, _ledger(columns=columns), (HEADER + "1,2026-01-31,1,,,CC1\n").encode()
    )
    assert read_fields(company, result, "cost_centre_id, description") == [("CC1", "CC1")]


def test_a_part_of_a_column(company: Company) -> None:
    columns = {**COLUMNS, "cost_centre_id": "dept", "vendor_name": "text"}
    extract = {"cost_centre_id": r"\s*(\w+) - .*", "vendor_name": "Vendor: (.*)"}
    lines = (
        "1,2026-01-31,1,Vendor: A & B,,\tCC1 - Sales\n2,2026-01-31,1,,,CC2 - IT\n"
        "3,2026-01-31,1,Vendor: ,,CC3 - HR\n4,2026-01-31,1,A,,CC4 - X\n5,2026-01-31,1,,,CC5\n"
    )
    result = land_own(company, _ledger(columns=columns, extract=extract), (HEADER + lines).encode())
    assert read_fields(company, result, "cost_centre_id, vendor_name") == [
        ("CC1", "A & B"),
        ("CC2", None),
        ("CC3", None),
    ]
    reasons = "\n".join(result.reasons)
    assert "record 4, field vendor_name" in reasons
    assert "expected a text that matches Vendor: (.*), as its mapping extracts; found 'A'" in (
        reasons
    )
    assert "record 5, field cost_centre_id" in reasons


def test_a_field_of_several_columns(company: Company) -> None:
    join = {"cost_centre_id": {"columns": ["unit", "dept"], "separator": "-"}}
    lines = "1,2026-01-31,1,,10,200\n2,2026-01-31,1,,,\n3,2026-01-31,1,,10,\n"
    result = land_own(company, _ledger(columns=COLUMNS, join=join), (HEADER + lines).encode())
    assert read_fields(company, result, "cost_centre_id") == [("10-200",)]
    reasons = "\n".join(result.reasons)
    assert "record 2, field cost_centre_id: is missing" in reasons
    assert "expected a value in each of the columns unit, dept; found '10-'" in reasons


def test_defaults_fill_what_is_empty_and_are_counted(company: Company) -> None:
    columns = {**COLUMNS, "cost_centre_id": "dept"}
    lines = "1,2026-01-31,1,,,CC1\n2,2026-01-31,1,,,\n3,2026-01-31,1,,,?\n"
    mapping = _ledger(columns=columns, null_tokens=["?"], defaults={"cost_centre_id": "NONE"})
    result = land_own(company, mapping, (HEADER + lines).encode())
    assert read_fields(company, result, "cost_centre_id") == [("CC1",), ("NONE",), ("NONE",)]
    assert "2 records without cost_centre_id given 'NONE'" in result.notes


def test_a_default_does_not_hide_what_cannot_be_read(company: Company) -> None:
    columns = {**COLUMNS, "cost_centre_id": "dept"}
    mapping = _ledger(columns=columns, defaults={"cost_centre_id": "NONE"})
    content = (HEADER + "1,2026-01-31,1,,,a b\n2,2026-01-31,1,,,CC1\n").encode()
    result = land_own(company, mapping, content)
    assert (result.records_accepted, result.records_quarantined) == (1, 1)


def _bill(**changes: Any) -> dict[str, Any]:
    return {**BILL, "unknown_columns": "log", **changes}


def test_tags_of_one_column_per_key(company: Company) -> None:
    header = "cost,tag:team,other,tag:cost centre\n"
    lines = '1,"a ""b"" \u00e4",x,10\n2,,x,20\n3,,x,\n'
    result = land_own(
        company, _bill(object_from={"tags": "tag:"}), (header + lines).encode("utf-8")
    )
    texts = [row[0] for row in read_fields(company, result, "tags")]
    assert [json.loads(text) if text else text for text in texts] == [
        {"team": 'a "b" \u00e4', "cost centre": "10"},
        {"cost centre": "20"},
        None,
    ]
    assert result.notes == ("column 'other' is not mapped; the original keeps it",)


def test_a_delivery_without_a_tag_has_none(company: Company) -> None:
    result = land_own(company, _bill(object_from={"tags": "tag:"}), b"cost\n1\n")
    assert read_fields(company, result, "tags") == [(None,)]


def test_a_tag_that_comes_twice_refuses_the_file(company: Company) -> None:
    result = land_own(company, _bill(object_from={"tags": "tag:"}), b"cost,tag:a,tag:a\n1,2,3\n")
    assert "has the column 'tag:a' twice" in result.message


def test_tags_of_parquet_columns(company: Company, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "a.parquet"
    costs = pa.array(["1.5", "2"])
    pq.write_table(pa.table({"cost": costs, "t_a": ["x", None], "t_n": [7, 8], "o": [1, 1]}), path)
    mapping = _bill(format="parquet", object_from={"tags": "t_"})
    result = land_own(company, mapping, path, "own/a.parquet")
    texts = [row[0] for row in read_fields(company, result, "tags")]
    assert [json.loads(text) for text in texts] == [{"a": "x", "n": "7"}, {"n": "8"}]


EXACT: dict[str, dict[str, Any]] = {
    "defaults": {"defaults": {"sub_account_id": "none"}},
    "power_of_ten": {"power_of_ten": {"billed_cost": 1}},
    "round_to": {"round_to": {"billed_cost": 1}},
    "derived_times": {
        "derived_times": {
            "charge_period_start": {"of": "charge_period_end", "point": "month_start"}
        }
    },
    "extract": {"extract": {"sub_account_id": "(.).*"}},
}


@pytest.mark.parametrize("setting", EXACT)
def test_exact_parquet_is_changed_as_declared_too(
    company: Company, tmp_path: Path, setting: str
) -> None:
    """A file whose types are exact is read where it lies, unless the mapping changes a value."""
    import datetime
    from decimal import Decimal

    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "a.parquet"
    costs = pa.array([Decimal("1.25"), Decimal("2.00")], pa.decimal128(18, 2))
    ends = pa.array([datetime.datetime(2026, 1, 15)] * 2, pa.timestamp("us"))
    pq.write_table(pa.table({"cost": costs, "sub": ["ab", None], "end": ends}), path)
    given = ("charge_period_end", "charge_period_start" if setting == "derived_times" else "")
    columns = {"billed_cost": "cost", "sub_account_id": "sub", "charge_period_end": "end"}
    constants = {k: v for k, v in BILL["constants"].items() if k not in given}
    mapping = _bill(format="parquet", columns=columns, constants=constants, **EXACT[setting])
    result = land_own(company, mapping, path, "own/a.parquet")
    expected = {
        "defaults": [("ab", "1.25"), ("none", "2")],
        "power_of_ten": [("ab", "12.5"), (None, "20")],
        "round_to": [("ab", "1.3"), (None, "2")],
        "derived_times": [("ab", "1.25"), (None, "2")],
        "extract": [("a", "1.25"), (None, "2")],
    }[setting]
    rows = read_fields(company, result, "sub_account_id, billed_cost, charge_period_start")
    assert [(sub, f"{Decimal(cost).normalize():f}") for sub, cost, _ in rows] == expected
    assert {row[2] for row in rows} == {"2026-01-01 00:00:00"}


def test_tags_without_braces(company: Company) -> None:
    mapping = _bill(columns={"billed_cost": "cost", "tags": "Tags"}, unbraced_json=["tags"])
    lines = '1,"""a"": ""b"",""c"": ""d, e"""\n2,\n3,"{""a"": ""b""}"\n4,a=b\n'
    result = land_own(company, mapping, ("cost,Tags\n" + lines).encode())
    texts = [row[0] for row in read_fields(company, result, "tags")]
    assert [text and json.loads(text) for text in texts] == [{"a": "b", "c": "d, e"}, None]
    assert result.records_quarantined == 2
    assert "is not valid; expected JSON" in result.reasons[0]


@pytest.mark.parametrize(
    ("charge", "first", "after"),
    [
        ("2026-02-28T23:59:59Z", "2026-02-01 00:00:00", "2026-03-01 00:00:00"),
        ("2026-12-01T00:00:00Z", "2026-12-01 00:00:00", "2027-01-01 00:00:00"),
        ("2026-03-01T00:30:00+01:00", "2026-02-01 00:00:00", "2026-03-01 00:00:00"),
    ],
)
def test_months_of_a_time(company: Company, charge: str, first: str, after: str) -> None:
    given = ("billing_period_start", "billing_period_end", "charge_period_start")
    mapping = _bill(
        constants={k: v for k, v in BILL["constants"].items() if k not in given},
        columns={"billed_cost": "cost", "charge_period_start": "start"},
        derived_times={
            "billing_period_start": {"of": "charge_period_start", "point": "month_start"},
            "billing_period_end": {"of": "charge_period_start", "point": "next_month"},
        },
    )
    result = land_own(company, mapping, f"cost,start\n1,{charge}\n1,soon\n".encode())
    found = read_fields(company, result, "billing_period_start, billing_period_end")
    assert found == [(first, after)]
    assert result.records_quarantined == 1


def test_last_days_become_the_day_after(company: Company) -> None:
    constants = dict(BILL["constants"])
    del constants["billing_period_end"]
    mapping = _bill(
        constants=constants,
        columns={"billed_cost": "cost", "billing_period_end": "end"},
        timestamp_formats=["%m/%d/%Y", "%m/%d/%Y %H:%M"],
        inclusive_ends=["billing_period_end"],
    )
    lines = "1,2/28/2026\n2,2/28/2028\n3,12/31/2026\n4,12/31/2026 23:59\n5,\n"
    result = land_own(company, mapping, ("cost,end\n" + lines).encode())
    assert read_fields(company, result, "billing_period_end") == [
        ("2026-03-01 00:00:00",),
        ("2028-02-29 00:00:00",),
        ("2027-01-01 00:00:00",),
    ]
    assert "a last day without a time of day" in "\n".join(result.reasons)
    assert result.records_quarantined == 2


def test_years_of_two_digits_are_of_the_declared_century(company: Company) -> None:
    mapping = ledger_mapping(century=20, date_order="dmy", date_separator=".")
    lines = "1,31.01.26,1\n2,29.02.24,1\n3,31.01.75,1\n4,31.01.2026,1\n5,29.02.25,1\n"
    result = land_own(company, mapping, ("id,date,amount\n" + lines).encode())
    assert read_fields(company, result, "posting_date") == [
        ("2026-01-31",),
        ("2024-02-29",),
        ("2075-01-31",),
    ]
    assert "a date such as 31.03.26; found '31.01.2026'" in "\n".join(result.reasons)


def test_times_with_years_of_two_digits(company: Company) -> None:
    """Parsers take 75 for 1975; the mapping says 2075."""
    constants = dict(BILL["constants"])
    del constants["charge_period_start"]
    mapping = _bill(
        constants=constants,
        columns={"billed_cost": "cost", "charge_period_start": "start"},
        timestamp_formats=["%m/%d/%y"],
        century=20,
    )
    result = land_own(company, mapping, b"cost,start\n1,5/1/25\n2,5/1/75\n3,5/1/2025\n")
    assert read_fields(company, result, "charge_period_start") == [
        ("2025-05-01 00:00:00",),
        ("2075-05-01 00:00:00",),
    ]
    assert result.records_quarantined == 1
