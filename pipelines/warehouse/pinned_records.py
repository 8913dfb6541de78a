"""The SQL by which a lake view shows closed periods as they were closed, and restated ones beside.

Four kinds of contracts:

- records *of a period* (ledger, bills, use): the closed periods that are pinned come from the loads
  of their close, and restated periods once more under the scenario `restated` from the loads that
  count today;
- *rates*: the same, but no scenario: what a period was closed with, and today's rate only for a
  currency that had none, so that a late invoice in it can be converted;
- *spans of validity* (the organisation): cut at the ends of the closed periods. What holds on both
  sides of a cut is one row again;
- *no period at all* (assets and their relations): every record says from which to which period it
  counts, in `_counts_from` and `_counts_until`, empty where there is no bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pipelines.contracts.contract import load_contract, load_contract_in
from pipelines.contracts.periods import MONTHS, PeriodClock, Periods

if TYPE_CHECKING:
    from pipelines.contracts.contract import Contract
    from pipelines.warehouse.pins import Pin

RATES = "exchange_rates"
ORGANISATION = "cost_centres"
FROZEN = (RATES, ORGANISATION)
"""Pinned for ever: no change of them restates a closed period."""
SPANNED = ("assets", "asset_relations")
"""Records without a period that decide money or drivers; one pin holds for both."""
BY_CLOCK = ("tickets",)
"""Their moments belong to a period by the workspace's clock. Other moments begin one."""
SPAN_COLUMNS = "cast(null as date) as _counts_from, cast(null as date) as _counts_until"
BEGINNING = "date '0001-01-01'"
ENDLESS = "date '9999-12-31'"


def is_by_clock(contract: Contract) -> bool:
    """Whether a record's period depends on the time zone of the workspace."""
    return contract.contract_id in BY_CLOCK


def write_period(contract: Contract, clock: PeriodClock) -> str:
    """SQL for the period of a record. The contract has a period field."""
    assert contract.period_field is not None
    name = f'"{contract.period_field}"'
    if contract.field(contract.period_field).type == "period":
        return name
    if is_by_clock(contract):
        name = f"({name} at time zone 'UTC') at time zone {_as_text(clock.time_zone)}"
    return clock.periods.of_day(name)


def write_bill_period(clock: PeriodClock) -> str:
    """SQL for the period of a line of a cloud bill."""
    return write_period(load_contract_in("cloud_bill", clock.periods), clock)


def select_of_period(contract_id: str, body: str, pin: Pin, clock: PeriodClock) -> str:
    """The fields of the records of `body` that decide figures of the pin's period, for comparing.

    Of assets: those in use by its end, without what happened to them after it.
    """
    contract = load_contract_in(contract_id, clock.periods)
    fields = ", ".join(f'"{field.name}"' for field in contract.fields)
    chosen = f"select _source_id, {fields} from ({body})"
    if contract.period_field is not None:
        return f"{chosen} where {write_period(contract, clock)} = {_as_text(pin.period_id)}"
    if contract_id == "assets":
        start, end = _show_days(clock.periods, pin.period_id)
        return (
            f"select * replace (case when retired_date < {end} then retired_date end "
            f"as retired_date) from ({chosen}) "
            f"where least(purchase_date, coalesce(in_service_date, purchase_date)) < {end} "
            f"and (retired_date is null or retired_date > {start})"
        )
    return chosen


def show_periods(
    contract_id: str,
    active: str,
    pinned: Sequence[tuple[str, str]],
    restated: Sequence[str],
    clock: PeriodClock,
) -> str:
    """Records of periods. `pinned`: (period, SQL of the records of its close)."""
    period = write_period(load_contract_in(contract_id, clock.periods), clock)
    parts = [_select_unpinned("active", period, [name for name, _ in pinned])]
    parts += [
        f"select * from ({body}) where {period} in ({_list(names)})"
        for body, names in _group(pinned).items()
    ]
    if restated:
        parts.append(
            "select * replace ('restated' as _scenario_id) from active "
            f"where _scenario_id = 'actual' and {period} in ({_list(restated)})"
        )
    return f"with active as ({active}) {' union all '.join(parts)}"


def show_rates(active: str, pinned: Sequence[tuple[str, str]]) -> str:
    """Rates: those of the close, and today's where the close had none."""
    names = _list([name for name, _ in pinned])
    closed = " union all ".join(
        f"select * from ({body}) where period_id in ({_list(own)})"
        for body, own in _group(pinned).items()
    )
    return (
        f"with active as ({active}), closed as ({closed}) "
        f"{_select_unpinned('active', 'period_id', [name for name, _ in pinned])} "
        "union all select * from closed "
        "union all select active.* from active anti join closed "
        "using (rate_type, period_id, from_currency_code, to_currency_code) "
        f"where active._scenario_id = 'actual' and active.period_id in ({names})"
    )


