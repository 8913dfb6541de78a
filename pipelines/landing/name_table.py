"""Keep which codes were made from which names, and refuse a code that stands for two.

The table lies with the load that it belongs to (`identifiers.parquet`) and counts as long as
the load does. A code that two names come to would add up what is two things: the delivery is
refused, whether both are in it or one came with another delivery that counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import DeliveryRefusedError, Problem
from pipelines.landing.load_log import name_directory
from pipelines.mappings.identifier_names import list_named_fields
from pipelines.readers.field_texts import select_texts
from pipelines.readers.name_codes import code_of_name, fold_name
from pipelines.readers.text_marks import literal

if TYPE_CHECKING:
    import duckdb

    from pipelines.books.books import Books
    from pipelines.landing.delivery import Delivery
    from pipelines.readers.delivered import Delivered
    from pipelines.workspace.workspace import Workspace

IDENTIFIERS_NAME = "identifiers.parquet"
EXAMPLES = 2


@dataclass(frozen=True)
class NamedCode:
    """A code and the name that it was made from."""

    field: str
    code: str
    name: str
    records: int
    source_id: str
    file_name: str


def write_names(
    connection: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    delivered: Delivered,
    sha256: str,
    directory: Path,
) -> tuple[str, ...]:
    """Write the codes of a delivery's names to `directory`; returns notes on them. Raises
    DeliveryRefusedError where two names of it come to one code."""
    fields = list_named_fields(delivery.mapping, delivery.contract)
    if not fields:
        return ()
    plain = delivery.mapping.model_copy(update={"identifiers": {}})
    texts = select_texts(delivery.contract, plain, delivered.header, delivered.number(), sha256)
    counts = ", ".join(f'histogram("{name}") as "{name}"' for name in fields)
    with delivered.reading():
        connection.execute(
            f"create or replace temp table names_of_fields as select {counts} from ({texts})"
        )
    parts = [
        f"select {literal(field)} as field, {code_of_name('name', told)} as code, name, "
        f'{fold_name("name")} as folded, records from (select unnest(map_keys("{field}")) as name, '
        f'unnest(map_values("{field}")) as records from names_of_fields)'
        for field, told in fields.items()
    ]
    connection.execute(
        "create or replace temp table named_codes as "
        f"select * from ({' union all '.join(parts)}) where code is not null"
    )
    _refuse_collision(connection, delivery, fields)
    target = literal(str(directory / IDENTIFIERS_NAME))
    connection.execute(
        f"copy (select field, code, name, folded, records from named_codes order by all) "
        f"to {target} (format parquet)"
    )
    return tuple(_describe(connection, field) for field in fields)


def _describe(connection: duckdb.DuckDBPyConnection, field: str) -> str:
    rows = connection.execute(
        "select code, arg_max(name, records), sum(records) as n from named_codes where field = ? "
        "group by code order by n desc, code",
        [field],
    ).fetchall()
    shown = ", ".join(f"{name!r} is {code}" for code, name, _ in rows[:EXAMPLES])
    return (
        f"{len(rows):,} codes of {field} made from names: {shown}"
        if rows
        else (f"no names of {field} to make codes from")
    )


def _refuse_collision(
    connection: duckdb.DuckDBPyConnection, delivery: Delivery, fields: dict[str, dict[str, str]]
) -> None:
    rows = connection.execute(
        "select field, code, list(distinct folded order by folded) as names, "
        "list(name order by records desc, name) from named_codes group by field, code "
        "having count(distinct folded) > 1 order by field, code"
    ).fetchall()
    for field, code, _, names in rows:
        # Two names that were told one code are one thing.
        if code not in fields[field].values():
            raise _refuse(delivery, field, code, (names[0], _other(names)))


def _other(names: list[str]) -> str:
    first = names[0].casefold().split()
    return next(name for name in names if name.casefold().split() != first)


def refuse_known_codes(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, books: Books, delivery: Delivery
) -> None:
    """Raise DeliveryRefusedError where a code of this delivery stands for another name in another
    one that counts. Assumes that `write_names` has seen the delivery."""
    fields = list_named_fields(delivery.mapping, delivery.contract)
    files = [
        path
        for path, _, file_name in _list_tables(workspace, books)
        if file_name != delivery.path.name
    ]
    if not fields or not files:
        return
    listed = ", ".join(literal(str(path)) for path in files)
    rows = connection.execute(
        f"select mine.field, mine.code, mine.name, known.name from named_codes as mine "
        f"inner join read_parquet([{listed}]) as known using (field, code) "
        "where mine.folded <> known.folded order by all"
    ).fetchall()
    for field, code, name, known in rows:
        if code not in fields[field].values():
            raise _refuse(delivery, field, code, (known, name))


def _refuse(
    delivery: Delivery, field: str, code: str, names: tuple[str, str]
) -> DeliveryRefusedError:
    one, other = names
    return DeliveryRefusedError(
        Problem(
            delivery.name,
            "makes one code from two names",
            field=field,
            expected="a code for each name",
            found=f"{code} for {one!r} and for {other!r}",
            remedy="Nothing was loaded. In the mapping, give one of them another code, or both the "
            f"same where they are one: identifiers: {{{field}: {{codes: {{{other!r}: "
            f"{code}-2}}}}}}. Then land it again.",
        )
    )


def list_named_codes(workspace: Workspace, books: Books) -> list[NamedCode]:
    """The codes that were made from names in the deliveries that count, by field and code."""
    import duckdb

    tables = _list_tables(workspace, books)
    found = []
    with duckdb.connect() as connection:
        for path, source_id, file_name in tables:
            rows = connection.execute(
                f"select field, code, name, records from read_parquet({literal(str(path))})"
            ).fetchall()
            found += [
                NamedCode(field, code, name, records, source_id, file_name)
                for field, code, name, records in rows
            ]
    return sorted(found, key=lambda item: (item.field, item.code, item.name, item.file_name))


def _list_tables(workspace: Workspace, books: Books) -> list[tuple[Path, str, str]]:
    """(table, source, file) of every load that counts and has one."""
    from sqlalchemy import select

    from pipelines.books.tables import loads

    with books.read() as reading:
        rows = reading.execute(
            select(loads.c.source_id, loads.c.sha256, loads.c.reading, loads.c.file_name)
            .where(loads.c.superseded_by.is_(None))
            .order_by(loads.c.load_id)
        ).all()
    tables = []
    for source_id, sha256, number, file_name in rows:
        path = workspace.lake / source_id / name_directory(sha256, number) / IDENTIFIERS_NAME
        if path.is_file():
            tables.append((path, source_id, file_name))
    return tables
