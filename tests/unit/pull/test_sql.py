"""A real PostgreSQL database: exact values, changes, faults."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.closed_periods import close_period
from tests.postgres_server import PASSWORD, PostgresDatabase
from tests.unit.pull.conftest import Puller

TABLE = """
create table postings (
    id text primary key, booked date not null, account text, amount numeric(38, 12),
    changed timestamptz
)"""
QUERY = """
select id as line_id, '2026-03' as period_id, booked as posting_date, 'DE01' as legal_entity_id,
    account as account_id, 'CC1' as cost_centre_id, 'EUR'::text as currency_code,
    amount as amount_local, 'a:b %(x)s 100%' as description
from postings order by id;
"""
INCREMENTAL = QUERY.replace("as description", "as description, changed").replace(
    " order by id;", ""
)
LARGE = "123456789012345.12"


@pytest.fixture
def postings(
    postgres_database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> PostgresDatabase:
    postgres_database.execute(
        TABLE,
        f"insert into postings values ('L1', '2026-03-31', '6400', {LARGE}, '2026-03-31 10:00Z')",
        "insert into postings values ('L2', '2026-03-31', '6400', -0.01, "
        "'2026-03-31 11:00:00.000001Z')",
    )
    monkeypatch.setenv("ERP_URL", postgres_database.address)
    return postgres_database


def sql_source(query: str, **changes: Any) -> dict[str, Any]:
    """The settings of a ledger that is read by a query."""
    connection = {"kind": "sql", "url_variable": "ERP_URL", "query": query, **changes}
    updating = "updated_column" in changes
    return {
        "contract": "general_ledger",
        "mapping": "own" if updating else "canonical_jsonl",
        "connection": connection,
        "redelivery": "update_records" if updating else "replace_period",
    }


def write_own_mapping(puller: Puller) -> None:
    """The canonical names, and a column `changed` that no field holds."""
    import yaml

    from pipelines.contracts.contract import load_contract

    contract = load_contract("general_ledger")
    optional = [field.name for field in contract.fields if not field.is_required]
    mapping = {
        "mapping_id": "own",
        "contract": "general_ledger",
        "description": "Postings.",
        "format": "jsonl",
        "unknown_columns": "log",
        "columns": {field.name: field.name for field in contract.fields},
        "optional_columns": optional,
    }
    directory = puller.workspace.root / "mappings"
    directory.mkdir(exist_ok=True)
    (directory / "own.yml").write_text(yaml.safe_dump(mapping), "utf-8")


def test_amounts_arrive_digit_by_digit(postings: PostgresDatabase, make_puller: Any) -> None:
    puller: Puller = make_puller(sql_source(QUERY))
    result = puller.pull()
    assert (result.state, result.records) == ("pulled", 2)
    landed = puller.land()
    assert (landed.state, landed.records_accepted) == ("landed", 2)
    assert puller.ask(
        "select line_id, amount_local::varchar, posting_date::varchar, description "
        "from lake.general_ledger order by 1"
    ) == [
        ("L1", f"{LARGE}0000000000", "2026-03-31", "a:b %(x)s 100%"),
        ("L2", "-0.010000000000", "2026-03-31", "a:b %(x)s 100%"),
    ]


def test_twelve_decimals_of_money_arrive(
    postgres_database: PostgresDatabase, make_puller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERP_URL", postgres_database.address)
    columns = """
        'Cloud' as provider_name, 'A1' as billing_account_id, 'S1' as sub_account_id,
        timestamptz '2026-03-01 01:00+01' as billing_period_start,
        timestamptz '2026-04-01 02:00+02' as billing_period_end, 'EUR' as billing_currency,
        timestamptz '2026-03-01 01:00+01' as charge_period_start,
        timestamptz '2026-04-01 02:00+02' as charge_period_end, 'Usage' as charge_category,
        'Compute' as service_name
    """
    amount = "123456789012345.123456789012"
    source = sql_source(f"select {columns}, {amount}::numeric(38, 12) as billed_cost")
    puller: Puller = make_puller({**source, "contract": "cloud_bill"})
    assert puller.pull().records == 1
    landed = puller.land()
    assert landed.state == "landed", landed.message
    assert landed.reasons == ()
    assert puller.ask(
        "select billed_cost::varchar, billing_period_start::varchar from lake.cloud_bill"
    ) == [(amount, "2026-03-01 00:00:00")]


def test_number_without_scale_keeps_its_digits(
    postings: PostgresDatabase, make_puller: Any
) -> None:
    postings.execute(
        "alter table postings alter amount type numeric",
        "update postings set amount = 1e20 + 0.00000000000000000001 where id = 'L1'",
        "update postings set amount = 0.10 where id = 'L2'",
        "insert into postings values ('L3', '2026-03-31', '6400', 'NaN', null)",
    )
    puller: Puller = make_puller(sql_source(QUERY))
    puller.pull()
    lines = puller.files()[0].read_text().splitlines()
    assert '"amount_local":100000000000000000000.00000000000000000001' in lines[0]
    assert '"amount_local":0.10' in lines[1]
    assert '"amount_local":"NaN"' in lines[2]
    # More digits than an amount of the lake has, and no number: quarantined, not rounded.
    assert puller.land().records_quarantined == 2


def test_only_changes_are_pulled_with_a_bound_time(
    postings: PostgresDatabase, make_puller: Any
) -> None:
    source = sql_source(INCREMENTAL, updated_column="changed", overlap_minutes=0)
    write_own_mapping(make_puller({**source, "mapping": "canonical_jsonl"}))
    puller: Puller = make_puller(source)
    assert puller.pull().records == 2
    assert json.loads(puller.files()[0].read_text().splitlines()[1])["changed"] == (
        "2026-03-31T11:00:00.000001+00:00"
    )
    puller.land()
    postings.execute(
        "update postings set amount = 5.00, changed = '2026-04-01 09:00Z' where id = 'L1'",
        "insert into postings values ('L3', '2026-03-31', '6400', 1, null)",
    )
    # The second one is at the cursor, to the microsecond; the third one has no time.
    assert puller.pull().records == 3
    puller.land()
    rows = "select line_id, amount_local::varchar from lake.general_ledger order by 1"
    assert puller.ask(rows) == [
        ("L1", "5.000000000000"),
        ("L2", "-0.010000000000"),
        ("L3", "1.000000000000"),
    ]
    postings.execute("delete from postings where id = 'L2'")
    assert puller.pull().records == 2


def test_held_pull_is_asked_for_again(postings: PostgresDatabase, make_puller: Any) -> None:
    source = sql_source(INCREMENTAL, updated_column="changed")
    write_own_mapping(make_puller({**source, "mapping": "canonical_jsonl"}))
    puller: Puller = make_puller(source)
    close_period(puller.books, "2026-03")
    puller.pull()
    assert puller.land().state == "held"
    postings.execute("update postings set amount = 7 where id = 'L2'")
    result = puller.pull()
    assert (result.state, result.since, result.records) == ("pulled", None, 2)


@pytest.mark.parametrize(
    ("column", "values"), [("date", ("2026-03-30", "2026-03-31")), ("bigint", (7, 8))]
)
def test_dates_and_growing_numbers_are_cursors_too(
    postings: PostgresDatabase, make_puller: Any, column: str, values: tuple[object, ...]
) -> None:
    postings.execute(
        "alter table postings drop changed", f"alter table postings add changed {column}"
    )
    for number, value in enumerate(values, start=1):
        postings.execute(f"update postings set changed = '{value}' where id = 'L{number}'")
    source = sql_source(INCREMENTAL, updated_column="changed", overlap_minutes=0)
    write_own_mapping(make_puller({**source, "mapping": "canonical_jsonl"}))
    puller: Puller = make_puller(source)
    puller.pull()
    puller.land()
    result = puller.pull()
    assert (result.since, result.records) == (str(values[1]), 1)


def test_table_that_is_again_as_it_was_counts_as_it_is(
    postings: PostgresDatabase, make_puller: Any
) -> None:
    puller: Puller = make_puller(sql_source(QUERY))
    amounts = "select amount_local::varchar from lake.general_ledger where line_id = 'L2'"
    for amount in ("1", "2", "1"):
        postings.execute(f"update postings set amount = {amount} where id = 'L2'")
        assert puller.pull().state == "pulled"
        assert puller.land().state in ("landed", "known")
        assert puller.ask(amounts) == [(f"{amount}.000000000000",)]
    assert puller.pull().state == "unchanged"


def test_query_is_read_at_the_server_and_changes_nothing(
    postings: PostgresDatabase, make_puller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.pull import sql_reader

    monkeypatch.setattr(sql_reader, "CHUNK_RECORDS", 10)
    postings.execute(
        "insert into postings select 'M' || n, '2026-03-31', '6400', n, now() "
        "from generate_series(1, 95) as n"
    )
    # A query that calls a function that writes is refused by the server.
    postings.execute(
        "create function wipe() returns text language sql "
        "as $$ delete from postings returning id $$"
    )
    assert make_puller(sql_source(QUERY)).pull().records == 97
    result = make_puller(sql_source("select wipe() as line_id")).pull()
    assert result.exit_code == 2
    assert "read-only transaction" in result.message


@pytest.mark.parametrize(
    ("query", "code", "expected"),
    [
        ("select * from nowhere", 2, 'relation "nowhere" does not exist'),
        ("select 1 as a, 2 as a", 2, "two columns the name 'a'"),
        ("select 0.1::float8 as amount_local", 4, "cast(amount_local as numeric)"),
        ("select '\\x00'::bytea as line_id", 4, "a value of the type bytes"),
        ("select 1/0 as line_id", 2, "division by zero"),
    ],
)
def test_query_that_cannot_be_read_is_explained(
    postings: PostgresDatabase, make_puller: Any, query: str, code: int, expected: str
) -> None:
    puller: Puller = make_puller(sql_source(query))
    result = puller.pull()
    assert (result.state, result.exit_code) == ("failed", code)
    assert expected in result.message
    assert puller.files() == []


def test_column_that_is_gone_is_named(postings: PostgresDatabase, make_puller: Any) -> None:
    source = sql_source(QUERY, updated_column="changed")
    write_own_mapping(make_puller({**source, "mapping": "canonical_jsonl"}))
    result = make_puller(source).pull()
    assert result.exit_code == 2
    assert "expected the column 'changed', found line_id, period_id" in result.message


def test_wrong_address_is_explained_without_the_password(
    postings: PostgresDatabase, make_puller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    puller: Puller = make_puller(sql_source(QUERY))
    messages = []
    for address in (
        postings.server.make_address("nowhere"),
        postings.server.make_address(postings.name, "wrong-" + PASSWORD),
        postings.address.replace("psycopg", "nodriver"),
        postings.address.replace("postgresql+psycopg", "nodatabase"),
        f"not an address {PASSWORD}",
    ):
        monkeypatch.setenv("ERP_URL", address)
        result = puller.pull()
        assert result.exit_code == 2
        assert PASSWORD not in result.message and "ERP_URL" in result.message
        messages.append(result.message)
    assert 'database "nowhere" does not exist' in messages[0]
    assert "password authentication failed" in messages[1]
    assert all("no usable SQLAlchemy address" in message for message in messages[2:])
    monkeypatch.delenv("ERP_URL")
    assert "expected the environment variable ERP_URL" in puller.pull().message
