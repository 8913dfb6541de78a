"""What became of each delivered file of a landing, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from pipelines.books.books import Books
from pipelines.landing.delivery import Delivery
from pipelines.landing.holds import HOLD_PENDING, Hold
from pipelines.landing.load_log import KnownLoad, LandedDelivery
from pipelines.landing.settle_holds import SettledLoad, settle_source
from pipelines.readers.file_names import quote_argument
from pipelines.readers.file_values import refuse_other_values
from pipelines.workspace.workspace import Workspace


@dataclass(frozen=True)
class LoadResult:
    """What became of one delivered file."""

    source_id: str
    file_name: str
    state: str
    """'landed', 'held' (landed, and waits for a person), 'known' (same content was landed before),
    'lifted' (known, on hold until now, and counts from now on) or 'refused'."""
    sha256: str = ""
    records_delivered: int = 0
    records_accepted: int = 0
    records_quarantined: int = 0
    amounts: dict[str, dict[str, str]] | None = None
    reasons: tuple[str, ...] = ()
    message: str = ""
    notes: tuple[str, ...] = ()
    """What was normalised or passed over without harm."""


def settle_landing(
    workspace: Workspace, books: Books, results: Sequence[LoadResult] = ()
) -> list[LoadResult]:
    """Decide what of all that landed counts and what waits for a person, and say so in the results
    of the landing. A hold of before whose reason is gone is lifted, and is a result too."""
    settled = list(results)
    today = current_day(workspace)
    for source_id, source in workspace.config.sources.items():
        with books.begin() as connection:
            outcomes = settle_source(
                connection,
                source_id,
                source,
                workspace.config.holds,
                today,
                workspace.config.calendar.spans,
            )
        for outcome in outcomes:
            settled = _say_settled(source_id, settled, outcome)
    return settled


def current_day(workspace: Workspace) -> date:
    """Today, by the clock of the workspace."""
    return datetime.now(ZoneInfo(workspace.config.time_zone)).date()


def _say_settled(
    source_id: str, results: list[LoadResult], outcome: SettledLoad
) -> list[LoadResult]:
    """The results with what became of one load."""
    changed, is_named = [], False
    for result in results:
        is_it = (result.source_id, result.sha256) == (source_id, outcome.sha256)
        is_named |= is_it and result.state == "landed"
        if is_it and result.state == "landed" and outcome.reason is not None:
            message = say_held(source_id, outcome.file_name, outcome.reason)
            changed.append(replace(result, state="held", message=message))
        elif is_it and result.state == "landed":
            changed.append(replace(result, notes=(*result.notes, *outcome.notes)))
        else:
            changed.append(result)
    if outcome.was_held and outcome.reason is None and not is_named:
        message = f"{outcome.file_name}: held before, and counts now: its reason is gone"
        lifted = LoadResult(source_id, outcome.file_name, "lifted", outcome.sha256, message=message)
        changed.append(lifted)
    return changed


def say_known(delivery: Delivery, known: KnownLoad) -> LoadResult:
    """What is said of content that was landed before. Raises DeliveryRefusedError where the name of
    the file says something else of it now."""
    refuse_other_values(delivery.mapping, delivery.name, known.file_name)
    message = f"{delivery.name}: same content as '{known.file_name}', landed before"
    if known.superseded_by is not None:
        message += "; a later delivery took its place, and still counts"
    elif known.is_on_hold:
        message += "; it is on hold and does not count: 'apportion loads list --held' says why"
    elif known.is_read_otherwise(delivery):
        message += (
            "; its mapping or contract has changed since, and "
            f"'apportion land --reread {delivery.source_id}' reads it anew"
        )
    return LoadResult(
        delivery.source_id, delivery.name, "known", known.sha256, message=f"{message}."
    )


def say_landed(landed: LandedDelivery, reasons: tuple[str, ...], hold: Hold | None) -> LoadResult:
    counts, delivery = landed.counts, landed.delivery
    result = LoadResult(delivery.source_id, delivery.name, "landed", landed.seen.sha256)
    if hold is not None and hold.reason != HOLD_PENDING:
        message = say_held(delivery.source_id, delivery.name, hold.reason)
        result = replace(result, state="held", message=message)
    return replace(
        result,
        records_delivered=counts.delivered,
        records_accepted=counts.accepted,
        records_quarantined=counts.quarantined,
        amounts=counts.amounts_as_text(),
        reasons=reasons,
        notes=landed.notes,
    )


def say_held(source_id: str, file_name: str, reason: str) -> str:
    """What is said of a delivery on hold."""
    stop = "" if reason.endswith("?") else "."
    return (
        f"{file_name}: on hold, {reason}{stop} It counts once a person releases it: "
        f"'apportion loads release {source_id} {quote_argument(file_name)} --why REASON'."
    )
