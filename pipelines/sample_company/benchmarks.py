"""Reference figures to compare with. They are made up for the sample company and say so."""

from __future__ import annotations

from pipelines.cost_model.schema import Service
from pipelines.sample_company.basics import Row

SURVEY = "Illustrative peer survey (sample data)"
NOTE = "Made-up figure for the sample company; not a published benchmark."

FIGURES: tuple[tuple[str, str, str, str, str, int], ...] = (
    ("workplace-laptop", "unit_cost", "138.00", "164.00", "197.00", 2026),
    ("email-collaboration", "unit_cost", "52.00", "66.00", "81.00", 2026),
    ("sap-erp", "unit_cost", "470.00", "590.00", "740.00", 2026),
    ("crm", "unit_cost", "225.00", "280.00", "350.00", 2026),
    ("plm-cad", "unit_cost", "560.00", "690.00", "860.00", 2025),
    ("printing", "unit_cost", "0.11", "0.15", "0.21", 2025),
    ("mobile", "unit_cost", "46.00", "59.00", "74.00", 2026),
    ("file-storage", "unit_cost", "0.28", "0.41", "0.56", 2026),
    ("storage-platform", "unit_cost", "165.00", "215.00", "285.00", 2026),
    ("compute-cluster", "unit_cost", "85.00", "120.00", "170.00", 2026),
    ("database-platform", "unit_cost", "1450.00", "1900.00", "2500.00", 2025),
    ("service-desk", "unit_cost", "21.00", "28.00", "37.00", 2026),
    ("app-development", "unit_cost", "105.00", "128.00", "155.00", 2026),
    ("reporting", "unit_cost", "850.00", "1150.00", "1600.00", 2026),
    ("sap-erp", "availability", "99.5", "99.7", "99.9", 2026),
    ("mes", "availability", "99.6", "99.8", "99.9", 2026),
    ("mes", "sla_attainment", "91", "94", "97", 2026),
    ("workplace-laptop", "sla_attainment", "90", "93", "96", 2026),
)
"""Service, metric, lower quartile, median, upper quartile, year. Rates are in percent."""


def list_benchmark_rows(services: dict[str, Service]) -> list[Row]:
    """Rows of the contract benchmarks."""
    rows = []
    for number, (service, metric, low, median, high, year) in enumerate(FIGURES, start=1):
        is_amount = metric == "unit_cost"
        rows.append(
            {
                "benchmark_id": f"BM-{year}-{number:02d}",
                "service_id": service,
                "metric": metric,
                "unit_code": services[service].unit if is_amount else "percent",
                "currency_code": "EUR" if is_amount else "",
                "low_value": low,
                "median_value": median,
                "high_value": high,
                "source_name": SURVEY,
                "publication_year": str(year),
                "note": NOTE,
            }
        )
    return rows
