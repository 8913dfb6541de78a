"""Names of delivered files as they may be shown.

A file name is the sender's text: it may hold line ends, marks that turn the reading direction, or
bytes that are not UTF-8. Messages, the books and the lake hold it with such characters escaped.
"""

from __future__ import annotations

import shlex
from pathlib import Path


def show_file_name(path: Path) -> str:
    """The file's name with every character that does not print as itself escaped."""
    text = path.name.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def quote_argument(text: str) -> str:
    """A text as one argument of a command that a person may copy into a shell."""
    return shlex.quote(text)
