"""Build a fresh warehouse file from the lake and the rules, prove it, and publish it.

Steps, each a function: collect (loads, rules, fingerprint), start the checks (Great Expectations,
a process beside the build), prepare (lake views and model tables in a new file), dbt, audit
(totals counted again, from the lake), wait for the checks and write what they found into their
marts, seal (drop what reads the lake, checkpoint, sync, hash), publish (books, then pointer).

Until the last step readers see what was published before; a crash at any point leaves it so. The
file under construction lies in `warehouse/.building` and is swept away by the next build.
"""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.books.books import Books
from pipelines.checks.plan import make_plan
from pipelines.checks.process import ChecksProcess
from pipelines.cost_model.load import load_cost_model
from pipelines.errors import ConfigurationError, ControlError
from pipelines.landing.load_history import count_held
from pipelines.warehouse.adjustments import list_adjustments
from pipelines.warehouse.audit import audit_build
from pipelines.warehouse.check_marts import write_check_marts
from pipelines.warehouse.closed_periods import (
    list_closed_files,
    list_reopened,
    refuse_changed_history,
)
from pipelines.warehouse.compiled_models import store_compiled_models
from pipelines.warehouse.dbt_runner import CATALOGUE, run_dbt_build
from pipelines.warehouse.fingerprint import make_stamp
from pipelines.warehouse.lake_views import create_lake_views, list_active_loads
from pipelines.warehouse.pins import find_pins
from pipelines.warehouse.prepare import BuildInput, prepare
from pipelines.warehouse.publication import Publication
from pipelines.warehouse.publish import (
    find_published,
    name_run_catalogue,
    publish,
    repair_publication,
    seal,
)
from pipelines.warehouse.run_records import record_abandoned, record_failure, record_start
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    from pipelines.checks.results import CheckReport, CheckResult
    from pipelines.cost_model.load import CostModel


class MissingDeliveriesError(ControlError):
    """A source that every build needs has nothing that counts."""

    def __init__(self, workspace: Workspace, missing: list[str], held: dict[str, int]) -> None:
        said = []
        for source_id in missing:
            if held.get(source_id):
                said.append(
                    f"{source_id}: {held[source_id]} on hold; 'apportion loads list --held "
                    f"--source {source_id}' says why, 'apportion loads release' lets them count"
                )
            else:
                place = workspace.inbox / workspace.config.sources[source_id].inbox
                said.append(f"{source_id}: drop its files in as {place}, then 'apportion land'")
        super().__init__(
            f"no delivery of {', '.join(missing)} has landed that counts, and a build needs it. "
            + ". ".join(said)
            + "."
        )


BUILDING_NAME = ".building"
DELIVERIES_NAME = "deliveries.duckdb"
CHECKED_NAME = "deliveries_checked.duckdb"

Progress = Callable[[str, int, int], None]
"""Called with (step, done, total); total 0 where it is not known."""


@dataclass
class BuildResult:
    """What a build did: its publication and how long each step took in seconds."""

    publication: Publication
    is_new: bool
    seconds: dict[str, float] = field(default_factory=dict)
    check_report: CheckReport | None = None


def build(
    workspace: Workspace,
    books: Books,
    *,
    force: bool = False,
    on_progress: Progress | None = None,
) -> BuildResult:
    """Build and publish all open periods of all scenarios.

    Does nothing where the same inputs, rules and code are published already, unless `force`.
    Raises ConfigurationError, ControlError or BuildError; then nothing has changed for readers.
    """
    report = on_progress or _stay_silent
    seconds: dict[str, float] = {}
    with lock_warehouse(workspace):
        record_abandoned(books)
        repair_publication(workspace, books)
        with _timed(seconds, "collect"):
            report("Reading rules", 0, 0)
            given = collect(workspace, books)
        known = find_published(workspace, given.stamp.fingerprint)
        if known is not None and not force:
            return BuildResult(known, is_new=False, seconds=seconds)
        directory = workspace.warehouse / BUILDING_NAME
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        record_start(books, given.stamp)
        try:
            with start_checks(workspace, given, directory) as checks:
                database = directory / f"{CATALOGUE}.duckdb"
                with _timed(seconds, "prepare"):
                    report("Preparing the warehouse", 0, 0)
                    prepare(workspace, given, database, directory / DELIVERIES_NAME)
                with _timed(seconds, "dbt build"):
                    state = workspace.warehouse / ".dbt"
                    run_dbt_build(database, state, lambda n, m: report("Building with dbt", n, m))
                with _timed(seconds, "audit"):
                    report("Auditing", 0, 0)
                    audit_build(database, workspace)
                    refuse_changed_history(workspace, books, database)
                with _timed(seconds, "wait for checks"):
                    report("Checking deliveries", 0, 0)
                    check_report = refuse_failed_checks(checks.finish())
            with _timed(seconds, "publish"):
                report("Publishing", 0, 0)
                write_check_marts(database, check_report, given.stamp.run_id)
                catalogue = name_run_catalogue(given.stamp.run_id)
                store_compiled_models(database, state / "target", catalogue)
                seal(database, catalogue)
                publication = publish(workspace, books, given.stamp, database, seconds)
        except BaseException as error:
            record_failure(books, given.stamp, error)
            raise
        finally:
            shutil.rmtree(directory, ignore_errors=True)
    return BuildResult(publication, is_new=True, seconds=seconds, check_report=check_report)


