"""The settings of a mapping that have keys of their own, each with what it says."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

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


def year_column(name: str) -> ReadColumn:
    """The column that holds the year of dates without one."""
    return ReadColumn(column=name, type="text")


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

    id_columns: tuple[str, ...] = ()
    """Columns that every record keeps; all others but `value_columns` where those are named."""
    name_column: str
    value_column: str
    skip_columns: tuple[str, ...] = ()
    """Columns that hold no value; the empty text names a column without a name."""
    value_columns: dict[str, str] = {}
    """Column of values -> the name that its records get, such as the currency of an amount."""

    @model_validator(mode="after")
    def says_which_columns(self) -> Unpivot:
        if bool(self.id_columns) == bool(self.value_columns):
            raise ValueError("'unpivot' names 'id_columns' or 'value_columns'")
        return self


class GroupHeading(BaseModel):
    """Records that head a group: their text is a value of all records below, up to the next."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    """The column that holds the heading."""
    pattern: str
    """Regular expression that its whole text matches, with one group: the value."""

    @field_validator("pattern")
    @classmethod
    def has_one_group(cls, pattern: str) -> str:
        return _require_one_group(pattern)


class Total(BaseModel):
    """Records that are the total of those above, since the last one of their kind or an outer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    """The column whose text says that a record is a total."""
    pattern: str
    """Regular expression that this whole text matches."""
    columns: Annotated[tuple[str, ...], Field(min_length=1)]
    """Columns of numbers that are compared with the sum of the records."""


class RowCondition(BaseModel):
    """Which records are kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    values: tuple[str, ...] = ()
    """Texts of the records that are kept; the empty text where it has none."""
    pattern: str | None = None
    """Regular expression that the whole text of the records matches that are kept."""
    is_not: bool = False
    """Whether those records are left out instead."""

    @model_validator(mode="after")
    def says_one_thing(self) -> RowCondition:
        if bool(self.values) == (self.pattern is not None):
            raise ValueError("'keep_rows': a condition has 'values' or a 'pattern'")
        return self

    def __str__(self) -> str:
        texts = ", ".join(map(repr, self.values)) or f"a text like {self.pattern}"
        return f"{self.column} is {'' if self.is_not else 'not '}{texts}"


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


class SignMarks(BaseModel):
    """The texts behind a number that say its sign, where `negative_form` is cr_dr."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    negative: Annotated[tuple[str, ...], Field(min_length=1)] = ("CR",)
    """Texts of credits; compared without case."""
    positive: Annotated[tuple[str, ...], Field(min_length=1)] = ("DR",)
    """Texts of debits; the empty text where a number without one is a debit."""

    @model_validator(mode="after")
    def texts_differ(self) -> SignMarks:
        negative = {text.lower() for text in self.negative}
        both = sorted(negative & {text.lower() for text in self.positive})
        if both or "" in negative:
            raise ValueError(f"'sign_marks': {(both or [''])[0]!r} says no sign")
        return self


class FileValue(BaseModel):
    """A value that the whole file has: its name says it, or a line before the header."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    where: Literal["file_name", "titles"]
    """The name of the file, or the lines before its header."""
    pattern: str
    """Regular expression that is searched there, with one group: the value."""

    @field_validator("pattern")
    @classmethod
    def has_one_group(cls, pattern: str) -> str:
        return _require_one_group(pattern)


class YearFrom(BaseModel):
    """Where the year of dates stands that do not say it, such as 3112 for 31 December."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    where: Literal["mapping", "column", "file_name", "titles"]
    """This mapping, a column, the name of the file, or the lines before its header."""
    year: Annotated[int, Field(ge=1000, le=9999)] | None = None
    """The year, where the mapping says it."""
    column: str | None = None
    """The column that holds it."""
    pattern: str = r"(\d{4})"
    """Regular expression that is searched there, with one group: the year."""
    first_month: Annotated[int, Field(ge=1, le=12)] = 1
    """The month with which the year starts; days of earlier months are of the next one."""

    @field_validator("pattern")
    @classmethod
    def has_one_group(cls, pattern: str) -> str:
        return _require_one_group(pattern)

    @model_validator(mode="after")
    def place_is_named(self) -> YearFrom:
        if (self.where == "mapping") != (self.year is not None):
            raise ValueError("'year_from': 'year' belongs to 'where: mapping', and to that alone")
        if (self.where == "column") != (self.column is not None):
            raise ValueError("'year_from': 'column' belongs to 'where: column', and to that alone")
        return self


def _require_one_group(pattern: str) -> str:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"no regular expression ({error})") from None
    if groups != 1:
        raise ValueError(f"{pattern!r} has {groups} groups, not one: the value")
    return pattern
