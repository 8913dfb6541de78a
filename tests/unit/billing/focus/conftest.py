"""The bills of Example Works, March 2026, with one item of every kind, worked by hand.

Shops (N1, N3) are billed to RETAIL, the depot (N2) to LOG; in February the depot was RETAIL's.

| March, charges | N1 | N2 | N3 | all | parts |
|---|---:|---:|---:|---:|---|
| mail, 12.50 a mailbox | 120 -> 1,500.00 | 40 -> 500.00 | | 2,000.00 | 0.75, 0.25 |
| hosting, 1,000.00 / 3 a server | 333.33 | 333.33 | 333.34 | 1,000.00 | 0.33333, 0.33333, 0.33334 |
| support, not measured | 120.00 | -20.00 | | 100.00 | 1.2, -0.2 |
| free, 10 used | 0.00 | | | 0.00 | none: nothing is split |

| besides | who | amount |
|---|---|---:|
| correction of mail, February | N2 | -10.00 |
| adjustment of hosting, February | N1 | -5.00 |
| service credit for mail | N1 | -1.00 |
| mark-up on mail, and tax | N2 | 3.01 and 6.62 |
| true-up of hosting | N1 | 2.00 |

RETAIL: 1,500.00 + 333.33 + 333.34 + 120.00 - 5.00 - 1.00 + 2.00 = 2,282.67.
LOG: 500.00 + 333.33 - 20.00 - 10.00 + 3.01 + 6.62 = 812.96. In all 3,095.63.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from pipelines.billing.focus.bill_tables import BillTables, Issue, load_bill_tables
from pipelines.workspace.config import FocusSettings

MARCH = "2026-03"
INVOICES = {"2026-03-LOG-v1": Decimal("812.96"), "2026-03-RETAIL-v1": Decimal("2282.67")}
ISSUE = Issue("2026-04-02T08:00:00Z", "2026-04-05T09:30:00Z", "2026-04-05T09:30:00Z")
SETTINGS = FocusSettings.model_validate({"service_categories": {"Workplace": "Analytics"}})
MARTS = """
create schema if not exists marts;
use marts;
create table dim_run as
    select 'EUR' as currency_code, timestamp '2026-04-03 06:30:00.5' as built_at;
create table dim_periods as
    select period_id, period_id as period_name, start::date as period_start,
        (start::date + interval 1 month)::date as period_end, 'open' as period_state
    from (values ('2026-02', '2026-02-01'), ('2026-03', '2026-03-01')) as t (period_id, start);
create table dim_services as
    select * from (values
        ('mail', 'Workplace', 'mailbox', 'mailbox per month'),
        ('hosting', 'compute', 'server', null),
        ('support', 'Advice', null, null)
    ) as t (service_id, category_name, unit_code, unit_name);
create table dim_cost_centres as
    select 'Group IT' as business_unit_name, true as is_it, date '2020-01-01' as valid_from,
        null::date as valid_to;
