"""A mapping says how the columns of a delivery become the fields of its contract. It is data.

Ready mappings lie beside this file as YAML; a workspace has its own in `mappings/`, which come
first. The mappings `canonical` and `canonical_jsonl` need no file: every column has its field's
name. The first is CSV in the contract's order (UTF-8, comma, ISO dates and dot decimals), the
second JSON lines in any order, as a query that names its columns so is pulled.
"""

from __future__ import annotations

import codecs
import re
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipelines.contracts.contract import Contract, ContractField, FieldType

DIRECTORY = Path(__file__).parent
CANONICAL = "canonical"
CANONICAL_LINES = "canonical_jsonl"
MADE_MAPPINGS = (CANONICAL, CANONICAL_LINES)
"""Mappings that are made from the contract and have no file."""
NUMBERED = re.compile(r"(?s)(.+)#([1-9]\d*)")
"""A column name such as `category#2`: the second column of that name."""

FileFormat = Literal["csv", "xlsx", "parquet", "json", "jsonl"]
NegativeForm = Literal["leading", "trailing", "parentheses", "cr_dr"]
DateOrder = Literal["ymd", "dmy", "mdy"]
OneCharacter = Annotated[str, Field(min_length=1, max_length=1)]


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


class LastState(BaseModel):
    """The delivery is a log of events; the last one of each key is its state."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: Annotated[tuple[str, ...], Field(min_length=1)]
    """Fields that say whose event it is."""
    order: Annotated[tuple[str | ReadColumn, ...], Field(min_length=1)]
    """Fields or columns in whose order the events happened; of equals the later record counts."""


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
    """Dotted path to the list of records; left out where the file is that list (json)."""
    unpivot: Unpivot | None = None
    """How a wide delivery becomes one record per value."""

    # Where each field comes from.
    columns: dict[str, str | tuple[str, ...]]
    """Field of the contract -> column of the delivery, or a list of names of which exactly one is
    present. `name#1` and `name#2` are the first and the second of several columns called `name`; in
    JSON `a.b` is `b` inside `a`. Optional fields may be left out."""
    optional_columns: tuple[str, ...] = ()
    """Columns of the mapping that a delivery may lack; its fields are then empty."""
    unknown_columns: Literal["refuse", "log"] = "refuse"
    """What happens to columns that the mapping does not name; the original bytes keep them."""
    column_order: Literal["exact", "any"] = "any"
    """Whether the columns must stand in the order of `columns`; they are read by name always."""
    constants: dict[str, str] = {}
    """Field -> the value that every record has."""
    period_from: str | ReadColumn | None = None
    """The date or time, a field or a column, whose month is the record's period."""
    derived_times: dict[str, DerivedTime] = {}
    """Date or timestamp field -> the field that it follows from, and how."""
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
    date_order: DateOrder = "ymd"
    """Order of year (four digits), month and day in date fields."""
    date_separator: Annotated[str, Field(max_length=1)] = "-"
    """What stands between them; the empty text where nothing does."""
    timestamp_formats: tuple[str, ...] = ()
    """Forms of the time fields, such as '%d/%m/%Y %H:%M'; ISO where none is named."""
    time_zone: str | None = None
    """The zone of times that name none, such as Europe/Berlin; UTC where left out."""
    decimal_mark: Literal[".", ","] = "."
    """What stands before the decimals."""
    thousands_mark: OneCharacter | None = None
    """What may stand between groups of three digits."""
    negative_form: NegativeForm = "leading"
    """How a number shows that it is negative: -1, 1-, (1), or 1CR beside 1DR."""
    sign_flip: tuple[str, ...] = ()
    """Number fields whose sign is turned, where the sender shows cost as negative."""
    allow_float: dict[str, Annotated[int, Field(ge=0, le=12)]] = {}
    """Decimal field -> decimals to round to, where a Parquet file holds it as a binary float or a
    CSV file writes it like one: 5.64902E-05, or more digits than money has."""

    def column_names(self, field: str) -> tuple[str, ...]:
        """The names that the field's column may have; none where no column gives the field."""
        names = self.columns.get(field, ())
        return (names,) if isinstance(names, str) else names

    def all_column_names(self) -> tuple[str, ...]:
        """Every column that the mapping names for its fields, in order, aliases included."""
        return tuple(name for field in self.columns for name in self.column_names(field))

    def helper_columns(self) -> tuple[ReadColumn, ...]:
        """Columns that no field holds and that something is derived from."""
        order = self.last_state_of.order if self.last_state_of else ()
        return tuple(item for item in (*order, self.period_from) if isinstance(item, ReadColumn))

    def is_field_optional(self, field: str) -> bool:
        """Whether a delivery may lack all columns of the field."""
        return all(name in self.optional_columns for name in self.column_names(field))

    @model_validator(mode="after")
    def columns_are_consistent(self) -> Mapping:
        columns = list(self.all_column_names())
        for column in sorted({column for column in columns if columns.count(column) > 1}):
            raise ValueError(f"mapping '{self.mapping_id}': two fields read the column {column!r}")
        for column in self.optional_columns:
            if column not in columns:
                raise self._fault(f"the optional column {column!r} is not mapped")
        for field in self.columns:
            if not self.column_names(field):
                raise self._fault(f"'columns' names no column for the field {field}")
            if field in self.constants:
                raise self._fault(f"the field {field} has a column and a constant")
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
        if self.date_separator.isalnum():
            raise self._fault("'date_separator' is a letter or a digit")
        if self.delimiter == self.quote or self.delimiter in "\r\n":
            raise self._fault("'delimiter' is the quote or a line end")
        for form in self.timestamp_formats:
            if "%Y" not in form:
                raise self._fault(f"the timestamp format {form!r} has no year of four digits, %Y")
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
        if self.footer_pattern is not None:
            try:
                re.compile(self.footer_pattern)
            except re.error as error:
                raise self._fault(f"'footer_pattern' is no regular expression ({error})") from None
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
            "allow_float": ("csv", "parquet"),
            "compression": ("csv", "json", "jsonl"),
            "unpivot": ("csv", "xlsx", "parquet"),
        }
        for name, formats in fits.items():
            if name in self.model_fields_set and self.format not in formats:
                raise self._fault(f"'{name}' says nothing about the format {self.format}")
        form = (self.decimal_mark, self.thousands_mark, self.negative_form)
        if self.allow_float and form != (".", None, "leading"):
            raise self._fault("'allow_float' reads numbers such as -1.5e-05 and no other form")
        if self.footer_rows and self.footer_pattern is not None:
            raise self._fault("'footer_rows' and 'footer_pattern' exclude each other")
        return self

    def _fault(self, message: str) -> ValueError:
        return ValueError(f"mapping '{self.mapping_id}': {message}")


