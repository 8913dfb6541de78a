"""The picture of a trace: what is bundled, how wide it is, and that no name can break it."""

from __future__ import annotations

import re
from fractions import Fraction
from xml.etree import ElementTree

from pipelines.allocation.flow_picture import SHOWN_NAMES, Route, draw_flow


def draw(*routes: tuple[str, str, int]) -> str:
    made = [Route((start, end), Fraction(amount)) for start, end, amount in routes]
    return draw_flow("Title", "Subtitle", ("From", "To"), made, "EUR")


def read_texts(picture: str) -> list[str]:
    root = ElementTree.fromstring(picture)
    return ["".join(node.itertext()) for node in root.iter() if node.tag.endswith("text")]


def read_heights(picture: str) -> list[float]:
    return [float(height) for height in re.findall(r'width="12" height="([\d.]+)"', picture)]


def test_the_smallest_names_are_one_and_their_sum_is_kept() -> None:
    """Fifteen lines of 15, 14 ... 1: eleven are named, the four smallest are 4 + 3 + 2 + 1."""
    picture = draw(*((f"line {number:02}", "all", number) for number in range(1, 16)))
    texts = read_texts(picture)
    assert "4 others 10.00" in texts
    assert "line 05 5.00" in texts
    assert "all 120.00" in texts
    assert not any(text.startswith("line 04") for text in texts)
    assert sum(text.startswith("line") for text in texts) == SHOWN_NAMES - 1


def test_heights_are_in_proportion() -> None:
    first, second, whole = read_heights(draw(("a", "x", 300), ("b", "x", 100)))
    assert (first, second, whole) == (315.0, 105.0, 420.0)


def test_a_credit_is_drawn_by_its_size_and_hatched() -> None:
    picture = draw(("a", "x", 100), ("b", "x", -50))
    assert picture.count('fill="url(#credit)"') == 1
    texts = read_texts(picture)
    assert {"b -50.00", "x 50.00", "Hatched: credits, drawn by their size."} <= set(texts)
    assert "url(#credit)" not in draw(("a", "x", 100))


def test_names_are_escaped_and_shortened() -> None:
    texts = read_texts(draw(("<script>&", "x", 1), ("A" * 40, "x", 1)))
    assert "<script>& 1.00" in texts
    assert f"{'A' * 29}… 1.00" in texts


def test_money_that_nets_to_zero_can_be_drawn() -> None:
    assert "a 0.00" in read_texts(draw(("a", "x", 0)))