create table fct_bill_items_monthly as
    select 'actual' as scenario_id, period as period_id, 1 as version, id as bill_item_id,
        kind as item_kind, service as service_id,
        case service when 'mail' then 'Mail "plus", all' else service end as service_name,
        centre as cost_centre_id, 'Centre ' || centre as cost_centre_name,
        case when centre = 'N2' and period = '2026-03' then 'LOG' else 'RETAIL' end
            as business_unit_id,
        business_unit_id || ' unit' as business_unit_name,
        case centre when 'N2' then 'FR01' else 'DE01' end as legal_entity_id,
        origin as origin_period_id, 1 as origin_version, charge as origin_charge_id,
        null::varchar as reference_id, reason, amount::decimal(28, 2) as amount
    from (values
        ('2026-03', 'm1', 'charge', 'mail', 'N1', '2026-03', 'm1', null, 1500.00),
        ('2026-03', 'm2', 'charge', 'mail', 'N2', '2026-03', 'm2', null, 500.00),
        ('2026-03', 'h1', 'charge', 'hosting', 'N1', '2026-03', 'h1', null, 333.33),
        ('2026-03', 'h2', 'charge', 'hosting', 'N2', '2026-03', 'h2', null, 333.33),
        ('2026-03', 'h3', 'charge', 'hosting', 'N3', '2026-03', 'h3', null, 333.34),
        ('2026-03', 's1', 'charge', 'support', 'N1', '2026-03', 's1', null, 120.00),
        ('2026-03', 's2', 'charge', 'support', 'N2', '2026-03', 's2', null, -20.00),
        ('2026-03', 'f1', 'charge', 'free', 'N1', '2026-03', 'f1', null, 0.00),
        ('2026-03', 'c1', 'correction', 'mail', 'N2', '2026-02', 'feb2', 'late', -10.00),
        ('2026-03', 'a1', 'adjustment', 'hosting', 'N1', '2026-02', null, 'agreed', -5.00),
        ('2026-03', 'k1', 'service_credit', 'mail', 'N1', '2026-03', null, 'slow', -1.00),
        ('2026-03', 'u1', 'mark_up', 'mail', 'N2', '2026-03', 'm2', null, 3.01),
        ('2026-03', 't1', 'tax', 'mail', 'N2', '2026-03', 'm2', null, 6.62),
        ('2026-03', 'y1', 'true_up', 'hosting', 'N1', '2026-03', null, null, 2.00),
        ('2026-02', 'feb2', 'charge', 'mail', 'N2', '2026-02', 'feb2', null, 480.00),
        ('2026-02', 'feb1', 'charge', 'hosting', 'N1', '2026-02', 'feb1', null, 300.00)
    ) as t (period, id, kind, service, centre, origin, charge, reason, amount);
create table rpt_bill_lines as
    select 'actual' as scenario_id, '2026-03' as period_id, 1 as version, id as charge_id,
        policy as charging_policy, driver as driver_name, quantity::decimal(38, 12) as quantity,
        unit as unit_code, rate::decimal(38, 10) as unit_rate
    from (values
        ('m1', 'rate', 'Mailboxes', 120, 'mailbox', '12.5'),
        ('m2', 'rate', 'Mailboxes', 40, 'mailbox', '12.5'),
        ('h1', 'at_cost', 'Servers', 1, 'server', '333.3333333333'),
        ('h2', 'at_cost', 'Servers', 1, 'server', '333.3333333333'),
        ('h3', 'at_cost', 'Servers', 1, 'server', '333.3333333333'),
        ('s1', 'at_cost', null, null, null, null),
        ('s2', 'at_cost', null, null, null, null),
        ('f1', 'at_cost', 'Uses', 10, 'use', '0')
    ) as t (id, policy, driver, quantity, unit, rate);
create table fct_charge_breakdown_monthly as
    select 'actual' as scenario_id, '2026-03' as period_id, 1 as version, 'mail' as service_id,
        'N1' as cost_centre_id, pool as cost_pool_id, amount::decimal(38, 8) as amount
    from (values ('staff', 850.5), ('staff', 49.5), ('licences', 600)) as t (pool, amount);
"""


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    """The marts in memory; a test may change them."""
    with duckdb.connect() as connection:
        connection.execute(MARTS)
        yield connection


def load(marts: duckdb.DuckDBPyConnection, version: str = "1.4") -> BillTables:
    return load_bill_tables(marts, SETTINGS, MARCH, version, ISSUE)


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Version of FOCUS -> the directory of its files, checked when they were written."""
    from pipelines.billing.focus.export_focus import write_checked

    directory = tmp_path_factory.mktemp("focus")
    with duckdb.connect() as connection:
        connection.execute(MARTS)
        for version in ("1.4", "1.2"):
            write_checked(load(connection, version), version, directory / version)
    return {version: directory / version for version in ("1.4", "1.2")}
