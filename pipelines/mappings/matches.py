"""How a file matches a contract: the columns of its fields, and what stands for the others."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipelines.contracts.contract import Contract
from pipelines.mappings.column_hints import ProposedTime
from pipelines.mappings.money_columns import SignColumn

LEAST_SCORE = 0.21
MEASURES = ("decimal", "integer", "date", "timestamp", "period")
"""Types of fields that more than lists of names have."""


@dataclass(frozen=True)
class Guess:
    """One field and the column proposed for it."""

    field: str
    column: str
    confidence: float
    reason: str
    credit: str = ""
    """The column that is subtracted from it, where they are debit and credit."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the field is made of."""
        return (self.column, self.credit) if self.credit else (self.column,)


@dataclass(frozen=True)
class Match:
    """How well a file fits one contract."""

    contract: Contract
    score: float
    guesses: tuple[Guess, ...]
    missing: tuple[str, ...]
    """Required fields that no column and nothing else gives."""
    uses_row_key: bool
    period_from: str | None
    sign: SignColumn | None = None
    """What says the sign of the amount, where it has none of its own."""
    currency: str | None = None
    """The currency that the name of the amount's column says, where no column gives it."""
    period_join: tuple[str, str] | None = None
    """The columns of the year and of the number of the period in it."""
    derived: dict[str, ProposedTime] = field(default_factory=dict)
    """Days and times that follow from other fields."""
    constants: dict[str, str] = field(default_factory=dict)
    """Values proposed for all records, in place of columns that are not there."""
    is_adopted: bool = False
    """Whether a ready mapping gives all of it."""
    is_signed: bool = False
    """Whether the file has columns that are in files of this contract only."""
    told: dict[str, str] = field(default_factory=dict)
    """Values that words in the name of the file or of its columns say for all records."""

    @property
    def fits(self) -> bool:
        """Whether a mapping is worth proposing: most of what is required is there."""
        if self.is_adopted:
            return True
        required = {item.name for item in self.contract.fields if item.is_required}
        given = required & {*(guess.field for guess in self.guesses), *self.derived}
        if self.is_signed:
            return True
        return (
            self.score >= LEAST_SCORE
            and len(given) >= len(required) / 3
            and len(self.open_fields) <= len(required) / 2
            and not self.is_list_of_names
        )

    @property
    def is_list_of_names(self) -> bool:
        """Whether the file has names, and hardly anything of what its nearest contract is about."""
        required = {f.name: f.type for f in self.contract.fields if f.is_required}
        given = {guess.field for guess in self.guesses} & required.keys()
        # A key and the day on which it was made say nothing of what happened.
        numbers = {name for name, kind in required.items() if kind in ("decimal", "integer")}
        is_bare = bool(numbers) and not numbers & given and len(given) < 3
        return not self.is_signed and (not self._is_measured() or is_bare)

    def _is_measured(self) -> bool:
        """Whether a column gives a number, a day or a period that the contract needs, unless it
        is a contract of names, which have a day from which they hold at most."""
        kinds = {f.name: f.type for f in self.contract.fields if f.type in MEASURES}
        needed = {name for name in kinds if self.contract.field(name).is_required}
        is_list = {kinds[name] for name in needed} <= {"date"}
        return is_list or any(
            guess.field in needed or kinds.get(guess.field) == "decimal" for guess in self.guesses
        )

    @property
    def open_fields(self) -> tuple[str, ...]:
        """Required fields for which only a person has a value."""
        return tuple(name for name in self.missing if name not in self.constants)
