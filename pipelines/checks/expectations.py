"""The kinds of expectation that the suites use: five of Great Expectations' and one of our own.

Ours says that no row matches a query. Great Expectations' `UnexpectedRowsExpectation` always reads
the rows that match as well as their number. On a delivery where every row is wrong that is the
whole delivery, in memory. This one asks for the number only; a short sample is read afterwards,
with a limit (see `run_checks`).

Importing this module imports Great Expectations (seconds): import it inside functions only.
"""

from __future__ import annotations

from typing import Any, ClassVar

from great_expectations.execution_engine.execution_engine import ExecutionEngine
from great_expectations.expectations.core.expect_column_values_to_be_between import (
    ExpectColumnValuesToBeBetween,
)
from great_expectations.expectations.core.expect_column_values_to_be_in_set import (
    ExpectColumnValuesToBeInSet,
)
from great_expectations.expectations.core.expect_column_values_to_not_be_null import (
    ExpectColumnValuesToNotBeNull,
)
from great_expectations.expectations.core.expect_compound_columns_to_be_unique import (
    ExpectCompoundColumnsToBeUnique,
)
from great_expectations.expectations.core.expect_table_row_count_to_be_between import (
    ExpectTableRowCountToBeBetween,
)
from great_expectations.expectations.core.unexpected_rows_expectation import (
    UnexpectedRowsExpectation,
)

__all__ = [
    "ExpectColumnValuesToBeBetween",
    "ExpectColumnValuesToBeInSet",
    "ExpectColumnValuesToNotBeNull",
    "ExpectCompoundColumnsToBeUnique",
    "ExpectNoMatchingRows",
    "ExpectTableRowCountToBeBetween",
]


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
