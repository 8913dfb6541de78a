"""Compile tagging.yml into tables that the build reads; they are there, empty, without the file.

The build looks at a bill line only as far as a rule does: `tagging_scope`, of one row, says which
columns matter and where the tags lie in a line's JSON. A tag is known by its position in that
row from then on. So lines that differ in nothing that a rule sees are matched once, and no tag is
read that no rule names.
"""

from __future__ import annotations

from typing import Any

from pipelines.cost_model.forms import Globs
from pipelines.cost_model.tagging import LINE_ATTRIBUTES, Tagging, TaggingRule
from pipelines.workspace.config import WorkspaceConfig

Row = tuple[Any, ...]
Table = tuple[str, list[Row]]

TAG = "tag:"


def compile_tagging(config: WorkspaceConfig, tagging: Tagging) -> dict[str, Table]:
    """The tables by name: rules, their scope, and the spellings of tag keys and values."""
    keys = list_keys(config, tagging)
    return {
        "tagging_scope": _compile_scope(tagging, keys),
        "tagging_rules": _compile_rules(tagging, keys),
        "tagging_keys": (
            "tag_key varchar, spelling varchar, position integer",
            [
                (key, spelling, keys.index(key) + 1 if key in keys else None)
                for key in dict.fromkeys([*keys, *tagging.tag_keys])
                for spelling in _spell(tagging, key)
            ],
        ),
        "tagging_merges": (
            "tag_key varchar, found_value varchar, merged_value varchar",
            [(key, *pair) for key in tagging.tag_values for pair in tagging.list_merges(key)],
        ),
    }


def list_keys(config: WorkspaceConfig, tagging: Tagging) -> list[str]:
    """The tag keys that rules or detail feeds look at, each once and in the order of its name."""
    found: set[str] = set()
    for rule in tagging.rules:
        found |= {*rule.match.tags, *rule.match.missing_tags}
        found |= {key for key in (rule.service_from_tag, rule.consumer_from_tag) if key}
    for source in config.sources.values():
        feed = source.detail_feed
        if feed is not None:
            specs = [feed.service_from, feed.consumer_from]
            specs += [feed.consumer_name_from, feed.business_unit_from]
            found |= {spec.removeprefix(TAG) for spec in specs if spec and spec.startswith(TAG)}
    return sorted({tagging.name_key(key) for key in found})


def make_pointer(tag_key: str) -> str:
    """Where a tag lies in the JSON object of a line: a JSON Pointer (RFC 6901), as DuckDB reads."""
    return "/" + tag_key.replace("~", "~0").replace("/", "~1")


def _compile_scope(tagging: Tagging, keys: list[str]) -> Table:
    looks = [
        any(getattr(rule.match, name) is not None for rule in tagging.rules)
        for name in LINE_ATTRIBUTES
    ]
    pointers = [[make_pointer(spelling) for spelling in _spell(tagging, key)] for key in keys]
    merges = [
        [{"found": found, "merged": merged} for found, merged in tagging.list_merges(key)]
        for key in keys
    ]
    columns = ", ".join(f"looks_at_{name} boolean" for name in LINE_ATTRIBUTES)
    columns += ", tag_pointers varchar[][], tag_merges struct(found varchar, merged varchar)[][]"
    return columns, [(*looks, pointers, merges)]


def _compile_rules(tagging: Tagging, keys: list[str]) -> Table:
    def place(key: str) -> int:
        return keys.index(tagging.name_key(key)) + 1

    globs = ", ".join(f"{name}_globs varchar[]" for name in LINE_ATTRIBUTES)
    columns = (
        f"rule_id varchar, priority integer, source_globs varchar[], {globs}, "
        "tag_conditions struct(position integer, globs varchar[])[], missing_positions integer[], "
        "service_id varchar, consumer_id varchar, service_tag_position integer, "
        "consumer_tag_position integer, overrides_feed boolean, owner_name varchar, "
        "reason varchar, valid_from date, valid_to date, approved_by varchar, approved_on date"
    )
    rows: list[Row] = [
        (
            rule.id,
            rule.priority,
            rule.match.source,
            *(_list_globs(rule, name) for name in LINE_ATTRIBUTES),
            [{"position": place(key), "globs": found} for key, found in rule.match.tags.items()],
            [place(key) for key in rule.match.missing_tags],
            rule.service,
            rule.consumer,
            place(rule.service_from_tag) if rule.service_from_tag else None,
            place(rule.consumer_from_tag) if rule.consumer_from_tag else None,
            rule.overrides_feed,
            rule.owner,
            rule.reason,
            rule.valid_from,
            rule.valid_to,
            rule.approved_by,
            rule.approved_on,
        )
        for rule in tagging.rules
    ]
    return columns, rows


def _list_globs(rule: TaggingRule, name: str) -> Globs | None:
    globs: Globs | None = getattr(rule.match, name)
    return globs


def _spell(tagging: Tagging, key: str) -> list[str]:
    return [key, *tagging.tag_keys.get(key, [])]
