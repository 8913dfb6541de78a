"""A pattern per field, then a cast: the SQL that decides which records are good.

Every field arrives as text. It must match its type's pattern before it is cast, because casts
are generous: `1_000`, `1e3`, `inf` and `31/01/26` all become something. A value that matches and
still cannot be cast (31 February) is a problem too. All of it is set-based: one pass, any size.
A field has at most one problem, the first of: missing, not as its mapping declares, form,
impossible, precision, range.
"""

from __future__ import annotations

from pipelines.contracts.contract import (
    DUCKDB_TYPES,
    Contract,
    ContractField,
    FieldType,
)
from pipelines.contracts.periods import MONTH_ID
from pipelines.money import AMOUNT_LIMIT, list_currencies, list_minor_unit_exceptions
from pipelines.readers.text_marks import (
    delivered_text,
    expected_text,
    is_misread,
    misread_reason,
)

PATTERNS: dict[FieldType, tuple[str, str]] = {
    "text": (
        r"[^\x00-\x08\x0b\x0c\x0e-\x1f]*",
        "text without control characters",
    ),
    "code": (
        r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}",
        "an identifier of letters, digits and . _ : / @ - without spaces",
    ),
    "period": (MONTH_ID, "a period such as 2026-03"),
    "date": (r"\d{4}-\d{2}-\d{2}", "a date such as 2026-03-31"),
    "timestamp": (
        r"\d{4}-\d{2}-\d{2}[T ]([01]\d|2[0-3]):\d{2}:\d{2}(\.\d{1,6})?"
        r"(Z|[+-](0\d|1[0-4]):[0-5]\d)?",
        "a time such as 2026-03-31T14:05:00Z",
    ),
    "integer": (r"-?\d{1,18}", "a whole number of at most 18 digits"),
    "decimal": (
        r"-?\d+(\.\d+)?",
        "a number such as -1234.56",
    ),
    "currency": (r"[A-Z]{3}", "an ISO currency code such as EUR"),
    "boolean": (r"true|false", "true or false"),
    "json": (r"(?s)\{.*\}", "a JSON object"),
}

ENGINE_DECIMALS = 12
MOST_DIGITS = 18
"""Before the point: a sum of as many records as a file can hold, times the units of the engine,
stays inside the integers of the engine."""
TEXT_TYPES = ("text", "code", "period", "currency", "json")
DATED_TYPES = ("period", "date", "timestamp")
LAST_YEAR = 9999
USUAL_WIDTH = 18
LIMITED_WIDTH = 17
"""Digits of numbers with two decimals that are told from the others without a pattern; those of an
amount stay below its limit."""
EXPECTED_MARK = "; expected "
"""Between what is wrong and what was expected in the reason of a problem."""


def cast_expression(field: ContractField) -> str:
    """SQL that casts the field's text, NULL where that is not possible."""
    name = f'"{field.name}"'
    if field.type == "timestamp":
        return (
            f"case when regexp_matches({name}, '(Z|[+-]\\d\\d:\\d\\d)$') "
            f"then try_cast({name} as timestamptz) at time zone 'UTC' "
            f"else try_cast({name} as timestamp) end"
        )
    if field.type in TEXT_TYPES:
        return name
    return f"try_cast({name} as {DUCKDB_TYPES[field.type]})"


def match_expression(field: ContractField) -> str:
    """SQL: whether the field's text has the form of its type; NULL where it has none."""
    return f'regexp_full_match("{field.name}", {_literal(_form(field)[0])})'


def _form(field: ContractField) -> tuple[str, str]:
    """Pattern and example of the texts of a field."""
    if field.type == "period":
        return field.periods.id_pattern, f"a period such as {field.periods.example}"
    return PATTERNS[field.type]


def amount_expression(field: ContractField) -> str:
    """SQL for an amount that can be read without losing anything, NULL otherwise."""
    readable = (
        f"{match_expression(field)} and {_decimals(field)} <= {ENGINE_DECIMALS} "
        f"and {_digits(field)} <= {MOST_DIGITS}"
    )
    return f"case when {readable} then {cast_expression(field)} end"