def list_mapping_ids(directory: Path | None = None) -> tuple[str, ...]:
    """Ids of the ready mappings and of those in `directory`, those without a file first."""
    own = {path.stem for path in directory.glob("*.yml")} if directory else set()
    return (*MADE_MAPPINGS, *sorted({*_list_ready_ids(), *own} - {*MADE_MAPPINGS}))


def load_mapping(mapping_id: str, contract: Contract, directory: Path | None = None) -> Mapping:
    """The mapping of that id for `contract`, from `directory` first. Raises KeyError if unknown,
    ValueError if it cannot be read or does not fit the contract."""
    if mapping_id not in list_mapping_ids(directory):
        known = ", ".join(list_mapping_ids(directory))
        raise KeyError(f"no mapping '{mapping_id}'; known: {known}")
    own = directory / f"{mapping_id}.yml" if directory else None
    if own is not None and own.is_file():
        return _load_own(own, contract)
    return _load_ready(mapping_id, contract)


@cache
def _list_ready_ids() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in DIRECTORY.glob("*.yml")))


@cache
def _load_ready(mapping_id: str, contract: Contract) -> Mapping:
    if mapping_id in MADE_MAPPINGS:
        return _make_canonical(mapping_id, contract)
    text = (DIRECTORY / f"{mapping_id}.yml").read_text("utf-8")
    mapping = Mapping.model_validate(yaml.safe_load(text))
    _refuse_misfit(mapping, contract)
    return mapping


def _load_own(path: Path, contract: Contract) -> Mapping:
    """A mapping of the workspace; its file may change while the program runs."""
    from pipelines.workspace.yaml_files import parse_yaml_model

    if path.stem in MADE_MAPPINGS:
        raise ValueError(f"{path.name}: the name '{path.stem}' is taken; give it another one")
    mapping, problems, _ = parse_yaml_model(path, Mapping, root=path.parent.parent)
    if mapping is None or problems:
        raise ValueError("; ".join(map(str, problems)))
    if mapping.mapping_id != path.stem:
        raise ValueError(f"{path.name}: 'mapping_id' is '{mapping.mapping_id}', not '{path.stem}'")
    _refuse_misfit(mapping, contract)
    return mapping


def _make_canonical(mapping_id: str, contract: Contract) -> Mapping:
    is_csv = mapping_id == CANONICAL
    return Mapping(
        mapping_id=mapping_id,
        contract=contract.contract_id,
        description="Columns are named as the contract's fields.",
        format="csv" if is_csv else "jsonl",
        columns={field.name: field.name for field in contract.fields},
        optional_columns=tuple(f.name for f in contract.fields if not f.is_required),
        column_order="exact" if is_csv else "any",
    )


