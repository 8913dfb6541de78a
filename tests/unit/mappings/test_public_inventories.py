"""Public inventories land as assets and what belongs to them: GLPI (JSON) and NetBox (CSV)."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from .public_data import find_file, land_files, land_named, read_named, read_records, sum_of

NETBOX = "netbox_demo"


def _read_glpi(*names: str) -> list[dict[str, Any]]:
    return [json.loads(find_file(f"glpi_inventory/{n}.json").read_text("utf-8")) for n in names]


def _as_lines(documents: list[dict[str, Any]]) -> bytes:
    """The agents send one document at a time; a delivery holds one per line."""
    return "".join(f"{json.dumps(document)}\n" for document in documents).encode()


def test_computers_of_glpi(tmp_path: Path) -> None:
    documents = _read_glpi("computer_1", "computer_2", "computer_3")
    file = ("computers.jsonl", _as_lines(documents))
    (result,) = land_files(tmp_path, "glpi_computers", "assets", file)
    sql = "select asset_name, asset_class from records order by _row_number"
    hardware = [document["content"]["hardware"] for document in documents]
    expected = [(item["name"], item["chassis_type"]) for item in hardware]
    assert read_records(tmp_path, result, sql) == expected
    assert (result.records_accepted, result.records_quarantined) == (3, 0)
    assert sum_of(result, "EUR") == 0


PARTS = [
    *(f"computer_1_partial_{part}" for part in ("batteries", "cpu", "memory", "softs", "volumes")),
    *(f"computer_2_partial_{part}" for part in ("dbs", "vms")),
]


@pytest.mark.parametrize("name", PARTS)
def test_a_part_of_an_inventory_is_the_same_asset(tmp_path: Path, name: str) -> None:
    """What it says of batteries, databases or volumes belongs to no contract."""
    whole, part = _read_glpi(name.partition("_partial")[0], name)
    file = ("part.jsonl", _as_lines([part]))
    (result,) = land_files(tmp_path, "glpi_computers", "assets", file)
    found = read_records(tmp_path, result, "select asset_id, asset_name from records")
    assert found == [(whole["deviceid"], whole["content"]["hardware"]["name"])]


def test_the_last_inventory_of_a_computer_counts(tmp_path: Path) -> None:
    """Its memory is 7,909 MB in February 2017 and 7,908 MB in June."""
    documents = _read_glpi("computer_3_updated", "computer_3")
    file = ("states.jsonl", _as_lines(documents))
    (result,) = land_files(tmp_path, "glpi_states", "assets", file)
    found = read_records(tmp_path, result, "select asset_id, capacity_quantity from records")
    assert found == [(documents[0]["deviceid"], Decimal(7908))]
    assert documents[1]["content"]["hardware"]["memory"] == 7909


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        ([f"networkequipment_{number}" for number in range(1, 6)], "Networking"),
        (["printer_1", "printer_2"], "Printer"),
        (["printer_3"], "Printer"),
    ],
)
def test_devices_that_glpi_asked_over_the_network(
    tmp_path: Path, names: list[str], kind: str
) -> None:
    """The third printer is the second one at another time: both in one file would be refused."""
    documents = _read_glpi(*names)
    file = ("devices.jsonl", _as_lines(documents))
    (result,) = land_files(tmp_path, "glpi_network_devices", "assets", file)
    found = read_records(
        tmp_path, result, "select asset_name, asset_class from records order by _row_number"
    )
    assert found == [(d["content"]["network_device"]["name"], kind) for d in documents]
    assert result.records_quarantined == 0


def test_phone_of_glpi(tmp_path: Path) -> None:
    documents = _read_glpi("phone_1")
    file = ("phones.jsonl", _as_lines(documents))
    (result,) = land_files(tmp_path, "glpi_phones", "assets", file)
    found = read_records(tmp_path, result, "select asset_id, asset_name from records")
    assert found == [("af8d3fcfa6fe4784", "Mi9TPro-T\u00e9l\u00e9phoneM")]


def test_software_of_a_computer(tmp_path: Path) -> None:
    """3,033 packages; names with a plus or a tilde are no identifiers of products."""
    name = "glpi_inventory/computer_3.json"
    (result,) = land_named(tmp_path, "glpi_softwares", "licences", name)
    (document,) = _read_glpi("computer_3")
    packages = document["content"]["softwares"]
    ids = ["/".join((p["name"], p["version"], p["arch"])) for p in packages]
    plain = [text for text in ids if not set(text) & set("+~^ ()")]
    assert (result.records_delivered, result.records_accepted) == (3033, len(plain))
    found = read_records(tmp_path, result, "select product_id from records")
    assert {product for (product,) in found} == set(plain)


def test_devices_of_netbox(tmp_path: Path) -> None:
    """72 devices; members of a chassis have no name, and some devices no tenant."""
    name = f"{NETBOX}/dcim_device.csv"
    (result,) = land_named(tmp_path, "netbox_devices", "assets", name)
    rows = read_named(name)
    owned = [row for row in rows if row["tenant_id"]]
    assert (result.records_accepted, result.records_quarantined) == (len(rows), 0)
    assert len(rows) == 72
    sql = "select count(*) from records where cost_centre_id = 'unassigned'"
    assert read_records(tmp_path, result, sql) == [(len(rows) - len(owned),)]
    unnamed = sum(not row["name"] for row in rows)
    assert f"{unnamed} records without asset_name given 'unnamed'" in result.notes
    assert sum_of(result, "EUR") == 0


def test_virtual_machines_of_netbox_and_their_clusters(tmp_path: Path) -> None:
    name = f"{NETBOX}/virtualization_virtualmachine.csv"
    (result,) = land_named(tmp_path / "assets", "netbox_virtual_machines", "assets", name)
    rows = read_named(name)
    assert (result.records_accepted, result.records_quarantined) == (180, 0)
    assert "180 records without cost_centre_id given 'UNASSIGNED'" in result.notes
    sql = "select distinct cast(purchase_date as varchar) from records"
    assert read_records(tmp_path / "assets", result, sql) == [("2021-04-04",)]
    root = tmp_path / "relations"
    (result,) = land_named(root, "netbox_placements", "asset_relations", name)
    found = read_records(root, result, "select from_id, to_id from records")
    assert set(found) == {(row["name"], row["cluster_id"]) for row in rows}


def test_tenants_of_netbox_are_cost_centres(tmp_path: Path) -> None:
    name = f"{NETBOX}/tenancy_tenant.csv"
    (result,) = land_named(tmp_path, "netbox_tenants", "cost_centres", name)
    sql = "select cost_centre_id, cost_centre_name, cast(valid_from as varchar) from records"
    expected = {(row["id"], row["name"], row["created"][:10]) for row in read_named(name)}
    assert set(read_records(tmp_path, result, sql)) == expected
    assert len(expected) == 11


def test_racks_of_netbox(tmp_path: Path) -> None:
    """42 racks; a wall cabinet has no site of its own in its key, so that site and rack name it."""
    name = f"{NETBOX}/dcim_rack.csv"
    (result,) = land_named(tmp_path, "netbox_racks", "assets", name)
    rows = read_named(name)
    sql = "select asset_id, capacity_quantity from records"
    expected = {(f"{row['site_id']}-{row['id']}", Decimal(row["u_height"])) for row in rows}
    assert set(read_records(tmp_path, result, sql)) == expected
    assert result.records_accepted == len(rows) == 42
