"""Look up the names of months, weekdays and halves of the day in the languages of exports."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

NAMES_PATH = Path(__file__).parent / "hints" / "calendar_names.yml"

Language = Literal["en", "de", "fr", "es"]
Spellings = Annotated[tuple[str, ...], Field(min_length=1)]


class Halves(BaseModel):
    """How a language writes the halves of the day."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    am: Spellings
    pm: Spellings


class CalendarNames(BaseModel):
    """The names of one language."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    months: Annotated[tuple[Spellings, ...], Field(min_length=12, max_length=12)]
    weekdays: Annotated[tuple[Spellings, ...], Field(min_length=7, max_length=7)]
    """From Monday on."""
    halves: Halves
    ordinals: tuple[str, ...]
    """What may follow the number of a day."""


@cache
def load_calendar_names() -> dict[Language, CalendarNames]:
    """The names by language."""
    names = yaml.safe_load(NAMES_PATH.read_text("utf-8"))
    return TypeAdapter(dict[Language, CalendarNames]).validate_python(names)


def list_months(languages: Iterable[Language]) -> dict[str, int]:
    """Normalised spelling -> month, from 1, in any of the languages."""
    return _number(load_calendar_names()[language].months for language in languages)


def list_weekdays(languages: Iterable[Language]) -> dict[str, frozenset[int]]:
    """Normalised spelling -> weekdays, Monday is 1; of two languages, one may mean two days."""
    result: dict[str, frozenset[int]] = {}
    for language in languages:
        for spelling, number in _number([load_calendar_names()[language].weekdays]).items():
            result[spelling] = result.get(spelling, frozenset()) | {number}
    return result


def list_halves(languages: Iterable[Language]) -> dict[str, int]:
    """Normalised spelling -> 0 before noon, 1 after it; `am` and `pm` are known everywhere."""
    result = {"am": 0, "pm": 1}
    for language in languages:
        halves = load_calendar_names()[language].halves
        for number, spellings in enumerate((halves.am, halves.pm)):
            result |= {normalise(text): number for text in spellings}
    return result


def list_ordinals(languages: Iterable[Language]) -> list[str]:
    """What may follow the number of a day."""
    found = (text for language in languages for text in load_calendar_names()[language].ordinals)
    return list(dict.fromkeys(found))


def normalise(text: str) -> str:
    """A name without case, accents and the dot at its end, as it is compared."""
    plain = unicodedata.normalize("NFKD", text.lower())
    return "".join(char for char in plain if not unicodedata.combining(char)).rstrip(".")


def _number(groups: Iterable[Sequence[Spellings]]) -> dict[str, int]:
    return {
        normalise(text): number
        for group in groups
        for number, spellings in enumerate(group, start=1)
        for text in spellings
    }
