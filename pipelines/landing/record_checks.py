"""Check the records of a delivery: one by one against the contract, and as a whole.

A record that breaks its contract is marked, to be quarantined. Some faults say that the file as a
whole cannot be trusted, and refuse it: no records, a key that occurs twice, two columns that were
swapped, a total line among the records.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.contracts.contract import Contract, ContractField
from pipelines.errors import DeliveryRefusedError, Problem
from pipelines.landing.delivery import Delivery
from pipelines.landing.field_checks import (
    PATTERNS,
    amount_expression,
    cast_expression,
    good_expression,
    match_expression,
    problem_expressions,
)
from pipelines.mappings.mapping import LastState, Mapping
from pipelines.readers.csv_header import Header
from pipelines.readers.field_forms import delivered_text
from pipelines.readers.field_texts import (
    count_stripped,
    helper_name,
    list_helpers,
    note_changes,
    select_texts,
)

if TYPE_CHECKING:
    import duckdb

TOTAL_WORDS = re.compile(
    r"((sub|grand|sum)?[ -]?totals?|totaal|totale|summe|gesamt(summe)?|insgesamt|somme|suma)[ :]*",
    re.IGNORECASE,
)
RECORDS_SHOWN = 5
SUM_NEEDS_RECORDS = 2
"""An amount that equals the sum of the others says something where there are at least two."""


def check_records(
    connection: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    header: Header,
    table: str,
    sha256: str,
) -> tuple[str, ...]:
    """Turn `table` (all text) into `checked`: every field of the contract as text, `_row_number`
    and `_is_good`. Returns what was normalised or passed over."""
    contract, mapping = delivery.contract, delivery.mapping
    notes = _count_stripped(connection, mapping, header, table)
    notes += note_changes(connection, contract, mapping, header, table)
    texts = select_texts(contract, mapping, header, table, sha256)
    if mapping.last_state_of is not None:
        texts, note = _keep_last_states(connection, delivery, mapping.last_state_of, texts)
        notes += note
    fields = ", ".join(f'"{field.name}"' for field in contract.fields)
    connection.execute(
        f"""
        create or replace temp table checked as
        with texts as (select _row_number, {fields} from ({texts}))
        select *, {good_expression(contract)} as _is_good from texts
        """
    )
    connection.execute(f"drop table {table}")
    connection.execute("drop table if exists events")
    return notes


def _count_stripped(
    connection: duckdb.DuckDBPyConnection, mapping: Mapping, header: Header, table: str
) -> tuple[str, ...]:
    sql = count_stripped(mapping, header, table)
    row = connection.execute(sql).fetchone() if sql else None
    return (f"spaces around {row[0]:,} values removed",) if row and row[0] else ()


def _keep_last_states(
    connection: duckdb.DuckDBPyConnection, delivery: Delivery, states: LastState, texts: str
) -> tuple[str, tuple[str, ...]]:
    """SQL for the last event of each key, and how many came before. An event without a whole key
    stays, to be judged by itself. Raises DeliveryRefusedError where events cannot be ordered."""
    connection.execute(f"create or replace temp table events as {texts}")
    key = ", ".join(f'"{name}"' for name in states.key)
    is_whole = " and ".join(f'"{name}" is not null' for name in states.key)
    helpers = {field.name: field for field in list_helpers(delivery.mapping)}
    order = [
        delivery.contract.field(item) if isinstance(item, str) else helpers[helper_name(item)]
        for item in states.order
    ]
    _refuse_without_order(connection, delivery, order, is_whole)
    casts = ", ".join(f"{cast_expression(field)} desc" for field in order)
    kept = (
        f"select * from events qualify not ({is_whole}) "
        f"or row_number() over (partition by {key} order by {casts}, _row_number desc) = 1"
    )
    row = connection.execute(
        f"select count(*), (select count(*) from ({kept})) from events"
    ).fetchone()
    assert row is not None
    events, last = row
    note = f"{events - last:,} earlier states of {events:,} passed over, {last:,} last states kept"
    return kept, (note,) if events > last else ()


def _refuse_without_order(
    connection: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    order: list[ContractField],
    is_whole: str,
) -> None:
    columns = {helper_name(item): item.column for item in delivery.mapping.helper_columns()}
    for field in order:
        name = f'"{field.name}"'
        row = connection.execute(
            f"""
            select _row_number, {delivered_text(name)} from events
            where {is_whole} and not coalesce({match_expression(field)}
                and ({cast_expression(field)}) is not null, false)
            order by _row_number limit 1
            """
        ).fetchone()
        if row is not None:
            raise _refuse(
                delivery,
                "has an event that cannot be put in order",
                record=row[0],
                field=columns.get(field.name, field.name),
                expected=PATTERNS[field.type][1],
                found=row[1] or "nothing",
                remedy="Without it the last state is not known; ask the sender for it.",
            )


def explain_quarantine(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Make `quarantined`: the records of `checked` that are not good, each with its `_problems`, a
    list of (field, found, reason)."""
    problems = ", ".join(problem_expressions(contract))
    connection.execute(
        f"""
        create or replace temp table quarantined as
        select
            * exclude (_is_good),
            list_filter([{problems}], lambda problem: problem is not null) as _problems
        from checked where not _is_good
        """
    )


