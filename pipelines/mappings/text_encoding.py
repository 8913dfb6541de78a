"""Find the encoding of a text from all of its bytes, not from its beginning.

UTF-8 proves itself: bytes that are not UTF-8 hardly ever are by chance. Of encodings of one byte
every text fits several, so letters decide: a byte that one of them reads as a letter between
letters and another as a mark speaks for the first. What two read equally well is left open.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

CANDIDATES = ("cp1252", "mac_roman", "cp850", "cp1250", "cp1251", "cp1253", "cp1254", "iso8859_15")
"""Encodings of one byte that exports are written in, the commonest first."""
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
COMMON_LETTERS = frozenset("äöüÄÖÜßéèêëàâáçíìîïóòôúùûñÑÉÈÀÇÁÍÓÚåÅæøØÆãõ")
COMMON_MARKS = frozenset("€£§°\u2013\u2014\u2019\u2018\u201c\u201d\u201e…·•®©™½\u00a0«»¿¡º²³")
LEAST_LEAD = 0.1
MOST_WORDS = 5000


@dataclass(frozen=True)
class Encoding:
    """The encoding of a text, and whether its bytes prove it."""

    name: str
    is_sure: bool
    is_ascii: bool = False


class EncodingFinder:
    """Takes the bytes of a file piece by piece, and says at the end what they are."""

    def __init__(self) -> None:
        self._utf8: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()
        self._is_ascii = True
        self._words: Counter[bytes] = Counter()
        self._begin = b""

    def add(self, piece: bytes) -> None:
        """Look at the next bytes."""
        self._begin = self._begin or piece[:4]
        if piece.isascii():
            if self._utf8 is not None:
                self._decode(piece)
            return
        self._is_ascii = False
        if self._utf8 is not None:
            self._decode(piece)
        if len(self._words) < MOST_WORDS:
            self._words.update(WORD.findall(piece)[:MOST_WORDS])

    def _decode(self, piece: bytes) -> None:
        assert self._utf8 is not None
        try:
            self._utf8.decode(piece)
        except UnicodeDecodeError:
            self._utf8 = None

    def find(self) -> Encoding:
        """The encoding of all bytes that were added."""
        if self._begin.startswith(UTF16_MARKS):
            return Encoding("utf-16", is_sure=True)
        if self._utf8 is not None:
            return Encoding("utf-8", is_sure=True, is_ascii=self._is_ascii)
        rated = sorted(
            ((_rate(self._words, name), -CANDIDATES.index(name), name) for name in CANDIDATES),
            reverse=True,
        )
        best, second = rated[0], rated[1]
        is_sure = best[0] > 0 and best[0] - second[0] >= LEAST_LEAD
        return Encoding(best[2], is_sure=is_sure)


def _rate(words: Counter[bytes], encoding: str) -> float:
    """How much the words look like words in that encoding: 1 where every letter is a common one
    in its place, less where letters are rare, below zero where marks are inside of words."""
    points = total = 0.0
    for word, count in words.items():
        text = word.decode(encoding, "replace")
        for index, char in enumerate(text):
            if char.isascii():
                continue
            inside = 0 < index < len(text) - 1 and text[index - 1].isalpha()
            points += count * _rate_letter(char, text[:index], inside=inside)
            total += count
    return points / total if total else 0.0


def _rate_letter(char: str, before: str, *, inside: bool) -> float:
    if char == "\ufffd" or unicodedata.category(char) in ("Cc", "Cn", "Co"):
        return -2.0
    if char.isalpha():
        # A capital in the middle of small letters is no word of any language.
        if before and before[-1].islower() and char.isupper():
            return -1.0
        # Nor is a small letter behind capitals, unless it is written so, as ß.
        if before[-2:].isupper() and len(before) > 1 and char.islower() and char != "ß":
            return -1.0
        return 1.0 if char in COMMON_LETTERS else 0.3
    if inside:
        return -1.0
    return 0.5 if char in COMMON_MARKS else -0.5


def find_encoding(pieces: Iterator[bytes]) -> Encoding:
    """The encoding of a text that comes in pieces."""
    finder = EncodingFinder()
    for piece in pieces:
        finder.add(piece)
    return finder.find()
