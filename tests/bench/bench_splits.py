"""Measurements of the macro that divides money: `python -m tests.bench.bench_splits [SCALE]`.

1 M pool rows over 20 receivers each, stored in a table of a database file, as a stop is. Every aim
is a ratio within one run, to the same join and table in plain DOUBLE, amount x weight / total,
which rounds nothing and adds up to nothing:

- amounts of up to 10^15 engine units (10 M EUR) by weights that sum to 10^15, as solved ones do:
  products of 100 bits, which only HUGEINT holds;
- amounts of up to 10^12 engine units by weights that sum to less than 10^6: 64 bits suffice, and
  the macro proves it row by row.

Both sides take turns and the best of some is taken, because whatever else the machine does falls
on one of them. Parts are exact to the unit: all rows sum to their amounts, and SAMPLE rows are
compared with fractions. The way that is left for products beyond both is timed beside them.

SCALE multiplies the pool rows; below 1 fixed costs weigh more, so the aims are printed, not judged.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.property.exact import split_exactly
from tests.property.macros import load_macros

if TYPE_CHECKING:
    import duckdb

POOL_ROWS, RECEIVERS, SENDERS = 1_000_000, 20, 1000
REPEATS, SAMPLE = 5, 1000
HUGE_AIM, SMALL_AIM = 8.0, 2.0
# One row in this many is a credit.
CREDITS = 20

POOLS = """
    create or replace table {name} as
    select
        i as row_id, i % {senders} as sender_id,
        cast(cast(hash(i) % {largest} as hugeint) * if(i % {credits} = 0, -1, 1) as {type})
            as amount_units
    from range({rows}) as numbers (i)
"""

# The last receiver takes what is left of {total}, where one is wanted.
WEIGHTS = """
    create or replace table drawn as
    select
        sender_id, receiver_id,
        cast(1 + hash(sender_id * 31 + receiver_id) % {largest} as hugeint) as drawn_weight
    from range({senders}) as senders (sender_id)
    cross join range({receivers}) as receivers (receiver_id);
    create or replace table weighted as
    select
        sender_id, receiver_id,
        case
            when {total} is not null and receiver_id = {receivers} - 1
                then {total} - (sum(drawn_weight) over (partition by sender_id) - drawn_weight)
            else drawn_weight
        end as weight
    from drawn;
    create or replace table weights as select *, {ranges} from weighted;
    create or replace table weights_double as
    select
        sender_id, receiver_id, cast(weight as double) as weight,
        cast(weight_total as double) as weight_total
    from weights
"""

SPLIT = """
    create or replace table {target} as
    select cells.row_id, weights.receiver_id, {part} as part_units
    from {cells} as cells
    inner join {weights} as weights on cells.sender_id = weights.sender_id
"""


def main() -> int:
    """Measure and print; exit code 1 if an aim is missed at full size."""
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    rows = int(POOL_ROWS * scale)
    cases: list[tuple[str, int, int, int | None, float | None]] = [
        ("10^15 units by solved weights", 10**15, 10**13, 10**15, HUGE_AIM),
        ("10^12 units by small weights, 64 bits", 10**12, 40_000, None, SMALL_AIM),
        ("10^21 units by solved weights", 10**21, 10**13, 10**15, None),
    ]
    print(f"{rows:,} pool rows over {RECEIVERS} receivers")
    print(f"\n{'measure':<58}{'figure':>12}{'aim':>12}")
    is_missed = False
    for title, amount, weight, total, aim in cases:
        exact, plain = measure_split(rows, amount, weight, total, REPEATS if aim else 1)
        figure = exact / plain
        mark = "" if aim is None or figure <= aim else "  missed"
        is_missed |= bool(mark)
        wanted = "" if aim is None else f"{aim:.1f} x"
        print(f"{title:<50}{exact:>5.2f} s / DOUBLE{figure:>6.1f} x{wanted:>8}{mark}")
    return 1 if is_missed and scale >= 1 else 0


def measure_split(
    rows: int, amount: int, weight: int, total: int | None, repeats: int
) -> tuple[float, float]:
    """Seconds of the macro and of plain DOUBLE, the best of each, once the parts are checked."""
    import duckdb

    macros = load_macros()
    ranges = macros.weight_ranges("weight", "sender_id", "receiver_id")
    part = macros.allocate_by_driver(
        "cells.amount_units", "weights.weight_from", "weights.weight_to", "weights.weight_total"
    )
    sizes = {"senders": SENDERS, "receivers": RECEIVERS, "credits": CREDITS, "rows": rows}
    # A hash has 64 bits; a larger amount is a multiple.
    drawn = min(amount, 10**18)
    with (
        tempfile.TemporaryDirectory(prefix="apportion-bench-") as name,
        duckdb.connect(str(Path(name) / "splits.duckdb")) as connection,
    ):
        for table, kind in (("cells", "hugeint"), ("cells_double", "double")):
            connection.execute(POOLS.format(name=table, largest=drawn, type=kind, **sizes))
            connection.execute(
                f"update {table} set amount_units = amount_units * {amount // drawn}"
            )
        connection.execute(
            WEIGHTS.format(largest=weight, total=total or "null", ranges=ranges, **sizes)
        )
        exact = SPLIT.format(target="exact", cells="cells", weights="weights", part=part)
        plain = SPLIT.format(
            target="plain",
            cells="cells_double",
            weights="weights_double",
            part="cells.amount_units * weights.weight / weights.weight_total",
        )
        times = [
            (time_query(connection, exact), time_query(connection, plain)) for _ in range(repeats)
        ]
        check_parts(connection)
    return min(first for first, _ in times), min(second for _, second in times)


def check_parts(connection: duckdb.DuckDBPyConnection) -> None:
    """Refuse parts that do not sum to their amounts or differ from those of exact fractions."""
    wrong = connection.execute(
        "select count(*) from cells left join (select row_id, sum(part_units) as part_units "
        "from exact group by row_id) as parts using (row_id) "
        "where cells.amount_units is distinct from parts.part_units"
    ).fetchone()
    assert wrong == (0,), wrong
    found = connection.execute(
        "select cells.amount_units, list(weight order by receiver_id), "
        "list(part_units order by receiver_id) from cells inner join exact using (row_id) "
        f"inner join weights using (sender_id, receiver_id) where row_id < {SAMPLE} group by all"
    ).fetchall()
    for amount, weights, parts in found:
        assert parts == split_exactly(amount, weights, 1), (amount, weights)


def time_query(connection: duckdb.DuckDBPyConnection, sql: str) -> float:
    """Seconds of one statement."""
    start = time.perf_counter()
    connection.execute(sql)
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