def period_expression(field: ContractField) -> str:
    """SQL for the period (such as 2026-03) that the field's text says, NULL where it says none.

    Times with a zone are taken in UTC, as the lake holds them.
    """
    text = f'"{field.name}"'
    if field.type != "period":
        text = field.periods.of_day(cast_expression(field))
    return f"case when {match_expression(field)} and not {_has_other_year(field)} then {text} end"


def landed_period(contract: Contract) -> str:
    """SQL for the period that a typed record landed in; NULL where it has none. Times are taken in
    UTC, as the lake holds them."""
    if contract.period_field is None:
        return "null"
    name, field = f'"{contract.period_field}"', contract.field(contract.period_field)
    return name if field.type == "period" else field.periods.of_day(name)


def good_expression(contract: Contract) -> str:
    """SQL: whether a record has no problem. Says the same as `problem_expressions`, and cheaper:
    those build a struct for every field and are planned only for deliveries that need them."""
    return " and ".join(good_field_expression(field) for field in contract.fields)


def problem_expressions(contract: Contract) -> list[str]:
    """SQL per field: a struct (field, found, reason) or NULL, over the text columns."""
    return [_problem_expression(field) for field in contract.fields]


def is_free_text(field: ContractField) -> bool:
    """Whether every text without control characters is good in this field."""
    return field.type == "text" and not field.is_required and not field.allowed_values


def good_field_expression(field: ContractField) -> str:
    """SQL: whether the text of one field has no problem."""
    without_text = "false" if field.is_required else "true"
    passed = " and ".join(f"not ({condition})" for condition, _, _ in _checks(field))
    usual = _usual_expression(field)
    usually = f"when {usual} then true " if usual is not None else ""
    return f'case when "{field.name}" is null then {without_text} {usually}else {passed} end'


def _usual_expression(field: ContractField) -> str | None:
    """SQL that is true only for texts without a problem, and for most of them; None where there is
    nothing simpler than the checks.

    A text that a typed value prints as has the canonical form: that is told without a pattern,
    which is most of the work of reading a large file.
    """
    name = f'"{field.name}"'
    if field.type == "date":
        # Years of four digits are in order as texts are.
        span = f"{name} >= '{field.first_year:04d}' and {name} < '{field.last_year + 1:04d}'"
        if field.last_year == LAST_YEAR:
            span = f"{name} >= '{field.first_year:04d}'"
        is_date = f"length({name}) = 10 and cast({cast_expression(field)} as varchar) = {name}"
        return f"{is_date} and {span}"
    if field.type != "decimal" or field.minimum is not None or field.allowed_values:
        return None
    if field.at_most_field is not None:
        return None
    width = LIMITED_WIDTH if is_money(field) else USUAL_WIDTH
    usual = f"cast(try_cast({name} as decimal({width}, 2)) as varchar) = {name}"
    if field.minor_unit_of and not field.is_rounded:
        whole = " ".join(list_minor_unit_exceptions().get(0, []))
        usual += f" and strpos('{whole}', \"{field.minor_unit_of}\") = 0"
    return usual


def _problem_expression(field: ContractField) -> str:
    name = f'"{field.name}"'
    missing = _literal(f"is missing{EXPECTED_MARK}a value") if field.is_required else "null"
    cases = [f"when {name} is null then {missing}"]
    cases.append(
        f"when {is_misread(name)} then {misread_reason(name)} || {_literal(EXPECTED_MARK)} "
        f"|| {expected_text(name)}"
    )
    cases += [
        f"when {condition} then {_literal(reason + EXPECTED_MARK + expected)}"
        for condition, reason, expected in _checks(field)
    ]
    reason = f"case {' '.join(cases)} end"
    return (
        f"case when ({reason}) is not null then "
        f"{{'field': {_literal(field.name)}, 'found': {delivered_text(name)}, "
        f"'reason': {reason}}} end"
    )


