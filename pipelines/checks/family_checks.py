"""The checks that set records against each other: keys, and rules over groups of records.

They look at all sources that share a contract and a scenario, their *family*: two masters of cost
centres must not both claim a centre, while a budget may repeat what is actual.

Each first groups by its key, which keeps one row per group, and only then joins the broken groups
back to their records. A window function would hold every record instead.
"""

from __future__ import annotations

from pipelines.checks.check import Check
from pipelines.checks.rules import load_rules
from pipelines.contracts.contract import Contract

# Their keys are numbers that the sending system gives; two systems may use the same ones.
NUMBERED_BY_SENDER = frozenset({"general_ledger", "budget", "timesheets", "tickets", "outages"})


def list_family_checks(
    contract: Contract, unique_key: tuple[str, ...] | None = None
) -> list[Check]:
    """The checks across the records of a family. `unique_key` is that of a source, if it has one
    of its own; an empty one means that its records may repeat."""
    checks = []
    if len(get_key_columns(contract, unique_key)) > 0:
        checks.append(_require_unique(contract, unique_key))
    checks += [
        Check(
            rule.check_id,
            "rule",
            rule.severity,
            rule.sentence,
            "records",
            query=rule.query,
            broken_rows=rule.query,
        )
        for rule in load_rules(contract.contract_id)
        if rule.where is None
    ]
    return checks


def get_key_columns(
    contract: Contract, unique_key: tuple[str, ...] | None = None
) -> tuple[str, ...]:
    """The columns within which a record is unique: scenario, sender where it numbers, and key.

    A key of its own holds within its source; none at all gives no columns.
    """
    if unique_key is not None:
        return ("_scenario_id", "_source_id", *unique_key) if unique_key else ()
    if not contract.key:
        return ()
    sender = ("_source_id",) if contract.contract_id in NUMBERED_BY_SENDER else ()
    return ("_scenario_id", *sender, *contract.key)


def _require_unique(contract: Contract, unique_key: tuple[str, ...] | None) -> Check:
    """A missing part of a key is found by its own check, not as a duplicate.

    Records are grouped by a hash of the key first: eight bytes instead of several texts. Only
    those that share a hash, normally none, are grouped by the key itself.
    """
    columns = get_key_columns(contract, unique_key)
    key = unique_key or contract.key
    scope = "of one source " if "_source_id" in columns else ""
    filled = " and ".join(f"{name} is not null" for name in key)
    listed = ", ".join(columns)
    kept = ", ".join(dict.fromkeys(("_file_id", "_row_number", *columns)))
    query = (
        f"with suspects as (select hash({listed}) as key_hash from {{batch}} where {filled} "
        "group by key_hash having count(*) > 1), "
        f"candidates as (select {kept} from {{batch}} as records semi join suspects "
        f"on hash({listed}) = suspects.key_hash where {filled}), "
        f"doubled as (select {listed} from candidates group by {listed} having count(*) > 1) "
        f"select _file_id, _row_number, {', '.join(key)} "
        f"from candidates semi join doubled using ({listed})"
    )
    return Check(
        "key_unique",
        "unique",
        "error",
        f"No two records {scope}have the same {' + '.join(key)}; the same record would count "
        "twice.",
        "records",
        query=query,
        broken_rows=query,
    )
