"""Look at a ledger export of any columns: how it is read, and what of it makes the first rules.

The mapping is what `apportion infer` proposes. What a first showback can do without is filled in
as a constant (one legal entity, one currency, one cost centre of IT) and said; what it cannot do
without is refused with the one thing to do. Months, accounts and their amounts come from the whole
export, read by the readers of landing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.contracts.contract import Contract
from pipelines.errors import DeliveryRefusedError, UsageError
from pipelines.mappings.answers import Answers
from pipelines.mappings.column_hints import load_contract_hints, normalise_name
from pipelines.mappings.folder_head import list_files
from pipelines.mappings.identifier_names import IDENTIFIERS
from pipelines.mappings.infer import Proposal, infer_mapping
from pipelines.mappings.mapping import Mapping
from pipelines.mappings.preview import load_open_mapping
from pipelines.mappings.setting_parts import list_names

if TYPE_CHECKING:
    import duckdb

DEFAULT_CURRENCY = "EUR"
ACCOUNT_NAMES = ("account name", "account description", "compte lib", "descripcion cuenta")


@dataclass(frozen=True)
class LedgerExport:
    """An export with its mapping and what was found in it."""

    path: Path
    proposal: Proposal
    currency: str
    first_month: str
    last_month: str
    accounts: dict[str, str]
    """Every account of the export with its name, which may be empty."""
    amounts: dict[str, Decimal]
    """Account -> the sum of its amounts without their signs."""
    is_named: bool
    """Whether the accounts are codes that were made from names."""

    @property
    def files(self) -> list[Path]:
        """The files of the export."""
        return list_files(self.path) if self.path.is_dir() else [self.path]


class LedgerNotReadError(UsageError):
    """The export lacks something that nothing can stand for."""

    def __init__(self, name: str, expected: str, found: str, remedy: str) -> None:
        super().__init__(f"{name}: expected {expected}, found {found}. {remedy}")


def read_ledger_export(
    path: Path, currency: str | None, answers: Answers | None = None
) -> LedgerExport:
    """Look at the file or folder at `path`. Raises LedgerNotReadError or HeadNotReadError."""
    answers = replace(answers or Answers(), currency=currency or DEFAULT_CURRENCY)
    if currency is not None and not infer_mapping(path, "general_ledger", answers).settings[
        "columns"
    ].get("currency_code"):
        answers = answers.add("constant", "currency_code", currency)
    proposal = infer_mapping(path, "general_ledger", answers)
    if proposal.adopted is not None:
        # Codes and names are looked at here as columns; a ready mapping hides them.
        proposal = replace(proposal, decisions=(f"mapping: the ready one {proposal.adopted}",))
    _refuse_open(proposal)
    contract, mapping = proposal.match.contract, load_open_mapping(proposal.settings)
    name_column = _find_name_column(proposal)
    with read_export(path, contract, _show_names(mapping, name_column)) as connection:
        months = connection.execute(
            "select min(period_id), max(period_id) from texts "
            "where regexp_full_match(period_id, '\\d{4}-\\d{2}')"
        ).fetchone()
        rows = connection.execute(
            "select account_id, arg_max(name, n) filter (name <> ''), "
            "sum(total) from (select account_id, coalesce(trim(description), '') as name, "
            "count(*) as n, "
            "sum(abs(coalesce(try_cast(amount_local as decimal(38, 12)), 0))) as total from texts "
            "where regexp_full_match(account_id, '[A-Za-z0-9][A-Za-z0-9._:/@-]*') group by all) "
            "group by account_id order by account_id"
        ).fetchall()
        codes = connection.execute(
            "select distinct currency_code from texts "
            "where regexp_full_match(currency_code, '[A-Z]{3}')"
        ).fetchall()
    if not months or months[0] is None:
        raise LedgerNotReadError(
            proposal.head.name,
            "days or periods that can be read",
            "none",
            f"Next: apportion infer {path} --contract general_ledger shows how they are read.",
        )
    names = {row[0]: (row[1] or "") if name_column else "" for row in rows}
    amounts = {row[0]: row[2] for row in rows}
    found = codes[0][0] if len(codes) == 1 else currency or DEFAULT_CURRENCY
    is_named = "account_id" in proposal.settings.get(IDENTIFIERS, {})
    first, last = months
    return LedgerExport(path, proposal, found, first, last, names, amounts, is_named)


def _refuse_open(proposal: Proposal) -> None:
    left = proposal.match.open_fields
    if not left:
        return
    contract = proposal.match.contract
    flags = " ".join(f"--column {name}=COLUMN" for name in left)
    raise LedgerNotReadError(
        proposal.head.name,
        "; ".join(f"a column for {n} ({contract.field(n).description})" for n in left),
        f"the columns {', '.join(proposal.head.columns)}",
        f"Next: say which column it is: {flags}.",
    )


def _find_name_column(proposal: Proposal) -> str | None:
    """The column that names the accounts: of which their codes are made, or one of its own."""
    columns = proposal.settings["columns"]
    account = columns.get("account_id")
    if not isinstance(account, str):
        return None
    if "account_id" in proposal.settings.get(IDENTIFIERS, {}):
        return account
    named = {*load_contract_hints("general_ledger").named["account_id"], *ACCOUNT_NAMES}
    return next(
        (
            item
            for item in proposal.head.columns
            if item != account and normalise_name(item) in named
        ),
        None,
    )


def _show_names(mapping: Mapping, column: str | None) -> Mapping:
    """The mapping with the names of accounts in the place of descriptions."""
    columns = {**mapping.columns, "description": column} if column else dict(mapping.columns)
    if not column:
        columns.pop("description", None)
    left = {name for names in columns.values() for name in list_names(names)}
    optional = tuple(name for name in mapping.optional_columns if name in left)
    join = {name: item for name, item in mapping.join.items() if name != "description"}
    update = {"columns": columns, "optional_columns": optional, "join": join}
    return mapping.model_copy(update=update)


@contextmanager
def read_export(
    path: Path, contract: Contract, mapping: Mapping
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the table `texts`: every record of the export, its fields as text. Raises
    LedgerNotReadError where a file is not as the mapping says."""
    import duckdb

    from pipelines.readers.field_texts import select_texts
    from pipelines.readers.read_table import read_table
    from pipelines.readers.safe_bytes import take_delivery
    from pipelines.readers.text_marks import delivered_text

    files = list_files(path) if path.is_dir() else [path]
    quoted = [f'"{field.name}"' for field in contract.fields]
    fields = ", ".join(f"{delivered_text(name)} as {name}" for name in quoted)
    with tempfile.TemporaryDirectory() as work, duckdb.connect() as connection:
        for number, file in enumerate(files):
            directory = Path(work) / str(number)
            directory.mkdir()
            copy = directory / "original"
            try:
                seen = take_delivery(file, mapping, copy)
                delivered = read_table(
                    connection, copy, contract, mapping, seen, directory, file.name
                )
                texts = select_texts(
                    contract, mapping, delivered.header, delivered.number(), "record"
                )
                into = "insert into texts" if number else "create table texts as"
                with delivered.reading():
                    connection.execute(f"{into} select {fields} from ({texts})")
            except DeliveryRefusedError as error:
                raise UsageError(
                    f"{error.problem} Next: apportion infer {path} --contract "
                    "general_ledger shows how it is read."
                ) from None
            finally:
                connection.execute("drop table if exists delivered")
        yield connection


def read_accounts(path: Path) -> dict[str, str]:
    """A chart of accounts: name by account. Raises LedgerNotReadError without such columns."""
    proposal = infer_mapping(path, "chart_of_accounts")
    columns: dict[str, str] = proposal.settings["columns"]
    missing = [name for name in ("account_id", "account_name") if name not in columns]
    if missing:
        raise LedgerNotReadError(
            proposal.head.name,
            f"a column for {', '.join(missing)}",
            ", ".join(proposal.head.columns),
            "Next: name its columns 'Account' and 'Account name'.",
        )
    contract, mapping = proposal.match.contract, load_open_mapping(proposal.settings)
    with read_export(path, contract, mapping) as connection:
        rows = connection.execute(
            "select trim(account_id), trim(account_name) from texts where account_id <> ''"
        ).fetchall()
    return {account: name or "" for account, name in rows}
