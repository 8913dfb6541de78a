"""The asset register, its links to services, and straight-line depreciation.

Depreciation starts in the month of purchase and ends after the useful life. Each asset's months
are made by cumulative rounding, so that they sum to its purchase cost to the cent.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from pipelines.sample_company.basics import (
    Month,
    Row,
    divide_half_up,
    format_cents,
    scale_figure,
)
from pipelines.sample_company.company import ENTITY_CURRENCY

DEPRECIATION_ACCOUNTS = {
    "server": "6210",
    "storage": "6211",
    "network": "6212",
    "laptop": "6213",
    "printer": "6213",
    "data-centre": "6214",
}


@dataclass(frozen=True)
class Asset:
    """One asset or one lot of equal assets."""

    id: str
    name: str
    asset_class: str
    entity: str
    centre: str
    purchased: date
    cents: int
    life: int
    application: str
    capacity: str = ""
    unit: str = ""

    @property
    def retired(self) -> date:
        """The first day after the useful life; the company uses nothing longer than that."""
        months = self.purchased.year * 12 + self.purchased.month - 1 + self.life
        return date(months // 12, months % 12 + 1, 1)

    def depreciation_cents(self, month: Month) -> int:
        """The month's depreciation by cumulative rounding; 0 outside the useful life."""
        start = self.purchased.year * 12 + self.purchased.month
        age = month.year * 12 + month.number - start
        if not 0 <= age < self.life:
            return 0
        before = divide_half_up(self.cents * age, self.life)
        return divide_half_up(self.cents * (age + 1), self.life) - before


APPLICATION_SERVICES: dict[str, tuple[tuple[str, int], ...]] = {
    "APP-VIRTUALISATION": (("compute-cluster", 1),),
    "APP-STORAGE": (("storage-platform", 1),),
    "APP-BACKUP": (("backup", 1),),
    "APP-OFFICE-LAN": (("network", 1),),
    "APP-PLANT-LAN": (("network", 50), ("mes", 30), ("plant-iot", 20)),
    "APP-MES": (("mes", 1),),
    "APP-IOT-EDGE": (("plant-iot", 1),),
    "APP-LAPTOP": (("workplace-laptop", 1),),
    "APP-PRINT": (("printing", 1),),
    "APP-DATA-CENTRE": (("dc-hosting", 1),),
}


def _servers() -> list[Asset]:
    assets = []
    batches = (
        (2020, 3, 10, 3_650_000),
        (2023, 5, 20, 3_820_000),
        (2025, 2, 10, 4_140_000),
    )
    number = 0
    for year, month, count, cents in batches:
        for _ in range(count):
            number += 1
            name = f"Cluster host {number:02d}"
            assets.append(
                Asset(
                    f"SRV-{number:03d}",
                    name,
                    "server",
                    "DE01",
                    "CC9030",
                    date(year, month, 12),
                    cents,
                    60,
                    "APP-VIRTUALISATION",
                    "140",
                    "vcpu-month",
                )
            )
    for index in range(6):
        entity, centre = ("CH01", "CC9210") if index > 3 else ("DE01", "CC9030")
        bought = date(2024, 1 + index, 20)
        name = f"Shop floor server {index + 1}"
        assets.append(
            Asset(
                f"SRV-1{index:02d}",
                name,
                "server",
                entity,
                centre,
                bought,
                2_240_000 + 35_000 * index,
                60,
                "APP-MES",
            )
        )
    for index in range(3):
        bought = date(2024, 3 + 6 * index, 5) if index < 2 else date(2025, 6, 5)
        name = f"IoT gateways lot {index + 1}"
        cents = 4_680_000 + 210_000 * index
        assets.append(
            Asset(
                f"SRV-2{index:02d}",
                name,
                "server",
                "DE01",
                "CC9030",
                bought,
                cents,
                48,
                "APP-IOT-EDGE",
            )
        )
    return assets


