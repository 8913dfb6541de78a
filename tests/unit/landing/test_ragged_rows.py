"""One record of another width goes into quarantine, and the others of its file count."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.landing.company import Company, ledger, record
from tests.unit.landing.own_source import land_own, ledger_mapping, read_fields

SHARED = Path(__file__).parents[4] / "shared" / "cases"


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (record("L2") + ",#N/A", "11 fields as in the header, and line 3 has 12"),
        (record("L2").replace(",memo,", ",", 1), "11 fields as in the header, and line 3 has 10"),
        (record("L2", "1,234.00"), "11 fields as in the header, and line 3 has 12"),
        (record("L2") + ",", "11 fields as in the header, and line 3 has 12"),
        ("L2,2026-01", "11 fields as in the header, and line 3 has 2"),
        ("TOTAL,300.25", "11 fields as in the header, and line 3 has 2"),
        ("# a comment", "11 fields as in the header, and line 3 has 1"),
    ],
)
def test_a_record_of_another_width_waits_alone(company: Company, bad: str, says: str) -> None:
    result = company.land_one(ledger(record("L1"), bad, record("L3", "-0.25")))
    assert (result.records_delivered, result.records_quarantined) == (3, 1)
    # 100.00 - 0.25; of the third nobody knows which text is its amount.
    assert result.amounts is not None
    assert result.amounts["EUR"]["accepted"] == "99.75"
    assert sum(int(item["unreadable_records"]) for item in result.amounts.values()) == 1
    assert result.reasons == (
        f"a.csv, record 2: has another number of fields than the header; expected {says}; "
        f"found {bad!r}",
    )
    rows = company.read(result, "select line_id, _row_number from records")
    assert rows == [("L1", 1), ("L3", 3)]
    assert set(company.quarantined_texts(result)[0].values()) == {None}


def test_the_numbers_of_later_records_stay_those_of_the_file(company: Company) -> None:
    """An empty line is no record, a quoted line end ends none."""
    content = ledger(
        record("L1", description='"two\nlines"'), "", record("L2") + ",x", record("L3", "abc")
    )
    result = company.land_one(content)
    assert result.reasons[0].startswith("a.csv, record 2 (line 5): has another number of fields")
    assert "and line 5 has 12" in result.reasons[0]
    assert "record 3 (line 6), field amount_local" in result.reasons[1]


def test_a_file_that_ends_inside_a_record_is_refused(company: Company) -> None:
    content = ledger(record("L1"), record("L2") + ",x", record("L3"))
    result = company.land_one(content[:-30])
    assert result.state == "refused"
    assert "is cut off: line 4 has" in result.message


def test_a_mapping_may_refuse_such_files(company: Company) -> None:
    content = b"id,date,amount\nL1,2026-01-31,1\nL2,2026-01-31,2,x\n"
    result = land_own(company, ledger_mapping(ragged_rows="refuse"), content)
    assert (result.state, "line 3 has 4 fields" in result.message) == ("refused", True)


def test_a_released_record_takes_only_what_is_set(company: Company) -> None:
    from pipelines.landing.quarantine_decisions import DecisionRefusedError, release_records

    result = company.land_one(ledger(record("L1"), record("L2") + ",x"))

    def release(**values: str | None) -> None:
        release_records(
            company.workspace, company.books, "ledger", "a.csv", 2, why="asked", changes=values
        )

    with pytest.raises(DecisionRefusedError, match="field line_id: is missing"):
        release(amount_local="5.00")
    names = ("line_id", "legal_entity_id", "account_id", "cost_centre_id")
    release(
        **dict.fromkeys(names, "X1"),
        period_id="2026-01",
        posting_date="2026-01-31",
        currency_code="EUR",
        amount_local="5.00",
    )
    assert result.records_quarantined == 1


@pytest.mark.skipif(not SHARED.is_dir(), reason="the cases lie beside a development checkout")
def test_a_column_beyond_the_header_in_every_record(company: Company) -> None:
    """Both records of the real file have a field more than its header."""
    mapping = ledger_mapping(
        columns={
            "line_id": "Internal Ref",
            "posting_date": "Paid Date",
            "amount_local": "Total (excludes VAT)",
        },
        unknown_columns="log",
    )
    path = SHARED / "14_ragged_row" / "2022-08.csv"
    result = land_own(company, mapping, path)
    assert (result.records_delivered, result.records_quarantined) == (2, 2)
    assert "expected 10 fields as in the header, and line 2 has 11" in result.reasons[0]
    assert read_fields(company, result, "line_id") == []
