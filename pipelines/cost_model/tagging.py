"""The typed form of the optional rule file `cost_model/tagging.yml`: from tags to services.

A cloud bill names accounts, resources and tags; the catalogue knows services, and the master
knows consumers. Rules lead from the one to the other without code. A service and a consumer are
found apart: each by the first rule that matches and gives one, else by what the detail feed says.

Tag values differ by spelling. What is one value is said here (`tag_values`) and never guessed:
`apportion coverage` proposes merges, a person writes them down.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from pipelines.cost_model.forms import Approvable, Globs, Id, Strict

TagKey = Annotated[str, Field(min_length=1, max_length=200)]
TagValue = Annotated[str, Field(min_length=1)]

LINE_ATTRIBUTES = {
    "provider": "provider_name",
    "billing_account": "billing_account_id",
    "sub_account": "sub_account_id",
    "resource": "resource_id",
    "service_category": "service_category",
    "service_name": "service_name",
    "region": "region_id",
    "charge_category": "charge_category",
}
"""Condition of a rule -> column of the cloud bill. `source` stands apart: every line has one."""


class TagMatch(Strict):
    """Which bill lines a rule is for. A list matches if one of its globs does; lists are and-ed."""

    source: Globs | None = None
    """Source of the line, as named in apportion.yml."""
    provider: Globs | None = None
    billing_account: Globs | None = None
    sub_account: Globs | None = None
    resource: Globs | None = None
    service_category: Globs | None = None
    service_name: Globs | None = None
    """Service of the provider, not of the catalogue."""
    region: Globs | None = None
    charge_category: Globs | None = None
    tags: dict[TagKey, Globs] = Field(default_factory=dict)
    """Tag key -> globs of its value; a line without the tag is not matched, not even by `*`."""
    missing_tags: list[TagKey] = Field(default_factory=list)
    """Tags that the line must not have, or have without a value."""

    @model_validator(mode="after")
    def tags_are_there_or_missing(self) -> TagMatch:
        both = sorted(set(self.tags) & set(self.missing_tags))
        if both:
            raise ValueError(f"no line both has and lacks the tag {', '.join(both)}")
        return self


class TaggingRule(Approvable):
    """Gives bill lines a service, a consumer, or both. First match by priority wins for each."""

    id: Id
    priority: int
    match: TagMatch
    service: Id | None = None
    consumer: Id | None = None
    service_from_tag: TagKey | None = None
    """The value of this tag is the service; a line without it is left to the next rule."""
    consumer_from_tag: TagKey | None = None
    overrides_feed: bool = True
    """Whether the rule comes before what the detail feed says; false: it gives only what the feed
    leaves out."""
    owner: str | None = None
    reason: str

    @model_validator(mode="after")
    def gives_something_once(self) -> TaggingRule:
        for fixed, tag in (("service", "service_from_tag"), ("consumer", "consumer_from_tag")):
            if getattr(self, fixed) is not None and getattr(self, tag) is not None:
                raise ValueError(f"a rule has either '{fixed}' or '{tag}', not both")
        if not (self.gives_service or self.gives_consumer):
            raise ValueError(
                "a rule gives a service, a consumer, or takes one from a tag; this gives nothing"
            )
        return self

    @property
    def gives_service(self) -> bool:
        return self.service is not None or self.service_from_tag is not None

    @property
    def gives_consumer(self) -> bool:
        return self.consumer is not None or self.consumer_from_tag is not None


class TagValues(Strict):
    """What is one value of a tag, however it is spelled."""

    merge: dict[TagValue, Annotated[list[TagValue], Field(min_length=1)]]
    """Value -> the spellings that are read as it, letter by letter."""


class Tagging(Strict):
    """tagging.yml"""

    tag_keys: dict[TagKey, Annotated[list[TagKey], Field(min_length=1)]] = Field(
        default_factory=dict
    )
    """Tag key -> other spellings of the key; where a line has several, the first one counts."""
    tag_values: dict[TagKey, TagValues] = Field(default_factory=dict)
    rules: list[TaggingRule] = Field(default_factory=list)

    def name_key(self, spelling: str) -> str:
        """The tag key that `spelling` stands for: itself unless `tag_keys` says otherwise."""
        for key, spellings in self.tag_keys.items():
            if spelling in spellings:
                return key
        return spelling

    def list_merges(self, key: str) -> list[tuple[str, str]]:
        """(found value, value that it is read as) of one tag."""
        values = self.tag_values.get(key)
        if values is None:
            return []
        return [(found, merged) for merged, names in values.merge.items() for found in names]
