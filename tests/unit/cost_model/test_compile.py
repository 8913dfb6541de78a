"""Compiled tables: what the build reads is what the files say, to the last digit."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import duckdb

from pipelines.cost_model.compile import RunStamp, compile_tables, tables_as_json, write_tables
from pipelines.cost_model.load import load_cost_model
from pipelines.cost_model.splits import SHARE_DECIMALS
from tests.unit.cost_model.model_files import write_files

STAMP = RunStamp("run-1", "f" * 64, "2026-01-31 12:00:00", "code")


def test_fixed_shares_are_exact_integers(tmp_path: Path) -> None:
    """33.3333333333 and 66.6666666667 percent, times 10^10; together 100 times 10^10."""
    workspace = write_files(tmp_path)
    tables = compile_tables(workspace.config, load_cost_model(workspace), STAMP)
    weights = {row[1]: row[2] for row in tables["tower_rule_receivers"][1] if row[0] != "the-rest"}
    assert weights == {"compute": 333333333333, "desk": 666666666667}
    assert sum(weights.values()) == 100 * 10**SHARE_DECIMALS


def test_eight_decimals_are_kept(tmp_path: Path) -> None:
    shares = ("33.3333333333, desk: 66.6666666667", "33.33333333, desk: 66.66666667")
    workspace = write_files(tmp_path, {"cost_model/towers.yml": shares})
    tables = compile_tables(workspace.config, load_cost_model(workspace), STAMP)
    weights = [row[2] for row in tables["tower_rule_receivers"][1] if row[0] == "staff-split"]
    assert weights == [333333333300, 666666666700]


def test_even_and_direct_have_equal_weights(tmp_path: Path) -> None:
    workspace = write_files(tmp_path)
    tables = compile_tables(workspace.config, load_cost_model(workspace), STAMP)
    rows = tables["service_rule_receivers"][1]
    assert ("desk-even", "mail", 1, "all") in rows
    assert ("desk-even", "network", 1, "all") in rows
    assert tables["shared_service_order"][1] == [("network", 0)]


def test_shares_beside_a_residual_are_the_smallest_integers(tmp_path: Path) -> None:
    """12.5 and 37.5 of 100 leave 50: 1, 3 and 4."""
    old = "fixed, shares: {compute: 33.3333333333, desk: 66.6666666667}"
    rest = "residual: {method: driver, driver: hours, to: [desk], fallback: even}"
    new = f"fixed, shares: {{compute: 12.5, desk: 37.5}}, {rest}"
    workspace = write_files(tmp_path, {"cost_model/towers.yml": (old, new)})
    tables = compile_tables(workspace.config, load_cost_model(workspace), STAMP)
    assert [row for row in tables["tower_rule_receivers"][1] if row[0] == "staff-split"] == [
        ("staff-split", "compute", 1, "shares"),
        ("staff-split", "desk", 3, "shares"),
        ("staff-split", "desk", 1, "residual"),
    ]
    assert [row for row in tables["split_parts"][1] if row[1] == "staff-split"] == [
        ("towers", "staff-split", "shares", "fixed", None, "hold", "refuse", False, None, None),
        (
            *("towers", "staff-split", "residual", "driver", "hours", "even", "refuse"),
            *(True, None, 4),
        ),
    ]


def test_weights_are_the_smallest_integers(tmp_path: Path) -> None:
    """0.75, 1.5 and the default 0.5 in quarters; decimals, never floats."""
    old = "{method: driver, driver: minutes, to: [mail, network], fallback: even}"
    new = (
        "{method: weighted, driver: minutes, weights: {mail: 0.75, network: 1.5}, "
        "default_weight: 0.5, negative: clamp}"
    )
    workspace = write_files(tmp_path, {"cost_model/allocation.yml": (old, new)})
    tables = compile_tables(workspace.config, load_cost_model(workspace), STAMP)
    assert [row for row in tables["service_rule_receivers"][1] if row[0] == "by-use"] == [
        ("by-use", "mail", 3, "all"),
        ("by-use", "network", 6, "all"),
    ]
    assert [row for row in tables["split_parts"][1] if row[1] == "by-use"] == [
        ("services", "by-use", "all", "weighted", "minutes", "hold", "clamp", False, 2, None)
    ]


def test_receivers_of_a_service_are_cost_centres_services_and_globs(tmp_path: Path) -> None:
    new = 'is_shared: true\n    split: {method: even, to: [cc-1, "cc-2*", "service:mail"]}'
    workspace = write_files(tmp_path, {"cost_model/services.yml": ("is_shared: true", new)})
    tables = compile_tables(workspace.config, load_cost_model(workspace), STAMP)
    assert tables["service_receivers"][1] == [
        ("network", "all", "consumer", "cc-1", False, 1),
        ("network", "all", "consumer", "cc-2*", True, 1),
        ("network", "all", "service", "mail", False, 1),
    ]


def test_the_short_form_of_a_service_is_a_driver_split(tmp_path: Path) -> None:
    new = 'driver: mailboxes\n    fallback: even\n    consumers: ["cc-*"]'
    workspace = write_files(tmp_path, {"cost_model/services.yml": ("driver: mailboxes", new)})
    tables = compile_tables(workspace.config, load_cost_model(workspace), STAMP)
    assert [row for row in tables["split_parts"][1] if row[0] == "consumers"] == [
        ("consumers", "mail", "all", "driver", "mailboxes", "even", "refuse", False, None, None),
        ("consumers", "network", "all", "driver", None, "hold", "refuse", False, None, None),
    ]
    assert tables["service_receivers"][1] == [("mail", "all", "consumer", "cc-*", True, 1)]


def test_the_driver_of_a_residual_is_the_driver_of_its_service(tmp_path: Path) -> None:
    """Use counts where a service's driver reads it, whichever part of its split that is."""
    rest = "residual: {method: driver, driver: mailboxes, fallback: prior_period}"
    new = f"split: {{method: fixed, shares: {{cc-1: 40}}, {rest}}}"
    workspace = write_files(tmp_path, {"cost_model/services.yml": ("driver: mailboxes", new)})
    tables = compile_tables(workspace.config, load_cost_model(workspace), STAMP)
    columns = [column.split()[0] for column in tables["services"][0].split(", ")]
    row = dict(zip(columns, tables["services"][1][0], strict=False))
    assert (row["driver_id"], row["fallback"]) == ("mailboxes", "prior_period")


