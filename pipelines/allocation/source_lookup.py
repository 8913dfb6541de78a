"""Find the cost lines in which a record of a delivery stands.

A record is named by its file and row (`general_ledger_2026.csv:17`; the file by its name, by
SOURCE/NAME, or by the beginning of its SHA-256), a cost line by its id. What is found is one of

- a *cost line*: a posting, a planned line, or a line that the build made (a balancing line);
- a *bill record*: one of the records that the build summed to a cost line;
- a *claimed record*: a posting in place of which a detail feed's lines stand. Postings of one
  account, cost centre, entity, currency and period that a feed claims are explained together, so
  that all of them are followed where there are several.

Amounts are those of the engine; a bill record's is its own times the rate of its period, exactly,
so that no share is made by dividing by an amount. Whatever is not found is refused with the nearest
names, or with the reason why the record carries no money.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from pipelines.allocation.money_paths import Cell, Figures
from pipelines.allocation.source_records import prepare_lake, read_published_loads
from pipelines.allocation.trace import count_unit_digits
from pipelines.errors import UsageError
from pipelines.warehouse.lake_views import ActiveLoad
from pipelines.warehouse.pins import name_files, read_pins
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

SHORTEST_HASH = 8
NEAREST = 3
MONEY_CONTRACTS = ("general_ledger", "budget", "cloud_bill")


class FollowedLine(NamedTuple):
    """A cost line, and how much of it is the source's, in the reporting currency."""

    ledger_line_id: str
    cell: Cell
    amount: Fraction


@dataclass(frozen=True)
class FoundSource:
    """A record or a cost line, with all the money that is to be followed."""

    kind: str
    """`cost line`, `bill record` or `claimed record`."""
    figures: Figures
    file_name: str | None
    file_id: str | None
    row_number: int | None
    """Empty for a line that the build made."""
    account_id: str
    description: str
    currency_code: str
    amount_local: Decimal
    """As delivered; of all the postings that were claimed together."""
    feed_source_id: str | None
    """Who claimed it."""
    claimed_count: int
    """Postings that were claimed together."""
    lines: tuple[FollowedLine, ...]

    @property
    def name(self) -> str:
        """The file and record, or the cost line that the build made."""
        if self.row_number is None:
            return self.lines[0].ledger_line_id
        return f"{self.file_name}, record {self.row_number}"

    @property
    def amount(self) -> Fraction:
        """In the reporting currency."""
        return sum((line.amount for line in self.lines), Fraction(0))


def find_source(
    workspace: Workspace, published: duckdb.DuckDBPyConnection, text: str
) -> FoundSource:
    """The source that `text` names. Raises UsageError where there is none, or more than one."""
    rows = _read_lines(published, "ledger_line_id = $id", {"id": text})
    if rows:
        return _follow_line(published, rows, workspace)
    name, _, row = text.rpartition(":")
    if not name or not row.isdigit() or int(row) < 1:
        raise UsageError(
            f"'{text}' names no source: expected FILE:ROW with a row from 1, or the id of a cost "
            f"line.{_name_nearest(published, text, text)}"
        )
    load = _find_load(workspace, published, name, text)
    rows = _read_lines(
        published,
        "file_id = $file and row_number = $row and source_id = $source",
        {"file": load.sha256, "row": int(row), "source": load.source_id},
    )
    if rows:
        return _follow_line(published, rows, workspace)
    if load.contract_id in MONEY_CONTRACTS:
        found = _find_in_lake(workspace, published, load, int(row))
        if found is not None:
            return found
    raise UsageError(_explain_absence(published, load, int(row)))


def _read_lines(
    published: duckdb.DuckDBPyConnection, condition: str, parameters: dict[str, Any]
) -> list[dict[str, Any]]:
    """Cost lines of the newest version of their period; of a restated period those that it was
    closed without."""
    result = published.execute(
        f"""
        select * from fct_ledger_lines where {condition}
        qualify rank() over (
            partition by ledger_line_id, period_id, if(scenario_id = 'budget', 'budget', 'actual')
            order by scenario_id = 'restated', version desc
        ) = 1
        order by ledger_line_id
        """,
        parameters,
    )
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _follow_line(
    published: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]], workspace: Workspace
) -> FoundSource:
    [row] = rows
    loads = read_published_loads(workspace, published)
    names = name_files(loads, read_pins(workspace, published))
    return FoundSource(
        kind="cost line",
        figures=_read_figures(row),
        file_name=names.get(row["file_id"], row["file_id"]),
        file_id=row["file_id"],
        row_number=row["row_number"],
        account_id=row["account_id"],
        description=_join_texts(row["vendor_name"], row["description"]),
        currency_code=row["currency_code"],
        amount_local=row["amount_local"],
        feed_source_id=None,
        claimed_count=0,
        lines=_follow_whole(published, rows),
    )


