"""Public ledgers, budgets, rates and tickets land whole, with the totals they are known for."""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from decimal import Decimal
from pathlib import Path

from .public_data import find_file, land_named, read_named, read_records, sum_of

GLA = "gla_ledger_2008_2013/all.csv"
UCI = "itsm_uci_servicenow/incident_event_log.csv.gz"
DOI = "us_doi_it_portfolio_fy2020/data.csv"


def test_gla_ledger_whole_with_its_1209_negatives(tmp_path: Path) -> None:
    """28,145 payments of 1,000,083,306.00 pounds; 8,664 of them have no account code."""
    (result,) = land_named(tmp_path, "gla_ledger_whole", "general_ledger", GLA)
    rows = read_named(GLA)
    assert (result.records_accepted, result.records_quarantined) == (28145, 0)
    assert sum_of(result, "GBP") == Decimal("1000083306.00")
    assert sum_of(result, "GBP") == sum(Decimal(row["Amount"]) for row in rows)
    sql = "select count(*), sum(amount_local) from records where amount_local < 0"
    negative = [Decimal(row["Amount"]) for row in rows if Decimal(row["Amount"]) < 0]
    assert read_records(tmp_path, result, sql) == [(1209, sum(negative))]
    assert "8,664 records without account_id given 'UNCODED'" in result.notes


def test_oakland_budget_holds_expense_only(tmp_path: Path) -> None:
    name = "oakland_budget/FY21-22__adopted.csv"
    (result,) = land_named(tmp_path, "oakland_budget", "budget", name)
    rows = read_named(name)
    expense = [row for row in rows if row["account_type"] == "Expense"]
    assert (result.records_accepted, result.records_quarantined) == (len(expense), 0)
    assert sum_of(result, "USD") == sum(Decimal(row["amount"]) for row in expense)
    # 829 lines of revenue are left out by rule, and counted.
    assert len(rows) - len(expense) == 829
    assert any("829 records left out" in note for note in result.notes)
    by_department: Counter[str] = Counter()
    for row in expense:
        by_department[row["department"]] += int(row["amount"])
    sql = "select sum(amount_local) from records where cost_centre_id = 'information-technology'"
    assert read_records(tmp_path, result, sql) == [(by_department["Information Technology"],)]
    periods = read_records(tmp_path, result, "select distinct period_id from records")
    assert periods == [("2021-07",)]


def test_it_portfolio_of_the_department_of_the_interior(tmp_path: Path) -> None:
    """269 investments, three years: 1,131.108210, 1,230.922512 and 1,283.286168 million dollars."""
    (result,) = land_named(tmp_path, "doi_it_portfolio", "budget", DOI)
    rows = read_named(DOI)
    years = [name for name in rows[0] if name.startswith("Total IT Spending")]
    totals = [sum(Decimal(row[year]) for row in rows) for year in years]
    assert (result.records_accepted, result.records_quarantined) == (3 * 269, 0)
    assert totals == [Decimal("1131.108210"), Decimal("1230.922512"), Decimal("1283.286168")]
    sql = "select period_id, sum(amount_local) from records group by all order by 1"
    assert read_records(tmp_path, result, sql) == [
        ("2017-10", Decimal("1131108210")),
        ("2018-10", Decimal("1230922512")),
        ("2019-10", Decimal("1283286168")),
    ]
    bureaus = {row["Bureau Code"].strip() for row in rows}
    found = read_records(tmp_path, result, "select distinct cost_centre_id from records")
    assert {bureau for (bureau,) in found} == bureaus


def test_ecb_rates_close_each_month(tmp_path: Path) -> None:
    """On the last day of 2019 the ECB published 1.1234 US dollars for a euro."""
    name = "ecb_fx/eurofxref-hist.csv"
    (result,) = land_named(tmp_path, "ecb_rates", "exchange_rates", name)
    last: dict[tuple[str, str], tuple[str, str]] = {}
    for row in read_named(name):
        for currency, rate in row.items():
            if currency not in ("Date", "") and rate not in ("N/A", ""):
                key = (row["Date"][:7], currency)
                last[key] = max(last.get(key, ("", "")), (row["Date"], rate))
    assert (result.records_accepted, result.records_quarantined) == (len(last), 0)
    sql = "select period_id, to_currency_code, exchange_rate from records"
    found = read_records(tmp_path, result, sql)
    assert {(p, c): r for p, c, r in found} == {k: Decimal(v[1]) for k, v in last.items()}
    assert last[("2019-12", "USD")] == ("2019-12-31", "1.1234")


def _read_last_states() -> tuple[list[str], dict[str, list[str]]]:
    text = gzip.decompress(find_file(UCI).read_bytes()).decode()
    header, *events = csv.reader(io.StringIO(text, newline=""))
    assert len(events) == 141712
    number, changes = header.index("number"), header.index("sys_mod_count")
    last: dict[str, list[str]] = {}
    for event in events:
        known = last.get(event[number])
        if known is None or int(event[changes]) >= int(known[changes]):
            last[event[number]] = event
    return header, last


def test_servicenow_log_becomes_24918_last_states(tmp_path: Path) -> None:
    """The data set's page (UCI 498) says: 141,712 events of 24,918 incidents. In their last state
    the SLA was met on 15,803 of them."""
    (result,) = land_named(tmp_path, "servicenow_log_whole", "tickets", UCI)
    header, last = _read_last_states()
    assert (result.records_accepted, result.records_quarantined) == (24918, 0)
    second = [index for index, name in enumerate(header) if name == "category"][1]
    unserved = sum(event[second] == "?" for event in last.values())
    met = sum(event[header.index("made_sla")] == "true" for event in last.values())
    sql = "select count(*) filter (is_sla_met), count(*) filter (not is_sla_met) from records"
    assert read_records(tmp_path, result, sql) == [(met, 24918 - met)] == [(15803, 9115)]
    sql = "select priority, count(*) from records group by all"
    priorities = Counter(int(event[header.index("priority")]) for event in last.values())
    assert dict(read_records(tmp_path, result, sql)) == priorities
    assert any("116,794 earlier states of 141,712 passed over" in note for note in result.notes)
    assert unserved == 8
    assert "8 records without service_id given 'unknown'" in result.notes


def test_incidents_without_a_category_have_an_unknown_service(
    tmp_path: Path,
) -> None:
    (result,) = land_named(tmp_path, "servicenow_incidents", "tickets", UCI)
    header, last = _read_last_states()
    second = [index for index, name in enumerate(header) if name == "category"][1]
    assert sum(event[second] == "?" for event in last.values()) == 8
    assert (result.records_accepted, result.records_quarantined) == (24918, 0)
    sql = "select count(*) from records where service_id = 'unknown'"
    assert read_records(tmp_path, result, sql) == [(8,)]
    sql = "select cast(opened_at as varchar), is_sla_met from records where ticket_id = '0000045'"
    assert read_records(tmp_path, result, sql) == [("2016-02-29 01:16:00", True)]
