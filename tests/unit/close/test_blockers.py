"""What blocks a close is found in the marts and the books, named, and accepted for what it was."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import text

from pipelines.books.books import BOOKS_URL_VARIABLE, Books
from pipelines.books.person import act_as
from pipelines.close.blockers import Blocker, accept_blocker, list_blockers, refuse_blocked
from pipelines.close.figures import read_figures
from pipelines.errors import ControlError, UsageError
from pipelines.workspace.config import WorkspaceConfig
from pipelines.workspace.workspace import Workspace
from tests.closed_periods import APPROVER, close_period, reopen_period

CONFIG = """\
name: Example
currency: EUR
calendar: {first_period: 2026-01, last_period: 2026-12}
control_total: {source: ledger}
sources: {ledger: {contract: general_ledger, inbox: "ledger/*"}}
"""

# Only the columns that are read; January and February have cost, and nothing is wrong.
MARTS = """
create table dim_run as select 'run-1' as run_id, 'EUR' as currency_code;
create table dim_periods as
    select * from (values ('2026-01', true), ('2026-02', true), ('2026-03', false))
    as periods (period_id, has_actuals);
create table rpt_certificate as
    select 'actual' as scenario_id, period_id, 'ledger' as identity_id,
        'The ledger is accounted for' as identity_name, 'difference' as side,
        0::decimal(38, 8) as amount, 0::decimal(38, 8) as amount_cents
    from dim_periods where has_actuals;
create table rpt_open_items (scenario_id varchar, period_id varchar, item_kind varchar,
    item_key varchar, amount decimal(38, 8), item_name varchar);
create schema model;
create table model.quarantine (source_id varchar, period_id varchar);
create table rpt_data_sources as
    select 'actual' as scenario_id, 'bill' as source_id, 'Cloud bill' as source_name;
create table rpt_data_source_periods as
    select 'actual' as scenario_id, 'bill' as source_id, period_id, 10::bigint as record_count
    from dim_periods where has_actuals;
create table rpt_data_checks (scenario_id varchar, source_id varchar, check_id varchar,
    what_to_do varchar, is_passed boolean);
create table rpt_data_check_findings (source_id varchar, check_id varchar, period_id varchar,
    sentence varchar);
create table fct_ledger_lines (scenario_id varchar, period_id varchar, source_id varchar,
    is_balancing boolean, amount decimal(38, 8), balancing_kind varchar);
create table fct_charges_monthly as
    select 'actual' as scenario_id, period_id, 'mail' as service_id, 12.34::decimal(38, 8) as amount
    from dim_periods where has_actuals;
create table fct_charge_breakdown_monthly as select * from fct_charges_monthly;
create table fct_bill_items_monthly as
    select scenario_id, period_id, business_unit_id,
        business_unit_id || ' unit' as business_unit_name, amount
    from fct_charges_monthly cross join (values ('FIN'), ('SAL')) as units (business_unit_id);
