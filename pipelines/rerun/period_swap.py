"""Run a period with inputs of another one, swapped input by input.

    with open_rerun(workspace, Scope("actual", "2026-02")) as rerun:
        swap = PeriodSwap(rerun, Scope("actual", "2026-01"))
        swap.start()            # everything of January, under the key of February
        swap.take_rules()       # the rules that hold in February
        swap.take_organisation()
        swap.take_money()       # and now only the driver quantities are January's

Every relation of the flow is keyed by scenario and period, so that an input of the other period is
its published rows under the key of the rerun. What runs on them is the compiled SQL, unchanged.

- money: the ledger lines in engine units, so with their exchange rates and with the services and
  consumers that tags gave them;
- rules: pool, tower and service rules hold by date; the period's dates decide which;
- organisation: the cost centres that the master knows in the period;
- drivers: the quantities of the period, and before it those that a fallback may look back to.

Limit: what has no dates (the catalogue, drivers, the method of shared services) is the same for
both, because one run published them. It becomes a swap when closed periods keep rules of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.errors import UsageError
from pipelines.rerun.engine import PUBLISHED, Rerun, Scope
from pipelines.rerun.inputs import COST_CENTRES, POOLED_LINES
from pipelines.warehouse.lake_views import as_text

if TYPE_CHECKING:
    import duckdb

LINES = "ledger.int_ledger__lines"
QUANTITIES = "drivers.fct_driver_quantities"
"""With what a scenario borrows from another one, as it was published."""
PERIODS = "model.periods"
TAGS = "tagging.int_tagging__matches"
SERVICE_MATCHES = "stops.int_services__rule_matches"
CONSUMER_CELLS = "stops.int_consumers__cells"
DATED_RULES = ("pool_rules", "tower_rules", "service_rules")
BEFORE_ALL = "chr(1)"
"""Put before the name of a period, it makes an earlier one of every period's."""


