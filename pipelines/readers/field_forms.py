"""SQL that turns a text of a declared form into the canonical text of its type.

A value that is not in the declared form is marked, so that it fits no type and says what was
expected: only the declared form is read. Everything else is left to the patterns of the types.
"""

from __future__ import annotations

from pipelines.contracts.contract import ContractField, FieldType
from pipelines.mappings.mapping import Mapping
from pipelines.readers.csv_header import NATIVE_MARK

MISREAD_MARK = "\x1a"
"""Mark, delivered text, mark, what was expected. No pattern of a type lets it pass."""
NUMBERS: tuple[FieldType, ...] = ("decimal", "integer")
EARLIEST_YEAR, LATEST_YEAR = 1000, 9999
LARGEST_EXPONENT = 40
"""Numbers beyond fit no field; so small ones are lost in any rounding that a mapping can name."""
ISO_TIME = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?"
CANONICAL_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


def form_expression(field: ContractField, mapping: Mapping, has_native: bool) -> str | None:
    """SQL that brings the field's text into its canonical form, or None where it stays as it is.

    With `has_native`, a text that begins with the mark of a typed value is canonical already.
    """
    name = f'"{field.name}"'
    form: str | None = None
    if field.type in NUMBERS and _has_number_form(field, mapping):
        form = _number_form(name, field, mapping)
    elif field.type == "date" and (mapping.date_order, mapping.date_separator) != ("ymd", "-"):
        form = _date_form(name, mapping)
    elif field.type == "timestamp" and mapping.timestamp_formats:
        form = _time_form(name, mapping)
    elif field.type == "timestamp" and mapping.time_zone is not None:
        form = _zoned_iso(name, mapping.time_zone)
    if not has_native:
        return form
    native = _native_form(f"substr({name}, 2)", field, mapping)
    is_native = f"starts_with({name}, {literal(NATIVE_MARK)})"
    return f"case when {is_native} then {native} else {form or name} end"


def mark_expression(name: str, expected: str) -> str:
    """SQL for a delivered text that is not what was expected."""
    mark = literal(MISREAD_MARK)
    return f"{mark} || replace({name}, {mark}, ' ') || {mark} || {literal(expected)}"


def is_marked(name: str) -> str:
    """SQL: whether a text begins with the mark of what was not read; NULL where there is none."""
    return f"starts_with({name}, {literal(MISREAD_MARK)})"


def is_misread(name: str) -> str:
    """SQL: whether a field's text was marked as not read."""
    return f"regexp_full_match({name}, '(?s)\\x1a.*\\x1a.+')"


def delivered_text(name: str) -> str:
    """SQL for the text as it was delivered, marked or not."""
    mark = literal(MISREAD_MARK)
    return f"case when {is_misread(name)} then split_part({name}, {mark}, 2) else {name} end"


def expected_text(name: str) -> str:
    """SQL for what was expected instead of a marked text."""
    return f"split_part({name}, {literal(MISREAD_MARK)}, 3)"


def literal(text: str) -> str:
    """A text as SQL."""
    return "'" + text.replace("'", "''") + "'"


def _has_number_form(field: ContractField, mapping: Mapping) -> bool:
    marks = (mapping.decimal_mark, mapping.thousands_mark, mapping.negative_form)
    return marks != (".", None, "leading") or field.name in mapping.allow_scientific


def _number_form(name: str, field: ContractField, mapping: Mapping) -> str:
    point = _escape(mapping.decimal_mark)
    whole = r"\d+"
    if mapping.thousands_mark is not None:
        whole = rf"(\d{{1,3}}({_escape(mapping.thousands_mark)}\d{{3}})+|\d+)"
    digits = whole if field.type == "integer" else rf"{whole}({point}\d+)?"
    if field.name in mapping.allow_scientific:
        return _scientific_form(name, digits, field, mapping)
    pattern, is_negative = {
        "leading": (f"-?{digits}", f"starts_with({name}, '-')"),
        "trailing": (f"{digits}-?", f"ends_with({name}, '-')"),
        "parentheses": (rf"\({digits}\)|{digits}", f"starts_with({name}, '(')"),
        # Zero is neither, and may stand alone.
        "cr_dr": (rf"{digits} ?(CR|DR)|0+({point}0+)?", f"ends_with({name}, 'CR')"),
    }[mapping.negative_form]
    bare = f"regexp_replace({name}, '[^0-9{point}]', '', 'g')"
    number = f"replace({bare}, {literal(mapping.decimal_mark)}, '.')"
    expected = f"a number such as {_example(field, mapping)}"
    return (
        f"case when {name} is null then null "
        f"when regexp_full_match({name}, {literal(pattern)}) "
        f"then case when {is_negative} then '-' else '' end || {number} "
        f"else {mark_expression(name, expected)} end"
    )


def _scientific_form(name: str, digits: str, field: ContractField, mapping: Mapping) -> str:
    """A number that may have an exponent, as digits, a dot and E; a later stage writes it out."""
    number = f"replace({name}, 'e', 'E')"
    power = f"try_cast(split_part({number}, 'E', 2) as integer)"
    pattern = literal(f"-?{digits}(E[+-]?[0-9]{{1,3}})?")
    expected = f"a number such as {_example(field, mapping)} or 1{mapping.decimal_mark}5E-7"
    plain = number
    if mapping.thousands_mark is not None:
        plain = f"replace({plain}, {literal(mapping.thousands_mark)}, '')"
    if mapping.decimal_mark != ".":
        plain = f"replace({plain}, {literal(mapping.decimal_mark)}, '.')"
    return (
        f"case when {name} is null then null "
        f"when regexp_full_match({number}, {pattern}) "
        f"and abs(coalesce({power}, 0)) <= {LARGEST_EXPONENT} "
        f"then {plain} else {mark_expression(name, expected)} end"
    )


