"""tagging.yml is read strictly; what can never match or is spelled wrong is refused at its line."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from pipelines.allocation.tag_coverage import Drift, UnmappedKey
from pipelines.cost_model.compile import RunStamp, compile_tables
from pipelines.cost_model.compile_tagging import make_pointer
from pipelines.cost_model.load import load_cost_model
from pipelines.cost_model.tagging import Tagging
from pipelines.cost_model.tagging_snippets import (
    escape_glob,
    propose_rules,
    propose_spellings,
)
from pipelines.errors import ConfigurationError
from pipelines.workspace.workspace import Workspace

GOLDEN = Path(__file__).parents[2] / "golden" / "tag_rules" / "inputs"
TAGGING = "cost_model/tagging.yml"
STAMP = RunStamp("run-1", "f" * 64, "2026-01-31 12:00:00", "code")

RULES = """\
tag_keys:
  cost-center: [CostCenter, costcentre]
tag_values:
  service:
    merge: {base-load: [BaseLoad, Base Load]}
rules:
  - id: shop
    priority: 10
    match: {sub_account: ["acc-*"], tags: {project: ["shop*"]}}
    service: shop
    reason: One.
  - id: centre
    priority: 20
    match: {}
    consumer_from_tag: costcentre
    reason: Two.
"""


def add_rule(match: str, gives: str = "service: data", more: str = "") -> tuple[str, str]:
    rule = f"  - {{id: last, priority: 30, match: {match}, {gives}, reason: Three.{more}}}\n"
    return "    reason: Two.\n", f"    reason: Two.\n{rule}"


# text, its replacement, line, what the problem says
CASES: dict[str, tuple[str, str, int, str]] = {
    "unknown service": ("service: shop", "service: shopp", 10, "unknown service 'shopp'"),
    "unknown key": ("sub_account:", "subaccount:", 9, "unknown key 'subaccount'"),
    "gives nothing": ("    service: shop\n", "", 7, "this gives nothing"),
    "gives two": ("service: shop", "service: shop\n    service_from_tag: app", 7, "not both"),
    "empty globs": ('["acc-*"]', "[]", 9, "at least 1 item"),
    "a source that is no bill": ("match: {}", "match: {source: [headcount]}", 14, "detail feed"),
    "rule twice": ("id: centre", "id: shop", 7, "the id occurs 2 times"),
    "one priority": ("priority: 20", "priority: 10", 13, "has priority 10, as has rule shop"),
    "there and missing": (
        'tags: {project: ["shop*"]}', 'tags: {project: ["a"]}, missing_tags: [project]', 9,
        "no line both has and lacks the tag project"),
    "spelling of two keys": (
        "costcentre]", "costcentre]\n  owner: [CostCenter]", 2, "'CostCenter' occurs 2 times"),
    "spelling and key": (
        "costcentre]", "costcentre, owner]\n  owner: [Owner]", 2, "is a key of its own and"),
    "values under a spelling": ("  service:\n", "  CostCenter:\n", 4, "a spelling of another key"),
    "value merged twice": (
        "[BaseLoad, Base Load]", "[BaseLoad], peak: [BaseLoad]", 5, "'BaseLoad' is merged 2 times"),
    "merges in a chain": (
        "[BaseLoad, Base Load]", "[BaseLoad], BaseLoad: [BL]", 5, "and is what others become"),
    "a value as it was before the merge": (
        *add_rule('{tags: {service: [BaseLoad]}}'), 17, "no line has the value 'BaseLoad'"),
    "taken by the same": (
        *add_rule('{sub_account: ["acc-1"], tags: {project: [shop-a]}}'), 17,
        "can never match: rule shop takes all of its lines before"),
    "taken by a wider pattern": (
        *add_rule('{sub_account: ["acc-x*"], tags: {project: ["shop*"], a: [b]}}'),
        17, "rule shop"),
    "taken by a tag that its lines have": (
        *add_rule('{tags: {CostCenter: ["*"]}}', "consumer: cc-shop"), 17, "rule centre"),
    "taken by two": (
        *add_rule('{sub_account: [acc-1], tags: {project: [shop], cost-center: [a]}}',
                  "service: data, consumer: cc-shop"), 17, "rule shop and centre"),
}  # fmt: skip

ALIVE = {
    "a wider account": add_rule('{sub_account: ["a*"], tags: {project: [shop]}}'),
    "without the tag": add_rule("{sub_account: [acc-1]}"),
    "another value": add_rule('{sub_account: [acc-1], tags: {project: ["s*"]}}'),
    "one of two accounts": add_rule("{sub_account: [acc-1, bcc], tags: {project: [shop]}}"),
    "a line without the tag of the consumer": add_rule("{}", "consumer: cc-shop"),
    "a consumer for lines whose service is taken": add_rule(
        "{sub_account: [acc-1], tags: {project: [shop]}}", "service: data, consumer: cc-shop"
    ),
}


def write_workspace(root: Path, tagging: str | None) -> Workspace:
    shutil.copytree(GOLDEN, root)
    path = root / TAGGING
    path.unlink() if tagging is None else path.write_text(tagging, "utf-8")
    return Workspace.open(root)


@pytest.mark.parametrize("case", CASES)
def test_wrong_file_is_refused_at_its_line(tmp_path: Path, case: str) -> None:
    old, new, line, fragment = CASES[case]
    assert old in RULES
    workspace = write_workspace(tmp_path / "ws", RULES.replace(old, new, 1))
    with pytest.raises(ConfigurationError) as caught:
        load_cost_model(workspace)
    problems = [str(problem) for problem in caught.value.problems]
    assert any(p.startswith(f"{TAGGING}:{line}") and fragment in p for p in problems), problems


@pytest.mark.parametrize("case", [None, *ALIVE])
def test_a_rule_that_may_match_is_left_alone(tmp_path: Path, case: str | None) -> None:
    old, new = ALIVE[case] if case else ("", "")
    model = load_cost_model(write_workspace(tmp_path / "ws", RULES.replace(old, new, 1)))
    assert len(model.tagging.rules) == (3 if case else 2)


def test_an_earlier_rule_that_ended_takes_nothing_later(tmp_path: Path) -> None:
    ended = RULES.replace("service: shop\n", "service: shop\n    valid_to: 2026-02-01\n")
    old, new = add_rule("{sub_account: [acc-1], tags: {project: [shop]}}")
    load_cost_model(write_workspace(tmp_path / "ws", ended.replace(old, new)))
    dated = new.replace("reason: Three.", "reason: Three., valid_to: 2026-01-15")
    with pytest.raises(ConfigurationError, match="can never match"):
        load_cost_model(write_workspace(tmp_path / "dated", ended.replace(old, dated)))


def test_a_rule_behind_the_feed_does_not_take_lines_from_one_before_it(tmp_path: Path) -> None:
    behind = RULES.replace("service: shop\n", "service: shop\n    overrides_feed: false\n")
    old, new = add_rule("{sub_account: [acc-1], tags: {project: [shop]}}")
    load_cost_model(write_workspace(tmp_path / "ws", behind.replace(old, new)))


def test_without_the_file_there_are_no_rules(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path / "ws", None)
    model = load_cost_model(workspace)
    assert model.tagging == Tagging()
    tables = compile_tables(workspace.config, model, STAMP)
    assert tables["tagging_rules"][1] == []
    # The feed's own tag is looked at all the same, and nothing else.
    assert tables["tagging_keys"][1] == [("service", "service", 1)]
    assert tables["tagging_scope"][1] == [(*[False] * 8, [["/service"]], [[]])]


def test_only_what_rules_look_at_is_read(tmp_path: Path) -> None:
    """Sorted keys: cost-center 1, project 2, service 3; of the columns the sub-account alone."""
    workspace = write_workspace(tmp_path / "ws", RULES)
    tables = compile_tables(workspace.config, load_cost_model(workspace), STAMP)
    (scope,) = tables["tagging_scope"][1]
    assert scope[:8] == (False, False, True, False, False, False, False, False)
    pointers = [["/cost-center", "/CostCenter", "/costcentre"], ["/project"], ["/service"]]
    assert scope[8] == pointers
    assert scope[9][2] == [
        {"found": "BaseLoad", "merged": "base-load"},
        {"found": "Base Load", "merged": "base-load"},
    ]
    shop, centre = tables["tagging_rules"][1]
    assert [{"position": 2, "globs": ["shop*"]}] in shop
    assert centre[-9:-7] == (None, 1)


def test_a_pointer_names_any_key() -> None:
    """RFC 6901: the tilde is ~0, the slash ~1."""
    assert make_pointer("aws:cost/center~2") == "/aws:cost~1center~02"


KEY = UnmappedKey("bill", "service", "sub_account", "", "acc[1]*", Decimal("1234.5"), 3)


def test_proposed_rules_are_refused_until_they_are_completed(tmp_path: Path) -> None:
    tag = UnmappedKey("cloud_bill", "consumer", "tag", "env", 'a "b"', Decimal(2), 1)
    keys = [UnmappedKey("cloud_bill", *list(vars(KEY).values())[1:]), tag, tag]
    text = propose_rules(keys, 40)
    rules = yaml.safe_load(text)["rules"]
    assert [rule["priority"] for rule in rules] == [40, 50, 60]
    assert rules[0]["match"] == {"source": ["cloud_bill"], "sub_account": ["acc[[]1][*]"]}
    assert rules[1]["match"]["tags"] == {"env": ['a "b"']}
    assert [rule["id"] for rule in rules][1:] == ["consumer-tag-env-a-b", "consumer-tag-env-a-b-2"]
    with pytest.raises(ConfigurationError, match="unknown service 'SERVICE'"):
        load_cost_model(write_workspace(tmp_path / "ws", propose_rules(keys[:2], 40)))
    done = propose_rules(keys[:2], 40).replace("SERVICE", "shop")
    assert len(load_cost_model(write_workspace(tmp_path / "done", done)).tagging.rules) == 2


def test_an_unknown_value_is_named_and_no_rule() -> None:
    text = propose_rules(
        [UnmappedKey("b", "service", "unknown_value", "", "typo", Decimal(5), 1)], 1
    )
    assert yaml.safe_load(text) == {"rules": []}
    assert '5.00 in 1 lines name the unknown service "typo"' in text


def test_proposed_spellings_do_not_chain(tmp_path: Path) -> None:
    """C is like B in spelling, B is like A but for a letter: both become A."""
    drift = [
        Drift("near", "service", "Base Loda", "Base Load", Decimal(2), 1),
        Drift("spelling", "service", "Base Load", "BaseLoad", Decimal(9), 4),
        Drift("key", "env", "Env", "env", Decimal(1), 1),
    ]
    text = propose_spellings(drift)
    tagging = load_cost_model(write_workspace(tmp_path / "ws", text)).tagging
    assert tagging.tag_keys == {"env": ["Env"]}
    assert tagging.tag_values["service"].merge == {"BaseLoad": ["Base Loda", "Base Load"]}
    assert "# 9.00 in 4 lines" in text
    assert propose_spellings([]) == ""


@pytest.mark.parametrize("text", ["a*b", "[x]", "what?", "plain"])
def test_an_escaped_glob_matches_its_text_alone(text: str) -> None:
    from fnmatch import fnmatchcase

    assert fnmatchcase(text, escape_glob(text))
    assert not fnmatchcase(f"{text}x", escape_glob(text))