def show_organisation(
    active: str, pinned: Sequence[tuple[str, str]], calendar: Periods = MONTHS
) -> str:
    """Assignments that hold in spans of time: those of the close in the periods of the close."""
    fields = [field.name for field in load_contract(ORGANISATION).fields]
    kept = ", ".join(f'"{name}"' for name in fields if name not in ("valid_from", "valid_to"))
    pieces = " union all ".join(
        f"select * replace (greatest(valid_from, {start}) as valid_from, "
        f"least(coalesce(valid_to, {ENDLESS}), {end}) as valid_to) "
        f"from ({body}) where _scenario_id = 'actual' "
        f"and valid_from < {end} and coalesce(valid_to, {ENDLESS}) > {start}"
        for body, start, end in _cut("from active", pinned, calendar)
    )
    # An assignment that was cut and is the same on both sides is no move: it becomes one again.
    return (
        f"with active as ({active}), pieces as ({pieces}), "
        "begun as (select *, lag(valid_to) over same is distinct from valid_from as is_begin "
        f"from pieces window same as (partition by {kept}, _source_id order by valid_from)), "
        "numbered as (select *, sum(cast(is_begin as integer)) over same as piece_number "
        f"from begun window same as (partition by {kept}, _source_id order by valid_from)) "
        f"select {kept}, min(valid_from) as valid_from, "
        f"nullif(max(valid_to), {ENDLESS}) as valid_to, _source_id, 'actual' as _scenario_id, "
        "arg_max(_file_id, valid_from) as _file_id, "
        "arg_max(_row_number, valid_from) as _row_number "
        f"from numbered group by {kept}, _source_id, piece_number "
        f"union all by name select * from active where _scenario_id <> 'actual'"
    )


def show_spans(
    active: str,
    pinned: Sequence[tuple[str, str]],
    restated: Sequence[str],
    calendar: Periods = MONTHS,
) -> str:
    """Records without a period, each with the span of periods in which it counts."""
    parts = [
        f"select * replace ({_bound(start)} as _counts_from, {_bound(end)} as _counts_until) "
        f"from (select *, {SPAN_COLUMNS} from ({body})) where _scenario_id = 'actual'"
        for body, start, end in _cut("from active", pinned, calendar)
    ]
    parts.append(f"select *, {SPAN_COLUMNS} from active where _scenario_id <> 'actual'")
    for period in restated:
        start, end = _show_days(calendar, period)
        parts.append(
            "select * replace ('restated' as _scenario_id), "
            f"{start} as _counts_from, {end} as _counts_until "
            "from active where _scenario_id = 'actual'"
        )
    return f"with active as ({active}) {' union all '.join(parts)}"


def _show_days(calendar: Periods, period_id: str) -> tuple[str, str]:
    """First day of a period, and the first day after it, in SQL."""
    item = calendar.find_days(period_id)
    return f"date '{item.start}'", f"date '{item.end}'"


def _cut(
    active: str, pinned: Sequence[tuple[str, str]], calendar: Periods
) -> list[tuple[str, str, str]]:
    """The whole of time in pieces: (SQL of the records, first day, day after the last), in SQL.

    The pieces depend on the periods alone, so that two contracts are cut at the same days.
    """
    pieces: list[tuple[str, str, str]] = []
    cursor = BEGINNING
    for period, body in sorted(pinned):
        start, end = _show_days(calendar, period)
        if cursor != start:
            pieces.append((active, cursor, start))
        pieces.append((body, start, end))
        cursor = end
    return [*pieces, (active, cursor, ENDLESS)]


def _bound(day: str) -> str:
    """A bound of a span; nothing at the ends of time."""
    return "cast(null as date)" if day in (BEGINNING, ENDLESS) else day


def _select_unpinned(relation: str, period: str, names: Sequence[str]) -> str:
    if not names:
        return f"select * from {relation}"
    return (
        f"select * from {relation} where _scenario_id <> 'actual' "
        f"or coalesce({period} not in ({_list(names)}), true)"
    )


def _group(pinned: Sequence[tuple[str, str]]) -> Mapping[str, list[str]]:
    """Periods by the SQL of their records: those of the same loads are read once."""
    groups: dict[str, list[str]] = {}
    for name, body in pinned:
        groups.setdefault(body, []).append(name)
    return groups


def _list(names: Sequence[str]) -> str:
    return ", ".join(map(_as_text, names))


def _as_text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
