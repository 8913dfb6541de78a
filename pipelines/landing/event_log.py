"""Make one record of each thing that a log of events tells of.

The last event of a key is its state, and gives every field but two kinds: what the first event
gives (when it began), and what only all events together tell (when it was closed for good, for how
long it stood still before).

Assumes texts in the table `events` of this module's making. Guarantees that no event vanishes: how
many were passed over is counted, and an event without a whole key stays, to be judged by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.contracts.contract import Contract, ContractField
from pipelines.errors import DeliveryRefusedError, Problem
from pipelines.landing.delivery import Delivery
from pipelines.landing.field_checks import PATTERNS, cast_expression, match_expression
from pipelines.mappings.mapping import LastState, Mapping
from pipelines.mappings.setting_parts import ClosedStates, ReadColumn
from pipelines.readers.field_texts import helper_name, list_helpers
from pipelines.readers.text_marks import delivered_text, literal

if TYPE_CHECKING:
    import duckdb

STATES = "states"
"""The table of the records that were made of events, as texts."""


def keep_last_states(
    connection: duckdb.DuckDBPyConnection, delivery: Delivery, states: LastState, texts: str
) -> tuple[int, tuple[str, ...]]:
    """Make `states` of the events that `texts` selects; how many were passed over, and a note.

    Raises DeliveryRefusedError where events cannot be put in order.
    """
    connection.execute(f"create or replace temp table events as {texts}")
    is_whole = " and ".join(f'"{name}" is not null' for name in states.key)
    _refuse_without_order(connection, delivery, states, is_whole)
    connection.execute(
        f"create or replace temp table {STATES} as {_select_states(delivery, states, is_whole)}"
    )
    row = connection.execute(
        f"select count(*), (select count(*) from {STATES}) from events"
    ).fetchone()
    connection.execute("drop table events")
    assert row is not None
    events, last = row
    if events == last:
        return 0, ()
    passed = events - last
    notes = [f"{passed:,} earlier states of {events:,} passed over, {last:,} last states kept"]
    first = list_first_fields(delivery.contract, delivery.mapping, states)
    if first:
        notes.append(f"{', '.join(first)} taken from the first event of each")
    return passed, tuple(notes)


def list_first_fields(contract: Contract, mapping: Mapping, states: LastState) -> tuple[str, ...]:
    """The fields whose value is that of the first event: those that the mapping names, else the
    one that says when the thing began."""
    if states.first is not None:
        return states.first
    begun = contract.starts_field
    return (begun,) if begun is not None and begun in mapping.columns else ()


def _select_states(delivery: Delivery, states: LastState, is_whole: str) -> str:
    """SQL for the last event of each key with what other events give."""
    key = ", ".join(f'"{name}"' for name in states.key)
    orders = [cast_expression(field) for field in _list_order(delivery, states)]
    falling = ", ".join(f"{order} desc" for order in orders)
    rising = ", ".join(orders)
    later = f"partition by {key} order by {rising}, _row_number"
    whole = f"{later} rows between unbounded preceding and unbounded following"
    replaced = {
        name: f'first_value("{name}" ignore nulls) over ({whole})'
        for name in list_first_fields(delivery.contract, delivery.mapping, states)
    }
    events = "events"
    if states.closed is not None:
        events = _mark_times(delivery, states.closed, later)
        replaced |= _replace_closed(states.closed, key)
    changed = ", ".join(
        f'case when {is_whole} then {value} else "{name}" end as "{name}"'
        for name, value in replaced.items()
    )
    star = f"* replace ({changed})" if changed else "*"
    names = ", ".join(
        f'"{name}"'
        for name in (
            "_row_number",
            *(field.name for field in delivery.contract.fields),
            *(field.name for field in list_helpers(delivery.mapping)),
            "_changes",
        )
    )
    return (
        f"select {names} from (select {star} from {events} qualify not ({is_whole}) or "
        f"row_number() over (partition by {key} order by {falling}, _row_number desc) = 1)"
    )


def _mark_times(delivery: Delivery, closed: ClosedStates, later: str) -> str:
    """SQL for the events with their moment, whether it is closed or paused after them, and the
    moment of the next event."""
    moment = cast_expression(_find_field(delivery, closed.time))
    state = f'"{helper_name(ReadColumn(column=closed.column, type="text"))}"'
    ends, pauses = _list(closed.values), _list((*closed.values, *closed.paused))
    return (
        f"(select *, lead(_moment) over ({later}) as _next_moment, "
        f"max(case when not _is_closed then _place end) over ({later} "
        "rows between unbounded preceding and unbounded following) as _last_open_place "
        f"from (select *, {moment} as _moment, coalesce({state} in ({ends}), false) as _is_closed, "
        f"coalesce({state} in ({pauses}), false) as _is_paused, "
        f"row_number() over ({later}) as _place from events))"
    )


def _replace_closed(closed: ClosedStates, key: str) -> dict[str, str]:
    """Field -> SQL over all events of a key."""
    own = f"over (partition by {key})"
    replaced = {}
    if closed.at is not None:
        # The first event after which it was closed and stayed so; none while it is open.
        since = f"min(_moment) filter (_place > coalesce(_last_open_place, 0)) {own}"
        replaced[closed.at] = f"strftime({since}, '%Y-%m-%dT%H:%M:%S.%fZ')"
    if closed.minutes is not None:
        counted = "_is_paused and _place <= coalesce(_last_open_place, 0)"
        seconds = f"sum(epoch(_next_moment - _moment)) filter ({counted}) {own}"
        replaced[closed.minutes] = (
            f"cast(cast(floor(coalesce({seconds}, 0) / 60) as bigint) as text)"
        )
    return replaced


def _list(values: tuple[str, ...]) -> str:
    return ", ".join(map(literal, values))


def _find_field(delivery: Delivery, item: str | ReadColumn) -> ContractField:
    """The field of an order: of the contract, or a column that no field holds."""
    if isinstance(item, str):
        return delivery.contract.field(item)
    helpers = {field.name: field for field in list_helpers(delivery.mapping)}
    return helpers[helper_name(item)]


def _list_order(delivery: Delivery, states: LastState) -> list[ContractField]:
    return [_find_field(delivery, item) for item in states.order]


def _refuse_without_order(
    connection: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    states: LastState,
    is_whole: str,
) -> None:
    columns = {helper_name(item): item.column for item in delivery.mapping.helper_columns()}
    fields = _list_order(delivery, states)
    if states.closed is not None:
        fields.append(_find_field(delivery, states.closed.time))
    for field in fields:
        name = f'"{field.name}"'
        row = connection.execute(
            f"""
            select _row_number, {delivered_text(name)} from events
            where {is_whole} and not coalesce({match_expression(field)}
                and ({cast_expression(field)}) is not null, false)
            order by _row_number limit 1
            """
        ).fetchone()
        if row is not None:
            problem = Problem(
                delivery.name,
                "has an event that cannot be put in order",
                row[0],
                columns.get(field.name, field.name),
                row[1] or "nothing",
                PATTERNS[field.type][1],
                "Nothing was loaded. Without it the last state is not known; "
                "ask the sender for it.",
            )
            raise DeliveryRefusedError(problem)
