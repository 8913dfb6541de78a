"""`apportion period`: where a period stands on its way to the close, and the steps it takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli import calendar_commands
from pipelines.cli.output import (
    JsonOption,
    WorkspaceOption,
    format_money,
    print_json,
    print_table,
)
from pipelines.cli.restated_command import restated
from pipelines.errors import EXIT_DONE

if TYPE_CHECKING:
    from pipelines.close.blockers import Blocker
    from pipelines.close.desk import CloseDesk
    from pipelines.close.period_states import PeriodState
    from pipelines.close.preview import Answer, Preview

PeriodArgument = Annotated[str, typer.Argument(help="Period, such as 2026-03.")]
WhyOption = Annotated[str, typer.Option("--why", help="The reason, for those who ask later.")]
AsOption = Annotated[
    str | None, typer.Option("--as", help="Act as this person; in a workspace of a demo only.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    group = typer.Typer(
        help="Take a period from open to approved: calculate, review, approve.",
        no_args_is_help=True,
    )
    group.command("list")(list_periods)
    group.command("show")(show)
    group.command("calculate")(calculate)
    group.command("preview")(preview)
    group.command("review")(review)
    group.command("approve")(approve)
    group.command("accept")(accept)
    group.command("send-back")(send_back)
    group.command("reopen")(reopen)
    calendar_commands.register(group)
    group.command("restated")(restated)
    app.add_typer(group, name="period")


def list_periods(workspace: WorkspaceOption = Path(), as_json: JsonOption = False) -> int:
    """List the periods that have cost, where each stands and who signed it."""
    with open_period_desk(workspace, None) as desk:
        rows = desk.list_periods()
    if as_json:
        print_json([row.state for row in rows])
        return EXIT_DONE
    print_table(
        "Periods",
        ["period", "version", "state", "calculated by", "reviewed by", "approved by"],
        [
            (
                row.state.period_id,
                row.state.version,
                row.state.state,
                row.state.prepared_by,
                row.state.reviewed_by,
                row.state.approved_by,
            )
            for row in rows
        ],
        numeric=[1],
    )
    return EXIT_DONE


def show(
    period: PeriodArgument, workspace: WorkspaceOption = Path(), as_json: JsonOption = False
) -> int:
    """Show the history of a period and everything that blocks its approval."""
    from pipelines.close.period_states import list_steps, read_state

    with open_period_desk(workspace, None) as desk:
        blockers = desk.list_blockers(period)
        sent, answers = desk.list_answers(period)
        with desk.books.read() as connection:
            state, steps = read_state(connection, period), list_steps(connection, period)
    if as_json:
        shown = {"state": state, "steps": steps, "preview": sent, "answers": answers}
        print_json({**shown, "blockers": blockers})
        return EXIT_DONE
    print(_say_state(state))
    if steps:
        rows = [
            (
                step["taken_at"][:16].replace("T", " "),
                step["version"],
                step["step"],
                step["person_name"],
                step["why"],
            )
            for step in steps
        ]
        print_table("Steps", ["when (UTC)", "version", "step", "who", "why"], rows, numeric=[1])
    if sent is not None:
        _print_answers(sent, answers)
    _print_blockers(blockers)
    return EXIT_DONE


def calculate(
    period: PeriodArgument,
    person: AsOption = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Bind the period to the published figures: those are reviewed, approved and closed."""
    with open_period_desk(workspace, person) as desk:
        state, blockers = desk.calculate(period)
    if as_json:
        print_json({"state": state, "blockers": blockers})
        return EXIT_DONE
    print(_say_state(state))
    _print_blockers(blockers)
    return EXIT_DONE


