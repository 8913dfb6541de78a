"""The stops of the money at which rules match: where the matches stand, and what none matched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.rerun.engine import Rerun

FindPlace = Callable[[str, str], str | None]
"""(name of a rule file without its ending, id) -> file and line."""

LINES = "stops.int_cost_pools__lines"
LINE_MATCHES = "stops.int_cost_pools__rule_matches"
TOWER_CELLS = "stops.int_towers__cells"
SERVICE_MATCHES = "stops.int_services__rule_matches"


@dataclass(frozen=True)
class CheckedRun:
    """A rerun of the published run with the current rules, and what findings about it need."""

    rerun: Rerun
    find_place: FindPlace
    calendar: Sequence[str]
    """Periods in order."""
    units_exponent: int
    """An amount is engine units x 10^-exponent."""

    def to_amount(self, units: int) -> Decimal:
        """Engine units in the reporting currency, exactly."""
        return Decimal(units).scaleb(-self.units_exponent)


@dataclass(frozen=True)
class Stop:
    """One stop, and how the combinations of attributes are told apart that its rules see."""

    file: str
    rules: str
    names: tuple[tuple[str, str], ...]
    """(column, what it is called) of a combination; with the period all of them make it up."""
    unmatched: str
    """SQL: scenario_id, period_id, the columns and amount_units of what no rule matches."""
    matches: str
    """Relation with the first rule of each combination, in `rule_column`."""
    rule_column: str
    money: str
    meaning: str
    """What becomes of money that no rule matches."""

    @property
    def columns(self) -> list[str]:
        return [column for column, _ in self.names]


_LINE_NAMES = (
    ("account_id", "account"),
    ("cost_centre_id", "cost centre"),
    ("vendor_name", "supplier"),
    ("category_name", "category"),
    ("source_id", "source"),
    ("legal_entity_id", "legal entity"),
)

_UNMATCHED_TOWER_MONEY = f"""
    select cells.*, cells.tagged_service_id is not null as is_tagged
    from {TOWER_CELLS} as cells
    where
        cells.disposition = 'allocated'
        and not exists (
            select 1
            from {SERVICE_MATCHES} as matches
            where
                matches.scenario_id = cells.scenario_id
                and matches.period_id = cells.period_id
                and matches.tower_id = cells.tower_id
                and matches.cost_pool_id = cells.cost_pool_id
                and matches.is_tagged = (cells.tagged_service_id is not null)
                and matches.rule_id is not null
        )
"""

STOPS = (
    Stop(
        "pools",
        "model.pool_rules",
        _LINE_NAMES,
        f"select * from {LINES} where disposition = 'unmapped'",
        LINE_MATCHES,
        "pool_rule_id",
        "money of the ledger",
        "It has no cost pool and is not mapped.",
    ),
    Stop(
        "towers",
        "model.tower_rules",
        (("cost_pool_id", "pool"), ("sub_pool_name", "sub-pool"), *_LINE_NAMES),
        f"select * from {LINES} where disposition = 'allocated' and tower_rule_id is null",
        LINE_MATCHES,
        "tower_rule_id",
        "money of the pools",
        "It reaches no tower and is not mapped.",
    ),
    Stop(
        "allocation",
        "model.service_rules",
        (("tower_id", "tower"), ("cost_pool_id", "pool"), ("is_tagged", "tagged")),
        _UNMATCHED_TOWER_MONEY,
        SERVICE_MATCHES,
        "rule_id",
        "money of the towers",
        "It reaches no service and is not mapped.",
    ),
)
