"""What a suite is about: one source, or the sources of a family together, each with its checks.

Two sources of one contract are judged apart (use and planned use, say). What sets records against
each other looks at the family, all sources of one contract and scenario; where that is one source,
as it nearly always is, it stands in the source's own suite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.checks.check import Check, quote_text
from pipelines.checks.family_checks import list_family_checks
from pipelines.checks.figures import name_view
from pipelines.checks.plan import CheckedSource, CheckPlan
from pipelines.checks.record_checks import list_record_checks
from pipelines.checks.rules import Severity
from pipelines.checks.thresholds import list_thresholds
from pipelines.contracts.contract import Contract, load_contract_in
from pipelines.contracts.periods import MONTHS, Periods

if TYPE_CHECKING:
    import duckdb

# Without these the cost itself, or whom it belongs to, is missing.
INDISPENSABLE = frozenset(
    {"general_ledger", "chart_of_accounts", "cost_centres", "cloud_bill", "exchange_rates"}
)


@dataclass(frozen=True)
class Subject:
    """A suite: the view that it looks at, and what is checked there."""

    name: str
    """Name of the view in the schema `subjects`, of the suite and of its page."""
    title: str
    contract_id: str
    scenario_id: str
    source_ids: tuple[str, ...]
    checks: tuple[Check, ...]
    periods: Periods = MONTHS

    @property
    def view(self) -> str:
        return f"subjects.{self.name}"

    @property
    def contract(self) -> Contract:
        return load_contract_in(self.contract_id, self.periods)


def list_subjects(plan: CheckPlan) -> list[Subject]:
    """The suites of a plan: its sources in their order, each family after its last source."""
    subjects: list[Subject] = []
    for source in plan.sources:
        family = [item for item in plan.sources if _is_related(source, item)]
        subjects.append(_make_source(source, plan, family))
        if len(family) > 1 and source is family[-1]:
            subjects += _make_family(family)
    return subjects


def _is_related(source: CheckedSource, other: CheckedSource) -> bool:
    return (source.contract_id, source.scenario_id) == (other.contract_id, other.scenario_id)


def _make_source(source: CheckedSource, plan: CheckPlan, family: list[CheckedSource]) -> Subject:
    contract, key = source.contract, source.unique_key
    checks = [_require_records(source), *list_record_checks(source)]
    if len(family) == 1:
        checks += list_family_checks(contract, key)
    elif key is not None or _list_keyed(family) == [source]:
        # A key that no other source shares holds within the source; its family does not ask.
        checks += [c for c in list_family_checks(contract, key) if c.kind == "unique"]
    checks += list_thresholds(source, plan)
    return Subject(
        name_view(source.source_id).removeprefix("subjects."),
        source.title,
        source.contract_id,
        source.scenario_id,
        (source.source_id,),
        tuple(checks),
        source.periods,
    )


def _make_family(family: list[CheckedSource]) -> list[Subject]:
    """Rules look at all of the family; the contract's key at those without a key of their own."""
    keyed = _list_keyed(family)
    checks = list_family_checks(family[0].contract)
    rules = [check for check in checks if check.kind != "unique"]
    keys = [check for check in checks if check.kind == "unique"]
    parts = [("family", family, [*keys, *rules])]
    if keyed != family:
        parts = [("keyed", keyed, keys if len(keyed) > 1 else []), ("family", family, rules)]
    return [
        Subject(
            f"{word}_{sources[0].contract_id}_{sources[0].scenario_id}",
            " and ".join([", ".join(s.title for s in sources[:-1]), sources[-1].title.lower()]),
            sources[0].contract_id,
            sources[0].scenario_id,
            tuple(source.source_id for source in sources),
            tuple(chosen),
            sources[0].periods,
        )
        for word, sources, chosen in parts
        if chosen
    ]


def _list_keyed(family: list[CheckedSource]) -> list[CheckedSource]:
    """The sources of a family that the key of their contract holds for."""
    return [source for source in family if source.unique_key is None]


def _require_records(source: CheckedSource) -> Check:
    severity: Severity = "error" if source.contract_id in INDISPENSABLE else "warning"
    return Check(
        "has_records",
        "delivered",
        severity,
        f"{source.title}: at least one record was delivered.",
        "figure",
    )


def create_views(connection: duckdb.DuckDBPyConnection, subjects: list[Subject]) -> None:
    """A view per subject over its records, in the schema `subjects`."""
    connection.execute("create schema if not exists subjects")
    for subject in subjects:
        listed = ", ".join(map(quote_text, subject.source_ids))
        connection.execute(
            f"create or replace view {subject.view} as select * from lake.{subject.contract_id} "
            f"where _source_id in ({listed})"
        )
