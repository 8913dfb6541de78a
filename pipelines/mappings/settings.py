"""The settings of a mapping: how the columns of a delivery become the fields of its contract.

Here are the keys, their defaults and what contradicts itself; whether a mapping fits its contract
says `fit.py`, and `mapping.py` finds and loads it.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipelines.mappings.identifier_names import Identifiers
from pipelines.mappings.setting_parts import (
    Case,
    ColumnNames,
    DerivedTime,
    Join,
    LastState,
    ListObject,
    ListText,
    NetOf,
    ReadColumn,
    SignFrom,
    Unpivot,
    list_names,
)

NUMBERED = re.compile(r"(?s)(.+)#([1-9]\d*)")
"""A column name such as `category#2`: the second column of that name."""

FileFormat = Literal["csv", "xlsx", "parquet", "json", "jsonl"]
NegativeForm = Literal["leading", "trailing", "parentheses", "cr_dr"]
DateOrder = Literal["ymd", "dmy", "mdy"]
OneCharacter = Annotated[str, Field(min_length=1, max_length=1)]
Digits = Annotated[int, Field(ge=0, le=12)]


class Mapping(BaseModel):
    """How one kind of delivery is read. Only the declared form is read, nothing is guessed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mapping_id: str
    contract: str
    description: str

    # What the file is.
    format: FileFormat = "csv"
    """Format of the file."""
    compression: Literal["none", "gzip", "zip"] = "none"
    """How the file is packed; a ZIP archive holds exactly one file."""
    encoding: str = "utf-8"
    """Encoding of the text, such as cp1252 or utf-16 (csv, json, jsonl)."""
    delimiter: OneCharacter = ","
    """What separates the columns (csv)."""
    quote: Annotated[str, Field(max_length=1)] = '"'
    """What encloses a text; the empty text where nothing does (csv)."""
    header_row: Annotated[int, Field(ge=1)] = 1
    """The line of the header, counted from 1; lines before it are passed over (csv, xlsx)."""
    footer_rows: Annotated[int, Field(ge=0)] = 0
    """How many lines at the end are no records (csv, xlsx)."""
    footer_pattern: str | None = None
    """Regular expression that every line of the footer matches from its beginning; a file
    without such a line at its end is refused as cut off (csv)."""
    skip_blank_rows: bool = False
    """Whether records without any value are passed over and counted."""
    sheet: str | None = None
    """The sheet to read; may be left out where the file has one that is visible (xlsx)."""
    records_at: str | None = None
    """Dotted path to the list of records; left out where the file is that list, a dot where it is
    one record (json)."""
    unpivot: Unpivot | None = None
    """How a wide delivery becomes one record per value."""

    # Where each field comes from.
    columns: dict[str, ColumnNames]
    """Field of the contract -> column of the delivery, or a list of names of which exactly one is
    present. `name#1` and `name#2` are the first and the second of several columns called `name`; in
    JSON `a.b` is `b` inside `a`. Optional fields may be left out; a column may give several."""
    optional_columns: tuple[str, ...] = ()
    """Columns of the mapping that a delivery may lack; its fields are then empty."""
    unknown_columns: Literal["refuse", "log"] = "refuse"
    """What happens to columns that the mapping does not name; the original bytes keep them."""
    column_order: Literal["exact", "any"] = "any"
    """Whether the columns must stand in the order of `columns`; they are read by name always."""
    constants: dict[str, str] = {}
    """Field -> the value that every record has."""
    defaults: dict[str, str] = {}
    """Field -> the value of the records in which it is empty; they are counted."""
    extract: dict[str, str] = {}
    """Field -> regular expression that its whole text matches, with one group: the value. Another
    text is a problem of its record."""
    join: dict[str, Join] = {}
    """Field -> the columns that it is joined from."""
    net_of: dict[str, NetOf] = {}
    """Decimal field -> the columns of debit and credit that it is the difference of."""
    identifiers: Identifiers = {}
    """Fields that hold names, of which codes are made: {account_id: from_name}, or `from_name` for
    all accounts, entities, cost centres, units, vendors, classes and services that columns give."""
    cases: dict[str, Annotated[tuple[Case, ...], Field(min_length=1)]] = {}
    """Text or decimal field -> what it is in which records: the first case that fits counts, and
    with none the field is empty. A delivery may lack the columns of a case."""
    object_of_list: dict[str, ListObject] = {}
    """JSON field -> the list of keys and values that it is made of, such as labels."""
    append_list: dict[str, ListText] = {}
    """Text field that has a column -> the list whose entries are put behind its text."""
    object_from: dict[str, Annotated[str, Field(min_length=1)]] = {}
    """JSON field -> beginning of the names of the columns that each hold one key of it; the rest
    of a name is the key, and empty values are left out (csv, xlsx, parquet)."""
    derived_times: dict[str, DerivedTime] = {}
    """Date or timestamp field -> the field that it follows from, and how."""
    period_from: str | ReadColumn | None = None
    """The date or time, a field or a column, whose month is the record's period."""
    row_key: bool = False
    """Whether the key field is made from the hash of the file and the number of the record, for
    sources without keys."""
    last_state_of: LastState | None = None
    """How a log of events becomes one record per key; earlier events are counted and logged."""

    # What their texts look like.
    null_tokens: tuple[str, ...] = ()
    """Texts that mean 'no value', besides the empty text."""
    strip_text: bool = False
    """Whether spaces around values are removed, and counted."""
    pad_left: dict[str, Annotated[int, Field(ge=1, le=200)]] = {}
    """Field -> width to which zeros are put before a number, for leading zeros that were lost."""
    value_maps: dict[str, dict[str, str]] = {}
    """Field -> delivered text -> value of the contract. A text that is not named is a problem of
    its record, unless `value_defaults` has the field."""
    value_defaults: dict[str, str] = {}
    """Field with a value map -> value for the texts that the map does not name."""
    unbraced_json: tuple[str, ...] = ()
    """JSON fields whose texts lack the braces around the object."""
    date_order: DateOrder = "ymd"
    """Order of year, month and day in date fields."""
    date_separator: Annotated[str, Field(max_length=1)] = "-"
    """What stands between them; the empty text where nothing does."""
    century: Literal[19, 20] | None = None
    """The first digits of years, where dates write the last two only."""
    timestamp_formats: tuple[str, ...] = ()
    """Forms of the time fields, such as '%d/%m/%Y %H:%M'; ISO where none is named."""
    time_zone: str | None = None
    """The zone of times that name none, such as Europe/Berlin; UTC where left out."""
    inclusive_ends: tuple[str, ...] = ()
    """Date or time fields that hold the last day of a span; the value is the day after it."""
    decimal_mark: Literal[".", ","] = "."
    """What stands before the decimals."""
    thousands_mark: OneCharacter | None = None
    """What may stand between groups of three digits."""
    negative_form: NegativeForm = "leading"
    """How a number shows that it is negative: -1, 1-, (1), or 1CR beside 1DR."""
    allow_scientific: tuple[str, ...] = ()
    """Decimal fields whose numbers may have an exponent, such as 1.5E-7; it is written out."""
    power_of_ten: dict[str, Annotated[int, Field(ge=-12, le=12)]] = {}
    """Decimal field -> power of ten that its numbers are multiplied with: 3 for amounts in
    thousands, -2 for amounts in cents."""
    round_to: dict[str, Digits] = {}
    """Decimal field -> decimals to round to, half away from zero; changed values are counted."""
    sign_from: dict[str, SignFrom] = {}
    """Number field -> the column that says whether it is turned, such as debit and credit."""
    sign_flip: tuple[str, ...] = ()
    """Number fields whose sign is turned, where the sender shows cost as negative."""
    allow_float: dict[str, Digits] = {}
    """Decimal field -> decimals to round to, where a Parquet file holds it as a binary float."""

    def column_names(self, field: str) -> tuple[str, ...]:
        """The names that the field's column may have; none where no column gives the field."""
        return list_names(self.columns.get(field, ()))

    def field_column_names(self) -> tuple[str, ...]:
        """Every column of `columns`, each once, in order, aliases included."""
        names = (name for field in self.columns for name in self.column_names(field))
        return tuple(dict.fromkeys(names))

    def all_column_names(self) -> tuple[str, ...]:
        """Every column that the mapping names, each once, aliases included."""
        others = (name for names in self.other_columns() for name in names)
        return tuple(dict.fromkeys((*self.field_column_names(), *others, *self.lacking_columns())))

    def other_columns(self) -> Iterator[tuple[str, ...]]:
        """Columns beside those of `columns`, each as the names of which exactly one is present."""
        for join in self.join.values():
            yield from ((column,) for column in join.columns)
        for sides in self.net_of.values():
            yield from (list_names(sides.debit), list_names(sides.credit))
        for sign in self.sign_from.values():
            yield list_names(sign.column)
        for helper in self.helper_columns():
            yield (helper.column,)

    def lacking_columns(self) -> Iterator[str]:
        """Columns of cases and lists, which a delivery may lack."""
        for cases in self.cases.values():
            for case in cases:
                yield from (*case.when, *case.number_columns(), *case.lists)
        yield from (item.column for item in self.object_of_list.values())
        yield from (item.column for item in self.append_list.values())

    def helper_columns(self) -> tuple[ReadColumn, ...]:
        """Columns that no field holds and that something is derived from."""
        items: list[str | ReadColumn | None] = [self.period_from]
        if self.last_state_of:
            items = [*self.last_state_of.order, *items]
            if closed := self.last_state_of.closed:
                items += [closed.time, ReadColumn(column=closed.column, type="text")]
        return tuple(item for item in items if isinstance(item, ReadColumn))

    def reads_column(self, column: str) -> bool:
        """Whether anything is made of a column of that name."""
        return column in self.all_column_names() or column.startswith(
            tuple(self.object_from.values())
        )

    def fields_of_columns(self) -> dict[str, str]:
        """Column -> the field that its values go to; the last one where there are several."""
        fields = {name: field for field in self.columns for name in self.column_names(field)}
        for field, sides in self.net_of.items():
            names = (*list_names(sides.debit), *list_names(sides.credit))
            fields |= dict.fromkeys(names, field)
        for field, cases in self.cases.items():
            fields = dict.fromkeys((n for c in cases for n in c.number_columns()), field) | fields
        return fields

    def rewrites_fields(self) -> bool:
        """Whether a field is more than the value of one column; rounding is left out of this."""
        return bool(
            self.defaults
            or self.extract
            or self.join
            or self.net_of
            or self.cases
            or self.object_of_list
            or self.append_list
            or self.object_from
            or self.identifiers
            or self.derived_times
            or self.unbraced_json
            or self.inclusive_ends
            or self.power_of_ten
            or self.sign_from
        )

    def list_sources(self) -> Iterator[tuple[str, str]]:
        """(field, what gives it) for every field that the mapping fills from the delivery or by a
        constant; what follows from another field is not among them."""
        for what, fields in (
            ("a column", self.columns),
            ("a constant", self.constants),
            ("columns that are joined", self.join),
            ("a debit and a credit", self.net_of),
            ("an object", self.object_from),
            ("cases", self.cases),
            ("a list of keys and values", self.object_of_list),
        ):
            yield from ((field, what) for field in fields)

    def fills_field(self, field: str) -> bool:
        """Whether the mapping gives the field a value in any way but by the record's number or the
        month of a date."""
        return field in {*dict(self.list_sources()), *self.defaults, *self.derived_times}

    def is_field_optional(self, field: str) -> bool:
        """Whether a delivery may lack all columns of the field."""
        return all(name in self.optional_columns for name in self.column_names(field))

    @model_validator(mode="after")
    def sources_are_consistent(self) -> Mapping:
        names = self.field_column_names()
        for column in self.optional_columns:
            if column not in names:
                raise self._fault(f"the optional column {column!r} is not mapped")
        for field in self.columns:
            if not self.column_names(field):
                raise self._fault(f"'columns' names no column for the field {field}")
        given: dict[str, str] = {}
        for field, what in self.list_sources():
            if field in given:
                raise self._fault(f"the field {field} has {given[field]} and {what}")
            given[field] = what
        for field, value in self.constants.items():
            if not value.strip():
                raise self._fault(
                    f"the constant {field} is empty; give it the value that every record has"
                )
        for field in self.defaults:
            if field in self.constants:
                raise self._fault(f"the field {field} has a constant and a default")
        for field in self.extract:
            if field not in self.columns:
                raise self._fault(f"'extract' names {field}, which has no column")
        return self

    @model_validator(mode="after")
    def lists_stand_behind_a_column(self) -> Mapping:
        for field in self.append_list:
            if field not in self.columns:
                raise self._fault(f"'append_list' names {field}, which has no column")
        return self

    @model_validator(mode="after")
    def forms_are_consistent(self) -> Mapping:
        for field, values in self.value_maps.items():
            if not values:
                raise self._fault(f"the value map of {field} is empty")
        for field in self.value_defaults:
            if field not in self.value_maps:
                raise self._fault(f"'value_defaults' names {field}, which has no value map")
        if self.thousands_mark is not None and self.thousands_mark in (self.decimal_mark, *"-()"):
            raise self._fault(f"'thousands_mark' cannot be {self.thousands_mark!r}")
        if self.thousands_mark is not None and self.thousands_mark.isalnum():
            raise self._fault("'thousands_mark' is a letter or a digit")
        if self.allow_scientific and self.negative_form != "leading":
            raise self._fault("'allow_scientific' needs the negative form 'leading'")
        if self.date_separator.isalnum():
            raise self._fault("'date_separator' is a letter or a digit")
        if self.delimiter == self.quote or self.delimiter in "\r\n":
            raise self._fault("'delimiter' is the quote or a line end")
        year, digits = ("%y", "two") if self.century else ("%Y", "four")
        for form in self.timestamp_formats:
            if year not in form or {"%y", "%Y"} <= {form[i : i + 2] for i in range(len(form))}:
                message = f"the timestamp format {form!r} has no year of {digits} digits, {year}"
                raise self._fault(message)
        return self

    @model_validator(mode="after")
    def names_can_be_looked_up(self) -> Mapping:
        try:
            # Codecs such as base64 or rot13 turn no bytes into text.
            is_text = codecs.lookup(self.encoding)._is_text_encoding
        except LookupError:
            is_text = False
        if not is_text:
            raise self._fault(f"unknown encoding {self.encoding!r}")
        if self.time_zone is not None:
            from zoneinfo import ZoneInfo

            try:
                ZoneInfo(self.time_zone)
            except (KeyError, ValueError, OSError):
                raise self._fault(f"unknown time zone {self.time_zone!r}") from None
        return self

    @model_validator(mode="after")
    def patterns_can_be_read(self) -> Mapping:
        if self.footer_pattern is not None:
            try:
                re.compile(self.footer_pattern)
            except re.error as error:
                raise self._fault(f"'footer_pattern' is no regular expression ({error})") from None
        for field, pattern in self.extract.items():
            fault = _find_fault(pattern)
            if fault is not None:
                raise self._fault(f"'extract' of {field} {fault}")
        return self

    @model_validator(mode="after")
    def settings_fit_the_format(self) -> Mapping:
        fits = {
            "encoding": ("csv", "json", "jsonl"),
            "delimiter": ("csv",),
            "quote": ("csv",),
            "header_row": ("csv", "xlsx"),
            "footer_rows": ("csv", "xlsx"),
            "footer_pattern": ("csv",),
            "sheet": ("xlsx",),
            "records_at": ("json",),
            "object_from": ("csv", "xlsx", "parquet"),
            "allow_float": ("parquet",),
            "compression": ("csv", "json", "jsonl"),
            "unpivot": ("csv", "xlsx", "parquet"),
        }
        for name, formats in fits.items():
            if name in self.model_fields_set and self.format not in formats:
                raise self._fault(f"'{name}' says nothing about the format {self.format}")
        if self.footer_rows and self.footer_pattern is not None:
            raise self._fault("'footer_rows' and 'footer_pattern' exclude each other")
        return self

    def _fault(self, message: str) -> ValueError:
        return ValueError(f"mapping '{self.mapping_id}': {message}")


def _find_fault(pattern: str) -> str | None:
    """What is wrong with a regular expression of `extract`, as DuckDB reads it."""
    import duckdb

    try:
        groups = re.compile(pattern).groups
        with duckdb.connect() as connection:
            connection.execute("select regexp_full_match('', ?)", [pattern]).fetchall()
    except (re.error, duckdb.Error) as error:
        return f"is no regular expression ({str(error).splitlines()[0]})"
    return None if groups == 1 else f"has {groups} groups, not one: the value"
