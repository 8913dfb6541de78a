"""Everything that states amounts of a closed month, as a reader gets it: the pages of the app, the
statements as PDF, workbook and CSV, the evidence pack, the journal, the FOCUS export, the method
sheets, and what the commands answer. Each is made once and read from then on.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import openpyxl
from pypdf import PdfReader
from streamlit.testing.v1 import AppTest

from app.navigation import COST_PER_SERVICE, PageSpec
from pipelines.warehouse.reader import open_published
from pipelines.workspace.workspace import Workspace
from tests.app.conftest import ENTRY_POINT, clean, go_to
from tests.e2e.command import run_here

Row = dict[str, str]
NUMBER = re.compile(r"[-\u2212+]?\d[\d,]*(?:\.\d+)?")


def to_amount(text: object) -> Decimal:
    """A printed amount, read as people do."""
    return Decimal(str(text).replace(",", "").replace("\u2212", "-").replace("\u00a0", ""))


def find_amount(pattern: str, text: str) -> Decimal:
    """The amount in the first group of a pattern that the text holds. Fails where it does not."""
    found = re.search(pattern, text)
    assert found, f"{pattern!r} is not in:\n{text[:3000]}"
    return to_amount(found[1])


def read_rows(path: Path) -> list[Row]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def add(values: Iterable[Any]) -> Decimal:
    """The exact sum of amounts, texts among them."""
    return sum((Decimal(str(value or 0)) for value in values), Decimal(0))


@dataclass(frozen=True)
class Statement:
    """The three files of one business unit."""

    pdf: Path
    xlsx: Path
    csv: Path

    @cached_property
    def text(self) -> str:
        pages = " ".join(page.extract_text() for page in PdfReader(self.pdf).pages)
        return re.sub(r"\s+", " ", pages.replace("\u200b", ""))

    @cached_property
    def workbook(self) -> Any:
        return openpyxl.load_workbook(self.xlsx, data_only=True)

    @cached_property
    def rows(self) -> list[Row]:
        return read_rows(self.csv)

    def read_sheet(self, name: str) -> list[dict[str, Any]]:
        """A worksheet whose first row names its columns."""
        head, *rows = self.workbook[name].iter_rows(values_only=True)
        return [dict(zip(head, row, strict=True)) for row in rows]

    def find_cell(self, sheet: str, label: str, column: int) -> Decimal:
        """The cell of the first row that begins with a label."""
        for row in self.workbook[sheet].iter_rows(values_only=True):
            if row[0] == label and row[column] is not None:
                return Decimal(str(row[column]))
        raise AssertionError(f"{sheet} has no row {label!r}")

    def find_term(self, identity: str, term: str) -> Decimal:
        """The cents of a term of the certificate."""
        rows = self.workbook["Certificate"].iter_rows(values_only=True)
        (found,) = [row[3] for row in rows if row[0] == identity and row[1] == term]
        return Decimal(str(found))


class Papers:
    """All papers and pages of one month of a workspace; `units` are those whose statements are
    read."""

    def __init__(self, root: Path, month: str, directory: Path, units: Sequence[str]) -> None:
        self.root, self.month, self.directory, self.units = root, month, directory, tuple(units)
        self._pages: dict[str, AppTest] = {}

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the published marts; `$month` is the month."""
        with open_published(Workspace.open(self.root)) as marts:
            return marts.execute(sql, {"month": self.month} if "$month" in sql else {}).fetchall()

    def run(self, *arguments: str | Path) -> Any:
        """What a command answers with --json."""
        return json.loads(run_here(*arguments, "--json", "--workspace", self.root))

    def open_page(self, page: PageSpec, **parameters: str) -> AppTest:
        """A page of the app in the month."""
        key = f"{page.url_path} {sorted(parameters.items())}"
        if key not in self._pages:
            test = AppTest.from_file(str(ENTRY_POINT), default_timeout=120)
            go_to(test, COST_PER_SERVICE, period=self.month, **parameters)
            if page != COST_PER_SERVICE:
                go_to(test, page, period=self.month, **parameters)
            self._pages[key] = test
        return self._pages[key]

    def read_page(self, page: PageSpec, **parameters: str) -> str:
        """All that a page says outside of tables, its figures as 'label: value'."""
        test = self.open_page(page, **parameters)
        parts = [*test.title, *test.markdown, *test.caption, *test.html, *test.error]
        texts = [clean(part.value) for part in parts]
        texts += [f"{clean(item.label)}: {clean(item.value)}" for item in test.metric]
        return "\n".join(re.sub(r"<[^>]+>", " ", text).replace("  ", " ") for text in texts)

    @cached_property
    def unit_ids(self) -> dict[str, str]:
        """Id by name of every business unit that is billed."""
        rows = self.query(
            "select distinct business_unit_name, business_unit_id from fct_bill_items_monthly "
            "where scenario_id = 'actual' and period_id = $month"
        )
        return dict(rows)

    @cached_property
    def service_ids(self) -> dict[str, str]:
        return dict(self.query("select service_name, service_id from dim_services"))

    @cached_property
    def bills(self) -> list[dict[str, Any]]:
        """What `bill` answers, of the units that are read."""
        chosen = [item for unit in self.units for item in ("--business-unit", unit)]
        answer: list[dict[str, Any]] = self.run(
            "bill", self.month, *chosen, "--output", self.directory / "bills"
        )
        return answer

    @cached_property
    def statements(self) -> dict[str, Statement]:
        return {
            bill["business_unit_id"]: Statement(
                Path(bill["pdf"]), Path(bill["xlsx"]), Path(bill["csv"])
            )
            for bill in self.bills
        }

    @cached_property
    def evidence(self) -> Path:
        answer = self.run("evidence", self.month, "--out", self.directory / "evidence")
        return Path(answer["directory"])

    @cached_property
    def evidence_bills(self) -> list[Row]:
        return read_rows(self.evidence / "bills.csv")

    def find_evidence_term(self, identity: str, term: str) -> Decimal:
        """The cents of a term of the certificate, from its file."""
        rows = read_rows(self.evidence / f"certificate_{identity}.csv")
        (found,) = [row["EUR_cents"] for row in rows if row["term"] == term]
        return Decimal(found)

    @cached_property
    def journal_total(self) -> Decimal:
        return Decimal(self._journal["total"])

    @cached_property
    def journal(self) -> list[Row]:
        return read_rows(Path(self._journal["path"]))

    @cached_property
    def _journal(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.run(
            "journal", self.month, "--layout", "generic", "--output", self.directory
        )
        return answer

    @cached_property
    def focus(self) -> list[Row]:
        answer = self.run("export", "focus", self.month, "--output", self.directory / "focus")
        return read_rows(Path(answer["directory"]) / "cost_and_usage.csv")

    @cached_property
    def sheets(self) -> dict[str, dict[str, str]]:
        """Method sheets by service: price, unit cost, and the text."""
        answer = self.run(
            *("methods", "--format", "md", "--period", self.month),
            *("--output", self.directory / "methods"),
        )
        return {
            sheet["service_id"]: {
                "price": clean(sheet["price"]),
                "unit_cost": clean(sheet["unit_cost"]),
                "text": clean(Path(sheet["file"]).read_text("utf-8")),
            }
            for sheet in answer["sheets"]
        }

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The summary of `run`, whose figures are of the latest month."""
        answer: dict[str, Any] = self.run("run", "--no-bills")["summary"]
        return answer

    @cached_property
    def whatif(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.run("whatif", self.month, "--account", "6010=+1%")
        return answer
