"""Take Markdown apart: sections, tables, code, links, anchors."""

from __future__ import annotations

import re
from dataclasses import dataclass

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Fence:
    """A block of code and its language."""

    language: str
    text: str


def split_sections(text: str, level: int) -> dict[str, str]:
    """The text below each heading down to `level`, up to the next such heading."""
    parts = re.split(rf"^#{{1,{level}}} (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def read_table_rows(text: str) -> list[list[str]]:
    """The rows of all tables, heads included, cells without the spaces around them."""
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def read_first_cells(text: str) -> set[str]:
    """Everything in back quotes that stands in the first cell of a table row."""
    cells = [row[0] for row in read_table_rows(text) if row]
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def list_fences(text: str) -> list[Fence]:
    """The blocks of code of a text."""
    return [Fence(language, body) for language, body in FENCE.findall(text)]


def list_links(text: str) -> list[str]:
    """Targets of all links and images outside of code."""
    bare = re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))
    return LINK.findall(bare)


def list_anchors(text: str) -> set[str]:
    """Anchors of the headings, as they are made from their text."""
    titles = [title for _, title in HEADING.findall(FENCE.sub("", text))]
    return {make_anchor(title) for title in titles}


def make_anchor(title: str) -> str:
    """'pools.yml' -> 'poolsyml', 'Where things are' -> 'where-things-are'."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
