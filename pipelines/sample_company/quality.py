"""Tickets and outages: how good the services are, and how much work they make.

Targets come from the service levels of the catalogue, tightened or widened by priority. The
story of 2026 is made here: the tickets of manufacturing execution (MES) are resolved later and
later, and its outages grow.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from pipelines.cost_model.schema import Service
from pipelines.sample_company.basics import Month, Row, Settings, scale_figure
from pipelines.sample_company.company import COST_CENTRES, CostCentre, heads_at

TICKETS_A_MONTH = 246
SLIDING_SERVICE = "mes"
SLIDE_STARTS = 14
"""Index of 2026-01."""

TICKET_WEIGHTS = {
    "workplace-laptop": 32, "service-desk": 26, "sap-erp": 26, "reporting": 24, "mes": 18,
    "email-collaboration": 20, "printing": 13, "network": 10, "crm": 8, "mobile": 8,
    "data-warehouse-bi": 8, "ecommerce": 7, "video-conferencing": 7, "identity-access": 6,
    "plm-cad": 6, "file-storage": 6, "warehouse-mgmt": 6, "hr-system": 5,
    "procurement-portal": 5, "ai-assistant": 4, "contact-centre": 4, "app-development": 4,
    "document-mgmt": 3, "payroll": 3, "integration-platform": 3, "plant-iot": 3,
    "compute-cluster": 3, "database-platform": 2, "e-signature": 2, "backup": 2,
    "storage-platform": 2, "website": 2, "security-ops": 2, "monitoring": 1, "translation": 1,
    "dc-hosting": 1,
}  # fmt: skip
"""Tickets of a service among the about 250 of a month."""

EFFORT_MINUTES = {
    "reporting": 240, "app-development": 150, "sap-erp": 75, "mes": 85, "data-warehouse-bi": 80,
    "workplace-laptop": 48, "email-collaboration": 26, "printing": 32, "mobile": 30,
    "video-conferencing": 35, "service-desk": 18,
}  # fmt: skip
"""Usual minutes of work on a ticket; others take 50."""

PRIORITY_PERMILLE = {1: 250, 2: 500, 3: 1000, 4: 2000}
"""Targets of a priority in thousandths of the service level."""
RETIRED = {"translation": "2026-08"}


def list_ticket_rows(
    settings: Settings, services: dict[str, Service], month: Month, last: Month
) -> list[Row]:
    """Rows of the contract tickets opened in the month, in the order of opening."""
    rng = settings.random("tickets", month.period_id)
    season = (1020, 1000, 1010, 990, 980, 990, 960, 930, 1030, 1040, 1050, 960)[month.number - 1]
    count = scale_figure(TICKETS_A_MONTH, season) * settings.scale
    weights = {
        service: weight * (1 + (service == "ai-assistant" and month.index >= 12))
        for service, weight in TICKET_WEIGHTS.items()
        if month.period_id <= RETIRED.get(service, "9999-12")
    }
    chosen = rng.choices(list(weights), list(weights.values()), k=count)
    # Reports are priced by request: there is one in every month, whatever chance says.
    chosen += ["reporting"] * max(0, 4 - chosen.count("reporting"))
    openings = sorted((_opening(rng, month), service) for service in chosen)
    end = datetime.combine(last.next.start, datetime.min.time())
    return [
        _ticket(rng, services[service], opened=opened, month=month, number=number, end=end)
        for number, (opened, service) in enumerate(openings, start=1)
    ]


def _opening(rng: random.Random, month: Month) -> datetime:
    """A moment in the month, mostly on a working day between 6 and 17 UTC.

    Never after 21 UTC, so that the month is the same in the company's time zone.
    """
    while True:
        day = month.day(rng.randint(1, month.days))
        if day.weekday() < 5 or rng.randint(1, 10) == 1:
            break
    minute = rng.randint(6 * 60, 17 * 60) if rng.randint(1, 20) > 1 else rng.randint(0, 21 * 60)
    return datetime.combine(day, datetime.min.time()) + timedelta(
        minutes=minute, seconds=rng.randint(0, 59)
    )


def _ticket(
    rng: random.Random,
    service: Service,
    *,
    opened: datetime,
    month: Month,
    number: int,
    end: datetime,
) -> Row:
    kind = rng.choices(("incident", "request", "change"), (52, 38, 10))[0]
    kind = {"reporting": "request", "app-development": "change"}.get(service.id, kind)
    priority = rng.choices((1, 2, 3, 4), (3, 14, 58, 25))[0]
    level = service.service_level
    response = scale_figure(level.response_minutes or 120, PRIORITY_PERMILLE[priority])
    resolution = scale_figure(level.resolution_minutes or 960, PRIORITY_PERMILLE[priority])
    responded_after, resolved_after = _durations(rng, service.id, month, response, resolution)
    responded = opened + timedelta(minutes=responded_after, seconds=rng.randint(0, 59))
    resolved = opened + timedelta(minutes=max(resolved_after, responded_after + 1))
    usual = EFFORT_MINUTES.get(service.id, 50)
    effort = max(3, scale_figure(usual, rng.randint(250, 1750)))
    has_centre = service.id in ("service-desk", "reporting") or rng.randint(1, 100) > 6
    centre = _pick_centre(rng, month, service.id) if has_centre else None
    return {
        "ticket_id": f"T{month.year % 100}{month.number:02d}-{number:04d}",
        "ticket_type": kind,
        "service_id": service.id,
        "cost_centre_id": centre.id if centre else "",
        "priority": str(priority),
        "opened_at": _stamp(opened),
        "responded_at": _stamp(responded) if responded < end else "",
        "resolved_at": _stamp(resolved) if resolved < end else "",
        "effort_minutes": str(effort),
        "response_target_minutes": str(response),
        "resolution_target_minutes": str(resolution),
    }


def _durations(
    rng: random.Random, service_id: str, month: Month, response: int, resolution: int
) -> tuple[int, int]:
    """Minutes until response and resolution; about 5 % late, MES in 2026 ever more."""
    late_response, late_resolution = 40, 55
    if service_id == SLIDING_SERVICE and month.index >= SLIDE_STARTS:
        slide = month.index - SLIDE_STARTS + 1
        late_response, late_resolution = 40 + 16 * slide, 55 + 58 * slide
    responded = _duration(rng, response, late_response)
    return responded, _duration(rng, resolution, late_resolution)


def _duration(rng: random.Random, target: int, late_permille: int) -> int:
    if rng.randint(1, 1000) <= late_permille:
        return max(2, scale_figure(target, rng.randint(1050, 2600)))
    return max(1, scale_figure(target, rng.randint(60, 930)))


def _pick_centre(rng: random.Random, month: Month, service_id: str) -> CostCentre:
    def weight(centre: CostCentre) -> int:
        heads = heads_at(centre, month)
        if service_id == "mes":
            return heads if centre.unit in ("ENG", "CMP") else 0
        if service_id == "reporting":
            return heads if centre.unit in ("FIN", "SCE", "SAM", "PRO", "LOG") else 0
        # People at machines call less often than people at desks.
        return heads if centre.unit in ("ENG", "CMP", "QMT", "LOG") else heads * 4

    return rng.choices(COST_CENTRES, [weight(centre) for centre in COST_CENTRES])[0]


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


OUTAGE_CAUSES = {
    "mes": (
        "Interface to SAP stopped", "Database of the shop floor full", "Update failed",
        "Cluster node down",
    ),
    "network": ("Fibre cut", "Switch failed"),
    "ecommerce": ("Payment provider down", "Release rolled back"),
    "sap-erp": ("Batch blocked the system", "Update failed"),
    "email-collaboration": ("Provider fault",),
    "data-warehouse-bi": ("Nightly load late",),
    "contact-centre": ("Trunk failed",),
    "warehouse-mgmt": ("Scanner gateway down",),
    "plm-cad": ("Licence server down",),
    "file-storage": ("Array failover",),
}  # fmt: skip


def list_outage_rows(settings: Settings, month: Month) -> list[Row]:
    """Rows of the contract outages that started in the month."""
    rng = settings.random("outages", month.period_id)
    found: list[tuple[datetime, str, int, bool, str]] = []
    for service in ("sap-erp", "mes"):
        day = datetime.combine(month.day(8 + rng.randint(0, 6)), datetime.min.time())
        start = day + timedelta(hours=21)
        found.append((start, service, rng.randint(90, 180), True, "Monthly maintenance"))
    services = [service for service in OUTAGE_CAUSES if service != SLIDING_SERVICE]
    for service in rng.sample(services, rng.randint(2, 3)):
        cause = rng.choice(OUTAGE_CAUSES[service])
        found.append((_opening(rng, month), service, rng.randint(12, 95), False, cause))
    slide = max(0, month.index - SLIDE_STARTS + 1)
    for _ in range((1 if month.index % 2 else 0) + (slide + 1) // 2):
        cause = rng.choice(OUTAGE_CAUSES[SLIDING_SERVICE])
        minutes = rng.randint(25, 60) + slide * rng.randint(8, 14)
        found.append((_opening(rng, month), SLIDING_SERVICE, minutes, False, cause))
    return [
        {
            "outage_id": f"O{month.year % 100}{month.number:02d}-{number:02d}",
            "service_id": service,
            "started_at": _stamp(start),
            "ended_at": _stamp(start + timedelta(minutes=minutes)),
            "is_planned": "true" if is_planned else "false",
            "cause": cause,
        }
        for number, (start, service, minutes, is_planned, cause) in enumerate(
            sorted(found), start=1
        )
    ]
