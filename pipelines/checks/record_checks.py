"""The checks on single records: what the contract demands, its rules, and the workspace's own.

Each is a condition that a broken record meets. None uses a regular expression: landing has checked
the patterns of the fields already.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.checks.check import Check, CheckKind, quote_text
from pipelines.checks.plan import CheckedSource
from pipelines.checks.rules import Severity, load_rules, select_rows
from pipelines.contracts.contract import Contract, ContractField
from pipelines.workspace.check_settings import AllowedValues, Range


def list_record_checks(source: CheckedSource) -> list[Check]:
    """The checks of one source that look at one record at a time, in a reader's order."""
    contract = source.contract
    checks: list[Check] = []
    for field in contract.fields:
        if field.is_required:
            checks.append(_require_filled(contract, field))
        if field.allowed_values is not None:
            checks.append(_require_allowed(contract, field))
        if field.minimum is not None:
            checks.append(_require_minimum(contract, field))
    checks += _require_not_blank(contract)
    checks += [
        _make_check(rule.check_id, "rule", rule.severity, rule.sentence, rule.where, rule.columns)
        for rule in load_rules(contract.contract_id)
        if rule.where is not None
    ]
    checks += [check for item in source.checks.ranges for check in _limit_range(contract, item)]
    checks += [
        check for item in source.checks.allowed_values for check in _limit_values(contract, item)
    ]
    return checks


def _make_check(
    check_id: str,
    kind: CheckKind,
    severity: Severity,
    sentence: str,
    condition: str,
    columns: tuple[str, ...],
    field: str = "",
) -> Check:
    return Check(
        check_id,
        kind,
        severity,
        sentence,
        "record",
        condition=condition,
        broken_rows=select_rows(columns, condition),
        field=field,
    )


def name_columns(contract: Contract, field: str) -> tuple[str, ...]:
    """What to show of a broken record: what identifies it, and the field in question."""
    known_by = contract.key or tuple(filter(None, (contract.period_field, contract.amount_field)))
    return tuple(dict.fromkeys((*known_by, field)))


def _require_filled(contract: Contract, field: ContractField) -> Check:
    sentence = f"{field.name} is filled on every record ({_lower_first(field.description)})"
    sentence += _say_why_filled(contract, field)
    columns = name_columns(contract, field.name)
    return _make_check(
        f"{field.name}_filled",
        "filled",
        "error",
        sentence,
        f"{field.name} is null",
        columns,
        field.name,
    )


def _say_why_filled(contract: Contract, field: ContractField) -> str:
    if field.name == contract.amount_field:
        return "; without it the total of the delivery proves nothing."
    if field.name == contract.currency_field:
        return "; an amount without a currency is no amount."
    if field.name == contract.period_field:
        return "; without it the record belongs to no period."
    if field.name in contract.key:
        return "; without it the record cannot be told from others."
    return "."


def _require_allowed(contract: Contract, field: ContractField) -> Check:
    allowed = list(field.allowed_values or ())
    return _make_check(
        f"{field.name}_allowed",
        "allowed",
        "error",
        f"Every {field.name} is one of {', '.join(allowed)}.",
        f"{field.name} not in ({', '.join(map(quote_text, allowed))})",
        name_columns(contract, field.name),
        field.name,
    )


def _require_minimum(contract: Contract, field: ContractField) -> Check:
    return _make_check(
        f"{field.name}_minimum",
        "range",
        "error",
        f"No {field.name} is below {field.minimum}.",
        f"{field.name} < {field.minimum}",
        name_columns(contract, field.name),
        field.name,
    )


def _require_not_blank(contract: Contract) -> Iterator[Check]:
    """A blank text is not null, but says as little; one check covers all required texts."""
    texts = [f.name for f in contract.fields if f.is_required and f.type in ("code", "text")]
    if texts:
        # Whatever is blank sorts before '!': a cheap look that spares trimming most texts.
        blank = " or ".join(f"({name} < '!' and trim({name}) = '')" for name in texts)
        sentence = "No required text is blank; a blank code matches no account, centre or service."
        yield _make_check("texts_not_blank", "filled", "error", sentence, blank, tuple(texts))


def _limit_range(contract: Contract, item: Range) -> Iterator[Check]:
    if item.severity == "ignore":
        return
    parts, words = [], []
    if item.minimum is not None:
        parts.append(f"{item.field} < cast('{item.minimum:f}' as decimal(38, 12))")
        words.append(f"at least {item.minimum:f}")
    if item.maximum is not None:
        parts.append(f"{item.field} > cast('{item.maximum:f}' as decimal(38, 12))")
        words.append(f"at most {item.maximum:f}")
    yield _make_check(
        f"{item.field}_within_range",
        "range",
        item.severity,
        f"Every {item.field} is {' and '.join(words)}, as apportion.yml says.",
        " or ".join(parts),
        name_columns(contract, item.field),
        item.field,
    )


def _limit_values(contract: Contract, item: AllowedValues) -> Iterator[Check]:
    if item.severity == "ignore":
        return
    yield _make_check(
        f"{item.field}_expected",
        "allowed",
        item.severity,
        f"Every {item.field} is one of {', '.join(item.values)}, as apportion.yml says.",
        f"{item.field} not in ({', '.join(map(quote_text, item.values))})",
        name_columns(contract, item.field),
        item.field,
    )


def _lower_first(text: str) -> str:
    """Lower the first letter for use within a sentence, unless it begins an abbreviation."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
