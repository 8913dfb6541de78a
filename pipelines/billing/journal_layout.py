"""Layouts of journal files, as data: which columns a ledger wants, in which form.

Ready layouts lie in `journal_layouts/` beside this file; a workspace has its own in a directory of
that name, and those come first. A column is a constant or one of the values of an entry (`Field`).
"""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from pipelines.billing.journal import Entry, Journal
from pipelines.errors import ConfigurationError, Problem, UsageError

DIRECTORY = Path(__file__).parent / "journal_layouts"

Field = Literal[
    "reference",
    "line_number",
    "legal_entity",
    "account",
    "cost_centre",
    "debit",
    "credit",
    "amount",
    "signed_amount",
    "side",
    "currency",
    "period",
    "posting_date",
    "service",
    "text",
]
TEXTS = ("legal_entity", "account", "cost_centre", "service", "text")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class Column(BaseModel):
    """One column of a layout."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    field: Field | None = None
    constant: str | None = None

    @model_validator(mode="after")
    def says_one_thing(self) -> Column:
        if (self.field is None) == (self.constant is None):
            raise ValueError(f"column {self.name} needs either a field or a constant")
        return self


class Layout(BaseModel):
    """How a journal is written for one ledger."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str
    delimiter: str = ","
    decimal_mark: Literal[".", ","] = "."
    date_format: str = "%Y-%m-%d"
    period_format: str = "{period}"
    line_end: Literal["\n", "\r\n"] = "\n"
    has_header: bool = True
    debit_mark: str = "D"
    credit_mark: str = "C"
    columns: list[Column]


def load_layout(name: str, own: Path) -> Layout:
    """A layout by its name; `own` is the workspace's directory of them. Raises UsageError where
    there is none of that name, ConfigurationError where the file is none."""
    if name not in list_layouts(own):
        raise UsageError(f"no layout is called '{name}'; there are {', '.join(list_layouts(own))}")
    path = next(
        place for place in (own / f"{name}.yml", DIRECTORY / f"{name}.yml") if place.is_file()
    )
    try:
        return Layout.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        raise ConfigurationError([Problem(path.name, str(error))]) from None


def list_layouts(own: Path) -> list[str]:
    """Names of the ready layouts and of those of the workspace."""
    return sorted({path.stem for place in (own, DIRECTORY) for path in place.glob("*.yml")})


def write_journal(journal: Journal, layout: Layout) -> bytes:
    """The file of a journal in a layout, UTF-8."""
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=layout.delimiter, lineterminator=layout.line_end)
    if layout.has_header:
        writer.writerow([column.name for column in layout.columns])
    for number, entry in enumerate(journal.entries, start=1):
        values = _show(journal, layout, number, entry)
        writer.writerow(
            [
                column.constant if column.field is None else values[column.field]
                for column in layout.columns
            ]
        )
    return stream.getvalue().encode("utf-8")


def _show(journal: Journal, layout: Layout, number: int, entry: Entry) -> dict[str, Any]:
    year, period = journal.period_id.split("-")
    values = {
        "reference": journal.reference,
        "line_number": str(number),
        "legal_entity": entry.legal_entity_id,
        "account": entry.account_id,
        "cost_centre": entry.cost_centre_id,
        "debit": _amount(entry.debit, layout) if entry.debit else "",
        "credit": _amount(entry.credit, layout) if entry.credit else "",
        "amount": _amount(abs(entry.amount), layout),
        "signed_amount": _amount(entry.amount, layout),
        "side": layout.debit_mark if entry.debit else layout.credit_mark,
        "currency": journal.currency_code,
        "period": layout.period_format.format(
            period=journal.period_id, year=year, month=period[-2:]
        ),
        "posting_date": _date(journal.posting_date, layout),
        "service": entry.service_id,
        "text": entry.text,
    }
    return values | {name: _neutralise(values[name]) for name in TEXTS}


def _amount(value: Decimal, layout: Layout) -> str:
    return format(value, ".2f").replace(".", layout.decimal_mark)


def _date(value: date, layout: Layout) -> str:
    return value.strftime(layout.date_format)


def _neutralise(text: str) -> str:
    """A spreadsheet runs a cell that begins so; with an apostrophe before it, it shows it."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
