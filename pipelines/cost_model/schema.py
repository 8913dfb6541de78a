"""The typed form of the rule files in a workspace's `cost_model/` directory.

Five files, each a mapping with lists; a sixth one, tagging.yml, has its form in `tagging`. Every
list entry may be effective-dated: `valid_from` is inclusive, `valid_to` exclusive, both optional.
Unknown keys are refused, so that a typo is found by the reader of the file and not by the reader
of the bill.

| file            | what it says                                                         |
|-----------------|----------------------------------------------------------------------|
| pools.yml       | cost pools, and which ledger lines belong to which (or to none)      |
| towers.yml      | resource towers, and how the pools' money is split over them         |
| services.yml    | the service catalogue, who pays by which driver, at which policy     |
| allocation.yml  | how the towers' money is split over services; shared-service method  |
| drivers.yml     | the drivers: where their quantities come from and in which unit      |
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipelines.cost_model.forms import Approvable, Globs, Id, Strict
from pipelines.cost_model.policies import AT_COST, Policies
from pipelines.cost_model.splits import ConsumerSplit, Fallback, Split

Percent = Annotated[Decimal, Field(ge=0, le=100, max_digits=7, decimal_places=4)]
"""A percentage of a promise: four decimals are what the warehouse keeps of it."""

SENDERS_OF_RECEIVERS = {
    "tower": ("cost_centre",),
    "service": ("tower", "service"),
    "consumer": ("service",),
}
"""Whose money each kind of receiver may get; a service uses others and gets their money too."""


class LineMatch(Strict):
    """Which cost lines a rule is for. A list matches if one of its globs does; lists are and-ed."""

    account: Globs | None = None
    cost_centre: Globs | None = None
    vendor: Globs | None = None
    legal_entity: Globs | None = None
    source: Globs | None = None
    """Source of the line, as named in apportion.yml (a detail feed or the ledger)."""
    category: Globs | None = None
    """Category that a detail feed gives the line (FOCUS: the service category)."""


class Pool(Strict):
    """A cost pool: what kind of resource the money bought."""

    id: Id
    name: str
    description: str = ""
    tbm: str | None = None
    """Cost pool of the TBM taxonomy that it corresponds to: 'NAME' or 'NAME / SUB-NAME'."""


class PoolRule(Approvable):
    """Gives a ledger line its pool, or says why it has none. First match by priority wins."""

    id: Id
    priority: int
    match: LineMatch
    pool: Id | None = None
    sub_pool: str | None = None
    exclude_as: Literal["out_of_scope", "capitalised", "recovery"] | None = None
    cost_behaviour: Literal["fixed", "variable"] | None = None
    """Whether the cost follows use; not declared is a third answer, not `fixed`."""
    owner: str | None = None
    reason: str

    @model_validator(mode="after")
    def says_one_thing(self) -> PoolRule:
        if (self.pool is None) == (self.exclude_as is None):
            raise ValueError(
                "a pool rule names either a pool or exclude_as, not both and not neither"
            )
        return self


class Pools(Strict):
    """pools.yml"""

    pools: list[Pool]
    rules: list[PoolRule]


class Tower(Strict):
    """A resource tower or sub-tower: which IT function uses the resource."""

    id: Id
    name: str
    sub_name: str = ""
    tbm: str | None = None
    """Resource tower of the TBM taxonomy: 'NAME' or 'NAME / SUB-NAME'."""
    handles_tickets: bool = False
    """Whether its cost is the work on tickets, such as a help desk: the support cost per ticket of
    a service is its direct cost in these towers."""


class PoolMatch(LineMatch):
    """Which pool money a tower rule is for."""

    pool: Globs | None = None
    sub_pool: Globs | None = None


class TowerRule(Approvable):
    """Splits pool money over towers. First match by priority wins."""

    id: Id
    priority: int
    match: PoolMatch
    split: Split
    owner: str | None = None
    reason: str


class Towers(Strict):
    """towers.yml"""

    towers: list[Tower]
    rules: list[TowerRule]


class Offering(Strict):
    """One of the ways in which a service is offered."""

    id: Id
    name: str
    description: str = ""


class ServiceLevel(Strict):
    """What the provider of a service promises."""

    availability_percent: Percent | None = None
    response_minutes: int | None = None
    resolution_minutes: int | None = None
    sla_attainment_percent: Percent | None = None
    """Share of tickets that are to meet their targets."""


class Service(Strict):
    """A service of the catalogue, who pays for it, by which driver and policy."""

    id: Id
    name: str
    category: str
    description: str
    owner: str
    owner_email: str | None = None
    business_processes: list[str] = Field(default_factory=list)
    unit: Id
    """Unit of measure of its use, for example GB-month; the driver's unit."""
    unit_name: str
    driver: Id | None = None
    """Driver that says who uses the service; without one its money is unallocated."""
    fallback: Fallback = "hold"
    consumers: list[str] | None = None
    """Globs of cost centres that may receive it; needed for the fallback `even`."""
    split: ConsumerSplit | None = None
    """Who pays, where the short form `driver`, `fallback`, `consumers` does not say it."""
    policy: Policies = Field(default_factory=lambda: [AT_COST])
    """What it is charged at: one word, or policies that follow each other."""
    is_shared: bool = False
    """Whether other services may consume it."""
    service_level: ServiceLevel = ServiceLevel()
    offerings: list[Offering] = Field(default_factory=list)
    how_to_order: str = ""
    how_to_use_less: str = ""
    tbm: str | None = None
    """Solution of the TBM taxonomy: 'NAME' or 'NAME / SUB-NAME'."""

    @model_validator(mode="after")
    def says_once_who_pays(self) -> Service:
        both = sorted(self.model_fields_set & {"driver", "fallback", "consumers"})
        if self.split is not None and both:
            raise ValueError(
                f"a service has either 'split' or the short form, not both: found {', '.join(both)}"
            )
        return self


