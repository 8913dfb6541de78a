"""What a proposal leaves open, as questions to be put one at a time.

A question names what it decides, the answers that are known, and the one that is proposed. An
answer is a constant, a column or a setting of the mapping; the proposal is then made again with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.mappings.column_hints import load_contract_hints
from pipelines.mappings.infer import Proposal
from pipelines.mappings.text_encoding import CANDIDATES

OPTIONS = {
    "date_order": ("dmy", "mdy"),
    "decimal_mark": (".", ","),
    "encoding": CANDIDATES,
}
CHOICES = ("date_order", "decimal_mark", "encoding", "time_zone")
"""Settings that are asked for where the values leave them open."""


@dataclass(frozen=True)
class Question:
    """One thing that a person must say."""

    kind: str
    """'constant' (or a column instead) or 'setting'."""
    name: str
    text: str
    options: tuple[str, ...] = ()
    proposed: str = ""
    """The answer that is taken where none is given; empty where one must be."""

    @property
    def flag(self) -> str:
        """How a script gives the answer."""
        return f"--{self.kind} {self.name}={self.proposed or 'VALUE'}"


def list_questions(proposal: Proposal) -> Iterator[Question]:
    """Every question, what only a person can answer first."""
    questions = [*_ask_settings(proposal), *_ask_constants(proposal)]
    yield from sorted(questions, key=lambda question: bool(question.proposed))


def _ask_settings(proposal: Proposal) -> Iterator[Question]:
    for decision in proposal.decisions:
        name, _, text = decision.partition(": ")
        if name not in CHOICES:
            continue
        proposed = proposal.head.encoding if name == "encoding" else ""
        if name == "time_zone":
            proposed = proposal.settings.get(name, "")
        yield Question("setting", name, text, OPTIONS.get(name, ()), proposed)
    for decision in proposal.decisions:
        if (found := re.match(r"defaults\.(\w+): (.*)", decision)) is None:
            continue
        hints = load_contract_hints(proposal.match.contract.contract_id).constants
        value = hints[found[1]].value if found[1] in hints else ""
        # Nobody must give a default: without one the records are quarantined.
        yield Question("default", found[1], found[2], proposed=value or "none")


def _ask_constants(proposal: Proposal) -> Iterator[Question]:
    match = proposal.match
    hints = load_contract_hints(match.contract.contract_id).constants
    constants: dict[str, str] = proposal.settings.get("constants", {})
    for name in match.missing:
        item = match.contract.field(name)
        meaning = hints[name].meaning if name in hints else item.description
        text = f"{item.description}: no column gives it ({meaning})"
        yield Question("constant", name, text, item.allowed_values or (), constants.get(name, ""))
