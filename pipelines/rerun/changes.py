"""The changes of a what-if: read from short texts, checked against what is published, applied.

Every change is `WHAT=+10%` or `WHAT=-10%`. All that is wrong with any of them is said at once,
before anything is run. Changes apply in a fixed order, whatever the order of the options: rules,
quantities, cost, consumers that leave; so cost and quantities are those that the new rules see.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pipelines.errors import ConfigurationError, UsageError
from pipelines.rerun.engine import Rerun
from pipelines.rerun.inputs import (
    IS_COST,
    POOLED_LINES,
    QUANTITIES,
    Scaling,
    remove_consumers,
    replace_method,
    scale_lines,
    scale_quantities,
)
from pipelines.warehouse.lake_views import as_text

if TYPE_CHECKING:
    from pipelines.cost_model.load import CostModel

METHODS = ("direct", "step_down", "reciprocal")

PERCENT = re.compile(r"[+-]\d{1,6}(\.\d{1,4})?%")
SHOWN_NAMES = 8


@dataclass(frozen=True)
class WhatIf:
    """What is asked for, as it was typed."""

    volumes: tuple[str, ...] = ()
    """SERVICE:CONSUMER=+10%"""
    drivers: tuple[str, ...] = ()
    """DRIVER:RECEIVER=+10%"""
    pools: tuple[str, ...] = ()
    """POOL=+5%"""
    accounts: tuple[str, ...] = ()
    """GLOB=+3%"""
    vendors: tuple[str, ...] = ()
    """GLOB=+3%"""
    leaving: tuple[str, ...] = ()
    """A cost centre, or a business unit with all of its cost centres."""
    method: str | None = None
    cost_model: str | None = None

    @property
    def only_removes(self) -> bool:
        """Whether consumers leave and nothing else changes."""
        return self == WhatIf(leaving=self.leaving) and bool(self.leaving)


@dataclass(frozen=True)
class Change:
    """One change that was understood: its option, what it is about, and by which factor."""

    option: str
    text: str
    subject: str
    receiver: str | None
    factor: Decimal


@dataclass
class CheckedChanges:
    """All changes as the inputs take them."""

    quantities: list[Scaling] = field(default_factory=list)
    lines: list[Scaling] = field(default_factory=list)
    leaving: list[str] = field(default_factory=list)
    """Cost centres."""


class ChangesRefusedError(UsageError):
    """Changes that cannot be made; all reasons are listed at once."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        head = f"{count} change{'s' if count != 1 else ''} cannot be made, so nothing was run:"
        super().__init__("\n".join([head, *(f"  - {problem}" for problem in self.problems)]))


def apply_changes(rerun: Rerun, wanted: WhatIf) -> CheckedChanges:
    """Check `wanted` and make its changes. Raises ChangesRefusedError with all that is wrong."""
    problems: list[str] = []
    changes = parse_changes(wanted, problems)
    method = read_method(wanted.method, problems) if wanted.method else None
    model = _load_model(rerun, wanted, problems) if wanted.cost_model else None
    if model is not None:
        _apply_model(rerun, model)
    checked = _check_changes(rerun, changes, wanted.leaving, problems)
    if wanted == WhatIf():
        problems.append("no change is named; 'apportion whatif --help' lists them")
    if problems:
        raise ChangesRefusedError(problems)
    if method is not None:
        replace_method(rerun, method)
    if checked.quantities:
        scale_quantities(rerun, checked.quantities)
    if checked.lines:
        scale_lines(rerun, checked.lines)
    if checked.leaving:
        remove_consumers(rerun, checked.leaving)
    return checked


def parse_changes(wanted: WhatIf, problems: list[str]) -> list[Change]:
    """Take the texts apart; what is malformed is added to `problems`."""
    found = []
    for option, texts, has_receiver in (
        ("--volume", wanted.volumes, True),
        ("--driver", wanted.drivers, True),
        ("--pool", wanted.pools, False),
        ("--account", wanted.accounts, False),
        ("--vendor", wanted.vendors, False),
    ):
        for text in texts:
            change = _parse_change(option, text, has_receiver, problems)
            found += [change] if change else []
    return found


