"""The typed form of a workspace's `apportion.yml`."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from pipelines.contracts.periods import PeriodClock
from pipelines.cost_model.forms import Dated
from pipelines.cost_model.schema import LineMatch
from pipelines.money import list_currencies
from pipelines.workspace.check_settings import SourceChecks, WorkspaceChecks
from pipelines.workspace.close_calendar import CloseCalendar
from pipelines.workspace.connections import Connection
from pipelines.workspace.fiscal_calendar import Calendar
from pipelines.workspace.materiality import Materiality
from pipelines.workspace.operation_settings import DispatchSettings, RetentionSettings
from pipelines.workspace.phasing import Phasing


def _refuse_path_outside(glob: str) -> str:
    parts = PurePosixPath(glob).parts
    if not parts or parts[0] == "/" or ".." in parts:
        raise ValueError("expected a glob below inbox/, such as general_ledger/*.csv")
    return glob


def _refuse_no_currency(code: str) -> str:
    if code not in list_currencies():
        raise ValueError(f"{code} is no currency of ISO 4217")
    return code


CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$"), AfterValidator(_refuse_no_currency)]
Code = Annotated[str, Field(min_length=1, max_length=40)]
SourceId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]

TransferPercent = Annotated[Decimal, Field(ge=0, le=1000, decimal_places=6)]

Redelivery = Literal["refuse", "replace_period", "append", "update_records"]

Overlap = Literal["whole_period", "latest", "refuse"]
HoldPercent = Annotated[Decimal, Field(gt=0, le=100000)]

InboxGlob = Annotated[str, AfterValidator(_refuse_path_outside)]


def _refuse_no_group(pattern: str) -> str:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"no regular expression ({error})") from None
    if groups != 1:
        raise ValueError("expected exactly one group that holds the number, such as gl_(\\d+)")
    return pattern


SequencePattern = Annotated[str, AfterValidator(_refuse_no_group)]

FeedColumn = Annotated[
    str,
    Field(pattern=r"^(tag:.+|service_name|sub_account_id|sub_account_name|billing_account_id)$"),
]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DetailFeed(Strict):
    """A source that explains part of the ledger, line by line.

    It never adds to the ledger: per period, entity, currency and cost centre its lines replace
    the claimed ledger lines, and one balancing line keeps the ledger's amount.
    """

    claims: LineMatch | None = None
    """The ledger lines it explains; None only where the feed is itself the control total."""
    legal_entity: str = "main"
    cost_centre: str = "cloud"
    """Entity and cost centre of its lines, which the bill does not say."""
    account: str = "cloud"
    measure: Literal["billed_cost", "effective_cost"] = "billed_cost"
    """Which of its costs ties to the invoice."""
    consumers_pay: Literal["measure", "contracted_cost", "list_cost"] = "measure"
    """At which of its costs use is passed on. The difference to the measure is a line of its own,
    of the category `discount_category`, so that the feed ties as before."""
    discount_category: str = Field(default="Discounts", min_length=1)
    unused_category: str | None = Field(default=None, min_length=1)
    """Category of the lines that are the unused part of a commitment; None: that of the bill."""
    depreciation: Literal["full_month", "by_day"] | None = None
    """Asset register only: by which convention the life of an asset is counted; where left out,
    by full months, and by days where the periods of the calendar are no months."""
    service_from: FeedColumn | None = None
    """Where a line's service is read: a column or `tag:KEY`."""
    consumer_from: FeedColumn | None = None
    consumer_name_from: FeedColumn | None = None
    business_unit_from: FeedColumn | None = None
    defines_services: bool = False
    """Whether the services that the feed names are the catalogue."""
    defines_consumers: bool = False


