"""The kinds of expectation that the suites use: one of Great Expectations' and two of our own.

Ours say that no row matches a query. Great Expectations' `UnexpectedRowsExpectation` always reads
the rows that match as well as their number. On a delivery where every row is wrong that is the
whole delivery, in memory. `ExpectNoMatchingRows` asks for the number only; a short sample is read
afterwards, with a limit (see `findings`). `ExpectNoBrokenRecords` is for queries whose rows stand
for many records each: it sums their `broken_count`.

Importing this module imports Great Expectations (seconds): import it inside functions only.
"""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.execution_engine.execution_engine import ExecutionEngine
from great_expectations.execution_engine.sqlalchemy_execution_engine import (
    SqlAlchemyExecutionEngine,
)
from great_expectations.expectations.core.expect_table_row_count_to_be_between import (
    ExpectTableRowCountToBeBetween,
)
from great_expectations.expectations.core.unexpected_rows_expectation import (
    UnexpectedRowsExpectation,
)
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.query_metric_provider import QueryMetricProvider

__all__ = ["ExpectNoBrokenRecords", "ExpectNoMatchingRows", "ExpectTableRowCountToBeBetween"]

BROKEN_COUNT = "broken_records.count"


class BrokenRecordsCount(QueryMetricProvider):
    """The sum of `broken_count` over the rows of a query."""

    metric_name = BROKEN_COUNT
    value_keys = ("unexpected_rows_query",)
    query_param_name: ClassVar[str] = "unexpected_rows_query"

    @metric_value(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(
        cls,  # noqa: N805 - the decorator makes a class method of it
        execution_engine: SqlAlchemyExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        metrics: dict[str, Any],  # noqa: ARG002 - its signature
        runtime_configuration: dict[str, Any],  # noqa: ARG002 - its signature
    ) -> int:
        batch, _, _ = execution_engine.get_compute_domain(
            metric_domain_kwargs, domain_type=MetricDomainTypes.TABLE
        )
        query = cls._get_substituted_batch_subquery_from_query_and_batch_selectable(
            query=cls._get_query_from_metric_value_kwargs(metric_value_kwargs),
            batch_selectable=batch,
            execution_engine=execution_engine,
        )
        total = f"select coalesce(sum(broken_count), 0) from ({query}) as broken"
        return int(execution_engine.execute_query(sa.text(total)).scalar_one())


class ExpectNoMatchingRows(UnexpectedRowsExpectation):
    """Succeeds if `unexpected_rows_query` returns no row; the observed value is their number."""

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.row_count",)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,  # noqa: ARG002 - its signature
        execution_engine: ExecutionEngine[Any] | None = None,  # noqa: ARG002 - its signature
    ) -> dict[str, Any]:
        row_count = int(metrics["unexpected_rows_query.row_count"])
        return {"success": row_count == 0, "result": {"observed_value": row_count}}


class ExpectNoBrokenRecords(ExpectNoMatchingRows):
    """Succeeds if the `broken_count` of all rows is zero; the observed value is their sum."""

    metric_dependencies: ClassVar[tuple[str, ...]] = (BROKEN_COUNT,)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,  # noqa: ARG002 - its signature
        execution_engine: ExecutionEngine[Any] | None = None,  # noqa: ARG002 - its signature
    ) -> dict[str, Any]:
        broken_count = int(metrics[BROKEN_COUNT])
        return {"success": broken_count == 0, "result": {"observed_value": broken_count}}
