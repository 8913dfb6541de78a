"""Whether a mapping fits its contract: fields that there are, types that take its settings, and a
source for every required field."""

from __future__ import annotations

from pipelines.contracts.contract import Contract, ContractField, FieldType
from pipelines.mappings.identifier_names import list_named_fields
from pipelines.mappings.settings import Mapping

NUMBERS: tuple[FieldType, ...] = ("decimal", "integer")
TEXTS: tuple[FieldType, ...] = ("text", "code", "period", "currency")
MOMENTS: tuple[FieldType, ...] = ("date", "timestamp")


def find_row_key_field(mapping: Mapping, contract: Contract) -> str | None:
    """The key field that is made from file and record, where the mapping says so."""
    if not mapping.row_key:
        return None
    given = {field for field, _ in mapping.list_sources()}
    free = [name for name in contract.key if name not in given]
    return free[0] if len(free) == 1 else None


def find_derived_period_field(mapping: Mapping, contract: Contract) -> str | None:
    """The period field that is made from a date, where the mapping says so."""
    return contract.period_field if mapping.period_from is not None else None


def refuse_misfit(mapping: Mapping, contract: Contract) -> None:
    """Raise ValueError where the mapping cannot give records of the contract."""
    if mapping.contract != contract.contract_id:
        raise ValueError(
            f"mapping '{mapping.mapping_id}' is for the contract '{mapping.contract}', "
            f"not for '{contract.contract_id}'"
        )
    fields = {field.name: field for field in contract.fields}
    unknown = [name for name in _list_named_fields(mapping) if name not in fields]
    if unknown:
        raise ValueError(
            f"mapping '{mapping.mapping_id}' names fields that the contract "
            f"'{contract.contract_id}' does not have: {', '.join(unknown)}"
        )
    _refuse_misfit_of_types(mapping, contract, fields)
    _refuse_misfit_of_derived(mapping, contract)
    _refuse_floats_of_two_fields(mapping, fields)
    given = {
        *mapping.defaults,
        *((contract.currency_field,) if mapping.currency_marks else ()),
        *mapping.derived_times,
        find_row_key_field(mapping, contract),
        find_derived_period_field(mapping, contract),
        *(name for name, _ in mapping.list_sources() if not _may_lack(mapping, name)),
    }
    unmapped = [f.name for f in contract.fields if f.is_required and f.name not in given]
    if unmapped:
        raise ValueError(
            f"mapping '{mapping.mapping_id}' gives no column to the required fields "
            f"{', '.join(unmapped)} of the contract '{contract.contract_id}'"
        )


def _may_lack(mapping: Mapping, field: str) -> bool:
    return field in mapping.columns and mapping.is_field_optional(field)


def _list_named_fields(mapping: Mapping) -> list[str]:
    """Every field that the mapping names, each once, in the order of its keys."""
    named = [field for field, _ in mapping.list_sources()]
    named += [*mapping.defaults, *mapping.extract, *mapping.pad_left, *mapping.value_maps]
    named += [*mapping.derived_times, *(item.of for item in mapping.derived_times.values())]
    named += [*mapping.unbraced_json, *mapping.inclusive_ends, *mapping.allow_scientific]
    named += [*mapping.power_of_ten, *mapping.round_to, *mapping.sign_from]
    named += [*mapping.sign_flip, *mapping.allow_float]
    if not isinstance(mapping.identifiers, str):
        named += mapping.identifiers
    if isinstance(mapping.period_from, str):
        named.append(mapping.period_from)
    if mapping.last_state_of:
        named += mapping.last_state_of.key
        named += mapping.last_state_of.first or ()
        named += [item for item in mapping.last_state_of.order if isinstance(item, str)]
        if closed := mapping.last_state_of.closed:
            named += [i for i in (closed.time, closed.at, closed.minutes) if isinstance(i, str)]
    return list(dict.fromkeys(named))


