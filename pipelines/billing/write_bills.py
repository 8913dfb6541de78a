"""Write the statements of a period: PDF, workbook and CSV of every business unit.

Assumes a published workspace. Figures are read once, from one publication, also if another one
appears meanwhile, and the changes of all units are explained by one rerun. Each file then appears
complete or not at all. A unit whose statement is refused or cannot be written is named, and all
others are written.

Many statements are rendered by several processes. They are spawned, because typst hangs in a forked
one; a statement is all that they get.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.billing import queries
from pipelines.billing.bridge import explain_period
from pipelines.billing.closing import read_closing
from pipelines.billing.csv_file import write_csv
from pipelines.billing.errors import (
    FailedStatement,
    FailedStatementsError,
    UnbilledChargesError,
    UncertifiedTotalError,
)
from pipelines.billing.files import safe_name
from pipelines.billing.pdf import write_pdf
from pipelines.billing.period_figures import PeriodFigures, load_figures
from pipelines.billing.records import Statement, sum_amounts
from pipelines.billing.statement import make_statement
from pipelines.billing.xlsx import write_xlsx
from pipelines.errors import ApportionError, ControlError, UsageError
from pipelines.warehouse.reader import open_published
from pipelines.workspace.materiality import read_materiality

if TYPE_CHECKING:
    import duckdb

    from pipelines.workspace.workspace import Workspace

Progress = Callable[[int, int, str], None]
"""Called with what is done, what there is in all, and the business unit just finished."""
FEW_STATEMENTS = 16
"""So many are written sooner by this process than others are started."""


@dataclass(frozen=True)
class BillFiles:
    """The files of one statement, and the total that all of them state."""

    business_unit_id: str
    business_unit_name: str
    statement_number: str
    total: Decimal
    currency_code: str
    pdf: Path
    xlsx: Path
    csv: Path

    @property
    def paths(self) -> tuple[Path, ...]:
        """All of them."""
        return self.pdf, self.xlsx, self.csv


def write_bills(
    workspace: Workspace,
    period_id: str,
    business_unit_ids: Sequence[str] | None,
    directory: Path,
    on_progress: Progress | None = None,
    *,
    scenario_id: str = "actual",
    processes: int | None = None,
) -> list[BillFiles]:
    """Write the statements of the named business units, or of all that are billed, in their order.

    `processes`: how many render at once; by default as many as there are processors, and one for
    few statements. Raises UsageError for a period or unit without bills, NothingPublishedError
    before the first run, ControlError where the statements of all units would not be all that is
    billed; and, after all others were written, FailedStatementsError naming those that were not.
    """
    with open_published(workspace) as connection:
        figures = load_figures(connection, period_id, scenario_id)
        unit_ids = choose_units(connection, figures, business_unit_ids)
    _refuse_shared_names(unit_ids)
    if figures.period.is_final:
        figures = replace(figures, closing=read_closing(workspace, figures.scope))
    figures = replace(figures, materiality=read_materiality(workspace))
    figures = explain_period(workspace, figures)
    statements, failed = make_statements(figures, unit_ids)
    written = []
    for done, result in enumerate(render_statements(statements, directory, processes), start=1):
        if isinstance(result, FailedStatement):
            failed.append(result)
        else:
            written.append(result)
        if on_progress is not None:
            name = figures.units[result.business_unit_id]
            on_progress(done, len(statements), name)
    written.sort(key=lambda files: unit_ids.index(files.business_unit_id))
    if failed:
        failed.sort(key=lambda item: unit_ids.index(item.business_unit_id))
        raise FailedStatementsError(failed, written)
    return written


def choose_units(
    connection: duckdb.DuckDBPyConnection,
    figures: PeriodFigures,
    business_unit_ids: Sequence[str] | None,
) -> list[str]:
    """The units that are asked for; all of them only if they are all that is billed."""
    if business_unit_ids is not None:
        chosen = list(dict.fromkeys(business_unit_ids))
        for unit_id in chosen:
            if unit_id not in figures.units:
                # Raises, and names the units that there are.
                make_statement(figures, unit_id)
        return chosen
    period_id = figures.scope.period_id
    amount, cost_centres = queries.read_billed_to_nobody(connection, figures.scope)
    if cost_centres:
        raise UnbilledChargesError(period_id, amount, cost_centres)
    billed = sum_amounts(item.amount for unit in figures.amounts.values() for item in unit.values())
    for identity in figures.certificate:
        for term in identity.terms:
            if term.term_id == "billed" and term.side == "left" and term.amount_cents != billed:
                raise UncertifiedTotalError(period_id, term.amount_cents, billed)
    return list(figures.units)


def make_statements(
    figures: PeriodFigures, unit_ids: Sequence[str]
) -> tuple[list[Statement], list[FailedStatement]]:
    """The statements of the units, and those that do not tie."""
    statements, failed = [], []
    for unit_id in unit_ids:
        try:
            statements.append(make_statement(figures, unit_id))
        except ControlError as error:
            failed.append(FailedStatement(unit_id, str(error), is_refused=True))
    return statements, failed


def render_statements(
    statements: Sequence[Statement], directory: Path, processes: int | None = None
) -> Iterator[BillFiles | FailedStatement]:
    """Write the files of each, in the order in which they get done."""
    if processes is None:
        few = len(statements) < FEW_STATEMENTS
        processes = 1 if few else min(os.cpu_count() or 1, len(statements))
    if processes <= 1:
        for statement in statements:
            yield try_to_write(statement, directory)
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed

    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_prepare_worker) as pool:
        futures = {
            pool.submit(try_to_write, statement, directory): statement for statement in statements
        }
        for future in as_completed(futures):
            error = future.exception()
            if error is None:
                yield future.result()
            else:
                unit_id = futures[future].recipient.business_unit_id
                yield FailedStatement(unit_id, _describe(error), is_refused=False)


def _prepare_worker() -> None:
    """Ctrl-C is for the process that waits for the others; and one process is one thread, because
    there are as many of them as processors."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["RAYON_NUM_THREADS"] = "1"


