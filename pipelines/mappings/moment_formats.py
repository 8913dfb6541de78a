"""Read the formats in which a mapping declares dates, times and periods, such as `%d %B %Y`.

A format is the text of a value with a directive for each of its parts: `%d` day, `%m` month, `%B`
or `%b` name of the month, `%Y` and `%y` year of four and of two digits, `%A` or `%a` weekday, `%H`
hour, `%I` and `%p` hour of a twelve-hour clock and its half of the day, `%M` minute, `%S` second,
`%f` fraction of a second, `%z` zone as an offset or Z, `%P` number of a period in the fiscal year
(where the calendar has such), `%%` a percent sign. Where a format has one
of the names or a zone, a space stands for any number of spaces, ordinary ones or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pipelines.mappings.calendar_names import Language, list_ordinals, load_calendar_names

MomentKind = Literal["period", "date", "timestamp"]

SPACES = " \u00a0\u2009\u202f"
WORD = r"[\p{L}\p{M}.]+"
HALF = r"[\p{L}]\.?[ \x{00A0}\x{202F}]?[\p{L}]*\.?"
PATTERNS = {
    "d": r"\d{1,2}",
    "m": r"\d{1,2}",
    "B": WORD,
    "b": WORD,
    "Y": r"\d{4}",
    "y": r"\d{2}",
    "A": WORD,
    "a": WORD,
    "H": r"\d{1,2}",
    "I": r"\d{1,2}",
    "p": HALF,
    "M": r"\d{2}",
    "S": r"\d{2}",
    "f": r"\d{1,9}",
    "P": r"\d{1,2}",
    "z": r"Z|[+-]\d{2}(?::?\d{2})?",
}
DIGITS = frozenset("dmYyHIMSfP")
EQUAL_PARTS = {"b": "B", "a": "A", "y": "Y"}
NAMED = frozenset("BbAap")
TIMED = frozenset("HIMSfpz")
OWN = NAMED | {"z"}
"""Directives that DuckDB's parser of times reads otherwise, or not at all."""


@dataclass(frozen=True)
class MomentFormat:
    """One format in its parts: (directive or None, literal text)."""

    text: str
    parts: tuple[tuple[str | None, str], ...]

    @property
    def directives(self) -> tuple[str, ...]:
        """Its directives, in order."""
        return tuple(directive for directive, _ in self.parts if directive)

    @property
    def has_names(self) -> bool:
        """Whether it says a month, weekday or half of the day by name."""
        return bool(NAMED & set(self.directives))

    @property
    def is_read_by_pattern(self) -> bool:
        """Whether DuckDB's own parser cannot read it."""
        return bool(OWN & set(self.directives))

    def group(self, *directives: str) -> int | None:
        """The number of the group of the first of these directives that it has."""
        found = self.directives
        return next((found.index(item) + 1 for item in directives if item in found), None)

    def pattern(self, languages: Iterable[Language] = ()) -> str:
        """A regular expression with a group for each directive."""
        ordinals = "|".join(map(re.escape, list_ordinals(languages)))
        result = []
        for number, (directive, text) in enumerate(self.parts):
            if directive is None:
                result.append(_escape(text))
                continue
            pattern = PATTERNS[directive]
            if pattern == r"\d{1,2}" and not self._may_be_short(number):
                pattern = r"\d{2}"
            result.append(f"({pattern})")
            if directive == "d" and self.has_names and ordinals:
                result.append(f"(?:{ordinals})?")
        return "".join(result)

    def example(self, languages: Sequence[Language] = ()) -> str:
        """31 March 2026, a Tuesday, at five past two in the afternoon, in this format."""
        names = load_calendar_names()[languages[0] if languages else "en"]
        shown = {"d": "31", "m": "03", "Y": "2026", "y": "26", "H": "14", "I": "02", "M": "05"}
        shown |= {"S": "00", "f": "0", "z": "+02:00", "P": "03", "p": names.halves.pm[0].upper()}
        shown |= {"B": names.months[2][0].title(), "b": names.months[2][-1].title()}
        shown |= {"A": names.weekdays[1][0].title(), "a": names.weekdays[1][-1].title()}
        return "".join(text if item is None else shown[item] for item, text in self.parts)

    def _may_be_short(self, number: int) -> bool:
        """Whether a number of one digit says where it ends: nothing but what has a fixed width
        stands beside it, and it is the first of a run of digits."""
        before = self.parts[number - 1][0] if number else None
        return before not in DIGITS


