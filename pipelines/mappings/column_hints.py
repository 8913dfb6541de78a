"""Compare names of columns with those of fields and with what other systems call them.

The dictionary is data: `hints/contracts/<contract>.yml` holds, per contract, the names that systems
and languages give to its fields, the first the surest, and what may stand for a field that no
column gives; `hints/forms.yml` holds what a name says beside that (currency, scale, side).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

HINTS = Path(__file__).parent / "hints"
KNOWN_NAME = 0.97
"""Likeness of a column that is called as the dictionary says: the field's own name tells more."""
NAMED = 0.9
"""How much less a column of names is taken for an identifier than one of codes."""
RANK_STEP = 0.002
"""How much less each further name of a field tells than the one before."""


class ProposedConstant(BaseModel):
    """A value that all records may have, where no column gives the field."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    value: str = ""
    """The value; empty where only a person can say it."""
    meaning: str
    """What it says: 'one legal entity'."""


class ProposedTime(BaseModel):
    """A day or time that follows from another field, where no column gives it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    of: str
    point: Literal["month_start", "month_last_day", "next_month", "next_day"]


class ContractHints(BaseModel):
    """What is known of one contract's columns in other systems."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    contract: str
    same_as: str | None = None
    """The contract whose names hold for this one too, after its own."""
    marks: tuple[str, ...] = ()
    """Words without one of which, in the name of the file or of a column, others come first."""
    never: tuple[str, ...] = ()
    """Words that stand in no column of it: a chart of accounts has no debit."""
    references: tuple[str, ...] = ()
    """Names of columns by which other tables refer to what it lists."""
    signatures: tuple[str, ...] = ()
    """Names of columns two of which are in files of this contract only."""
    time_zone: str | None = None
    """The zone of times that name none, where all systems that write such files agree on it."""
    told: dict[str, dict[str, tuple[str, ...]]] = {}
    """Field -> value -> words in the name of the file or of a column that say it."""
    names: dict[str, tuple[str, ...]] = {}
    """Field -> names of its column elsewhere, the surest first."""
    named: dict[str, tuple[str, ...]] = {}
    """Field -> names of a column that names it, where none holds its code."""
    pairs: tuple[tuple[str, str], ...] = ()
    """Columns of an amount and of its currency, which go together."""
    constants: dict[str, ProposedConstant] = {}
    copies: dict[str, str] = {}
    """Field -> the field whose column gives it too, where it has none of its own."""
    derived: dict[str, ProposedTime] = {}
    fallback_date: tuple[str, ...] = ()
    """Date fields that the only column of days is taken for, whatever it is called."""
    values: dict[str, dict[str, str]] = {}
    """Field of a closed list -> delivered text (lower case, without accents) -> value."""


class CurrencyNames(BaseModel):
    """How currencies stand in names of columns."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    codes: tuple[str, ...]
    symbols: dict[str, str]
    signs: dict[str, tuple[str, ...]]
    """Signs in amounts and in names of columns -> the currencies that are written so, the
    commonest first."""
    particles: tuple[str, ...]


class FormHints(BaseModel):
    """What a name says beside what its column is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sides: dict[Literal["debit", "credit"], tuple[str, ...]]
    sign_columns: tuple[str, ...]
    sign_pairs: tuple[tuple[str, str], ...]
    currencies: CurrencyNames
    scales: dict[int, tuple[str, ...]]
    year_columns: tuple[str, ...]
    amount_words: tuple[str, ...]
    no_amount_words: tuple[str, ...]


@cache
def load_forms() -> FormHints:
    """What names say of sides, signs, currencies and scales."""
    return FormHints.model_validate(yaml.safe_load((HINTS / "forms.yml").read_text("utf-8")))


@cache
def load_contract_hints(contract_id: str) -> ContractHints:
    """What is known of a contract's columns; nothing where no system was looked at."""
    path = HINTS / "contracts" / f"{contract_id}.yml"
    if not path.is_file():
        return ContractHints(contract=contract_id)
    own = ContractHints.model_validate(yaml.safe_load(path.read_text("utf-8")))
    if own.same_as is None:
        return own
    other = load_contract_hints(own.same_as)
    return own.model_copy(
        update={
            "names": _join_names(own.names, other.names),
            "named": _join_names(own.named, other.named),
            "pairs": (*own.pairs, *other.pairs),
            "derived": {**other.derived, **own.derived},
            "fallback_date": own.fallback_date or other.fallback_date,
        }
    )


