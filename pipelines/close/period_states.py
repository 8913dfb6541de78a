"""Where a period stands on its way to the close, and the steps that take it further.

    open -> calculated -> reviewed -> approved -> closed

- *calculate* binds the period to the figures that are published: their hash is kept, and what is
  reviewed, approved and closed later is that and nothing else.
- *review* and *approve* are done by somebody else than who calculated; names that differ by case or
  spaces alone are one person. The database refuses it too, whoever writes to it.
- *send back* opens it again before the close, with a reason.
- *reopen* makes the next version of a closed period, asked for with a reason by one person and
  confirmed by another, while no later period is closed. The closed version stays as it is.

Every step is one transaction: state, history and audit log change together or not at all. Two
people who step at once queue up; the second one is told what the first one did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.books.audit import FIRST_HASH, append_audit
from pipelines.books.books import Books, current_time
from pipelines.books.person import current_person, is_same_person
from pipelines.errors import ControlError, UsageError

if TYPE_CHECKING:
    from sqlalchemy import Connection

ACTUAL = "actual"


@dataclass(frozen=True)
class PeriodState:
    """The newest version of a period."""

    period_id: str
    version: int = 1
    state: str = "open"
    run_id: str | None = None
    content_hash: str | None = None
    prepared_by: str | None = None
    prepared_at: str | None = None
    reviewed_by: str | None = None
    reviewed_at: str | None = None
    approved_by: str | None = None
    approved_at: str | None = None
    closed_by: str | None = None
    closed_at: str | None = None
    manifest_hash: str | None = None
    previous_hash: str | None = None
    close_number: int | None = None


@dataclass(frozen=True)
class Figures:
    """The published figures of a period: which run made them, and their hash."""

    run_id: str
    content_hash: str


def read_state(connection: Connection, period_id: str) -> PeriodState:
    """Where the period stands; open in its first version where the books know nothing of it."""
    return list_states(connection, period_id).get(period_id, PeriodState(period_id))


def _read_locked(connection: Connection, period_id: str) -> PeriodState:
    """The same for a step: whoever steps at the same moment waits until this one is done."""
    from sqlalchemy import select

    from pipelines.books.tables import periods

    # SQLite has locked the whole database already, and leaves 'for update' out.
    connection.execute(
        select(periods.c.version)
        .where(periods.c.scenario_id == ACTUAL, periods.c.period_id == period_id)
        .with_for_update()
    ).all()
    return read_state(connection, period_id)


def list_states(connection: Connection, period_id: str | None = None) -> dict[str, PeriodState]:
    """The newest version of every period that the books know, or of one."""
    from sqlalchemy import select

    from pipelines.books.tables import periods

    query = select(periods).where(periods.c.scenario_id == ACTUAL).order_by(periods.c.version)
    if period_id is not None:
        query = query.where(periods.c.period_id == period_id)
    states = {}
    for row in connection.execute(query).mappings():
        values = {name: value for name, value in row.items() if name != "scenario_id"}
        states[row["period_id"]] = PeriodState(**values)
    return states


def calculate(books: Books, period_id: str, figures: Figures) -> PeriodState:
    """Bind the period to the published figures. A period that was calculated, reviewed or approved
    before begins again. Raises ControlError where it is closed."""
    with books.begin() as connection:
        state = _read_locked(connection, period_id)
        if state.state == "closed":
            raise ControlError(
                f"{period_id} is closed and its figures do not change. A correction is posted in "
                "an open period; or reopen it: 'apportion period reopen'."
            )
        changes = {
            "state": "calculated",
            "run_id": figures.run_id,
            "content_hash": figures.content_hash,
            "prepared_by": current_person(),
            "prepared_at": current_time(),
            **_without("reviewed", "approved"),
        }
        return _step(connection, state, "calculate", changes)


def review(books: Books, period_id: str, figures: Figures) -> PeriodState:
    """Say that the figures were looked at. Raises ControlError where they are not those that were
    calculated, or where the same person calculated them."""
    return _sign(books, period_id, figures, "review", "calculated", "reviewed")


def approve(books: Books, period_id: str, figures: Figures) -> PeriodState:
    """Say that the figures may be charged. What blocks a close is the caller's to look at first.
    Raises ControlError as `review` does, and where nobody reviewed them."""
    return _sign(books, period_id, figures, "approve", "reviewed", "approved")


def record_close(connection: Connection, approved: PeriodState, manifest_hash: str) -> PeriodState:
    """Close the period: the commit point of the close, within the caller's transaction.

    `approved` is the state that the frozen files were made of. Raises ControlError where the period
    has taken another step since.
    """
    state = _read_locked(connection, approved.period_id)
    if state != approved:
        raise ControlError(
            f"{state.period_id} has become {state.state} while it was closed; nothing was closed"
        )
    number, previous = find_last_close(connection)
    changes = {
        "state": "closed",
        "closed_by": current_person(),
        "closed_at": current_time(),
        "manifest_hash": manifest_hash,
        "previous_hash": previous,
        "close_number": number + 1,
    }
    return _step(connection, state, "close", changes)


def find_last_close(connection: Connection) -> tuple[int, str]:
    """Number and manifest hash of the newest close; 0 and zeros before the first one."""
    from sqlalchemy import select

    from pipelines.books.tables import periods

    row = connection.execute(
        select(periods.c.close_number, periods.c.manifest_hash)
        .where(periods.c.close_number.is_not(None))
        .order_by(periods.c.close_number.desc())
        .limit(1)
    ).first()
    return (row.close_number, row.manifest_hash) if row else (0, FIRST_HASH)


def send_back(books: Books, period_id: str, why: str) -> PeriodState:
    """Open a period again that is not closed yet, with a reason for those who prepared it."""
    _require_reason(why)
    with books.begin() as connection:
        state = _read_locked(connection, period_id)
        if state.state in ("open", "closed"):
            raise ControlError(f"{period_id} is {state.state}: there is nothing to send back")
        changes = {
            "state": "open",
            "run_id": None,
            "content_hash": None,
            **_without("prepared", "reviewed", "approved"),
        }
        return _step(connection, state, "send_back", changes, why)


def ask_reopening(books: Books, period_id: str, why: str) -> PeriodState:
    """Ask that a closed period be opened as its next version; another person confirms it."""
    _require_reason(why)
    with books.begin() as connection:
        state = _read_locked(connection, period_id)
        _refuse_reopening(connection, state)
        return _step(connection, state, "ask_reopening", {}, why)


def reopen(books: Books, period_id: str) -> PeriodState:
    """Open a closed period as its next version. Raises ControlError unless somebody else asked for
    it with a reason, or where a later period is closed."""
    from pipelines.books.tables import periods

    with books.begin() as connection:
        state = _read_locked(connection, period_id)
        _refuse_reopening(connection, state)
        request = _find_request(connection, state)
        if request is None:
            raise ControlError(
                f"nobody has asked to reopen {period_id}. One person asks with a reason "
                "('apportion period reopen PERIOD --why REASON'), another one confirms."
            )
        if is_same_person(request["person_name"], current_person()):
            raise ControlError(
                f"{request['person_name']} asked to reopen {period_id}; somebody else confirms it"
            )
        opened = PeriodState(period_id, state.version + 1)
        connection.execute(
            periods.insert().values(
                scenario_id=ACTUAL, period_id=period_id, version=opened.version, state="open"
            )
        )
        _record(connection, opened, "reopen", request["why"])
        return opened


def list_steps(connection: Connection, period_id: str) -> list[dict[str, Any]]:
    """The history of a period, oldest step first."""
    from sqlalchemy import select

    from pipelines.books.tables import period_steps

    query = (
        select(period_steps)
        .where(period_steps.c.scenario_id == ACTUAL, period_steps.c.period_id == period_id)
        .order_by(period_steps.c.step_id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def _sign(
    books: Books, period_id: str, figures: Figures, step: str, before: str, after: str
) -> PeriodState:
    with books.begin() as connection:
        state = _read_locked(connection, period_id)
        if state.state != before:
            raise ControlError(
                f"{period_id} is {state.state}; to {step} it, it must be {before} first "
                "(open, calculated, reviewed, approved, closed is the order)"
            )
        if is_same_person(state.prepared_by, current_person()):
            raise ControlError(
                f"{state.prepared_by} calculated {period_id}; somebody else must {step} it"
            )
        refuse_other_figures(state, figures)
        changes = {"state": after, f"{after}_by": current_person(), f"{after}_at": current_time()}
        return _step(connection, state, step, changes)


def refuse_other_figures(state: PeriodState, figures: Figures) -> None:
    """Raise ControlError where what is published is not what was calculated."""
    if figures.content_hash != state.content_hash:
        raise ControlError(
            f"the published figures of {state.period_id} are not those that "
            f"{state.prepared_by} calculated on {str(state.prepared_at)[:10]} (run "
            f"{state.run_id}). Calculate it again, so that what is signed is what is charged."
        )


def _step(
    connection: Connection,
    state: PeriodState,
    step: str,
    changes: dict[str, Any],
    why: str | None = None,
) -> PeriodState:
    """Change the period's row, which is made where there is none, and write the step down."""
    from dataclasses import replace

    from pipelines.books.tables import periods

    key = {"scenario_id": ACTUAL, "period_id": state.period_id, "version": state.version}
    found = [periods.c[name] == value for name, value in key.items()]
    if connection.execute(periods.select().where(*found)).first() is None:
        connection.execute(periods.insert().values(**key, state="open"))
    if changes:
        connection.execute(periods.update().where(*found).values(**changes))
    after = replace(state, **changes)
    _record(connection, after, step, why)
    return after


