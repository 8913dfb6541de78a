"""Currencies, years and amounts at their edges: quarantined at landing, with the limit."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipelines.errors import ConfigurationError
from pipelines.money import list_currencies, minor_unit_digits
from pipelines.workspace.workspace import Workspace
from tests.unit.landing.company import Company, ledger, record
from tests.unit.landing.own_source import land_own, ledger_mapping, read_fields

ASSETS = (
    "asset_id,asset_name,asset_class,legal_entity_id,cost_centre_id,purchase_date,currency_code,"
    "purchase_amount_local,useful_life_months,residual_amount_local,retired_date\n"
)


def test_currencies_are_those_of_iso_4217(company: Company) -> None:
    """Each of JPY 100.00, KWD 1.005, CLF 1.2345 and XAU 1.5 has as many decimals as its minor unit
    allows; zeros say nothing. HRK was withdrawn and stays readable."""
    good = [("JPY", "100.00"), ("KWD", "1.005"), ("CLF", "1.2345"), ("XAU", "1.5"), ("HRK", "2.00")]
    bad = [("ZZZ", "1.00"), ("XXX", "1.00"), ("XTS", "1.00"), ("XXQ", "1.00"), ("eur", "1.00")]
    bad += [("JPY", "1.5"), ("KWD", "1.0005")]
    records = [
        record(f"L{number}", amount, currency_code=code)
        for number, (code, amount) in enumerate([*good, *bad])
    ]
    result = company.land_one(ledger(*records))
    assert company.read(result, "select currency_code from records") == [
        (code,) for code, _ in good
    ]
    assert (
        "record 6, field currency_code: is no currency; expected a currency of ISO 4217; found"
        in (result.reasons[0])
    )
    assert result.records_quarantined == len(bad)


def test_the_list_has_minor_units_and_no_code_that_is_no_currency() -> None:
    """ISO 4217, list one: 0 decimals for JPY and KRW, 3 for KWD and TND, 4 for CLF."""
    shown = {code: minor_unit_digits(code) for code in ("JPY", "KRW", "KWD", "TND", "CLF", "EUR")}
    assert shown == {"JPY": 0, "KRW": 0, "KWD": 3, "TND": 3, "CLF": 4, "EUR": 2}
    assert {"EUR", "USD", "XDR", "DEM", "NOK"} <= list_currencies()
    assert not {"XXX", "XTS", "ZZZ", "EUX"} & list_currencies()


def test_a_workspace_has_a_currency_of_iso_4217(company: Company) -> None:
    path = company.workspace.config_path
    path.write_text(path.read_text("utf-8").replace("currency: EUR", "currency: ZZZ"), "utf-8")
    with pytest.raises(ConfigurationError, match="ZZZ is no currency of ISO 4217"):
        _ = Workspace.open(company.workspace.root).config


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"posting_date": "9999-12-31"}, "posting_date"),
        ({"period_id": "9999-12"}, "period_id"),
        ({"period_id": "1899-12"}, "period_id"),
        ({"posting_date": "1899-12-30"}, "posting_date"),
        ({"posting_date": "2101-01-01"}, "posting_date"),
    ],
)
def test_days_outside_the_declared_years_are_quarantined(
    company: Company, changes: dict[str, str], field: str
) -> None:
    first, last = {"posting_date": "1900-01-01"}, {"posting_date": "2100-12-31"}
    result = company.land_one(
        ledger(record("L1", **first), record("L2", **changes), record("L3", **last))
    )
    assert result.records_quarantined == 1
    assert (
        f"record 2, field {field}: lies outside the years; expected a year from 1900 to 2100; found"
    ) in result.reasons[0]


def test_the_years_are_a_setting(company: Company) -> None:
    path = company.workspace.config_path
    path.write_text(
        path.read_text("utf-8").replace("sources:", "years: {first: 2000, last: 2050}\nsources:"),
        "utf-8",
    )
    result = land_own(
        company, ledger_mapping(), b"id,date,amount\nL1,1999-12-31,1\nL2,2050-12-31,1\n"
    )
    assert read_fields(company, result, "line_id") == [("L2",)]
    assert "expected a year from 2000 to 2050" in result.reasons[0]


def test_an_open_end_is_no_wrong_day(company: Company) -> None:
    header = (
        "cost_centre_id,cost_centre_name,business_unit_id,business_unit_name,division_name,"
        "legal_entity_id,legal_entity_name,manager_name,is_it,valid_from,valid_to\n"
    )
    lines = "C1,C1,B1,B1,,DE,DE,,false,2020-01-01,9999-12-31\n"
    lines += "C2,C2,B1,B1,,DE,DE,,false,9999-12-31,\n"
    result = company.land_one((header + lines).encode(), "centres/a.csv")
    assert company.read(result, "select cost_centre_id from records") == [("C1",)]


def test_amounts_at_the_limit(company: Company) -> None:
    """10^15 - 0.01 is the largest amount; an id in its column is named with file and record."""
    records = [
        record("L1", "999999999999999.99"),
        record("L2", "1000000000000000"),
        record("L3", "-1000000000000000.00"),
    ]
    result = company.land_one(ledger(*records))
    assert company.read(result, "select line_id from records") == [("L1",)]
    assert (
        "a.csv, record 2, field amount_local: is too large an amount; expected less than "
        "1,000,000,000,000,000; found '1000000000000000'"
    ) in result.reasons[0]
    assert result.records_quarantined == 2


def _assets(*lines: str) -> bytes:
    return (ASSETS + "".join(f"{line}\n" for line in lines)).encode()


def test_a_register_with_impossible_assets(company: Company) -> None:
    """A residual value above the cost would be negative depreciation; 1899-12-30 is what a zero is
    to a spreadsheet; an asset that is not retired may say so by a far day."""
    mapping = {"contract": "assets", "columns": {n: n for n in ASSETS.strip().split(",")}}
    result = land_own(
        company,
        mapping,
        _assets(
            "A1,srv,server,de,it,2026-01-01,EUR,1000.00,10,2000.00,",
            "A2,srv,server,de,it,1899-12-30,EUR,1000.00,10,,",
            "A3,srv,server,de,it,2026-01-01,EUR,1000.00,10,1000.00,9999-12-31",
            "A4,srv,server,de,it,2026-01-01,EUR,abc,10,5.00,",
        ),
    )
    assert read_fields(company, result, "asset_id") == [("A3",)]
    assert (
        "record 1, field residual_amount_local: is above purchase_amount_local; expected at most "
        "that; found '2000.00'"
    ) in result.reasons[0]
    assert "record 2, field purchase_date: lies outside the years" in result.reasons[1]
    assert "record 4, field purchase_amount_local: has the wrong form" in result.reasons[2]


@pytest.mark.parametrize("names", [("amount", "amount"), ("amount", "Amount")])
def test_parquet_with_a_column_twice(
    company: Company, tmp_path: Path, names: tuple[str, str]
) -> None:
    """DuckDB calls the second one `amount_1`; which one is meant nobody knows. Names that differ in
    their case are two names."""
    pyarrow = pytest.importorskip("pyarrow")
    from decimal import Decimal

    from pyarrow import parquet

    columns = [["L1"], ["2026-01-31"], [Decimal("1.00")], [Decimal("2.00")]]
    table = pyarrow.Table.from_arrays(
        [pyarrow.array(values) for values in columns], names=["id", "date", *names]
    )
    path = tmp_path / "twice.parquet"
    parquet.write_table(table, path)
    mapping = ledger_mapping(format="parquet", unknown_columns="log")
    result = land_own(company, mapping, path, "own/twice.parquet")
    if names[0] == names[1]:
        assert (result.state, "has the column 'amount' twice" in result.message) == (
            "refused",
            True,
        )
    else:
        assert read_fields(company, result, "amount_local") == [("1.000000000000",)]


def test_parquet_at_the_edges(company: Company, tmp_path: Path) -> None:
    """Read where it lies, a file gives the same problems as text does."""
    path = tmp_path / "edges.parquet"
    duckdb.execute(
        "copy (select * from (values ('L1', date '2026-01-31', 1.5::decimal(20, 2)), "
        "('L2', date '1899-12-30', 1), ('L3', date '2026-01-31', 1000000000000000)) "
        f"as t (id, date, amount)) to '{path}' (format parquet)"
    )
    result = land_own(company, ledger_mapping(format="parquet"), path, "own/edges.parquet")
    assert read_fields(company, result, "line_id") == [("L1",)]
    assert "field posting_date: lies outside the years" in " ".join(result.reasons)
    assert "field amount_local: is too large an amount" in " ".join(result.reasons)
