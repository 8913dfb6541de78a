"""A small company whose ledger arrives as files: put them into the inbox, land them, look.

Sources: `ledger` (refuses a period twice), `replaced` (replace_period), `appended` (append), all of
the contract general_ledger and without a limit of change; `bill` (FOCUS 1.2) and `centres` (no
periods, refuse).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pipelines.books.books import Books
from pipelines.landing.land import LoadResult, land_inbox
from pipelines.landing.typed_records import read_view
from pipelines.readers.file_names import show_file_name
from pipelines.workspace.workspace import Workspace

CONFIG = """\
name: Example Works
currency: EUR
calendar: {first_period: 2026-01, last_period: 2026-12}
control_total: {source: ledger}
sources:
  ledger: {contract: general_ledger, inbox: "ledger/*", hold_above_percent: null}
  replaced:
    contract: general_ledger
    inbox: replaced/*.csv
    redelivery: replace_period
    hold_above_percent: null
  appended:
    contract: general_ledger
    inbox: appended/*.csv
    redelivery: append
    hold_above_percent: null
  bill:
    contract: cloud_bill
    mapping: focus_1_2
    inbox: bill/*.csv
    redelivery: append
    detail_feed: {claims: {account: ["6410"]}}
  centres: {contract: cost_centres, inbox: centres/*.csv}
"""

HEADER = (
    "line_id,period_id,posting_date,legal_entity_id,account_id,cost_centre_id,"
    "vendor_name,document_id,description,currency_code,amount_local"
)
FIELDS = HEADER.split(",")


def record(line_id: str, amount: str = "100.00", **changes: str) -> str:
    """One posting as a line of CSV, without its line end."""
    values = {
        "line_id": line_id,
        "period_id": "2026-01",
        "posting_date": "2026-01-31",
        "legal_entity_id": "DE01",
        "account_id": "6400",
        "cost_centre_id": "CC100",
        "vendor_name": "Vendor",
        "document_id": "D1",
        "description": "memo",
        "currency_code": "EUR",
        "amount_local": amount,
        **changes,
    }
    return ",".join(values[name] for name in FIELDS)


def ledger(*records: str) -> bytes:
    """A ledger file of those records."""
    return "".join(f"{line}\n" for line in (HEADER, *records)).encode()


GOOD = ledger(record("L1"), record("L2", "200.50"), record("L3", "-0.25"))
"""Three records, 100.00 + 200.50 - 0.25 = 300.25 EUR."""


@dataclass
class Company:
    """One workspace and its books."""

    workspace: Workspace
    books: Books

    def put(self, content: bytes, name: str = "ledger/a.csv") -> Path:
        """Drop a file into the inbox."""
        path = self.workspace.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def land(self) -> list[LoadResult]:
        """Land the whole inbox."""
        return land_inbox(self.workspace, self.books)

    def land_one(self, content: bytes, name: str = "ledger/a.csv") -> LoadResult:
        """Put one file and land it; other files of the inbox are known or refused by then."""
        path = self.put(content, name)
        shown = show_file_name(path)
        return next(result for result in self.land() if result.file_name == shown)

    def loads(self) -> list[dict[str, Any]]:
        """Rows of the books' loads, in order."""
        from pipelines.books.tables import loads

        with self.books.read() as connection:
            rows = connection.execute(loads.select().order_by(loads.c.load_id)).mappings()
            return [dict(row) for row in rows]

    def audit_actions(self) -> list[str]:
        """What the audit log says happened."""
        from pipelines.books.tables import audit_log

        with self.books.read() as connection:
            rows = connection.execute(audit_log.select().order_by(audit_log.c.sequence))
            return [f"{row.action} {row.subject}" for row in rows]

    def directory(self, result: LoadResult) -> Path:
        """Where a load lies in the lake."""
        return self.workspace.lake / result.source_id / result.sha256

    def lake_directories(self) -> list[Path]:
        """Directories of loads in the lake, named by a row or not."""
        return sorted(path.parent for path in self.workspace.lake.glob("*/*/original"))

    def staging_directories(self) -> list[Path]:
        """What is left in the staging area."""
        return sorted((self.workspace.lake / ".staging").glob("*"))

    def read(self, result: LoadResult, sql: str) -> list[tuple[Any, ...]]:
        """Ask the lake about a load: `records` as a build reads them, and `quarantine`."""
        return read_load(self.directory(result), sql)

    def quarantined_texts(self, result: LoadResult) -> list[dict[str, str]]:
        """The quarantined records as they were delivered."""
        rows = self.read(result, "select record::varchar from quarantine order by _row_number")
        return [json.loads(row[0]) for row in rows]


def read_load(directory: Path, sql: str) -> list[tuple[Any, ...]]:
    """Ask a directory of the lake: `records` as a build reads them, and `quarantine`."""
    quarantine = directory / "quarantine.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"create view records as {read_view(directory)}")
        if quarantine.exists():
            connection.execute(f"create view quarantine as from read_parquet('{quarantine}')")
        return connection.execute(sql).fetchall()


def make_company(root: Path) -> Company:
    """A company without any delivery."""
    root.mkdir(parents=True)
    (root / "apportion.yml").write_text(CONFIG, "utf-8")
    (root / "inbox").mkdir()
    return open_company(root)


def open_company(root: Path) -> Company:
    """The company at `root`."""
    workspace = Workspace.open(root)
    return Company(workspace, Books.open(workspace))
