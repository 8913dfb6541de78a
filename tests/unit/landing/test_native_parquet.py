"""A Parquet delivery that is exact is read where it lies, and says the same as one that is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.landing import record_checks
from pipelines.landing.land import LoadResult, land_inbox
from tests.unit.landing.company import Company, open_company, read_load
from tests.unit.landing.own_source import land_own, open_own

FIELDS = ("line_id", "period_id", "posting_date", "cost_centre_id", "currency_code", "amount_local")
MAPPING: dict[str, Any] = {
    "contract": "general_ledger",
    "format": "parquet",
    "columns": {name: name for name in FIELDS},
    "constants": {"legal_entity_id": "DE01", "account_id": "6400"},
    "null_tokens": ["n/a"],
}

GOOD = (
    "select 'L' || i as line_id, '2026-01' as period_id, date '2026-01-31' as posting_date, "
    "'CC' || (i % 7) as cost_centre_id, 'EUR' as currency_code, "
    "(i * 1.25)::decimal(18, 4) as amount_local from range(1, 51) as numbers (i)"
)
"""50 records of 1.25 * i: 1,593.75 in all."""


def _write(tmp_path: Path, select: str, name: str = "made.parquet") -> Path:
    path = tmp_path / name
    with duckdb.connect() as connection:
        connection.execute(f"copy ({select}) to '{path}' (format parquet)")
    return path


def _land(company: Company, tmp_path: Path, select: str, **changes: Any) -> LoadResult:
    path = _write(tmp_path, select)
    return land_own(company, {**MAPPING, **changes}, path, "own/a.parquet")


def _is_viewed(company: Company, result: LoadResult) -> bool:
    return not (company.directory(result) / "records.parquet").exists()


def test_exact_columns_are_not_written_again(company: Company, tmp_path: Path) -> None:
    result = _land(company, tmp_path, GOOD)
    assert _is_viewed(company, result)
    assert result.amounts is not None
    assert result.amounts["EUR"]["accepted"] == "1593.75"
    rows = company.read(
        result,
        "select line_id, posting_date::varchar, legal_entity_id, amount_local::varchar "
        "from records where _row_number = 3",
    )
    assert rows == [("L3", "2026-01-31", "DE01", "3.750000000000")]


@pytest.mark.parametrize(
    "select",
    [
        GOOD.replace("(i * 1.25)::decimal(18, 4)", "cast((i * 1.25)::decimal(18, 4) as varchar)"),
        GOOD.replace("date '2026-01-31'", "'2026-01-31'"),
        GOOD.replace("(i * 1.25)::decimal(18, 4)", "(i * 1.25)::decimal(38, 15)"),
    ],
    ids=["amounts as text", "dates as text", "more decimals than the engine has"],
)
def test_other_columns_are_written_typed(company: Company, tmp_path: Path, select: str) -> None:
    result = _land(company, tmp_path, select)
    assert not _is_viewed(company, result)
    assert result.amounts is not None
    assert result.amounts["EUR"]["accepted"] == "1593.75"


CHANGES = {
    "good": "*",
    "code with a space": "* replace (case when line_id = 'L3' then 'CC 3' else cost_centre_id end "
    "as cost_centre_id)",
    "token for no value": "* replace (case when line_id = 'L3' then 'n/a' else cost_centre_id end "
    "as cost_centre_id)",
    "empty text": "* replace (case when line_id = 'L3' then '' else currency_code end "
    "as currency_code)",
    "no amount": "* replace (case when line_id <> 'L3' then amount_local end as amount_local)",
    "no date": "* replace (case when line_id <> 'L3' then posting_date end as posting_date)",
    "year of five digits": "* replace (case when line_id = 'L3' then date '12026-01-31' "
    "else posting_date end as posting_date)",
    "fraction of a cent": "* replace (case when line_id = 'L3' then 3.755 else amount_local end "
    "::decimal(18, 4) as amount_local)",
    "yen with decimals": "* replace (case when line_id = 'L3' then 'JPY' else currency_code end "
    "as currency_code)",
    "dinar with three": "* replace (case when line_id = 'L3' then 'KWD' else currency_code end as "
    "currency_code, case when line_id = 'L3' then 3.755 else amount_local end ::decimal(18, 4) "
    "as amount_local)",
    "period of another form": "* replace (case when line_id = 'L3' then '2026-13' else period_id "
    "end as period_id)",
    "19 digits before the point": "* replace (case when line_id = 'L3' "
    "then 1000000000000000000 else amount_local end ::decimal(38, 4) as amount_local)",
    "whole numbers": "* replace (cast(amount_local as integer) as amount_local)",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_both_ways_say_the_same(
    company: Company, tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same file, once where it lies and once through text."""
    path = _write(tmp_path, f"select {change} from ({GOOD})")
    viewed = land_own(company, MAPPING, path, "own/a.parquet")
    assert viewed.state == "landed", viewed.message
    assert _is_viewed(company, viewed)
    seen = _describe(company, viewed)
    monkeypatch.setattr(record_checks, "view_native", lambda *args: None)
    mapping = {**MAPPING, "description": "through text"}
    with open_own(company, mapping) as opened:
        (written,) = land_inbox(opened.workspace, opened.books, reread=["own"])
        assert written.state == "landed", written.message
        directory = opened.workspace.lake / "own" / f"{written.sha256}.2"
        assert (directory / "records.parquet").exists()
        assert (written.amounts, written.reasons) == (viewed.amounts, viewed.reasons)
        assert [read_load(directory, sql) for sql in _questions(viewed)] == seen


