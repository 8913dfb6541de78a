"""What the commands print: tables for people, JSON for programs, progress for the patient."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import is_dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pipelines.errors import UsageError
from pipelines.readable_text import show_text

if TYPE_CHECKING:
    from rich.console import Console

WorkspaceOption = Annotated[
    Path,
    typer.Option(
        "--workspace", "-w", help="Directory of the workspace.", envvar="APPORTION_WORKSPACE"
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer as JSON, for programs.")]


def parse_assignments(texts: Sequence[str], option: str) -> dict[str, str]:
    """FIELD=VALUE texts of an option; a value may be empty. Raises UsageError."""
    values: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise UsageError(f"{option} expects FIELD=VALUE, found '{text}'")
        if name in values:
            raise UsageError(f"{option} names the field '{name}' twice")
        values[name] = value
    return values


def make_console(*, to_stderr: bool = False) -> Console:
    """A console; on anything but a terminal it is wide, so that tables are not cut."""
    from rich.console import Console

    stream = sys.stderr if to_stderr else sys.stdout
    return Console(stderr=to_stderr, width=None if stream.isatty() else 160, highlight=False)


def print_error(message: str) -> None:
    """One failure, on standard error."""
    print(f"apportion: {message}", file=sys.stderr)


def print_json(value: Any) -> None:
    """A value as JSON. Money keeps its digits: decimals are texts."""
    print(json.dumps(value, indent=2, default=_to_json, ensure_ascii=False))


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    numeric: Sequence[int] = (),
) -> None:
    """A table; columns whose index is in `numeric` are right-aligned. Texts are shown as they are:
    brackets are no markup, and hidden characters are written out."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    def show(value: Any) -> Text:
        return Text("" if value is None else show_text(str(value), keep="\n"))

    table = Table(title=show(title), title_justify="left", box=SIMPLE_HEAD, title_style="bold")
    for number, name in enumerate(columns):
        justify: Literal["right", "left"] = "right" if number in numeric else "left"
        table.add_column(show(name), justify=justify, overflow="fold")
    for row in rows:
        table.add_row(*map(show, row))
    make_console().print(table)


def format_money(amount: Decimal | None) -> str:
    """An amount with thousands separators and cents, for a table in a terminal."""
    return "" if amount is None else f"{amount:,.2f}"


class Progress:
    """A progress bar on standard error; silent where there is no terminal or JSON was asked."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._task: Any = None
        self._step = ""

    def update(self, step: str, done: int, total: int) -> None:
        """Show `step`; `total` 0 means that its end is not known."""
        if self._bar is None:
            return
        if self._task is None or self._step != step.split(":", 1)[0]:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(step, total=total or None)
            self._step = step.split(":", 1)[0]
        self._bar.update(self._task, description=step, completed=done, total=total or None)


@contextmanager
def show_progress(*, is_silent: bool = False) -> Iterator[Progress]:
    """A progress display for the length of a block."""
    if is_silent or not sys.stderr.isatty():
        yield Progress(None)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=make_console(to_stderr=True), transient=True) as bar:
        yield Progress(bar)


def _to_json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    if is_dataclass(value) and not isinstance(value, type):
        return vars(value)
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    return str(value)
