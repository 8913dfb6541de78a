"""The settings of a mapping: how the columns of a delivery become the fields of its contract.

Here are the keys, their defaults and what contradicts itself; whether a mapping fits its contract
says `fit.py`, and `mapping.py` finds and loads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipelines.mappings.calendar_names import Language
from pipelines.mappings.identifier_names import Identifiers
from pipelines.mappings.setting_parts import (
    Case,
    ColumnNames,
    DerivedTime,
    FileValue,
    GroupHeading,
    Join,
    LastState,
    ListObject,
    ListText,
    NetOf,
    ReadColumn,
    RowCondition,
    SignFrom,
    SignMarks,
    Total,
    Unpivot,
    YearFrom,
    list_names,
    year_column,
)

NUMBERED = re.compile(r"(?s)(.+)#([1-9]\d*)")
"""A column name such as `category#2`: the second column of that name."""

FileFormat = Literal["csv", "xlsx", "parquet", "json", "jsonl"]
NegativeForm = Literal["leading", "trailing", "parentheses", "cr_dr"]
DateOrder = Literal["ymd", "dmy", "mdy"]
OneCharacter = Annotated[str, Field(min_length=1, max_length=1)]
Digits = Annotated[int, Field(ge=0, le=12)]
CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


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
    header_rows: Annotated[int, Field(ge=1, le=4)] = 1
    """How many lines the header has. Names of groups above the columns are put before their names,
    as in `Budget Amount`; one holds for the columns beside it that have none (csv, xlsx)."""
    footer_rows: Annotated[int, Field(ge=0)] = 0
    """How many lines at the end are no records (csv, xlsx)."""
    footer_pattern: str | None = None
    """Regular expression that every line of the footer matches from its beginning; a file
    without such a line at its end is refused as cut off (csv)."""
    ragged_rows: Literal["quarantine", "refuse"] = "quarantine"
    """What happens to records with another number of fields than the header: they alone go into
    quarantine, or the file is refused (csv, xlsx)."""
    skip_blank_rows: bool = False
    """Whether records without any value are passed over and counted."""
    sheet: str | None = None
    """The sheet to read; may be left out where the file has one that is visible (xlsx)."""
    records_at: str | None = None
    """Dotted path to the list of records; left out where the file is that list, a dot where it is
    one record (json)."""
    skip_repeated_headers: bool = False
    """Whether records that repeat the header are passed over and counted."""
    group_headings: dict[Annotated[str, Field(min_length=1)], GroupHeading] = {}
    """Column that is made -> the headings above groups of records that give its values."""
    totals: tuple[Total, ...] = ()
    """Totals among the records, inner ones first: they are compared and passed over."""
    fill_down: tuple[str, ...] = ()
    """Columns whose empty values are those of the record above."""
    keep_rows: tuple[RowCondition, ...] = ()
    """Conditions that records must meet; those left out are counted, with their amounts."""
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
    file_values: dict[str, FileValue] = {}
    """Field -> where the file says the value that all of its records have."""
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
    languages: tuple[Language, ...] = ()
    """Languages of the names of months, weekdays and halves of the day; English where left out."""
    date_formats: tuple[str, ...] = ()
    """Forms of the date fields, such as '%A, %B %d, %Y', instead of `date_order`; a form without a
    day means the first of its month."""
    period_formats: tuple[str, ...] = ()
    """Forms of the period fields, such as '%b %Y' or '%m/%Y'; 2026-03 where none is named."""
    year_from: YearFrom | None = None
    """Where the year of dates and periods stands whose forms have none."""
    date_order: DateOrder = "ymd"
    """Order of year, month and day in date fields."""
    date_separator: Annotated[str, Field(max_length=1)] = "-"
    """What stands between them; the empty text where nothing does."""
    century: Literal[19, 20] | None = None
    """The first digits of years, where dates write the last two only."""
    timestamp_formats: tuple[str, ...] = ()
    """Forms of the time fields, such as '%d/%m/%Y %H:%M'; ISO where none is named."""
    time_zone: str | None = None
    """The zone of times that name none, such as Europe/Berlin or UTC."""
    inclusive_ends: tuple[str, ...] = ()
    """Date or time fields that hold the last day of a span; the value is the day after it."""
    decimal_mark: Literal[".", ","] = "."
    """What stands before the decimals."""
    thousands_mark: OneCharacter | None = None
    """What may stand between groups of three digits. A space is any space, a no-break one too; an
    apostrophe is a straight or a curled one."""
    digit_groups: Literal["thousands", "indian"] = "thousands"
    """How digits are grouped: 1,234,567 or 12,34,567."""
    negative_form: NegativeForm | tuple[NegativeForm, ...] = "leading"
    """How a number shows that it is negative: -1, 1-, (1), or 1CR beside 1DR; several may be
    named."""
    minus_signs: Annotated[tuple[OneCharacter, ...], Field(min_length=1)] = ("-",)
    """Characters that are a minus."""
    allow_plus: bool = False
    """Whether a plus may stand before a number."""
    sign_marks: SignMarks = SignMarks()
    """The texts behind a number that say its sign, where `negative_form` is cr_dr."""
    currency_marks: dict[Annotated[str, Field(min_length=1)], CurrencyCode] = {}
    """Sign or code in amounts -> currency, such as {"$": USD}; a record whose currency is another
    one is a problem, and where no column gives the currency, the mark does."""
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
        if self.year_from is not None and self.year_from.column is not None:
            items.append(year_column(self.year_from.column))
        return tuple(item for item in items if isinstance(item, ReadColumn))

    def has_table_shape(self) -> bool:
        """Whether something among the records is no record, or stands above those it is for."""
        return bool(
            self.skip_repeated_headers
            or self.group_headings
            or self.totals
            or self.fill_down
            or self.keep_rows
        )

    def shape_columns(self) -> tuple[str, ...]:
        """Columns that only say something about the shape of the table."""
        named = [heading.column for heading in self.group_headings.values()]
        named += [name for total in self.totals for name in (total.column, *total.columns)]
        named += [*self.fill_down, *(condition.column for condition in self.keep_rows)]
        return tuple(dict.fromkeys(named))

    def has_titles(self) -> bool:
        """Whether lines stand before the header."""
        return self.header_row > 1

    def list_negative_forms(self) -> tuple[NegativeForm, ...]:
        """Every way in which a number shows that it is negative."""
        forms = self.negative_form
        return forms if isinstance(forms, tuple) else (forms,)

    def named_languages(self) -> tuple[Language, ...]:
        """The languages of names: those declared, or English."""
        return self.languages or ("en",)

    def reads_column(self, column: str) -> bool:
        """Whether anything is made of a column of that name."""
        return column in (*self.all_column_names(), *self.shape_columns()) or column.startswith(
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
            or self.file_values
            or self.currency_marks
        )

    def computes(self, field: str) -> bool:
        """Whether the number of a field is worked out, so that it no longer shows how it was
        written."""
        settings = (self.net_of, self.cases, self.power_of_ten, self.round_to)
        return field in self.allow_scientific or any(field in setting for setting in settings)

    def list_sources(self) -> Iterator[tuple[str, str]]:
        """(field, what gives it) for every field that the mapping fills from the delivery or by a
        constant; what follows from another field is not among them."""
        for what, fields in (
            ("a column", self.columns),
            ("a constant", self.constants),
            ("a value of the file", self.file_values),
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
    def settings_are_consistent(self) -> Mapping:
        from pipelines.mappings.setting_checks import find_faults

        fault = next(find_faults(self), None)
        if fault is not None:
            raise ValueError(f"mapping '{self.mapping_id}': {fault}")
        return self
