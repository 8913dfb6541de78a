"""Run the suites with Great Expectations, inside DuckDB, and build its data docs.

One ephemeral context, one datasource over the one file, one batch per contract. Nothing is loaded
into pandas, nothing is written except the pages, nothing is sent anywhere: the context is in
memory, analytics are off, and the database is opened read-only.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.checks.rules import Severity
from pipelines.checks.suites import build_expectations
from pipelines.contracts.contract import Contract
from pipelines.errors import ApportionError

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
SAMPLE_SIZE = 5


class CheckBrokenError(ApportionError):
    """An expectation could not be evaluated at all; that is a defect, not a finding."""

    def __init__(self, contract_id: str, check_id: str, reason: str) -> None:
        super().__init__(
            f"check {contract_id}.{check_id}: expected a result, got an error: {reason}. "
            "The delivery was not judged by it; report this as a defect."
        )


@dataclass(frozen=True)
class Outcome:
    """What Great Expectations says of one expectation, with what is known of it."""

    contract_id: str
    check_id: str
    severity: Severity
    sentence: str
    broken_rows: str
    is_success: bool
    unexpected_count: int
    record_count: int


def validate_contracts(
    lake_database: Path,
    contracts: Sequence[Contract],
    docs_directory: Path,
    on_progress: Callable[[str], None],
) -> list[Outcome]:
    """Validate the batch of each contract and write the data docs. The file is closed afterwards.

    Outcomes come in the order of the contracts and of their suites.
    """
    from pipelines.checks.dialect import close_connections

    on_progress("starting the checks")
    outcomes: list[Outcome] = []
    with _quiet():
        context = _open_context(docs_directory)
        try:
            datasource = _add_datasource(context, lake_database)
            for contract in contracts:
                on_progress(f"checking {contract.title.lower()}")
                outcomes.extend(_validate_contract(context, datasource, contract))
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
    with warnings.catch_warnings():
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


def _validate_contract(
    context: EphemeralDataContext, datasource: SQLDatasource, contract: Contract
) -> list[Outcome]:
    import great_expectations as gx
    from great_expectations.core.run_identifier import RunIdentifier

    name = contract.contract_id
    asset = datasource.add_table_asset(name=name, table_name=name, schema_name="lake")
    suite = context.suites.add(
        gx.ExpectationSuite(name=name, expectations=build_expectations(contract))
    )
    definition = gx.ValidationDefinition(
        name=name, data=asset.add_batch_definition_whole_table(name), suite=suite
    )
    definition = context.validation_definitions.add(definition)
    # SUMMARY reads counts and a few values; COMPLETE would read every broken record.
    result_format = {"result_format": "SUMMARY", "partial_unexpected_count": SAMPLE_SIZE}
    result = definition.run(result_format=result_format, run_id=RunIdentifier(run_name=RUN_NAME))
    return _read_outcomes(contract, suite, result)


def _read_outcomes(
    contract: Contract, suite: Any, result: ExpectationSuiteValidationResult
) -> list[Outcome]:
    """Turn the results into values, in the order of the suite: they come grouped otherwise."""
    by_check: dict[str, ExpectationValidationResult] = {}
    for entry in result.results:
        if entry.expectation_config is not None:
            by_check[entry.expectation_config.meta["check_id"]] = entry
    for check_id, entry in by_check.items():
        reason = _find_exception(entry.exception_info)
        if reason is not None:
            raise CheckBrokenError(contract.contract_id, check_id, reason)
    record_count = int(by_check["has_records"].result["observed_value"])
    outcomes = []
    for expectation in suite.expectations:
        about = expectation.meta
        entry = by_check[about["check_id"]]
        outcomes.append(
            Outcome(
                contract_id=contract.contract_id,
                check_id=about["check_id"],
                severity=about["severity"],
                sentence=about["sentence"],
                broken_rows=about["broken_rows"],
                is_success=bool(entry.success),
                unexpected_count=_count_unexpected(about["check_id"], entry.result),
                record_count=record_count,
            )
        )
    return outcomes


def _find_exception(info: dict[str, Any] | None) -> str | None:
    """The message of an exception, which is kept flat or per metric."""
    if not info:
        return None
    entries = [info] if "raised_exception" in info else list(info.values())
    for entry in entries:
        if entry.get("raised_exception"):
            return str(entry.get("exception_message"))
    return None


def _count_unexpected(check_id: str, result: dict[str, Any]) -> int:
    """The number of broken records, which each kind of expectation keeps elsewhere."""
    if check_id == "has_records":
        return 0
    if "unexpected_count" not in result:
        return int(result["observed_value"])
    # Of no records there is no count, not a count of zero.
    return int(result["unexpected_count"]) if result["element_count"] else 0
