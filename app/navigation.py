"""The pages: which reader each is for, its file and its address."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PageSpec:
    """One page. `file` is relative to the entry point, `url_path` to the address of the app."""

    reader: str
    file: str
    title: str
    icon: str
    url_path: str
    question: str
    is_of_one_service: bool = False


COST_PER_SERVICE = PageSpec(
    "Executive",
    "views/executive/cost_per_service.py",
    "Cost per service",
    ":material/stacked_bar_chart:",
    "cost_per_service",
    "What does each IT service cost, against budget and the months before?",
)
SERVICE_DETAIL = PageSpec(
    "Executive",
    "views/executive/service_detail.py",
    "One service",
    ":material/search_insights:",
    "service",
    "What is a service made of, who uses it, and who pays by which driver?",
    is_of_one_service=True,
)
MONTHLY_CHARGEBACK = PageSpec(
    "Finance",
    "views/finance/monthly_chargeback.py",
    "Monthly chargeback",
    ":material/receipt_long:",
    "chargeback",
    "What is each business unit billed, does it tie to the ledger, and what is still open?",
)
PRICES = PageSpec(
    "Finance",
    "views/finance/prices.py",
    "Prices and recovery",
    ":material/sell:",
    "prices",
    "Do the prices recover the cost, per service, this month and this fiscal year?",
)
CLOSE = PageSpec(
    "Finance",
    "views/finance/close.py",
    "Close",
    ":material/lock_clock:",
    "close",
    "Can the period be closed, what blocks it, and what is late?",
)
DATA_CHECKS = PageSpec(
    "Finance",
    "views/finance/data_checks.py",
    "Data checks",
    ":material/fact_check:",
    "data_checks",
    "Can the figures be trusted: is every delivery whole, fresh and plausible?",
)
CLOUD_COVERAGE = PageSpec(
    "Finance",
    "views/finance/cloud_coverage.py",
    "Cloud coverage",
    ":material/cloud_done:",
    "cloud_coverage",
    "What part of the cloud bill has an owner, and what would give the rest one?",
)
DISPUTES = PageSpec(
    "Finance",
    "views/finance/disputes.py",
    "Disputes and answers",
    ":material/gavel:",
    "disputes",
    "What of the bills is in dispute, how long has it waited, and what do their owners say?",
)
SERVICE_BENCHMARK = PageSpec(
    "Service owner",
    "views/owner/service_benchmark.py",
    "Service benchmark",
    ":material/speed:",
    "benchmark",
    "How does the unit cost compare, and which quality is delivered for it?",
    is_of_one_service=True,
)
SERVICE_CATALOGUE = PageSpec(
    "Service owner",
    "views/owner/service_catalogue.py",
    "Service catalogue",
    ":material/menu_book:",
    "catalogue",
    "What is offered, at which price and service level, and how is it ordered?",
)
METHOD = PageSpec(
    "Service owner",
    "views/owner/method.py",
    "Method sheet",
    ":material/rule:",
    "method",
    "What do you pay for, how is your part found, and how do you pay less?",
    is_of_one_service=True,
)
FAIRNESS = PageSpec(
    "Service owner",
    "views/owner/fairness.py",
    "Fairness",
    ":material/balance:",
    "fairness",
    "Is each cost share between the incremental and the stand-alone cost of its consumer?",
    is_of_one_service=True,
)
GLOSSARY = PageSpec(
    "Service owner",
    "views/owner/glossary.py",
    "Glossary",
    ":material/dictionary:",
    "glossary",
    "What do the terms on bills, pages and sheets mean?",
)
FIRST_STEPS = PageSpec(
    "Start",
    "views/first_steps.py",
    "First steps",
    ":material/flag:",
    "first_steps",
    "What to run before there are figures.",
)

PAGES = (
    COST_PER_SERVICE,
    SERVICE_DETAIL,
    MONTHLY_CHARGEBACK,
    CLOSE,
    PRICES,
    DISPUTES,
    DATA_CHECKS,
    CLOUD_COVERAGE,
    SERVICE_BENCHMARK,
    SERVICE_CATALOGUE,
    METHOD,
    FAIRNESS,
    GLOSSARY,
)