def _storage() -> list[Asset]:
    arrays = (
        ("STO-001", "Array A", date(2022, 9, 14), 39_800_000, "240"),
        ("STO-002", "Array B", date(2023, 6, 8), 42_500_000, "260"),
        ("STO-003", "Array C", date(2024, 4, 22), 43_900_000, "260"),
        ("STO-004", "Array D", date(2026, 3, 3), 64_800_000, "220"),
    )
    libraries = (
        ("STO-101", "Backup library 1", date(2022, 2, 10), 24_600_000, "480"),
        ("STO-102", "Backup library 2", date(2023, 10, 17), 27_300_000, "520"),
    )
    return [
        Asset(
            *row[:2],
            "storage",
            "DE01",
            "CC9030",
            row[2],
            row[3],
            60,
            app,
            row[4],
            "tb-month",
        )
        for rows, app in ((arrays, "APP-STORAGE"), (libraries, "APP-BACKUP"))
        for row in rows
    ]


def _network() -> list[Asset]:
    sites = (
        (
            "Stuttgart office",
            "DE01",
            "APP-OFFICE-LAN",
            21_400_000,
            "1500",
            date(2021, 5, 6),
        ),
        (
            "Stuttgart plant",
            "DE01",
            "APP-PLANT-LAN",
            26_900_000,
            "900",
            date(2022, 3, 9),
        ),
        ("Ulm plant", "DE01", "APP-PLANT-LAN", 19_200_000, "700", date(2023, 8, 21)),
        (
            "Central warehouse",
            "DE01",
            "APP-OFFICE-LAN",
            12_700_000,
            "450",
            date(2022, 11, 2),
        ),
        (
            "Sales offices",
            "DE01",
            "APP-OFFICE-LAN",
            9_800_000,
            "600",
            date(2023, 2, 13),
        ),
        (
            "Research campus",
            "DE01",
            "APP-OFFICE-LAN",
            14_100_000,
            "550",
            date(2024, 7, 1),
        ),
        ("Winterthur", "CH01", "APP-PLANT-LAN", 17_600_000, "500", date(2022, 6, 27)),
        (
            "Zurich office",
            "CH01",
            "APP-OFFICE-LAN",
            6_300_000,
            "250",
            date(2024, 9, 16),
        ),
    )
    assets = []
    for index, (site, entity, app, cents, ports, bought) in enumerate(sites, start=1):
        centre = "CC9040" if entity == "DE01" else "CC9210"
        name = f"Switches and access points {site}"
        assets.append(
            Asset(
                f"NET-{index:03d}",
                name,
                "network",
                entity,
                centre,
                bought,
                cents,
                72,
                app,
                ports,
                "port",
            )
        )
    firewalls = ((2022, 10, 18_800_000), (2025, 11, 20_700_000))
    for index, (year, month, cents) in enumerate(firewalls, start=1):
        name = f"Firewall cluster {index}"
        bought = date(year, month, 11)
        assets.append(
            Asset(
                f"NET-1{index:02d}",
                name,
                "network",
                "DE01",
                "CC9040",
                bought,
                cents,
                60,
                "APP-OFFICE-LAN",
            )
        )
    return assets


def _end_user() -> list[Asset]:
    assets = []
    for quarter in range(20):
        year, month = 2021 + (11 + 3 * quarter) // 12, (11 + 3 * quarter) % 12 + 1
        for entity, centre, base in (("DE01", "CC9020", 252), ("CH01", "CC9210", 26)):
            # Of the pieces of a lot 71 % are laptops, the others monitors and docks.
            pieces = base + 7 * (quarter % 3)
            laptops = scale_figure(pieces, 710)
            price = 112_000 + 900 * quarter
            assets.append(
                Asset(
                    f"LAP-{entity[:2]}-{year}{month:02d}",
                    f"Laptops and monitors {year}-{month:02d}, {pieces} pieces",
                    "laptop",
                    entity,
                    centre,
                    date(year, month, 15),
                    pieces * price,
                    36,
                    "APP-LAPTOP",
                    str(laptops),
                    "device",
                )
            )
    printers = (
        (2020, 10, 31_500_000, "DE01"),
        (2022, 1, 28_400_000, "DE01"),
        (2024, 2, 6_900_000, "CH01"),
    )
    for index, (year, month, cents, entity) in enumerate(printers, start=1):
        centre = "CC9020" if entity == "DE01" else "CC9210"
        bought = date(year, month, 10)
        name = f"Printers lot {index}"
        assets.append(
            Asset(
                f"PRT-{index:03d}",
                name,
                "printer",
                entity,
                centre,
                bought,
                cents,
                84,
                "APP-PRINT",
            )
        )
    return assets