class PeriodSwap:
    """A rerun of one period (`rerun.scope`) in which inputs are those of another one."""

    def __init__(self, rerun: Rerun, other: Scope) -> None:
        assert rerun.scope is not None
        self.rerun = rerun
        self.own = rerun.scope
        self.other = other
        self.own_version = read_version(rerun.connection, self.own)
        self.other_version = read_version(rerun.connection, other)

    def start(self) -> None:
        """Put all inputs of the other period in the place of the own ones."""
        rerun = self.rerun
        # Tags come with the money; which services and consumers they name is no matter of a date.
        rerun.keep((TAGS,))
        rerun.provide(COST_CENTRES)
        rerun.connection.execute(f"create or replace temp table all_centres as from {COST_CENTRES}")
        rerun.replace(PERIODS, self._write_other_dates())
        rerun.replace(COST_CENTRES, self._write_other_centres())
        rerun.replace(LINES, self._write_other_lines())
        rerun.replace(QUANTITIES, self._write_other_quantities())

    def take_rules(self) -> None:
        """From now on the rules are those that hold in the own period."""
        self.rerun.replace(PERIODS, f"from {PUBLISHED}.{PERIODS}")

    def take_organisation(self) -> None:
        """From now on the cost centres are those that are known in the own period."""
        self.rerun.replace(COST_CENTRES, "from temp.main.all_centres")

    def take_money(self) -> None:
        """From now on the cost is that of the own period."""
        self.rerun.replace(LINES, f"from {PUBLISHED}.{LINES} where {self.own.as_condition()}")

    def take_drivers(self) -> None:
        """From now on the quantities are those of the own period: nothing is swapped any more."""
        self.rerun.replace(QUANTITIES, f"from {PUBLISHED}.{QUANTITIES}")

    def has_other_rules(self) -> bool:
        """Whether another pool, tower or service rule holds in one period than in the other."""
        dates = {
            name: f"(select period_start from {PUBLISHED}.{PERIODS} "
            f"where period_id = {as_text(scope.period_id)})"
            for name, scope in (("own", self.own), ("other", self.other))
        }
        holds = {
            name: f"(coalesce(valid_from <= {date}, true) and coalesce({date} < valid_to, true))"
            for name, date in dates.items()
        }
        rules = " union all ".join(
            f"select valid_from, valid_to from {PUBLISHED}.model.{table}" for table in DATED_RULES
        )
        (count,) = self.rerun.connection.execute(
            f"select count(*) from ({rules}) where {holds['own']} <> {holds['other']}"
        ).fetchall()[0]
        return bool(count)

    def has_other_centres(self) -> bool:
        """Whether the master knows other cost centres in one period than in the other."""
        (count,) = self.rerun.connection.execute(
            f"select count(*) from ({self._write_centres(self.own)}) as own "
            f"full outer join ({self._write_centres(self.other)}) as other "
            "using (cost_centre_id) where own.is_known is null or other.is_known is null"
        ).fetchall()[0]
        return bool(count)

    def remember_rules(self, name: str) -> None:
        """Keep which rule every line and tower follows now, as temp tables `name` and
        `name_services`."""
        self.rerun.connection.execute(
            f"create or replace temp table {name} as select ledger_line_id, account_id, "
            "vendor_name, disposition, cost_pool_id, pool_rule_id, tower_rule_id, amount_units "
            f"from {POOLED_LINES}"
        )
        self.rerun.connection.execute(
            f"create or replace temp table {name}_services as from {SERVICE_MATCHES}"
        )

    def _write_centres(self, scope: Scope) -> str:
        return (
            "select distinct centres.cost_centre_id, true as is_known "
            f"from temp.main.all_centres as centres inner join {PUBLISHED}.{PERIODS} as periods "
            f"on periods.period_id = {as_text(scope.period_id)} "
            "and centres.valid_from < periods.period_end "
            "and (centres.valid_to is null or centres.valid_to > periods.period_start)"
        )

    def _write_other_dates(self) -> str:
        period = as_text(self.other.period_id)
        dates = ", ".join(
            f"case when period_id = {as_text(self.own.period_id)} then (select {column} from "
            f"{PUBLISHED}.{PERIODS} where period_id = {period}) else {column} end as {column}"
            for column in ("period_start", "period_end")
        )
        return f"select * replace ({dates}) from {PUBLISHED}.{PERIODS}"

    def _write_other_centres(self) -> str:
        """The assignments of the other period, as if they held for all time."""
        return (
            "select centres.* replace (date '0001-01-01' as valid_from, null::date as valid_to) "
            "from temp.main.all_centres as centres "
            f"semi join ({self._write_centres(self.other)}) as known using (cost_centre_id)"
        )

    def _write_other_lines(self) -> str:
        return (
            f"select * replace ({as_text(self.own.scenario_id)} as scenario_id, "
            f"{as_text(self.own.period_id)} as period_id, {self.own_version} as version) "
            f"from {PUBLISHED}.{LINES} where {self.other.as_condition()}"
        )

    def _write_other_quantities(self) -> str:
        """Quantities of the other period under the own key, and all before it before that key."""
        period, own = as_text(self.other.period_id), as_text(self.own.period_id)
        return (
            f"select * replace ({as_text(self.own.scenario_id)} as scenario_id, "
            f"case when period_id = {period} then {own} else {BEFORE_ALL} || period_id end "
            f"as period_id) from {PUBLISHED}.{QUANTITIES} "
            f"where scenario_id = {as_text(self.other.scenario_id)} and period_id <= {period}"
        )


def read_version(connection: duckdb.DuckDBPyConnection, scope: Scope) -> int:
    """The published version of a period. Raises UsageError where nothing is published of it."""
    rows = connection.execute(
        f"select max(version) from {PUBLISHED}.model.period_versions where {scope.as_condition()}"
    ).fetchall()
    version = rows[0][0]
    if version is None:
        raise UsageError(
            f"nothing is published of {scope.scenario_id} '{scope.period_id}'. "
            "See: apportion sql 'from dim_periods'"
        )
    return int(version)
