"""Reference figures to compare with. They are made up for the sample company and say so."""

from __future__ import annotations

from pipelines.cost_model.schema import Service
from pipelines.sample_company.basics import Row

SURVEY = "Illustrative peer survey (sample data)"
NOTE = "Made-up figure for the sample company; not a published benchmark."

FIGURES: tuple[tuple[str, str, str, str, str, int], ...] = (
    ("workplace-laptop", "unit_cost", "62.00", "74.00", "91.00", 2026),
    ("email-collaboration", "unit_cost", "46.00", "58.00", "72.00", 2026),
    ("sap-erp", "unit_cost", "330.00", "420.00", "560.00", 2026),
    ("crm", "unit_cost", "210.00", "270.00", "350.00", 2026),
    ("plm-cad", "unit_cost", "480.00", "610.00", "790.00", 2025),
    ("printing", "unit_cost", "0.09", "0.13", "0.19", 2025),
    ("mobile", "unit_cost", "27.00", "34.00", "44.00", 2026),
    ("file-storage", "unit_cost", "0.24", "0.33", "0.47", 2026),
    ("storage-platform", "unit_cost", "110.00", "150.00", "205.00", 2026),
    ("compute-cluster", "unit_cost", "42.00", "58.00", "83.00", 2026),
    ("database-platform", "unit_cost", "680.00", "890.00", "1240.00", 2025),
    ("service-desk", "unit_cost", "380.00", "510.00", "690.00", 2026),
    ("service-desk", "cost_per_ticket", "380.00", "510.00", "690.00", 2026),
    ("sap-erp", "availability", "99.5", "99.7", "99.9", 2026),
    ("mes", "availability", "99.6", "99.8", "99.9", 2026),
    ("mes", "sla_attainment", "91", "94", "97", 2026),
    ("service-desk", "sla_attainment", "90", "93", "96", 2026),
)
"""Service, metric, lower quartile, median, upper quartile, year. Rates are in percent."""


def list_benchmark_rows(services: dict[str, Service]) -> list[Row]:
    """Rows of the contract benchmarks."""
    rows = []
    for number, (service, metric, low, median, high, year) in enumerate(FIGURES, start=1):
        is_amount = metric in ("unit_cost", "cost_per_ticket")
        unit = services[service].unit if metric == "unit_cost" else "percent"
        rows.append(
            {
                "benchmark_id": f"BM-{year}-{number:02d}",
                "service_id": service,
                "metric": metric,
                "unit_code": "ticket" if metric == "cost_per_ticket" else unit,
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
