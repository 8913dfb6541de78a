"""Problems are values, failures are exceptions.

A `Problem` says what is wrong with delivered data: it is collected, counted and stored.
An `ApportionError` says that a command cannot go on; each carries the exit code of its kind:
1 a defect of ours, 2 wrong use or configuration, 3 done with records in quarantine,
4 refused by a control. Its message says what, where, expected, found and what to do next.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipelines.readable_text import show_text

EXIT_DONE = 0
EXIT_DEFECT = 1
EXIT_USAGE = 2
EXIT_QUARANTINED = 3
EXIT_REFUSED = 4


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a delivery or a file: where it is, what was found, what was expected."""

    file: str
    message: str
    record: int | None = None
    field: str | None = None
    found: str | None = None
    expected: str | None = None
    remedy: str | None = None
    rule_id: str | None = None
    """The rule, service or driver of a rule file that the problem is in."""
    line: int | None = None
    """The line of the file in which the record begins, where its number does not say it."""

    def __str__(self) -> str:
        where = self.file
        if self.record is not None:
            where += f", record {self.record}"
            where += f" (line {self.line})" if self.line is not None else ""
        if self.field:
            where += f", field {self.field}"
        rule = f"{self.rule_id}: " if self.rule_id else ""
        parts = [f"{where}: {rule}{self.message}"]
        if self.expected is not None:
            parts.append(f"expected {self.expected}")
        if self.found is not None:
            parts.append(f"found {self.found}")
        text = "; ".join(parts)
        # A file's text may hold the end of a line, or marks that turn the reading direction.
        return show_text(f"{text}. {self.remedy}" if self.remedy else text)


class ApportionError(Exception):
    """The base of every failure that a person is told about in a sentence, not in a traceback."""

    exit_code = EXIT_DEFECT


class UsageError(ApportionError):
    """The command or its arguments do not fit."""

    exit_code = EXIT_USAGE


class ConfigurationError(ApportionError):
    """A file of the workspace is wrong. All problems are listed at once."""

    exit_code = EXIT_USAGE

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        count = len(problems)
        head = f"{count} problem{'s' if count != 1 else ''} in the workspace's files:"
        super().__init__("\n".join([head, *(f"  - {problem}" for problem in problems)]))


class WorkspaceMissingError(ApportionError):
    """There is no workspace where one was expected."""

    exit_code = EXIT_USAGE

    def __init__(self, directory: Path) -> None:
        super().__init__(
            f"{directory}: expected a workspace (a directory with apportion.yml), found none. "
            "Make one with 'apportion init DIR --template sample', or name one with --workspace."
        )


class DeliveryRefusedError(ApportionError):
    """A whole delivery is refused; nothing of it was loaded and the file stays where it is."""

    exit_code = EXIT_REFUSED

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(f"refused: {problem}")


class ControlError(ApportionError):
    """A control refuses to go on: totals that do not tie, failed checks, a closed period."""

    exit_code = EXIT_REFUSED


class BuildError(ApportionError):
    """The build broke; what was published before stays published."""

    exit_code = EXIT_DEFECT


class NothingPublishedError(ApportionError):
    """A reader asks for figures before the first run."""

    exit_code = EXIT_USAGE

    def __init__(self, directory: Path) -> None:
        super().__init__(
            f"{directory}: nothing is published yet. Drop deliveries into its inbox/ and run "
            "'apportion run' first."
        )