class Source(Strict):
    """Where deliveries of one kind arrive and how they are read."""

    contract: str
    inbox: InboxGlob
    """Glob below the workspace's inbox/ directory."""
    mapping: str = "canonical"
    scenario: Literal["actual", "budget"] = "actual"
    is_required: bool = False
    """Whether a build without any delivery of this source is refused."""
    redelivery: Redelivery = "refuse"
    """What happens when another file arrives for periods that were delivered before."""
    overlap: Overlap = "whole_period"
    """Which of two deliveries counts in a period that both hold, with `replace_period`: the one
    that holds it whole, the later one, or the second one is refused."""
    unique_key: tuple[str, ...] | None = None
    """Fields whose values no two records of a file share; the key of the contract where left out.
    Empty where the records of one key add up, as meter readings do."""
    hold_above_percent: HoldPercent | None = None
    """Where said, instead of the workspace's `holds.above_percent`; null for no limit."""
    due_days: Annotated[int, Field(ge=0, le=366)] | None = None
    """Days after the end of a period within which its delivery is due; later ones are named."""
    phasing: Phasing | None = None
    """Budget only: its amounts are for a fiscal year or quarter, and how they become periods'."""
    file_sequence: SequencePattern | None = None
    """Regular expression with one group: the running number in the names of its files."""
    connection: Connection | None = Field(default=None, discriminator="kind")
    """The system that `apportion pull` asks for deliveries; files may arrive besides."""
    keep_original: bool | None = None
    """Whether the lake keeps the delivered bytes, or only their hash. Left out, it keeps them,
    except where the mapping fills a field that names a person."""
    detail_feed: DetailFeed | None = None
    checks: SourceChecks | None = None
    """Thresholds that its deliveries are judged by."""

    def find_hold_limit(self, settings: HoldSettings) -> Decimal | None:
        """By how many percent periods may differ: its own limit, or that of the workspace."""
        if "hold_above_percent" in self.model_fields_set:
            return self.hold_above_percent
        return settings.above_percent


class HoldSettings(Strict):
    """Which deliveries wait for a person because of their amounts."""

    above_percent: HoldPercent | None = Decimal(50)
    """How much larger the larger of two periods may be than the smaller one; null for no limit."""
    few_records: Annotated[int, Field(ge=0)] = 5
    """A currency with fewer records in a period, that are less than a twentieth of them, waits only
    for tenfold differences."""
    whole_amounts: Literal["hold", "accept"] = "hold"
    """Whether a first delivery none of whose amounts has decimals waits: it may be in cents."""


class ControlTotal(Strict):
    """Which source is the total that never changes."""

    source: SourceId | Annotated[tuple[SourceId, ...], Field(min_length=1)]
    """The ledger or a bill; several bills, each with its own mapping, where there is no ledger."""

    @property
    def source_ids(self) -> tuple[str, ...]:
        """All of them, in their order."""
        return (self.source,) if isinstance(self.source, str) else self.source

    @model_validator(mode="after")
    def names_each_once(self) -> ControlTotal:
        if len(set(self.source_ids)) < len(self.source_ids):
            raise ValueError("'source' names a source twice")
        return self


FocusCategory = Literal[
    "AI and Machine Learning",
    "Analytics",
    "Business Applications",
    "Compute",
    "Databases",
    "Developer Tools",
    "Multicloud",
    "Identity",
    "Integration",
    "Internet of Things",
    "Management and Governance",
    "Media",
    "Migration",
    "Mobile",
    "Networking",
    "Security",
    "Storage",
    "Web",
    "Other",
]


class CloseSettings(Strict):
    """What is looked at before a period is closed."""

    unexplained_above_percent: Annotated[Decimal, Field(ge=0)] = Decimal(5)
    """How much of the accounts that a detail feed claims it may leave unexplained."""
    preview: Literal["required", "optional"] = "optional"
    """Whether bills go to their owners before the approval, and what they say blocks it."""
    preview_days: Annotated[int, Field(ge=0, le=60)] = 5
    """Days that owners have for an answer, unless 'period preview' gives others."""
    calendar: CloseCalendar = CloseCalendar()
    """What is to be done for every close, by whom and by when."""


