"""Check tagging.yml against itself and the other files: spellings, services, rules that are dead.

A rule is dead if an earlier one takes every line that it could match. Only what is certain is
reported, see `rule_spans`.
"""

from __future__ import annotations

from collections import Counter

from pipelines.cost_model.reference_checks import RuleFile, check_rules
from pipelines.cost_model.rule_spans import covers_globs, covers_span
from pipelines.cost_model.tagging import LINE_ATTRIBUTES, Tagging, TaggingRule, TagMatch
from pipelines.workspace.config import WorkspaceConfig


def check_tagging(
    file: RuleFile, tagging: Tagging, service_ids: set[str] | None, config: WorkspaceConfig
) -> None:
    """Collect in `file` all that does not fit. `service_ids` None: a detail feed defines them."""
    feeds = {name for name, source in config.sources.items() if source.detail_feed is not None}
    check_rules(file, tagging.rules)
    _check_keys(file, tagging)
    _check_values(file, tagging)
    for index, rule in enumerate(tagging.rules):
        place = ("rules", index)
        sources = rule.match.source
        file.require_matches((*place, "match", "source"), rule.id, "detail feed", sources, feeds)
        if rule.service is not None and service_ids is not None:
            file.require_known((*place, "service"), rule.id, "service", rule.service, service_ids)
        _check_spelling(file, tagging, index, rule)
    _check_reach(file, tagging)


def _check_keys(file: RuleFile, tagging: Tagging) -> None:
    """A spelling belongs to one key, and no key is a spelling of another one."""
    counts = Counter(name for spellings in tagging.tag_keys.values() for name in spellings)
    for key, spellings in tagging.tag_keys.items():
        for index, name in enumerate(spellings):
            place = ("tag_keys", key, index)
            if counts[name] > 1:
                message = f"the spelling '{name}' occurs {counts[name]} times"
                file.complain(place, message, key, "Keep one of the places.")
            elif name in tagging.tag_keys:
                message = f"'{name}' is a key of its own and a spelling of '{key}'"
                file.complain(place, message, key, "Let it be one of the two.")


def _check_values(file: RuleFile, tagging: Tagging) -> None:
    """Values are merged once and in one step: a chain would depend on its order."""
    for key, values in tagging.tag_values.items():
        if tagging.name_key(key) != key:
            remedy = f"Write the values under '{tagging.name_key(key)}'."
            message = f"'{key}' is a spelling of another key"
            file.complain(("tag_values", key), message, key, remedy)
        counts = Counter(name for names in values.merge.values() for name in names)
        for target, names in values.merge.items():
            for index, name in enumerate(names):
                place = ("tag_values", key, "merge", target, index)
                if counts[name] > 1:
                    message = f"the value '{name}' is merged {counts[name]} times"
                    file.complain(place, message, key, "Keep one of the places.")
                elif name in values.merge:
                    message = f"'{name}' is merged into '{target}' and is what others become"
                    file.complain(place, message, key, "Merge all of them into one value.")


def _check_spelling(file: RuleFile, tagging: Tagging, index: int, rule: TaggingRule) -> None:
    """A rule that names a value as it is spelled before the merge would never match."""
    for key, globs in rule.match.tags.items():
        merged = dict(tagging.list_merges(tagging.name_key(key)))
        for number, glob in enumerate(globs):
            if glob in merged:
                remedy = f"Rules see values after the merge: write '{merged[glob]}'."
                message = f"no line has the value '{glob}' of the tag '{key}'"
                file.complain(
                    ("rules", index, "match", "tags", key, number), message, rule.id, remedy
                )


def _check_reach(file: RuleFile, tagging: Tagging) -> None:
    for index, rule in enumerate(tagging.rules):
        earlier = [
            other
            for other in tagging.rules
            if other.priority is not None
            and rule.priority is not None
            and other.priority < rule.priority
            and (other.overrides_feed or not rule.overrides_feed)
            and covers_span(other, rule)
            and _covers(tagging, other.match, rule.match)
        ]
        takers = [
            next((other.id for other in earlier if _gives_always(tagging, other, rule, kind)), None)
            for kind in ("service", "consumer")
            if getattr(rule, f"gives_{kind}")
        ]
        if takers and all(takers):
            named = " and ".join(dict.fromkeys(filter(None, takers)))
            message = f"can never match: rule {named} takes all of its lines before"
            remedy = "Give it a lower priority number, narrow the earlier rule, or remove it."
            file.complain(("rules", index, "match"), message, rule.id, remedy)


def _gives_always(tagging: Tagging, earlier: TaggingRule, rule: TaggingRule, kind: str) -> bool:
    """Whether `earlier` gives each line of `rule` a service (consumer), and not only some."""
    tag = getattr(earlier, f"{kind}_from_tag")
    if tag is None:
        return getattr(earlier, kind) is not None
    return tagging.name_key(tag) in {tagging.name_key(key) for key in rule.match.tags}


def _covers(tagging: Tagging, wide: TagMatch, narrow: TagMatch) -> bool:
    """Whether every line that `narrow` matches is matched by `wide` as well."""
    lists = [(wide.source, narrow.source)]
    lists += [(getattr(wide, name), getattr(narrow, name)) for name in LINE_ATTRIBUTES]
    if not all(covers_globs(first, second) for first, second in lists):
        return False
    tags = {tagging.name_key(key): globs for key, globs in narrow.tags.items()}
    missing = {tagging.name_key(key) for key in narrow.missing_tags}
    return all(
        covers_globs(globs, tags.get(tagging.name_key(key), [])) and tagging.name_key(key) in tags
        for key, globs in wide.tags.items()
    ) and missing.issuperset(tagging.name_key(key) for key in wide.missing_tags)
