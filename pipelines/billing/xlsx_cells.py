"""Write typed cells, paragraphs and tables with totals into the worksheets of a workbook.

Numbers are cells of numbers with formats; totals are formulas over the cells above them, stored
with their value. Excel keeps 15 significant digits: an amount that would lose a cent is written as
text.

Text is never a formula. Where it begins like one it gets a leading apostrophe, so that it stays
text when the sheet is saved as CSV and opened again (neutralise.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelines.billing.neutralise import neutralise
from pipelines.readable_text import LAYOUT, show_text

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

AMOUNT_FORMAT = "#,##0.00;[Red]-#,##0.00"
EXACT_FORMAT = "#,##0.00######;[Red]-#,##0.00######"
QUANTITY_FORMAT = "#,##0.########"
RATE_FORMAT = "#,##0.00########"
SHARE_FORMAT = "0.0%"
FINE_SHARE_FORMAT = "0.00%"
COUNT_FORMAT = "#,##0"
NUMBER_FORMATS = (
    AMOUNT_FORMAT,
    EXACT_FORMAT,
    QUANTITY_FORMAT,
    RATE_FORMAT,
    SHARE_FORMAT,
    FINE_SHARE_FORMAT,
    COUNT_FORMAT,
)
MAX_TEXT_LENGTH = 32_767
"""What a cell can hold."""

Cell = str | int | Decimal | None


@dataclass(frozen=True)
class Column:
    """A column of a table: its title, its width in characters, and the format of its cells."""

    title: str
    width: int
    format: str = ""


@dataclass
class Sheet:
    """A worksheet that is filled from the top; `row` is the next free one."""

    worksheet: Worksheet
    formats: dict[str, Any]
    row: int = 0
    widths: dict[int, int] = field(default_factory=dict)


def make_formats(workbook: Workbook) -> dict[str, Any]:
    """Cell formats by number format, each also in bold; "" is text."""
    formats: dict[str, Any] = {
        "title": workbook.add_format({"bold": True, "font_size": 16, "font_color": "#1F4E79"}),
        "section": workbook.add_format({"bold": True, "font_size": 12, "font_color": "#1F4E79"}),
        "head": workbook.add_format({"bold": True, "bottom": 1, "text_wrap": True}),
        "label": workbook.add_format({"font_color": "#5C6773", "valign": "top"}),
        "wrap": workbook.add_format({"text_wrap": True, "valign": "top"}),
    }
    for name in ("", *NUMBER_FORMATS):
        number = {"num_format": name} if name else {}
        formats[name] = workbook.add_format(number)
        formats[f"bold {name}"] = workbook.add_format({**number, "bold": True, "top": 1})
    formats["big"] = workbook.add_format(
        {"num_format": AMOUNT_FORMAT, "bold": True, "font_size": 14, "align": "left"}
    )
    return formats


def add_sheet(workbook: Workbook, formats: dict[str, Any], name: str) -> Sheet:
    """An empty sheet that prints on landscape pages as wide as it is."""
    worksheet = workbook.add_worksheet(name)
    worksheet.hide_gridlines(2)
    worksheet.set_paper(9)
    worksheet.set_landscape()
    worksheet.fit_to_pages(1, 0)
    worksheet.set_footer("&L&F&RPage &P of &N")
    return Sheet(worksheet, formats)


def write_cell(sheet: Sheet, row: int, column: int, value: Cell, format_name: str = "") -> None:
    """One typed cell. A number that Excel cannot hold exactly is written as text."""
    cell_format = sheet.formats[format_name]
    if value is None:
        sheet.worksheet.write_blank(row, column, None, cell_format)
    elif isinstance(value, str):
        text = neutralise(show_text(value, keep=LAYOUT))[:MAX_TEXT_LENGTH]
        sheet.worksheet.write_string(row, column, text, cell_format)
    elif is_exact_in_excel(Decimal(value)) or AMOUNT_FORMAT not in format_name:
        sheet.worksheet.write_number(row, column, float(value), cell_format)
    else:
        sheet.worksheet.write_string(row, column, f"{value:,.2f}", cell_format)


def is_exact_in_excel(value: Decimal) -> bool:
    """Whether the number survives Excel's 15 significant digits."""
    return Decimal(f"{float(value):.15g}") == value


def write_title(sheet: Sheet, text: str) -> None:
    """The title of the sheet, and a row of air."""
    write_cell(sheet, sheet.row, 0, text, "title")
    sheet.row += 2


def write_section(sheet: Sheet, text: str) -> None:
    """A heading after a row of air."""
    sheet.row += 1
    write_cell(sheet, sheet.row, 0, text, "section")
    sheet.row += 1


def write_pair(sheet: Sheet, label: str, value: Cell, format_name: str = "") -> None:
    """A label and its value beside it."""
    write_cell(sheet, sheet.row, 0, label, "label")
    write_cell(sheet, sheet.row, 1, value, format_name)
    sheet.row += 1


def write_table(
    sheet: Sheet,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    totals: dict[int, Decimal] | None = None,
    total_label: str = "Total",
) -> tuple[int, int]:
    """Header, rows and, for the columns in `totals`, a sum; returns first and last data row."""
    for column, description in enumerate(columns):
        write_cell(sheet, sheet.row, column, description.title, "head")
        width = max(description.width, sheet.widths.get(column, 0))
        sheet.widths[column] = width
        sheet.worksheet.set_column(column, column, width)
    first = sheet.row + 1
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            write_cell(sheet, first + number, column, value, columns[column].format)
    sheet.row = first + len(rows)
    if totals is not None:
        _write_totals(sheet, columns, first, totals, total_label)
    return first, first + len(rows) - 1


def _write_totals(
    sheet: Sheet,
    columns: Sequence[Column],
    first: int,
    totals: dict[int, Decimal],
    label: str,
) -> None:
    """The row of sums. The formula shows where a total comes from, its value is the statement's."""
    from xlsxwriter.utility import xl_range

    write_cell(sheet, sheet.row, 0, label, "bold ")
    for column in range(1, len(columns)):
        if column not in totals:
            write_cell(sheet, sheet.row, column, None, "bold ")
            continue
        name = f"bold {columns[column].format}"
        if sheet.row == first or not is_exact_in_excel(totals[column]):
            write_cell(sheet, sheet.row, column, totals[column], name)
            continue
        cells = xl_range(first, column, sheet.row - 1, column)
        # Excel adds floats: rounding to the cent makes the sum what the cells say.
        formula = f"=ROUND(SUM({cells}),2)"
        cell_format = sheet.formats[name]
        value = float(totals[column])
        sheet.worksheet.write_formula(sheet.row, column, formula, cell_format, value)
    sheet.row += 1


def write_paragraph(sheet: Sheet, label: str, text: str) -> None:
    """A label and a wrapped text over the columns beside it, high enough to be read."""
    write_cell(sheet, sheet.row, 0, label, "label")
    sheet.worksheet.merge_range(sheet.row, 1, sheet.row, 6, "", sheet.formats["wrap"])
    write_cell(sheet, sheet.row, 1, text, "wrap")
    sheet.worksheet.set_row(sheet.row, 15 * (len(text) // 95 + 1))
    sheet.row += 1
