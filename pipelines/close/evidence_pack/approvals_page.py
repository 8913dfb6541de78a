"""The page on people: who calculated, reviewed, approved, closed and reopened, when and why."""

from __future__ import annotations

from pipelines.books.person import is_same_person
from pipelines.close.evidence_pack.books_extract import BooksExtract, Record
from pipelines.close.evidence_pack.records import Page, Row, Section, Table
from pipelines.close.period_states import PeriodState

SIGNATURES = (
    ("calculated", "prepared"),
    ("reviewed", "reviewed"),
    ("approved", "approved"),
    ("closed", "closed"),
)

STEP_FIELDS = ("taken_at", "version", "step", "person_name", "why", "run_id", "content_hash")


def make_approvals(extract: BooksExtract) -> Page:
    """Signatures of the version, every step that led to it, and the ticked tasks."""
    state = extract.state
    signed: list[Row] = [
        (verb, getattr(state, f"{name}_by"), getattr(state, f"{name}_at"))
        for verb, name in SIGNATURES
        if getattr(state, f"{name}_by")
    ]
    steps: list[Row] = [tuple(step[name] for name in STEP_FIELDS) for step in extract.steps]
    ticks: list[Row] = [
        (tick["ticked_at"], tick["task_id"], bool(tick["is_done"]), *_say_who(tick))
        for tick in extract.ticks
    ]
    return Page(
        "approvals",
        "Approvals and steps",
        _say_people(state),
        (
            Section(
                "Signatures",
                (
                    "From the books. Who calculated may neither review nor approve; the program "
                    "and the database both refuse it. Names that differ by case or spaces alone "
                    "are one person. Times are UTC.",
                    *_say_content(state),
                ),
                Table(("what", "who", "when"), tuple(signed), file="approvals.csv"),
            ),
            Section(
                "Steps",
                ("All of them, those of earlier versions and a reopening among them.",),
                Table(
                    ("when", "version", "step", "who", "why", "run", "content_hash"),
                    tuple(steps),
                    numeric=(1,),
                    file="steps.csv",
                ),
            ),
            Section(
                "Tasks of the close calendar",
                ("Those that are ticked by hand; 'done' is no where a tick was taken back.",),
                Table(
                    ("when", "task", "done", "who", "why"), tuple(ticks), file="calendar_ticks.csv"
                ),
                "No task was ticked.",
            ),
        ),
    )


def _say_who(record: Record) -> tuple[str, str | None]:
    return record["person_name"], record["why"]


def _say_people(state: PeriodState) -> str:
    if not state.approved_by:
        return f"Calculated by {state.prepared_by}; the period is {state.state}, not approved."
    differ = not is_same_person(state.prepared_by, state.approved_by)
    said = "two people" if differ else "ONE PERSON"
    closed = f", closed by {state.closed_by}" if state.closed_by else ", not closed yet"
    return f"Calculated by {state.prepared_by}, approved by {state.approved_by}{closed}: {said}."


def _say_content(state: PeriodState) -> tuple[str, ...]:
    return (
        f"What was signed is one set of figures, of the run {state.run_id}, with the content hash "
        f"{state.content_hash}: charges, their breakdown and the certificate.",
    )