def try_to_write(statement: Statement, directory: Path) -> BillFiles | FailedStatement:
    """Write one statement; what goes wrong with it must not stop the others."""
    try:
        return write_bill(statement, directory)
    except Exception as error:
        is_refused = isinstance(error, ControlError)
        unit_id = statement.recipient.business_unit_id
        return FailedStatement(unit_id, _describe(error), is_refused)


def _describe(error: BaseException) -> str:
    if isinstance(error, ApportionError):
        return str(error)
    return f"{type(error).__name__}: {error}"


def write_bill(statement: Statement, directory: Path) -> BillFiles:
    """Write the files of one statement."""
    stem = bill_name(statement)
    files = BillFiles(
        business_unit_id=statement.recipient.business_unit_id,
        business_unit_name=statement.recipient.name,
        statement_number=statement.number,
        total=statement.total,
        currency_code=statement.currency_code,
        pdf=directory / f"{stem}.pdf",
        xlsx=directory / f"{stem}.xlsx",
        csv=directory / f"{stem}.csv",
    )
    write_pdf(statement, files.pdf)
    write_xlsx(statement, files.xlsx)
    write_csv(statement, files.csv)
    return files


def remove_stale_bills(directory: Path, period_id: str, written: Sequence[BillFiles]) -> list[Path]:
    """Delete statements of the period that were not written now, and name them.

    For a directory that holds the statements of all units: one that an earlier run wrote for a
    unit that is no longer billed, or whose statement is refused now, would still look valid to
    whoever sends the directory's files.
    """
    kept = {path for files in written for path in files.paths}
    found = [
        path
        for ending in ("pdf", "xlsx", "csv")
        for path in directory.glob(f"{period_id}_*.{ending}")
    ]
    stale = sorted(path for path in found if path not in kept)
    for path in stale:
        path.unlink()
    return stale


def bill_name(statement: Statement) -> str:
    """`<period>_<business unit>`, with the scenario in front unless it is the actual one."""
    stem = f"{statement.period.period_id}_{safe_name(statement.recipient.business_unit_id)}"
    if statement.scenario_id == "actual":
        return stem
    return f"{safe_name(statement.scenario_id)}_{stem}"


def _refuse_shared_names(unit_ids: Sequence[str]) -> None:
    """Two units must not meet in one file where a file system ignores case."""
    seen: dict[str, str] = {}
    for unit_id in unit_ids:
        other = seen.setdefault(safe_name(unit_id).casefold(), unit_id)
        if other != unit_id:
            raise UsageError(
                f"business units {other} and {unit_id}: their files would have the same name on "
                "some systems. Write them into separate directories."
            )
