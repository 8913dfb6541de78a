"""Write the method sheets of a published workspace: one file per service, an index, a glossary.

Assumes a published workspace. All sheets are made from one publication before the first file is
written; each file then appears complete or not at all. The same publication gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pipelines.billing.files import safe_name, write_atomically
from pipelines.method_sheets import render_html, render_markdown
from pipelines.method_sheets.build_sheet import make_sheet
from pipelines.method_sheets.glossary import Term, read_terms
from pipelines.method_sheets.queries import Read, Row, list_services, read_latest_period
from pipelines.method_sheets.records import Sheet, UnknownPeriodError
from pipelines.warehouse.reader import open_published
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

Format = Literal["html", "md"]
PREFIX = "service_"
"""Before the id of a service in a file name, so that none can be called 'index'."""


@dataclass(frozen=True)
class WrittenSheet:
    """The sheet of one service and its file."""

    service_id: str
    service_name: str
    price: str
    unit_cost: str
    file: Path


@dataclass(frozen=True)
class _Renderer:
    sheet: Callable[[Sheet], str]
    index: Callable[[list[Sheet], list[str]], str]
    glossary: Callable[[tuple[Term, ...]], str]


RENDERERS: Mapping[Format, _Renderer] = {
    "html": _Renderer(
        render_html.render_sheet, render_html.render_index, render_html.render_glossary
    ),
    "md": _Renderer(
        render_markdown.render_sheet, render_markdown.render_index, render_markdown.render_glossary
    ),
}


def write_sheets(
    workspace: Workspace,
    directory: Path,
    *,
    file_format: Format = "html",
    service_id: str | None = None,
    period_id: str | None = None,
    scenario_id: str = "actual",
) -> tuple[str, list[WrittenSheet]]:
    """Write the sheets of all services or of one; the period that they are of, and the files.

    `period_id` None is the latest one with figures. Index and glossary are written with all
    services. Raises UnknownServiceError, UnknownPeriodError, NothingPublishedError.
    """
    renderer = RENDERERS[file_format]
    with open_published(workspace) as connection:
        read = make_reader(connection)
        period = period_id or read_latest_period(read, scenario_id)
        if period is None:
            raise UnknownPeriodError("(any)", scenario_id)
        services = [service_id] if service_id else list_services(read)
        sheets = [make_sheet(read, scenario_id, period, item) for item in services]
    names = [f"{PREFIX}{safe_name(sheet.service_id)}.{file_format}" for sheet in sheets]
    for sheet, name in zip(sheets, names, strict=True):
        _write(directory / name, renderer.sheet(sheet))
    if service_id is None:
        _write(directory / f"index.{file_format}", renderer.index(sheets, names))
    _write(directory / f"glossary.{file_format}", renderer.glossary(read_terms()))
    return period, [
        WrittenSheet(
            sheet.service_id, sheet.service_name, sheet.price, sheet.unit_cost, directory / name
        )
        for sheet, name in zip(sheets, names, strict=True)
    ]


def remove_stale_sheets(directory: Path, written: Sequence[WrittenSheet]) -> None:
    """A service that left the catalogue leaves no sheet behind. For a directory of our own only."""
    kept = {sheet.file for sheet in written}
    for ending in {sheet.file.suffix for sheet in written}:
        for path in directory.glob(f"{PREFIX}*{ending}"):
            if path not in kept:
                path.unlink()


def make_reader(connection: duckdb.DuckDBPyConnection) -> Read:
    """Rows of a query with named parameters, through a connection."""

    def read(sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        named = {name: value for name, value in parameters.items() if f"${name}" in sql}
        result = connection.execute(sql, named)
        columns = [column[0] for column in result.description or []]
        return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]

    return read


def _write(path: Path, text: str) -> None:
    write_atomically(path, text.encode("utf-8"))