def _record(connection: Connection, state: PeriodState, step: str, why: str | None) -> None:
    from pipelines.books.tables import period_steps

    row = {
        "period_id": state.period_id,
        "version": state.version,
        "step": step,
        "run_id": state.run_id,
        "content_hash": state.content_hash,
        "why": why,
    }
    sealed = {"manifest_hash": state.manifest_hash} if step == "close" else {}
    connection.execute(
        period_steps.insert().values(
            scenario_id=ACTUAL, **row, person_name=current_person(), taken_at=current_time()
        )
    )
    subject = f"{state.period_id} version {state.version}"
    append_audit(connection, f"period {step}", subject, row | sealed)


def _refuse_reopening(connection: Connection, state: PeriodState) -> None:
    if state.state != "closed":
        raise ControlError(f"{state.period_id} is {state.state}: only a closed period is reopened")
    later = sorted(
        other.period_id
        for other in list_states(connection).values()
        if other.period_id > state.period_id and other.state == "closed"
    )
    if later:
        raise ControlError(
            f"{', '.join(later)} came after {state.period_id} and is closed. A correction is "
            "posted in an open period, as a credit or debit note that refers to the original."
        )


def _find_request(connection: Connection, state: PeriodState) -> dict[str, Any] | None:
    """The latest step of this version, if it asks for the reopening."""
    steps = [
        step for step in list_steps(connection, state.period_id) if step["version"] == state.version
    ]
    return steps[-1] if steps and steps[-1]["step"] == "ask_reopening" else None


def _require_reason(why: str) -> None:
    if not why.strip():
        raise UsageError("--why expects a reason, for those who ask later")


def _without(*steps: str) -> dict[str, None]:
    return {f"{step}_{what}": None for step in steps for what in ("by", "at")}