class Services(Strict):
    """services.yml"""

    services: list[Service]


class TowerMatch(Strict):
    """Which tower money a service rule is for."""

    tower: Globs | None = None
    pool: Globs | None = None
    is_tagged: bool | None = None
    """True: only lines tagged with a service; False: only lines without; None: both."""


class ServiceRule(Approvable):
    """Splits tower money over services. First match by priority wins."""

    id: Id
    priority: int
    match: TowerMatch
    split: Split
    owner: str | None = None
    reason: str


class SharedServices(Strict):
    """How services that other services consume pass their cost on."""

    method: Literal["direct", "step_down", "reciprocal"] = "step_down"
    order: list[Id] = Field(default_factory=list)
    """Order of step-down: a service passes on to those after it, never to those before it. The
    other methods do not read it."""


class Allocation(Strict):
    """allocation.yml"""

    shared_services: SharedServices = SharedServices()
    rules: list[ServiceRule]


class DriverTable(Strict):
    """Quantities that somebody typed in, and until when somebody answers for them.

    They stand in `cost_model/drivers/ID.csv`, ID being that of the driver. From the end of the
    attestation on they still count, and are `stale`.
    """

    receivers: Literal["tower", "service", "consumer"]
    senders: Literal["cost_centre", "tower", "service"] | None = None
    """What `sender_id` names: each sender's money is split by its own rows. None: anyone's."""
    owner: str = Field(min_length=1)
    attested_by: str = Field(min_length=1)
    attested_on: date
    valid_for: int | None = Field(default=None, ge=1, le=120)
    """Months that the attestation lasts."""
    attested_until: date | None = None
    """First day after the attestation, instead of `valid_for`."""

    @model_validator(mode="after")
    def senders_stand_before_receivers(self) -> DriverTable:
        known = SENDERS_OF_RECEIVERS[self.receivers]
        if self.senders is not None and self.senders not in known:
            raise ValueError(
                f"receivers of the kind {self.receivers} have senders of the kind "
                f"{' or '.join(known)}, not {self.senders}"
            )
        return self

    @model_validator(mode="after")
    def attestation_ends(self) -> DriverTable:
        if (self.valid_for is None) == (self.attested_until is None):
            raise ValueError("an attestation has either 'valid_for' or 'attested_until'")
        if self.attested_until is not None and self.attested_until <= self.attested_on:
            raise ValueError(
                f"attested_until {self.attested_until} is not after attested_on {self.attested_on}"
            )
        return self

    @property
    def ends_on(self) -> date:
        """First day after the attestation."""
        if self.attested_until is not None:
            return self.attested_until
        assert self.valid_for is not None
        return _add_months(self.attested_on, self.valid_for)


def _add_months(day: date, months: int) -> date:
    """The same day of a later month, or its last one where it is shorter."""
    number = day.year * 12 + day.month - 1 + months
    year, month = number // 12, number % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


class Driver(Strict):
    """Where quantities come from.

    A driver's quantities either have a sender, and then split only that sender's money, or none,
    and then split anyone's. The sender at the tower stop is the IT cost centre, at the service
    stop the tower, at the consumer stop the service.
    """

    id: Id
    name: str
    kind: Literal[
        "service_usage",  # quantity by service -> consumer or service (contract service_usage)
        "licence_seats",  # seats by service -> consumer (contract licences)
        "headcount",  # heads by consumer, for any sender (contract headcount)
        "ticket_count",  # tickets by service -> consumer (contract tickets)
        "ticket_effort",  # ticket minutes -> service, for any sender (contract tickets)
        "timesheet_hours_by_tower",  # hours -> tower; sender = IT cost centre (contract timesheets)
        "timesheet_hours_by_service",  # hours -> service; sender = tower (contract timesheets)
        "asset_capacity",  # purchase cost -> service through asset and application, any sender
        # positive cloud cost -> at a service rule the tagged service, at a service the consumer
        "cloud_cost",
        "commitment_use",  # effective cost of used commitments -> the same
        "prior_allocation",  # cost that the other service rules gave -> service, for any sender
        "table",  # typed into cost_model/drivers/ID.csv, attested for a time
    ]
    unit: Id
    asset_class: list[str] | None = None
    """asset_capacity only: classes of assets that count."""
    description: str
    quality: Literal["measured", "estimated"] = "measured"
    table: DriverTable | None = None
    """table only: what the quantities are of, and who says that they are right."""

    @model_validator(mode="after")
    def table_has_its_form(self) -> Driver:
        if (self.kind == "table") != (self.table is not None):
            raise ValueError("a driver of the kind table, and no other, has a 'table'")
        return self


class Drivers(Strict):
    """drivers.yml"""

    drivers: list[Driver]
