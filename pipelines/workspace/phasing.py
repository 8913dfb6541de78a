"""How an amount for a fiscal year, half-year or quarter becomes amounts for its periods.

A budget is often one figure for a year. Its source then declares by what the figure is divided:
evenly, by the days of the periods, by the shape of the ledger's year before, or by weights of its
own. `list_phases` says which periods a delivered period stands for, and their weights; the division
itself is the engine's (`stg_budget__lines`), in the minor unit, so that the parts sum to the whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipelines.workspace.fiscal_calendar import Period, find_quarter

PERIODS_OF = {"quarter": 3, "half_year": 6}
WEIGHT_DECIMALS = 6

Weight = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=WEIGHT_DECIMALS)]


class Phasing(BaseModel):
    """By what the amounts of a source are divided over periods."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    over: Literal["year", "half_year", "quarter", "period"] = "year"
    """What an amount is for: the fiscal year, half-year or quarter in which its period lies, or the
    period itself, which is then declared and not divided."""
    by: Literal["even", "days", "last_year", "weights"] = "even"
    """The shape: all periods alike, by their days, as the ledger of the same periods a year before
    (by account; evenly where that has nothing), or by `weights`."""
    weights: tuple[Weight, ...] | None = None
    """One weight per period of the year, half-year or quarter, in order."""

    @model_validator(mode="after")
    def weights_fit(self) -> Phasing:
        if (self.by == "weights") != (self.weights is not None):
            raise ValueError("'weights' belong to 'by: weights', and to nothing else")
        if self.weights is not None and not sum(self.weights):
            raise ValueError("the weights are all 0")
        if self.over == "period" and (self.by != "even" or self.weights is not None):
            raise ValueError("'over: period' divides nothing and has no 'by'")
        return self


class Phase(NamedTuple):
    """One period of the span that a delivered period stands for."""

    delivered_period_id: str
    period_id: str
    position: int
    weight: int | None
    """None where the ledger of `shape_period_id` gives it."""
    shape_period_id: str | None


def list_phases(periods: Sequence[Period], phasing: Phasing) -> list[Phase]:
    """The phases of every year, half-year or quarter that is whole in the calendar.

    Raises ValueError where the number of weights is not that of the periods.
    """
    by_number = {(year, number): period_id for period_id, _, _, year, number in periods}
    phases = []
    for span in _list_spans(periods, phasing.over):
        if phasing.weights is not None and len(phasing.weights) != len(span):
            raise ValueError(
                f"{len(phasing.weights)} weights for the {len(span)} periods of a {phasing.over}"
            )
        for position, (period_id, start, end, year, number) in enumerate(span):
            shape = by_number.get((year - 1, number)) if phasing.by == "last_year" else None
            weight: int | None = None
            if phasing.by == "even":
                weight = 1
            elif phasing.by == "days":
                weight = (end - start).days
            elif phasing.weights is not None:
                weight = int(phasing.weights[position].scaleb(WEIGHT_DECIMALS))
            phases += [
                Phase(delivered[0], period_id, position, weight, shape) for delivered in span
            ]
    return phases


def _list_spans(periods: Sequence[Period], over: str) -> list[list[Period]]:
    """The whole years, half-years or quarters, each with its periods in order."""
    if over == "period":
        return []
    years: dict[int, list[Period]] = {}
    for period in periods:
        years.setdefault(period.fiscal_year, []).append(period)
    size = max(period.number for period in periods)
    # A calendar may begin or end within a year: its length is that of a calendar of months then.
    length = max(size, 12)
    if over == "year":
        return [own for own in years.values() if len(own) == length]
    spans = []
    for own in years.values():
        parts: dict[int, list[Period]] = {}
        for period in own:
            parts.setdefault(_find_part(period.number, over), []).append(period)
        wanted = Counter(_find_part(number, over) for number in range(1, length + 1))
        spans += [own for part, own in parts.items() if len(own) == wanted[part]]
    return spans


def _find_part(number: int, over: str) -> int:
    """The quarter or half-year of a period by its number in the fiscal year."""
    quarter = find_quarter(number)
    return quarter if over == "quarter" else (quarter + 1) // 2
