"""Send the statements of a period, each to every address of its business unit, once.

Only what is closed is sent, unless a preview is asked for. A statement is written anew for those
who have not got it, from what is published. An address that fails keeps none of the others from
getting theirs; sent again, only the rest goes out.

Known limit: a server that takes a mail and is gone before it says so leaves a failed attempt, and
the next one sends the mail again, under the same message id.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.billing import queries
from pipelines.billing.records import BillScope
from pipelines.billing.write_bills import BillFiles, write_bills
from pipelines.books.books import Books
from pipelines.close.period_states import ACTUAL, PeriodState, read_state
from pipelines.dispatch.channels import Channel, MailServerError, NotDeliveredError, open_channel
from pipelines.dispatch.dispatch_log import (
    SENDING,
    SENT,
    Destination,
    begin_attempt,
    finish_attempt,
    list_attempts,
)
from pipelines.dispatch.message import Letter
from pipelines.errors import ControlError, UsageError
from pipelines.warehouse.reader import open_published
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Outcome:
    """What became of one statement for one address."""

    business_unit_id: str
    address: str | None
    state: str
    """'sent', 'sent before', 'failed', 'unknown' (an attempt that was cut off), 'not tried' (the
    server went away) or 'no address'."""
    message: str = ""

    @property
    def is_good(self) -> bool:
        return self.state in ("sent", "sent before")


@dataclass(frozen=True)
class _Plan:
    """What is to be sent."""

    period_name: str
    state: PeriodState
    units: dict[str, str]
    is_preview: bool
    is_again: bool


def send_statements(
    workspace: Workspace,
    books: Books,
    period_id: str,
    business_unit_ids: Sequence[str] | None = None,
    *,
    is_preview: bool = False,
    is_again: bool = False,
    on_progress: Progress = lambda *_: None,
) -> list[Outcome]:
    """Send the statements of a period, or of the named business units, in their order.

    Raises UsageError where apportion.yml says nothing of it, ControlError where the period is not
    closed, and MailServerError where there is no getting through to the server.
    """
    settings = workspace.config.dispatch
    if settings is None:
        raise UsageError(
            "apportion.yml does not say how statements are sent: give a server or a folder under "
            "'dispatch', see docs/reference/workspace.md"
        )
    plan = _make_plan(workspace, books, period_id, business_unit_ids, is_preview, is_again)
    folder = f"{period_id}.preview" if is_preview else f"{period_id}.v{plan.state.version}"
    with open_channel(workspace, settings, folder) as channel:
        return _send_all(workspace, books, channel, plan, on_progress)


def _make_plan(
    workspace: Workspace,
    books: Books,
    period_id: str,
    business_unit_ids: Sequence[str] | None,
    is_preview: bool,
    is_again: bool,
) -> _Plan:
    with books.read() as connection:
        state = read_state(connection, period_id)
    if state.state != "closed" and not is_preview:
        raise ControlError(
            f"{period_id} is {state.state}: only statements of a closed period are sent. "
            "'--preview' sends them to look at."
        )
    if state.state == "closed" and is_preview:
        raise UsageError(f"{period_id} is closed: its statements are final. Leave out '--preview'.")
    with open_published(workspace) as marts:
        period, version = queries.read_period(marts, ACTUAL, period_id)
        units = queries.read_units(marts, BillScope(ACTUAL, period_id, version))
    if not is_preview and version != state.version:
        raise ControlError(
            f"{period_id}: the published bills are version {version}, the books have closed "
            f"version {state.version}. 'apportion build' publishes what the books say."
        )
    unknown = sorted(set(business_unit_ids or ()) - set(units))
    if unknown:
        raise UsageError(f"{period_id}: nothing is billed to {', '.join(unknown)}")
    if business_unit_ids is not None:
        units = {unit: name for unit, name in units.items() if unit in set(business_unit_ids)}
    return _Plan(period.name, state, units, is_preview, is_again)


def _send_all(
    workspace: Workspace, books: Books, channel: Channel, plan: _Plan, on_progress: Progress
) -> list[Outcome]:
    outcomes, waiting = _sort_out(books, channel, plan)
    bills = _write(
        workspace, plan, sorted({item.business_unit_id for item in waiting}), on_progress
    )
    for number, destination in enumerate(waiting):
        on_progress(f"Sending: {destination.address}", number, len(waiting))
        statement = bills[destination.business_unit_id]
        try:
            outcomes.append(_send(workspace, books, channel, destination, plan, statement))
        except MailServerError as error:
            outcomes += [
                Outcome(left.business_unit_id, left.address, "not tried", str(error))
                for left in waiting[number:]
            ]
            break
    return sorted(outcomes, key=lambda outcome: (outcome.business_unit_id, outcome.address or ""))


def _sort_out(
    books: Books, channel: Channel, plan: _Plan
) -> tuple[list[Outcome], list[Destination]]:
    """What needs no sending, and what is to be sent."""
    period, version = plan.state.period_id, plan.state.version
    known = list_attempts(books, period, version, is_preview=plan.is_preview)
    outcomes, waiting = [], []
    for unit in plan.units:
        addresses = channel.list_addresses(unit)
        if not addresses:
            why = "no address: name one under 'dispatch.recipients' in apportion.yml"
            outcomes.append(Outcome(unit, None, "no address", why))
        for address in addresses:
            destination = Destination(period, version, plan.is_preview, unit, channel.name, address)
            outcome = None if plan.is_again else _judge(channel, known.get(destination))
            if outcome is None:
                waiting.append(destination)
            else:
                outcomes.append(outcome)
    return outcomes, waiting


def _judge(channel: Channel, attempt: RowMapping | None) -> Outcome | None:
    """What the latest attempt means; None where it is to be sent."""
    if attempt is None:
        return None
    unit, address, when = (
        attempt["business_unit_id"],
        attempt["address"],
        attempt["started_at"][:16].replace("T", " "),
    )
    if attempt["state"] == SENT:
        return Outcome(unit, address, "sent before", f"{when} by {attempt['person_name']}")
    # A file that is put into a folder twice is there once.
    if attempt["state"] == SENDING and channel.name != "folder":
        return Outcome(
            unit,
            address,
            "unknown",
            f"an attempt of {when} was cut off, or still runs: ask whether it arrived, and send "
            "it with '--again' if it did not",
        )
    return None


def _write(
    workspace: Workspace, plan: _Plan, unit_ids: list[str], on_progress: Progress
) -> dict[str, BillFiles]:
    """The files of the statements that are sent now, by business unit."""
    if not unit_ids:
        return {}
    period_id = plan.state.period_id
    # Without names, it is checked too that the statements are all that is charged.
    chosen = None if set(unit_ids) == set(plan.units) and len(unit_ids) > 1 else unit_ids
    written = write_bills(
        workspace,
        period_id,
        chosen,
        workspace.bills / period_id,
        lambda done, total, name: on_progress(f"Writing statements: {name}", done, total),
    )
    return {bill.business_unit_id: bill for bill in written}


def _send(
    workspace: Workspace,
    books: Books,
    channel: Channel,
    destination: Destination,
    plan: _Plan,
    statement: BillFiles,
) -> Outcome:
    files = [value for value in vars(statement).values() if isinstance(value, Path)]
    letter = Letter(
        company=workspace.config.name,
        period_name=plan.period_name,
        unit_name=statement.business_unit_name,
        statement_number=statement.statement_number,
        manifest_hash=plan.state.manifest_hash,
    )
    unit, address = destination.business_unit_id, destination.address
    dispatch_id = begin_attempt(books, destination, files)
    try:
        channel.deliver(destination, letter, files)
    except NotDeliveredError as error:
        finish_attempt(books, dispatch_id, str(error))
        return Outcome(unit, address, "failed", str(error))
    except MailServerError as error:
        finish_attempt(books, dispatch_id, str(error))
        raise
    finish_attempt(books, dispatch_id)
    return Outcome(unit, address, "sent")
