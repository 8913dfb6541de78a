"""Look at a ledger export of any columns: how it is read, and what of it makes the first rules.

The mapping is what `apportion infer` proposes. What a first showback can do without is filled in
as a constant (one legal entity, one currency, one cost centre of IT) and said; what it cannot do
without is refused by name. Nothing that the values leave open is guessed.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from pipelines.errors import UsageError
from pipelines.mappings.column_hints import compare_names, normalise_name
from pipelines.mappings.file_head import FileHead
from pipelines.mappings.infer import LEAST_NAME_LIKENESS, Proposal, infer_mapping
from pipelines.mappings.preview import convert_text

DEFAULT_CURRENCY = "EUR"
REPLACEABLE = {"legal_entity_id": "main", "cost_centre_id": "it"}
"""Required fields that one value can stand for, where the export has no such column."""


@dataclass(frozen=True)
class LedgerExport:
    """An export with its mapping and what was found in it."""

    path: Path
    proposal: Proposal
    currency: str
    first_month: str
    last_month: str
    accounts: dict[str, str]
    """Every account of the file with its name, which may be empty."""


class LedgerNotReadError(UsageError):
    """The export lacks something that nothing can stand for."""

    def __init__(self, name: str, expected: str, found: str) -> None:
        super().__init__(
            f"{name}: expected {expected}, found {found}. Export it again, or start from the "
            "template 'empty' and write the mapping by hand."
        )


def read_ledger_export(path: Path, currency: str | None) -> LedgerExport:
    """Look at `path`. Raises LedgerNotReadError or HeadNotReadError."""
    proposal = infer_mapping(path, "general_ledger")
    columns: dict[str, str] = proposal.settings["columns"]
    found = _find_currency(proposal, columns.get("currency_code"), currency)
    proposal = _fill_gaps(proposal, found)
    months = _list_months(proposal)
    if not months:
        raise LedgerNotReadError(proposal.head.name, "days or periods that can be read", "none")
    accounts = _list_accounts(path, proposal.head, columns["account_id"])
    return LedgerExport(path, proposal, found, min(months), max(months), accounts)


def read_accounts(path: Path) -> dict[str, str]:
    """A chart of accounts: name by account. Raises LedgerNotReadError without such columns."""
    proposal = infer_mapping(path, "chart_of_accounts")
    columns: dict[str, str] = proposal.settings["columns"]
    missing = [name for name in ("account_id", "account_name") if name not in columns]
    if missing:
        found = ", ".join(proposal.head.columns)
        raise LedgerNotReadError(proposal.head.name, f"a column for {', '.join(missing)}", found)
    wanted = (columns["account_id"], columns["account_name"])
    return {
        account: name for account, name in _read_columns(path, proposal.head, wanted) if account
    }


def _find_currency(proposal: Proposal, column: str | None, told: str | None) -> str:
    """The currency of the export, as far as it has one only."""
    if told is not None or column is None:
        return told or DEFAULT_CURRENCY
    values = {text.strip() for text in proposal.head.column(column) if text.strip()}
    return values.pop() if len(values) == 1 else DEFAULT_CURRENCY


def _fill_gaps(proposal: Proposal, currency: str) -> Proposal:
    """Constants for the fields that one value can stand for."""
    proposal = _derive_day(proposal)
    values = {**REPLACEABLE, "currency_code": currency}
    constants = {name: values[name] for name in proposal.match.missing if name in values}
    left = [name for name in proposal.match.missing if name not in values]
    if left:
        contract = proposal.match.contract
        expected = "; ".join(f"a column for {n} ({contract.field(n).description})" for n in left)
        raise LedgerNotReadError(
            proposal.head.name, expected, f"the columns {', '.join(proposal.head.columns)}"
        )
    if not constants:
        return proposal
    decisions = [d for d in proposal.decisions if d.partition(":")[0] not in constants]
    decisions += [
        f"constants.{name}: no column gives it, so every record has {value!r}"
        for name, value in constants.items()
    ]
    settings = {**proposal.settings, "constants": constants}
    match = replace(proposal.match, missing=())
    return replace(proposal, match=match, settings=settings, decisions=tuple(decisions))


def _derive_day(proposal: Proposal) -> Proposal:
    """Postings of a period without days stand at its last one."""
    columns = proposal.settings["columns"]
    if "posting_date" not in proposal.match.missing or "period_id" not in columns:
        return proposal
    missing = tuple(name for name in proposal.match.missing if name != "posting_date")
    decisions = [d for d in proposal.decisions if d.partition(":")[0] != "posting_date"]
    decisions.append(
        "derived_times.posting_date: no column gives it, so it is the month's last day"
    )
    derived = {"posting_date": {"of": "period_id", "point": "month_last_day"}}
    return replace(
        proposal,
        match=replace(proposal.match, missing=missing),
        settings={**proposal.settings, "derived_times": derived},
        decisions=tuple(decisions),
    )


def _list_months(proposal: Proposal) -> list[str]:
    """Months of the head, such as 2026-03; a date that the mapping cannot read says none."""
    contract, settings = proposal.match.contract, proposal.settings
    name = settings.get("period_from") or "period_id"
    texts = proposal.head.column(settings["columns"][name])
    values = (convert_text(contract.field(name), text, settings)[:7] for text in texts)
    return [value for value in values if len(value) == 7 and value[:4].isdigit()]


def _list_accounts(path: Path, head: FileHead, column: str) -> dict[str, str]:
    """Accounts of the whole file, with the name that a column of the export gives them."""
    named = [
        item
        for item in head.columns
        # A description alone is that of a posting, not of its account.
        if item != column
        and normalise_name(item).startswith(("account", "konto"))
        and compare_names("account_name", item)[0] >= LEAST_NAME_LIKENESS
    ]
    accounts: dict[str, str] = {}
    for account, *names in _read_columns(path, head, (column, *named[:1])):
        if account and not accounts.get(account):
            accounts[account] = names[0] if names else ""
    return accounts


def _read_columns(
    path: Path, head: FileHead, columns: tuple[str, ...]
) -> Iterator[tuple[str, ...]]:
    """The texts of some columns of every record, without spaces around them."""
    indexes = [head.columns.index(column) for column in columns]
    with _open_text(path, head) as text:
        for _ in range(head.header_row - 1):
            text.readline()
        reader = csv.reader(text, delimiter=head.delimiter)
        next(reader, None)
        for row in reader:
            if len(row) == len(head.columns):
                yield tuple(row[index].strip() for index in indexes)


@contextmanager
def _open_text(path: Path, head: FileHead) -> Iterator[TextIO]:
    encoding = "utf-8-sig" if head.encoding == "utf-8" else head.encoding
    if head.compression == "gzip":
        with gzip.open(path, "rt", encoding=encoding, newline="") as packed:
            yield packed
    else:
        with path.open(encoding=encoding, newline="") as plain:
            yield plain
