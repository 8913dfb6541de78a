"""`apportion dispute` and `apportion adjust`: what a business unit does not accept of its bill,
what finance answers, and what changes on the next one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.output import (
    JsonOption,
    WorkspaceOption,
    format_money,
    print_json,
    print_table,
)
from pipelines.cli.period_commands import AsOption, PeriodArgument, WhyOption
from pipelines.errors import EXIT_DONE, UsageError

if TYPE_CHECKING:
    from pipelines.disputes.desk import DisputeDesk
    from pipelines.disputes.disputes import Dispute

DisputeArgument = Annotated[str, typer.Argument(help="Id, such as D-2026-0001.")]
ServiceOption = Annotated[str | None, typer.Option("--service", help="Service of the line.")]
CostCentreOption = Annotated[
    str | None, typer.Option("--cost-centre", help="Cost centre that is charged.")
]
ItemOption = Annotated[
    str | None,
    typer.Option("--item", help="Id of a charge or another item of a bill, in place of both."),
]
KindOption = Annotated[
    str | None, typer.Option("--kind", help="adjustment, or service_credit for a broken promise.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    group = typer.Typer(
        help="Dispute a line of a bill, talk about it, and decide it.", no_args_is_help=True
    )
    group.command("open")(open_one)
    group.command("list")(list_all)
    group.command("show")(show)
    group.command("comment")(comment)
    group.command("accept")(accept)
    group.command("reject")(reject)
    group.command("withdraw")(withdraw)
    app.add_typer(group, name="dispute")
    app.command()(adjust)


def open_one(
    period: PeriodArgument,
    why: WhyOption,
    service: ServiceOption = None,
    cost_centre: CostCentreOption = None,
    item: ItemOption = None,
    amount: Annotated[
        str | None, typer.Option("--amount", help="How much of the line; default all of it.")
    ] = None,
    above_line: Annotated[
        bool, typer.Option("--above-line", help="The amount is meant, though the line is less.")
    ] = False,
    person: AsOption = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Dispute a line of a bill, with the reason. Somebody else decides it."""
    from pipelines.disputes.desk import Line

    given = _read_amount(amount, "--amount")
    with _open_desk(workspace, person) as desk:
        line = Line(period, service, cost_centre, item)
        opened = desk.open(line, why, given, is_above_line=above_line)
    if as_json:
        print_json(opened)
    else:
        print(
            f"{opened.dispute_id} is open: {-opened.asked_amount:,.2f} {opened.currency_code} of "
            f"{opened.line_amount:,.2f} for {opened.service_name}, {opened.cost_centre_name}, "
            f"{opened.period_id}."
        )
    return EXIT_DONE


