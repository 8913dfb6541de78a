"""Copy books between databases: as lines of JSON that name neither SQLite nor PostgreSQL.

The first line says of which schema the books are; every other line is a row with its table. What is
written is one snapshot, also while others write. What is read goes into empty books of that schema,
past the rules that hold for people (a period begins open, nothing is written after the fact), which
are put back in the same transaction; then the books are migrated to the newest schema.

Guarantees that all rows arrive or none, with the same values, so that the chain of the audit log
holds on the other side. Assumes that whoever restores may alter the tables.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.books.books import HEAD_REVISION, Books, BooksTooNewError
from pipelines.errors import ControlError, UsageError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

FORMAT = 1
ROWS_AT_ONCE = 1000
VERSION_TABLE = "alembic_version"


def dump_books(books: Books, path: Path) -> None:
    """Write all rows of the books, of one moment, to `path`."""
    with books.read() as connection, path.open("w", encoding="utf-8") as file:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("set transaction isolation level repeatable read, read only")
        tables = _reflect(connection)
        version = connection.execute(tables[VERSION_TABLE].select()).scalar_one()
        file.write(json.dumps({"format": FORMAT, "revision": version}) + "\n")
        for name in sorted(set(tables) - {VERSION_TABLE}):
            table = tables[name]
            for row in connection.execute(table.select().order_by(*table.primary_key)).mappings():
                file.write(json.dumps({"table": name, "row": dict(row)}) + "\n")


def load_books(path: Path, books: Books) -> None:
    """Fill empty books with what `dump_books` wrote. Raises UsageError where the books hold
    something, BooksTooNewError where they were written by a newer program."""
    found = books.find_revision()
    if found is not None:
        raise UsageError(
            f"{books.engine.url.render_as_string()}: expected an empty database for the books, "
            f"found books of schema {found}. Restore into a database of its own."
        )
    with path.open(encoding="utf-8") as file:
        revision = str(json.loads(file.readline())["revision"])
        if revision > HEAD_REVISION:
            raise BooksTooNewError(str(path), revision)
        books.migrate(revision)
        with books.begin() as connection:
            tables = _reflect(connection)
            with _without_rules(connection, tables):
                _insert(connection, tables, (json.loads(line) for line in file))
            _continue_numbers(connection, tables)
    books.migrate()


def _reflect(connection: Connection) -> dict[str, Table]:
    """The tables as they are, which may be those of an older schema."""
    from sqlalchemy import MetaData

    metadata = MetaData()
    metadata.reflect(connection)
    return {table.name: table for table in metadata.sorted_tables}


def _insert(
    connection: Connection, tables: dict[str, Table], lines: Iterator[dict[str, Any]]
) -> None:
    """Rows in an order in which what they refer to is there; within a table, references to rows of
    its own that come later are set at the end."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in tables}
    for line in lines:
        if line["table"] not in rows:
            raise ControlError(f"the books of the backup have a table that none knows: {line}")
        rows[line["table"]].append(line["row"])
    for name, table in tables.items():
        own = [key.parent.name for key in table.foreign_keys if key.column.table is table]
        for start in range(0, len(rows[name]), ROWS_AT_ONCE):
            some = rows[name][start : start + ROWS_AT_ONCE]
            connection.execute(table.insert(), [row | dict.fromkeys(own) for row in some])
        for row in rows[name]:
            values = {column: row[column] for column in own if row[column] is not None}
            if values:
                keys = [column == row[column.name] for column in table.primary_key]
                connection.execute(table.update().where(*keys).values(values))


@contextmanager
def _without_rules(connection: Connection, tables: dict[str, Table]) -> Iterator[None]:
    """Triggers are off within the block, and back at its end, within the caller's transaction."""
    if connection.dialect.name == "postgresql":
        for name in tables:
            connection.exec_driver_sql(f'alter table "{name}" disable trigger user')
        yield
        for name in tables:
            connection.exec_driver_sql(f'alter table "{name}" enable trigger user')
        return
    triggers = connection.exec_driver_sql(
        "select name, sql from sqlite_master where type = 'trigger' order by rowid"
    ).all()
    for name, _ in triggers:
        connection.exec_driver_sql(f'drop trigger "{name}"')
    yield
    for _, sql in triggers:
        connection.exec_driver_sql(sql)


def _continue_numbers(connection: Connection, tables: dict[str, Table]) -> None:
    """Let the next row of a table get a number after the last one; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for name, table in tables.items():
        for column in table.primary_key:
            sequence = connection.exec_driver_sql(
                "select pg_get_serial_sequence(%s, %s)", (name, column.name)
            ).scalar()
            if sequence:
                connection.exec_driver_sql(
                    f'select setval(%s, coalesce((select max("{column.name}") from "{name}"), 0) '
                    "+ 1, false)",
                    (sequence,),
                )
