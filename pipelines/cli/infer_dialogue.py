"""The questions of `apportion infer --interactive`, put one at a time in a terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from pipelines.mappings.answers import Answers
    from pipelines.mappings.infer import Proposal
    from pipelines.mappings.questions import Question

MOST_QUESTIONS = 60


def choose_contract(proposal: Proposal, given: str | None) -> str:
    """The contract that a person confirms, unless it was given."""
    from pipelines.contracts.contract import list_contract_ids

    found = proposal.match.contract.contract_id
    if given is not None:
        return given
    others = ", ".join(name for name, _ in proposal.runners_up)
    while True:
        answer = str(typer.prompt(f"What does it hold? (or {others})", default=found)).strip()
        if answer in list_contract_ids():
            return answer
        print(f"Expected one of {', '.join(list_contract_ids())}.")


def ask_what_is_open(
    proposal: Proposal, answers: Answers, propose: Callable[[Answers], Proposal]
) -> Proposal:
    """The proposal with every question answered; an answer may change what is open."""
    from pipelines.mappings.questions import list_questions

    asked: set[str] = set()
    for _ in range(MOST_QUESTIONS):
        question = next((q for q in list_questions(proposal) if q.name not in asked), None)
        if question is None:
            break
        asked.add(question.name)
        answers = _take(answers, question, _ask(question, proposal))
        proposal = propose(answers)
    return proposal


def _ask(question: Question, proposal: Proposal) -> str:
    """The answer: one of the options, a column behind '=', or any value."""
    from pipelines.mappings.setting_checks import is_zone

    hint = f" ({', '.join(question.options)})" if question.options else ""
    if question.kind == "constant":
        hint += " (a value for all records, or =COLUMN)"
    while True:
        text = f"{question.name}: {question.text}{hint}"
        answer = str(typer.prompt(text, default=question.proposed or None)).strip()
        if answer.startswith("=") and answer[1:] not in proposal.head.columns:
            print(f"Expected one of the columns {', '.join(proposal.head.columns)}.")
        elif question.options and not answer.startswith("=") and answer not in question.options:
            print(f"Expected one of {', '.join(question.options)}.")
        elif question.name == "time_zone" and not is_zone(answer):
            print("Expected a time zone such as UTC or Europe/Berlin.")
        elif answer:
            return answer


def _take(answers: Answers, question: Question, answer: str) -> Answers:
    if answer.startswith("="):
        return answers.add("column", question.name, answer[1:])
    if question.kind == "default":
        if answer == "none":
            return answers
        defaults = {**answers.settings.get("defaults", {}), question.name: answer}
        return answers.add("setting", "defaults", defaults)
    return answers.add(question.kind, question.name, answer)
