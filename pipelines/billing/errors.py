"""Why statements are refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.billing.queries import list_some
from pipelines.errors import EXIT_DEFECT, EXIT_REFUSED, ApportionError, ControlError

if TYPE_CHECKING:
    from pipelines.billing.write_bills import BillFiles


class UntiedStatementError(ControlError):
    """Two marts disagree about the unit's bill."""

    def __init__(self, number: str, what: str, expected: Decimal, got: Decimal) -> None:
        super().__init__(
            f"statement {number}: {what}: expected {expected:,.2f}, got {got:,.2f}, "
            f"{got - expected:+,.2f} apart. It is not written; build again and run "
            "'apportion doctor'."
        )


class UnbilledChargesError(ControlError):
    """Items that no statement would show: all statements would not be all that is billed."""

    def __init__(self, period_id: str, amount: Decimal, cost_centres: list[str]) -> None:
        super().__init__(
            f"period {period_id}: {amount:,.2f} are billed to cost centres that belong to no "
            f"business unit at the start of the period: {list_some(cost_centres)}. "
            "Nothing was written. Give them a business unit from that day on and run again, or "
            "write the statements of single units by name."
        )


class UncertifiedTotalError(ControlError):
    """The bills of all units are not what the certificate says is billed."""

    def __init__(self, period_id: str, expected: Decimal, got: Decimal) -> None:
        super().__init__(
            f"period {period_id}: the bill items of all business units: expected {expected:,.2f} "
            f"as the certificate says, got {got:,.2f}, {got - expected:+,.2f} apart. Nothing was "
            "written; build again and run 'apportion doctor'."
        )


@dataclass(frozen=True)
class FailedStatement:
    """A unit whose statement was not written, and why."""

    business_unit_id: str
    message: str
    is_refused: bool
    """By a control, and not by a defect."""


class FailedStatementsError(ApportionError):
    """Some statements could not be written; all others were."""

    def __init__(self, failed: Sequence[FailedStatement], written: Sequence[BillFiles]) -> None:
        self.failed = tuple(failed)
        self.written = tuple(written)
        self.exit_code = EXIT_REFUSED if all(item.is_refused for item in failed) else EXIT_DEFECT
        lines = [f"  - {item.business_unit_id}: {item.message}" for item in failed]
        head = (
            f"{len(failed)} of {len(failed) + len(written)} statements were not written, the "
            "others were:"
        )
        super().__init__("\n".join([head, *lines]))
