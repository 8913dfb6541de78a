"""dbt's command line, whose parsed project outlives the file that it fills.

    python -m pipelines.warehouse.dbt_process build --project-dir ...

dbt parses a project anew, which takes some four seconds, as soon as anything about the connection
differs from the last time, and every run fills a file in a directory of its own. That directory
decides nothing in the project: models name the catalogue, which is the same in each run. So the
path is left out of what dbt compares.
"""

from __future__ import annotations

from collections.abc import Callable

from dbt.adapters.duckdb.credentials import DuckDBCredentials

PATH_KEY = "path"


def leave_out_path() -> None:
    """Let dbt compare connections without the path of the file."""
    list_keys: Callable[[DuckDBCredentials], tuple[str, ...]] = DuckDBCredentials._connection_keys

    def list_other_keys(self: DuckDBCredentials) -> tuple[str, ...]:
        return tuple(key for key in list_keys(self) if key != PATH_KEY)

    type.__setattr__(DuckDBCredentials, "_connection_keys", list_other_keys)


def main() -> None:
    """Run dbt with the arguments of the process; leaves with dbt's exit code."""
    from dbt.cli.main import cli

    leave_out_path()
    cli()


if __name__ == "__main__":
    main()
