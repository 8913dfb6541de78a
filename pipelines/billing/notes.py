"""What a reader of a statement should know, in sentences.

Assumes a statement that adds up. Every sentence is made from its figures; none of them is new
money. The same sentences stand in the PDF and in the workbook.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.billing.formats import (
    format_amount,
    format_change,
    format_count,
    format_money,
    format_share_change,
)
from pipelines.billing.records import (
    CHARGE,
    ZERO,
    Comparison,
    Statement,
    StatementLine,
    sum_amounts,
)

# What the quality of a driver means to the one who pays by it.
QUALITY_SENTENCES = {
    "estimated": "the quantity is estimated, not measured",
    "stale": "the quantity is of an earlier period, or typed in and no longer attested",
    "fallback": "no quantity was delivered, so the declared fallback was used",
}
MEASURED = "measured"
MAX_NAMES = 6


@dataclass(frozen=True)
class Note:
    """A short heading and its sentences."""

    title: str
    text: str


def is_credit(statement: Statement) -> bool:
    """Whether the unit gets money back."""
    return statement.total < 0


def name_total(statement: Statement) -> str:
    """What the total of a statement is called: charges and other billed items together."""
    return "Total billed (credit)" if is_credit(statement) else "Total billed"


def write_summary(statement: Statement) -> str:
    """Two or three sentences that can be read without the tables."""
    sentences = [_tell_total(statement)]
    if statement.missing:
        sentences.append(
            f"It is compared with no other period: {statement.missing} (not complete)."
        )
        return " ".join(sentences)
    sentences += [
        f"{text}."
        for text in (
            _compare_previous(statement),
            _compare(statement, statement.budget, "It is", "than the"),
        )
        if text
    ]
    movers = _largest_changes(statement)
    if movers and statement.previous is not None:
        threshold = statement.materiality.describe(statement.currency_code)
        limit = f", from {threshold} on" if threshold else ""
        sentences.append(f"Largest changes since {statement.previous.name}{limit}: {movers}.")
    return " ".join(sentences)


def _compare_previous(statement: Statement) -> str | None:
    """With the period before; after a reorganisation with the cost centres of now, because what
    moved with them is no rise and no fall."""
    comparable = statement.comparable
    if comparable is None or statement.previous is None:
        return _compare(statement, statement.previous, "This is", "than in")
    moved = comparable.amount - statement.previous.amount
    renamed = Comparison(statement.previous.name, comparable.amount, comparable.charged)
    text = _compare(statement, renamed, "With the cost centres of now this is", "than in")
    return f"{text}; reassigned cost centres move {format_change(moved)} besides"


def _tell_total(statement: Statement) -> str:
    who = f"For {statement.period.name}, {statement.issuer_name}"
    to_whom = statement.recipient.name
    charged = [line for line in statement.charged_lines if line.charged_amount]
    if not charged and not statement.items:
        return f"{who} bills {to_whom} nothing."
    verb = "credits" if is_credit(statement) else "bills"
    amount = format_money(abs(statement.total), statement.currency_code)
    if not charged:
        others = _tell_others(statement)
        return f"{who} {verb} {to_whom} {amount}: no service used, but {others}."
    services = format_count(len({line.service_id for line in charged}), "service")
    cost_centres = format_count(len({line.cost_centre_id for line in charged}), "cost centre")
    what = f"for {services} used by {cost_centres}"
    if statement.items:
        charges = format_amount(statement.charged)
        what = f"{what} (charged {charges}) and for {_tell_others(statement)}"
    return f"{who} {verb} {to_whom} {amount} {what}."


def _tell_others(statement: Statement) -> str:
    """What is billed besides charges, kind by kind."""
    told = [
        f"{kind.title[0].lower()}{kind.title[1:]} ({format_change(kind.amount)})"
        for kind in statement.kinds
        if kind.kind != CHARGE
    ]
    return " and ".join(filter(None, [", ".join(told[:-1]), told[-1]]))


def _compare(statement: Statement, other: Comparison | None, start: str, words: str) -> str | None:
    """'This is EUR 400.00 (14.5%) more than in Feb 2026'. No percentage of nothing, and none from a
    credit to a charge."""
    if other is None:
        return None
    name = other.name.lower() if other is statement.budget else other.name
    change = statement.total - other.amount
    if change == 0:
        return f"{start} the same as {'in ' if words == 'than in' else 'the '}{name}"
    share = None
    if statement.total * other.amount >= 0:
        share = format_share_change(abs(change), other.amount)
    percent = f" ({share.removeprefix('+')})" if share else ""
    direction = "more" if change > 0 else "less"
    amount = format_money(abs(change), statement.currency_code)
    return f"{start} {amount}{percent} {direction} {words} {name}"


def _largest_changes(statement: Statement, limit: int = 3) -> str:
    """Of charges, from the materiality on. What came or went with a reassigned cost centre is no
    change: after a reorganisation only the bridge knows the others."""
    base = statement.previous.amount if statement.previous else ZERO
    if statement.comparable is None:
        found = [
            (service.amount - service.previous_amount, service.service_name)
            for service in statement.services
            if service.previous_amount is not None
        ]
    else:
        services = statement.bridge.services if statement.bridge else ()
        found = [
            (item.after - item.before - item.terms.get("organisation", ZERO), item.service_name)
            for item in services
        ]
    changes = [item for item in found if statement.materiality.is_material(item[0], base)]
    changes.sort(key=lambda change: (-abs(change[0]), change[1]))
    return ", ".join(f"{name} {format_change(change)}" for change, name in changes[:limit])


def collect_notes(statement: Statement) -> tuple[Note, ...]:
    """All notes that apply, the ones that touch the amounts first."""
    found = [
        _note_state(statement),
        _note_replaced(statement),
        *_note_drivers(statement),
        *_note_reassignments(statement),
        _note_recovery(statement),
        _note_comparisons(statement),
        _note_rounding(),
    ]
    return tuple(note for note in found if note is not None)


def _note_state(statement: Statement) -> Note | None:
    if statement.scenario_id != "actual":
        text = f"The figures are those of the scenario '{statement.scenario_id}'. Nothing is owed."
        return Note("Not an actual bill", text)
    if statement.period.is_final:
        return None
    return Note(
        "Preview, not final",
        f"The period is not closed yet (state: {statement.period.state}). Figures may still "
        "change, and nothing is owed by this statement; that of the closed period replaces it.",
    )


def describe_missing_close(statement: Statement) -> str:
    """Why a statement has no close to be checked against."""
    if statement.is_final:
        return "the books name no close of this version of the period"
    return "not closed: this is a preview"


def _note_replaced(statement: Statement) -> Note | None:
    replaced = statement.replaced
    if replaced is None:
        return None
    change = format_change(statement.total - replaced.total)
    return Note(
        "Replaces an earlier statement",
        f"Version {statement.version} replaces version {replaced.version}, which came to "
        f"{format_money(replaced.total, statement.currency_code)}; the change is {change}.",
    )


def _note_drivers(statement: Statement) -> list[Note]:
    """One note per quality other than measured, with the services and the money it touches."""
    by_quality: dict[str, list[StatementLine]] = {}
    for line in statement.charged_lines:
        if line.driver_quality and line.driver_quality != MEASURED:
            by_quality.setdefault(line.driver_quality, []).append(line)
    notes = []
    for quality, lines in sorted(by_quality.items()):
        sentence = QUALITY_SENTENCES.get(quality, "the quantity is not a measured one")
        amount = sum_amounts(line.charged_amount for line in lines)
        names = join_names(sorted({_name_with_driver(line) for line in lines}))
        text = (
            f"On {format_count(len(lines), 'line')} "
            f"({format_money(amount, statement.currency_code)}) {sentence}: {names}."
        )
        notes.append(Note(f"{quality.capitalize()} quantities", text))
    return notes


def _name_with_driver(line: StatementLine) -> str:
    return f"{line.service_name} (by {line.driver_name})" if line.driver_name else line.service_name


def join_names(names: Sequence[str], limit: int = MAX_NAMES) -> str:
    """'a, b and 4 more'."""
    if len(names) <= limit:
        return ", ".join(names)
    return f"{', '.join(names[:limit])} and {len(names) - limit} more"


def _note_reassignments(statement: Statement) -> list[Note]:
    sentences = []
    before = statement.previous.name if statement.previous else "the period before"
    for move in statement.reassignments:
        who = f"{move.cost_centre_name} ({move.cost_centre_id})"
        amount = format_money(move.amount, statement.currency_code)
        if move.kind == "joined":
            sentences.append(
                f"{who} came from {move.other_unit_name} with this period; its {amount} are in "
                f"the total but not in the amounts of {before}."
            )
        elif move.kind == "left":
            sentences.append(
                f"{who} went to {move.other_unit_name} with this period; its {amount} of {before} "
                "are in that comparison but no longer in the total."
            )
        else:
            sentences.append(
                f"{who} has belonged to {move.other_unit_name} since a later period; its {amount} "
                "are charged to the unit it belonged to in this one."
            )
    return [Note("Reorganisation", " ".join(sentences))] if sentences else []


def _note_comparisons(statement: Statement) -> Note | None:
    missing = []
    if statement.previous is None:
        missing.append("There is no earlier period to compare with.")
    if statement.budget is None and statement.scenario_id == "actual":
        missing.append("There is no budget for this period.")
    return Note("Comparisons", " ".join(missing)) if missing else None


def _note_recovery(statement: Statement) -> Note | None:
    """Only where something is charged at another price than its cost."""
    found = [service for service in statement.service_costs if service.recovery]
    if not found:
        return None
    cost = sum_amounts(service.cost for service in statement.service_costs)
    names = join_names([service.service_name for service in found])
    return Note(
        "Prices",
        f"Not all services are charged at their cost: {names}. The charges cost "
        f"{format_money(cost, statement.currency_code)}; what they are above it "
        f"({format_change(statement.recovery)}) is recovered more than was spent, or less if "
        "negative. Their rate is what a unit is charged at: the price, or what tiers and base fees "
        "come to per unit.",
    )


def _note_rounding() -> Note:
    return Note(
        "Rounding",
        "Quantities and rates are rounded for print, amounts are not: each line has the cents "
        "that were charged, so quantity times the printed rate may differ slightly from it. The "
        "cents of a service are dealt to its cost pools so that they sum to it.",
    )