def _follow_whole(
    published: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]]
) -> tuple[FollowedLine, ...]:
    unit = 10 ** count_unit_digits(published)
    return tuple(
        FollowedLine(
            row["ledger_line_id"], _read_cell(row), Fraction(int(row["amount_units"]), unit)
        )
        for row in rows
    )


def _read_cell(row: dict[str, Any]) -> Cell:
    return Cell(*(row[name] for name in Cell._fields))


def _read_figures(row: dict[str, Any]) -> Figures:
    return Figures(row["scenario_id"], row["period_id"], row["version"])


def _join_texts(*texts: str | None) -> str:
    return ", ".join(text for text in texts if text)


def _find_load(
    workspace: Workspace, published: duckdb.DuckDBPyConnection, name: str, text: str
) -> ActiveLoad:
    """The delivery called `name`; `text` is all that was asked for, to name what is near it."""
    loads = read_published_loads(workspace, published)
    found = [
        load
        for load in loads
        if name in (load.file_name, f"{load.source_id}/{load.file_name}")
        or (len(name) >= SHORTEST_HASH and load.sha256.startswith(name.lower()))
    ]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(
            f"no delivery of the published run is called '{name}', and no hash begins so (at least "
            f"{SHORTEST_HASH} characters).{_name_nearest(published, name, text)}"
        )
    choices = "; ".join(f"{load.source_id}/{load.file_name} ({load.sha256[:12]})" for load in found)
    raise UsageError(
        f"'{name}' is the name of {len(found)} deliveries: {choices}. Name one by SOURCE/FILE or "
        "by its hash."
    )


def _name_nearest(published: duckdb.DuckDBPyConnection, file: str, line: str) -> str:
    """The names of files and cost lines that are most like what was asked for, as a sentence."""
    rows = published.execute(
        """
        with names as (
            select distinct file_name as name, $file as wanted from model.loads
            where list_contains($contracts, contract_id)
            union
            select ledger_line_id as name, $line as wanted from fct_ledger_lines
        )
        select name from names
        order by jaro_winkler_similarity(lower(name), lower(wanted)) desc, name
        limit $count
        """,
        {"file": file, "line": line, "count": NEAREST, "contracts": list(MONEY_CONTRACTS)},
    ).fetchall()
    return f" The nearest are {', '.join(row[0] for row in rows)}." if rows else ""


def _find_in_lake(
    workspace: Workspace, published: duckdb.DuckDBPyConnection, load: ActiveLoad, row: int
) -> FoundSource | None:
    """A record that is no cost line of its own: summed by the build, or claimed by a feed."""
    import duckdb

    with duckdb.connect(":memory:") as lake:
        has_bills = prepare_lake(
            lake, workspace, published, read_published_loads(workspace, published)
        )
        if load.contract_id == "cloud_bill":
            return _find_bill_record(lake, published, load, row) if has_bills else None
        if load.contract_id == "general_ledger":
            return _find_claimed_record(lake, published, load, row)
    return None


