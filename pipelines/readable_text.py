"""Text of a delivery or a file as it may be shown: what a reader cannot see is written out.

A delivered text may hold characters that steer a terminal, turn the reading direction, or print as
nothing. Wherever text is shown they stand as escapes (`\\u202e`), so that what is read is what is
there. The data itself is never changed.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Control and format characters (bidirectional marks among them), halves of characters, private
ones, and separators of lines."""
LAYOUT = "\n\t"
MAY_BE_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\xad]|[^\x00-\u02ff]")
"""Quick look: a text without any of them has nothing to write out."""


def show_text(text: str, *, keep: str = "") -> str:
    """The text with every hidden character written out, but those in `keep`."""
    if not MAY_BE_HIDDEN.search(text):
        return text
    return "".join(
        escape_character(char) if _is_hidden(char) and char not in keep else char for char in text
    )


def show_texts(value: Any, *, keep: str = LAYOUT) -> Any:
    """A value as JSON has it, with every text in it as it may be shown; lines and tabs stay."""
    if isinstance(value, str):
        return show_text(value, keep=keep)
    if isinstance(value, dict):
        return {key: show_texts(item, keep=keep) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [show_texts(item, keep=keep) for item in value]
    return value


def escape_character(char: str) -> str:
    """A character as JSON and programmers write it: \\u202e, in two halves beyond U+FFFF."""
    code = ord(char)
    if code <= 0xFFFF:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


def _is_hidden(char: str) -> bool:
    return unicodedata.category(char) in HIDDEN_CATEGORIES


class ReadableStream:
    """A text stream that writes hidden characters out; lines and tabs stay.

    What a program draws itself with `rich`, such as the colours of a table, goes to the stream
    behind it: rich asks for it by the name `rich_proxied_file`. Its texts are shown by
    `show_text` before."""

    def __init__(self, plain: TextIO) -> None:
        self.rich_proxied_file = plain

    def write(self, text: str) -> int:
        """Write a text as it may be shown; returns its length."""
        self.rich_proxied_file.write(show_text(text, keep=LAYOUT))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rich_proxied_file, name)


@contextmanager
def readable_output() -> Iterator[None]:
    """Let standard output and standard error write hidden characters out for the length of a
    block."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast(TextIO, ReadableStream(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
