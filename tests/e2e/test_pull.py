"""From systems to published figures with the real command: a database and a ticket system."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.command import ask_sql, run_apportion
from tests.postgres_server import PostgresDatabase
from tests.rest_services import PASSWORD, USER, ServiceNow, serve
from tests.unit.pull.conftest import CREDENTIALS, INCIDENT_FIELDS, incident

CENTRES = """cost_centre_id,cost_centre_name,business_unit_id,business_unit_name,division_name,\
legal_entity_id,legal_entity_name,manager_name,is_it,valid_from,valid_to
CC1,One,B1,Unit one,,E1,Entity,,false,2020-01-01,
"""
LEDGER = """
create table postings (number text, booked date, account text, amount numeric);
insert into postings values ('L1', '2026-03-31', '6000', 100.00);
insert into postings values ('L2', '2026-03-31', '6001', -0.01)
"""
QUERY = """
select number as line_id, to_char(booked, 'YYYY-MM') as period_id, booked as posting_date,
    'E1' as legal_entity_id, account as account_id, 'CC1' as cost_centre_id,
    'EUR' as currency_code, amount as amount_local
from postings
"""
TICKETS = (
    "select incident_count, median_resolution_minutes from fct_service_quality_monthly "
    "where period_id = '2026-03' and service_id = 'it-services'"
)


def _connect_sources(workspace: Path, url: str) -> None:
    path = workspace / "apportion.yml"
    settings: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    settings["sources"]["general_ledger"] |= {
        "inbox": "general_ledger/*.jsonl",
        "mapping": "canonical_jsonl",
        "redelivery": "replace_period",
        "connection": {"kind": "sql", "url_variable": "ERP_URL", "query": QUERY},
    }
    settings["sources"]["tickets"] |= {
        "inbox": "tickets/*.jsonl",
        "mapping": "servicenow_table_incidents",
        "redelivery": "update_records",
        "connection": {
            "kind": "servicenow",
            "url": url,
            "table": "incident",
            "fields": INCIDENT_FIELDS,
            **CREDENTIALS,
        },
    }
    path.write_text(yaml.safe_dump(settings), "utf-8")


def test_pulled_ledger_and_tickets_are_published(
    postgres_database: PostgresDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = tmp_path / "ws"
    monkeypatch.setenv("ERP_URL", postgres_database.address)
    monkeypatch.setenv("REST_USER", USER)
    monkeypatch.setenv("REST_PASSWORD", PASSWORD)
    postgres_database.execute(*LEDGER.split(";"))
    run_apportion("init", workspace, "--template", "empty")
    for name, text in {
        "cost_centres": CENTRES,
        "headcount": "period_id,cost_centre_id,headcount_quantity\n2026-03,CC1,1\n",
    }.items():
        (workspace / "inbox" / name).mkdir(parents=True)
        (workspace / "inbox" / name / "a.csv").write_text(text, "utf-8")
    crm = {"business_service|shown": "it-services"}
    with serve(ServiceNow()) as service:
        _connect_sources(workspace, service.url)
        service.records = [incident(n, f"09:0{n}:00", **crm) for n in range(3)]
        # 2026-03-02 08:00 to 08:30.
        service.records[0]["resolved_at"] = "2026-03-02 08:30:00"
        answer = json.loads(run_apportion("pull", "--json", "-w", workspace).stdout)
        assert [(item["source_id"], item["records"]) for item in answer] == [
            ("general_ledger", 2),
            ("tickets", 3),
        ]
        run_apportion("run", "--no-bills", "-w", workspace)
        assert ask_sql(workspace, "select sum(amount_local) as a from fct_ledger_lines") == [
            {"a": "99.990000000000"}
        ]
        assert ask_sql(workspace, TICKETS) == [
            {"incident_count": 3, "median_resolution_minutes": "30.0"}
        ]
        # Two change: resolved after 60 and 90 minutes. The median of 30, 60 and 90 is 60.
        service.records[1] = incident(1, "11:00:00", resolved_at="2026-03-02 09:00:00", **crm)
        service.records[2] = incident(2, "11:00:00", resolved_at="2026-03-02 09:30:00", **crm)
        run_apportion("pull", "tickets", "-w", workspace)
        run_apportion("run", "--no-bills", "-w", workspace)
        assert ask_sql(workspace, TICKETS) == [
            {"incident_count": 3, "median_resolution_minutes": "60.0"}
        ]
        run_apportion("doctor", "-w", workspace)
        done = run_apportion("pull", "nowhere", "-w", workspace, expect=2)
        assert "no such source" in done.stderr
    done = run_apportion("pull", "--full", "general_ledger", "-w", workspace)
    assert "general_ledger: nothing new" in done.stdout