def _find_bill_record(
    lake: duckdb.DuckDBPyConnection,
    published: duckdb.DuckDBPyConnection,
    load: ActiveLoad,
    row: int,
) -> FoundSource | None:
    record = lake.execute(
        """
        select source_id || ':' || cloud_line_key, billing_currency, amount_local,
            concat_ws(', ', provider_name, service_name, charge_description)
        from staging.stg_cloud_bill__keyed_lines
        where file_id = ? and row_number = ? and source_id = ?
        order by scenario_id = 'restated'
        """,
        [load.sha256, row, load.source_id],
    ).fetchone()
    if record is None:
        return None
    line_id, currency, amount, text = record
    lines = _read_lines(published, "ledger_line_id = $id", {"id": line_id})
    if not lines:
        return None
    [line] = lines
    figures = _read_figures(line)
    rate = published.execute(
        "select exchange_rate from ledger.int_ledger__rates "
        "where scenario_id = ? and period_id = ? and currency_code = ?",
        [figures.scenario_id, figures.period_id, currency],
    ).fetchone()
    assert rate is not None
    return FoundSource(
        kind="bill record",
        figures=figures,
        file_name=load.file_name,
        file_id=load.sha256,
        row_number=row,
        account_id=line["account_id"],
        description=text,
        currency_code=currency,
        amount_local=amount,
        feed_source_id=None,
        claimed_count=0,
        lines=(FollowedLine(line_id, _read_cell(line), Fraction(amount) * Fraction(rate[0])),),
    )


def _find_claimed_record(
    lake: duckdb.DuckDBPyConnection,
    published: duckdb.DuckDBPyConnection,
    load: ActiveLoad,
    row: int,
) -> FoundSource | None:
    """The lines that stand in place of a claimed posting: those of its feed, and the balance. One
    that came late for a closed period has them where the period is restated."""
    found = lake.execute(
        """
        select line_id, period_id, account_id, cost_centre_id, legal_entity_id, currency_code,
            concat_ws(', ', vendor_name, description) as text, _scenario_id
        from lake.general_ledger where _file_id = ? and _row_number = ? and _source_id = ?
        order by _scenario_id = 'restated'
        """,
        [load.sha256, row, load.source_id],
    ).fetchone()
    if found is None:
        return None
    line_id, *key, text, scenario_id = found
    claims = published.execute(
        "select line_id, feed_source_id from ledger.int_ledger__claims where source_id = ?",
        [load.source_id],
    ).fetchall()
    feed = dict(claims).get(line_id)
    if feed is None:
        return None
    together = lake.execute(
        """
        select count(*), sum(amount_local) from lake.general_ledger
        where _source_id = $source and list_contains($claimed, line_id) and period_id = $period
            and account_id = $account and cost_centre_id = $centre and legal_entity_id = $entity
            and currency_code = $currency and _scenario_id = $scenario
        """,
        {"source": load.source_id, "claimed": [c for c, by in claims if by == feed]}
        | {"scenario": scenario_id}
        | _name_key(key),
    ).fetchone()
    assert together is not None
    rows = _read_lines(
        published,
        """
        source_id = $source and scenario_id = $scenario and period_id = $period
        and account_id = $account and cost_centre_id = $centre and legal_entity_id = $entity
        and currency_code = $currency
        """,
        {"source": feed, "scenario": scenario_id} | _name_key(key),
    )
    if not rows:
        return None
    return FoundSource(
        kind="claimed record",
        figures=_read_figures(rows[0]),
        file_name=load.file_name,
        file_id=load.sha256,
        row_number=row,
        account_id=key[1],
        description=text,
        currency_code=key[4],
        amount_local=together[1],
        feed_source_id=feed,
        claimed_count=together[0],
        lines=_follow_whole(published, rows),
    )


def _name_key(key: Sequence[str]) -> dict[str, str]:
    return dict(zip(("period", "account", "centre", "entity", "currency"), key, strict=True))


def _explain_absence(published: duckdb.DuckDBPyConnection, load: ActiveLoad, row: int) -> str:
    """Why a record of a known delivery carries no money."""
    where = f"{load.file_name}, record {row}"
    count = load.records_accepted + load.records_quarantined
    if row > count:
        return f"{where}: the delivery has {count:,} records; a row counts from the first record"
    waiting = published.execute(
        "select reason from model.quarantine where file_id = ? and row_number = ?",
        [load.sha256, row],
    ).fetchone()
    if waiting is not None:
        return f"{where} is in quarantine and in no figure: {waiting[0]}"
    if load.contract_id not in MONEY_CONTRACTS:
        return (
            f"{where} is a record of '{load.contract_id}', which says where money goes and is "
            f"none. Its records: apportion records {load.contract_id}"
        )
    return (
        f"{where} is in no figure: a later delivery took its place, its period is not in the "
        f"calendar, or its source '{load.source_id}' is not the control total and claims nothing"
    )
