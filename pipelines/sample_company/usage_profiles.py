"""Who uses which service, and how much: the profiles behind metered and planned use.

The figures are in facts/usage_profiles.yml. A profile gives, for each business unit or cost
centre, the use of one person a month in thousandths of the service's unit; services that use
other services are listed with a quantity. Units are not repeated there: they are read from the
workspace's services.yml.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from pipelines.workspace.yaml_files import read_yaml_model

CRM_LEAVERS = "ECO"
CRM_LAST_PERIOD = "2026-05"
"""The e-commerce unit keeps its customers in the shop from June 2026 and returns its CRM seats."""


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Profile(Strict):
    """The use of one service in 2024-11, and how it moves."""

    people: dict[str, int] = {}
    """Business unit or cost centre -> thousandths of a unit for each person."""
    services: dict[str, int] = {}
    """Consuming service -> units."""
    growth: int = 0
    """Thousandths a month."""
    noise: int = 20
    season: str = "none"
    places: int = 0
    last_period: str = "9999-12"
    plan_growth: int | None = None
    """Thousandths a month that the plan expects, where it is not `growth`."""


class Product(Strict):
    """A licensed product and who holds its seats."""

    name: str
    service: str
    people: dict[str, int]


class UsageFacts(Strict):
    """facts/usage_profiles.yml"""

    profiles: dict[str, Profile]
    seats: dict[str, Product]


FACTS = read_yaml_model(Path(__file__).parent / "facts" / "usage_profiles.yml", UsageFacts)
PROFILES = FACTS.profiles
SEATS = FACTS.seats
