"""Run a Python model of dbt outside of dbt: the same function, with relations of a rerun as input.

The function is that of this installation, so it is refused where its file is not the one that the
published run was made with.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from pipelines.errors import ControlError
from pipelines.warehouse.compiled_models import CompiledModel
from pipelines.warehouse.dbt_runner import PROJECT_DIRECTORY

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb


class ModelContext:
    """What dbt hands to a Python model, as far as ours use it: `config` and `ref`."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, relations: Mapping[str, CompiledModel]
    ) -> None:
        self._connection = connection
        self._names = {item.name: item for item in relations.values()}

    def config(self, **_settings: Any) -> None:
        """How dbt stores the result; a rerun keeps it as a table in memory."""

    def ref(self, name: str) -> duckdb.DuckDBPyRelation:
        """The relation of another model."""
        item = self._names[name]
        return self._connection.table(f'"{item.schema_name}"."{item.name}"')


def run_python_model(
    connection: duckdb.DuckDBPyConnection,
    model: CompiledModel,
    models: Mapping[str, CompiledModel],
) -> None:
    """Create the model's relation as a table. Raises ControlError where its file has changed."""
    path = PROJECT_DIRECTORY / "models" / model.path
    if not path.is_file() or path.read_text("utf-8").strip() != model.code.strip():
        raise ControlError(
            f"what is published was made with another {model.path} than this installation has. "
            "Run 'apportion build' and try again."
        )
    spec = importlib.util.spec_from_file_location(model.name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    result = module.model(ModelContext(connection, models), connection)
    connection.register("python_result", result)
    try:
        connection.execute(
            f'create table "{model.schema_name}"."{model.name}" as select * from python_result'
        )
    finally:
        connection.unregister("python_result")
