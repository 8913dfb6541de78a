"""A pattern per field, then a cast: the SQL that decides which records are good.

Every field arrives as text. It must match its type's pattern before it is cast, because casts
are generous: `1_000`, `1e3`, `inf` and `31/01/26` all become something. A value that matches and
still cannot be cast (31 February) is a problem too. All of it is set-based: one pass, any size.
"""

from __future__ import annotations

from pipelines.contracts.contract import (
    DUCKDB_TYPES,
    Contract,
    ContractField,
    FieldType,
)
from pipelines.mappings.mapping import Mapping
from pipelines.money import list_minor_unit_exceptions

PATTERNS: dict[FieldType, tuple[str, str]] = {
    "text": (
        r"[^\x00-\x08\x0b\x0c\x0e-\x1f]*",
        "text without control characters",
    ),
    "code": (
        r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}",
        "an identifier of letters, digits and . _ : / @ - without spaces",
    ),
    "period": (r"\d{4}-(0[1-9]|1[0-2])", "a period such as 2026-03"),
    "date": (r"\d{4}-\d{2}-\d{2}", "a date such as 2026-03-31"),
    "timestamp": (
        r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})?",
        "a time such as 2026-03-31T14:05:00Z",
    ),
    "integer": (r"-?\d{1,18}", "a whole number"),
    "decimal": (r"-?\d{1,26}(\.\d{1,18})?", "a number such as -1234.56"),
    "currency": (r"[A-Z]{3}", "an ISO currency code such as EUR"),
    "boolean": (r"true|false", "true or false"),
    "json": (r"(?s)\{.*\}", "a JSON object"),
}

ENGINE_DECIMALS = 12


def text_expression(field: ContractField, mapping: Mapping, columns: tuple[str, ...]) -> str:
    """SQL for the field's text, NULL where the delivery has none."""
    column = mapping.columns.get(field.name)
    if column is None or column not in columns:
        return "cast(null as varchar)"
    tokens = ", ".join(_literal(token) for token in ("", *mapping.null_tokens))
    quoted = '"' + column.replace('"', '""') + '"'
    return f"case when {quoted} in ({tokens}) then null else {quoted} end"


def cast_expression(field: ContractField) -> str:
    """SQL that casts the field's text, NULL where that is not possible."""
    name = f'"{field.name}"'
    if field.type == "timestamp":
        return (
            f"case when regexp_matches({name}, '(Z|[+-]\\d\\d:\\d\\d)$') "
            f"then try_cast({name} as timestamptz) at time zone 'UTC' "
            f"else try_cast({name} as timestamp) end"
        )
    if field.type in ("text", "code", "period", "currency", "json"):
        return name
    # Adding zero turns -0.00 into 0.00.
    sign = " + 0" if field.type == "decimal" else ""
    return f"try_cast({name} as {DUCKDB_TYPES[field.type]}){sign}"


def problem_expressions(contract: Contract) -> list[str]:
    """SQL expressions, each a struct (field, found, reason) or NULL, over the text columns."""
    expressions = []
    for field in contract.fields:
        name = f'"{field.name}"'
        pattern, expected = PATTERNS[field.type]
        if field.is_required:
            expressions.append(_problem(f"{name} is null", field, "is missing", "a value"))
        expressions.append(
            _problem(
                f"not regexp_full_match({name}, {_literal(pattern)})",
                field,
                "has the wrong form",
                expected,
            )
        )
        matches = f"regexp_full_match({name}, {_literal(pattern)})"
        if field.type not in ("text", "code", "period", "currency", "json"):
            impossible = f"{matches} and ({cast_expression(field)}) is null"
            expressions.append(_problem(impossible, field, "is impossible", expected))
        if field.type == "json":
            expressions.append(
                _problem(
                    f"{matches} and not json_valid({name})",
                    field,
                    "is not valid",
                    "JSON",
                )
            )
        if field.type == "decimal":
            expressions += _decimal_problems(field, name, matches)
        if field.allowed_values:
            allowed = ", ".join(_literal(value) for value in field.allowed_values)
            expressions.append(
                _problem(
                    f"{name} not in ({allowed})",
                    field,
                    "is not allowed",
                    "one of " + allowed,
                )
            )
        if field.minimum is not None:
            too_small = f"{matches} and ({cast_expression(field)}) < {field.minimum}"
            expressions.append(
                _problem(too_small, field, "is too small", f"at least {field.minimum}")
            )
    return expressions


def _decimal_problems(field: ContractField, name: str, matches: str) -> list[str]:
    decimals = f"length(rtrim(split_part({name}, '.', 2), '0'))"
    problems = [
        _problem(
            f"{matches} and {decimals} > {ENGINE_DECIMALS}",
            field,
            "has too many decimals",
            f"at most {ENGINE_DECIMALS}",
        )
    ]
    if field.minor_unit_of:
        currency = f'"{field.minor_unit_of}"'
        cases = " ".join(
            f"when {currency} in ({', '.join(_literal(code) for code in codes)}) then {digits}"
            for digits, codes in list_minor_unit_exceptions().items()
        )
        problems.append(
            _problem(
                f"{matches} and {decimals} > case {cases} else 2 end",
                field,
                "has more decimals than its currency",
                "no more decimals than the minor unit of the currency",
            )
        )
    return problems


def _problem(condition: str, field: ContractField, reason: str, expected: str) -> str:
    text = _literal(f"{reason}; expected {expected}")
    return (
        f"case when {condition} then "
        f"{{'field': {_literal(field.name)}, 'found': \"{field.name}\", 'reason': {text}}} end"
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
