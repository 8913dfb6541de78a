"""The sender's control file: what a delivery is to hold, so that a part that is missing shows.

`FILE.control.yml` beside a delivery FILE says, all optional but at least one of them:

    period: 2026-03          # every record belongs to it
    records: 120
    totals: {EUR: 1234.56}   # sum of the amounts, by currency

Records that the mapping leaves out by a condition are counted: the sender counts the whole file.
A delivery that differs is refused, by 0.01 or by one record; so is one whose amounts cannot all be
read, because then the total is not known.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipelines.errors import DeliveryRefusedError, Problem
from pipelines.landing.delivery import Delivery
from pipelines.landing.record_counts import NO_AMOUNTS, Amounts, RecordCounts, show_amount
from pipelines.readers.file_names import show_file_name
from pipelines.workspace.config import CurrencyCode
from pipelines.workspace.fiscal_calendar import PeriodId
from pipelines.workspace.yaml_files import parse_yaml_model

MOST_BYTES = 65_536
REMEDY = "Nothing was loaded. Ask the sender which of the two is right, then land it again."


class ControlFile(BaseModel):
    """FILE.control.yml"""

    model_config = ConfigDict(extra="forbid", frozen=True)

    period: PeriodId | None = None
    records: Annotated[int, Field(ge=0)] | None = None
    """Records as the sender counts them; 0 is a nil return, and the file has a header only."""
    totals: dict[CurrencyCode, Decimal] | None = None

    @model_validator(mode="after")
    def says_something(self) -> ControlFile:
        if self.period is None and self.records is None and not self.totals:
            raise ValueError("a control file names a period, the records or the totals")
        return self


def read_control_file(delivery: Delivery) -> ControlFile | None:
    """The delivery's control file, or None. Raises DeliveryRefusedError if it cannot be read."""
    path = delivery.control_path
    if not _is_there(path):
        return None
    name = show_file_name(path)
    # A link may lead to any file that this program can read, and its text would be shown.
    if path.is_symlink() or not path.is_file():
        # Reading a pipe would wait for its writer.
        problem = Problem(name, "cannot be read", expected="a regular file", remedy=REMEDY)
        raise DeliveryRefusedError(problem)
    size = path.stat().st_size
    if size > MOST_BYTES:
        expected, found = f"at most {MOST_BYTES:,} bytes", f"{size:,} bytes"
        message = "is too large for a control file"
        problem = Problem(name, message, expected=expected, found=found, remedy=REMEDY)
        raise DeliveryRefusedError(problem)
    control, problems, _ = parse_yaml_model(path, ControlFile, root=path.parent)
    if control is None:
        raise DeliveryRefusedError(problems[0])
    if control.totals and delivery.contract.amount_field is None:
        message = "gives totals, and this kind of delivery has no amounts"
        raise DeliveryRefusedError(Problem(name, message, remedy="Leave 'totals' out."))
    return control


def _is_there(path: Path) -> bool:
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        # Of a delivery with so long a name no control file can have the name and more.
        if error.errno != errno.ENAMETOOLONG:
            raise
        return False
    return True


def refuse_difference(
    delivery: Delivery,
    control: ControlFile,
    counts: RecordCounts,
    passed_over: int = 0,
    left_out: Mapping[str, Amounts] | None = None,
) -> None:
    """Compare a delivery with its control file. Raises DeliveryRefusedError on any difference.

    `passed_over` counts delivered records that are not in `counts`: earlier states in a log of
    events, which the sender counts and a reader of the last states does not. `left_out` holds the
    money of records that a condition of the mapping leaves out, by currency.
    """
    delivered = counts.delivered + passed_over
    if control.records is not None and control.records != delivered:
        expected = f"{control.records:,} as its control file says"
        raise _refuse(delivery, "has another number of records", expected, f"{delivered:,}")
    periods = counts.periods
    if control.period is not None and delivered and periods != [control.period]:
        expected = f"only {control.period} as its control file says"
        found = ", ".join(periods) or "no readable period"
        raise _refuse(delivery, "holds records of another period", expected, found)
    if control.totals is not None:
        _refuse_other_totals(delivery, control.totals, counts, left_out or {})


def _refuse_other_totals(
    delivery: Delivery,
    totals: dict[str, Decimal],
    counts: RecordCounts,
    left_out: Mapping[str, Amounts],
) -> None:
    amounts = (*counts.amounts.values(), *left_out.values())
    unreadable = sum(item.unreadable for item in amounts)
    if unreadable:
        message = f"has {unreadable} records whose amount cannot be read"
        expected = "a total that can be compared with the control file"
        raise _refuse(delivery, message, expected, str(delivery.contract.amount_field))
    for currency in sorted({*totals, *counts.amounts, *left_out}):
        item = counts.amounts.get(currency, NO_AMOUNTS)
        found = item.accepted + item.quarantined + left_out.get(currency, NO_AMOUNTS).accepted
        expected_total = totals.get(currency, Decimal(0))
        if found != expected_total:
            amount = show_amount(abs(found - expected_total))
            direction = "too little" if found < expected_total else "too much"
            raise _refuse(
                delivery,
                f"does not give its control total, {amount} {currency} {direction}",
                f"{show_amount(expected_total)} {currency}",
                f"{show_amount(found)} {currency}",
            )


def _refuse(delivery: Delivery, message: str, expected: str, found: str) -> DeliveryRefusedError:
    return DeliveryRefusedError(
        Problem(delivery.name, message, expected=expected, found=found, remedy=REMEDY)
    )