def preview(
    period: PeriodArgument,
    days: Annotated[
        int | None,
        typer.Option("--days", help="Days for an answer; default close.preview_days."),
    ] = None,
    person: AsOption = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Send the calculated bills to their owners, who acknowledge them or comment."""
    with open_period_desk(workspace, person) as desk:
        sent = desk.preview(period, days)
    if as_json:
        print_json(sent)
    else:
        print(
            f"The bills of {period} are sent for preview; answers are expected until "
            f"{sent.answer_until}. Owners answer with 'apportion answer {period} "
            "--business-unit UNIT --acknowledge' or '--comment TEXT'."
        )
    return EXIT_DONE


def review(
    period: PeriodArgument,
    person: AsOption = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Sign that the figures were looked at. Somebody else than who calculated them does it."""
    with open_period_desk(workspace, person) as desk:
        return _tell(desk.review(period), as_json)


def approve(
    period: PeriodArgument,
    person: AsOption = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Sign that the figures may be charged, once nothing blocks that nobody accepted."""
    with open_period_desk(workspace, person) as desk:
        return _tell(desk.approve(period), as_json)


def accept(
    period: PeriodArgument,
    blocker: Annotated[str, typer.Argument(help="Id of the blocker, as 'period show' lists it.")],
    why: WhyOption,
    person: AsOption = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Accept by name what blocks a period and can stay as it is."""
    with open_period_desk(workspace, person) as desk:
        accepted = desk.accept(period, blocker, why)
    if as_json:
        print_json(accepted)
    else:
        print(f"{accepted.accepted_by} accepts for {period}: {accepted.finding}.")
    return EXIT_DONE


def send_back(
    period: PeriodArgument,
    why: WhyOption,
    person: AsOption = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Open a period again that is not closed yet."""
    from pipelines.close.period_states import send_back as send

    with open_period_desk(workspace, person) as desk:
        return _tell(send(desk.books, period, why), as_json)


def reopen(
    period: PeriodArgument,
    why: Annotated[
        str | None, typer.Option("--why", help="Ask for it, with the reason; another confirms.")
    ] = None,
    person: AsOption = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Open a closed period as its next version: one person asks with --why, another confirms."""
    from pipelines.close.close_period import follow_books
    from pipelines.close.period_states import ask_reopening
    from pipelines.close.period_states import reopen as confirm

    with open_period_desk(workspace, person) as desk:
        if why is None:
            try:
                return _tell(confirm(desk.books, period), as_json)
            finally:
                # Also where it is refused: it may have been cut off here the time before.
                follow_books(desk)
        state = ask_reopening(desk.books, period, why)
    if as_json:
        print_json(state)
    else:
        print(f"Asked. Somebody else confirms it: 'apportion period reopen {period}'.")
    return EXIT_DONE


@contextmanager
def open_period_desk(directory: Path, person: str | None) -> Iterator[CloseDesk]:
    """The desk of a workspace, at which `person` acts, where the workspace is a demo."""
    from pipelines.books.person import act_as
    from pipelines.close.desk import open_desk
    from pipelines.workspace.workspace import Workspace

    workspace = Workspace.open(directory)
    with act_as(person, is_demo=workspace.config.is_demo), open_desk(workspace) as desk:
        yield desk


def _tell(state: PeriodState, as_json: bool) -> int:
    if as_json:
        print_json(state)
    else:
        print(_say_state(state))
    return EXIT_DONE


def _say_state(state: PeriodState) -> str:
    version = f" (version {state.version})" if state.version > 1 else ""
    signed = [
        f"{verb} by {who} on {str(when)[:10]}"
        for verb, who, when in (
            ("calculated", state.prepared_by, state.prepared_at),
            ("reviewed", state.reviewed_by, state.reviewed_at),
            ("approved", state.approved_by, state.approved_at),
        )
        if who
    ]
    return (
        f"{state.period_id}{version} is {state.state}{': ' if signed else ''}{', '.join(signed)}."
    )


def _print_answers(sent: Preview, answers: list[Answer]) -> None:
    missing = sum(item.is_missing for item in answers)
    left = f"{missing} of {len(answers)} have not answered" if missing else "all have answered"
    rows = [
        (
            item.business_unit_name,
            format_money(item.amount),
            f"{item.answer}{', of another bill' if item.is_outdated else ''}",
            item.person_name,
            item.comment,
        )
        for item in answers
    ]
    print_table(
        f"Bills sent by {sent.sent_by} on {sent.sent_at[:10]}, answers until "
        f"{sent.answer_until}: {left}",
        ["business unit", "bill", "answer", "who", "comment"],
        rows,
        numeric=[1],
    )


def _print_blockers(blockers: list[Blocker]) -> None:
    if not blockers:
        print("Nothing blocks it.")
        return
    left = sum(blocker.blocks for blocker in blockers)
    title = f"{left} block the approval" if left else "Everything that would block is accepted"
    rows = [
        (
            item.blocker_id,
            item.finding,
            format_money(item.amount),
            f"accepted by {item.accepted_by}: {item.why}" if item.accepted_by else item.what_to_do,
        )
        for item in blockers
    ]
    print_table(title, ["blocker", "found", "amount", "what to do"], rows, numeric=[2])
