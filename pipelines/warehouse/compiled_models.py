"""Keep the compiled SQL of a run with its figures, so that the run can be asked "what if".

`model.compiled_models` of a published file has one row per dbt model: the SQL that made it, with
every name resolved, and what it reads. It lies in the file that is hashed when it is published, so
whoever changed a formula afterwards shows in `apportion doctor`. A rerun executes these texts and
nothing else; see pipelines/rerun.

The SQL names relations by the catalogue of the run, "run-<id>"."schema"."name"; while the run is
built its catalogue has the one name that dbt has parsed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.warehouse.dbt_runner import CATALOGUE

if TYPE_CHECKING:
    import duckdb

MODEL_PREFIX = "model."
SOURCE_PREFIX = "source."


@dataclass(frozen=True)
class CompiledModel:
    """One model of a run. `relation` and what it depends on are written `schema.name`."""

    relation: str
    kind: str
    """'table' or 'view', or 'python', whose code is Python and whose result is a table."""
    depends_on: tuple[str, ...]
    code: str
    path: str
    """Its file under dbt_project/models."""

    @property
    def schema_name(self) -> str:
        return self.relation.split(".")[0]

    @property
    def name(self) -> str:
        return self.relation.split(".")[1]


def store_compiled_models(database: Path, target: Path, catalogue: str) -> None:
    """Write model.compiled_models from dbt's manifest in `target`, each model after its inputs.

    The code speaks of `catalogue`, which the file is called after when it is published.
    """
    import duckdb

    models = parse_manifest(json.loads((target / "manifest.json").read_text("utf-8")))
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            "create or replace table model.compiled_models (model_order integer, "
            "relation_name varchar, model_kind varchar, depends_on varchar[], code varchar, "
            "path varchar)"
        )
        connection.executemany(
            "insert into model.compiled_models values (?, ?, ?, ?, ?, ?)",
            [
                (
                    *(number, item.relation, item.kind, list(item.depends_on)),
                    *(name_catalogue(item.code, catalogue), item.path),
                )
                for number, item in enumerate(models)
            ],
        )


def name_catalogue(sql: str, catalogue: str) -> str:
    """`sql` with the catalogue of the published file in the place of the one under construction."""
    return re.sub(rf'"?\b{CATALOGUE}\b"?\.', lambda _: f'"{catalogue}".', sql)


def parse_manifest(manifest: dict[str, Any]) -> list[CompiledModel]:
    """The models of a manifest, each after those that it reads. Raises KeyError on another form."""
    nodes = {
        key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"
    }
    relations = {key: f"{node['schema']}.{node['name']}" for key, node in nodes.items()}
    relations |= {
        key: f"{source['schema']}.{source['name']}" for key, source in manifest["sources"].items()
    }
    inputs = {
        key: sorted(name for name in node["depends_on"]["nodes"] if name in relations)
        for key, node in nodes.items()
    }
    order = TopologicalSorter({key: inputs[key] for key in sorted(nodes)}).static_order()
    return [
        _read_node(nodes[key], [relations[name] for name in inputs[key]])
        for key in order
        if key in nodes
    ]


def _read_node(node: dict[str, Any], depends_on: list[str]) -> CompiledModel:
    is_python = node["language"] == "python"
    return CompiledModel(
        f"{node['schema']}.{node['name']}",
        "python" if is_python else node["config"]["materialized"],
        tuple(depends_on),
        # dbt wraps a Python model in code of its own; the file is what a person wrote.
        node["raw_code"] if is_python else node["compiled_code"],
        node["path"],
    )


def read_compiled_models(
    connection: duckdb.DuckDBPyConnection, catalog: str
) -> list[CompiledModel] | None:
    """What an attached published file keeps; None where it was published without."""
    (count,) = connection.execute(
        "select count(*) from duckdb_tables() where database_name = ? "
        "and schema_name = 'model' and table_name = 'compiled_models'",
        [catalog],
    ).fetchall()[0]
    if not count:
        return None
    rows = connection.execute(
        "select relation_name, model_kind, depends_on, code, path "
        f'from "{catalog}".model.compiled_models order by model_order'
    ).fetchall()
    return [
        CompiledModel(relation, kind, tuple(inputs), code, path)
        for relation, kind, inputs, code, path in rows
    ]
