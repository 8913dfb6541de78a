"""Check changes against what is published, and say in SQL which rows they are about.

A change that finds nothing is a mistake and refused: a what-if that changes nothing would look like
an answer. Problems are collected, so that all of them are said at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase

from pipelines.rerun.changes import Change
from pipelines.rerun.engine import Rerun
from pipelines.rerun.inputs import IS_COST, POOLED_LINES, Scaling
from pipelines.warehouse.lake_views import as_text

USED_QUANTITIES = "drivers.fct_driver_quantities"
USE = "stops.int_delivered_services__use"
SHOWN_NAMES = 8
PRICED = ("rate", "market", "fixed")
"""Policies that read a price or an agreed amount."""


@dataclass
class CheckedChanges:
    """All changes as the inputs take them."""

    quantities: list[Scaling] = field(default_factory=list)
    lines: list[Scaling] = field(default_factory=list)
    prices: list[Scaling] = field(default_factory=list)
    leaving: list[str] = field(default_factory=list)
    """Cost centres."""


def check_changes(
    rerun: Rerun, changes: list[Change], leaving: Sequence[str], problems: list[str]
) -> CheckedChanges:
    """Conditions in SQL for the changes, each checked to find something."""
    checked = CheckedChanges()
    for change in changes:
        if change.option in ("--volume", "--driver"):
            scaling = _check_quantity(rerun, change, problems)
            checked.quantities += [scaling] if scaling else []
        elif change.option == "--price":
            scaling = _check_price(rerun, change, problems)
            checked.prices += [scaling] if scaling else []
        else:
            scaling = _check_cost(rerun, change, problems)
            checked.lines += [scaling] if scaling else []
    units = _read_units(rerun) if leaving else {}
    for name in leaving:
        found = units.get(name) or [
            centre for own in units.values() for centre in own if centre == name
        ]
        if not found:
            known = [*units, *(centre for own in units.values() for centre in own)]
            problems.append(
                f"--without '{name}': no cost centre or business unit of {_say_scope(rerun)} is "
                f"called so. {_suggest(name, known)}"
            )
        checked.leaving += found
    return checked


def _check_quantity(rerun: Rerun, change: Change, problems: list[str]) -> Scaling | None:
    rerun.run((USED_QUANTITIES, "stops.int_services__known"))
    where = f"{change.option} '{change.text}'"
    condition = (
        _check_service(rerun, change.subject, where, problems)
        if change.option == "--volume"
        else _check_driver(rerun, change.subject, where, problems)
    )
    if condition is None or change.receiver is None:
        return None
    units = _read_units(rerun)
    scenario = f"scenario_id = {as_text(rerun.scope.scenario_id if rerun.scope else '')}"
    names = {
        name
        for (name,) in rerun.connection.execute(
            f"select distinct receiver_id from {USED_QUANTITIES} where {scenario} and {condition}"
        ).fetchall()
    }
    wanted = units.get(change.receiver, [change.receiver])
    found = sorted(name for name in names if any(fnmatchcase(name, item) for item in wanted))
    if not found:
        problems.append(
            f"{where}: '{change.receiver}' has no quantity there to change. "
            f"{_suggest(change.receiver, sorted(names))}"
        )
        return None
    ids = ", ".join(map(as_text, found))
    return Scaling(f"{condition} and receiver_id in ({ids})", change.factor)


def _check_service(rerun: Rerun, service: str, where: str, problems: list[str]) -> str | None:
    """The condition on quantities of a service that is split by some of its own."""
    rerun.run((USE,))
    drivers: dict[str, list[str]] = dict(
        rerun.connection.execute(
            "select known.service_id, list(distinct use.driver_id order by use.driver_id) "
            "filter (use.driver_id is not null) from stops.int_services__known as known "
            f"left join {USE} as use on known.service_id = use.service_id group by all"
        ).fetchall()
    )
    if service not in drivers:
        problems.append(f"{where}: unknown service '{service}'. {_suggest(service, list(drivers))}")
        return None
    own = drivers[service]
    if not own:
        problems.append(f"{where}: no driver says who uses '{service}', so it has no volume")
        return None
    ids = ", ".join(map(as_text, own))
    condition = f"sender_id = {as_text(service)} and driver_id in ({ids})"
    (count,) = rerun.connection.execute(
        f"select count(*) from {USED_QUANTITIES} where {condition}"
    ).fetchall()[0]
    if count:
        return condition
    problems.append(
        f"{where}: '{service}' has no use of its own, but is split by the driver '{own[0]}'. "
        f"To change that for all that it splits, use --driver {own[0]}:..."
    )
    return None


def _check_driver(rerun: Rerun, driver: str, where: str, problems: list[str]) -> str | None:
    rows = rerun.connection.execute("select driver_id from model.drivers").fetchall()
    known = [name for (name,) in rows]
    if driver in known:
        return f"driver_id = {as_text(driver)}"
    problems.append(f"{where}: unknown driver '{driver}'. {_suggest(driver, known)}")
    return None


def _check_cost(rerun: Rerun, change: Change, problems: list[str]) -> Scaling | None:
    column = {"--pool": "cost_pool_id", "--account": "account_id", "--vendor": "vendor_name"}
    name = column[change.option]
    is_glob = change.option != "--pool"
    rerun.run((POOLED_LINES,))
    values = [
        value
        for (value,) in rerun.connection.execute(
            f"select distinct {name} from {POOLED_LINES} where {IS_COST} and {name} is not null"
        ).fetchall()
    ]
    condition = f"{name} {'glob' if is_glob else '='} {as_text(change.subject)}"
    (count,) = rerun.connection.execute(
        f"select count(*) from {POOLED_LINES} where {IS_COST} and {condition}"
    ).fetchall()[0]
    if count:
        return Scaling(condition, change.factor)
    problems.append(
        f"{change.option} '{change.text}': no cost of {_say_scope(rerun)} is on "
        f"'{change.subject}'. {_suggest(change.subject, values)}"
    )
    return None


def _check_price(rerun: Rerun, change: Change, problems: list[str]) -> Scaling | None:
    """A service that has a price of its own in the period."""
    assert rerun.scope is not None
    rows = rerun.connection.execute(
        "select service_id, charging_policy from stops.int_charges__policies where period_id = ?",
        [rerun.scope.period_id],
    ).fetchall()
    policies = dict(rows)
    found = policies.get(change.subject)
    if found in PRICED:
        return Scaling(f"service_id = {as_text(change.subject)}", change.factor)
    priced = sorted(service for service, policy in rows if policy in PRICED)
    says = "is not known" if found is None else f"has the policy {found}, which reads no price"
    problems.append(
        f"{change.option} '{change.text}': '{change.subject}' {says} in {_say_scope(rerun)}. "
        f"{_suggest(change.subject, priced)}"
    )
    return None


def _read_units(rerun: Rerun) -> dict[str, list[str]]:
    """Cost centres by the business unit that they belong to in the period of the rerun."""
    assert rerun.scope is not None
    rows = rerun.connection.execute(
        "select centres.business_unit_id, centres.cost_centre_id "
        "from marts.dim_cost_centres as centres "
        "inner join model.periods as periods on periods.period_id = ? "
        "and centres.valid_from < periods.period_end "
        "and (centres.valid_to is null or centres.valid_to > periods.period_start) "
        "qualify row_number() over ("
        "partition by centres.cost_centre_id order by centres.valid_from) = 1 order by all",
        [rerun.scope.period_id],
    ).fetchall()
    units: dict[str, list[str]] = {}
    for unit, centre in rows:
        units.setdefault(unit, []).append(centre)
    return units


def _say_scope(rerun: Rerun) -> str:
    assert rerun.scope is not None
    return f"{rerun.scope.scenario_id} {rerun.scope.period_id}"


def _suggest(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=1)
    if close:
        return f"Is '{close[0]}' meant?"
    listed = ", ".join(sorted(known)[:SHOWN_NAMES]) or "none"
    more = f" and {len(known) - SHOWN_NAMES} more" if len(known) > SHOWN_NAMES else ""
    return f"Known: {listed}{more}."
