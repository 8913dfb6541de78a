"""Metered use, planned use and licence seats.

The deliberate faults of the use of 2026-09 and 2026-10 are made here: a cost centre that the
master does not know, and a service that the catalogue does not know.
"""

from __future__ import annotations

from decimal import Decimal

from pipelines.cost_model.schema import Service
from pipelines.sample_company.basics import (
    Month,
    Row,
    Settings,
    compound,
    divide_half_up,
    format_quantity,
    scale_figure,
)
from pipelines.sample_company.company import COST_CENTRES, copies_of, heads_at, unit_at
from pipelines.sample_company.ledger_items import SEASONS
from pipelines.sample_company.usage_profiles import (
    CRM_LAST_PERIOD,
    CRM_LEAVERS,
    PROFILES,
    SEATS,
    Profile,
)

UNKNOWN_CENTRE = ("2026-10", "file-storage", "CC9900", "420")
UNKNOWN_SERVICE = ("2026-09", "fax-gateway", "CC1320", "35", "fax-page")
AI_STEPS = (1000, 1149, 1320, 1516, 1741)
"""The fifth roots of two: use doubles every five months."""
FIRST_PLANNED = 2
"""Index of 2025-01, from which use is planned."""


def list_usage_rows(settings: Settings, services: dict[str, Service], month: Month) -> list[Row]:
    """Rows of the contract service_usage for one month."""
    rows = []
    for service_id, profile in PROFILES.items():
        if month.period_id > profile.last_period:
            continue
        factors = (
            _growth(service_id, profile, month),
            SEASONS[profile.season][month.number - 1],
        )
        for kind, receiver, thousandths in _receivers(profile, month):
            rng = settings.random("usage", service_id, receiver, month.period_id)
            noise = 1000 + rng.randint(-profile.noise, profile.noise)
            quantity = _round(scale_figure(thousandths, *factors, noise), profile.places)
            copies = (
                copies_of(receiver, settings.scale) if _is_copied(kind, receiver) else [receiver]
            )
            unit = services[service_id].unit
            rows += [
                _row(month, service_id, (kind, copy), quantity=quantity, unit=unit)
                for copy in copies
            ]
    return rows + _deliberate_faults(month, services)


def _is_copied(kind: str, receiver: str) -> bool:
    return kind == "consumer" and not receiver.startswith("CC9")


def _deliberate_faults(month: Month, services: dict[str, Service]) -> list[Row]:
    faults = []
    period_id, service_id, centre, quantity = UNKNOWN_CENTRE
    faults.append((period_id, service_id, centre, quantity, services[service_id].unit))
    faults.append(UNKNOWN_SERVICE)
    return [
        _row(month, service_id, ("consumer", centre), quantity=Decimal(quantity), unit=unit)
        for period_id, service_id, centre, quantity, unit in faults
        if period_id == month.period_id
    ]


def list_planned_rows(services: dict[str, Service], month: Month) -> list[Row]:
    """Rows of planned use for one month: no noise, no season, growth as known each January.

    The AI assistant is planned by the month, with less growth than it turned out to have.
    """
    rows = []
    planned_from = Month(2 if month.year == 2025 else 14)
    for service_id, profile in PROFILES.items():
        growth = profile.growth if profile.plan_growth is None else profile.plan_growth
        factor = 1000 + growth * (planned_from.index + 5)
        if service_id == "ai-assistant":
            factor = compound(growth, month.index)
        for kind, receiver, thousandths in _receivers(profile, planned_from):
            quantity = _round(scale_figure(thousandths, factor), profile.places)
            unit = services[service_id].unit
            rows.append(_row(month, service_id, (kind, receiver), quantity=quantity, unit=unit))
    return rows


def _growth(service_id: str, profile: Profile, month: Month) -> int:
    if service_id == "ai-assistant":
        return int(AI_STEPS[month.index % 5] * 2 ** (month.index // 5))
    return 1000 + profile.growth * month.index


def _receivers(profile: Profile, month: Month) -> list[tuple[str, str, int]]:
    """(kind, id, thousandths of a unit before growth) in the order of the master."""
    found = []
    for centre in COST_CENTRES:
        # Habits stay with the people: the rate is that of the unit before the reorganisation.
        rate = profile.people.get(centre.id, profile.people.get(centre.unit, 0))
        if rate:
            found.append(("consumer", centre.id, rate * heads_at(centre, month)))
    found += [("service", service, units * 1000) for service, units in profile.services.items()]
    return found


def _round(thousandths: int, places: int) -> Decimal:
    """Thousandths of a unit as units with so many decimals; never below one step."""
    step: int = 10 ** (3 - places)
    return Decimal(max(1, divide_half_up(thousandths, step))).scaleb(-places)


def _row(
    month: Month, service: str, receiver: tuple[str, str], *, quantity: Decimal, unit: str
) -> Row:
    return {
        "period_id": month.period_id,
        "service_id": service,
        "receiver_kind": receiver[0],
        "receiver_id": receiver[1],
        "quantity": format_quantity(quantity),
        "unit_code": unit,
    }


def list_licence_rows(settings: Settings, month: Month) -> list[Row]:
    """Rows of the contract licences: seats by product and cost centre."""
    rows = []
    for product_id, product in SEATS.items():
        service_id, rates = product.service, product.people
        for centre in COST_CENTRES:
            rate = rates.get(centre.id, rates.get(centre.unit, 0))
            has_left = (
                service_id == "crm"
                and month.period_id > CRM_LAST_PERIOD
                and CRM_LEAVERS in (centre.unit, unit_at(centre, month))
            )
            if not rate or has_left:
                continue
            rng = settings.random("seats", product_id, centre.id, str(month.index // 3))
            seats = scale_figure(centre.heads * rate, 1) + rng.randint(0, 2)
            seats += divide_half_up(seats * month.index * 2, 1000)
            rows.append(
                {
                    "period_id": month.period_id,
                    "product_id": product_id,
                    "product_name": product.name,
                    "service_id": service_id,
                    "cost_centre_id": centre.id,
                    "seats_quantity": str(seats),
                }
            )
    return rows
