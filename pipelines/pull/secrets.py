"""Read secrets from the environment, and keep them out of every message."""

from __future__ import annotations

import os
from collections.abc import Iterable

from pipelines.pull.failures import SecretMissingError

HIDDEN = "***"
SHORTEST_HIDDEN = 3


def read_secret(source_id: str, variable: str, setting: str) -> str:
    """The value of the variable that `setting` names, without line ends around it. Raises
    SecretMissingError where it is not set or empty."""
    value = os.environ.get(variable, "").strip("\r\n")
    if not value:
        raise SecretMissingError(source_id, variable, setting)
    return value


def hide_secrets(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret in it replaced; longer ones first, as one may hold another."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST_HIDDEN:
            text = text.replace(secret, HIDDEN)
    return text
