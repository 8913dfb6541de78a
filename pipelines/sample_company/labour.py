"""Timesheets of the IT teams: hours by team, tower and service."""

from __future__ import annotations

from decimal import Decimal

from pipelines.sample_company.basics import (
    Month,
    Row,
    Settings,
    format_quantity,
    scale_figure,
)
from pipelines.sample_company.company import BY_ID, heads_at

HOURS_A_MONTH = 138

WORK: dict[str, str] = {
    "CC9010": (
        "it-management/:690 delivery-service-management/:210 it-management/app-development:100"
    ),
    "CC9020": (
        "end-user-help-desk/service-desk:470 end-user-workspace/workplace-laptop:260 "
        "end-user-workspace/email-collaboration:70 end-user-workspace/printing:60 "
        "end-user-workspace/video-conferencing:40 end-user-mobile/mobile:60 "
        "delivery-service-management/:40"
    ),
    "CC9030": (
        "compute-servers/compute-cluster:470 compute-servers/monitoring:80 "
        "storage-online/storage-platform:250 storage-online/file-storage:30 "
        "storage-online/backup:110 platform-middleware/identity-access:60"
    ),
    "CC9040": (
        "network-lan/network:520 network-wan/network:360 network-wan/contact-centre:60 "
        "security-digital/security-ops:60"
    ),
    "CC9050": (
        "application-support/sap-erp:290 application-support/mes:100 "
        "application-support/warehouse-mgmt:80 application-support/plm-cad:70 "
        "application-support/hr-system:60 application-support/payroll:50 "
        "application-support/procurement-portal:60 application-support/document-mgmt:50 "
        "application-support/crm:30 application-support/translation:4 "
        "application-development/sap-erp:150 application-development/reporting:6 "
        "application-development/procurement-portal:20 application-development/hr-system:30"
    ),
    "CC9060": (
        "application-development/app-development:330 application-development/ecommerce:210 "
        "application-development/website:90 application-development/crm:60 "
        "application-development/integration-platform:80 application-support/ecommerce:110 "
        "application-support/crm:40 application-support/e-signature:20 "
        "application-support/contact-centre:30 platform-middleware/integration-platform:30"
    ),
    "CC9070": (
        "data-database/data-warehouse-bi:390 data-database/database-platform:270 "
        "application-development/ai-assistant:210 application-development/reporting:50 "
        "application-support/ai-assistant:80"
    ),
    "CC9080": (
        "security-digital/security-ops:560 security-digital/identity-access:240 "
        "platform-middleware/identity-access:100 it-management/:100"
    ),
    "CC9090": (
        "data-center-enterprise/dc-hosting:780 compute-servers/monitoring:140 "
        "storage-online/backup:80"
    ),
    "CC9100": (
        "platform-middleware/integration-platform:240 platform-middleware/plant-iot:150 "
        "platform-middleware/ai-assistant:120 compute-servers/ecommerce:110 "
        "data-database/data-warehouse-bi:110 application-development/app-development:170 "
        "security-digital/security-ops:100"
    ),
    "CC9210": (
        "end-user-help-desk/service-desk:240 end-user-workspace/workplace-laptop:220 "
        "network-lan/network:170 application-support/sap-erp:180 application-support/mes:110 "
        "application-support/payroll:80"
    ),
    "CC9220": "data-center-enterprise/dc-hosting:820 compute-servers/monitoring:180",
}
"""IT cost centre -> tower/service:share in thousandths; each team's shares sum to 1000."""

SHIFTS = {
    ("CC9070", "ai-assistant"): 16,
    ("CC9050", "mes"): 12,
    ("CC9060", "website"): -10,
    ("CC9020", "printing"): -8,
}
"""(team, service) -> thousandths a month by which the hours grow or shrink."""

SEASON = (1040, 990, 1050, 980, 960, 970, 900, 840, 1040, 1080, 1060, 850)


def list_timesheet_rows(settings: Settings, month: Month) -> list[Row]:
    """Rows of the contract timesheets; every IT cost centre in every month."""
    rows: list[Row] = []
    for centre_id, work in WORK.items():
        hours = heads_at(BY_ID[centre_id], month) * HOURS_A_MONTH
        for part in work.split():
            place, share = part.split(":")
            tower, service = place.split("/")
            rng = settings.random("hours", centre_id, place, month.period_id)
            tenths = scale_figure(
                hours * 10 * int(share),
                1,
                SEASON[month.number - 1],
                1000 + SHIFTS.get((centre_id, service), 0) * month.index,
                1000 + rng.randint(-40, 40),
            )
            number = len(rows) + 1
            rows.append(
                {
                    "entry_id": f"H{month.year % 100}{month.number:02d}-{number:03d}",
                    "period_id": month.period_id,
                    "cost_centre_id": centre_id,
                    "person_id": "",
                    "tower_id": tower,
                    "service_id": service,
                    "hours_quantity": format_quantity(Decimal(max(1, tenths)).scaleb(-1)),
                }
            )
    return rows