class JournalSettings(Strict):
    """Where the charges of a period are posted."""

    legal_entity: Code
    """Legal entity of IT, which recovers the cost."""
    debit_account: Code
    """Account on which consumers bear what they are charged."""
    credit_account: Code
    """Recovery account of IT; a pool rule excludes it as `recovery`."""
    credit_cost_centre: Code
    """Cost centre of IT on which the recovery is credited."""
    receivable_account: Code
    """Account of IT's legal entity for what other entities owe it."""
    payable_account: Code
    """Account of the other entities for what they owe to IT's."""
    mark_up_account: Code | None = None
    """Account of IT's legal entity for what it charges above cost; needed once it does."""
    tax_account: Code | None = None
    """Account of IT's legal entity for the tax that it charges; needed once it does."""
    layout: str = "generic"
    """Layout of the file where none is named."""


class Transfer(Dated):
    """What one legal entity adds when it charges another one. An item of a bill bears what holds
    in the period that it is for."""

    from_entity: Code = Field(alias="from")
    """Legal entity of IT, which charges."""
    to_entity: Code = Field(alias="to")
    """Legal entity that is charged."""
    mark_up_percent: TransferPercent = Decimal(0)
    """On what is charged."""
    tax_percent: TransferPercent = Decimal(0)
    """On what is charged with its mark-up."""
    reason: str | None = None

    @model_validator(mode="after")
    def goes_from_one_to_another(self) -> Transfer:
        if self.from_entity == self.to_entity:
            raise ValueError(f"'from' and 'to' are both {self.to_entity}")
        if not self.mark_up_percent and not self.tax_percent:
            raise ValueError("a transfer has a mark_up_percent, a tax_percent or both")
        return self


class RecoverySettings(Strict):
    """What becomes of what services charge above or below their cost."""

    true_up: Literal["none", "year_end"] = "none"
    """`year_end`: the last period of the fiscal year gives it back, or charges it."""


class YearSpan(Strict):
    """The years in which dates, times and periods of deliveries may lie, both inclusive."""

    first: Annotated[int, Field(ge=1, le=9999)] = 1900
    last: Annotated[int, Field(ge=1, le=9999)] = 2100

    @model_validator(mode="after")
    def runs_forward(self) -> YearSpan:
        if self.last < self.first:
            raise ValueError(f"'last' {self.last} is before 'first' {self.first}")
        return self


class FocusSettings(Strict):
    """What FOCUS files say that the figures do not."""

    payment_terms: Annotated[str, Field(min_length=1)] = "Settled by journal"
    """How a business unit pays its bill."""
    service_categories: dict[str, FocusCategory] = {}
    """Category of the service catalogue -> category of FOCUS; a category that is not named here is
    FOCUS's of the same name, or Other."""


class WorkspaceConfig(Strict):
    """apportion.yml. Whether what it names exists is checked by `source_checks`."""

    name: str
    currency: CurrencyCode
    time_zone: str = "UTC"
    calendar: Calendar
    years: YearSpan = YearSpan()
    control_total: ControlTotal
    rate_type: str = "average"
    checks: WorkspaceChecks | None = None
    """Thresholds for all sources."""
    holds: HoldSettings = HoldSettings()
    """Limits above which deliveries wait for a person."""
    close: CloseSettings = CloseSettings()
    journal: JournalSettings | None = None
    dispatch: DispatchSettings | None = None
    """How statements reach the business units."""
    retention: RetentionSettings = RetentionSettings()
    transfers: list[Transfer] = Field(default_factory=list)
    """Mark-up and tax between legal entities."""
    recovery: RecoverySettings = RecoverySettings()
    focus: FocusSettings = FocusSettings()
    materiality: Materiality = Materiality()
    """From which change on a figure is worth a headline and a colour."""
    is_demo: bool = False
    """Whether one person may act as several (`--as`): never where real money is charged."""
    sources: dict[SourceId, Source]

    @property
    def clock(self) -> PeriodClock:
        """What says to which period a moment belongs."""
        return PeriodClock(self.time_zone, self.calendar.spans)
