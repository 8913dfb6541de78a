"""Versions of a cost model: find one, and say entry by entry how two differ.

A version is what is published, a directory of rule files, or such a directory at a commit, tag or
branch of the git repository that the workspace lies in. It is compared as it is compiled, so that
a comment or another order of lines is no difference. What apportion.yml says is not part of it.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import ControlError, UsageError
from pipelines.rerun.engine import PUBLISHED, Rerun
from pipelines.rerun.inputs import SETTINGS, replace_method, replace_rules

if TYPE_CHECKING:
    from pipelines.cost_model.compile_tagging import Row
    from pipelines.cost_model.load import CostModel

FROM_CONFIGURATION = ("settings", "periods", "feeds", "transfers")
# By what a table's name begins with; a table that is not here is a kind of its own.
KINDS = {
    "driver": "driver",
    "pool_rule": "pool rule",
    "tower_rule": "tower rule",
    "service_rule": "service rule",
    "shared_service": "shared services",
    "pool": "cost pool",
    "tower": "tower",
    "service": "service",
    "rate_card": "price",
    "tagging": "tagging",
}
STOP_KINDS = {"towers": "tower rule", "services": "service rule", "consumers": "service"}
"""Whose part a row is, in a table with a `stop_code`."""
# In the order in which differences are applied: what rules name comes before the rules, so that no
# step sends money to what is not there yet.
ORDER = (
    *("price", "driver", "cost pool", "tower", "service", "tagging"),
    *("pool rule", "tower rule", "service rule", "shared services"),
)
AS_ONE = ("tagging", "shared services")
"""Kinds whose entries depend on each other, so that they change together."""
NAMED_BY_RULES = ("driver", "cost pool", "tower", "service", "price")
SHOWN_VALUE = 60

Entry = tuple[str, str]
"""Kind and id of what a row is about."""


@dataclass(frozen=True)
class ModelVersion:
    """The compiled rules: rows by table and, apart from them, the method of shared services."""

    name: str
    rows: dict[str, list[Row]]
    shared_method: str
    columns: dict[str, list[str]]
    """Names of the columns by table."""


@dataclass(frozen=True)
class RuleChange:
    """One entry in which two versions differ."""

    kind: str
    entry_id: str
    what: str
    """'added', 'removed', or what changed of it."""

    def __str__(self) -> str:
        return f"{self.kind} {self.entry_id}".strip()


@contextmanager
def find_rule_files(root: Path, text: str) -> Iterator[Path]:
    """The directory that `text` names: a path, or a version of cost_model/ in git."""
    if Path(text).is_dir():
        yield Path(text).resolve()
        return
    with tempfile.TemporaryDirectory() as name:
        yield _extract_from_git(root, text, Path(name))


def _extract_from_git(root: Path, reference: str, target: Path) -> Path:
    refusal = (
        f"--cost-model '{reference}': expected a directory of rule files, or a commit, tag or "
        f"branch of the git repository of {root}; found neither"
    )
    if reference.startswith("-"):
        raise UsageError(refusal)
    try:
        place = _run_git(root, "rev-parse", "--show-toplevel", "--show-prefix").decode()
        top, prefix = place.split("\n")[:2]
        tree = f"{reference}:{prefix}cost_model"
        content = _run_git(Path(top), "archive", "--format=tar", tree)
    except (OSError, subprocess.CalledProcessError):
        raise UsageError(refusal) from None
    directory = target / "cost_model"
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(directory, filter="data")
    return directory


def _run_git(directory: Path, *arguments: str) -> bytes:
    command = ["git", "-C", str(directory), *arguments]
    return subprocess.run(command, capture_output=True, check=True).stdout


def read_published_version(rerun: Rerun) -> ModelVersion:
    """The rules of the published run, and with them all else in its schema `model`; what is not
    compiled from rules is no part of a comparison."""
    execute = rerun.connection.execute
    tables = [
        name
        for (name,) in execute(
            "select table_name from duckdb_tables() "
            "where database_name = ? and schema_name = 'model' order by table_name",
            [PUBLISHED],
        ).fetchall()
    ]
    rows = {name: execute(f"from {PUBLISHED}.model.{name}").fetchall() for name in tables}
    columns: dict[str, list[str]] = {}
    for table, column in execute(
        "select table_name, column_name from duckdb_columns() where database_name = ? "
        "and schema_name = 'model' order by table_name, column_index",
        [PUBLISHED],
    ).fetchall():
        columns.setdefault(table, []).append(column)
    (method,) = execute(f"select shared_method from {PUBLISHED}.{SETTINGS}").fetchall()[0]
    return ModelVersion("published", rows, method, columns)


def compile_version(
    rerun: Rerun, model: CostModel, published: ModelVersion, name: str
) -> ModelVersion:
    """The rules of `model`, read back from tables as the published run has them."""
    from pipelines.cost_model.compile import RunStamp, compile_tables

    tables = compile_tables(rerun.workspace.config, model, RunStamp("", "", None, ""))
    rows = {
        table: _read_back(rerun, table, *tables[table])
        for table in tables
        if table not in FROM_CONFIGURATION
    }
    if set(rows) - set(published.rows):
        raise _refuse_other_layout(sorted(set(rows) - set(published.rows)))
    method = model.allocation.shared_services.method
    return ModelVersion(name, rows, method, published.columns)


def _read_back(rerun: Rerun, table: str, columns: str, rows: list[Row]) -> list[Row]:
    execute = rerun.connection.execute
    execute(f"create or replace temp table compiled ({columns})")
    if rows:
        places = ", ".join("?" for _ in rows[0])
        rerun.connection.executemany(f"insert into temp.main.compiled values ({places})", rows)
    layout = "select column_name, data_type from duckdb_columns() where database_name = ? "
    layout += "and schema_name = ? and table_name = ? order by column_index"
    if (
        execute(layout, ["temp", "main", "compiled"]).fetchall()
        != execute(layout, [PUBLISHED, "model", table]).fetchall()
    ):
        raise _refuse_other_layout([table])
    return execute("from temp.main.compiled").fetchall()


def _refuse_other_layout(tables: list[str]) -> ControlError:
    return ControlError(
        f"this installation compiles {', '.join(tables)} in another form than what is published. "
        "Run 'apportion build' and try again."
    )


def find_rule_changes(before: ModelVersion, after: ModelVersion) -> list[RuleChange]:
    """Every entry that differs, in the order in which the differences are applied.

    `after` says which tables are rules; it is a version that was compiled.
    """
    found: dict[Entry, list[str]] = {}
    for table, rows in after.rows.items():
        columns = before.columns[table]
        old, new = _group(table, columns, before.rows[table]), _group(table, columns, rows)
        for entry in sorted(old.keys() | new.keys()):
            if _as_text(old.get(entry, [])) != _as_text(new.get(entry, [])):
                what = _describe(table, columns, old.get(entry, []), new.get(entry, []))
                found.setdefault(entry, []).append(what)
    if before.shared_method != after.shared_method:
        texts = found.setdefault(("shared services", ""), [])
        texts.insert(0, f"method {before.shared_method} -> {after.shared_method}")
    changes = [RuleChange(*entry, _join(texts)) for entry, texts in found.items()]
    return sorted(changes, key=_find_place)


def apply_rule_changes(
    rerun: Rerun, before: ModelVersion, after: ModelVersion, changes: list[RuleChange]
) -> ModelVersion:
    """Replace the entries of `changes`, and return the version that is then in force."""
    rows = dict(before.rows)
    for table, target in after.rows.items():
        columns = before.columns[table]
        old, new = _group(table, columns, rows[table]), _group(table, columns, target)
        for change in changes:
            entry = (change.kind, change.entry_id)
            old.pop(entry, None)
            if entry in new:
                old[entry] = new[entry]
        rows[table] = [row for group in old.values() for row in group]
        if _as_text(rows[table]) != _as_text(before.rows[table]):
            replace_rules(rerun, table, rows[table])
    method = before.shared_method
    if any(change.kind == "shared services" for change in changes):
        method = after.shared_method
    if method != before.shared_method:
        replace_method(rerun, method)
    return ModelVersion(after.name, rows, method, before.columns)


def _find_place(change: RuleChange) -> tuple[bool, int, str, str]:
    is_last = change.kind in NAMED_BY_RULES and change.what == "removed"
    # A kind that is not known here may be named by rules.
    place = ORDER.index(change.kind) + 1 if change.kind in ORDER else 0
    return is_last, place, change.kind, change.entry_id


def _group(table: str, columns: list[str], rows: list[Row]) -> dict[Entry, list[Row]]:
    """Rows by the entry that they belong to."""
    groups: dict[Entry, list[Row]] = {}
    for row in rows:
        groups.setdefault(_find_entry(table, columns, row), []).append(row)
    return groups


def _find_entry(table: str, columns: list[str], row: Row) -> Entry:
    if "stop_code" in columns:
        stop = str(row[columns.index("stop_code")])
        return STOP_KINDS.get(stop, stop), str(row[columns.index("rule_id")])
    kind = next((kind for start, kind in KINDS.items() if table.startswith(start)), None)
    if kind in AS_ONE or not columns[0].endswith("_id"):
        return kind or table.replace("_", " "), ""
    return kind or table.replace("_", " "), str(row[0])


def _join(texts: list[str]) -> str:
    """What changed; that an entry was added or removed says it all."""
    whole = [text for text in texts if text in ("added", "removed")]
    return whole[0] if whole else "; ".join(dict.fromkeys(texts))


def _as_text(rows: list[Row]) -> list[str]:
    return sorted(map(repr, rows))


def _describe(table: str, columns: list[str], old: list[Row], new: list[Row]) -> str:
    if table.startswith("tagging"):
        return table
    if table == "shared_service_order":
        return "order"
    has_pair = len(old) == 1 and len(new) == 1
    if table.endswith(("_receivers", "_offerings", "_rows")) or (
        table.endswith("_parts") and not has_pair
    ):
        return table.rsplit("_", 1)[1]
    if not has_pair:
        return "added" if new else "removed"
    pairs = zip(columns, old[0], new[0], strict=True)
    return ", ".join(
        f"{column} {_shorten(was)} -> {_shorten(becomes)}"
        for column, was, becomes in pairs
        if repr(was) != repr(becomes)
    )


def _shorten(value: object) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= SHOWN_VALUE else f"{text[:SHOWN_VALUE]}..."
