"""Every guard of the dbt project passes on sound data and fails on each of its twins."""

from __future__ import annotations

import duckdb
import pytest

from pipelines.warehouse.dbt_runner import PROJECT_DIRECTORY

from .conftest import OpenWarehouse
from .twins import GENERIC, TWINS, Twin

CASES = [
    pytest.param(guard, twin, id=f"{guard}-{twin.what}")
    for guard, twins in TWINS.items()
    for twin in twins
]


def test_every_guard_has_a_twin() -> None:
    guards = {path.stem for path in (PROJECT_DIRECTORY / "tests").rglob("*.sql")}
    assert guards
    assert set(TWINS) - set(GENERIC) == guards


def test_every_guard_says_which_loss_it_guards_against() -> None:
    for path in (PROJECT_DIRECTORY / "tests").rglob("*.sql"):
        assert path.read_text("utf-8").startswith("-- "), path.name


def test_every_guard_is_compiled(warehouse: OpenWarehouse) -> None:
    """A generic test that is added in YAML needs a twin as well."""
    generic = {path.stem for path in warehouse.compiled.glob("models/**/*.yml/*.sql")}
    assert generic == set(GENERIC)


@pytest.mark.parametrize("guard", TWINS)
def test_guard_passes_on_sound_data(
    warehouse: OpenWarehouse, broken: duckdb.DuckDBPyConnection, guard: str
) -> None:
    assert broken.execute(_read_guard(warehouse, guard)).fetchall() == []


@pytest.mark.parametrize(("guard", "twin"), CASES)
def test_guard_fails_on_its_twin(
    warehouse: OpenWarehouse, broken: duckdb.DuckDBPyConnection, guard: str, twin: Twin
) -> None:
    broken.execute(twin.sql)
    rows = broken.execute(_read_guard(warehouse, guard)).fetchall()
    assert rows, f"{guard} does not see: {twin.what}"
    texts = {str(value) for row in rows for value in row}
    assert any(twin.found in text for text in texts), (twin.found, rows)


@pytest.mark.parametrize(
    "guard", ["assert_ledger_lines_keep_local_amounts", "assert_pools_keep_accounts"]
)
def test_no_row_is_no_difference_to_a_row_of_zero(
    warehouse: OpenWarehouse, broken: duckdb.DuckDBPyConnection, guard: str
) -> None:
    """Lines that cancel each other on an account that the ledger has not: a feed before its
    posting. An amount that is not there at all is still found."""
    for table in ("ledger.int_ledger__lines", "stops.int_cost_pools__lines"):
        broken.execute(
            f"insert into {table} select * replace ('6999' as account_id, 0 as amount_units, "
            f"0 as amount_local) from (from {table} limit 1)"
        )
    assert broken.execute(_read_guard(warehouse, guard)).fetchall() == []
    for table in ("ledger.int_ledger__lines", "stops.int_cost_pools__lines"):
        broken.execute(
            f"update {table} set amount_units = null, amount_local = null where account_id = '6999'"
        )
    assert broken.execute(_read_guard(warehouse, guard)).fetchall()


@pytest.mark.parametrize(
    ("mart", "column", "value"),
    [
        ("fct_charges_monthly", "cost_amount", "null"),
        ("fct_charges_monthly", "disposition", "'lost'"),
        ("fct_charge_breakdown_monthly", "amount", "null"),
        ("fct_ledger_lines", "amount", "null"),
        ("fct_ledger_lines", "disposition", "'idle-ish'"),
        ("rpt_bill_lines", "charged_amount", "null"),
        ("dim_services", "charging_policy", "'free'"),
    ],
)
def test_contract_refuses(
    broken: duckdb.DuckDBPyConnection, mart: str, column: str, value: str
) -> None:
    with pytest.raises(duckdb.ConstraintException):
        broken.execute(f"update marts.{mart} set {column} = {value}")


def _read_guard(warehouse: OpenWarehouse, guard: str) -> str:
    paths = list(warehouse.compiled.rglob(f"{guard}.sql"))
    assert len(paths) == 1, (guard, paths)
    return paths[0].read_text("utf-8")
