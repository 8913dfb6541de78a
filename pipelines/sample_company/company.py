"""Meridian Group: legal entities, business units, cost centres and the people in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pipelines.sample_company.basics import Month, Row, Settings, scale_figure

FOUNDED = date(2020, 1, 1)
REORGANISATION = date(2026, 7, 1)

ENTITIES = {"DE01": "Meridian Group SE", "CH01": "Meridian Schweiz AG"}
ENTITY_CURRENCY = {"DE01": "EUR", "CH01": "CHF"}

OPERATIONS, COMMERCIAL = "Operations", "Commercial"
TECHNOLOGY, CORPORATE = "Technology", "Corporate Functions"

BUSINESS_UNITS = {
    "ENG": ("Engine Manufacturing", OPERATIONS),
    "CMP": ("Component Manufacturing", OPERATIONS),
    "QMT": ("Quality and Maintenance", OPERATIONS),
    "LOG": ("Logistics", OPERATIONS),
    "SCE": ("Sales Central Europe", COMMERCIAL),
    "SCH": ("Sales Switzerland and Italy", COMMERCIAL),
    "SAM": ("Sales Americas", COMMERCIAL),
    "ECO": ("E-Commerce", COMMERCIAL),
    "CSV": ("Customer Service", COMMERCIAL),
    "RND": ("Research and Development", TECHNOLOGY),
    "FIN": ("Finance", CORPORATE),
    "HRM": ("Human Resources", CORPORATE),
    "PRO": ("Procurement", CORPORATE),
    "LGL": ("Legal and Communications", CORPORATE),
    "IT": ("IT", CORPORATE),
}


@dataclass(frozen=True)
class CostCentre:
    """A cost centre; `heads` are its full-time equivalents in 2024-11."""

    id: str
    name: str
    unit: str
    entity: str
    manager: str
    heads: int

    @property
    def is_it(self) -> bool:
        return self.unit == "IT"


def _centres(unit: str, *rows: tuple[str, str, str, str, int]) -> list[CostCentre]:
    return [CostCentre(row[0], row[1], unit, row[2], row[3], row[4]) for row in rows]


COST_CENTRES: tuple[CostCentre, ...] = (
    *_centres(
        "ENG",
        ("CC1010", "Foundry", "DE01", "Bernd Schulte", 180),
        ("CC1020", "Machining", "DE01", "Karin Wolff", 220),
        ("CC1030", "Engine Assembly", "DE01", "Oliver Maas", 260),
        ("CC1040", "Plant Management Stuttgart", "DE01", "Heike Sauer", 40),
    ),
    *_centres(
        "CMP",
        ("CC1110", "Press Shop", "DE01", "Uwe Franke", 150),
        ("CC1120", "Component Assembly", "DE01", "Nadine Ott", 190),
        ("CC1130", "Plant Winterthur", "CH01", "Reto Meier", 120),
    ),
    *_centres(
        "QMT",
        ("CC1210", "Quality Laboratory", "DE01", "Elena Rossi", 60),
        ("CC1220", "Maintenance", "DE01", "Dirk Hansen", 110),
        ("CC1230", "Energy and Facilities", "DE01", "Monika Pohl", 35),
    ),
    *_centres(
        "LOG",
        ("CC1310", "Central Warehouse", "DE01", "Thomas Beck", 140),
        ("CC1320", "Transport", "DE01", "Silke Arndt", 60),
        ("CC1330", "Spare Parts Warehouse", "DE01", "Jan Peters", 80),
        ("CC1340", "Warehouse Winterthur", "CH01", "Urs Frei", 35),
    ),
    *_centres(
        "SCE",
        ("CC2110", "Key Accounts", "DE01", "Andrea Simon", 70),
        ("CC2120", "Field Sales Germany", "DE01", "Marco Engel", 120),
        ("CC2130", "Sales Back Office", "DE01", "Tanja Busch", 55),
    ),
    *_centres(
        "SCH",
        ("CC2210", "Sales Switzerland", "CH01", "Beat Huber", 60),
        ("CC2220", "Sales Italy", "CH01", "Chiara Conti", 45),
    ),
    *_centres(
        "SAM",
        ("CC2310", "Sales North America", "DE01", "Laura Kim", 75),
        ("CC2320", "Sales Latin America", "DE01", "Diego Ramos", 40),
    ),
    *_centres(
        "ECO",
        ("CC2410", "Online Shop", "DE01", "Mia Lorenz", 45),
        ("CC2420", "Dealer Business", "DE01", "Kai Stein", 30),
    ),
    *_centres(
        "CSV",
        ("CC2510", "Customer Hotline", "DE01", "Vera Kolb", 90),
        ("CC2520", "Field Service", "DE01", "Ingo Reuter", 130),
        ("CC2530", "Technical Documentation", "DE01", "Paula Dietz", 25),
    ),
    *_centres(
        "RND",
        ("CC2610", "Engine Development", "DE01", "Georg Thiel", 140),
        ("CC2620", "Component Development", "DE01", "Yasmin Aydin", 95),
        ("CC2630", "Test Bench", "DE01", "Holger Brinkmann", 50),
        ("CC2640", "Innovation Lab", "DE01", "Nora Winkler", 20),
    ),
    *_centres(
        "FIN",
        ("CC3110", "Accounting", "DE01", "Christa Moll", 60),
        ("CC3120", "Controlling", "DE01", "Philipp Graf", 35),
        ("CC3130", "Treasury and Tax", "DE01", "Renate Voss", 15),
        ("CC3140", "Accounting Switzerland", "CH01", "Daniela Zingg", 18),
    ),
    *_centres(
        "HRM",
        ("CC3210", "HR Services", "DE01", "Julia Ebert", 45),
        ("CC3220", "Recruiting and Training", "DE01", "Simon Kraft", 20),
    ),
    *_centres(
        "PRO",
        ("CC3310", "Strategic Purchasing", "DE01", "Lars Hoffmann", 40),
        ("CC3320", "Operational Purchasing", "DE01", "Anja Kuhn", 35),
    ),
    *_centres(
        "LGL",
        ("CC3410", "Legal", "DE01", "Martin Seidel", 20),
        ("CC3420", "Communications", "DE01", "Eva Lindt", 25),
        ("CC3430", "Executive Board", "DE01", "Ulrike Bauer", 12),
    ),
    *_centres(
        "IT",
        ("CC9010", "CIO Office", "DE01", "Henrik Adler", 12),
        ("CC9020", "Service Desk and Workplace", "DE01", "Sabine Krueger", 26),
        ("CC9030", "Compute and Storage", "DE01", "Markus Hahn", 16),
        ("CC9040", "Network and Telecom", "DE01", "Claudia Berger", 11),
        ("CC9050", "Business Applications", "DE01", "Katrin Vogel", 30),
        ("CC9060", "Digital and Development", "DE01", "Felix Sommer", 22),
        ("CC9070", "Data and Analytics", "DE01", "Jonas Weber", 14),
        ("CC9080", "Information Security", "DE01", "Lena Fischer", 9),
        ("CC9090", "Data Centre Operations", "DE01", "Ralf Neumann", 8),
        ("CC9100", "Cloud Platform", "DE01", "Felix Sommer", 8),
        ("CC9210", "IT Switzerland", "CH01", "Nicole Widmer", 10),
        ("CC9220", "Data Centre Winterthur", "CH01", "Adrian Keller", 3),
    ),
)

MOVES = {"CC1330": "CSV", "CC2420": "SCE", "CC2530": "RND"}
"""Cost centres that move on the day of the reorganisation, and where to."""

BY_ID = {centre.id: centre for centre in COST_CENTRES}
IT_CENTRES = tuple(centre for centre in COST_CENTRES if centre.is_it)
BUSINESS_CENTRES = tuple(centre for centre in COST_CENTRES if not centre.is_it)


def unit_at(centre: CostCentre, month: Month) -> str:
    """The business unit that a cost centre belongs to in a month."""
    return MOVES.get(centre.id, centre.unit) if month.start >= REORGANISATION else centre.unit


def heads_at(centre: CostCentre, month: Month) -> int:
    """People of a cost centre: R&D, sales and service grow, manufacturing shrinks a little."""
    yearly = {"RND": 30, "CSV": 25, "ECO": 45, "SAM": 30, "ENG": -15, "CMP": -10}.get(
        centre.unit, 6
    )
    return max(1, scale_figure(centre.heads, 1000 + yearly * month.index // 12))


def copies_of(centre_id: str, scale: int) -> list[str]:
    """The cost centre and, above scale 1, its copies, which a load test adds to the master."""
    return [centre_id] + [f"{centre_id}-{number:03d}" for number in range(2, scale + 1)]


def list_cost_centre_rows(settings: Settings) -> list[Row]:
    """Rows of the contract cost_centres; a centre that moves has two, half-open."""
    rows = []
    for centre in COST_CENTRES:
        spans: list[tuple[str, date, date | None]] = [(centre.unit, FOUNDED, None)]
        if centre.id in MOVES:
            spans = [
                (centre.unit, FOUNDED, REORGANISATION),
                (MOVES[centre.id], REORGANISATION, None),
            ]
        ids = [centre.id] if centre.is_it else copies_of(centre.id, settings.scale)
        for centre_id in ids:
            rows += [_to_row(centre, centre_id, *span) for span in spans]
    return rows


def _to_row(
    centre: CostCentre,
    centre_id: str,
    unit: str,
    valid_from: date,
    valid_to: date | None,
) -> Row:
    unit_name, division = BUSINESS_UNITS[unit]
    return {
        "cost_centre_id": centre_id,
        "cost_centre_name": centre.name,
        "business_unit_id": unit,
        "business_unit_name": unit_name,
        "division_name": division,
        "legal_entity_id": centre.entity,
        "legal_entity_name": ENTITIES[centre.entity],
        "manager_name": centre.manager,
        "is_it": "true" if centre.is_it else "false",
        "valid_from": valid_from.isoformat(),
        "valid_to": valid_to.isoformat() if valid_to else "",
    }


def list_headcount_rows(months: tuple[Month, ...]) -> list[Row]:
    """Rows of the contract headcount."""
    return [
        {
            "period_id": month.period_id,
            "cost_centre_id": centre.id,
            "headcount_quantity": str(heads_at(centre, month)),
        }
        for month in months
        for centre in COST_CENTRES
    ]
