"""Check the sources of apportion.yml against what there is: contracts, mappings, time zones.

The typed form in `config` says what a file may look like; this says whether what it names exists.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from pipelines.contracts.contract import list_contract_ids, load_contract
from pipelines.errors import Problem
from pipelines.mappings.mapping import list_mapping_ids, load_mapping
from pipelines.money import minor_unit_digits
from pipelines.workspace.check_names import check_thresholds
from pipelines.workspace.close_calendar import list_unknown_feeds
from pipelines.workspace.config import Source, WorkspaceConfig
from pipelines.workspace.connection_checks import check_connection
from pipelines.workspace.phasing import list_phases
from pipelines.workspace.transfer_checks import check_transfers
from pipelines.workspace.yaml_files import Path_, find_line

MOST_DECIMALS = 2


def check_config(
    config: WorkspaceConfig, lines: dict[Path_, int], name: str, mappings: Path | None = None
) -> list[Problem]:
    """All problems of the names in a configuration, each with file and line. `mappings` holds the
    workspace's own mappings."""
    found = [*_check_time_zone(config), *_check_currency(config), *_check_control_total(config)]
    found += _check_close_calendar(config)
    found += check_transfers(config)
    for source_id, source in config.sources.items():
        found += _check_source(("sources", source_id), source, mappings)
        found += _check_detail_feed(config, source_id, mappings)
        found += _check_phasing(config, source_id)
        found += check_connection(config, source_id, mappings)
    return [
        Problem(
            f"{name}:{find_line(lines, path)}",
            message,
            field=".".join(map(str, path)),
            remedy=remedy,
        )
        for path, message, remedy in found
    ]


def _check_time_zone(config: WorkspaceConfig) -> Iterator[tuple[Path_, str, str]]:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(config.time_zone)
    except (KeyError, ValueError, OSError):
        remedy = "Use a name such as Europe/Berlin or UTC."
        yield ("time_zone",), f"unknown time zone '{config.time_zone}'", remedy


def _check_currency(config: WorkspaceConfig) -> Iterator[tuple[Path_, str, str]]:
    digits = minor_unit_digits(config.currency)
    if digits > MOST_DECIMALS:
        message = (
            f"{config.currency} has {digits} decimals; a reporting currency has at most "
            f"{MOST_DECIMALS}"
        )
        yield ("currency",), message, "Report in another currency and convert."


def _check_control_total(config: WorkspaceConfig) -> Iterator[tuple[Path_, str, str]]:
    controls = config.control_total.source_ids
    path: Path_ = ("control_total", "source")
    for control in controls:
        if control not in config.sources:
            message = f"unknown source '{control}'"
            yield path, message, _hint(control, tuple(config.sources))
        elif len(controls) > 1 and not _is_bill(config.sources[control]):
            message = f"'{control}' is no cloud bill with a detail_feed, and one of several"
            remedy = "Name the ledger alone; several are cloud bills, of which no ledger knows."
            yield path, message, remedy
    for source_id, source in config.sources.items():
        feed = source.detail_feed
        if feed is not None and feed.claims is None and source_id not in controls:
            remedy = "Say which ledger lines it explains; only a control total claims none."
            yield ("sources", source_id, "detail_feed"), "lacks 'claims'", remedy


def _is_bill(source: Source) -> bool:
    return source.contract == "cloud_bill" and source.detail_feed is not None


def _check_close_calendar(config: WorkspaceConfig) -> Iterator[tuple[Path_, str, str]]:
    known = tuple(config.sources)
    for number, source_id in list_unknown_feeds(config.close.calendar, set(known)):
        path = ("close", "calendar", "tasks", number, "done_when")
        yield path, f"unknown source '{source_id}'", _hint(source_id, known)


BILL_KEYS = frozenset(
    {
        *("legal_entity", "cost_centre", "measure", "consumers_pay", "discount_category"),
        *("unused_category", "service_from", "consumer_from", "consumer_name_from"),
        *("business_unit_from", "defines_services", "defines_consumers"),
    }
)
"""Settings that only a bill has; an asset says its entity and cost centre itself."""