def _refuse_misfit_of_types(
    mapping: Mapping, contract: Contract, fields: dict[str, ContractField]
) -> None:
    """Settings that turn numbers, texts or dates name fields of that type."""
    decimal: tuple[FieldType, ...] = ("decimal",)
    sources = tuple(item.of for item in mapping.derived_times.values())
    closed = mapping.last_state_of.closed if mapping.last_state_of else None
    for setting, names, types in (
        ("sign_flip", mapping.sign_flip, NUMBERS),
        ("sign_from", tuple(mapping.sign_from), NUMBERS),
        ("net_of", tuple(mapping.net_of), decimal),
        ("cases", tuple(mapping.cases), (*TEXTS, "decimal")),
        ("cases, to add up,", _list_sums(mapping), decimal),
        ("object_of_list", tuple(mapping.object_of_list), ("json",)),
        ("append_list", tuple(mapping.append_list), TEXTS),
        ("allow_scientific", mapping.allow_scientific, decimal),
        ("power_of_ten", tuple(mapping.power_of_ten), decimal),
        ("round_to", tuple(mapping.round_to), decimal),
        ("allow_float", tuple(mapping.allow_float), decimal),
        ("pad_left", tuple(mapping.pad_left), TEXTS),
        ("join", tuple(mapping.join), TEXTS),
        ("identifiers", tuple(list_named_fields(mapping, contract)), ("code",)),
        ("object_from", tuple(mapping.object_from), ("json",)),
        ("unbraced_json", mapping.unbraced_json, ("json",)),
        ("inclusive_ends", mapping.inclusive_ends, MOMENTS),
        ("derived_times", tuple(mapping.derived_times), MOMENTS),
        ("derived_times", sources, ("period", *MOMENTS)),
        ("closed", (closed.at,) if closed and closed.at else (), ("timestamp",)),
        ("closed", (closed.minutes,) if closed and closed.minutes else (), ("integer",)),
    ):
        for name in names:
            if fields[name].type not in types:
                raise ValueError(
                    f"mapping '{mapping.mapping_id}': '{setting}' names {name}, which is of type "
                    f"{fields[name].type}, not {' or '.join(types)}"
                )


def _list_sums(mapping: Mapping) -> tuple[str, ...]:
    """The fields that a case adds up."""
    return tuple(
        field
        for field, cases in mapping.cases.items()
        if any(case.number_columns() or case.lists for case in cases)
    )


def _refuse_misfit_of_derived(mapping: Mapping, contract: Contract) -> None:
    name = f"mapping '{mapping.mapping_id}'"
    given = dict(mapping.list_sources())
    for field, derived in mapping.derived_times.items():
        if field in given:
            raise ValueError(f"{name}: the field {field} is given and in 'derived_times'")
        if derived.of not in given:
            raise ValueError(
                f"{name}: 'derived_times' makes {field} of {derived.of}, which has no column"
            )
    if mapping.row_key and find_row_key_field(mapping, contract) is None:
        raise ValueError(f"{name}: 'row_key' needs exactly one key field without a column")
    if mapping.period_from is None:
        return
    period = contract.period_field
    if period is None or contract.field(period).type != "period":
        raise ValueError(f"{name}: 'period_from', and the contract has no period to derive")
    if period in given:
        raise ValueError(f"{name}: the period {period} is given and derived by 'period_from'")
    source_of_period = mapping.period_from
    kind = (
        contract.field(source_of_period).type
        if isinstance(source_of_period, str)
        else source_of_period.type
    )
    if kind not in MOMENTS:
        raise ValueError(f"{name}: 'period_from' is of type {kind}, not a date or timestamp")


def _refuse_floats_of_two_fields(mapping: Mapping, fields: dict[str, ContractField]) -> None:
    """A column of Parquet is turned into text once: the fields that read it must agree how."""
    if mapping.format != "parquet":
        return
    seen: dict[str, str] = {}
    for field in mapping.columns:
        for column in mapping.column_names(field):
            other = seen.setdefault(column, field)
            ways = {
                (fields[name].type == "decimal", mapping.allow_float.get(name))
                for name in (field, other)
            }
            if len(ways) > 1:
                raise ValueError(
                    f"mapping '{mapping.mapping_id}': {other} and {field} read the column "
                    f"{column!r} of Parquet with different 'allow_float'"
                )