def _data_centres() -> list[Asset]:
    rows = (
        (
            "DCE-001",
            "Power supply Stuttgart",
            "DE01",
            "CC9090",
            date(2019, 4, 1),
            68_000_000,
            144,
        ),
        (
            "DCE-002",
            "Cooling Stuttgart",
            "DE01",
            "CC9090",
            date(2020, 9, 1),
            54_500_000,
            144,
        ),
        (
            "DCE-003",
            "Fire protection Stuttgart",
            "DE01",
            "CC9090",
            date(2021, 2, 1),
            16_200_000,
            120,
        ),
        (
            "DCE-004",
            "Generator Stuttgart",
            "DE01",
            "CC9090",
            date(2023, 3, 1),
            31_900_000,
            180,
        ),
        (
            "DCE-101",
            "Power supply Winterthur",
            "CH01",
            "CC9220",
            date(2021, 6, 1),
            22_700_000,
            144,
        ),
        (
            "DCE-102",
            "Cooling Winterthur",
            "CH01",
            "CC9220",
            date(2022, 5, 1),
            18_300_000,
            144,
        ),
    )
    return [
        Asset(
            row[0],
            row[1],
            "data-centre",
            row[2],
            row[3],
            row[4],
            row[5],
            row[6],
            "APP-DATA-CENTRE",
        )
        for row in rows
    ]


ASSETS: tuple[Asset, ...] = (
    *_servers(),
    *_storage(),
    *_network(),
    *_end_user(),
    *_data_centres(),
)


def depreciation_by_line(month: Month) -> dict[tuple[str, str, str], int]:
    """(asset class, entity, cost centre) -> cents of depreciation in the entity's currency."""
    totals: dict[tuple[str, str, str], int] = defaultdict(int)
    for asset in ASSETS:
        cents = asset.depreciation_cents(month)
        if cents:
            totals[asset.asset_class, asset.entity, asset.centre] += cents
    return dict(sorted(totals.items()))


def list_asset_rows(last: Month) -> list[Row]:
    """Rows of the contract assets. Retirements after `last` are not known yet."""
    return [
        {
            "asset_id": asset.id,
            "asset_name": asset.name,
            "asset_class": asset.asset_class,
            "legal_entity_id": asset.entity,
            "cost_centre_id": asset.centre,
            "purchase_date": asset.purchased.isoformat(),
            "currency_code": ENTITY_CURRENCY[asset.entity],
            "purchase_amount_local": format_cents(asset.cents),
            "useful_life_months": str(asset.life),
            "capacity_quantity": asset.capacity,
            "capacity_unit_code": asset.unit,
            "retired_date": asset.retired.isoformat() if asset.retired <= last.next.start else "",
        }
        for asset in ASSETS
    ]


def list_relation_rows() -> list[Row]:
    """Rows of the contract asset_relations: asset -> application -> service."""
    links = [("asset", asset.id, "application", asset.application, 1) for asset in ASSETS]
    links += [
        ("application", application, "service", service, weight)
        for application, services in APPLICATION_SERVICES.items()
        for service, weight in services
    ]
    return [
        {
            "from_kind": from_kind,
            "from_id": from_id,
            "to_kind": to_kind,
            "to_id": to_id,
            "share_weight": str(weight),
        }
        for from_kind, from_id, to_kind, to_id, weight in links
    ]
