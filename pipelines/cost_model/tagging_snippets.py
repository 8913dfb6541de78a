"""Write the part of tagging.yml that would map what is unmapped, for a person to complete.

The rules name their keys exactly, give only what the detail feed leaves out, and leave open what
only a person knows: the words in capitals. As long as SERVICE stands there, `apportion doctor`
refuses the file. Proposals overlap; who takes one over leaves out those that say less about the
same lines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.allocation.tag_coverage import Drift, UnmappedKey

OPEN_WORDS = {"service": "SERVICE", "consumer": "CONSUMER"}
PRIORITY_STEP = 10
LONGEST_ID = 60
UNKNOWN = "unknown_value"


def propose_rules(keys: Sequence[UnmappedKey], first_priority: int) -> str:
    """The section `rules` as YAML, one rule per key that a rule can name; empty without any."""
    lines: list[str] = []
    taken: set[str] = set()
    priority = first_priority
    for key in keys:
        if key.key_kind == UNKNOWN:
            lines += [
                f"  # {key.amount:,.2f} in {key.line_count} lines name the unknown "
                f"{key.target_kind} {_quote(key.key_value)}:",
                "  # merge it under tag_values, or add it where it is missing.",
            ]
            continue
        rule_id = _make_id(key, taken)
        lines += [
            f"  # {key.amount:,.2f} in {key.line_count} lines",
            f"  - id: {rule_id}",
            f"    priority: {priority}",
            f"    match: {describe_match(key)}",
            f"    {key.target_kind}: {OPEN_WORDS[key.target_kind]}",
            "    overrides_feed: false",
            "    owner: OWNER",
            "    reason: REASON",
        ]
        priority += PRIORITY_STEP
    return "\n".join(["rules:" if taken else "rules: []", *lines, ""]) if lines else ""


def describe_match(key: UnmappedKey) -> str:
    """The condition of a rule that matches exactly the lines that have the key, as YAML."""
    value = json.dumps(escape_glob(key.key_value), ensure_ascii=False)
    source = f"source: [{key.source_id}]"
    if key.key_kind == "tag":
        name = json.dumps(key.key_name, ensure_ascii=False)
        return f"{{{source}, tags: {{{name}: [{value}]}}}}"
    return f"{{{source}, {key.key_kind}: [{value}]}}"


def propose_spellings(drift: Iterable[Drift]) -> str:
    """The sections `tag_keys` and `tag_values` as YAML; empty without drift.

    A spelling that is proposed to be read as one that itself is to be read as another becomes the
    last one at once: merges do not chain.
    """
    found = {(item.drift_kind == "key", item.tag_key, item.found_text): item for item in drift}
    keys: dict[str, list[str]] = {}
    values: dict[str, dict[str, list[tuple[str, Drift]]]] = {}
    for (is_key, tag_key, text), item in found.items():
        if is_key:
            keys.setdefault(tag_key, []).append(text)
            continue
        target = item.proposed_text
        while (False, tag_key, target) in found:
            target = found[False, tag_key, target].proposed_text
        values.setdefault(tag_key, {}).setdefault(target, []).append((text, item))
    lines = ["tag_keys:"] if keys else []
    lines += [f"  {_quote(key)}: [{', '.join(map(_quote, names))}]" for key, names in keys.items()]
    lines += ["tag_values:"] if values else []
    for tag_key, merges in values.items():
        lines += [f"  {_quote(tag_key)}:", "    merge:"]
        for target, spellings in merges.items():
            lines.append(f"      {_quote(target)}:")
            lines += [
                f"        - {_quote(text)}  # {item.amount:,.2f} in {item.line_count} lines"
                for text, item in spellings
            ]
    return "\n".join([*lines, ""]) if lines else ""


def escape_glob(text: str) -> str:
    """A glob that matches the text and nothing else."""
    return re.sub(r"([*?\[])", r"[\1]", text)


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _make_id(key: UnmappedKey, taken: set[str]) -> str:
    """An id such as sub-account-nb-700412-09; with a number where it is taken."""
    words = (key.target_kind, key.key_kind, key.key_name, key.key_value)
    named = re.sub(r"[^a-z0-9]+", "-", " ".join(words).lower()).strip("-")[:LONGEST_ID].rstrip("-")
    rule_id, number = named, 2
    while rule_id in taken:
        rule_id, number = f"{named}-{number}", number + 1
    taken.add(rule_id)
    return rule_id
