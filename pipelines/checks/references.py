"""Which codes of a source a master must know: what `references.yml` says, and the workspace.

A reference is judged only where its master is there: a company without a list of accounts is not
told that all its accounts are unknown. An unknown code never quarantines money; it is judged here,
and the money stays in the flow (decision 0004).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from pipelines.checks.check import quote_text
from pipelines.checks.plan import CheckedSource, CheckPlan
from pipelines.checks.record_checks import name_columns
from pipelines.checks.rules import select_rows
from pipelines.workspace.check_settings import CheckSeverity, Master, UnknownCodes

REFERENCES_FILE = Path(__file__).parent / "references.yml"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MasterList(_Strict):
    """Where a master's codes stand, and what they are called."""

    name: str
    noun: str

    @property
    def article(self) -> str:
        return "an" if self.noun[0] in "aeio" else "a"

    contract: str | None = None
    field: str | None = None


class FieldReference(_Strict):
    """A field of one contract, its master, and the records that it holds for."""

    field: str
    master: Master
    where: str = "true"


class References(_Strict):
    """references.yml"""

    fields: dict[str, Master]
    contracts: dict[str, tuple[FieldReference, ...]]
    masters: dict[Master, MasterList]


@dataclass(frozen=True)
class ReferenceCheck:
    """One reference of one source, with its threshold."""

    check_id: str
    field: str
    master: Master
    where: str
    threshold: UnknownCodes

    broken_rows: str
    """SQL for the records that name an unknown code."""

    @property
    def severity(self) -> CheckSeverity:
        return self.threshold.severity


@cache
def load_references() -> References:
    """references.yml, as it is."""
    return References.model_validate(yaml.safe_load(REFERENCES_FILE.read_text("utf-8")))


def list_references(source: CheckedSource, plan: CheckPlan) -> list[ReferenceCheck]:
    """The references of a source whose master is there; those of apportion.yml take the place of
    the ready ones for the same field."""
    own = {item.field for item in source.checks.references}
    ready = [item for item in _list_ready(source) if item.field not in own]
    entries: list[tuple[FieldReference, UnknownCodes]] = [
        *((item, source.checks.unknown_codes) for item in ready),
        *(
            (FieldReference(field=item.field, master=item.master), item)
            for item in source.checks.references
        ),
    ]
    return [
        ReferenceCheck(
            f"{item.field}_known_to_{item.master}",
            item.field,
            item.master,
            item.where,
            threshold,
            _select_unknown(source, item),
        )
        for item, threshold in entries
        if is_master_there(item.master, plan)
    ]


def _select_unknown(source: CheckedSource, item: FieldReference) -> str:
    known = f"select code from figures.known where master = '{item.master}'"
    # `not in` is safe: the codes of a master are never null.
    condition = f"{item.field} is not null and ({item.where}) and {item.field} not in ({known})"
    return select_rows(name_columns(source.contract, item.field), condition)


def _list_ready(source: CheckedSource) -> list[FieldReference]:
    ready, contract = load_references(), source.contract
    own = ready.contracts.get(contract.contract_id, ())
    named_here = {item.field for item in own}
    general = [
        FieldReference(field=field.name, master=ready.fields[field.name])
        for field in contract.fields
        if field.name in ready.fields and field.name not in named_here
    ]
    return [
        item
        for item in (*general, *own)
        # A master knows its own codes.
        if ready.masters[item.master].contract != contract.contract_id
    ]


def is_master_there(master: Master, plan: CheckPlan) -> bool:
    """Whether a delivery or the cost model lists the codes of a master."""
    if master in ("services", "towers", "units"):
        # Part of them may stand in a delivered catalogue, but the cost model has the whole.
        return bool(plan.known_codes.get(master))
    return load_references().masters[master].contract in plan.contract_ids


def select_known_codes(plan: CheckPlan) -> str:
    """SQL for all codes that are known: master and code."""
    selects = ["select cast(null as varchar) as master, cast(null as varchar) as code where false"]
    for master, entry in load_references().masters.items():
        if entry.contract in plan.contract_ids:
            selects.append(
                f"select distinct '{master}', {entry.field} from lake.{entry.contract} "
                f"where {entry.field} is not null"
            )
        codes = plan.known_codes.get(master, ())
        selects += [f"select '{master}', {quote_text(code)}" for code in codes]
    return " union ".join(selects)
