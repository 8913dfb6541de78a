"""Audit a build before it is published: totals counted again, from the lake and in Python.

The dbt tests compare the stops with each other; this compares the end of the flow with the
deliveries, by another path and with other arithmetic (exact decimals instead of engine units), so
that one mistake cannot be made on both sides.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import ROUND_HALF_UP, Context, Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import ControlError
from pipelines.money import ENGINE_DIGITS, minor_unit_digits
from pipelines.warehouse.audit_prices import audit_prices
from pipelines.warehouse.pinned_records import write_bill_period
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

EXACT = Context(prec=100)


def audit_build(database: Path, workspace: Workspace) -> None:
    """Compare the charge lines with the deliveries. Raises ControlError on any difference."""
    import duckdb

    with duckdb.connect(str(database), read_only=True) as connection:
        _refuse_certificate_differences(connection)
        audit_prices(connection)
        _refuse_lost_budget(connection)
        expected = _count_deliveries(connection, workspace)
        found = _count_charges(connection)
    problems = []
    for key in sorted(set(expected) | set(found)):
        want, got = expected.get(key, Decimal(0)), found.get(key, Decimal(0))
        if want != got:
            problems.append(
                f"{key[0]} {key[1]}: delivered {want}, charged {got}, difference {got - want}"
            )
    if problems:
        raise ControlError(
            "the charge lines do not give back what was delivered; nothing was published:\n  "
            + "\n  ".join(problems[:10])
        )


def _refuse_certificate_differences(connection: duckdb.DuckDBPyConnection) -> None:
    rows = connection.execute(
        """
        select scenario_id, period_id, identity_id, amount, amount_cents from marts.rpt_certificate
        where side = 'difference' and (amount <> 0 or amount_cents <> 0)
        order by all limit 10
        """
    ).fetchall()
    if rows:
        found = "; ".join(f"{s} {p} {i}: {amount} ({cents})" for s, p, i, amount, cents in rows)
        raise ControlError(f"the certificate has differences, so nothing was published: {found}")


def _refuse_lost_budget(connection: duckdb.DuckDBPyConnection) -> None:
    """Amounts for years are divided over periods: the parts of a line must be the line."""
    rows = connection.execute(
        """
        with delivered as (
            select _source_id as source_id, _file_id as file_id, _row_number as row_number,
                _scenario_id as scenario_id, sum(amount_local) as amount
            from lake.budget group by all
        ),
        divided as (
            select source_id, file_id, row_number, scenario_id, sum(amount_local) as amount
            from staging.stg_budget__lines group by all
        )
        select source_id, row_number, delivered.amount, divided.amount
        from delivered
        full outer join divided using (source_id, file_id, row_number, scenario_id)
        where delivered.amount is distinct from divided.amount
        order by all limit 8
        """
    ).fetchall()
    if rows:
        found = "; ".join(f"{s} record {n}: {a} became {b}" for s, n, a, b in rows)
        raise ControlError(f"budget lines lost amounts, so nothing was published: {found}")


def _count_deliveries(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace
) -> dict[tuple[str, str], Decimal]:
    """Control totals by (scenario, period) to the engine unit, from the lake and in decimals."""
    config = workspace.config
    sources = config.control_total.source_ids
    feeds = {name: feed for name in sources if (feed := config.sources[name].detail_feed)}
    rows = connection.execute(
        """
        select _scenario_id, period_id, account_id, currency_code, sum(amount_local)
        from lake.general_ledger
        where list_contains($sources, _source_id) or _scenario_id not in ('actual', 'restated')
        group by all
        union all
        select scenario_id, period_id, account_id, currency_code, sum(amount_local)
        from staging.stg_budget__lines group by all
        """,
        {"sources": list(sources)},
    ).fetchall()
    for name, feed in feeds.items():
        rows += connection.execute(
            f"select _scenario_id, {write_bill_period(config.clock)}, $account, "
            f"billing_currency, sum({feed.measure}) from lake.cloud_bill "
            "where _source_id = $source group by all",
            {"source": name, "account": feed.account},
        ).fetchall()
    rates = {
        (period, currency): rate
        for period, currency, rate in connection.execute(
            "select period_id, from_currency_code, exchange_rate from lake.exchange_rates "
            "where rate_type = ? and to_currency_code = ?",
            [config.rate_type, config.currency],
        ).fetchall()
    }
    quantum = Decimal(1).scaleb(-minor_unit_digits(config.currency) - ENGINE_DIGITS)
    # A budget may share an account with nothing else: totals are rounded per account, as defined.
    totals: dict[tuple[str, str, str, str], Decimal] = defaultdict(Decimal)
    for scenario, period, account, currency, amount in rows:
        totals[scenario, period, account, currency] += amount
    result: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for (scenario, period, _, currency), amount in totals.items():
        rate = Decimal(1) if currency == config.currency else rates[period, currency]
        converted = EXACT.multiply(amount, rate)
        result[scenario, period] += converted.quantize(quantum, ROUND_HALF_UP, EXACT)
    return dict(result)


def _count_charges(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], Decimal]:
    rows = connection.execute(
        """
        select scenario_id, period_id, sum(amount_units), max(settings.minor_unit_digits)
        from marts.fct_charges_monthly cross join model.settings as settings group by all
        """
    ).fetchall()
    return {
        (scenario, period): Decimal(units).scaleb(-digits - ENGINE_DIGITS, EXACT)
        for scenario, period, units, digits in rows
    }