def parse_format(text: str) -> MomentFormat:
    """The parts of a format. Raises ValueError where it has a directive that there is not, or one
    part of a time twice."""
    parts: list[tuple[str | None, str]] = []
    for match in re.finditer(r"%(.?)|([^%]+)", text, re.DOTALL):
        directive, literal_text = match[1], match[2]
        if literal_text is not None:
            parts.append((None, literal_text))
        elif directive == "%":
            parts.append((None, "%"))
        elif directive not in PATTERNS:
            known = " ".join(f"%{item}" for item in PATTERNS)
            raise ValueError(f"has the directive %{directive}; there are {known}")
        else:
            parts.append((directive, ""))
    seen = [EQUAL_PARTS.get(item, item) for item, _ in parts if item]
    twice = next((item for item in seen if seen.count(item) > 1), None)
    if twice is not None:
        raise ValueError(f"has %{twice} twice")
    if {"m", "B"} <= set(seen):
        raise ValueError("has the month as a number and by name")
    if ("I" in seen) != ("p" in seen) or {"H", "I"} <= set(seen):
        raise ValueError("needs %H, or %I with %p, for the hour")
    return MomentFormat(text, tuple(parts))


def find_format_fault(
    text: str, kind: MomentKind, *, has_century: bool, has_year: bool
) -> str | None:
    """What keeps a format from giving values of that kind; None where nothing does.

    `has_year`: the year comes from elsewhere.
    """
    try:
        found = parse_format(text)
    except ValueError as error:
        return str(error)
    parts = set(found.directives)
    if "P" in parts:
        if kind != "period":
            return "has the number of a fiscal period, %P; only period fields have one"
        if parts - set("PYy"):
            return "has the number of a fiscal period, %P; only a year stands beside it"
    elif not parts & set("mBb"):
        return "has no month, %m or %B"
    if kind == "timestamp" and "d" not in parts and parts & TIMED:
        # A month alone is its first moment.
        return "has no day, %d"
    if parts & set("Yy"):
        if has_year:
            return "has a year, and 'year_from' gives one"
        if "y" in parts and not has_century:
            return "has no year of four digits, %Y; with 'century' it may have two, %y"
        return None
    return None if has_year else "has no year of four digits, %Y; 'year_from' can give it"


def find_equal_formats(texts: Sequence[str]) -> tuple[str, str] | None:
    """Two formats that may read one text as two days, such as day and month in either order: they
    have the same outline, and their parts in another order."""
    formats = [parse_format(text) for text in texts]
    for number, one in enumerate(formats):
        for other in formats[number + 1 :]:
            if _outline(one) == _outline(other) and _roles(one) != _roles(other):
                return one.text, other.text
    return None


def _roles(form: MomentFormat) -> tuple[str, ...]:
    return tuple(EQUAL_PARTS.get(item, item) for item in form.directives)


def _outline(form: MomentFormat) -> str:
    """The format with a mark for each digit and each name, whatever they say."""
    marks = {"Y": "9999", **dict.fromkeys("BbAap", "@")}
    return "".join(text if item is None else marks.get(item, "99") for item, text in form.parts)


def _escape(text: str) -> str:
    spaces = "".join(f"\\x{{{ord(char):04X}}}" for char in SPACES)
    parts = re.split(f"[{SPACES}]+", text)
    return f"[{spaces}]+".join(re.escape(part) for part in parts)
