"""A company with one source more, `own`, that is read by a mapping of its workspace's own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from pipelines.landing.land import LoadResult
from tests.unit.landing.company import Company, open_company

DATA = Path(__file__).parents[4] / "shared" / "data"
"""Public data that lies beside the checkout, or not."""

CONSTANTS = {
    "legal_entity_id": "DE01",
    "account_id": "6400",
    "cost_centre_id": "CC100",
    "currency_code": "EUR",
}
COLUMNS = {"line_id": "id", "posting_date": "date", "amount_local": "amount"}
LEDGER: dict[str, Any] = {
    "contract": "general_ledger",
    "constants": CONSTANTS,
    "period_from": "posting_date",
}
"""A ledger of which a delivery says only number, date and amount of each line."""


def ledger_mapping(**changes: Any) -> dict[str, Any]:
    """The mapping of a ledger with the columns id, date and amount, changed."""
    return {**LEDGER, "columns": COLUMNS, **changes}


@contextmanager
def open_own(company: Company, mapping: dict[str, Any]) -> Iterator[Company]:
    """The company, reading inbox/own/ by `mapping`."""
    root = company.workspace.root
    write_mapping(root, mapping)
    config = root / "apportion.yml"
    # How a file is read is asked here, not how it compares with others.
    settings = 'mapping: own, inbox: "own/*", hold_above_percent: null'
    source = f"  own: {{contract: {mapping['contract']}, {settings}}}\n"
    text = config.read_text("utf-8")
    if source not in text:
        config.write_text(text + source, "utf-8")
    opened = open_company(root)
    try:
        yield opened
    finally:
        opened.books.close()


def write_mapping(root: Path, mapping: dict[str, Any]) -> Path:
    """Write mappings/own.yml."""
    (root / "mappings").mkdir(exist_ok=True)
    path = root / "mappings" / "own.yml"
    path.write_text(
        yaml.safe_dump({"mapping_id": "own", "description": "", **mapping}, allow_unicode=True),
        "utf-8",
    )
    return path


def land_own(
    company: Company, mapping: dict[str, Any], content: bytes | Path, name: str = "own/a.csv"
) -> LoadResult:
    """Land one file by `mapping`."""
    with open_own(company, mapping) as opened:
        if isinstance(content, Path):
            target = opened.workspace.inbox / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(content, target)
            return opened.land()[0]
        return opened.land_one(content, name)


def read_fields(company: Company, result: LoadResult, fields: str) -> list[tuple[Any, ...]]:
    """Fields of the accepted records, in their order, as texts."""
    texts = ", ".join(f"cast({field.strip()} as varchar)" for field in fields.split(","))
    return company.read(result, f"select {texts} from records order by _row_number")
