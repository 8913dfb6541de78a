"""What blocks the close of a period: a list that can be read, and accepted by name.

Found in what is published and in the books. A blocker has an id and a finding in words; a person
accepts it with a reason, and the acceptance holds for that finding: where the amount or the number
changes, it is another finding, and blocks again. What would make the proof false is never accepted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.books.audit import append_audit
from pipelines.books.books import Books, current_time
from pipelines.books.person import current_person
from pipelines.close.blocker import Blocker
from pipelines.close.period_states import ACTUAL, PeriodState, list_states, read_state
from pipelines.close.preview_blockers import find_preview_blockers
from pipelines.errors import ControlError, UsageError

if TYPE_CHECKING:
    import duckdb
    from sqlalchemy import Connection

    from pipelines.workspace.config import WorkspaceConfig

__all__ = ["Blocker", "accept_blocker", "list_blockers", "refuse_blocked"]

ITEMS = {
    "unmapped_account": "accounts without a cost pool",
    "unmapped_pool": "pool money without a tower rule",
    "unmapped_tower": "tower money without a service rule",
    "unallocated": "cost that no driver gives to anybody",
    "unmapped_consumer": "cost of consumers that no master knows",
    "unknown_service": "use of services that the catalogue does not have",
    "wrong_unit": "use in another unit than the catalogue's",
    "quarantined": "records in quarantine",
    "unusable_column": "columns that came unusable",
}


NOT_BLOCKING = ("feed_without_ledger", "outside_calendar", "undeclared_phasing")
"""Kinds of open items that change no actual figure of a period that can be closed: a period without
a ledger, records outside the calendar, budgets."""


def list_blockers(
    books: Books,
    marts: duckdb.DuckDBPyConnection,
    config: WorkspaceConfig,
    period_id: str,
    *,
    is_current: bool,
) -> list[Blocker]:
    """Everything that blocks the period, what was accepted among it; the gravest first.

    `marts`: the published marts; `is_current`: whether they were made of all that has landed.
    """
    with books.read() as connection:
        state = read_state(connection, period_id)
        found = [
            *_find_order(connection, marts, period_id),
            *([] if is_current else [_say_outdated()]),
            *_find_differences(marts, period_id),
            *_find_held(connection, period_id),
            *_find_missing_feeds(marts, period_id),
            *_find_unknown_period(marts),
            *_find_open_items(marts, period_id),
            *_find_unexplained(marts, config, period_id),
            *_find_unposted(marts, config, period_id),
            *_find_failed_checks(marts, period_id),
            *find_preview_blockers(connection, marts, config, state),
        ]
        return _mark_accepted(connection, state, found)


def refuse_blocked(period_id: str, blockers: list[Blocker]) -> None:
    """Raise ControlError where a blocker is left, with all of them."""
    left = [blocker for blocker in blockers if blocker.blocks]
    if not left:
        return
    lines = "\n".join(f"  - {item.blocker_id}: {item.finding}. {item.what_to_do}" for item in left)
    count = f"{len(left)} thing{'s' if len(left) > 1 else ''}"
    raise ControlError(
        f"{period_id} is blocked by {count}:\n{lines}\nWhat can stay as it is, is accepted by "
        f"name: 'apportion period accept {period_id} BLOCKER --why REASON'."
    )


def accept_blocker(
    books: Books, period_id: str, blockers: list[Blocker], blocker_id: str, why: str
) -> Blocker:
    """Accept one blocker by its id. Raises UsageError where there is none of that id, ControlError
    where it is none that a person can accept."""
    from pipelines.books.tables import accepted_blockers

    blocker = next((item for item in blockers if item.blocker_id == blocker_id), None)
    if blocker is None:
        names = ", ".join(item.blocker_id for item in blockers) or "nothing"
        raise UsageError(f"'{blocker_id}' does not block {period_id}; what does: {names}")
    if not blocker.can_be_accepted:
        raise ControlError(f"{blocker_id} cannot be accepted: {blocker.finding}")
    if not why.strip():
        raise UsageError("--why expects a reason, for those who ask later")
    with books.begin() as connection:
        state = read_state(connection, period_id)
        if state.state == "closed":
            raise ControlError(f"{period_id} is closed: there is nothing to accept")
        details = {
            "period_id": period_id,
            "version": state.version,
            "blocker_id": blocker_id,
            "finding": blocker.finding,
            "why": why,
        }
        person = current_person()
        connection.execute(
            accepted_blockers.insert().values(
                scenario_id=ACTUAL, **details, person_name=person, accepted_at=current_time()
            )
        )
        append_audit(connection, "accept blocker", f"{period_id} {blocker_id}", details)
    return replace(blocker, accepted_by=person, why=why)


def _find_order(
    connection: Connection, marts: duckdb.DuckDBPyConnection, period_id: str
) -> list[Blocker]:
    """Periods are closed in their order, so that what is late has one open period to go to."""
    rows = marts.execute(
        "select period_id from dim_periods where has_actuals and period_id < ? order by all",
        [period_id],
    ).fetchall()
    states = list_states(connection)
    # A period that is open again was closed once.
    begun = [name for name, state in states.items() if state.state == "closed" or state.version > 1]
    # What lies before the first close was let be when that was accepted.
    earlier = [row[0] for row in rows if not begun or row[0] >= min(begun)]
    open_ones = [name for name in earlier if name not in states or states[name].state != "closed"]
    if not open_ones:
        return []
    finding = f"{open_ones[0]} is not closed" + (
        f", nor are {len(open_ones) - 1} periods after it" if len(open_ones) > 1 else ""
    )
    # Nobody has to close what was over before this program came.
    can_be_accepted = not begun
    what = "Close the periods in their order" + (
        ", or accept that the first close is this one." if can_be_accepted else "."
    )
    return [Blocker("order", finding, what, can_be_accepted=can_be_accepted)]


def _say_outdated() -> Blocker:
    return Blocker(
        "outdated",
        "deliveries, decisions or rules have changed since the published run",
        "Run 'apportion build', then calculate the period again.",
        can_be_accepted=False,
    )


def _find_differences(marts: duckdb.DuckDBPyConnection, period_id: str) -> list[Blocker]:
    rows = marts.execute(
        """
        select identity_name, amount from rpt_certificate
        where scenario_id = 'actual' and period_id = ? and side = 'difference'
            and (amount <> 0 or amount_cents <> 0)
        order by all
        """,
        [period_id],
    ).fetchall()
    return [
        Blocker(
            "certificate",
            f"'{name}' has a difference of {amount:,.8f}",
            "This is a defect: nothing may be published that does not tie.",
            amount,
            can_be_accepted=False,
        )
        for name, amount in rows
    ]


def _find_held(connection: Connection, period_id: str) -> list[Blocker]:
    from sqlalchemy import select

    from pipelines.books.tables import load_periods, loads

    query = (
        select(loads.c.source_id, loads.c.file_name, loads.c.hold_reason)
        .join(load_periods, load_periods.c.load_id == loads.c.load_id)
        .where(
            load_periods.c.period_id == period_id,
            loads.c.scenario_id == ACTUAL,
            loads.c.hold_kind.is_not(None),
            loads.c.hold_decision.is_(None),
            loads.c.superseded_by.is_(None),
        )
        .order_by(loads.c.load_id)
    )
    return [
        Blocker(
            f"held:{row.source_id}/{row.file_name}",
            f"a delivery is held: {row.hold_reason}",
            "Release or discard it: 'apportion loads'.",
        )
        for row in connection.execute(query)
    ]


def _find_missing_feeds(marts: duckdb.DuckDBPyConnection, period_id: str) -> list[Blocker]:
    """Sources that brought something for the period before and nothing for this one."""
    rows = marts.execute(
        """
        with before as (
            select max(period_id) as period_id from dim_periods
            where has_actuals and period_id < $period
        )
        select sources.source_name, earlier.source_id, before.period_id
        from rpt_data_source_periods as earlier
        inner join before on earlier.period_id = before.period_id
        inner join rpt_data_sources as sources
            on earlier.source_id = sources.source_id and earlier.scenario_id = sources.scenario_id
        anti join (
            select source_id from rpt_data_source_periods
            where scenario_id = 'actual' and period_id = $period and record_count > 0
            -- What is in quarantine was brought.
            union all
            select source_id from model.quarantine where period_id = $period
        ) as now on earlier.source_id = now.source_id
        where earlier.scenario_id = 'actual' and earlier.record_count > 0
        group by all order by all
        """,
        {"period": period_id},
    ).fetchall()
    return [
        Blocker(
            f"missing:{source}",
            f"{name} brought nothing for {period_id}, and did for {before}",
            "Ask its sender, or say in a control file with 'records: 0' that there is nothing.",
        )
        for name, source, before in rows
    ]


def _find_unknown_period(marts: duckdb.DuckDBPyConnection) -> list[Blocker]:
    """Records that name no period of the calendar may belong to any: each close waits for them."""
    rows = marts.execute(
        """
        select string_agg(item_name, '; ' order by item_key), sum(amount),
            any_value(dim_run.currency_code)
        from rpt_open_items cross join dim_run
        where scenario_id = 'actual' and item_kind = 'period_unknown'
        having count(*) > 0
        """
    ).fetchall()
    return [
        Blocker(
            "period_unknown",
            f"records of an unknown period: {names}"
            + ("" if amount is None else f", {amount:,.2f} {code}"),
            "Release each with its period, or discard it: 'apportion quarantine list' shows them.",
            amount,
            can_be_accepted=False,
        )
        for names, amount, code in rows
    ]


def _find_open_items(marts: duckdb.DuckDBPyConnection, period_id: str) -> list[Blocker]:
    rows = marts.execute(
        """
        select item_kind, count(*), sum(amount), any_value(dim_run.currency_code),
            string_agg(item_name, '; ' order by item_key) filter (item_kind = 'quarantined')
        from rpt_open_items cross join dim_run
        where scenario_id = 'actual' and period_id = ? and not list_contains(?, item_kind)
        group by all order by sum(abs(amount)) desc nulls last, item_kind
        """,
        [period_id, list(NOT_BLOCKING)],
    ).fetchall()
    return [
        Blocker(
            kind,
            f"{ITEMS.get(kind, kind)}: "
            # What is left out of an amount is named, so that nobody accepts it unseen.
            + (names or f"{count} item{'s' if count > 1 else ''}")
            + ("" if amount is None else f", {amount:,.2f} {code}"),
            "The page 'Monthly chargeback' lists them and says what to do.",
            amount,
        )
        for kind, count, amount, code, names in rows
    ]


def _find_unexplained(
    marts: duckdb.DuckDBPyConnection, config: WorkspaceConfig, period_id: str
) -> list[Blocker]:
    """Detail feeds that explain too little of the accounts that they claim."""
    rows = marts.execute(
        """
        select source_id,
            sum(amount) filter (balancing_kind = 'unexplained') as unexplained,
            sum(abs(amount)) filter (balancing_kind = 'unexplained') as gross,
            abs(sum(amount)) as claimed
        from fct_ledger_lines
        where scenario_id = 'actual' and period_id = $period
        group by all
        having gross > 0 and gross * 100 > claimed * $limit
        order by all
        """,
        {"period": period_id, "limit": config.close.unexplained_above_percent},
    ).fetchall()
    return [
        Blocker(
            f"unexplained:{source}",
            f"{source} leaves {unexplained:,.2f} {config.currency} net and {gross:,.2f} gross "
            f"unexplained of {claimed:,.2f} that it claims",
            "Compare the bill with its accounts, or widen the claim.",
            unexplained,
        )
        for source, unexplained, gross, claimed in rows
    ]


def _find_unposted(
    marts: duckdb.DuckDBPyConnection, config: WorkspaceConfig, period_id: str
) -> list[Blocker]:
    """Detail feeds that explain what the ledger has not posted: invoices still to come."""
    rows = marts.execute(
        """
        select source_id,
            -sum(amount) filter (balancing_kind = 'not_yet_posted') as unposted,
            sum(abs(amount)) filter (balancing_kind = 'not_yet_posted') as gross,
            sum(abs(amount)) filter (not is_balancing) as explained
        from fct_ledger_lines
        where scenario_id = 'actual' and period_id = $period
        group by all
        having gross > 0 and gross * 100 > explained * $limit
        order by all
        """,
        {"period": period_id, "limit": config.close.unexplained_above_percent},
    ).fetchall()
    return [
        Blocker(
            f"unposted:{source}",
            f"{source} explains {unposted:,.2f} {config.currency} that the ledger has not posted",
            "Post or accrue it, or accept that it comes later: its posting nets it out.",
            unposted,
        )
        for source, unposted, _, _ in rows
    ]


def _find_failed_checks(marts: duckdb.DuckDBPyConnection, period_id: str) -> list[Blocker]:
    rows = marts.execute(
        """
        select checks.source_id, checks.check_id, findings.sentence, checks.what_to_do
        from rpt_data_checks as checks
        inner join rpt_data_check_findings as findings
            on checks.source_id = findings.source_id and checks.check_id = findings.check_id
        where not checks.is_passed and checks.scenario_id = 'actual' and findings.period_id = ?
        order by all
        """,
        [period_id],
    ).fetchall()
    return [
        Blocker(f"check:{source}/{check}", sentence.rstrip("."), what_to_do or "")
        for source, check, sentence, what_to_do in rows
    ]


def _mark_accepted(
    connection: Connection, state: PeriodState, found: list[Blocker]
) -> list[Blocker]:
    from sqlalchemy import select

    from pipelines.books.tables import accepted_blockers as table

    query = select(table).where(
        table.c.scenario_id == ACTUAL,
        table.c.period_id == state.period_id,
        table.c.version == state.version,
    )
    accepted = {(row.blocker_id, row.finding): row for row in connection.execute(query)}

    def mark(blocker: Blocker) -> Blocker:
        row = accepted.get((blocker.blocker_id, blocker.finding))
        if row is None or not blocker.can_be_accepted:
            return blocker
        return replace(blocker, accepted_by=row.person_name, why=row.why)

    return [mark(blocker) for blocker in found]
