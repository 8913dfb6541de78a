"""Land public files through a mapping, ready or kept with the tests, and count them independently.

The files lie beside the checkout; a test whose file is not there says so and is skipped. What they
hold is counted with `csv`, `json` and `Decimal` only.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.books.books import Books
from pipelines.landing import land
from pipelines.landing.land import LoadResult, land_inbox
from pipelines.workspace.workspace import Workspace
from tests.unit.landing.company import read_load

DATA = Path(__file__).parents[4] / "shared" / "data"
FOREIGN_MAPPINGS = Path(__file__).parent / "foreign_mappings"
"""Mappings of single public files: of use to nobody else, so that they are not ready ones."""
ENGINE_DECIMALS = Decimal("1e-12")


def find_file(name: str) -> Path:
    """The public file, or a skipped test."""
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"the public file {name} is not beside the checkout")
    return path


def land_files(
    root: Path, mapping: str, contract: str, *files: tuple[str, bytes]
) -> list[LoadResult]:
    """Land files of one source in a new workspace; none of them may be refused."""
    source: dict[str, Any] = {"contract": contract, "mapping": mapping, "inbox": "*"}
    # What a file holds is asked here, not how it compares with the one before.
    source |= {"redelivery": "append", "hold_above_percent": None}
    config = {
        "name": "Example",
        "currency": "EUR",
        "calendar": {"first_period": "2026-01", "last_period": "2026-12"},
        "control_total": {"source": "own"},
        "sources": {"own": source},
    }
    (root / "inbox").mkdir(parents=True)
    (root / "apportion.yml").write_text(yaml.safe_dump(config), "utf-8")
    if (FOREIGN_MAPPINGS / f"{mapping}.yml").is_file():
        (root / "mappings").mkdir()
        shutil.copy(FOREIGN_MAPPINGS / f"{mapping}.yml", root / "mappings")
    for name, content in files:
        (root / "inbox" / name).write_bytes(content)
    workspace = Workspace.open(root)
    with pytest.MonkeyPatch.context() as patched:
        # What a mapping reads is asked here, not whether a figure is made of it.
        patched.setattr(land, "refuse_unused", lambda delivery: None)
        results = land_inbox(workspace, Books.open(workspace))
    assert [result.message for result in results] == [""] * len(files)
    return results


def land_named(root: Path, mapping: str, contract: str, *names: str) -> list[LoadResult]:
    """Land public files as they are, in the order of their names."""
    paths = [find_file(name) for name in sorted(names)]
    return land_files(root, mapping, contract, *((path.name, path.read_bytes()) for path in paths))


def read_records(root: Path, result: LoadResult, sql: str) -> list[tuple[Any, ...]]:
    """The answer to a query over the accepted `records` of a load."""
    return read_load(root / "lake" / "own" / result.sha256, sql)


def read_rows(content: bytes) -> list[dict[str, str]]:
    """The records of a CSV file; lines without anything are none."""
    text = io.StringIO(content.decode("utf-8-sig"), newline="")
    return [row for row in csv.DictReader(text) if any(row.values())]


def read_named(name: str) -> list[dict[str, str]]:
    """The records of a public CSV file."""
    return read_rows(find_file(name).read_bytes())


def sum_of(result: LoadResult, currency: str, part: str = "accepted") -> Decimal:
    """The control total of a load in one currency."""
    assert result.amounts is not None
    return Decimal(result.amounts[currency][part])


def round_all(texts: Iterable[str]) -> list[Decimal]:
    """Amounts with the twelve decimals of the engine, half away from zero."""
    amounts = [Decimal(text) for text in texts]
    return [amount.quantize(ENGINE_DECIMALS, ROUND_HALF_UP) for amount in amounts]
