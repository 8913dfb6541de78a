"""The door to the published figures: one locked connection and one cache per publication.

Every rerun reads the pointer `warehouse/CURRENT`, which is cheap, so a new publication shows at
the next rerun without a restart. Connection and frames are cached under workspace and run id; a
publication never changes under its run id, therefore nothing has to expire.

Frames keep money as Decimal objects, so that what a page shows or writes to a file is what the
mart holds. Sums and differences of money are made in SQL. Streamlit shares its caches between
all readers: whoever may open the app may see every figure in it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pipelines.readable_text import MAY_BE_HIDDEN, show_texts
from pipelines.warehouse.publication import Publication, read_publication
from pipelines.warehouse.reader import connect_published
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

WORKSPACE_VARIABLE = "APPORTION_WORKSPACE"
CACHED_PUBLICATIONS = 2
CACHED_FRAMES = 1000

ACTUAL = "actual"
BUDGET = "budget"

OUTSIDE_IT = "('(recovery)', '(out_of_scope)', '(capitalised)')"
"""SQL list of what is in the ledger but is no IT cost of the period."""

IN_SCOPE = f"service_id not in {OUTSIDE_IT}"
"""SQL condition for what counts as IT cost: services, and what is not allocated or mapped."""

IS_SERVICE = "service_id not like '(%'"
"""SQL condition for services of the catalogue."""

Parameters = Mapping[str, Any]

_PARAMETER = re.compile(r"\$([a-z_]+)")


@dataclass(frozen=True)
class Published:
    """One publication of one workspace: the key under which its figures are cached."""

    workspace_path: str
    publication: Publication

    @property
    def run_id(self) -> str:
        return self.publication.run_id

    @property
    def root(self) -> Path:
        return Path(self.workspace_path)


def find_workspace_path() -> Path:
    """The directory that the environment names as workspace; default: the current one."""
    return Path(os.environ.get(WORKSPACE_VARIABLE) or ".").resolve()


def find_published() -> Published:
    """What is published in the workspace that the environment names; default: this directory.

    Raises WorkspaceMissingError without a workspace, NothingPublishedError before the first run.
    """
    workspace = Workspace.open(find_workspace_path())
    return Published(str(workspace.root), read_publication(workspace))


def read_frame(
    published: Published, sql: str, parameters: Parameters | None = None
) -> pd.DataFrame:
    """The rows of a query as a frame: decimals as Decimal objects, missing values as None or NaN.

    `sql` is text of this package, never of a reader; what a reader chose comes as `parameters`,
    of which those that the query names are passed on.
    """
    named = set(_PARAMETER.findall(sql))
    frozen = tuple(sorted((k, v) for k, v in (parameters or {}).items() if k in named))
    return _read_cached(
        published.workspace_path, published.run_id, sql, frozen, _publication=published.publication
    )


@st.cache_resource(max_entries=CACHED_PUBLICATIONS, show_spinner=False)
def _connect(
    workspace_path: str,
    run_id: str,  # noqa: ARG001 - part of the cache's key
    _publication: Publication,
) -> duckdb.DuckDBPyConnection:
    """One connection per publication; readers use cursors of it. An evicted one closes itself
    when the last page that still reads through it has finished."""
    return connect_published(Workspace.open(Path(workspace_path)), _publication)


@st.cache_data(max_entries=CACHED_FRAMES, show_spinner=False)
def _read_cached(
    workspace_path: str,
    run_id: str,
    sql: str,
    parameters: tuple[tuple[str, Any], ...],
    _publication: Publication,
) -> pd.DataFrame:
    cursor = _connect(workspace_path, run_id, _publication=_publication).cursor()
    try:
        relation: Any = cursor.sql(sql, params=dict(parameters))
        frame: pd.DataFrame = relation.to_arrow_table().to_pandas()
    finally:
        cursor.close()
    return show_frame(frame)


def show_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its texts as a page may show them: hidden characters written out."""
    for name in frame.columns:
        column = frame[name]
        if any(isinstance(value, str) and MAY_BE_HIDDEN.search(value) for value in column):
            frame[name] = column.map(show_texts)
    return frame


def latest(mart: str) -> str:
    """SQL for the rows of a mart in the latest version of each scenario and period."""
    return (
        f"(select * from {mart} "
        "qualify version = max(version) over (partition by scenario_id, period_id))"
    )
