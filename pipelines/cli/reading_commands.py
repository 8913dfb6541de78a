"""`apportion records`, `bill`, `sql` and `serve`: read what is published."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.output import (
    JsonOption,
    WorkspaceOption,
    format_money,
    parse_assignments,
    print_json,
    print_table,
    show_progress,
)
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from pipelines.warehouse.delivered_records import DeliveredRecords

DEFAULT_PORT = 8501


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("records")(records)
    app.command("bill")(bill)
    app.command("sql")(sql)
    app.command("serve")(serve)


def records(
    name: Annotated[str, typer.Argument(help="A mart, or a contract.")],
    where: Annotated[
        list[str] | None,
        typer.Option("--where", help="FIELD=VALUE, such as period_id=2026-03; again for more."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", help="Records of each; 0 for all.")] = 20,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Walk from a mart to the records of the deliveries that it is made of: file, hash and row."""
    from pipelines.contracts.contract import list_contract_ids
    from pipelines.warehouse.delivered_records import find_records
    from pipelines.warehouse.mart_sources import find_contracts, list_marts
    from pipelines.warehouse.reader import open_published
    from pipelines.workspace.workspace import Workspace

    if name in list_contract_ids():
        contracts: tuple[str, ...] = (name,)
    elif name in list_marts():
        contracts = find_contracts(name)
    else:
        raise UsageError(
            f"no mart and no contract is called '{name}'; docs/reference/marts.md and contracts.md "
            "list them"
        )
    conditions = parse_assignments(where or [], "--where")
    space = Workspace.open(workspace)
    with open_published(space) as connection:
        found = find_records(space, connection, contracts, conditions, limit or None)
    if as_json:
        print_json(found)
    else:
        _print_records(found)
    return 0


def bill(
    period: Annotated[str, typer.Argument(help="Period, such as 2026-10.")],
    business_unit: Annotated[
        list[str] | None,
        typer.Option("--business-unit", "-b", help="Business unit; again for more. Default: all."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Directory; default bills/PERIOD.")
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option("--processes", min=1, help="How many write at once; default by processors."),
    ] = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Write statements as PDF, XLSX and CSV; their total is the app's and ties to the ledger."""
    from pipelines.billing.errors import FailedStatementsError
    from pipelines.billing.write_bills import remove_stale_bills, write_bills
    from pipelines.workspace.workspace import Workspace

    space = Workspace.open(workspace)
    directory = output or space.bills / period
    failure = None
    with show_progress(is_silent=as_json) as progress:
        progress.update("Reading figures and explaining changes", 0, 0)
        try:
            files = write_bills(
                space,
                period,
                business_unit,
                directory,
                lambda done, total, name: progress.update(f"Writing bills: {name}", done, total),
                processes=processes,
            )
        except FailedStatementsError as error:
            failure, files = error, list(error.written)
    if business_unit is None and output is None:
        remove_stale_bills(directory, period, files)
    if as_json:
        print_json([vars(file) for file in files])
    elif files:
        rows = [(f.business_unit_name, format_money(f.total), f.pdf.name) for f in files]
        code = files[0].currency_code
        columns = ("business unit", f"billed, {code}", "file")
        print_table(f"Statements of {period}", columns, rows, numeric=[1])
        print(f"PDF, XLSX and CSV of each are in {directory}")
    if failure is not None:
        raise failure
    return 0


def sql(
    query: Annotated[str, typer.Argument(help="SQL over the published marts; read-only.")],
    limit: Annotated[int, typer.Option(help="Rows to show; 0 for all.")] = 100,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Ask what is published anything, in SQL. Files cannot be read or written through it."""
    import duckdb

    from pipelines.warehouse.reader import open_published
    from pipelines.workspace.workspace import Workspace

    with open_published(Workspace.open(workspace)) as connection:
        try:
            result = connection.execute(query)
            columns = [column[0] for column in result.description or []]
            rows = result.fetchmany(limit) if limit else result.fetchall()
            more = len(rows) == limit and result.fetchone() is not None
        except duckdb.Error as error:
            raise UsageError(f"the query was refused: {error}") from None
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
        return 0
    print_table("", columns, rows)
    if more:
        print(f"Only the first {limit} rows are shown; --limit 0 shows all.")
    return 0


def serve(
    port: Annotated[int, typer.Option(help="Port to serve on.")] = DEFAULT_PORT,
    address: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    workspace: WorkspaceOption = Path(),
) -> None:
    """Serve the app for this workspace until it is interrupted."""
    import os
    import sys

    from pipelines.workspace.workspace import Workspace

    space = Workspace.open(workspace)
    root = Path(__file__).parents[2]
    environment = os.environ | {"APPORTION_WORKSPACE": str(space.root), "PYTHONPATH": str(root)}
    command = [
        *(sys.executable, "-m", "streamlit", "run", str(root / "app" / "streamlit_app.py")),
        *("--server.port", str(port), "--server.address", address),
        *("--server.headless", "true", "--browser.gatherUsageStats", "false"),
    ]
    print(f"Serving {space.config.name} at http://{address}:{port} (Ctrl-C stops it)", flush=True)
    os.chdir(root)
    # Replaces this process, so that who stops the command stops the server.
    os.execve(sys.executable, command, environment)


def _print_records(found: list[DeliveredRecords]) -> None:
    for part in found:
        title = f"{part.contract_id}: {part.count:,} records"
        if part.not_narrowed_by:
            title += f" (not narrowed by {', '.join(part.not_narrowed_by)})"
        rows = [
            (
                record.file_name,
                record.file_id[:12],
                record.row_number,
                ", ".join(f"{name}={text}" for name, text in record.values.items() if text),
            )
            for record in part.records
        ]
        if rows:
            print_table(title, ("file", "sha256", "row", "record"), rows, numeric=[2])
        else:
            print(title)
