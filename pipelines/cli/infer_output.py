"""What `apportion infer` prints: fields with their columns and reasons, preview, what is open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.cli.output import print_error, print_json, print_table
from pipelines.readers.physical_lines import name_record

if TYPE_CHECKING:
    from pipelines.mappings.infer import Proposal
    from pipelines.mappings.preview import PreviewRecord
    from pipelines.mappings.questions import Question

SHOWN_CHARACTERS = 60
UNSHOWN = ("mapping_id", "contract", "description", "unknown_columns", "columns", "value_maps")
"""Settings that are shown otherwise, or that say nothing of the file."""


def describe_proposal(proposal: Proposal, preview: tuple[PreviewRecord, ...]) -> dict[str, object]:
    """A proposal for programs."""
    from pipelines.mappings.questions import list_questions

    return {
        "file": proposal.head.name,
        "fits": proposal.match.fits,
        "contract": proposal.match.contract.contract_id,
        "score": round(proposal.match.score, 2),
        "other_contracts": dict(proposal.runners_up),
        "ready_mappings": list(proposal.ready_mappings),
        "adopted": proposal.adopted,
        "adapted": proposal.adapted,
        "mapping": proposal.settings,
        "guesses": [vars(guess) for guess in proposal.match.guesses],
        "missing": list(proposal.match.missing),
        "open": list(proposal.match.open_fields),
        "decide": list(proposal.decisions),
        "questions": [
            {**vars(question), "flag": question.flag} for question in list_questions(proposal)
        ],
        "preview": [vars(record) for record in preview],
    }


def print_proposal(proposal: Proposal, preview: tuple[PreviewRecord, ...]) -> None:
    """A proposal for people."""
    head, match = proposal.head, proposal.match
    print(f"{_clean(head.name)}: {match.contract.contract_id}, score {match.score:.2f} of 1")
    if len(head.file_names) > 1:
        print(f"{len(head.file_names)} files, {len(head.columns)} columns in all")
    others = ", ".join(f"{name} {score:.2f}" for name, score in proposal.runners_up)
    if others:
        print(f"Other contracts: {others}")
    if proposal.ready_mappings:
        print(f"Ready mappings that find their columns: {', '.join(proposal.ready_mappings)}")
    if proposal.adopted is not None:
        print(f"The ready mapping {proposal.adopted} reads the file as it is.")
        return
    if proposal.adapted is not None:
        print(
            f"The ready mapping {proposal.adapted} reads the file once it says its format; it is "
            "proposed as a mapping of its own."
        )
        _print_preview(proposal, preview)
        return
    for name, value in proposal.settings.items():
        if name not in UNSHOWN:
            print(f"  {name}: {_clean(repr(value))}")
    rows = [
        (g.field, _show(_name_columns(proposal, g.field)), f"{g.confidence:.2f}", _show(g.reason))
        for g in match.guesses
    ]
    print_table("Fields", ("field", "column", "confidence", "why"), rows, numeric=[2])
    used = {column for guess in match.guesses for column in guess.columns}
    used |= {match.sign.column} if match.sign else set()
    used |= set(match.period_join or ())
    if unused := [name for name in head.columns if name not in used]:
        print(f"Not used: {_clean(', '.join(unused))}")
    _print_preview(proposal, preview)
    for decision in proposal.decisions:
        print(f"- decide: {_clean(decision)}")


def _name_columns(proposal: Proposal, field: str) -> str:
    guess = next(item for item in proposal.match.guesses if item.field == field)
    names = proposal.settings["columns"].get(field, guess.column)
    return " or ".join(names) if isinstance(names, list) else " - ".join(guess.columns)


def _print_preview(proposal: Proposal, preview: tuple[PreviewRecord, ...]) -> None:
    fields = [guess.field for guess in proposal.match.guesses]
    if proposal.adapted is not None:
        fields = list(proposal.settings["columns"])
    print_table(
        "Preview",
        ("record", *fields),
        [
            (name_record(r.number, r.line), *(_show(_shorten(r.values[name])) for name in fields))
            for r in preview
        ],
    )
    for record in preview:
        for problem in record.problems:
            print(f"- record {name_record(record.number, record.line)}: {_clean(problem)}")


def say_next(proposal: Proposal, file: Path, written: Path | None) -> None:
    """The one thing to do next."""
    from pipelines.mappings.questions import list_questions

    contract = proposal.match.contract.contract_id
    if (purpose := proposal.match.contract.not_used_yet) is not None:
        print(
            f"Next: nothing. The contract {contract} is not used yet, and landing refuses such "
            f"files. It would feed {purpose}."
        )
        return
    questions = [question for question in list_questions(proposal) if not question.proposed]
    if written is not None:
        print(f"Written: {written}. Look at every line.")
        if questions:
            print(f"Next: in {written}, give {_list_names(questions)} a value.")
            return
        print(
            f"Next: in apportion.yml, name it in the source of these files:\n"
            f"  contract: {contract}\n  mapping: {written.stem}"
        )
        return
    if proposal.adopted is not None:
        print(
            f"Next: in apportion.yml, name it in the source of these files:\n"
            f"  contract: {contract}\n  mapping: {proposal.adopted}"
        )
        return
    flags = "".join(f" {question.flag}" for question in questions)
    print(
        f"Next: apportion infer {file} --contract {contract}{flags} "
        f"--write mappings/{proposal.settings['mapping_id']}.yml"
    )


def _list_names(questions: list[Question]) -> str:
    return ", ".join(question.name for question in questions)


def say_nearest(proposal: Proposal, file: Path, *, as_json: bool) -> None:
    """That a file fits no contract, what comes nearest, and the one thing to do next."""
    if as_json:
        print_json(describe_proposal(proposal, ()))
    match = proposal.match
    if match.is_list_of_names:
        print_error(
            f"{_clean(proposal.head.name)}: belongs to no contract. It lists names, without the "
            "amounts, quantities or days that a contract needs. There is nothing to do. If you "
            f"know a contract that it is for: apportion infer {file} --contract NAME --interactive"
        )
        return
    found = ", ".join(f"{g.field} ({_clean(g.column)})" for g in match.guesses) or "nothing"
    missing = ", ".join(match.missing) or "nothing that is required"
    print_error(
        f"{_clean(proposal.head.name)}: fits no contract. The nearest is "
        f"{match.contract.contract_id}: found {found}; missing {missing}. "
        + _say_ready(proposal)
        + f"Next: name the contract, for example: apportion infer {file} "
        f"--contract {match.contract.contract_id} --interactive"
    )


def _say_ready(proposal: Proposal) -> str:
    ready = ", ".join(proposal.ready_mappings)
    return f"Ready mappings that find their columns: {ready}. " if ready else ""


def _show(text: str) -> str:
    """Text of the sender as a table shows it."""
    return _clean(text)


def _clean(text: str) -> str:
    """Text of the sender without characters that steer a terminal."""
    return "".join(char if char.isprintable() else " " for char in text)


def _shorten(value: str | None) -> str:
    text = value or ""
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
