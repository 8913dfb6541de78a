"""The typed form of the `checks:` sections of apportion.yml: which thresholds a delivery must keep.

There is one section for the whole workspace and one per source. `resolve_checks` puts both
together: what a source leaves out is taken from the workspace, what that leaves out has the
defaults here. The defaults are chosen so that they hold for a first delivery of any company: they
warn and never stop a build.

Percentages are Decimal: thresholds on money are compared exactly.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

CheckSeverity = Literal["error", "warning", "ignore"]
"""'error' stops the build, 'warning' rides along; 'ignore': measured and shown, not judged."""

Master = Literal["accounts", "cost_centres", "services", "towers", "units"]

Percent = Annotated[Decimal, Field(ge=0, le=100, max_digits=7, decimal_places=4)]
Rise = Annotated[Decimal, Field(ge=0, le=1_000_000, max_digits=11, decimal_places=4)]
Bound = Annotated[Decimal, Field(max_digits=38, decimal_places=12)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fill(Strict):
    """How far optional fields may become emptier from one period to the next."""

    fall_points: Percent | None = Decimal(50)
    """Percentage points by which the filled share of an optional field may fall."""
    severity: CheckSeverity = "warning"


class Completeness(Fill):
    """How far the optional fields of a source must be filled."""

    fields: dict[str, Percent] = {}
    """Field -> percent of the records of a period on which it must be filled."""


class Freshness(Strict):
    """How late a source may be."""

    periods_behind: Annotated[int, Field(ge=0)] | None = 1
    """Periods that its latest one may lie before the latest one of the control total."""
    days_after_period_end: Annotated[int, Field(ge=0)] | None = None
    """Days after the end of a period by which its delivery must have landed."""
    severity: CheckSeverity = "warning"


class Movement(Strict):
    """How far a figure may move from one period to the next."""

    fall_percent: Percent | None = Decimal(50)
    rise_percent: Rise | None = Decimal(50)
    least_records: Annotated[int, Field(ge=0)] = 20
    """Judged only where the period before has as many records: few records move far."""
    severity: CheckSeverity = "warning"


class UnknownCodes(Strict):
    """How much of a period may name codes that no master knows, in records and in money."""

    at_most_unknown_percent: Percent = Decimal(0)
    severity: CheckSeverity = "warning"


class Reference(UnknownCodes):
    """A field whose codes a master must know."""

    field: str
    master: Master


class Range(Strict):
    """The values that a number may have, both bounds inclusive."""

    field: str
    minimum: Bound | None = None
    maximum: Bound | None = None
    severity: CheckSeverity = "warning"

    @model_validator(mode="after")
    def has_bounds_in_order(self) -> Range:
        if self.minimum is None and self.maximum is None:
            raise ValueError("expected 'minimum', 'maximum' or both")
        if self.minimum is not None and self.maximum is not None and self.maximum < self.minimum:
            raise ValueError(f"maximum {self.maximum} is below minimum {self.minimum}")
        return self


class AllowedValues(Strict):
    """The values that a code or text may have, beyond what its contract says."""

    field: str
    values: Annotated[list[str], Field(min_length=1)]
    severity: CheckSeverity = "warning"


class WorkspaceChecks(Strict):
    """Thresholds for every source that does not set its own."""

    latest_periods: Annotated[int, Field(ge=1)] = 3
    """How many periods, counted back from a source's latest, are judged against thresholds."""
    completeness: Fill = Fill()
    freshness: Freshness = Freshness()
    volume: Movement = Movement()
    amount: Movement = Movement()
    references: UnknownCodes = UnknownCodes()


class SourceChecks(Strict):
    """Thresholds of one source. What it leaves out is taken from the workspace."""

    latest_periods: Annotated[int, Field(ge=1)] | None = None
    completeness: Completeness | None = None
    freshness: Freshness | None = None
    volume: Movement | None = None
    amount: Movement | None = None
    ranges: list[Range] = []
    allowed_values: list[AllowedValues] = []
    references: list[Reference] = []

    @model_validator(mode="after")
    def names_a_field_once(self) -> SourceChecks:
        for name in ("ranges", "allowed_values", "references"):
            fields = [entry.field for entry in getattr(self, name)]
            doubled = sorted({field for field in fields if fields.count(field) > 1})
            if doubled:
                raise ValueError(f"{name}: a field stands there twice: {', '.join(doubled)}")
        return self


class ResolvedChecks(Strict):
    """What one source is judged by: its own thresholds over those of the workspace."""

    latest_periods: int = 3
    completeness: Completeness = Completeness()
    freshness: Freshness = Freshness()
    volume: Movement = Movement()
    amount: Movement = Movement()
    ranges: list[Range] = []
    allowed_values: list[AllowedValues] = []
    references: list[Reference] = []
    unknown_codes: UnknownCodes = UnknownCodes()
    """For the references that follow from the contract; those listed have their own."""


def resolve_checks(
    workspace: WorkspaceChecks | None, source: SourceChecks | None
) -> ResolvedChecks:
    """Put the two sections together, key by key: the source's own key wins."""
    given, own = workspace or WorkspaceChecks(), source or SourceChecks()
    return ResolvedChecks(
        latest_periods=own.latest_periods or given.latest_periods,
        completeness=Completeness(**_overlay(given.completeness, own.completeness)),
        freshness=Freshness(**_overlay(given.freshness, own.freshness)),
        volume=Movement(**_overlay(given.volume, own.volume)),
        amount=Movement(**_overlay(given.amount, own.amount)),
        ranges=own.ranges,
        allowed_values=own.allowed_values,
        references=[
            Reference(**_overlay(given.references, reference)) for reference in own.references
        ],
        unknown_codes=given.references,
    )


def _overlay(base: BaseModel, over: BaseModel | None) -> dict[str, object]:
    """The values of `base`, with those that were written down in `over` in their place."""
    own = {} if over is None else {name: getattr(over, name) for name in over.model_fields_set}
    return {**{name: getattr(base, name) for name in type(base).model_fields}, **own}
