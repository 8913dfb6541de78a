"""Check the records of a delivery: one by one against the contract, and as a whole.

A record that breaks its contract is marked, to be quarantined. Some faults say that the file as a
whole cannot be trusted, and refuse it: no records, a key that occurs twice, two columns that were
swapped, a total line among the records.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.contracts.contract import Contract
from pipelines.errors import DeliveryRefusedError, Problem
from pipelines.landing.delivery import Delivery
from pipelines.landing.event_log import STATES, keep_last_states
from pipelines.landing.field_checks import (
    problem_expressions,
)
from pipelines.landing.name_table import write_names
from pipelines.landing.native_records import view_native
from pipelines.landing.record_counts import RecordCounts
from pipelines.landing.swapped_columns import refuse_swapped_columns
from pipelines.landing.typed_records import RecordTexts, TypedRecords, write_typed
from pipelines.mappings.mapping import Mapping
from pipelines.readers.csv_header import Header
from pipelines.readers.delivered import Delivered
from pipelines.readers.field_texts import (
    count_stripped,
    note_changes,
    select_texts,
)
from pipelines.readers.physical_lines import PhysicalText
from pipelines.readers.text_marks import RAGGED, literal

if TYPE_CHECKING:
    import duckdb

TOTAL_WORDS = re.compile(
    r"((sub|grand|sum)?[ -]?totals?|totaal|totale|summe|gesamt(summe)?|insgesamt|somme|suma)[ :]*",
    re.IGNORECASE,
)
CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
RECORDS_SHOWN = 5
SUM_NEEDS_RECORDS = 2
"""An amount that equals the sum of the others says something where there are at least two."""


@dataclass(frozen=True)
class ReadRecords:
    """The records of a delivery and what was done on the way to them."""

    records: TypedRecords
    notes: tuple[str, ...] = ()
    """What was normalised or passed over."""
    passed_over: int = 0
    """Delivered records that are no records of their own: earlier states of the same thing."""
    texts: str | None = None
    """Query for the fields as they were written; None where the format does not keep that."""


def read_records(
    connection: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    delivered: Delivered,
    sha256: str,
    directory: Path,
) -> ReadRecords:
    """The records with the types of their contract, written to `directory` unless they can be read
    where they lie. Raises DeliveryRefusedError where the file is not what its mapping declares."""
    contract, mapping = delivery.contract, delivery.mapping
    native = view_native(connection, contract, mapping, delivered, sha256)
    if native is not None:
        return ReadRecords(native)
    if mapping.last_state_of is not None or mapping.strip_text:
        # What looks at all records before it reads them needs them twice.
        delivered = delivered.keep(connection, "delivered")
    notes = _count_stripped(connection, mapping, delivered.header, delivered.relation)
    texts, passed_over = _select_texts(delivery, delivered, sha256), delivered.header.left_out
    if mapping.last_state_of is not None:
        earlier, note = keep_last_states(
            connection, delivery, mapping.last_state_of, texts.numbered
        )
        passed_over += earlier
        texts = RecordTexts(f"from {STATES}", f"from {STATES}", texts.are_clean)
        notes += note
    notes += write_names(connection, delivery, delivered, sha256, directory)
    typed = write_typed(connection, contract, texts, delivered, directory)
    notes += note_changes(connection, contract, mapping, typed.relation)
    is_written = mapping.format == "csv" and not mapping.computes(contract.amount_field or "")
    written = texts.sql if is_written else None
    return ReadRecords(typed, notes, passed_over, written)


def _select_texts(delivery: Delivery, delivered: Delivered, sha256: str) -> RecordTexts:
    """Numbering the records of a file costs as much as reading them, so a relation that has no
    numbers gets them only where they are needed."""

    def select(relation: str) -> str:
        header, mapping = delivered.header, delivery.mapping
        return select_texts(delivery.contract, mapping, header, relation, sha256)

    numbered = select(delivered.number())
    # What the query itself puts into a text stands in it: a constant, or the mark of a misread one.
    own = select("delivered")
    are_clean = not delivered.may_have_control_characters and not CONTROL_CHARACTER.search(own)
    if delivered.is_numbered or delivery.mapping.row_key:
        return RecordTexts(numbered, numbered, are_clean)
    without = f"(select null::bigint as _row_number, * from {delivered.relation})"
    return RecordTexts(select(without), numbered, are_clean)


def _count_stripped(
    connection: duckdb.DuckDBPyConnection, mapping: Mapping, header: Header, table: str
) -> tuple[str, ...]:
    sql = count_stripped(mapping, header, table)
    row = connection.execute(sql).fetchone() if sql else None
    return (f"spaces around {row[0]:,} values removed",) if row and row[0] else ()


def explain_quarantine(
    connection: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    delivered: Delivered,
    records: TypedRecords,
    sha256: str,
) -> None:
    """Make `quarantined`: the records that are not good as the texts that they came as, each with
    its `_problems`, a list of (field, found, reason). It reads the delivery again."""
    mapping = delivery.mapping
    connection.execute(
        "create or replace temp table waiting as "
        f"select _row_number from {records.relation} where not coalesce({records.good}, false)"
    )
    if mapping.last_state_of is not None:
        texts = f"from {STATES}"
    else:
        table = "delivered" if mapping.strip_text else delivered.number()
        texts = select_texts(delivery.contract, mapping, delivered.header, table, sha256)
    fields = ", ".join(f'"{field.name}"' for field in delivery.contract.fields)
    problems = ", ".join(problem_expressions(delivery.contract))
    with delivered.reading():
        connection.execute(
            f"""
            create or replace temp table quarantined as
            select
                *,
                list_filter([{problems}], lambda problem: problem is not null) as _problems
            from (select _row_number, {fields} from ({texts}))
            where _row_number in (select _row_number from waiting)
            """
        )
    if delivered.header.has_ragged:
        _say_ragged(connection, delivery)
    row = connection.execute(
        "select (select count(*) from waiting), count(*) from quarantined where len(_problems) > 0"
    ).fetchone()
    assert row is not None
    # Two ways to judge a record must agree, or one would vanish between them.
    assert row[0] == row[1], f"{row[0]} records are not good, {row[1]} of them say why"


def number_lines(connection: duckdb.DuckDBPyConnection, text: PhysicalText | None) -> None:
    """Give the records of `quarantined` their `_line_number`; null where they have no lines."""
    if text is None:
        connection.execute("alter table quarantined add column _line_number bigint")
        return
    import numpy as np

    found = connection.execute(
        "select cast(_row_number as bigint) as record from quarantined order by all"
    ).fetchnumpy()
    records = np.asarray(found["record"], dtype=np.int64)
    numbered = {"_row_number": records, "_line_number": text.find_lines(records)}
    connection.register("numbered", numbered)
    connection.execute(
        "create or replace temp table quarantined as "
        "select quarantined.*, nullif(_line_number, 0) as _line_number "
        "from quarantined left join numbered using (_row_number)"
    )
    connection.unregister("numbered")


def _say_ragged(connection: duckdb.DuckDBPyConnection, delivery: Delivery) -> None:
    """Of a record of another width, `quarantined` says that once, and keeps no value of its own."""
    says = f"starts_with(problem.reason, {literal(RAGGED)})"
    given = {*delivery.mapping.constants, *delivery.mapping.file_values}
    names = [field.name for field in delivery.contract.fields]
    texts = ", ".join(
        f'"{name}"'
        if name in given
        else f'case when _is_ragged then null else "{name}" end as "{name}"'
        for name in names
    )
    connection.execute(
        f"""
        create or replace temp table quarantined as
        select
            _row_number, {texts},
            case when _is_ragged then [{{
                'field': '', 'found': _ragged[1].found, 'reason': _ragged[1].reason
            }}] else _problems end as _problems
        from (
            select *, list_filter(_problems, lambda problem: {says}) as _ragged,
                len(_ragged) > 0 as _is_ragged
            from quarantined
        )
        """
    )


def refuse_untrusted(
    connection: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    records: TypedRecords,
    counts: RecordCounts,
    *,
    may_be_empty: bool = False,
) -> None:
    """Raise DeliveryRefusedError where the records say that the file is not what it should be.
    Assumes that `quarantined` holds the records that are not good, if there are any."""
    if counts.delivered == 0:
        if may_be_empty:
            return
        raise _refuse(
            delivery,
            "has a header and no records",
            expected="at least one record",
            found="0",
            remedy="Ask the sender whether there is really nothing to deliver; a control file "
            "with 'records: 0' says so.",
        )
    if counts.quarantined:
        refuse_swapped_columns(connection, delivery, records, counts)
    _refuse_total_line(connection, delivery, records, counts)
    _refuse_double_keys(connection, delivery, records)


def _refuse_double_keys(
    connection: duckdb.DuckDBPyConnection, delivery: Delivery, records: TypedRecords
) -> None:
    """Quarantined records count too: a key delivered twice is in doubt, whichever one is good.

    Keys with different hashes are different, and hashes are grouped in half the time of texts; only
    where two are alike, the keys themselves are looked at, and only then which records hold them.
    """
    key = delivery.unique_key
    if not key:
        return
    columns = ", ".join(f'"{name}"' for name in key)
    is_whole = " and ".join(f'"{name}" is not null' for name in key)
    row = connection.execute(
        f"select count(*), count(distinct hash({columns})) from {records.relation} where {is_whole}"
    ).fetchone()
    if row is None or row[0] == row[1]:
        return
    doubled = (
        f"select {columns} from {records.relation} where {is_whole} "
        f"group by {columns} having count(*) > 1"
    )
    if connection.execute(f"{doubled} limit 1").fetchone() is None:
        return
    shown = ", ".join(f'cast("{name}" as varchar)' for name in key)
    row = connection.execute(
        f"""
        with doubled as ({doubled}),
        listed as (
            select {shown}, list(_row_number order by _row_number) as records
            from {records.relation} inner join doubled using ({columns})
            group by {columns}
        )
        select *, count(*) over () from listed order by records limit 1
        """
    ).fetchone()
    assert row is not None
    *values, doubles, count = row
    more = f", and {count - 1} more keys" if count > 1 else ""
    numbers = ", ".join(map(str, doubles[:RECORDS_SHOWN]))
    raise _refuse(
        delivery,
        f"holds the key ({', '.join(key)}) more than once",
        record=doubles[1],
        expected="each key once",
        found=f"({', '.join(values)}) in records {numbers}{more}",
        remedy="Ask the sender for a file without the repetition"
        f"{_say_legitimate(connection, delivery, records, key)}.",
    )


def _say_legitimate(
    connection: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    records: TypedRecords,
    key: tuple[str, ...],
) -> str:
    """How a source declares that records of one key are right: by a further field that tells all
    of them apart, by adding up, or by numbering them."""
    contract = delivery.contract
    wider = _find_wider_key(connection, contract, records, key)
    ways = []
    if wider is not None:
        ways.append(f"'unique_key: [{', '.join((*key, wider))}]' if {wider} tells them apart")
    if contract.adds_up:
        ways.append("'unique_key: []' if they add up")
    if not ways and len(key) == 1 and key == contract.key:
        ways.append(f"'row_key: true' in its mapping if {key[0]} is no number of the record")
    return f", or declare for the source {', or '.join(ways)}" if ways else ""


def _find_wider_key(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    records: TypedRecords,
    key: tuple[str, ...],
) -> str | None:
    """The first text of the contract that with the key makes every record one of its own."""
    candidates = [
        field.name
        for field in contract.fields
        if field.type in ("text", "code") and field.name not in key and not field.is_personal
    ]
    if not candidates:
        return None
    columns = ", ".join(f'"{name}"' for name in key)
    counts = ", ".join(f'count(distinct hash({columns}, "{name}"))' for name in candidates)
    row = connection.execute(f"select count(*), {counts} from {records.relation}").fetchone()
    assert row is not None
    found = (name for name, n in zip(candidates, row[1:], strict=True) if n == row[0])
    return next(found, None)


def _refuse_total_line(
    connection: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    records: TypedRecords,
    counts: RecordCounts,
) -> None:
    """A last record that is a total shows two of three signs: a word for it, a required field
    missing, an amount that equals the sum of the records before it."""
    contract = delivery.contract
    row = connection.execute(f"select max(_row_number) from {records.relation}").fetchone()
    assert row is not None
    number = row[0]
    last = _read_texts(connection, contract, records, counts, number)
    values = dict(zip((field.name for field in contract.fields), last, strict=True))
    word = next((text for text in last if text and TOTAL_WORDS.fullmatch(text)), None)
    is_short = any(field.is_required and values[field.name] is None for field in contract.fields)
    signs = (word is not None) + is_short
    if signs == 1 and counts.delivered > SUM_NEEDS_RECORDS:
        signs += _is_sum_of_others(connection, contract, records, number)
    if signs >= 2:
        raise _refuse(
            delivery,
            "ends with what looks like a total",
            record=number,
            expected="records only",
            found=", ".join(text for text in last if text),
            remedy="Ask the sender to leave it out; a control file may hold the total.",
        )


def _read_texts(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    records: TypedRecords,
    counts: RecordCounts,
    number: int,
) -> list[str | None]:
    """The fields of one record as text: as delivered where it is in quarantine."""
    names = ", ".join(f'cast("{field.name}" as varchar)' for field in contract.fields)
    row = None
    if counts.quarantined:
        row = connection.execute(
            f"select {names} from quarantined where _row_number = ?", [number]
        ).fetchone()
    if row is None:
        row = connection.execute(
            f"select {names} from {records.relation} where _row_number = ?", [number]
        ).fetchone()
    assert row is not None
    return list(row)


def _is_sum_of_others(
    connection: duckdb.DuckDBPyConnection, contract: Contract, records: TypedRecords, last: int
) -> bool:
    if contract.amount_field is None:
        return False
    row = connection.execute(
        f'''
        select
            sum("{contract.amount_field}") filter (_row_number = $last),
            sum("{contract.amount_field}") filter (_row_number < $last)
        from {records.relation}
        ''',
        {"last": last},
    ).fetchone()
    assert row is not None
    amount: Decimal | None = row[0]
    # Where all amounts are zero, a zero at the end is the total of nothing.
    return bool(amount) and amount == row[1]


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