def _questions(result: LoadResult) -> list[str]:
    questions = ["select * from records order by _row_number"]
    if result.records_quarantined:
        questions.append("select * from quarantine order by _row_number")
    return questions


def _describe(company: Company, result: LoadResult) -> list[list[tuple[Any, ...]]]:
    return [company.read(result, sql) for sql in _questions(result)]


def test_fault_is_one_record_in_quarantine(company: Company, tmp_path: Path) -> None:
    result = _land(company, tmp_path, f"select {CHANGES['code with a space']} from ({GOOD})")
    assert (result.records_accepted, result.records_quarantined) == (49, 1)
    # 1,593.75 less the 3.75 of record 3.
    assert result.amounts is not None
    assert result.amounts["EUR"] == {
        "accepted": "1590",
        "quarantined": "3.75",
        "unreadable_records": "0",
    }
    assert company.read(result, "select count(*), sum(amount_local) from records") == [(49, 1590)]
    assert company.read(result, "select _row_number from quarantine") == [(3,)]


def test_doubled_key_is_refused(company: Company, tmp_path: Path) -> None:
    result = _land(company, tmp_path, f"select * from ({GOOD}) union all ({GOOD} limit 1)")
    assert result.state == "refused"
    assert "holds the key (line_id) more than once" in result.message
    assert "in records 1, 51" in result.message


def test_number_of_a_record_is_its_place_whatever_was_asked(company: Company) -> None:
    """A long list behind `in` becomes a join, and a join may write its blocks in any order."""
    count = 120_000
    lines = "".join(f"L{n},2026-01-31,1.00,{'m' * 80}\n" for n in range(1, count + 1))
    mapping = {
        "contract": "general_ledger",
        "columns": {
            "line_id": "id",
            "posting_date": "date",
            "amount_local": "amount",
            "description": "text",
        },
        "constants": {
            "legal_entity_id": "DE01",
            "account_id": "6400",
            "cost_centre_id": "CC100",
            "currency_code": "EUR",
        },
        "period_from": "posting_date",
        "null_tokens": [f"nothing {n}" for n in range(30)],
    }
    result = land_own(company, mapping, f"id,date,amount,text\n{lines}".encode(), "own/a.csv")
    assert result.records_accepted == count
    assert company.read(
        result, "select count(*) from records where line_id <> 'L' || _row_number"
    ) == [(0,)]


USAGE = {
    "contract": "service_usage",
    "format": "parquet",
    "columns": {
        name: name
        for name in (
            "period_id",
            "service_id",
            "receiver_kind",
            "receiver_id",
            "quantity",
            "unit_code",
        )
    },
}
READINGS = (
    "select '2026-01' as period_id, 's' as service_id, 'consumer' as receiver_kind, "
    "'CC1' as receiver_id, 1.5::decimal(9, 2) as quantity, 'gb' as unit_code from range(3)"
)


def test_records_of_one_key_add_up_where_the_source_says_so(
    company: Company, tmp_path: Path
) -> None:
    path = _write(tmp_path, READINGS)
    refused = land_own(company, USAGE, path, "own/a.parquet")
    assert "holds the key" in refused.message
    config = company.workspace.root / "apportion.yml"
    text = config.read_text("utf-8")
    config.write_text(text.replace('inbox: "own/*"', 'inbox: "own/*", unique_key: []'), "utf-8")
    opened = open_company(company.workspace.root)
    (result,) = [item for item in opened.land() if item.source_id == "own"]
    assert (result.state, result.records_accepted) == ("landed", 3)
    opened.books.close()
