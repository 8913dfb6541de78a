"""Text of a file is data wherever it is shown: nothing hidden, nothing that steers, no markup."""

from __future__ import annotations

import json

import pytest

from app.formats import escape_markdown
from app.queries.published import show_frame
from pipelines.cli.output import print_json, print_table
from pipelines.errors import Problem
from pipelines.readable_text import readable_output, show_text, show_texts

HOSTILE = "a\x1b[2Jb\u202ec\x9bd\u2066e\ufefff"
SHOWN = "a\\u001b[2Jb\\u202ec\\u009bd\\u2066e\\ufefff"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (HOSTILE, SHOWN),
        ("Straße 5 € Łódź 東京 \u00a0x", "Straße 5 € Łódź 東京 \u00a0x"),
        ("two\nlines", "two\\u000alines"),
        # Beyond U+FFFF in two halves, as JSON has it: a tag character that nobody sees.
        ("x\U000e0041", "x\\udb40\\udc41"),
    ],
)
def test_hidden_characters_are_written_out(text: str, shown: str) -> None:
    assert show_text(text) == shown
    assert show_texts({"a": [HOSTILE, 5]}) == {"a": [SHOWN, 5]}


def test_brackets_in_a_table_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    """`[/b]` closes a tag that nobody opened, `[x]` would vanish."""
    print_table("T [/b]", ("id [x]",), [("[/b]",), ("[red]x[/red]",), (HOSTILE,)])
    said = capsys.readouterr().out
    for text in ("T [/b]", "id [x]", "[/b]", "[red]x[/red]", SHOWN):
        assert text in said


def test_all_output_of_a_command_is_readable(capsys: pytest.CaptureFixture[str]) -> None:
    with readable_output():
        print(HOSTILE)
        print_json({"found": HOSTILE})
        print_table("T", ("x",), [(HOSTILE,)])
    said = capsys.readouterr().out
    assert not {"\x1b", "\u202e", "\x9b", "\u2066"} & set(said)
    start, end = said.index("{"), said.index("}") + 1
    # A program that reads the JSON gets the text as it was delivered.
    assert json.loads(said[start:end]) == {"found": HOSTILE}


def test_problem_is_one_line() -> None:
    text = str(Problem("a.csv", "is wrong", 3, "memo", found="x\nrefused: nothing\u202e"))
    assert text == "a.csv, record 3, field memo: is wrong; found x\\u000arefused: nothing\\u202e"


def test_pages_write_hidden_characters_out() -> None:
    import pandas as pd

    assert "\u202e" not in escape_markdown(HOSTILE)
    frame = show_frame(pd.DataFrame({"name": [HOSTILE, None], "amount": [1, 2]}))
    assert frame["name"].tolist()[0] == SHOWN
    assert frame["amount"].tolist() == [1, 2]