def collect(workspace: Workspace, books: Books) -> BuildInput:
    """Read rules and loads. Raises ControlError where a required source has nothing."""
    model = load_cost_model(workspace)
    loads = list_active_loads(workspace, books)
    config = workspace.config
    required = [*config.control_total.source_ids]
    required += [name for name, source in config.sources.items() if source.is_required]
    missing = sorted(set(required) - {load.source_id for load in loads})
    if missing:
        raise MissingDeliveriesError(workspace, missing, count_held(books))
    reopened = list_reopened(books)
    pins = find_pins(workspace, books, loads)
    closed = list_closed_files(workspace, books)
    adjustments = list_adjustments(books)
    stamp = make_stamp(workspace, model, loads, reopened, pins.describe(), adjustments)
    return BuildInput(loads, model, stamp, reopened, pins, closed, adjustments)


def start_checks(workspace: Workspace, given: BuildInput, directory: Path) -> ChecksProcess:
    """Start Great Expectations over what landed, beside the build."""
    import duckdb

    database = directory / DELIVERIES_NAME
    with duckdb.connect(str(database)) as connection:
        create_lake_views(connection, given.loads)
    today = date.fromisoformat(str(given.stamp.built_at)[:10])
    plan = make_plan(workspace.config, given.loads, given.model, today)
    # Two processes cannot share a file that one of them may write: each has a copy of the views.
    shutil.copyfile(database, directory / CHECKED_NAME)
    evidence = workspace.evidence / given.stamp.run_id
    return ChecksProcess(directory / CHECKED_NAME, plan, evidence)


def check_only(workspace: Workspace, books: Books, on_progress: Progress) -> CheckReport:
    """Run the checks without building; the evidence goes to evidence/checks."""
    import tempfile

    import duckdb

    loads = list_active_loads(workspace, books)
    if not loads:
        raise ControlError(f"nothing has landed yet: drop files into {workspace.inbox}")
    plan = make_plan(workspace.config, loads, _find_cost_model(workspace), datetime.now(UTC).date())
    with tempfile.TemporaryDirectory() as name:
        database = Path(name) / DELIVERIES_NAME
        with duckdb.connect(str(database)) as connection:
            create_lake_views(connection, loads)
        on_progress(f"Checking {len(plan.sources)} sources", 0, 0)
        with ChecksProcess(database, plan, workspace.evidence / "checks") as checks:
            return checks.finish()


def _find_cost_model(workspace: Workspace) -> CostModel | None:
    """The cost model, if it can be read; deliveries can be checked before there is one."""
    try:
        return load_cost_model(workspace)
    except ConfigurationError:
        return None


def refuse_failed_checks(result: CheckReport) -> CheckReport:
    """The report as it is; raises ControlError if a check of severity 'error' failed."""
    if not result.is_success:
        errors = [item for item in result.results if item.severity == "error"]
        failed = [item for item in errors if not item.is_success]
        sentences = "\n".join(f"  - {_say_failure(item)}" for item in failed[:10])
        raise ControlError(
            f"{result.error_count} checks of the deliveries failed, so nothing was published:\n"
            f"{sentences}\nDetails: {result.data_docs_path}"
        )
    return result


def _say_failure(result: CheckResult) -> str:
    """What should hold and what was found, the latest period of it."""
    found = result.findings[0].sentence if result.findings else ""
    return f"{result.sentence} {found}".strip()


@contextmanager
def lock_warehouse(workspace: Workspace) -> Iterator[None]:
    """One build or close at a time. Raises ControlError at once if another one is running."""
    workspace.warehouse.mkdir(parents=True, exist_ok=True)
    with (workspace.warehouse / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ControlError(
                f"another build or close of {workspace.root} is running; wait for it and try again"
            ) from None
        yield


def _stay_silent(_step: str, _done: int, _total: int) -> None:
    """The progress of a caller who wants none."""


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[step] = time.perf_counter() - start
