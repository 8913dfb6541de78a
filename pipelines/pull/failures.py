"""What can go wrong with a pull, as sentences; none of them holds a secret.

A failure (2) is a matter of settings, credentials or the way to the system; a refusal (4) is an
answer that contradicts itself, so that nobody knows whether it is whole.
"""

from __future__ import annotations

from pipelines.errors import EXIT_REFUSED, EXIT_USAGE, ApportionError

NOTHING = "Nothing was written to the inbox."


class PullFailedError(ApportionError):
    """A system could not be read."""

    exit_code = EXIT_USAGE

    def __init__(self, source_id: str, message: str, remedy: str) -> None:
        super().__init__(f"source '{source_id}': {message}. {NOTHING} {remedy}")


class SecretMissingError(ApportionError):
    """An environment variable that a connection names is not set."""

    exit_code = EXIT_USAGE

    def __init__(self, source_id: str, variable: str, setting: str) -> None:
        super().__init__(
            f"source '{source_id}': expected the environment variable {variable}, which "
            f"'{setting}' names, found none. {NOTHING} Set it for the process that pulls; the "
            "value belongs into no file of the workspace."
        )


class PullRefusedError(ApportionError):
    """A system's answer is not whole, or not what was asked for."""

    exit_code = EXIT_REFUSED

    def __init__(self, source_id: str, message: str, remedy: str) -> None:
        super().__init__(f"source '{source_id}': {message}. {NOTHING} {remedy}")


class ChangedWhileReadError(Exception):
    """The pages of one reading do not fit each other, so that records may have been passed over:
    begin again. Its text says what was seen."""