def adjust(
    period: PeriodArgument,
    why: WhyOption,
    credit: Annotated[
        str | None, typer.Option("--credit", help="How much is taken from the bill.")
    ] = None,
    debit: Annotated[
        str | None, typer.Option("--debit", help="How much is added to the bill.")
    ] = None,
    service: ServiceOption = None,
    cost_centre: CostCentreOption = None,
    item: ItemOption = None,
    kind: KindOption = None,
    person: AsOption = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Propose an adjustment or a service credit that nobody disputed. Somebody else accepts it."""
    from pipelines.disputes.desk import Line
    from pipelines.disputes.disputes import ADJUSTMENT

    taken, added = _read_amount(credit, "--credit"), _read_amount(debit, "--debit")
    if (taken is None) == (added is None):
        raise UsageError("say either --credit or --debit, with an amount above zero")
    change = -taken if taken is not None else added
    assert change is not None
    with _open_desk(workspace, person) as desk:
        line = Line(period, service, cost_centre, item)
        proposed = desk.propose(line, change, kind or ADJUSTMENT, why)
    if as_json:
        print_json(proposed)
    else:
        print(
            f"{proposed.dispute_id} proposes {proposed.asked_amount:+,.2f} "
            f"{proposed.currency_code} for {proposed.service_name}, {proposed.cost_centre_name}. "
            f"Somebody else accepts it: 'apportion dispute accept {proposed.dispute_id}'."
        )
    return EXIT_DONE


def list_all(
    state: Annotated[
        str | None,
        typer.Option("--state", help="open, accepted, rejected, withdrawn; default all."),
    ] = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """List disputes and proposed adjustments with their age, and what is open by age and owner."""
    from pipelines.disputes.ageing import sum_by_bucket, sum_by_owner
    from pipelines.disputes.disputes import STATES, list_disputes

    if state is not None and state not in STATES:
        raise UsageError(f"--state expects one of {', '.join(STATES)}, found '{state}'")
    today = datetime.now(UTC).date()
    with _open_desk(workspace, None) as desk:
        owners = desk.list_owners()
        with desk.books.read() as connection:
            found = list_disputes(connection, state)
    buckets, by_owner = sum_by_bucket(found, today), sum_by_owner(found, owners)
    if as_json:
        print_json(
            {
                "disputes": [_describe(item, owners) for item in found],
                "open_by_age": [_name_sum("days", *row) for row in buckets],
                "open_by_owner": [_name_sum("owner", *row) for row in by_owner],
            }
        )
        return EXIT_DONE
    if not found:
        print("There is none. 'apportion dispute open' disputes a line of a bill.")
        return EXIT_DONE
    _print_list(found, owners)
    if by_owner:
        columns = ["days open", "disputes", "amount"]
        rows = [(name, count, format_money(amount)) for name, count, amount in buckets]
        print_table("Open by age", columns, rows, numeric=[1, 2])
        rows = [(name, count, format_money(amount)) for name, count, amount in by_owner]
        columns = ["owner of the service", "disputes", "amount"]
        print_table("Open by owner", columns, rows, numeric=[1, 2])
    return EXIT_DONE


def show(
    dispute: DisputeArgument, workspace: WorkspaceOption = Path(), as_json: JsonOption = False
) -> int:
    """Show one dispute with its conversation and its decision."""
    from pipelines.disputes.disputes import list_messages, read_dispute

    with _open_desk(workspace, None) as desk, desk.books.read() as connection:
        found = read_dispute(connection, dispute)
        messages = list_messages(connection, dispute)
        owners = desk.list_owners()
    if as_json:
        print_json({**_describe(found, owners), "messages": messages})
        return EXIT_DONE
    print(_say_state(found))
    print(
        f"{found.service_name} for {found.cost_centre_name} ({found.business_unit_name}), "
        f"{found.period_id} version {found.version}: {found.line_amount:,.2f} "
        f"{found.currency_code} on the bill, {found.asked_amount:+,.2f} asked for."
    )
    said = [(found.opened_at, found.opened_by, found.reason)]
    said += [(item.written_at, item.person_name, item.message) for item in messages]
    if found.decided_at:
        said.append(
            (found.decided_at, str(found.decided_by), f"{found.state}: {found.decision_reason}")
        )
    rows = [(at[:16].replace("T", " "), who, text) for at, who, text in sorted(said)]
    print_table("Conversation", ["when (UTC)", "who", "said"], rows)
    return EXIT_DONE


def comment(
    dispute: DisputeArgument,
    text: Annotated[str, typer.Argument(help="What is to be said.")],
    person: AsOption = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Say something to a dispute. It stays in its conversation."""
    from pipelines.disputes.disputes import comment as say

    with _open_desk(workspace, person) as desk:
        said = say(desk.books, dispute, text)
    if as_json:
        print_json(said)
    else:
        print(f"Said to {dispute}.")
    return EXIT_DONE


def accept(
    dispute: DisputeArgument,
    why: WhyOption,
    amount: Annotated[
        str | None, typer.Option("--amount", help="How much of it; default all of it.")
    ] = None,
    kind: KindOption = None,
    person: AsOption = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Accept a dispute or a proposed adjustment: it is posted in an open period."""
    given = _read_amount(amount, "--amount")
    with _open_desk(workspace, person) as desk:
        return _tell(desk.accept(dispute, why, given, kind), as_json)


def reject(
    dispute: DisputeArgument,
    why: WhyOption,
    person: AsOption = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Reject a dispute or a proposed adjustment, with the reason."""
    from pipelines.disputes.disputes import reject as decide

    with _open_desk(workspace, person) as desk:
        return _tell(decide(desk.books, dispute, why), as_json)


def withdraw(
    dispute: DisputeArgument,
    why: WhyOption,
    person: AsOption = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Take back a dispute that one opened oneself."""
    from pipelines.disputes.disputes import withdraw as decide

    with _open_desk(workspace, person) as desk:
        return _tell(decide(desk.books, dispute, why), as_json)


@contextmanager
def _open_desk(directory: Path, person: str | None) -> Iterator[DisputeDesk]:
    """The desk of a workspace, at which `person` acts, where the workspace is a demo."""
    from pipelines.books.person import act_as
    from pipelines.disputes.desk import open_dispute_desk
    from pipelines.workspace.workspace import Workspace

    workspace = Workspace.open(directory)
    with act_as(person, is_demo=workspace.config.is_demo), open_dispute_desk(workspace) as desk:
        yield desk


def _read_amount(text: str | None, option: str) -> Decimal | None:
    if text is None:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        raise UsageError(f"{option} expects an amount such as 120.00, found '{text}'") from None


def _tell(decided: Dispute, as_json: bool) -> int:
    if as_json:
        print_json(decided)
        return EXIT_DONE
    print(_say_state(decided))
    if decided.state == "accepted":
        print("'apportion build' puts it on the bill.")
    return EXIT_DONE


def _say_state(dispute: Dispute) -> str:
    """'D-2026-0001 is accepted by Anton on 2026-11-03: -120.00 EUR as adjustment on ...'."""
    if dispute.decided_at is None:
        return f"{dispute.dispute_id} is open, of {dispute.opened_by} on {dispute.opened_at[:10]}."
    said = f"{dispute.dispute_id} is {dispute.state} by {dispute.decided_by} on "
    said += dispute.decided_at[:10]
    if dispute.adjusted_amount is None:
        return f"{said}."
    kind = str(dispute.adjustment_kind).replace("_", " ")
    return (
        f"{said}: {dispute.adjusted_amount:+,.2f} {dispute.currency_code} as {kind} on the bills "
        f"of {dispute.posting_period_id}."
    )


def _describe(dispute: Dispute, owners: dict[str, str]) -> dict[str, Any]:
    """A dispute with its age and the owner of its service, for programs."""
    from pipelines.disputes.ageing import count_days, name_bucket

    days = count_days(dispute, datetime.now(UTC).date())
    age = {"days_open": days, "age": name_bucket(days)}
    return {**vars(dispute), **age, "service_owner": owners.get(dispute.service_id)}


def _name_sum(key: str, name: str, count: int, amount: Decimal) -> dict[str, Any]:
    return {key: name, "disputes": count, "amount": amount}


def _print_list(found: list[Dispute], owners: dict[str, str]) -> None:
    rows = [
        (
            item.dispute_id,
            item.state,
            item.period_id,
            item.service_name,
            item.cost_centre_name,
            format_money(item.asked_amount),
            format_money(item.adjusted_amount),
            item.posting_period_id,
            _describe(item, owners)["days_open"],
            item.opened_by,
            owners.get(item.service_id),
        )
        for item in found
    ]
    columns = [
        *("id", "state", "period", "service", "cost centre", "asked for", "adjusted"),
        *("posted in", "days", "opened by", "owner"),
    ]
    print_table("Disputes and adjustments", columns, rows, numeric=[5, 6, 8])
