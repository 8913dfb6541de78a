"""The settings of a mapping that have keys of their own, each with what it says."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipelines.contracts.contract import FieldType

ColumnNames = str | tuple[str, ...]
"""A column, or a list of names of which exactly one is present."""


def list_names(names: ColumnNames) -> tuple[str, ...]:
    """The names that a column may have."""
    return (names,) if isinstance(names, str) else names


class ReadColumn(BaseModel):
    """A column that no field holds and that something is derived from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    type: FieldType
    """How its text is read; the mapping's forms of dates, times and numbers hold for it too."""


class DerivedTime(BaseModel):
    """A day or time that follows from another one, where the delivery says only that."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    of: str
    """The field, a period, date or timestamp, that it follows from."""
    point: Literal["month_start", "month_last_day", "next_month", "next_day"]
    """Which point in time: the first day of the month, its last day, the first day of the next
    month, the next day; each at midnight."""


class ClosedStates(BaseModel):
    """How the events of a log say when something was closed, and for how long it stood still."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    """The column that holds the state after an event."""
    values: Annotated[tuple[str, ...], Field(min_length=1)]
    """Its texts that mean closed, such as Resolved and Closed."""
    paused: tuple[str, ...] = ()
    """Its texts in which the clock stands still without it being closed, such as waiting for the
    person who raised it."""
    time: str | ReadColumn
    """The field or column that holds the time of an event."""
    at: str | None = None
    """Timestamp field that gets the time of the first event after which it stayed closed; empty
    while it is open."""
    minutes: str | None = None
    """Integer field that gets the minutes before that in which it was closed or paused."""

    @model_validator(mode="after")
    def says_something(self) -> ClosedStates:
        if self.at is None and self.minutes is None:
            raise ValueError("'closed' fills neither a field 'at' nor a field 'minutes'")
        if isinstance(self.time, ReadColumn) and self.time.type != "timestamp":
            raise ValueError(f"'closed': the time is of type {self.time.type}, not timestamp")
        return self


class LastState(BaseModel):
    """The delivery is a log of events; the last one of each key is its state."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: Annotated[tuple[str, ...], Field(min_length=1)]
    """Fields that say whose event it is."""
    order: Annotated[tuple[str | ReadColumn, ...], Field(min_length=1)]
    """Fields or columns in whose order the events happened; of equals the later record counts."""
    first: tuple[str, ...] | None = None
    """Fields whose value is that of the first event that has one; left out, the field of the
    contract that says when it began (`opened_at` of tickets). All others are of the last event."""
    closed: ClosedStates | None = None
    """How the states of the events become the time of closing and the minutes that do not count."""


class Unpivot(BaseModel):
    """The delivery is wide: one record holds several values, each in a column of its own.

    Every column but those named here becomes a record: its name in `name_column`, its value in
    `value_column`. `columns` of the mapping then names these two and the id columns.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id_columns: Annotated[tuple[str, ...], Field(min_length=1)]
    name_column: str
    value_column: str
    skip_columns: tuple[str, ...] = ()
    """Columns that hold no value; the empty text names a column without a name."""


class Join(BaseModel):
    """A field is made of several columns. With all of them empty it is empty."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: Annotated[tuple[str, ...], Field(min_length=2)]
    separator: str = ""
    """What is put between them."""


class NetOf(BaseModel):
    """A field is the debit minus the credit. With both of them empty it is empty."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    debit: ColumnNames
    credit: ColumnNames

    @model_validator(mode="after")
    def columns_differ(self) -> NetOf:
        if set(list_names(self.debit)) & set(list_names(self.credit)):
            raise ValueError("'net_of': a column is debit and credit")
        return self


class Case(BaseModel):
    """What a field is in some of the records. Without a value and without columns it is empty."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    when: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]] = {}
    """Column -> the texts with which the case fits, '*' for any; all of the columns must fit. A
    column that the delivery lacks has no text."""
    value: str | None = None
    """The value, whatever the columns hold."""
    plus: tuple[str, ...] = ()
    """Columns that are added up; with all of these and of `minus` empty the field is empty."""
    minus: tuple[str, ...] = ()
    """Columns that are subtracted."""
    lists: dict[str, str] = {}
    """Column that holds a JSON list of objects -> the key whose numbers are added up as well."""

    @model_validator(mode="after")
    def has_one_kind_of_value(self) -> Case:
        if self.value is not None and (self.plus or self.minus or self.lists):
            raise ValueError("'cases': a case has a value, or columns to add up, not both")
        return self

    def number_columns(self) -> tuple[str, ...]:
        return (*self.plus, *self.minus)


class ListObject(BaseModel):
    """A JSON object is made of a JSON list of objects, each with a key and a value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    key: str = "key"
    value: str = "value"


class ListText(BaseModel):
    """The entries of a JSON list of objects are put behind a text, in brackets."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    keys: Annotated[tuple[str, ...], Field(min_length=1)]
    """What of each entry is shown, in this order."""


class SignFrom(BaseModel):
    """Another column says whether a number is turned."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: ColumnNames
    negative: Annotated[tuple[str, ...], Field(min_length=1)]
    """Texts with which the number is turned."""
    positive: Annotated[tuple[str, ...], Field(min_length=1)]
    """Texts with which it stays."""

    @model_validator(mode="after")
    def texts_differ(self) -> SignFrom:
        if both := sorted(set(self.negative) & set(self.positive)):
            raise ValueError(f"'sign_from': {both[0]!r} is negative and positive")
        return self
