"""The quarantine desk, deciding: release records as cost, or discard them as none.

A release checks the records again, as a person corrected them, against their contract by the same
SQL as landing; a key must not occur twice in the load, and the period must be one of the load's,
because redelivery goes by those. What passes is written to the lake as a file of its own, named by
its hash, with the file and row of the original. The original is never changed.

Everything happens in one writing transaction of the books: the rows there are the commit point, a
file that none of them names does not count. Decisions are only added; the latest one counts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.books.audit import append_audits
from pipelines.books.books import Books, current_time
from pipelines.books.person import current_person
from pipelines.contracts.contract import Contract, load_contract_in
from pipelines.errors import EXIT_REFUSED, ApportionError, UsageError
from pipelines.landing.field_checks import (
    EXPECTED_MARK,
    cast_expression,
    good_expression,
    period_expression,
    problem_expressions,
)
from pipelines.landing.lake_files import open_staging
from pipelines.landing.quarantine import (
    FoundProblem,
    find_load,
    list_loads,
    refuse_unknown_record,
)
from pipelines.landing.quarantine_log import (
    STATES,
    Correction,
    Decision,
    RecordDecision,
)
from pipelines.landing.redelivery import ADDING_MODES
from pipelines.landing.typed_records import QUARANTINE_NAME
from pipelines.readers.personal_texts import give_key, replace_values
from pipelines.readers.text_marks import MISREAD_REASONS
from pipelines.warehouse.lake_views import (
    ActiveLoad,
    as_glob,
    as_text,
    list_active_loads,
    list_relations,
)
from pipelines.warehouse.publication import hash_file, sync_directory
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    import duckdb
    from sqlalchemy import Connection

Changes = Mapping[str, str | None]
"""Field -> the text that a person sets, None for no value."""


class DecisionRefusedError(ApportionError):
    """A decision that the records do not allow; nothing was decided."""

    exit_code = EXIT_REFUSED

    def __init__(self, load: ActiveLoad, message: str, remedy: str) -> None:
        super().__init__(
            f"refused: {load.source_id}/{load.file_name}: {message}. Nothing was decided. {remedy}"
        )


@dataclass(frozen=True)
class DecisionResult:
    """What a decision did."""

    source_id: str
    file_name: str
    file_id: str
    decision: Decision
    decided: tuple[int, ...]
    """Records it holds for, by number."""
    kept: tuple[tuple[int, FoundProblem], ...] = ()
    """What is still wrong with records that were to be released and stay where they were."""
    correction_id: str | None = None


def release_records(
    workspace: Workspace,
    books: Books,
    source_id: str,
    file: str,
    row_number: int | None,
    *,
    why: str,
    changes: Changes | None = None,
) -> DecisionResult:
    """Release one record or, with None, all open ones of a file that pass their contract.

    Raises UsageError for an unknown load, record or field and for an empty reason, and
    DecisionRefusedError where no record passes or the record is released with these values.
    """
    reason = _require_reason(why)
    with books.begin() as connection, _connect() as engine:
        load = _find_load(workspace, books, source_id, file)
        years = workspace.config.years
        contract = load_contract_in(load.contract_id, workspace.config.calendar.spans)
        contract = contract.with_years(years.first, years.last)
        _refuse_unknown_fields(contract, changes or {})
        give_key(engine, workspace, contract)
        values = replace_values(engine, contract, changes or {})
        rows = _choose_rows(engine, load, row_number)
        after = json.dumps(values, sort_keys=True, ensure_ascii=False)
        _refuse_repetition(load, row_number, "release", after)
        before = _read_texts(engine, load, contract, rows, values)
        kept = _find_problems(engine, connection, workspace, load, contract, list(values))
        failed = {number for number, _ in kept}
        passed = [number for number in rows if number not in failed]
        if not passed:
            raise _refuse_release(load, kept)
        correction_id = _write_correction(workspace, engine, load, contract, passed)
        who, when = current_person(), current_time()
        decisions = [
            RecordDecision(
                number, "release", before[number], after, correction_id, reason, who, when
            )
            for number in passed
        ]
        _record_decisions(connection, load, decisions)
    return DecisionResult(
        *(load.source_id, load.file_name, load.sha256, "release"),
        tuple(passed),
        tuple(kept),
        correction_id,
    )


def discard_records(
    workspace: Workspace,
    books: Books,
    source_id: str,
    file: str,
    row_number: int | None,
    *,
    why: str,
) -> DecisionResult:
    """Declare one record or, with None, all open ones of a file to be no cost.

    Raises UsageError for an unknown load or record and for an empty reason, and
    DecisionRefusedError if the record is discarded already.
    """
    reason = _require_reason(why)
    with books.begin() as connection, _connect() as engine:
        load = _find_load(workspace, books, source_id, file)
        rows = _choose_rows(engine, load, row_number)
        _refuse_repetition(load, row_number, "discard", "{}")
        who, when = current_person(), current_time()
        decisions = [
            RecordDecision(number, "discard", "{}", "{}", None, reason, who, when)
            for number in rows
        ]
        _record_decisions(connection, load, decisions)
    return DecisionResult(load.source_id, load.file_name, load.sha256, "discard", tuple(rows))


def _connect() -> duckdb.DuckDBPyConnection:
    import duckdb

    return duckdb.connect(":memory:")


def _find_load(workspace: Workspace, books: Books, source_id: str, file: str) -> ActiveLoad:
    """The load as it is now: the caller holds the write lock, so nobody decides beside it."""
    loads = list_active_loads(workspace, books)
    return find_load(list_loads(workspace, loads, source_id), source_id, file)


def _require_reason(why: str) -> str:
    if not why.strip():
        raise UsageError("a decision needs a reason: say it with --why TEXT")
    return why.strip()


def _refuse_unknown_fields(contract: Contract, values: Changes) -> None:
    names = [field.name for field in contract.fields]
    for name in values:
        if name not in names:
            raise UsageError(
                f"contract {contract.contract_id} has no field '{name}'; it has {', '.join(names)}"
            )


def _choose_rows(
    engine: duckdb.DuckDBPyConnection, load: ActiveLoad, row_number: int | None
) -> list[int]:
    """The record itself or all that are open. Raises UsageError if there is nothing to decide."""
    if not load.records_quarantined:
        raise UsageError(f"{load.source_id}/{load.file_name} has no records in quarantine")
    if row_number is None:
        condition = "_row_number not in (select unnest(cast(? as bigint[])))"
        value: object = [item.row_number for item in load.decisions.current]
    else:
        condition, value = "_row_number = ?", row_number
    rows = engine.execute(
        f"select _row_number from {_quarantine(load)} where {condition} order by _row_number",
        [value],
    ).fetchall()
    if rows:
        return [row[0] for row in rows]
    if row_number is not None:
        raise refuse_unknown_record(load, [row_number])
    raise UsageError(f"every record of {load.source_id}/{load.file_name} is decided already")


def _refuse_repetition(
    load: ActiveLoad, row_number: int | None, decision: Decision, after: str
) -> None:
    """A record may be decided again, but not the same way: that would say nothing new."""
    for item in load.decisions.current:
        if (item.row_number, item.decision, item.values_after) == (row_number, decision, after):
            raise DecisionRefusedError(
                load,
                f"record {row_number} was {STATES[decision]} the same way by {item.person_name} "
                f"on {item.decided_at[:10]}: {item.why}",
                "Decide it in another way, or leave it.",
            )


def _read_texts(
    engine: duckdb.DuckDBPyConnection,
    load: ActiveLoad,
    contract: Contract,
    rows: Sequence[int],
    values: Changes,
) -> dict[int, str]:
    """Make `checked`, as landing does, from the delivered texts with the corrections in them.

    Returns the delivered texts of the fields that are set, as JSON by record.
    """
    delivered = ", ".join(
        f'json_extract_string(record, \'$."{field.name}"\') as "{field.name}"'
        for field in contract.fields
    )
    engine.execute(
        f"create temp table delivered as select _row_number, {delivered} from {_quarantine(load)} "
        "where _row_number in (select unnest(cast($rows as bigint[])))",
        {"rows": list(rows)},
    )
    changed = ", ".join(
        f'cast({as_text(value) if value else "null"} as varchar) as "{name}"'
        for name, value in values.items()
    )
    replaced = f"* replace ({changed})" if changed else "*"
    engine.execute(
        f"create temp table checked as select *, {good_expression(contract)} as _is_good "
        f"from (select {replaced} from delivered)"
    )
    names = sorted(values)
    texts = ", ".join(f'"{name}"' for name in names)
    return {
        row[0]: json.dumps(dict(zip(names, row[1:], strict=True)), ensure_ascii=False)
        for row in engine.execute(
            f"select _row_number{', ' if names else ''}{texts} from delivered"
        ).fetchall()
    }


def _find_problems(
    engine: duckdb.DuckDBPyConnection,
    connection: Connection,
    workspace: Workspace,
    load: ActiveLoad,
    contract: Contract,
    changed: Sequence[str],
) -> list[tuple[int, FoundProblem]]:
    """What keeps records of `checked` from being released, by record."""
    problems = ", ".join(problem_expressions(contract))
    rows = engine.execute(
        f"""
        select _row_number, problem.field, problem.found, problem.reason from (
            select _row_number, unnest(
                list_filter([{problems}], lambda problem: problem is not null)
            ) as problem
            from checked where not _is_good
        )
        """
    ).fetchall()
    rows += _find_misread(engine, load, changed)
    source = workspace.config.sources[load.source_id]
    key = contract.key if source.unique_key is None else source.unique_key
    rows += _find_double_keys(engine, load, contract, key)
    if source.redelivery not in ADDING_MODES:
        rows += _find_foreign_periods(engine, contract, _read_periods(connection, load))
    return [(row[0], FoundProblem(*row[1:])) for row in sorted(rows, key=lambda row: row[0])]


def _find_misread(
    engine: duckdb.DuckDBPyConnection, load: ActiveLoad, changed: Sequence[str]
) -> list[tuple[int, str, str, str]]:
    """Fields that their mapping could not read and that nobody set.

    What was delivered there may have the contract's form and mean something else: 1.50 where the
    mapping declares decimal commas. Only a person can say what it is.
    """
    return engine.execute(
        f"""
        select _row_number, problem.field, problem.found, problem.reason
        from (select _row_number, unnest(_problems) as problem from {_quarantine(load)})
        where _row_number in (select _row_number from checked where _is_good)
            and split_part(problem.reason, $mark, 1) in
                (select unnest(cast($reasons as varchar[])))
            and problem.field not in (select unnest(cast($changed as varchar[])))
        """,
        {
            "mark": EXPECTED_MARK,
            "reasons": list(MISREAD_REASONS),
            "changed": list(changed),
        },
    ).fetchall()


def _find_double_keys(
    engine: duckdb.DuckDBPyConnection, load: ActiveLoad, contract: Contract, key: tuple[str, ...]
) -> list[tuple[int, str, str, str]]:
    """Good records whose key another record of the load has, that counts or is to count."""
    if not key:
        return []
    keys = ", ".join(f'"{name}"' for name in key)
    typed = ", ".join(f'{cast_expression(contract.field(n))} as "{n}"' for n in key)
    is_whole = " and ".join(f'"{name}" is not null' for name in key)
    counting = " union all ".join(
        f"select _row_number, {keys} from {relation}" for relation in list_relations(load)
    )
    return engine.execute(
        f"""
        with candidates as (select _row_number, {typed} from checked where _is_good),
        others as (
            select * from ({counting})
            where _row_number not in (select _row_number from candidates)
        ),
        doubled as (
            select {keys} from (
                select 1, {keys} from candidates union all select 1, {keys} from others
            ) where {is_whole} group by {keys} having count(*) > 1
        )
        select candidates._row_number, $field, concat_ws(', ', {keys}),
            'is the key of another record' || $expected
        from candidates inner join doubled using ({keys})
        """,
        {
            "field": ", ".join(key),
            "expected": f"{EXPECTED_MARK}a key that no other record of the file has",
        },
    ).fetchall()


def _find_foreign_periods(
    engine: duckdb.DuckDBPyConnection, contract: Contract, periods: Sequence[str]
) -> list[tuple[int, str, str, str]]:
    """Good records of a period that the load does not hold: a redelivery would overlook them."""
    if contract.period_field is None or not periods:
        return []
    period = period_expression(contract.field(contract.period_field))
    return engine.execute(
        f'select _row_number, $field, "{contract.period_field}", $reason from checked '
        f"where _is_good and ({period}) not in (select unnest(cast($periods as varchar[])))",
        {
            "field": contract.period_field,
            "periods": list(periods),
            "reason": f"is a period that the file does not deliver{EXPECTED_MARK}one of "
            + ", ".join(periods),
        },
    ).fetchall()


def _read_periods(connection: Connection, load: ActiveLoad) -> list[str]:
    from sqlalchemy import select

    from pipelines.books.tables import load_periods

    query = select(load_periods.c.period_id).where(load_periods.c.load_id == load.load_id)
    return list(connection.execute(query.order_by(load_periods.c.period_id)).scalars())


def _refuse_release(
    load: ActiveLoad, kept: Sequence[tuple[int, FoundProblem]]
) -> DecisionRefusedError:
    number, problem = kept[0]
    reason, _, expected = problem.reason.partition(EXPECTED_MARK)
    sentence = f"record {number}, field {problem.field}: {reason}"
    if expected:
        sentence += f"; expected {expected}"
    sentence += f"; found {problem.found!r}" if problem.found is not None else "; found nothing"
    if len(kept) > 1:
        sentence += f" (and {len(kept) - 1} more problems)"
    return DecisionRefusedError(
        load, sentence, "Correct it with --set FIELD=VALUE, or discard the record."
    )


def _write_correction(
    workspace: Workspace,
    engine: duckdb.DuckDBPyConnection,
    load: ActiveLoad,
    contract: Contract,
    rows: Sequence[int],
) -> str:
    """Write the released records, typed as landing types them, under the hash of the file."""
    typed = ", ".join(f'{cast_expression(field)} as "{field.name}"' for field in contract.fields)
    with open_staging(workspace) as staging:
        written = staging / "correction.parquet"
        engine.execute(
            "create temp table passed as select unnest(?::bigint[]) as row", [list(rows)]
        )
        engine.execute(
            f"copy (select {typed}, {as_text(load.sha256)} as _file_id, _row_number from checked "
            "where _row_number in (select row from passed) order by _row_number) "
            f"to {as_text(str(written))} (format parquet, compression zstd)"
        )
        correction_id = hash_file(written)
        target = Correction(correction_id, (), ()).find_path(load.directory)
        if not target.parent.exists():
            target.parent.mkdir()
            sync_directory(load.directory)
        with written.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(written, target)
        sync_directory(target.parent)
    return correction_id


def _record_decisions(
    connection: Connection, load: ActiveLoad, decisions: Sequence[RecordDecision]
) -> None:
    """Write the decisions and a line of the audit log for each."""
    from pipelines.books.tables import quarantine_decisions

    connection.execute(
        quarantine_decisions.insert(),
        [{"load_id": load.load_id, "reading": load.reading, **vars(item)} for item in decisions],
    )
    append_audits(
        connection,
        [
            (
                item.decision,
                f"{load.source_id}/{load.file_name}, record {item.row_number}",
                {
                    "sha256": load.sha256,
                    "before": json.loads(item.values_before),
                    "after": json.loads(item.values_after),
                    "correction": item.correction_id,
                    "why": item.why,
                },
            )
            for item in decisions
        ],
    )


def _quarantine(load: ActiveLoad) -> str:
    return f"read_parquet({as_text(as_glob(load.directory / QUARANTINE_NAME))})"