def _checks(field: ContractField) -> list[tuple[str, str, str]]:
    """(condition that is a problem, reason, expected) for a text that is not NULL, in order; each
    condition may assume that those before it did not hold."""
    name = f'"{field.name}"'
    expected = _form(field)[1]
    checks = [(f"not {match_expression(field)}", "has the wrong form", expected)]
    if field.type == "text" and field.is_required:
        checks.append((f"trim({name}) = ''", "is blank", "a text"))
    if field.type == "decimal":
        too_many = f"{_digits(field)} > {MOST_DIGITS}"
        checks.append((too_many, "has too many digits before the point", f"at most {MOST_DIGITS}"))
    if field.type not in TEXT_TYPES:
        checks.append((f"({cast_expression(field)}) is null", "is impossible", expected))
    if field.type in DATED_TYPES:
        checks.append((_has_other_year(field), "lies outside the years", _say_years(field)))
    if field.type == "currency":
        checks.append((_is_no_currency(name), "is no currency", "a currency of ISO 4217"))
    if field.type == "json":
        checks.append((f"not json_valid({name})", "is not valid", "JSON"))
    if field.type == "decimal":
        checks += _decimal_checks(field)
    if field.allowed_values:
        allowed = ", ".join(_literal(value) for value in field.allowed_values)
        checks.append((f"{name} not in ({allowed})", "is not allowed", f"one of {allowed}"))
    if field.at_most_field is not None:
        other = f'try_cast("{field.at_most_field}" as {DUCKDB_TYPES["decimal"]})'
        too_large = f"coalesce(({cast_expression(field)}) > {other}, false)"
        checks.append((too_large, f"is above {field.at_most_field}", "at most that"))
    if field.minimum is not None:
        too_small = f"({cast_expression(field)}) < {field.minimum}"
        checks.append((too_small, "is too small", f"at least {field.minimum}"))
    return checks


def _has_other_year(field: ContractField) -> str:
    """SQL: whether a date, time or period in its form lies outside its years. To DuckDB year 0 is
    one before Christ; a zone moves a time over either end."""
    name = f'"{field.name}"'
    first, last = field.first_year, field.last_year
    if field.type == "period":
        return f"left({name}, 4) not between '{first:04d}' and '{last:04d}'"
    # Only texts at the ends are cast again.
    is_at_an_end = f"({name} < '{first + 1:04d}' or {name} >= '{last:04d}')"
    is_outside = f"year({cast_expression(field)}) not between {first} and {last}"
    return f"({is_at_an_end} and coalesce({is_outside}, false))"


def is_money(field: ContractField) -> bool:
    """Whether the engine computes with the field as an amount, so that it has a limit."""
    return field.is_amount or field.minor_unit_of is not None


def _say_years(field: ContractField) -> str:
    return f"a year from {field.first_year:04d} to {field.last_year:04d}"


def _is_no_currency(name: str) -> str:
    # A set that text search looks into, as below; a join may change the order of records.
    return f"strpos('{' '.join(sorted(list_currencies()))}', {name}) = 0"


def _decimal_checks(field: ContractField) -> list[tuple[str, str, str]]:
    limit = []
    if is_money(field):
        too_large = f"abs({cast_expression(field)}) >= {AMOUNT_LIMIT}"
        limit = [(too_large, "is too large an amount", f"less than {AMOUNT_LIMIT:,}")]
    return limit + _precision_checks(field)


def _precision_checks(field: ContractField) -> list[tuple[str, str, str]]:
    if field.is_rounded:
        return []
    decimals = _decimals(field)
    at_most = f"at most {ENGINE_DECIMALS}"
    checks = [(f"{decimals} > {ENGINE_DECIMALS}", "has too many decimals", at_most)]
    if field.minor_unit_of:
        digits = minor_unit_expression(f'"{field.minor_unit_of}"')
        checks.append(
            (
                f"{decimals} > {digits}",
                "has more decimals than its currency",
                "no more decimals than the minor unit of the currency",
            )
        )
    return checks


def minor_unit_expression(currency: str) -> str:
    """SQL for the decimals that the minor unit of a currency code has.

    Codes have three letters, so a list of them with spaces between is a set that text search can
    look into. DuckDB makes a join of a long `in`, and a join may change the order of records.
    """
    cases = " ".join(
        f"when strpos('{' '.join(codes)}', {currency}) > 0 then {digits}"
        for digits, codes in list_minor_unit_exceptions().items()
    )
    return f"case {cases} else 2 end"


def _digits(field: ContractField) -> str:
    """SQL for the number of digits before the point, without zeros before the first."""
    return f"length(ltrim(split_part(\"{field.name}\", '.', 1), '-0'))"


def _decimals(field: ContractField) -> str:
    """SQL for the number of decimals that say something: 1.500 has one."""
    return f"length(rtrim(split_part(\"{field.name}\", '.', 2), '0'))"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