def _example(field: ContractField, mapping: Mapping) -> str:
    digits = f"1{mapping.thousands_mark or ''}234"
    if field.type == "decimal":
        digits += f"{mapping.decimal_mark}56"
    forms = {"leading": "-{}", "trailing": "{}-", "parentheses": "({})", "cr_dr": "{}CR"}
    return forms[mapping.negative_form].format(digits)


def _date_form(name: str, mapping: Mapping) -> str:
    separator = mapping.date_separator
    # Without anything between them, only full widths say where a part ends.
    short = r"(\d{1,2})" if separator else r"(\d{2})"
    parts = {"y": r"(\d{2})" if mapping.century else r"(\d{4})", "m": short, "d": short}
    pattern = _escape(separator).join(parts[part] for part in mapping.date_order)
    at = {part: mapping.date_order.index(part) + 1 for part in "ymd"}

    def group(part: str) -> str:
        return f"regexp_extract({name}, {literal(pattern)}, {at[part]})"

    year = f"{literal(str(mapping.century or ''))} || {group('y')}"
    iso = f"{year} || '-' || lpad({group('m')}, 2, '0') || '-' || lpad({group('d')}, 2, '0')"
    shown = {"y": "26" if mapping.century else "2026", "m": "03", "d": "31"}
    example = separator.join(shown[part] for part in mapping.date_order)
    return (
        f"case when {name} is null then null "
        f"when regexp_full_match({name}, {literal(pattern)}) "
        f"and try_cast({iso} as date) is not null then {iso} "
        f"else {mark_expression(name, f'a date such as {example}')} end"
    )


def _time_form(name: str, mapping: Mapping) -> str:
    zoned = [form for form in mapping.timestamp_formats if "%z" in form]
    naive = [form for form in mapping.timestamp_formats if "%z" not in form]
    century = mapping.century
    tries = [_say_time(f"{_parse(name, form, century)} at time zone 'UTC'") for form in zoned]
    tries += [_zoned_time(_parse(name, form, century), mapping.time_zone) for form in naive]
    expected = f"a time in the form {' or '.join(mapping.timestamp_formats)}"
    return (
        f"case when {name} is null then null else coalesce({', '.join(tries)}, "
        f"{mark_expression(name, expected)}) end"
    )


def _parse(name: str, form: str, century: int | None) -> str:
    # The parser passes over spaces at the beginning, and lets a year of two digits be one.
    parsed = f"try_strptime(case when {name} = trim({name}) then {name} end, {literal(form)})"
    if century is None:
        return parsed
    # It takes 69 to 99 for the last century, whatever the mapping says.
    moved = f"{parsed} + to_years(100 * ({century} - cast(year({parsed}) as integer) // 100))"
    # 29 February 2000 has no day a hundred years before.
    return f"case when day({moved}) = day({parsed}) then {moved} end"


def _say_time(time: str) -> str:
    is_year = f"year({time}) between {EARLIEST_YEAR} and {LATEST_YEAR}"
    return f"case when {is_year} then strftime({time}, '{CANONICAL_TIME}') end"


def _zoned_time(time: str, zone: str | None) -> str:
    """SQL for a time without zone in UTC; NULL where the clocks of the zone skip it."""
    if zone is None:
        return _say_time(time)
    moment = f"timezone({literal(zone)}, {time})"
    exists = f"timezone({literal(zone)}, {moment}) = {time}"
    utc = f"{moment} at time zone 'UTC'"
    return f"case when {exists} then {_say_time(utc)} end"


def _zoned_iso(name: str, zone: str) -> str:
    """ISO times without a zone are of the declared one; with a zone, and others, they stay."""
    expected = f"a time that there is in {zone}"
    return (
        f"case when regexp_full_match({name}, {literal(ISO_TIME)}) "
        f"and try_cast({name} as timestamp) is not null "
        f"then coalesce({_zoned_time(f'try_cast({name} as timestamp)', zone)}, "
        f"{mark_expression(name, expected)}) else {name} end"
    )


def _native_form(name: str, field: ContractField, mapping: Mapping) -> str:
    """A typed date may be the midnight of a time, and the other way round."""
    if field.type == "date":
        return (
            f"case when regexp_full_match({name}, '\\d{{4}}-\\d\\d-\\d\\d[T ]00:00:00(\\.0+)?Z?') "
            f"then left({name}, 10) else {name} end"
        )
    if field.type == "timestamp":
        is_date = f"regexp_full_match({name}, '\\d{{4}}-\\d\\d-\\d\\d')"
        time = f"case when {is_date} then {name} || 'T00:00:00' else {name} end"
        return _zoned_iso(f"({time})", mapping.time_zone) if mapping.time_zone else time
    return name


def _escape(text: str) -> str:
    """One character for a regular expression, inside brackets or not."""
    return f"\\{text}" if text and not text.isalnum() and text.isascii() and text != " " else text