def refuse_untrusted(connection: duckdb.DuckDBPyConnection, delivery: Delivery) -> None:
    """Raise DeliveryRefusedError where the records say that the file is not what it should be."""
    row = connection.execute(
        "select count(*), count(*) filter (not _is_good) from checked"
    ).fetchone()
    assert row is not None
    delivered, quarantined = row
    if delivered == 0:
        raise _refuse(
            delivery,
            "has a header and no records",
            expected="at least one record",
            found="0",
            remedy="Ask the sender whether there is really nothing to deliver.",
        )
    if quarantined:
        _refuse_swapped_columns(connection, delivery)
    _refuse_total_line(connection, delivery, delivered)
    _refuse_double_keys(connection, delivery)


def _refuse_double_keys(connection: duckdb.DuckDBPyConnection, delivery: Delivery) -> None:
    """Quarantined records count too: a key delivered twice is in doubt, whichever one is good."""
    key = delivery.contract.key
    if not key:
        return
    columns = ", ".join(f'"{name}"' for name in key)
    is_whole = " and ".join(f'"{name}" is not null' for name in key)
    row = connection.execute(
        f"""
        with doubled as (
            select {columns}, list(_row_number order by _row_number) as records
            from checked where {is_whole} group by {columns} having count(*) > 1
        )
        select *, count(*) over () from doubled order by records limit 1
        """
    ).fetchone()
    if row is None:
        return
    *values, records, count = row
    more = f", and {count - 1} more keys" if count > 1 else ""
    numbers = ", ".join(map(str, records[:RECORDS_SHOWN]))
    raise _refuse(
        delivery,
        f"holds the key ({', '.join(key)}) more than once",
        record=records[1],
        expected="each key once",
        found=f"({', '.join(values)}) in records {numbers}{more}",
        remedy="Ask the sender for a file without the repetition.",
    )


def _refuse_swapped_columns(connection: duckdb.DuckDBPyConnection, delivery: Delivery) -> None:
    """A column that never has its own form, whose form another column always has, and which would
    do as that other column."""
    fields = [field for field in delivery.contract.fields if field.type != "json"]
    counts = ", ".join(
        f'count("{field.name}"), count(*) filter ({match_expression(field)})' for field in fields
    )
    row = connection.execute(f"select {counts} from checked").fetchone()
    assert row is not None
    filled = [field for number, field in enumerate(fields) if row[2 * number]]
    never = [f for number, f in enumerate(fields) if row[2 * number] and not row[2 * number + 1]]
    for field in never:
        for other in filled:
            if other.name != field.name and _would_fit(connection, field, other):
                raise _refuse(
                    delivery,
                    f"seems to have the columns {field.name} and {other.name} swapped",
                    field=field.name,
                    expected=f"{PATTERNS[field.type][1]}, which every {other.name} is",
                    found="no record with that form",
                    remedy="Correct the header or the columns.",
                )


def _would_fit(
    connection: duckdb.DuckDBPyConnection, field: ContractField, other: ContractField
) -> bool:
    """Whether all texts of each of two fields have the form of the other."""

    def fits(text: str, form: ContractField) -> str:
        pattern = PATTERNS[form.type][0].replace("'", "''")
        return f"bool_and(regexp_full_match(\"{text}\", '{pattern}'))"

    row = connection.execute(
        f"select {fits(other.name, field)} and {fits(field.name, other)} from checked"
    ).fetchone()
    return row is not None and bool(row[0])


def _refuse_total_line(
    connection: duckdb.DuckDBPyConnection, delivery: Delivery, delivered: int
) -> None:
    """A last record that is a total shows two of three signs: a word for it, a required field
    missing, an amount that equals the sum of the records before it."""
    contract = delivery.contract
    names = ", ".join(f'"{field.name}"' for field in contract.fields)
    # Numbers may have gaps, where records were passed over.
    row = connection.execute(
        f"select {names}, _row_number from checked order by _row_number desc limit 1"
    ).fetchone()
    assert row is not None
    *last, number = row
    values = dict(zip((field.name for field in contract.fields), last, strict=True))
    word = next((text for text in last if text and TOTAL_WORDS.fullmatch(text)), None)
    is_short = any(field.is_required and values[field.name] is None for field in contract.fields)
    signs = (word is not None) + is_short
    if signs == 1:
        signs += delivered > SUM_NEEDS_RECORDS and _is_sum_of_others(connection, contract, number)
    if signs >= 2:
        raise _refuse(
            delivery,
            "ends with what looks like a total",
            record=number,
            expected="records only",
            found=", ".join(text for text in last if text),
            remedy="Ask the sender to leave it out; a control file may hold the total.",
        )


def _is_sum_of_others(connection: duckdb.DuckDBPyConnection, contract: Contract, last: int) -> bool:
    if contract.amount_field is None:
        return False
    row = connection.execute(
        f"""
        select sum(amount) filter (_row_number = $last), sum(amount) filter (_row_number < $last)
        from (
            select _row_number, {amount_expression(contract.field(contract.amount_field))} as amount
            from checked
        )
        """,
        {"last": last},
    ).fetchone()
    assert row is not None
    amount: Decimal | None = row[0]
    return amount is not None and amount == row[1]


def _refuse(
    delivery: Delivery,
    message: str,
    *,
    expected: str,
    found: str,
    remedy: str,
    record: int | None = None,
    field: str | None = None,
) -> DeliveryRefusedError:
    problem = Problem(
        delivery.name, message, record, field, found, expected, f"Nothing was loaded. {remedy}"
    )
    return DeliveryRefusedError(problem)
