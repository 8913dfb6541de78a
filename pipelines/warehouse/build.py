"""Build a fresh warehouse file from the lake and the rules, prove it, and publish it.

Steps, each a function: collect (loads, rules, fingerprint), start the checks (Great Expectations,
a process beside the build), prepare (lake views and model tables in a new file), dbt, audit
(totals counted again, from the lake), wait for the checks, seal (drop what reads the lake,
checkpoint, sync, hash), publish (books, then pointer).

Until the last step readers see what was published before; a crash at any point leaves it so. The
file under construction lies in `warehouse/.building` and is swept away by the next build.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.books.audit import append_audit
from pipelines.books.books import Books, current_person, current_time
from pipelines.checks.process import ChecksProcess
from pipelines.checks.upstream import find_unusable_columns
from pipelines.cost_model.compile import RunStamp, compile_tables, tables_as_json, write_tables
from pipelines.cost_model.load import CostModel, load_cost_model
from pipelines.errors import ControlError, NothingPublishedError
from pipelines.warehouse.audit import audit_build
from pipelines.warehouse.dbt_runner import PROJECT_DIRECTORY, run_dbt_build
from pipelines.warehouse.lake_views import (
    ActiveLoad,
    create_lake_views,
    create_load_tables,
    list_active_loads,
)
from pipelines.warehouse.preconditions import (
    refuse_lines_outside_calendar,
    refuse_missing_rates,
)
from pipelines.warehouse.publication import (
    Publication,
    PublishedFile,
    hash_file,
    parse_publication,
    read_publication,
    replace_text,
    sync_directory,
    write_publication,
)
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

    from pipelines.checks.results import CheckReport
    from pipelines.checks.upstream import UpstreamFinding

BUILDING_NAME = ".building"
DELIVERIES_NAME = "deliveries.duckdb"
CHECKED_NAME = "deliveries_checked.duckdb"
PUBLICATIONS_KEPT = 3
# Packages whose code decides a figure; a change in another one needs no new run.
FIGURE_PACKAGES = (
    *("allocation", "checks", "contracts", "cost_model"),
    *("landing", "mappings", "readers", "warehouse"),
)
STAGING_SCHEMAS = ("staging", "lake")

Progress = Callable[[str, int, int], None]
"""Called with (step, done, total); total 0 where it is not known."""


@dataclass
class BuildResult:
    """What a build did: its publication and how long each step took in seconds."""

    publication: Publication
    is_new: bool
    seconds: dict[str, float] = field(default_factory=dict)
    check_report: CheckReport | None = None


@dataclass(frozen=True)
class BuildInput:
    """All that goes into a build, and the hash of it."""

    loads: list[ActiveLoad]
    model: CostModel
    stamp: RunStamp


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
        repair_publication(workspace, books)
        with _timed(seconds, "collect"):
            report("Reading rules", 0, 0)
            given = collect(workspace, books)
        known = _find_published(workspace, given.stamp.fingerprint)
        if known is not None and not force:
            return BuildResult(known, is_new=False, seconds=seconds)
        directory = workspace.warehouse / BUILDING_NAME
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        _record_start(books, given.stamp)
        try:
            with start_checks(workspace, given, directory) as checks:
                database = directory / f"run-{given.stamp.run_id}.duckdb"
                with _timed(seconds, "prepare"):
                    report("Preparing the warehouse", 0, 0)
                    prepare(workspace, given, database, directory / DELIVERIES_NAME)
                with _timed(seconds, "dbt build"):
                    state = workspace.warehouse / ".dbt"
                    run_dbt_build(database, state, lambda n, m: report("Building with dbt", n, m))
                with _timed(seconds, "audit"):
                    report("Auditing", 0, 0)
                    audit_build(database, workspace)
                with _timed(seconds, "wait for checks"):
                    report("Checking deliveries", 0, 0)
                    check_report = refuse_failed_checks(checks.finish())
            with _timed(seconds, "publish"):
                report("Publishing", 0, 0)
                seal(database)
                publication = publish(workspace, books, given.stamp, database, seconds)
        except BaseException as error:
            _record_failure(books, given.stamp, error)
            raise
        finally:
            shutil.rmtree(directory, ignore_errors=True)
    return BuildResult(publication, is_new=True, seconds=seconds, check_report=check_report)


def collect(workspace: Workspace, books: Books) -> BuildInput:
    """Read rules and loads. Raises ControlError where a required source has nothing."""
    model = load_cost_model(workspace)
    loads = list_active_loads(workspace, books)
    config = workspace.config
    required = [config.control_total.source]
    required += [name for name, source in config.sources.items() if source.is_required]
    missing = sorted(set(required) - {load.source_id for load in loads})
    if missing:
        raise ControlError(
            f"no delivery of {', '.join(missing)} has landed, and a build needs it. "
            f"Drop files into {workspace.inbox} and run 'apportion land'."
        )
    return BuildInput(loads, model, _stamp(workspace, model, loads))


def start_checks(workspace: Workspace, given: BuildInput, directory: Path) -> ChecksProcess:
    """Start Great Expectations over what landed, beside the build."""
    import duckdb

    database = directory / DELIVERIES_NAME
    with duckdb.connect(str(database)) as connection:
        create_lake_views(connection, given.loads)
    contracts = sorted({load.contract_id for load in given.loads})
    # Two processes cannot share a file that one of them may write: each has a copy of the views.
    shutil.copyfile(database, directory / CHECKED_NAME)
    evidence = workspace.evidence / given.stamp.run_id
    return ChecksProcess(directory / CHECKED_NAME, contracts, evidence)


def check_only(workspace: Workspace, books: Books, on_progress: Progress) -> CheckReport:
    """Run the checks without building; the evidence goes to evidence/checks."""
    import tempfile

    import duckdb

    loads = list_active_loads(workspace, books)
    contracts = sorted({load.contract_id for load in loads})
    if not contracts:
        raise ControlError(f"nothing has landed yet: drop files into {workspace.inbox}")
    with tempfile.TemporaryDirectory() as name:
        database = Path(name) / DELIVERIES_NAME
        with duckdb.connect(str(database)) as connection:
            create_lake_views(connection, loads)
        on_progress(f"Checking {len(contracts)} kinds of deliveries", 0, 0)
        with ChecksProcess(database, contracts, workspace.evidence / "checks") as checks:
            return checks.finish()


def refuse_failed_checks(result: CheckReport) -> CheckReport:
    """The report as it is; raises ControlError if a check of severity 'error' failed."""
    if not result.is_success:
        errors = [item for item in result.results if item.severity == "error"]
        failed = [item for item in errors if not item.is_success]
        sentences = "\n".join(f"  - {item.sentence}" for item in failed[:10])
        raise ControlError(
            f"{result.error_count} checks of the deliveries failed, so nothing was published:\n"
            f"{sentences}\nDetails: {result.data_docs_path}"
        )
    return result


def prepare(workspace: Workspace, given: BuildInput, database: Path, deliveries: Path) -> None:
    """Create the new file: views on the lake, the compiled rules, the periods to build."""
    import duckdb

    with duckdb.connect(str(database)) as connection:
        create_lake_views(connection, given.loads)
        tables = compile_tables(workspace.config, given.model, given.stamp)
        write_tables(connection, tables, workspace.evidence / given.stamp.run_id / "model")
        create_load_tables(connection, given.loads)
        _create_findings(connection, workspace, find_unusable_columns(deliveries))
        refuse_lines_outside_calendar(connection, workspace)
        refuse_missing_rates(connection, workspace)
        _create_period_versions(connection, workspace.config.control_total.source)


def seal(database: Path) -> None:
    """Drop what reads the lake, checkpoint and sync: the file now stands on its own."""
    import duckdb

    with duckdb.connect(str(database)) as connection:
        _keep_lineage_queries(connection)
        for schema in STAGING_SCHEMAS:
            connection.execute(f"drop schema if exists {schema} cascade")
        connection.execute("checkpoint")
    if database.with_name(database.name + ".wal").exists():
        raise ControlError(f"{database.name} still has a write-ahead log after its checkpoint")
    with database.open("rb") as file:
        os.fsync(file.fileno())


def publish(
    workspace: Workspace,
    books: Books,
    stamp: RunStamp,
    database: Path,
    seconds: dict[str, float],
) -> Publication:
    """Move the file to its name, commit the run to the books, then replace the pointer."""
    target = workspace.warehouse / database.name
    file = PublishedFile(target.name, "open", hash_file(database), database.stat().st_size)
    publication = Publication(stamp.run_id, stamp.fingerprint, current_time(), (file,))
    os.replace(database, target)
    replace_text(_manifest_path(workspace, stamp.run_id), json.dumps(asdict(publication), indent=2))
    sync_directory(workspace.warehouse)
    _record_publication(books, stamp, seconds, file)
    write_publication(workspace, publication)
    _prune(workspace, publication)
    return publication


def repair_publication(workspace: Workspace, books: Books) -> None:
    """Point CURRENT at the newest run that the books call published, if a crash came in between."""
    from sqlalchemy import select

    from pipelines.books.tables import runs

    with books.read() as connection:
        newest = connection.execute(
            select(runs.c.run_id)
            .where(runs.c.state == "published")
            .order_by(runs.c.finished_at.desc())
            .limit(1)
        ).scalar()
    if newest is None:
        return
    path = _manifest_path(workspace, newest)
    try:
        if read_publication(workspace).run_id == newest:
            return
    except (NothingPublishedError, ControlError):
        pass
    if path.exists():
        publication = parse_publication(path.read_text("utf-8"))
        if all((workspace.warehouse / item.name).exists() for item in publication.files):
            write_publication(workspace, publication)


@contextmanager
def lock_warehouse(workspace: Workspace) -> Iterator[None]:
    """One build at a time. Raises ControlError at once if another one is running."""
    workspace.warehouse.mkdir(parents=True, exist_ok=True)
    with (workspace.warehouse / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ControlError(
                f"another build of {workspace.root} is running; wait for it and try again"
            ) from None
        yield


def _stay_silent(_step: str, _done: int, _total: int) -> None:
    """The progress of a caller who wants none."""


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[step] = time.perf_counter() - start


def _stamp(workspace: Workspace, model: CostModel, loads: list[ActiveLoad]) -> RunStamp:
    now = datetime.now(UTC)
    code = hash_code()
    blank = RunStamp("", "", "", "")
    digest = hashlib.sha256(tables_as_json(compile_tables(workspace.config, model, blank)).encode())
    for load in sorted(loads, key=lambda item: (item.source_id, item.sha256)):
        digest.update(f"{load.source_id} {load.scenario_id} {load.sha256}\n".encode())
        for item in load.decisions.corrections:
            digest.update(f"released {item.correction_id} {item.rows}\n".encode())
        digest.update(f"discarded {load.decisions.discarded_rows}\n".encode())
    digest.update(code.encode())
    run_id = f"{now:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"
    return RunStamp(run_id, digest.hexdigest(), now.strftime("%Y-%m-%d %H:%M:%S"), code[:12])


def hash_code() -> str:
    """SHA-256 over every file that decides a figure: the models, the pipelines and the lock."""
    root = PROJECT_DIRECTORY.parent
    patterns = [f"dbt_project/**/*.{ending}" for ending in ("sql", "py", "yml")]
    for package in FIGURE_PACKAGES:
        patterns += [f"pipelines/{package}/**/*.py", f"pipelines/{package}/**/*.yml"]
    patterns += ["pipelines/*.py", "requirements.lock"]
    digest = hashlib.sha256()
    for path in sorted({path for pattern in patterns for path in root.glob(pattern)}):
        relative = path.relative_to(root)
        if "target" in relative.parts or "logs" in relative.parts:
            continue
        digest.update(str(relative).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _find_published(workspace: Workspace, fingerprint: str) -> Publication | None:
    try:
        publication = read_publication(workspace)
    except NothingPublishedError:
        return None
    exists = all((workspace.warehouse / file.name).exists() for file in publication.files)
    return publication if exists and publication.fingerprint == fingerprint else None


def _create_findings(
    connection: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    findings: tuple[UpstreamFinding, ...],
) -> None:
    """Columns that came broken are open items; a control total must not stand on one of them."""
    connection.execute(
        "create or replace table model.findings (contract_id varchar, scope_name varchar, "
        "column_name varchar, sentence varchar)"
    )
    for item in findings:
        feed = workspace.config.sources[item.source_id].detail_feed
        if feed is not None and feed.measure == item.column:
            raise ControlError(
                f"source '{item.source_id}' ties to {item.column}, which came unusable: "
                f"{item.sentence} {item.remedy}"
            )
        connection.execute(
            "insert into model.findings values (?, ?, ?, ?)",
            [item.contract_id, item.scope, item.column, f"{item.sentence} {item.remedy}"],
        )


def _create_period_versions(connection: duckdb.DuckDBPyConnection, control_source: str) -> None:
    """Every (scenario, period) that has cost, in its open version."""
    connection.execute(
        """
        create or replace table model.period_versions as
        select distinct scenario_id, period_id, cast(1 as integer) as version, 'open' as state
        from (
            select _scenario_id as scenario_id, period_id from lake.general_ledger
            where _source_id = $source or _scenario_id <> 'actual'
            union all
            select _scenario_id, period_id from lake.budget
            union all
            select bill._scenario_id, periods.period_id
            from lake.cloud_bill as bill
            inner join model.periods as periods
                on bill.billing_period_start >= periods.period_start
                and bill.billing_period_start < periods.period_end
            where bill._source_id = $source
        )
        order by all
        """,
        {"source": control_source},
    )


def _keep_lineage_queries(connection: duckdb.DuckDBPyConnection) -> None:
    """Keep the definition of the view that links bill lines to metered rows, for the trace."""
    connection.execute(
        "create or replace table model.lineage_queries as select view_name as query_name, sql "
        "from duckdb_views() where schema_name = 'staging' and view_name like 'stg_%cloud_bill%' "
        "or schema_name = 'staging' and view_name like 'stg_model__%'"
    )


def _record_start(books: Books, stamp: RunStamp) -> None:
    from pipelines.books.tables import runs

    with books.begin() as connection:
        connection.execute(
            runs.insert().values(
                run_id=stamp.run_id,
                fingerprint=stamp.fingerprint,
                state="running",
                started_at=current_time(),
                person_name=current_person(),
                steps="[]",
            )
        )


def _record_failure(books: Books, stamp: RunStamp, error: BaseException) -> None:
    from pipelines.books.tables import runs

    with books.begin() as connection:
        connection.execute(
            runs.update()
            .where(runs.c.run_id == stamp.run_id, runs.c.state == "running")
            .values(state="failed", finished_at=current_time(), error=str(error)[:4000])
        )


def _record_publication(
    books: Books, stamp: RunStamp, seconds: dict[str, float], file: PublishedFile
) -> None:
    from pipelines.books.tables import runs

    steps = [{"step": step, "seconds": round(value, 3)} for step, value in seconds.items()]
    with books.begin() as connection:
        connection.execute(
            runs.update()
            .where(runs.c.run_id == stamp.run_id)
            .values(state="published", finished_at=current_time(), steps=json.dumps(steps))
        )
        append_audit(
            connection,
            "publish",
            stamp.run_id,
            {"fingerprint": stamp.fingerprint, "file": file.name, "sha256": file.sha256},
        )


def _manifest_path(workspace: Workspace, run_id: str) -> Path:
    return workspace.warehouse / f"run-{run_id}.json"


def _prune(workspace: Workspace, publication: Publication) -> None:
    """Keep the newest publications; a reader that holds an older file open keeps its content."""
    current = {file.name for file in publication.files}
    files = sorted(workspace.warehouse.glob("run-*.duckdb"), key=lambda path: path.name)
    for path in files[:-PUBLICATIONS_KEPT]:
        if path.name not in current:
            path.unlink(missing_ok=True)
            path.with_suffix(".json").unlink(missing_ok=True)
