"""What closed periods read of the lake when other deliveries count than those of their close."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.errors import ControlError
from pipelines.landing.hold_decisions import decide_hold
from pipelines.landing.quarantine_decisions import release_records
from pipelines.warehouse.closed_periods import find_directory
from pipelines.warehouse.lake_views import (
    create_lake_views,
    create_load_tables,
    list_active_loads,
    select_loads,
)
from pipelines.warehouse.pins import (
    NO_PINS,
    Pins,
    describe_inputs,
    find_pins,
    read_pins,
    settle_pins,
    write_pins,
)
from tests.closed_periods import close_period
from tests.unit.landing.company import Company, ledger, open_company, record

CONFIG = """\
name: Example Works
currency: EUR
time_zone: Europe/Berlin
calendar: {first_period: 2026-01, last_period: 2026-12}
control_total: {source: ledger}
sources:
  ledger:
    contract: general_ledger
    inbox: ledger/*
    redelivery: replace_period
    hold_above_percent: null
  updated:
    contract: general_ledger
    inbox: updated/*
    redelivery: update_records
    hold_above_percent: null
  tickets: {contract: tickets, inbox: tickets/*, redelivery: append}
  rates: {contract: exchange_rates, inbox: rates/*, redelivery: replace_period}
  centres: {contract: cost_centres, inbox: centres/*, redelivery: replace_period}
  assets: {contract: assets, inbox: assets/*, redelivery: replace_period, hold_above_percent: null}
  relations: {contract: asset_relations, inbox: relations/*, redelivery: replace_period}
"""


@pytest.fixture
def company(tmp_path: Path) -> Company:
    root = tmp_path / "a company [1]"
    (root / "inbox").mkdir(parents=True)
    (root / "apportion.yml").write_text(CONFIG, "utf-8")
    return open_company(root)


def _close(company: Company, period: str = "2026-01", *drop: str) -> None:
    """Close a period with what counts now; `drop`: what its manifest does not say."""
    with duckdb.connect() as connection:
        connection.execute("create schema model")
        create_load_tables(connection, list_active_loads(company.workspace, company.books))
        inputs = describe_inputs(connection)
    for item in inputs:
        for name in drop:
            del item[name]
    path = find_directory(company.workspace, period, 1) / "manifest.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"inputs": inputs}), "utf-8")
    close_period(company.books, period)


def _deliver(company: Company, name: str, *lines: str) -> None:
    """Land a file, and let it count where it came late."""
    content = "".join(f"{line}\n" for line in lines).encode()
    result = company.land_one(content, name)
    if result.state == "held":
        source, file = name.split("/")
        decide_hold(company.workspace, company.books, source, file, "released", why="late")


def _see(company: Company, sql: str) -> tuple[list[tuple[Any, ...]], Pins]:
    """Rows of a query on the lake, and the pins, as they are read back from a published run."""
    loads = list_active_loads(company.workspace, company.books)
    found = find_pins(company.workspace, company.books, loads)
    with duckdb.connect() as connection:
        connection.execute("create schema model")

        def select(contract_id: str, own: Any) -> str:
            return select_loads(connection, contract_id, own)

        clock = company.workspace.config.clock
        write_pins(connection, settle_pins(connection, found, loads, clock, select))
        pins = read_pins(company.workspace, connection)
        create_lake_views(connection, loads, pins=pins, clock=clock)
        rows = connection.execute(sql).fetchall()
    return sorted(rows, key=str), pins


LINES = "select _scenario_id, period_id, line_id, amount_local::double from lake.general_ledger"


def test_nothing_is_pinned_while_the_same_deliveries_count(company: Company) -> None:
    _deliver(company, "ledger/a.csv", *ledger(record("L1", "1.00")).decode().splitlines())
    assert _see(company, LINES)[1] == NO_PINS
    _close(company)
    february = ledger(record("L2", "2.00", period_id="2026-02")).decode().splitlines()
    _deliver(company, "ledger/b.csv", *february)
    rows, pins = _see(company, LINES)
    assert pins == NO_PINS
    assert rows == [("actual", "2026-01", "L1", 1.0), ("actual", "2026-02", "L2", 2.0)]


@pytest.mark.parametrize("drop", [(), ("reading", "corrections")])
def test_replaced_delivery_restates_and_changes_nothing_actual(
    company: Company, drop: tuple[str, ...]
) -> None:
    """Manifests that were written before there were pins name neither reading nor corrections."""
    _deliver(company, "ledger/a.csv", *ledger(record("L1", "1.00")).decode().splitlines())
    _close(company, "2026-01", *drop)
    _deliver(company, "ledger/b.csv", *ledger(record("L1", "3.00")).decode().splitlines())
    rows, pins = _see(company, LINES)
    assert rows == [("actual", "2026-01", "L1", 1.0), ("restated", "2026-01", "L1", 3.0)]
    assert pins.restated == {"2026-01": 1}
    assert pins.list_changed_files("2026-01") == ("b.csv", "a.csv")


def test_record_that_moves_to_another_period_stays_where_it_was_closed(company: Company) -> None:
    first = ledger(record("L1", "1.00"), record("L2", "2.00")).decode().splitlines()
    _deliver(company, "updated/a.csv", *first)
    _close(company)
    moved = ledger(record("L1", "5.00", period_id="2026-02")).decode().splitlines()
    _deliver(company, "updated/b.csv", *moved)
    rows, pins = _see(company, LINES)
    assert rows == [
        ("actual", "2026-01", "L1", 1.0),
        ("actual", "2026-01", "L2", 2.0),
        ("actual", "2026-02", "L1", 5.0),
        ("restated", "2026-01", "L2", 2.0),
    ]
    assert list(pins.restated) == ["2026-01"]


def test_update_that_leaves_the_closed_period_alone_restates_nothing(company: Company) -> None:
    _deliver(company, "updated/a.csv", *ledger(record("L1", "1.00")).decode().splitlines())
    _close(company)
    other = ledger(record("L2", "5.00", period_id="2026-02")).decode().splitlines()
    _deliver(company, "updated/b.csv", *other)
    assert _see(company, LINES)[1] == NO_PINS


def test_record_released_from_quarantine_restates(company: Company) -> None:
    lines = ledger(record("L1", "1.00"), record("L2", "two")).decode().splitlines()
    _deliver(company, "ledger/a.csv", *lines)
    _close(company)
    release_records(
        company.workspace,
        company.books,
        "ledger",
        "a.csv",
        2,
        why="ok",
        changes={"amount_local": "2.00"},
    )
    rows, _ = _see(company, LINES)
    assert rows == [
        ("actual", "2026-01", "L1", 1.0),
        ("restated", "2026-01", "L1", 1.0),
        ("restated", "2026-01", "L2", 2.0),
    ]


TICKETS = (
    "ticket_id,ticket_type,service_id,priority,opened_at,effort_minutes,"
    "response_target_minutes,resolution_target_minutes"
)


def test_ticket_belongs_to_a_closed_period_by_the_clock_of_the_workspace(
    company: Company,
) -> None:
    """23:30 UTC on 31 January is February in Berlin, whatever landing counts it as."""
    _deliver(company, "tickets/a.csv", TICKETS, "T1,incident,mail,1,2026-01-10T08:00:00Z,5,1,1")
    _close(company)
    _deliver(company, "tickets/b.csv", TICKETS, "T2,incident,mail,1,2026-01-31T23:30:00Z,5,1,1")
    tickets = "select _scenario_id, ticket_id from lake.tickets"
    rows, pins = _see(company, tickets)
    assert (rows, pins) == ([("actual", "T1"), ("actual", "T2")], NO_PINS)
    _deliver(company, "tickets/c.csv", TICKETS, "T3,incident,mail,1,2026-01-31T22:30:00Z,5,1,1")
    rows, _ = _see(company, tickets)
    assert rows == [("actual", "T1"), ("actual", "T2"), ("restated", "T1"), ("restated", "T3")]


RATES = "rate_type,period_id,from_currency_code,to_currency_code,exchange_rate,source_name"


def test_rates_are_those_of_the_close_and_others_fill_gaps(company: Company) -> None:
    _deliver(company, "rates/a.csv", RATES, "average,2026-01,USD,EUR,0.9,bank")
    _close(company)
    lines = ("average,2026-01,USD,EUR,0.95,bank", "average,2026-01,CHF,EUR,1.05,bank")
    _deliver(company, "rates/b.csv", RATES, *lines)
    rows, pins = _see(
        company, "select from_currency_code, exchange_rate::double from lake.exchange_rates"
    )
    assert rows == [("CHF", 1.05), ("USD", 0.9)]
    assert pins.restated == {}


CENTRES = (
    "cost_centre_id,cost_centre_name,business_unit_id,business_unit_name,division_name,"
    "legal_entity_id,legal_entity_name,manager_name,is_it,valid_from,valid_to"
)


def _centre(name: str, unit: str, start: str = "2025-01-01", end: str = "") -> str:
    return f"{name},{name},{unit},{unit},,de,Works,,false,{start},{end}"


def test_organisation_is_cut_at_the_end_of_the_closed_periods(company: Company) -> None:
    """Who did not move is one assignment as before; who is left out is there until the cut."""
    _deliver(
        company, "centres/a.csv", CENTRES, *(_centre(name, "u1") for name in ("cc1", "cc2", "cc3"))
    )
    _close(company)
    _close(company, "2026-02")
    lines = (_centre("cc1", "u1"), _centre("cc2", "u2", "2026-02-01"))
    _deliver(company, "centres/b.csv", CENTRES, *lines)
    rows, pins = _see(
        company,
        "select cost_centre_id, business_unit_id, valid_from::varchar, valid_to::varchar "
        "from lake.cost_centres",
    )
    assert rows == [
        ("cc1", "u1", "2025-01-01", None),
        ("cc2", "u1", "2026-01-01", "2026-03-01"),
        ("cc2", "u2", "2026-03-01", None),
        ("cc3", "u1", "2026-01-01", "2026-03-01"),
    ]
    assert pins.restated == {}


ASSETS = (
    "asset_id,asset_name,asset_class,legal_entity_id,cost_centre_id,purchase_date,currency_code,"
    "purchase_amount_local,useful_life_months,retired_date"
)
RELATIONS = "from_kind,from_id,to_kind,to_id,share_weight"


def _asset(name: str, amount: str, purchased: str = "2025-01-01", retired: str = "") -> str:
    return f"{name},{name},server,de,it,{purchased},EUR,{amount},36,{retired}"


def test_assets_and_relations_count_from_and_until(company: Company) -> None:
    _deliver(company, "assets/a.csv", ASSETS, _asset("a1", "10"))
    _deliver(company, "relations/a.csv", RELATIONS, "asset,a1,service,mail,1")
    _close(company)
    _deliver(company, "assets/b.csv", ASSETS, _asset("a1", "30"))
    spans = "_scenario_id, _counts_from::varchar, _counts_until::varchar"
    rows, _ = _see(company, f"select purchase_amount_local::int, {spans} from lake.assets")
    assert rows == [
        (10, "actual", "2026-01-01", "2026-02-01"),
        (30, "actual", "2026-02-01", None),
        (30, "actual", None, "2026-01-01"),
        (30, "restated", "2026-01-01", "2026-02-01"),
    ]
    # The relations are the same everywhere, in the spans of the assets.
    rows, _ = _see(company, f"select to_id, {spans} from lake.asset_relations")
    assert rows == [
        ("mail", "actual", "2026-01-01", "2026-02-01"),
        ("mail", "actual", "2026-02-01", None),
        ("mail", "actual", None, "2026-01-01"),
        ("mail", "restated", "2026-01-01", "2026-02-01"),
    ]


def test_asset_that_is_bought_or_retired_later_restates_nothing(company: Company) -> None:
    _deliver(company, "assets/a.csv", ASSETS, _asset("a1", "10"))
    _close(company)
    later = (_asset("a1", "10", retired="2026-02-10"), _asset("a2", "20", "2026-02-01"))
    _deliver(company, "assets/b.csv", ASSETS, *later)
    assert _see(company, "from lake.assets")[1] == NO_PINS
    _deliver(company, "assets/c.csv", ASSETS, _asset("a1", "10", retired="2026-01-10"))
    assert _see(company, "from lake.assets")[1].restated == {"2026-01": 1}


def _lose_the_load(company: Company) -> None:
    from sqlalchemy import delete

    from pipelines.books.tables import load_amounts, load_periods, loads

    with company.books.begin() as connection:
        for table in (load_periods, load_amounts, loads):
            connection.execute(delete(table).where(table.c.load_id == 1))


def _lose_the_records(company: Company) -> None:
    import shutil

    (load,) = [item for item in company.loads() if item["load_id"] == 1]
    shutil.rmtree(company.workspace.lake / "ledger" / load["sha256"])


def _lose_the_manifest(company: Company) -> None:
    (find_directory(company.workspace, "2026-01", 1) / "manifest.json").write_text("{}", "utf-8")


@pytest.mark.parametrize(
    ("lose", "message"),
    [
        (_lose_the_load, "the books know no such delivery"),
        (_lose_the_records, "records are no longer in"),
        (_lose_the_manifest, "expected the manifest of the close of 2026-01"),
    ],
)
def test_close_whose_inputs_are_gone_is_said(
    company: Company, lose: Callable[[Company], None], message: str
) -> None:
    _deliver(company, "ledger/a.csv", *ledger(record("L1", "1.00")).decode().splitlines())
    _close(company)
    _deliver(company, "ledger/b.csv", *ledger(record("L1", "3.00")).decode().splitlines())
    lose(company)
    with pytest.raises(ControlError, match=message):
        _see(company, LINES)