def _parse_change(option: str, text: str, has_receiver: bool, problems: list[str]) -> Change | None:
    what, _, percent = text.rpartition("=")
    subject, colon, receiver = what.partition(":") if has_receiver else (what, "", "")
    form = f"{_name_form(option)}=+10%"
    if not subject or (has_receiver and not receiver):
        problems.append(f"{option} '{text}': expected {form}")
        return None
    if not PERCENT.fullmatch(percent):
        problems.append(
            f"{option} '{text}': expected a change in percent with its sign and at most 4 "
            f"decimals, such as {form}, found '{percent}'"
        )
        return None
    factor = 1 + Decimal(percent[:-1]) / 100
    if factor < 0:
        problems.append(f"{option} '{text}': nothing shrinks by more than 100 %")
        return None
    return Change(option, text, subject, receiver if colon else None, factor)


def _name_form(option: str) -> str:
    return {
        "--volume": "SERVICE:CONSUMER",
        "--driver": "DRIVER:RECEIVER",
        "--pool": "POOL",
        "--account": "ACCOUNT",
        "--vendor": "VENDOR",
    }[option]


def read_method(text: str, problems: list[str]) -> str | None:
    """A method of shared services, `step-down` as well as `step_down`."""
    method = text.strip().replace("-", "_")
    if method in METHODS:
        return method
    problems.append(f"method '{text}': expected one of {', '.join(METHODS)}")
    return None


def _load_model(rerun: Rerun, wanted: WhatIf, problems: list[str]) -> CostModel | None:
    from pipelines.cost_model.load import load_cost_model
    from pipelines.rerun.model_versions import find_rule_files

    with ExitStack() as stack:
        try:
            root = rerun.workspace.root
            directory = stack.enter_context(find_rule_files(root, wanted.cost_model or ""))
            return load_cost_model(rerun.workspace, directory)
        except ConfigurationError as error:
            problems += [f"--cost-model: {problem}" for problem in error.problems]
        except UsageError as error:
            problems.append(str(error))
    return None


def _apply_model(rerun: Rerun, model: CostModel) -> None:
    from pipelines.rerun.model_versions import (
        apply_rule_changes,
        compile_version,
        find_rule_changes,
        read_published_version,
    )

    published = read_published_version(rerun)
    version = compile_version(rerun, model, published, "changed")
    apply_rule_changes(rerun, published, version, find_rule_changes(published, version))


def _check_changes(
    rerun: Rerun, changes: list[Change], leaving: Sequence[str], problems: list[str]
) -> CheckedChanges:
    """Conditions in SQL for the changes, each checked to find something."""
    checked = CheckedChanges()
    for change in changes:
        if change.option in ("--volume", "--driver"):
            scaling = _check_quantity(rerun, change, problems)
            checked.quantities += [scaling] if scaling else []
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
    rerun.run((QUANTITIES, "stops.int_services__known"))
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
            f"select distinct receiver_id from {QUANTITIES} where {scenario} and {condition}"
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
    """The condition on quantities of a service that has some of its own."""
    rows = rerun.connection.execute(
        "select known.service_id, services.driver_id, drivers.sender_kind "
        "from stops.int_services__known as known "
        "left join model.services as services on known.service_id = services.service_id "
        "left join model.drivers as drivers on services.driver_id = drivers.driver_id"
    ).fetchall()
    known = {row[0]: row[1:] for row in rows}
    if service not in known:
        problems.append(f"{where}: unknown service '{service}'. {_suggest(service, list(known))}")
        return None
    driver, sender_kind = known[service]
    if driver is None:
        problems.append(f"{where}: no driver says who uses '{service}', so it has no volume")
        return None
    if sender_kind != "service":
        problems.append(
            f"{where}: '{service}' is split by the driver '{driver}', which other cost is split by "
            f"as well. To change it for all of them, use --driver {driver}:..."
        )
        return None
    return f"driver_id = {as_text(driver)} and sender_id = {as_text(service)}"


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
