"""Run a published run again in memory, from where something was changed.

    with open_rerun(workspace, Scope("actual", "2026-03")) as rerun:
        rerun.replace("drivers.fct_driver_quantities", "select ... from {relation}")
        rerun.run(("marts.fct_charges_monthly",))
        rerun.connection.execute("select ... from marts.fct_charges_monthly")

The published file is attached read-only. Beside it stands a database in memory under the name that
the compiled SQL of the run speaks of, in which every relation is at first a view of the published
one. `replace` puts changed rows in the place of a relation; `run` executes, in the order of the
run, the compiled SQL of the models between what was replaced and what is asked for. The SQL is
executed as it was published, to the letter: there is no second implementation of any formula.

Deliveries (schemas `lake` and `staging`) are not in the published file; where a model reads one,
its view is made over the lake, from the loads that the published run read.

A `Scope` narrows the money to one scenario and period: relations with a `version` show only its
rows (all of them are in `published.schema.name`). Drivers are not narrowed, because a fallback
looks back. Limit: in a narrowed rerun, columns that compare with another period or scenario (in
rpt_bill_lines those of the month before and of the budget) are empty.

Assumes that nothing else writes through `connection`. Not safe for threads: one rerun per thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.errors import ControlError, NothingPublishedError
from pipelines.warehouse.compiled_models import CompiledModel, read_compiled_models
from pipelines.warehouse.lake_views import as_text
from pipelines.warehouse.publication import Publication, read_publication

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from pipelines.warehouse.lake_views import ActiveLoad
    from pipelines.workspace.workspace import Workspace

PUBLISHED = "published"
"""The catalogue under which the published file is attached."""
LAKE_SCHEMA = "lake"
KEPT = "kept__"
PERIOD_VERSIONS = "model.period_versions"


@dataclass(frozen=True)
class Scope:
    """The scenario and the period whose money is run again."""

    scenario_id: str
    period_id: str

    def as_condition(self) -> str:
        """True for its rows, in SQL."""
        return (
            f"scenario_id = {as_text(self.scenario_id)} and period_id = {as_text(self.period_id)}"
        )


class Rerun:
    """A published run in memory, in which relations can be replaced and models run again."""

    def __init__(
        self,
        workspace: Workspace,
        connection: duckdb.DuckDBPyConnection,
        models: list[CompiledModel],
        scope: Scope | None,
    ) -> None:
        self.workspace = workspace
        self.connection = connection
        self.scope = scope
        self.models = {model.relation: model for model in models}
        self.ran: list[str] = []
        """The relations that were run, in order, each time that they were."""
        self._stale: set[str] = set()
        self._replaced: set[str] = set()
        self._versioned = self._create_published_views()
        self._loads: list[ActiveLoad] | None = None

    def replace(self, relation: str, select: str, *, column: str | None = None) -> None:
        """Put the rows of `select` in the place of `relation`, which it may read as `{relation}`.

        What reads it is stale from now on, but where only `column` has changed: then of its direct
        readers those whose code names that column. The columns must stay the same. What was
        replaced is not run again: replace what lies upstream first.
        """
        self.provide(relation)
        body = select.replace("{relation}", _quote(relation))
        self.connection.execute(f"create or replace temp table replacing as {body}")
        self._drop(relation)
        self.connection.execute(f"create table {_quote(relation)} as from temp.main.replacing")
        self.connection.execute("drop table temp.main.replacing")
        self._replaced.add(relation)
        self._stale.discard(relation)
        self._mark_readers(relation, column)

    def run_with(self, target: str, inputs: Mapping[str, str]) -> None:
        """Run one model with other rows in the place of `inputs`, which are as before afterwards.

        `inputs` are selects by relation, as in `replace`; they need the columns that the model
        reads. The model's result counts as replaced.
        """
        for relation, select in inputs.items():
            self.provide(relation)
            body = select.replace("{relation}", _quote(relation))
            self.connection.execute(
                f"create or replace temp table {_name_stand_in(relation)} as {body}"
            )
        kinds = {relation: self._find_type(relation) for relation in inputs}
        for relation, kind in kinds.items():
            name = relation.split(".")[1]
            self.connection.execute(f"alter {kind} {_quote(relation)} rename to {KEPT}{name}")
            self.connection.execute(
                f"create view {_quote(relation)} as from temp.main.{_name_stand_in(relation)}"
            )
        self._run_model(self.models[target])
        for relation, kind in kinds.items():
            schema, name = relation.split(".")
            self.connection.execute(f"drop view {_quote(relation)}")
            self.connection.execute(f"alter {kind} {schema}.{KEPT}{name} rename to {name}")
            self.connection.execute(f"drop table temp.main.{_name_stand_in(relation)}")
        self._replaced.add(target)
        self._stale.discard(target)
        self._mark_readers(target, None)

    def keep(self, relations: Iterable[str]) -> None:
        """Say that what is replaced from now on does not concern `relations`: they stay so."""
        self.run(relations := tuple(relations))
        for relation in relations:
            self._replaced.add(relation)
            self._stale.discard(relation)

    def make_stale(self, relations: Iterable[str]) -> None:
        """Let `relations` and all that reads them be run again, although nothing was replaced."""
        for relation in relations:
            self._stale.add(relation)
            self._mark_readers(relation, None)

    def run(self, targets: Iterable[str]) -> None:
        """Run every stale model that `targets` rest on, and the stale targets, in order."""
        needed = self._find_needed(targets)
        for relation, model in self.models.items():
            if relation in needed and relation in self._stale:
                if model.kind != "view":
                    self._run_model(model)
                self._stale.discard(relation)

    def provide(self, relation: str) -> None:
        """See to it that `relation` can be read: made from the lake where it was not published."""
        if self._find_type(relation) is not None:
            return
        schema, name = relation.split(".")
        if schema == LAKE_SCHEMA:
            self._create_lake_view(name)
            return
        model = self.models.get(relation)
        if model is None or model.kind != "view":
            raise ControlError(
                f"what is published has no {relation}, which its models read. "
                "Run 'apportion build' and try again."
            )
        for name in model.depends_on:
            self.provide(name)
        self.connection.execute(f"create view {_quote(relation)} as {model.code}")

    def _run_model(self, model: CompiledModel) -> None:
        for relation in model.depends_on:
            self.provide(relation)
        self._show_period_versions(is_narrowed=model.relation in self._versioned)
        self._drop(model.relation)
        if model.kind == "python":
            from pipelines.rerun.python_models import run_python_model

            run_python_model(self.connection, model, self.models)
        else:
            self.connection.execute(f"create table {_quote(model.relation)} as {model.code}")
        self.ran.append(model.relation)

    def _mark_readers(self, relation: str, column: str | None) -> None:
        """Mark all that reads `relation` as stale, at any distance.

        A view that passes a column on is a reader to look behind, whatever it names.
        """
        for reader in self.models.values():
            if relation not in reader.depends_on or reader.relation in self._replaced:
                continue
            if reader.kind == "view":
                self._mark_readers(reader.relation, column)
            elif reader.relation not in self._stale and (column is None or column in reader.code):
                # One that is stale already has had its readers marked.
                self._stale.add(reader.relation)
                self._mark_readers(reader.relation, None)

    def _find_needed(self, targets: Iterable[str]) -> set[str]:
        """`targets` and the models that they rest on, up to what was replaced."""
        needed: set[str] = set()
        waiting = [name for name in targets if name in self.models]
        while waiting:
            relation = waiting.pop()
            if relation in needed or relation in self._replaced:
                continue
            needed.add(relation)
            waiting += [name for name in self.models[relation].depends_on if name in self.models]
        return needed

    def _create_published_views(self) -> set[str]:
        """A view of every published table. Returns the relations that have a version."""
        rows = self.connection.execute(
            "select schema_name, table_name, bool_or(column_name = 'version') "
            "from duckdb_columns() where database_name = ? group by all",
            [PUBLISHED],
        ).fetchall()
        schemas = {schema for schema, _, _ in rows}
        for schema in sorted(schemas | {model.schema_name for model in self.models.values()}):
            self.connection.execute(f'create schema if not exists "{schema}"')
        versioned = {f"{schema}.{name}" for schema, name, has_version in rows if has_version}
        for schema, name, _ in rows:
            self._create_published_view(f"{schema}.{name}", f"{schema}.{name}" in versioned)
        return versioned

    def _create_published_view(self, relation: str, is_narrowed: bool) -> None:
        where = f" where {self.scope.as_condition()}" if self.scope and is_narrowed else ""
        self.connection.execute(
            f"create or replace view {_quote(relation)} as "
            f"select * from {PUBLISHED}.{_quote(relation)}{where}"
        )

    def _show_period_versions(self, *, is_narrowed: bool) -> None:
        """A model with a version makes rows of the scope only; one without is for all periods."""
        if self.scope is not None and PERIOD_VERSIONS not in self._replaced:
            self._create_published_view(PERIOD_VERSIONS, is_narrowed)

    def _create_lake_view(self, contract_id: str) -> None:
        from pipelines.allocation.source_records import read_published_loads
        from pipelines.warehouse.lake_views import create_lake_views
        from pipelines.warehouse.pins import read_pins

        if self._loads is None:
            self._loads = read_published_loads(self.workspace, self.connection)
        there = {load.load_id for load in self._loads}
        for load_id, file_name in self.connection.execute(
            "select load_id, file_name from model.loads where contract_id = ? order by load_id",
            [contract_id],
        ).fetchall():
            if load_id not in there:
                raise ControlError(
                    f"the records of {file_name}, which the published run read, are no longer in "
                    f"{self.workspace.lake}. Restore them from a backup, or run 'apportion build'."
                )
        pins = read_pins(self.workspace, self.connection)
        clock = self.workspace.config.clock
        create_lake_views(self.connection, self._loads, (contract_id,), pins=pins, clock=clock)

    def _drop(self, relation: str) -> None:
        kind = self._find_type(relation)
        if kind is not None:
            self.connection.execute(f"drop {kind} {_quote(relation)}")

    def _find_type(self, relation: str) -> str | None:
        """'table' or 'view', or None where there is no such relation."""
        row = self.connection.execute(
            "select table_type from information_schema.tables "
            "where table_catalog = current_database() and table_schema = ? and table_name = ?",
            relation.split("."),
        ).fetchone()
        return None if row is None else ("view" if row[0] == "VIEW" else "table")


@contextmanager
def open_rerun(
    workspace: Workspace, scope: Scope | None = None, publication: Publication | None = None
) -> Iterator[Rerun]:
    """The current publication, or a given one, ready to be run again; closed on leaving.

    Raises NothingPublishedError before the first run, ControlError where a published file is
    missing or was published without its compiled SQL.
    """
    import duckdb

    publication = publication or read_publication(workspace)
    file = next((item for item in publication.files if item.role == "open"), None)
    if file is None:
        raise NothingPublishedError(workspace.root)
    path = workspace.warehouse / file.name
    if not path.is_file():
        raise ControlError(f"{path} is missing. Run 'apportion build' to publish it anew.")
    connection = duckdb.connect(":memory:")
    try:
        connection.execute(f"attach {as_text(str(path))} as {PUBLISHED} (read_only)")
        models = read_compiled_models(connection, PUBLISHED)
        if models is None:
            raise ControlError(
                f"{file.name} was published without its compiled SQL, by an earlier version. "
                "Run 'apportion build' and try again."
            )
        # The name after which the build's file was called is the one that the SQL speaks of.
        catalogue = file.name.removesuffix(".duckdb")
        connection.execute(f"attach ':memory:' as \"{catalogue}\"")
        connection.execute(f'use "{catalogue}"')
        yield Rerun(workspace, connection, models, scope)
    finally:
        connection.close()


def _name_stand_in(relation: str) -> str:
    return f"instead_of_{relation.replace('.', '__')}"


def _quote(relation: str) -> str:
    schema, name = relation.split(".")
    return f'"{schema}"."{name}"'
