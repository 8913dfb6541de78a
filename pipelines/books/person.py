"""Who acts: the person whose name the books keep with everything that is done.

It is the user of the operating system. In a workspace that is marked as a demo a command may act as
somebody else (`--as`), so that one person can play the two that a close needs.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pipelines.errors import UsageError

MOST_CHARACTERS = 120
_acting: ContextVar[str | None] = ContextVar("acting_person", default=None)


def current_person() -> str:
    """The acting person: who a demo says it is, else the operating system's user."""
    acting = _acting.get()
    if acting is not None:
        return acting
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


@contextmanager
def act_as(name: str | None, *, is_demo: bool) -> Iterator[None]:
    """Act as `name` within the block; as oneself where it is None. Raises UsageError where the
    workspace is no demo: there nobody acts for somebody else."""
    if name is None:
        yield
        return
    if not is_demo:
        raise UsageError(
            "--as is for workspaces that apportion.yml marks with 'is_demo: true'; here everybody "
            "acts under their own user of the operating system"
        )
    person = " ".join(name.split())
    if not person or len(person) > MOST_CHARACTERS:
        raise UsageError(
            f"--as expects a name of 1 to {MOST_CHARACTERS} characters, found {name!r}"
        )
    token = _acting.set(person)
    try:
        yield
    finally:
        _acting.reset(token)


def is_same_person(first: str | None, second: str | None) -> bool:
    """Whether two names mean one person: case and spaces around make no second one."""
    return bool(first and second) and str(first).strip().lower() == str(second).strip().lower()
