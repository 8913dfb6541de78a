"""Compare names of columns with those of fields and with what other systems call them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from typing import Any

import yaml

HINTS = Path(__file__).parent / "hints" / "column_names.yml"


def compare_names(field_name: str, column: str) -> tuple[float, str]:
    """(likeness from 0 to 1, the known name that is nearest) of a column to a field."""
    own = _compare(normalise_name(column), normalise_name(field_name))
    # The field's own name tells more than one of many that other systems give to it.
    best, nearest = compare_with(load_hints()["fields"].get(field_name, ()), column)
    best = min(best, 0.97)
    return (own, field_name) if own >= best else (best, nearest)


def compare_with(known: Iterable[str], column: str) -> tuple[float, str]:
    """(likeness from 0 to 1, the nearest one) of a column to names that are known."""
    plain = normalise_name(column)
    best, nearest = 0.0, ""
    for name in known:
        likeness = _compare(plain, normalise_name(name))
        if likeness > best:
            best, nearest = likeness, name
    return best, nearest


def normalise_name(name: str) -> str:
    """Lower-case words: camel case split, umlauts written out, punctuation as spaces."""
    text = re.sub(r"#\d+$", "", name)
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text).lower()
    for mark, written in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        text = text.replace(mark, written)
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join(re.findall(r"[a-z0-9]+", text))


def _compare(left: str, right: str) -> float:
    if left.replace(" ", "") == right.replace(" ", ""):
        return 1.0
    words, others = set(left.split()), set(right.split())
    if not words or not others:
        return 0.0
    shared = len(words & others) / len(words | others)
    return 0.9 * max(shared, SequenceMatcher(None, left, right).ratio() ** 2)


@cache
def load_hints() -> dict[str, Any]:
    """The names and values that are known."""
    hints: dict[str, Any] = yaml.safe_load(HINTS.read_text("utf-8"))
    return hints
