"""Problems read as sentences, and every failure has the exit code of its kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import errors
from pipelines.errors import (
    ApportionError,
    ConfigurationError,
    DeliveryRefusedError,
    NothingPublishedError,
    Problem,
    WorkspaceMissingError,
)


def test_problem_says_where_what_expected_found_and_what_to_do() -> None:
    problem = Problem(
        "a.csv", "has the wrong form", 2, "amount", "'1e3'", "a number", "Ask the sender."
    )
    assert str(problem) == (
        "a.csv, record 2, field amount: has the wrong form; expected a number; found '1e3'. "
        "Ask the sender."
    )


def test_problem_leaves_out_what_it_does_not_know() -> None:
    assert str(Problem("a.csv", "is empty")) == "a.csv: is empty"
    assert str(Problem("a.csv", "is empty", record=0, found="")) == (
        "a.csv, record 0: is empty; found "
    )


def test_configuration_error_lists_all_problems() -> None:
    one = ConfigurationError([Problem("a.yml:1", "first")])
    assert str(one) == "1 problem in the workspace's files:\n  - a.yml:1: first"
    two = ConfigurationError([Problem("a.yml:1", "first"), Problem("b.yml:2", "second")])
    assert str(two).splitlines() == [
        "2 problems in the workspace's files:",
        "  - a.yml:1: first",
        "  - b.yml:2: second",
    ]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.UsageError("x"), 2),
        (ConfigurationError([]), 2),
        (WorkspaceMissingError(Path("x")), 2),
        (NothingPublishedError(Path("x")), 2),
        (DeliveryRefusedError(Problem("a", "b")), 4),
        (errors.ControlError("x"), 4),
        (errors.BuildError("x"), 1),
    ],
)
def test_exit_code_says_whose_matter_it_is(error: ApportionError, code: int) -> None:
    assert error.exit_code == code
    assert isinstance(error, ApportionError)
