"""A person with a foreign file: what is it, and how would it be read?"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.e2e.command import APPORTION, run_apportion
from tests.unit.mappings.foreign_files import GLA, SAP_DE, SERVICE_NOW, write


def test_proposal_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    file = write(tmp_path, "fbl3n.csv", SAP_DE, "cp1252")
    done = run_apportion("infer", file)
    assert "general_ledger" in done.stdout
    assert "decimal_mark: ','" in done.stdout
    assert "-99.90" in done.stdout
    assert "decide: encoding" in done.stdout
    assert list(tmp_path.iterdir()) == [file]


def test_json_answer_holds_mapping_reasons_and_preview(tmp_path: Path) -> None:
    done = run_apportion("infer", write(tmp_path, "gla.csv", GLA), "--json")
    answer = json.loads(done.stdout)
    assert (answer["contract"], answer["fits"]) == ("general_ledger", True)
    assert answer["mapping"]["columns"]["amount_local"] == "Amount"
    assert answer["preview"][2]["values"]["amount_local"] == "-10.5"
    assert "currency_code: is missing; expected a value" in answer["preview"][0]["problems"]
    assert answer["open"] == ["currency_code"]
    assert answer["questions"][0]["flag"] == "--constant currency_code=VALUE"
    assert all(0 < guess["confidence"] <= 1 and guess["reason"] for guess in answer["guesses"])


def test_mapping_is_written_once(tmp_path: Path) -> None:
    file = write(tmp_path, "incident.csv", SERVICE_NOW)
    target = tmp_path / "mappings" / "itsm.yml"
    run_apportion("infer", file, "--contract", "tickets", "--write", target)
    text = target.read_text("utf-8")
    assert "mapping_id: itsm" in text
    assert "# decide: time_zone" in text
    done = run_apportion("infer", file, "--write", target, expect=2)
    assert "found a file" in done.stderr
    assert target.read_text("utf-8") == text


def test_nothing_that_fits_names_the_nearest(tmp_path: Path) -> None:
    file = write(tmp_path, "shapes.csv", "colour,shape,amount\nred,round,5.25\nblue,flat,6.50\n")
    done = run_apportion("infer", file, expect=2)
    assert "fits no contract" in done.stderr
    assert "The nearest is " in done.stderr
    # One thing to do next.
    assert done.stderr.count("Next:") == 1
    assert "--contract" in done.stderr


def test_a_list_of_names_leaves_nothing_to_do(tmp_path: Path) -> None:
    file = write(tmp_path, "tags.csv", "id,name,colour\n1,Alpha,red\n2,Beta,blue\n")
    done = run_apportion("infer", file, expect=2)
    assert "belongs to no contract" in done.stderr
    assert "There is nothing to do." in done.stderr


def test_wrong_use_is_said(tmp_path: Path) -> None:
    file = write(tmp_path, "gla.csv", GLA)
    done = run_apportion("infer", file, "--contract", "ledgers", expect=2)
    assert "general_ledger" in done.stderr
    done = run_apportion("infer", tmp_path / "missing.csv", expect=2)
    assert "missing.csv" in done.stderr


def test_text_of_the_sender_is_no_markup(tmp_path: Path) -> None:
    hostile = GLA.replace("A VENDOR", "[/red] [bold]A[/bold] \x1b[31mVENDOR")
    done = run_apportion("infer", write(tmp_path, "gla.csv", hostile))
    assert "[/red] [bold]A[/bold]" in done.stdout
    assert "\x1b" not in done.stdout


def test_named_contract_leads_to_a_file_that_can_be_finished(tmp_path: Path) -> None:
    """Nothing of the file is a budget; with the option that answers what is open it is one."""
    file = write(tmp_path, "tags.csv", "id,name,colour\n1,Alpha,red\n2,Beta,blue\n")
    target = tmp_path / "mappings" / "budget.yml"
    done = run_apportion("infer", file, "--contract", "budget", "--write", target)
    assert "Next: in " in done.stdout
    for name in ("period_id", "currency_code", "amount_local"):
        assert name in done.stdout.rpartition("Next:")[2]
    answers = ("period_id=2026-01", "currency_code=EUR", "amount_local=1.00")
    flags = [part for answer in answers for part in ("--constant", answer)]
    done = run_apportion("infer", file, "--contract", "budget", *flags, "--json")
    answer = json.loads(done.stdout)
    assert answer["open"] == []
    assert answer["preview"][0]["problems"] == []


def test_wrong_answers_are_said(tmp_path: Path) -> None:
    file = write(tmp_path, "gla.csv", GLA)
    for flag, value, said in (
        ("--constant", "colour=red", "expected a field of general_ledger"),
        ("--column", "account_id=Colour", "expected a column of gla.csv"),
        ("--setting", "colour=red", "expected one of mapping_id"),
    ):
        done = run_apportion("infer", file, flag, value, expect=2)
        assert said in done.stderr


def test_questions_are_asked_one_at_a_time(tmp_path: Path) -> None:
    """Contract, then the currency that only a person knows, then what is proposed."""
    file = write(tmp_path, "gla.csv", GLA)
    target = tmp_path / "mappings" / "gla.yml"
    done = subprocess.run(
        [str(APPORTION), "infer", str(file), "--interactive", "--write", str(target)],
        input="\nGBP\n\nCC9\n" + "\n" * 10,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    text = target.read_text("utf-8")
    assert 'currency_code: "GBP"' in text
    assert 'legal_entity_id: "main"' in text
    assert 'cost_centre_id: "CC9"' in text
