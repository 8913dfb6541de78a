"""The suite of a contract: every expectation that its landed records must meet.

Most of a suite follows from the contract (filled, allowed, not below a minimum, unique, not
empty); the rest comes from the rules of the source. Each expectation carries in its `meta`

- `check_id`     its name within the contract,
- `severity`     'error' stops the build, 'warning' rides along,
- `sentence`     what it means, in the words of finance,
- `broken_rows`  SQL for the records that break it (empty where there is no such record).

No expectation uses a regular expression: Great Expectations does not support them on DuckDB, and
landing has checked the patterns of the fields already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.checks.rules import Severity, load_rules, select_rows
from pipelines.contracts.contract import Contract, ContractField

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

# Without these the cost itself, or whom it belongs to, is missing.
INDISPENSABLE = frozenset(
    {"general_ledger", "chart_of_accounts", "cost_centres", "cloud_bill", "exchange_rates"}
)

# Their keys are numbers that the sending system gives; two systems may use the same ones.
NUMBERED_BY_SENDER = frozenset({"general_ledger", "budget", "timesheets", "tickets", "outages"})


def build_expectations(contract: Contract) -> list[Expectation]:
    """The expectations of one contract, in the order in which a reader would ask.

    Imports Great Expectations, which takes seconds the first time.
    """
    expectations = [_expect_records(contract)]
    for field in contract.fields:
        if field.is_required:
            expectations.append(_expect_filled(contract, field))
        if field.allowed_values is not None:
            expectations.append(_expect_allowed(contract, field))
        if field.minimum is not None:
            expectations.append(_expect_minimum(contract, field))
    expectations.extend(_expect_not_blank(contract))
    if contract.key:
        expectations.append(_expect_unique(contract))
    expectations.extend(_expect_rules(contract))
    return expectations


def get_key_columns(contract: Contract) -> tuple[str, ...]:
    """The columns within which a record is unique: scenario, sender where it numbers, and key."""
    sender = ("_source_id",) if contract.contract_id in NUMBERED_BY_SENDER else ()
    return ("_scenario_id", *sender, *contract.key)


def _describe(check_id: str, severity: Severity, sentence: str, query: str) -> dict[str, Any]:
    """The arguments that every expectation shares. Its description is what the pages show."""
    return {
        "severity": "critical" if severity == "error" else "warning",
        "description": sentence,
        "meta": {
            "check_id": check_id,
            "severity": severity,
            "sentence": sentence,
            "broken_rows": query,
        },
    }


def _name_columns(contract: Contract, field: ContractField) -> tuple[str, ...]:
    """What to show of a broken record: what identifies it, and the field in question."""
    known_by = contract.key or tuple(filter(None, (contract.period_field, contract.amount_field)))
    return tuple(dict.fromkeys((*known_by, field.name)))


def _expect_records(contract: Contract) -> Expectation:
    from pipelines.checks.expectations import ExpectTableRowCountToBeBetween

    severity: Severity = "error" if contract.contract_id in INDISPENSABLE else "warning"
    sentence = f"{contract.title}: at least one record was delivered."
    about = _describe("has_records", severity, sentence, "")
    return ExpectTableRowCountToBeBetween(min_value=1, **about)


def _expect_filled(contract: Contract, field: ContractField) -> Expectation:
    from pipelines.checks.expectations import ExpectColumnValuesToNotBeNull

    sentence = f"{field.name} is filled on every record ({_lower_first(field.description)})"
    sentence += _say_why_filled(contract, field)
    query = select_rows(_name_columns(contract, field), f"{field.name} is null")
    about = _describe(f"{field.name}_filled", "error", sentence, query)
    return ExpectColumnValuesToNotBeNull(column=field.name, **about)


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


def _expect_allowed(contract: Contract, field: ContractField) -> Expectation:
    from pipelines.checks.expectations import ExpectColumnValuesToBeInSet

    allowed = list(field.allowed_values or ())
    sentence = f"Every {field.name} is one of {', '.join(allowed)}."
    listed = ", ".join("'" + value.replace("'", "''") + "'" for value in allowed)
    query = select_rows(_name_columns(contract, field), f"{field.name} not in ({listed})")
    about = _describe(f"{field.name}_allowed", "error", sentence, query)
    return ExpectColumnValuesToBeInSet(column=field.name, value_set=allowed, **about)


def _expect_minimum(contract: Contract, field: ContractField) -> Expectation:
    from pipelines.checks.expectations import ExpectColumnValuesToBeBetween

    sentence = f"No {field.name} is below {field.minimum}."
    query = select_rows(_name_columns(contract, field), f"{field.name} < {field.minimum}")
    about = _describe(f"{field.name}_minimum", "error", sentence, query)
    return ExpectColumnValuesToBeBetween(column=field.name, min_value=field.minimum, **about)


def _expect_not_blank(contract: Contract) -> list[Expectation]:
    """A blank text is not null, but says as little; one expectation covers all required texts."""
    from pipelines.checks.expectations import ExpectNoMatchingRows

    texts = [f.name for f in contract.fields if f.is_required and f.type in ("code", "text")]
    if not texts:
        return []
    sentence = "No required text is blank; a blank code matches no account, centre or service."
    query = select_rows(tuple(texts), " or ".join(f"trim({name}) = ''" for name in texts))
    about = _describe("texts_not_blank", "error", sentence, query)
    return [ExpectNoMatchingRows(unexpected_rows_query=query, **about)]


def _expect_unique(contract: Contract) -> Expectation:
    from pipelines.checks.expectations import ExpectCompoundColumnsToBeUnique

    columns = get_key_columns(contract)
    key = " + ".join(contract.key)
    scope = "of one source " if "_source_id" in columns else ""
    sentence = f"No two records {scope}have the same {key}; the same record would count twice."
    listed = ", ".join(columns)
    filled = " and ".join(f"{name} is not null" for name in columns)
    query = (
        f"select _file_id, _row_number, {', '.join(contract.key)} from ("
        f"select *, count(*) over (partition by {listed}) as _copies from {{batch}} "
        f"where {filled}) as keyed where _copies > 1"
    )
    about = _describe("key_unique", "error", sentence, query)
    # A missing part of a key is found by its own expectation, not as a duplicate.
    return ExpectCompoundColumnsToBeUnique(
        column_list=list(columns), ignore_row_if="any_value_is_missing", **about
    )


def _expect_rules(contract: Contract) -> list[Expectation]:
    from pipelines.checks.expectations import ExpectNoMatchingRows

    return [
        ExpectNoMatchingRows(
            unexpected_rows_query=rule.query,
            **_describe(rule.check_id, rule.severity, rule.sentence, rule.query),
        )
        for rule in load_rules(contract.contract_id)
    ]


def _lower_first(text: str) -> str:
    """Lower the first letter for use within a sentence, unless it begins an abbreviation."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
