"""What a contract is: the canonical row of one kind of source.

A contract is data (`kinds/<contract_id>.yml`), so that it can be looked up, documented and
checked in one place. Landing derives its checks from it, the lake its types, Great Expectations
its suite, and the documentation its tables.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from pipelines.contracts.periods import MONTHS, Periods

KINDS_DIRECTORY = Path(__file__).parent / "kinds"

FieldType = Literal[
    "text",
    "code",
    "period",
    "date",
    "timestamp",
    "integer",
    "decimal",
    "currency",
    "boolean",
    "json",
]


class ContractField(BaseModel):
    """One field of a contract. Lower-case canonical name; its type decides pattern and cast."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    type: FieldType
    description: str
    is_required: bool = True
    allowed_values: tuple[str, ...] | None = None
    minimum: int | None = None
    """The smallest value a number may have, inclusive; None for no bound."""
    at_most_field: str | None = None
    """Name of a decimal field of the same record that this one does not exceed."""
    is_amount: bool = False
    """Whether it is money without `minor_unit_of`; what has that is money anyway."""
    is_open_end: bool = False
    """Whether a far day, such as 9999-12-31, means that there is no end."""
    first_year: int = 1
    last_year: int = 9999
    """The years in which a date, time or period may lie; `with_years` narrows them."""
    periods: Periods = MONTHS
    """What a period is, of a date, time or period; `with_periods` sets it."""
    minor_unit_of: str | None = None
    """Name of the currency field whose ISO minor unit limits the decimals of this amount."""
    is_rounded: bool = False
    """Whether decimals beyond the engine's twelve are rounded on landing instead of putting the
    record into quarantine: for figures that no charge depends on."""
    is_personal: bool = False
    """Whether its text names a person: landing replaces it by a pseudonym before it is written."""


class Contract(BaseModel):
    """The canonical row model of one kind of source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    contract_id: str
    title: str
    description: str
    """Begins with 'One row per ...'."""
    fields: tuple[ContractField, ...]
    key: tuple[str, ...]
    """Fields that identify a record; empty where the source has no key (a cloud bill)."""
    not_used_yet: str | None = None
    """What its records would feed, where no figure is made of them yet: such a delivery is refused.
    None where some dbt model reads them."""
    adds_up: bool = False
    """Whether several records of one key may be delivered and mean their sum, where a source
    declares `unique_key: []`."""
    amount_field: str | None = None
    """The field whose sum is the delivery's control total."""
    currency_field: str | None = None
    period_field: str | None = None
    """The field that says to which period a record belongs (a period, date or timestamp)."""
    starts_field: str | None = None
    """The time at which what a record tells of began; in a log of events that of the first one."""
    day_field: str | None = None
    """The field that says on which day of its period a record is, where that tells how much of the
    period has been delivered."""

    @model_validator(mode="after")
    def names_exist(self) -> Contract:
        names = [field.name for field in self.fields]
        if len(set(names)) != len(names):
            raise ValueError(f"contract {self.contract_id}: a field name occurs twice")
        used = [*self.key, self.amount_field, self.currency_field, self.period_field]
        used += [self.starts_field, self.day_field]
        used += [field.minor_unit_of for field in self.fields]
        used += [field.at_most_field for field in self.fields]
        for name in used:
            if name is not None and name not in names:
                raise ValueError(f"contract {self.contract_id}: no field is named {name}")
        return self

    @model_validator(mode="after")
    def types_fit(self) -> Contract:
        for field in self.fields:
            if field.minimum is not None and field.type not in ("integer", "decimal"):
                raise ValueError(f"{self.contract_id}: {field.name} is no number and has a minimum")
            if field.name == self.amount_field and field.type != "decimal":
                raise ValueError(
                    f"{self.contract_id}: the amount {field.name} is of type {field.type}"
                )
            if field.is_personal and (field.type not in ("code", "text") or field.allowed_values):
                raise ValueError(
                    f"{self.contract_id}: {field.name} is no free code or text and is personal"
                )
        return self

    def with_years(self, first_year: int, last_year: int) -> Contract:
        """The contract with dates, times and periods in these years only; an end may be open."""
        span = {"first_year": first_year, "last_year": last_year}
        fields = tuple(
            field.model_copy(update={**span, "last_year": 9999} if field.is_open_end else span)
            if field.type in ("date", "timestamp", "period")
            else field
            for field in self.fields
        )
        return self.model_copy(update={"fields": fields})

    def with_periods(self, periods: Periods) -> Contract:
        """The contract in a calendar of such periods.

        A sender's billing month is no period of a calendar with other ones: what has a day of its
        own belongs to the period of that day then.
        """
        if periods.are_months:
            return self
        fields = tuple(
            field.model_copy(update={"periods": periods})
            if field.type in ("date", "timestamp", "period")
            else field
            for field in self.fields
        )
        period_field = self.period_field
        is_moment = period_field is not None and self.field(period_field).type != "period"
        if is_moment and self.day_field is not None and not periods.are_whole_months:
            period_field = self.day_field
        return self.model_copy(update={"fields": fields, "period_field": period_field})

    def field(self, name: str) -> ContractField:
        """The field of that name; KeyError if there is none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)


@cache
def load_contract(contract_id: str) -> Contract:
    """Read one contract. Raises KeyError with the known ones if there is none of that id."""
    if contract_id not in list_contract_ids():
        raise KeyError(f"no contract '{contract_id}'; known: {', '.join(list_contract_ids())}")
    text = (KINDS_DIRECTORY / f"{contract_id}.yml").read_text("utf-8")
    return Contract.model_validate(yaml.safe_load(text))


@cache
def list_contract_ids() -> tuple[str, ...]:
    """Ids of all contracts, in alphabetical order."""
    return tuple(sorted(path.stem for path in KINDS_DIRECTORY.glob("*.yml")))


def load_contract_in(contract_id: str, periods: Periods) -> Contract:
    """One contract in a calendar. Raises KeyError as `load_contract` does."""
    return load_contract(contract_id).with_periods(periods)


DUCKDB_TYPES: dict[FieldType, str] = {
    "text": "varchar",
    "code": "varchar",
    "period": "varchar",
    "currency": "varchar",
    "json": "varchar",
    "date": "date",
    "timestamp": "timestamp",
    "integer": "bigint",
    "decimal": "decimal(38, 12)",
    "boolean": "boolean",
}
