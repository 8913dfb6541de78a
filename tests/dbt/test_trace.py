"""Trace from both ends; ../golden/small_company/README.md works out the figures.

Parts are exact fractions: they are compared as such, without rounding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest

from pipelines.allocation import source_lookup
from pipelines.allocation.source_lookup import FoundSource, find_source
from pipelines.allocation.source_trace import SourceTrace, trace_source
from pipelines.allocation.trace import to_decimal, trace_charge
from pipelines.allocation.trace_picture import draw_charge, draw_source
from pipelines.errors import UsageError
from pipelines.warehouse.lake_views import ActiveLoad
from pipelines.warehouse.reader import open_published

from .golden import Golden


@pytest.fixture(scope="module")
def published(small_company: Golden) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_published(small_company.workspace) as connection:
        yield connection


@pytest.mark.parametrize("name", ["small_company", "reciprocal", "step_down", "tag_rules"])
def test_a_part_is_the_same_from_either_end(name: str, request: pytest.FixtureRequest) -> None:
    """Every line against every charge: the parts of a line are all of it, those of a charge too."""
    golden: Golden = request.getfixturevalue(name)
    with open_published(golden.workspace) as connection:
        from_charges: dict[tuple[object, ...], Fraction] = {}
        charges = connection.execute(
            "select scenario_id, period_id, service_id, cost_centre_id, disposition, cost_amount "
            "from fct_charges_monthly"
        ).fetchall()
        for scenario, period, service, centre, disposition, amount in charges:
            found = trace_charge(connection, period, service, centre, scenario)
            parts = sum((line.part for line in found.lines), Fraction(0))
            assert found.disposition == disposition
            assert parts + found.rounding == Fraction(amount)
            assert abs(found.rounding) < Fraction(1, 100)
            assert sum((part for *_, part in found.paths), Fraction(0)) == parts
            for line in found.lines:
                key = (scenario, period, service, centre, disposition)
                from_charges[line.ledger_line_id, *key] = line.part
        from_sources: dict[tuple[object, ...], Fraction] = {}
        lines = connection.execute("select ledger_line_id, amount from fct_ledger_lines").fetchall()
        for line_id, amount in lines:
            source = find_source(golden.workspace, connection, line_id)
            trace = trace_source(connection, source)
            assert sum((c.part for c in trace.charges), Fraction(0)) == Fraction(amount)
            assert sum((path.part for path in trace.paths), Fraction(0)) == Fraction(amount)
            assert trace.rounding == 0
            for charge in trace.charges:
                from_sources[line_id, *source.figures[:2], *charge.end] = charge.part
    # A line without money has ends and no part in them.
    assert {k: v for k, v in from_sources.items() if v} == {
        k: v for k, v in from_charges.items() if v
    }
    assert from_charges


def _follow(golden: Golden, published: duckdb.DuckDBPyConnection, text: str) -> SourceTrace:
    return trace_source(published, find_source(golden.workspace, published, text))


def _list_parts(trace: SourceTrace) -> dict[tuple[str, str, str], Fraction]:
    return {tuple(charge.end): charge.part for charge in trace.charges}  # type: ignore[misc]


def test_where_a_posting_went(small_company: Golden, published: duckdb.DuckDBPyConnection) -> None:
    """L4, 100.00 of licences: 60 % compute, of it 25 % CRM and 75 % ERP; 40 % desk, a third of it
    through CRM. The solved weights are kept with fifteen decimals."""
    trace = _follow(small_company, published, "general_ledger.csv:4")
    assert trace.source.kind == "cost line"
    assert trace.source.amount == 100
    third, rest = Fraction(333_333_333_333_333, 10**15), Fraction(666_666_666_666_667, 10**15)
    crm = 60 * Fraction(1, 4) + 40 * third
    assert _list_parts(trace) == {
        ("crm", "cc-sales", "allocated"): crm * Fraction(3, 4),
        ("crm", "cc-ops", "allocated"): crm * Fraction(1, 4),
        ("erp", "cc-ops", "allocated"): Fraction(45, 2),
        ("erp", "cc-x", "unmapped"): Fraction(45, 2),
        ("service-desk", "cc-sales", "allocated"): 20 * rest,
        ("service-desk", "cc-hr", "allocated"): 20 * rest,
    }
    desk = [path for path in trace.paths if path.direct_service_id == "service-desk"]
    assert sum(path.part for path in desk if path.service_id == "crm") == 40 * third
    assert {path.tower_id for path in desk} == {"desk"}
    assert trace.charges[0].share == Fraction(9, 40)


@pytest.mark.parametrize(
    ("row", "end", "amount"),
    [
        (6, ("(capitalised)", "(capitalised)", "capitalised"), 70),
        (7, ("(unmapped)", "(unmapped)", "unmapped"), 8),
        (8, ("(recovery)", "(recovery)", "recovery"), -400),
        (9, ("(unallocated)", "(unallocated)", "unallocated"), 100),
    ],
)
def test_money_that_no_consumer_pays_has_an_end(
    small_company: Golden,
    published: duckdb.DuckDBPyConnection,
    row: int,
    end: tuple[str, str, str],
    amount: int,
) -> None:
    trace = _follow(small_company, published, f"general_ledger/general_ledger.csv:{row}")
    assert _list_parts(trace) == {end: Fraction(amount)}


def test_a_bill_record_goes_on_by_its_own_amount(
    small_company: Golden, published: duckdb.DuckDBPyConnection
) -> None:
    """60 USD at 0.90 are 54.00, evenly to CRM and ERP."""
    trace = _follow(small_company, published, "cloud_bill.csv:2")
    assert trace.source.kind == "bill record"
    assert trace.source.amount == 54
    assert _list_parts(trace) == {
        ("crm", "cc-sales", "allocated"): Fraction(81, 4),
        ("crm", "cc-ops", "allocated"): Fraction(27, 4),
        ("erp", "cc-ops", "allocated"): Fraction(27, 2),
        ("erp", "cc-x", "unmapped"): Fraction(27, 2),
    }


def test_a_claimed_invoice_is_followed_through_what_stands_in_its_place(
    small_company: Golden, published: duckdb.DuckDBPyConnection
) -> None:
    """L3, 300 USD = 270.00: the tagged 180.00 to CRM; 54.00 and 36.00 evenly to CRM and ERP."""
    trace = _follow(small_company, published, "general_ledger.csv:3")
    source = trace.source
    assert (source.kind, source.feed_source_id) == ("claimed record", "cloud_bill")
    assert source.amount == 270
    assert (source.claimed_count, len(source.lines)) == (1, 3)
    assert _list_parts(trace) == {
        ("crm", "cc-sales", "allocated"): Fraction(225 * 3, 4),
        ("crm", "cc-ops", "allocated"): Fraction(225, 4),
        ("erp", "cc-ops", "allocated"): Fraction(45, 2),
        ("erp", "cc-x", "unmapped"): Fraction(45, 2),
    }
    # The tagged line is split differently from the others: there is no one share.
    assert {charge.share for charge in trace.charges} == {None}


def test_a_file_is_named_by_the_beginning_of_its_hash(
    small_company: Golden, published: duckdb.DuckDBPyConnection
) -> None:
    sought = find_source(small_company.workspace, published, "general_ledger.csv:1")
    assert sought.file_id is not None
    for text in (f"{sought.file_id[:8]}:1", f"{sought.file_id.upper()}:1", "general_ledger:L1"):
        assert find_source(small_company.workspace, published, text) == sought
    with pytest.raises(UsageError, match="at least 8 characters"):
        find_source(small_company.workspace, published, f"{sought.file_id[:7]}:1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("general_leger.csv:1", "The nearest are general_ledger.csv"),
        ("general_ledger:L10", "The nearest are general_ledger:L1, "),
        ("general_ledger.csv", "expected FILE:ROW"),
        ("general_ledger.csv:0", "expected FILE:ROW with a row from 1"),
        ("general_ledger.csv:10", "the delivery has 9 records"),
        ("timesheets.csv:1", "is a record of 'timesheets', which says where money goes"),
    ],
)
def test_what_is_no_source_is_refused_with_what_is_near(
    small_company: Golden, published: duckdb.DuckDBPyConnection, text: str, said: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        find_source(small_company.workspace, published, text)


def test_a_name_of_two_deliveries_is_refused_with_both(
    small_company: Golden, published: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = [
        ActiveLoad(i, source, source, "actual", "2026.csv", digit * 64, 1, 0, Path())
        for i, (source, digit) in enumerate([("general_ledger", "a"), ("budget", "b")])
    ]
    monkeypatch.setattr(source_lookup, "read_published_loads", lambda *_: loads)
    with pytest.raises(UsageError) as caught:
        find_source(small_company.workspace, published, "2026.csv:1")
    assert "general_ledger/2026.csv (aaaaaaaaaaaa); budget/2026.csv (bbbb" in str(caught.value)


def test_pictures_name_what_was_traced(
    small_company: Golden, published: duckdb.DuckDBPyConnection
) -> None:
    source = _follow(small_company, published, "general_ledger.csv:4")
    drawn = draw_source(published, source)
    for text in ("general_ledger.csv, record 4", "Customer Relations", "Compute", ">60.00<"):
        assert text in drawn
    charge = trace_charge(published, "2026-01", "crm", "cc-ops")
    drawn = draw_charge(published, charge)
    assert "Customer Relations for Operations" in drawn
    # The credit note of 0.05 is netted with the licences, which have the same vendor and account.
    assert "6500 Softer" in drawn
    assert "prefers-color-scheme: dark" in drawn


def test_a_found_source_sums_its_lines(
    small_company: Golden, published: duckdb.DuckDBPyConnection
) -> None:
    found: FoundSource = find_source(small_company.workspace, published, "general_ledger.csv:3")
    assert sorted(line.amount for line in found.lines) == [36, 54, 180]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(1, 3), "0.33333333"),
        (Fraction(-5, 10**9), "-0.00000001"),
        (Fraction(10**40 + 1, 2), "5" + "0" * 39 + ".50000000"),
    ],
)
def test_a_fraction_is_written_exactly_however_large(value: Fraction, text: str) -> None:
    assert format(to_decimal(value), "f") == text
