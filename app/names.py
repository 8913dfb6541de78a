"""Labels of the closed lists in the marts: what a code is called on a page."""

from __future__ import annotations

SCENARIO_NAMES = {"actual": "Actual", "budget": "Budget"}
BASIS_NAMES = {"delivered": "Delivered cost", "direct": "Direct cost"}
HIERARCHY_NAMES = {"as_was": "As it was", "as_is": "As it is today"}
POLICY_NAMES = {
    "at_cost": "charged at cost",
    "showback": "showback: shown, not charged",
    "cost_plus": "charged at cost plus a percentage",
    "rate": "charged by the price of the rate card",
    "market": "charged by a market price",
    "fixed": "charged by a fixed fee",
}
SHORT_POLICY_NAMES = {
    "at_cost": "at cost",
    "showback": "showback",
    "cost_plus": "cost plus",
    "rate": "rate card",
    "market": "market price",
    "fixed": "fixed fee",
}

PLACE_NAMES = {
    "(unallocated)": "Not allocated",
    "(unmapped)": "Not mapped",
    "(idle)": "Idle capacity",
    "(capitalised)": "Capitalised",
    "(out_of_scope)": "Out of scope",
    "(recovery)": "Recovery postings",
    "(other)": "Other",
}
"""Money that has no place at a stop, and what it is called there."""

PLACE_REASONS = {
    "(unallocated)": "No driver says who uses it",
    "(unmapped)": "No rule says what it is",
    "(idle)": "Capacity that nobody uses",
    "(capitalised)": "Not a cost: becomes one by depreciation",
    "(out_of_scope)": "Not a cost of IT",
    "(recovery)": "Not a cost: what IT charged before",
}

DISPOSITION_NAMES = {
    "unallocated": "Not allocated",
    "unmapped": "Not mapped",
    "idle": "Idle capacity",
}

ITEM_NAMES = {
    "unmapped_account": "Account without a rule",
    "unmapped_pool": "Cost pool without a tower",
    "unmapped_tower": "Tower without a service",
    "unallocated": "Cost without a driver",
    "unmapped_consumer": "Consumer without a master",
    "quarantined": "Records in quarantine",
    "period_unknown": "Records of an unknown period",
    "feed_without_ledger": "Detail feed without a ledger",
    "outside_calendar": "Records outside the calendar",
    "undeclared_phasing": "Budget without a declared phasing",
    "stale_driver": "Typed-in driver no longer attested",
    "unknown_service": "Service not in the catalogue",
    "unusable_column": "Column that could not be used",
    "wrong_unit": "Quantity in the wrong unit",
    "over_capacity": "Use above practical capacity",
}

BILL_ITEM_NAMES = {
    "charge": "Charge",
    "correction": "Credit or debit note",
    "adjustment": "Adjustment",
    "service_credit": "Service credit",
    "mark_up": "Mark-up between legal entities",
    "tax": "Tax between legal entities",
    "true_up": "True-up of the fiscal year",
}

ANSWER_NAMES = {
    "none": "No answer yet",
    "acknowledged": "Acknowledged",
    "commented": "Comment",
}

CHECK_KIND_NAMES = {
    "delivered": "Delivered",
    "filled": "Filled",
    "allowed": "Known values",
    "range": "Range",
    "unique": "No doubles",
    "rule": "Rule",
    "completeness": "Completeness",
    "freshness": "Freshness",
    "volume": "Number of records",
    "amount": "Amount",
    "reference": "Known codes",
    "column": "Usable columns",
}

SPLIT_SENTENCES = {
    "driver": "The share of a consumer is its own quantity of **{driver}** divided by the quantity "
    "of all consumers, to the cent.",
    "weighted": "The share of a consumer is its own quantity of **{driver}** times its weight, "
    "divided by those of all consumers, to the cent.",
    "capacity": "The share of a consumer is its own quantity of **{driver}** divided by the "
    "practical capacity of the service. What nobody used of it is idle capacity: shown here, and "
    "charged to nobody.",
    "fixed": "Some consumers have declared percentages; the share of the others in what is left "
    "goes by **{driver}**.",
}
"""How the cost of a service with a driver is split, in words for those who pay."""

DRIVERLESS_SENTENCES = {
    "fixed": "The shares are declared percentages; no driver measures what is used.",
    "even": "The shares of all consumers are equal; no driver measures what they use.",
    "direct": "One consumer has all of the cost.",
}

TARGET_NAMES = {"service": "service", "consumer": "consumer"}
METHOD_NAMES = {
    "rule": "By a rule",
    "tag": "By a tag and a rule",
    "feed": "By the detail feed",
    "driver": "By its service's driver",
    "unknown": "Named, not known",
    "unmapped": "Not mapped",
}
"""How lines of a cloud bill are mapped, in the order in which the ways are shown."""

KEY_NAMES = {
    "unknown_value": "Named, not known",
    "billing_account": "Billing account",
    "sub_account": "Sub-account",
    "resource": "Resource",
    "service_name": "Provider's service",
    "tag": "Tag",
}
DRIFT_NAMES = {
    "key": "two keys, but for case and punctuation",
    "spelling": "equal but for case and punctuation",
    "near": "a letter or two apart",
}

MEASURE_BASIS_NAMES = {
    "declared": "Declared shares",
    "even": "Even split",
    "estimated": "Estimated driver",
    "stale": "Driver of an earlier month, or no longer attested",
    "fallback": "Even split, driver missing",
    "unallocated": "Not allocated",
    "unmapped": "Not mapped",
    "quarantined": "Records in quarantine",
}

FAIRNESS_NAMES = {
    "compared": "Compared",
    "dedicated": "Compared: each line names its consumer",
    "undeclared": "Not compared: cost behaviour not declared",
    "unmeasured": "Not compared: use not measured",
    "credit": "Not compared: a credit is larger than its cost",
}
VERDICT_NAMES = {
    "between": "Between",
    "above": "Above the stand-alone cost",
    "below": "Below the incremental cost",
}

METRIC_NAMES = {
    "unit_cost": "Unit cost",
    "cost_per_ticket": "Support cost per ticket",
    "availability": "Availability",
    "sla_attainment": "SLA attainment",
}


def is_place(entity_id: object) -> bool:
    """Whether an id stands for money without a place: '(unallocated)', '(other)' and the like."""
    return str(entity_id).startswith("(")


def name_place(entity_id: object, name: object) -> str:
    """The name of an entity; of money without a place, what it is called."""
    return PLACE_NAMES.get(str(entity_id)) or str(name)