def _join_names(
    own: dict[str, tuple[str, ...]], other: dict[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    fields = dict.fromkeys((*own, *other))
    return {name: (*own.get(name, ()), *other.get(name, ())) for name in fields}


def compare_names(field_name: str, column: str, contract_id: str) -> tuple[float, str]:
    """(likeness from 0 to 1, the known name that is nearest) of a column to a field."""
    plain = normalise_name(split_scale(split_currency(column)[0])[0])
    own = _compare(plain, normalise_name(field_name))
    hints = load_contract_hints(contract_id)
    best, nearest = _compare_ranked(hints.names.get(field_name, ()), plain, KNOWN_NAME)
    named, other = _compare_ranked(hints.named.get(field_name, ()), plain, KNOWN_NAME * NAMED)
    if named > best:
        best, nearest = named, other
    return (own, field_name) if own >= best else (best, nearest)


def _compare_ranked(known: Iterable[str], plain: str, most: float) -> tuple[float, str]:
    best, nearest = 0.0, ""
    for rank, name in enumerate(known):
        likeness = _compare(plain, normalise_name(name))
        # A name that is known as it is comes before every one that is only alike.
        rated = likeness * most * (1 - min(rank, 50) * RANK_STEP)
        if rated > best:
            best, nearest = rated, name
    return best, nearest


def compare_with(known: Iterable[str], column: str) -> tuple[float, str]:
    """(likeness from 0 to 1, the nearest one) of a column to names that are known."""
    plain = normalise_name(split_currency(column)[0])
    best, nearest = 0.0, ""
    for name in known:
        likeness = _compare(plain, normalise_name(name))
        if likeness > best:
            best, nearest = likeness, name
    return best, nearest


def split_currency(column: str) -> tuple[str, str | None]:
    """(the name without the currency that it names, its code): 'Betrag EUR' is a 'betrag' in EUR.
    A name that is nothing but a currency, or names several, stays as it is."""
    hints = load_forms().currencies
    text = column
    for symbol, code in hints.symbols.items():
        text = text.replace(symbol, f" {code} ")
    words = normalise_name(text).split()
    codes = {word for word in words if word.upper() in hints.codes}
    others = [word for word in words if word not in codes]
    while others and others[-1] in hints.particles:
        others.pop()
    if len(codes) != 1 or not others:
        return column, None
    return " ".join(others), codes.pop().upper()


def choose_currency(mark: str, known: Iterable[str]) -> str:
    """The currency that a sign or code stands for: of several the one that is known already."""
    written = load_forms().currencies.signs.get(mark, (mark,))
    return next((code for code in known if code in written), written[0])


def find_sign(column: str) -> str | None:
    """The sign of a currency in the name of a column, as in 'Total ($ M)'."""
    signs = sorted(load_forms().currencies.signs, key=len, reverse=True)
    return next((sign for sign in signs if not sign.isalpha() and sign in column), None)


def split_scale(column: str) -> tuple[str, int | None]:
    """(the name without what it is counted in, the power of ten): 'Total ($ M)' counts millions."""
    lowered = column.lower()
    for power, names in load_forms().scales.items():
        for name in names:
            pattern = rf"(?<![a-z]){re.escape(name)}(?![a-z])"
            if re.search(pattern, lowered):
                return re.sub(pattern, " ", lowered), power
    return column, None


@cache
def normalise_name(name: str) -> str:
    """Lower-case words: camel case split, umlauts written out, punctuation as spaces."""
    text = re.sub(r"#\d+$", "", name)
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text).lower()
    for mark, written in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        text = text.replace(mark, written)
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join(re.findall(r"[a-z0-9]+", text))


@cache
def _compare(left: str, right: str) -> float:
    if left.replace(" ", "") == right.replace(" ", ""):
        return 1.0
    words, others = set(left.split()), set(right.split())
    if not words or not others:
        return 0.0
    shared = len(words & others) / len(words | others)
    return 0.9 * max(shared, SequenceMatcher(None, left, right).ratio() ** 2)
