"""What a method sheet is made of: sections of sentences and tables, in plain text.

Assumes nothing about how a sheet is shown: the app, the HTML document and the Markdown document
render the same sections, so that no two of them can say different things.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.errors import UsageError


class UnknownServiceError(UsageError):
    """A sheet was asked for of a service that the published catalogue does not have."""

    def __init__(self, service_id: str) -> None:
        super().__init__(
            f"no service is called '{service_id}' in what is published; "
            '`apportion sql "select service_id from dim_services"` lists them'
        )


class UnknownPeriodError(UsageError):
    """A sheet was asked for of a period without figures."""

    def __init__(self, period_id: str, scenario_id: str) -> None:
        super().__init__(
            f"nothing is published for period '{period_id}' of scenario '{scenario_id}'; "
            '`apportion sql "from dim_periods"` lists the periods'
        )


@dataclass(frozen=True)
class Table:
    """A table of texts as people read them; columns whose index is in `numeric` align right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[int, ...] = ()


@dataclass(frozen=True)
class Section:
    """A question of the reader, and its answer."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    table: Table | None = None
    note: str = ""
    """A sentence under the table, in small letters."""


@dataclass(frozen=True)
class Sheet:
    """One service, as its consumer reads it."""

    service_id: str
    service_name: str
    category_name: str
    summary: str
    """The answer in one sentence: at what it is charged, by what, and this month's price or unit
    cost."""
    finding: str
    """The same with the service's name, as a title."""
    sections: tuple[Section, ...]
    origin: str
    """Which company, month and run the figures are of."""
    price: str
    """What a unit is charged at, where that was set in advance; empty for the others."""
    unit_cost: str
    counted_by: str
    owner_name: str
