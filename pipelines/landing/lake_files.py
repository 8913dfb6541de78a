"""Write one load's files: in a staging directory first, then under their final name.

A staging directory is locked by the process that writes it, so that what a killed process left
behind can be told from what another one is writing, and swept away.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.contracts.contract import Contract
from pipelines.errors import DeliveryRefusedError, Problem
from pipelines.landing.delivery import Delivery
from pipelines.landing.field_checks import amount_expression, period_expression
from pipelines.landing.typed_records import (
    MEASURES_COLUMN,
    ORIGINAL_NAME,
    QUARANTINE_NAME,
    TypedRecords,
    write_accepted,
)
from pipelines.readers.file_names import show_file_name
from pipelines.readers.safe_bytes import BytesSeen, take_delivery
from pipelines.readers.text_marks import delivered_text
from pipelines.staging import staged_directory, sweep_killed
from pipelines.warehouse.publication import sync_directory
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

STAGING_NAME = ".staging"
WORK_NAME = "work"
"""Files that are needed only while a delivery is read; gone before its load is in place."""


@contextmanager
def open_staging(workspace: Workspace) -> Iterator[Path]:
    """A new, locked staging directory; removed on leaving unless it was moved into place."""
    with staged_directory(workspace.lake / STAGING_NAME) as directory:
        yield directory


def sweep_staging(workspace: Workspace) -> None:
    """Remove staging directories that no living process holds."""
    sweep_killed(workspace.lake / STAGING_NAME)


def refuse_link_out(delivery: Delivery, inbox: Path) -> None:
    """Raise DeliveryRefusedError where the delivery is a link to a file that was not delivered.

    A folder of the inbox may be a link: that is how an administrator mounts it. A file that is one
    is the sender's, who could name any file that this program may read.
    """
    if not delivery.path.is_symlink():
        return
    target = Path(os.path.realpath(delivery.path))
    roots = (Path(os.path.realpath(root)) for root in (inbox, delivery.path.parent))
    if not any(target.is_relative_to(root) for root in roots):
        problem = Problem(
            delivery.name,
            "is a link out of the inbox",
            found=f"a link to {show_file_name(Path(target.name))!r} elsewhere",
            expected="a file",
            remedy="Nothing was loaded. Put the file itself into the inbox.",
        )
        raise DeliveryRefusedError(problem)


def copy_original(delivery: Delivery, staging: Path) -> BytesSeen:
    """Copy the delivery and check its bytes on the way; all that follows reads the copy. Raises
    DeliveryRefusedError where they are not what they should be."""
    return take_delivery(delivery.path, delivery.mapping, staging / ORIGINAL_NAME)


def refuse_if_touched(delivery: Delivery, seen: BytesSeen) -> None:
    """Raise DeliveryRefusedError if the delivery was written to since it was inspected."""
    try:
        status = delivery.path.stat()
    except FileNotFoundError:
        raise _refuse_changed(delivery) from None
    if (status.st_size, status.st_mtime_ns) != (seen.size, seen.modified_ns):
        raise _refuse_changed(delivery)


def _refuse_changed(delivery: Delivery) -> DeliveryRefusedError:
    return DeliveryRefusedError(
        Problem(
            delivery.name,
            "changed while it was read",
            remedy="Nothing was loaded. Land it again when its sender has finished writing.",
        )
    )


def write_records(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    staging: Path,
    records: TypedRecords,
    quarantined: int,
) -> None:
    """Leave the good records typed and the others, if there are any, as text; sync all files.
    Assumes that the table `quarantined` holds the others."""
    if quarantined:
        connection.execute(
            f"copy ({_select_quarantine(contract)}) "
            f"to {_text(staging / QUARANTINE_NAME)} (format parquet)"
        )
    write_accepted(connection, contract, records, quarantined, staging)
    for path in staging.iterdir():
        _sync_file(path)
    sync_directory(staging)


def move_into_place(staging: Path, target: Path) -> None:
    """Rename a staging directory to its final name, durably.

    What is there already is left over from a load that was never recorded, and is replaced: the
    caller holds the write lock of the books and has seen that no row names it.
    """
    if not target.parent.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        sync_directory(target.parent.parent)
    if target.exists():
        shutil.rmtree(target)
    os.replace(staging, target)
    sync_directory(target.parent)


def _select_quarantine(contract: Contract) -> str:
    """One row per quarantined record: what can be read of it, its problems, and all its text."""
    amount, period, currency = "null", "null", "null"
    if contract.amount_field:
        amount = amount_expression(contract.field(contract.amount_field))
    if contract.period_field:
        period = period_expression(contract.field(contract.period_field))
    if contract.currency_field:
        currency = f'"{contract.currency_field}"'
    # Another number than the amount may be what ties: the effective cost of a cloud bill.
    measures = ", ".join(
        f'"{field.name}" := cast({amount_expression(field)} as varchar)'
        for field in contract.fields
        if field.type == "decimal"
    )
    fields = ", ".join(
        f'"{field.name}" := ' + delivered_text(f'"{field.name}"') for field in contract.fields
    )
    return (
        f"select _row_number, _line_number, cast({period} as varchar) as period_id, "
        f"cast({currency} as varchar) as currency_code, "
        f"cast({amount} as decimal(38, 12)) as amount_local, _problems, "
        f"{f'to_json(struct_pack({measures}))' if measures else 'null'} as {MEASURES_COLUMN}, "
        f"to_json(struct_pack({fields})) as record "
        "from quarantined order by _row_number"
    )


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