def test_tables_are_written_and_read_back(tmp_path: Path) -> None:
    level = ("unit: port", "unit: port\n    service_level: {availability_percent: 99.9999}")
    workspace = write_files(tmp_path, {"cost_model/services.yml": level})
    tables = compile_tables(workspace.config, load_cost_model(workspace), STAMP)
    with duckdb.connect() as connection:
        write_tables(connection, tables, tmp_path / "model")
        for name, (_, rows) in tables.items():
            path = tmp_path / "model" / f"{name}.parquet"
            counted = connection.execute(f"select count(*) from read_parquet('{path}')").fetchone()
            assert counted == (len(rows),)
        share = connection.execute(
            "select availability_target_share from model.services where service_id = 'network'"
        ).fetchone()
        assert share == (Decimal("0.999999"),)
        periods = connection.execute("select count(*), min(period_start) from model.periods")
        assert str(periods.fetchone()) == "(12, datetime.date(2026, 1, 1))"


def test_fingerprint_text_depends_on_rules_and_not_on_the_run(tmp_path: Path) -> None:
    workspace = write_files(tmp_path / "a")
    model = load_cost_model(workspace)
    first = tables_as_json(compile_tables(workspace.config, model, STAMP))
    later = replace(STAMP, run_id="run-2", built_at="2026-02-28 12:00:00")
    assert tables_as_json(compile_tables(workspace.config, model, later)) == first
    other = write_files(tmp_path / "b", {"cost_model/pools.yml": ("priority: 20", "priority: 21")})
    changed = tables_as_json(compile_tables(other.config, load_cost_model(other), STAMP))
    assert changed != first


def test_cost_behaviour_that_nobody_declared_is_not_fixed(tmp_path: Path) -> None:
    """Wages say nothing, machines are variable, what is excluded has no behaviour."""
    rest = "{id: machines, priority: 20, match: {}, pool: hardware, reason: The rest.}"
    excluded = (
        '  - {id: own, priority: 5, match: {account: ["99*"]}, exclude_as: recovery, reason: Ours.}'
    )
    changed = f"{rest[:-1]}, cost_behaviour: variable}}\n{excluded}"
    workspace = write_files(tmp_path, {"cost_model/pools.yml": (rest, changed)})
    tables = compile_tables(workspace.config, load_cost_model(workspace), STAMP)
    columns, rows = tables["pool_rules"]
    place = columns.replace(", ", ",").split(",").index("cost_behaviour varchar")
    assert {row[0]: row[place] for row in rows} == {
        "wages": "undeclared",
        "machines": "variable",
        "own": None,
    }
