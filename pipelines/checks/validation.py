"""Run the suites with Great Expectations, inside DuckDB, and build its data docs.

One ephemeral context, one datasource over the one file, one batch per subject. Nothing is loaded
into pandas, nothing is written except the pages, nothing is sent anywhere: the context is in
memory, analytics are off, and the database is opened read-only.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.checks.check import Check
from pipelines.checks.figures import CheckBrokenError
from pipelines.checks.subjects import Subject
from pipelines.checks.suites import ROW_COUNT_CHECK, build_expectations

if TYPE_CHECKING:
    from great_expectations.core.expectation_validation_result import (
        ExpectationSuiteValidationResult,
        ExpectationValidationResult,
    )
    from great_expectations.data_context.data_context.ephemeral_data_context import (
        EphemeralDataContext,
    )
    from great_expectations.datasource.fluent.sql_datasource import SQLDatasource

SITE_NAME = "checks"
RUN_NAME = "checks"


@dataclass(frozen=True)
class Outcome:
    """What Great Expectations says of one check."""

    subject: Subject
    check: Check
    is_success: bool
    unexpected_count: int
    record_count: int | None
    """None for a family, whose sources count theirs."""


def validate_subjects(
    lake_database: Path,
    subjects: Sequence[Subject],
    docs_directory: Path,
    on_progress: Callable[[str], None],
) -> list[Outcome]:
    """Validate the batch of each subject and write the data docs. The file is closed afterwards.

    Outcomes come in the order of the subjects and of their checks.
    """
    from pipelines.checks.dialect import close_connections

    on_progress("starting the checks")
    outcomes: list[Outcome] = []
    with _quiet():
        context = _open_context(docs_directory)
        try:
            datasource = _add_datasource(context, lake_database)
            for subject in subjects:
                on_progress(f"checking {subject.title.lower()}")
                outcomes.extend(_validate_subject(context, datasource, subject))
            on_progress("writing the pages of the checks")
            context.build_data_docs(site_names=[SITE_NAME])
        finally:
            # Or the file stays open in this process and the build cannot write to it.
            close_connections()
            _drop_context()
    return outcomes


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the libraries' own messages; what matters comes back as results."""
    loggers = [logging.getLogger(name) for name in ("great_expectations", "py.warnings")]
    levels = [logger.level for logger in loggers]
    # It also prints where a query does not look at the batch; ours look at the figures of it.
    with warnings.catch_warnings(), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def _open_context(docs_directory: Path) -> EphemeralDataContext:
    """A context in memory: analytics and progress bars off, its only site in the directory."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    store = {
        "class_name": "TupleFilesystemStoreBackend",
        "base_directory": _escape_dollar(str(docs_directory.resolve())),
    }
    index = {"class_name": "DefaultSiteIndexBuilder", "show_cta_footer": False}
    site = {"class_name": "SiteBuilder", "store_backend": store, "site_index_builder": index}
    config = DataContextConfig(
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        data_docs_sites={SITE_NAME: site},
    )
    return gx.get_context(mode="ephemeral", project_config=config)


def _escape_dollar(text: str) -> str:
    """Great Expectations takes what follows a dollar sign for the name of a variable."""
    return text.replace("$", r"\$")


def _drop_context() -> None:
    """Let go of the context, which otherwise stays the current project of the process."""
    from great_expectations.data_context.data_context.context_factory import project_manager

    project_manager.set_project(None)


def _add_datasource(context: EphemeralDataContext, lake_database: Path) -> SQLDatasource:
    from pipelines.checks.dialect import make_url, register_buffered_dialect

    register_buffered_dialect()
    return context.data_sources.add_sql(
        name="lake",
        connection_string=make_url(lake_database),
        create_temp_table=False,
        kwargs={"connect_args": {"read_only": True}},  # type: ignore[call-arg]  # not in its stub
    )


def _validate_subject(
    context: EphemeralDataContext, datasource: SQLDatasource, subject: Subject
) -> list[Outcome]:
    import great_expectations as gx
    from great_expectations.core.run_identifier import RunIdentifier

    name = subject.name
    asset = datasource.add_table_asset(name=name, table_name=name, schema_name="subjects")
    suite = context.suites.add(
        gx.ExpectationSuite(name=name, expectations=build_expectations(subject))
    )
    definition = gx.ValidationDefinition(
        name=name, data=asset.add_batch_definition_whole_table(name), suite=suite
    )
    definition = context.validation_definitions.add(definition)
    # SUMMARY reads counts only; COMPLETE would read every broken record.
    result_format = {"result_format": "SUMMARY"}
    result = definition.run(result_format=result_format, run_id=RunIdentifier(run_name=RUN_NAME))
    return _read_outcomes(subject, result)


def _read_outcomes(subject: Subject, result: ExpectationSuiteValidationResult) -> list[Outcome]:
    """Turn the results into values, in the order of the checks: they come grouped otherwise."""
    by_check: dict[str, ExpectationValidationResult] = {}
    for entry in result.results:
        if entry.expectation_config is not None:
            by_check[entry.expectation_config.meta["check_id"]] = entry
    for check_id, entry in by_check.items():
        reason = _find_exception(entry.exception_info)
        if reason is not None:
            raise CheckBrokenError(subject.name, check_id, reason)
    return [
        Outcome(
            subject=subject,
            check=check,
            is_success=bool(by_check[check.check_id].success),
            unexpected_count=_count_unexpected(check, by_check[check.check_id].result),
            record_count=_count_records(by_check),
        )
        for check in subject.checks
    ]


def _count_records(by_check: dict[str, ExpectationValidationResult]) -> int | None:
    """The records of a source; a family counts none, its sources do."""
    entry = by_check.get(ROW_COUNT_CHECK)
    return None if entry is None else int(entry.result["observed_value"])


def _find_exception(info: dict[str, Any] | None) -> str | None:
    """The message of an exception, which is kept flat or per metric."""
    if not info:
        return None
    entries = [info] if "raised_exception" in info else list(info.values())
    for entry in entries:
        if entry.get("raised_exception"):
            return str(entry.get("exception_message"))
    return None


def _count_unexpected(check: Check, result: dict[str, Any]) -> int:
    """The number of broken records or findings; of an empty delivery there is none."""
    return 0 if check.check_id == ROW_COUNT_CHECK else int(result["observed_value"])