"""
FEBRUARY = "2026-02"
ADD_ITEMS = (
    "insert into rpt_open_items (scenario_id, period_id, item_kind, item_key, amount) values"
)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.delenv(BOOKS_URL_VARIABLE, raising=False)
    (tmp_path / "apportion.yml").write_text(CONFIG, "utf-8")
    return Workspace.open(tmp_path)


@pytest.fixture
def config(workspace: Workspace) -> WorkspaceConfig:
    return workspace.config


@pytest.fixture
def books(workspace: Workspace) -> Iterator[Books]:
    """Books in which January is closed."""
    made = Books.open(workspace)
    close_period(made, "2026-01")
    yield made
    made.close()


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(MARTS)
        yield connection


def _find(
    books: Books, marts: duckdb.DuckDBPyConnection, config: WorkspaceConfig, **changes: bool
) -> dict[str, Blocker]:
    found = list_blockers(books, marts, config, FEBRUARY, **{"is_current": True, **changes})
    assert len({item.blocker_id for item in found}) == len(found)
    return {item.blocker_id: item for item in found}


def test_nothing_blocks_where_nothing_is_wrong(
    books: Books, marts: duckdb.DuckDBPyConnection, config: WorkspaceConfig
) -> None:
    assert _find(books, marts, config) == {}
    refuse_blocked(FEBRUARY, [])


CASES = {
    "unmapped": (
        f"{ADD_ITEMS} "
        "('actual', '2026-02', 'unmapped_account', '6999', 10.50), "
        "('actual', '2026-02', 'unmapped_account', '6998', -0.25), "
        "('actual', '2026-01', 'unmapped_account', '6998', 99), "
        "('budget', '2026-02', 'unmapped_account', '6998', 99)",
        "unmapped_account",
        "accounts without a cost pool: 2 items, 10.25 EUR",
    ),
    "missing feed": (
        "delete from rpt_data_source_periods where period_id = '2026-02'",
        "missing:bill",
        "Cloud bill brought nothing for 2026-02, and did for 2026-01",
    ),
    # Of two records in quarantine one has no amount: whoever accepts 7.00 accepts that, too.
    "quarantine": (
        "insert into rpt_open_items values ('actual', '2026-02', 'quarantined', 'gl/a.csv', 7, "
        "'2 records in quarantine of a.csv; not in the amount: 1 record without a readable "
        "amount')",
        "quarantined",
        "records in quarantine: 2 records in quarantine of a.csv; not in the amount: 1 record "
        "without a readable amount, 7.00 EUR",
    ),
    "failed check": (
        "insert into rpt_data_checks values ('actual', 'bill', 'fresh', 'Ask.', false); "
        "insert into rpt_data_check_findings values ('bill', 'fresh', '2026-02', 'Is old.')",
        "check:bill/fresh",
        "Is old",
    ),
    # 6 of 100 are not explained: 5 % may be.
    "unexplained": (
        "insert into fct_ledger_lines values ('actual', '2026-02', 'bill', false, 94, null), "
        "('actual', '2026-02', 'bill', true, 6, 'unexplained')",
        "unexplained:bill",
        "bill leaves 6.00 EUR net and 6.00 gross unexplained of 100.00 that it claims",
    ),
    # The invoice of 60 is still to come; what is posted of the rest is explained.
    "unposted": (
        "insert into fct_ledger_lines values ('actual', '2026-02', 'bill', false, 60, null), "
        "('actual', '2026-02', 'bill', true, -60, 'not_yet_posted')",
        "unposted:bill",
        "bill explains 60.00 EUR that the ledger has not posted",
    ),
    # Net nothing is left, yet in either direction too much.
    "unexplained both ways": (
        "insert into fct_ledger_lines values ('actual', '2026-02', 'bill', false, 100, null), "
        "('actual', '2026-02', 'bill', true, 3, 'unexplained'), "
        "('actual', '2026-02', 'bill', true, -3, 'unexplained')",
        "unexplained:bill",
        "bill leaves 0.00 EUR net and 6.00 gross unexplained of 100.00 that it claims",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_blocks_until_it_is_accepted(
    books: Books, marts: duckdb.DuckDBPyConnection, config: WorkspaceConfig, case: str
) -> None:
    statements, blocker_id, finding = CASES[case]
    marts.execute(statements)
    found = _find(books, marts, config)
    assert {name: item.finding for name, item in found.items()} == {blocker_id: finding}
    with pytest.raises(ControlError, match="2026-02 is blocked by 1 thing"):
        refuse_blocked(FEBRUARY, list(found.values()))
    with act_as(APPROVER, is_demo=True):
        accept_blocker(books, FEBRUARY, list(found.values()), blocker_id, "known since May")
    (accepted,) = _find(books, marts, config).values()
    assert (accepted.accepted_by, accepted.why) == (APPROVER, "known since May")
    refuse_blocked(FEBRUARY, [accepted])


def test_five_per_cent_may_be_unexplained(
    books: Books, marts: duckdb.DuckDBPyConnection, config: WorkspaceConfig
) -> None:
    marts.execute(
        "insert into fct_ledger_lines values ('actual', '2026-02', 'bill', false, 95, null), "
        "('actual', '2026-02', 'bill', true, 5, 'unexplained')"
    )
    assert _find(books, marts, config) == {}


def test_another_finding_is_not_accepted_with_it(
    books: Books, marts: duckdb.DuckDBPyConnection, config: WorkspaceConfig
) -> None:
    add = f"{ADD_ITEMS} ('actual', '2026-02', 'unallocated', 'mail', 5)"
    marts.execute(add)
    found = list(_find(books, marts, config).values())
    accept_blocker(books, FEBRUARY, found, "unallocated", "small")
    marts.execute(add)
    (again,) = _find(books, marts, config).values()
    assert again.blocks
    assert again.finding.endswith("2 items, 10.00 EUR")


def test_what_makes_the_proof_false_is_never_accepted(
    books: Books, marts: duckdb.DuckDBPyConnection, config: WorkspaceConfig
) -> None:
    marts.execute("update rpt_certificate set amount = 0.00000001 where period_id = '2026-02'")
    found = _find(books, marts, config, is_current=False)
    assert set(found) == {"outdated", "certificate"}
    assert found["certificate"].amount == Decimal("0.00000001")
    for name in found:
        with pytest.raises(ControlError, match="cannot be accepted"):
            accept_blocker(books, FEBRUARY, list(found.values()), name, "never mind")


@pytest.mark.parametrize("amount", ["1250000", "null"])
def test_a_record_of_an_unknown_period_blocks_every_close_until_it_is_decided(
    books: Books, marts: duckdb.DuckDBPyConnection, config: WorkspaceConfig, amount: str
) -> None:
    marts.execute(
        "insert into rpt_open_items values "
        f"('actual', '(unknown)', 'period_unknown', 'gl/a.csv', {amount}, '2 records of a.csv')"
    )
    (found,) = _find(books, marts, config).values()
    money = "" if amount == "null" else ", 1,250,000.00 EUR"
    assert found.finding == f"records of an unknown period: 2 records of a.csv{money}"
    with pytest.raises(ControlError, match="cannot be accepted"):
        accept_blocker(books, FEBRUARY, [found], "period_unknown", "we know")


def test_a_feed_of_a_month_without_a_ledger_blocks_no_other(
    books: Books, marts: duckdb.DuckDBPyConnection, config: WorkspaceConfig
) -> None:
    marts.execute(f"{ADD_ITEMS} ('actual', '2026-02', 'feed_without_ledger', 'bill', null)")
    assert _find(books, marts, config) == {}


def test_a_source_whose_records_are_all_in_quarantine_is_not_missing(
    books: Books, marts: duckdb.DuckDBPyConnection, config: WorkspaceConfig
) -> None:
    marts.execute("delete from rpt_data_source_periods where period_id = '2026-02'")
    marts.execute("insert into model.quarantine values ('bill', '2026-02')")
    assert _find(books, marts, config) == {}


def test_unknown_blocker_and_missing_reason_are_told(
    books: Books, marts: duckdb.DuckDBPyConnection, config: WorkspaceConfig
) -> None:
    marts.execute(f"{ADD_ITEMS} ('actual', '2026-02', 'wrong_unit', 'x', 5)")
    found = list(_find(books, marts, config).values())
    with pytest.raises(UsageError, match="what does: wrong_unit"):
        accept_blocker(books, FEBRUARY, found, "unmapped", "x")
    with pytest.raises(UsageError, match="--why"):
        accept_blocker(books, FEBRUARY, found, "wrong_unit", "   ")


def test_held_delivery_of_the_period_blocks(
    books: Books, marts: duckdb.DuckDBPyConnection, config: WorkspaceConfig
) -> None:
    with books.begin() as connection:
        for number, (name, decision) in enumerate((("a.csv", None), ("b.csv", "discarded"))):
            connection.execute(
                text(
                    "insert into loads (source_id, contract_id, scenario_id, mapping_id, "
                    "file_name, sha256, bytes, records_delivered, records_accepted, "
                    "records_quarantined, amounts, notes, landed_at, landed_by, hold_kind, "
                    "hold_reason, hold_decision) values ('bill', 'cloud_bill', 'actual', 'm', "
                    ":name, :sha, 1, 0, 0, 0, '{}', '[]', '', '', 'deviation', 'twice as much', "
                    ":decision)"
                ),
                {"name": name, "sha": str(number), "decision": decision},
            )
        connection.execute(
            text(
                "insert into load_periods (load_id, period_id) select load_id, '2026-02' from loads"
            )
        )
    found = _find(books, marts, config)
    assert {name: item.finding for name, item in found.items()} == {
        "held:bill/a.csv": "a delivery is held: twice as much"
    }


def test_periods_are_closed_in_their_order(
    workspace: Workspace, marts: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    fresh = Books.open(workspace)
    first = list_blockers(fresh, marts, workspace.config, FEBRUARY, is_current=True)
    assert [(item.blocker_id, item.can_be_accepted) for item in first] == [("order", True)]
    marts.execute(
        "insert into dim_periods values ('2025-11', true), ('2025-12', true); "
        "insert into rpt_data_source_periods values ('actual', 'bill', '2025-12', 10)"
    )
    close_period(fresh, "2025-12")
    then = list_blockers(fresh, marts, workspace.config, FEBRUARY, is_current=True)
    # The closes have begun, so that none is left out any more; what was before them is past.
    assert [(item.finding, item.can_be_accepted) for item in then] == [
        ("2026-01 is not closed", False)
    ]
    fresh.close()


def test_what_lies_before_the_first_close_blocks_no_later_one(
    books: Books, marts: duckdb.DuckDBPyConnection, config: WorkspaceConfig
) -> None:
    """A company that comes with two years of history closes a first month, and then the next."""
    marts.execute(
        "insert into dim_periods values ('2024-11', true), ('2025-12', true); "
        "insert into rpt_data_source_periods values ('actual', 'bill', '2025-12', 10)"
    )
    assert _find(books, marts, config) == {}
    reopen_period(books, "2026-01")
    assert {name: item.finding for name, item in _find(books, marts, config).items()} == {
        "order": "2026-01 is not closed"
    }


def test_preview_blocks_where_the_workspace_requires_it(
    books: Books, marts: duckdb.DuckDBPyConnection, config: WorkspaceConfig
) -> None:
    required = config.close.model_copy(update={"preview": "required"})
    found = _find(books, marts, config.model_copy(update={"close": required}))
    assert {name: item.finding for name, item in found.items()} == {
        "preview": "the bills were not sent for preview"
    }


def test_hash_is_that_of_the_figures_of_the_period_alone(marts: duckdb.DuckDBPyConnection) -> None:
    before = read_figures(marts, FEBRUARY)
    marts.execute("update dim_run set run_id = 'run-2'")
    marts.execute("update fct_charges_monthly set amount = 1 where period_id = '2026-01'")
    after = read_figures(marts, FEBRUARY)
    assert (before.content_hash, after.run_id) == (after.content_hash, "run-2")
    marts.execute(
        "update fct_charge_breakdown_monthly set amount = 12.34000001 where period_id = '2026-02'"
    )
    assert read_figures(marts, FEBRUARY).content_hash != before.content_hash
    marts.execute(
        "update fct_charge_breakdown_monthly set amount = 12.34 where period_id = '2026-02'"
    )
    assert read_figures(marts, FEBRUARY).content_hash == before.content_hash
    # One unit is given what another one is charged: the sums stay, two bills change.
    marts.execute(
        "update fct_bill_items_monthly set amount = amount + "
        "case business_unit_id when 'SAL' then 1 else -1 end where period_id = '2026-02'"
    )
    assert read_figures(marts, FEBRUARY).content_hash != before.content_hash
    with pytest.raises(UsageError, match="published are 2026-01 to 2026-02"):
        read_figures(marts, "2026-03")