def _check_detail_feed(
    config: WorkspaceConfig, source_id: str, mappings: Path | None
) -> Iterator[tuple[Path_, str, str]]:
    """A feed is a bill or a register of assets, and has the settings of the one or the other."""
    source = config.sources[source_id]
    feed = source.detail_feed
    if feed is None:
        return
    path: Path_ = ("sources", source_id, "detail_feed")
    if source.contract not in ("cloud_bill", "assets"):
        message = f"a source of the contract '{source.contract}' cannot be a detail feed"
        yield path, message, "Detail feeds are cloud bills and the asset register."
        return
    is_bill = source.contract == "cloud_bill"
    foreign = {"depreciation"} if is_bill else BILL_KEYS
    for name in sorted(feed.model_fields_set & foreign):
        message = f"'{name}' is no setting of a detail feed of the contract '{source.contract}'"
        yield (*path, name), message, "Remove it."
    yield from _check_measure(source, path, mappings)
    if not is_bill and source_id in config.control_total.source_ids:
        message = "an asset register cannot be the control total"
        yield path, message, "It explains depreciation of a ledger: make that the control total."


def _check_phasing(config: WorkspaceConfig, source_id: str) -> Iterator[tuple[Path_, str, str]]:
    source = config.sources[source_id]
    if source.phasing is None:
        return
    path: Path_ = ("sources", source_id, "phasing")
    if source.contract != "budget":
        message = f"a source of the contract '{source.contract}' has no amounts to divide"
        yield path, message, "Only a budget is divided over periods."
        return
    try:
        phases = list_phases(config.calendar.periods(), source.phasing)
    except ValueError as error:
        yield (*path, "weights"), str(error), "Give one weight per period, in order."
        return
    if not phases and source.phasing.over != "period":
        span = source.phasing.over.replace("_", "-")
        message = f"the calendar holds no whole fiscal {span}"
        remedy = "Extend 'calendar' so that amounts for one can be divided over all its periods."
        yield path, message, remedy


def _check_measure(
    source: Source, path: Path_, mappings: Path | None
) -> Iterator[tuple[Path_, str, str]]:
    """A bill is counted by a cost that its mapping delivers."""
    feed = source.detail_feed
    if feed is None or source.contract != "cloud_bill":
        return
    if source.mapping not in list_mapping_ids(mappings):
        return
    try:
        mapping = load_mapping(source.mapping, load_contract(source.contract), mappings)
    except ValueError:
        return
    if not mapping.fills_field(feed.measure):
        message = f"the mapping '{source.mapping}' delivers no {feed.measure}"
        remedy = "Count by billed_cost, or use a mapping that delivers it."
        yield (*path, "measure"), message, remedy


def _check_source(
    path: Path_, source: Source, own_mappings: Path | None
) -> Iterator[tuple[Path_, str, str]]:
    contracts, mappings = list_contract_ids(), list_mapping_ids(own_mappings)
    if source.contract not in contracts:
        message = f"unknown contract '{source.contract}'"
        yield (*path, "contract"), message, _hint(source.contract, contracts)
    elif source.unique_key is not None:
        yield from _check_unique_key(path, source, source.unique_key)
    if source.mapping not in mappings:
        message = f"unknown mapping '{source.mapping}'"
        yield (*path, "mapping"), message, _hint(source.mapping, mappings)
    elif source.contract in contracts:
        try:
            load_mapping(source.mapping, load_contract(source.contract), own_mappings)
        except ValueError as error:
            yield (*path, "mapping"), str(error), "Choose a mapping of the source's contract."
    if source.checks is not None and source.contract in contracts:
        yield from check_thresholds(
            (*path, "checks"), source.checks, load_contract(source.contract)
        )


def _check_unique_key(
    path: Path_, source: Source, key: tuple[str, ...]
) -> Iterator[tuple[Path_, str, str]]:
    contract = load_contract(source.contract)
    names = tuple(field.name for field in contract.fields)
    for name in key:
        if name not in names:
            message = f"the contract '{source.contract}' has no field '{name}'"
            yield (*path, "unique_key"), message, _hint(name, names)
    if not key and contract.key and not contract.adds_up:
        message = f"records of the contract '{source.contract}' do not add up"
        remedy = f"Leave it out, or name the fields that are unique, such as {contract.key}."
        yield (*path, "unique_key"), message, remedy


def _hint(found: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(found, known, n=1)
    return f"Is '{close[0]}' meant?" if close else f"Known: {', '.join(known)}."
