"""The macros of the dbt project, rendered as dbt renders them, without a project around them."""

from __future__ import annotations

from typing import Any

import jinja2

from pipelines.warehouse.dbt_runner import PROJECT_DIRECTORY

NAMES = (
    "divide_integers",
    "multiply_and_divide",
    "split_in_64_bits",
    "split_by_estimate",
    "allocate_by_driver",
    "weight_ranges",
)


def load_macros() -> Any:
    """The macros as functions from SQL to SQL."""
    directory = PROJECT_DIRECTORY / "macros"
    source = "\n".join((directory / f"{name}.sql").read_text("utf-8") for name in NAMES)
    return jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(source).module


def write_split_query(relation: str) -> str:
    """Parts of every case: columns case_id, position, part_units, total_units.

    `relation` has case_id, position, amount_units, weight and unit, all integers.
    """
    macros = load_macros()
    ranges = macros.weight_ranges("weight", "case_id", "position")
    names = ("amount_units", "weight_from", "weight_to", "weight_total")
    part = macros.allocate_by_driver(*names, "unit")
    return f"""
        with ranged as (select *, {ranges} from {relation})
        select case_id, position, {part} as part_units from ranged order by case_id, position
    """
