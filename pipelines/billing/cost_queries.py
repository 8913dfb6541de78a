"""What the statements of a period say of pools, quality and proof, read from their marts."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from pipelines.billing.queries import IS_OF_SCOPE, Row, fetch_rows, to_measure, to_money
from pipelines.billing.records import (
    BillScope,
    CertificateIdentity,
    CertificateTerm,
    ServiceQuality,
)

if TYPE_CHECKING:
    import duckdb


class PoolCost(NamedTuple):
    """What a unit's use of a service costs in a pool, exactly."""

    cost_pool_id: str
    cost_pool_name: str
    amount: Decimal


def read_pools(
    connection: duckdb.DuckDBPyConnection, scope: BillScope
) -> dict[str, dict[str, list[PoolCost]]]:
    """What the use of every unit costs by service and pool, exactly."""
    rows = fetch_rows(
        connection,
        "select business_unit_id, service_id, cost_pool_id, "
        "max(cost_pool_name) as cost_pool_name, sum(amount) as amount "
        f"from fct_charge_breakdown_monthly where {IS_OF_SCOPE} "
        "group by all order by business_unit_id, service_id, cost_pool_id",
        scope,
    )
    found: dict[str, dict[str, list[PoolCost]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        cost = PoolCost(
            row["cost_pool_id"],
            row["cost_pool_name"] or row["cost_pool_id"],
            to_money(row["amount"], "fct_charge_breakdown_monthly.amount"),
        )
        found[row["business_unit_id"]][row["service_id"]].append(cost)
    return found


def read_quality(
    connection: duckdb.DuckDBPyConnection, period_id: str
) -> dict[str, ServiceQuality]:
    """Service levels by service, over all users; services without any are left out."""
    rows = fetch_rows(
        connection,
        "select quality.service_id, services.service_name, services.owner_name, "
        "services.owner_email, quality.availability_share, services.availability_target_share, "
        "quality.sla_attainment_share, services.sla_attainment_target_share, "
        "quality.ticket_count, quality.outage_minutes "
        "from fct_service_quality_monthly as quality "
        "left join dim_services as services using (service_id) "
        "where quality.scenario_id = 'actual' and quality.period_id = ? "
        "qualify quality.version = max(quality.version) over () order by quality.service_id",
        [period_id],
    )
    return {row["service_id"]: _to_quality(row) for row in rows}


def _to_quality(row: Row) -> ServiceQuality:
    return ServiceQuality(
        service_id=row["service_id"],
        service_name=row["service_name"] or row["service_id"],
        owner_name=row["owner_name"],
        owner_email=row["owner_email"],
        availability_share=to_measure(row["availability_share"]),
        availability_target_share=to_measure(row["availability_target_share"]),
        sla_attainment_share=to_measure(row["sla_attainment_share"]),
        sla_attainment_target_share=to_measure(row["sla_attainment_target_share"]),
        ticket_count=None if row["ticket_count"] is None else int(row["ticket_count"]),
        outage_minutes=to_measure(row["outage_minutes"]),
    )


def read_certificate(
    connection: duckdb.DuckDBPyConnection, scope: BillScope
) -> tuple[CertificateIdentity, ...]:
    """The identities of the period in the order of the proof: ledger, charged, billed. An open
    period has one more: what was delivered for a period that cannot be read."""
    rows = fetch_rows(
        connection,
        "select if(period_id = '(unknown)', 'period_unknown', identity_id) as identity_id, "
        "identity_name, term_id, term_name, side, amount, amount_cents "
        "from rpt_certificate where scenario_id = $1 and ((period_id = $2 and version = $3) "
        "or (period_id = '(unknown)' and $2 in "
        "(select period_id from dim_periods where period_state <> 'closed'))) "
        "order by list_position(['ledger', 'charged', 'billed'], identity_id) nulls last, "
        "identity_id, list_position(['left', 'right', 'difference'], side) nulls last, "
        "term_order, term_id",
        scope,
    )
    names = {row["identity_id"]: row["identity_name"] for row in rows}
    return tuple(
        CertificateIdentity(
            identity_id,
            name,
            tuple(_to_term(row) for row in rows if row["identity_id"] == identity_id),
        )
        for identity_id, name in names.items()
    )


def _to_term(row: Row) -> CertificateTerm:
    return CertificateTerm(
        row["term_id"],
        row["term_name"],
        row["side"],
        to_money(row["amount"], "rpt_certificate.amount"),
        to_money(row["amount_cents"], "rpt_certificate.amount_cents"),
    )