def find_row_key_field(mapping: Mapping, contract: Contract) -> str | None:
    """The key field that is made from file and record, where the mapping says so."""
    if not mapping.row_key:
        return None
    free = [n for n in contract.key if n not in mapping.columns and n not in mapping.constants]
    return free[0] if len(free) == 1 else None


def find_derived_period_field(mapping: Mapping, contract: Contract) -> str | None:
    """The period field that is made from a date, where the mapping says so."""
    return contract.period_field if mapping.period_from is not None else None


def _refuse_misfit(mapping: Mapping, contract: Contract) -> None:
    if mapping.contract != contract.contract_id:
        raise ValueError(
            f"mapping '{mapping.mapping_id}' is for the contract '{mapping.contract}', "
            f"not for '{contract.contract_id}'"
        )
    fields = {field.name: field for field in contract.fields}
    unknown = [name for name in _list_named_fields(mapping) if name not in fields]
    if unknown:
        raise ValueError(
            f"mapping '{mapping.mapping_id}' names fields that the contract "
            f"'{contract.contract_id}' does not have: {', '.join(unknown)}"
        )
    _refuse_misfit_of_types(mapping, fields)
    _refuse_misfit_of_derived(mapping, contract)
    given = {
        *mapping.constants,
        *mapping.derived_times,
        find_row_key_field(mapping, contract),
        find_derived_period_field(mapping, contract),
        *(name for name in mapping.columns if not mapping.is_field_optional(name)),
    }
    unmapped = [f.name for f in contract.fields if f.is_required and f.name not in given]
    if unmapped:
        raise ValueError(
            f"mapping '{mapping.mapping_id}' gives no column to the required fields "
            f"{', '.join(unmapped)} of the contract '{contract.contract_id}'"
        )


def _list_named_fields(mapping: Mapping) -> list[str]:
    """Every field that the mapping names, each once, in the order of its keys."""
    named = [*mapping.columns, *mapping.constants, *mapping.pad_left, *mapping.value_maps]
    named += [*mapping.sign_flip, *mapping.allow_float, *mapping.derived_times]
    named += [item.of for item in mapping.derived_times.values()]
    if isinstance(mapping.period_from, str):
        named.append(mapping.period_from)
    if mapping.last_state_of:
        named += mapping.last_state_of.key
        named += [item for item in mapping.last_state_of.order if isinstance(item, str)]
    return list(dict.fromkeys(named))


def _refuse_misfit_of_types(mapping: Mapping, fields: dict[str, ContractField]) -> None:
    """Settings that turn numbers or texts name fields of that type."""
    texts: tuple[FieldType, ...] = ("text", "code", "period", "currency")
    for setting, names, types in (
        ("sign_flip", mapping.sign_flip, ("decimal", "integer")),
        ("allow_float", tuple(mapping.allow_float), ("decimal",)),
        ("pad_left", tuple(mapping.pad_left), texts),
        ("derived_times", tuple(mapping.derived_times), ("date", "timestamp")),
        (
            "derived_times",
            tuple(item.of for item in mapping.derived_times.values()),
            ("period", "date", "timestamp"),
        ),
    ):
        for name in names:
            if fields[name].type not in types:
                raise ValueError(
                    f"mapping '{mapping.mapping_id}': '{setting}' names {name}, which is of type "
                    f"{fields[name].type}, not {' or '.join(types)}"
                )


def _refuse_misfit_of_derived(mapping: Mapping, contract: Contract) -> None:
    name = f"mapping '{mapping.mapping_id}'"
    if mapping.row_key and find_row_key_field(mapping, contract) is None:
        raise ValueError(f"{name}: 'row_key' needs exactly one key field without a column")
    for field, derived in mapping.derived_times.items():
        if field in mapping.columns or field in mapping.constants:
            raise ValueError(f"{name}: the field {field} is given and in 'derived_times'")
        if derived.of not in mapping.columns:
            raise ValueError(
                f"{name}: 'derived_times' makes {field} of {derived.of}, which has no column"
            )
    if mapping.period_from is None:
        return
    period = contract.period_field
    if period is None or contract.field(period).type != "period":
        raise ValueError(f"{name}: 'period_from', and the contract has no period to derive")
    if period in mapping.columns or period in mapping.constants:
        raise ValueError(f"{name}: the period {period} is given and derived by 'period_from'")
    source = mapping.period_from
    kind = contract.field(source).type if isinstance(source, str) else source.type
    if kind not in ("date", "timestamp"):
        raise ValueError(f"{name}: 'period_from' is of type {kind}, not a date or timestamp")
