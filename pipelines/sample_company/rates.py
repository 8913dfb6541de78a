"""Exchange rates: a small seeded walk around plausible levels. Not published rates."""

from __future__ import annotations

from pipelines.sample_company.basics import (
    BUDGET_MONTHS,
    Month,
    Row,
    Settings,
    divide_half_up,
)

SOURCE = "Sample rates of Meridian Group (illustrative)"
LEVELS = {"CHF": (1_063_000, 1_250, 260), "USD": (941_000, -3_400, 4_200)}
"""Millionths of a EUR in 2024-11, drift a month, largest step a month."""


def average_rates(settings: Settings) -> dict[tuple[str, str], int]:
    """(period, currency) -> millionths of a EUR for one unit."""
    rates: dict[tuple[str, str], int] = {}
    for currency, (start, drift, step) in LEVELS.items():
        level = start
        rng = settings.random("rates", currency)
        for month in BUDGET_MONTHS:
            # The drift fades out over the first year: currencies do not fall for ever.
            fading = divide_half_up(drift * max(0, 18 - month.index), 18)
            level += fading + rng.randint(-step, step)
            rates[month.period_id, currency] = level
    return rates


def convert_cents(
    cents: int, currency: str, month: Month, rates: dict[tuple[str, str], int]
) -> int:
    """Cents of a currency in cents of EUR at the average rate."""
    if currency == "EUR":
        return cents
    return divide_half_up(cents * rates[month.period_id, currency], 1_000_000)


def list_rate_rows(settings: Settings) -> list[Row]:
    """Rows of the contract exchange_rates: average and closing, CHF and USD to EUR."""
    rates = average_rates(settings)
    rng = settings.random("rates", "closing")
    rows = []
    for month in BUDGET_MONTHS:
        for currency in LEVELS:
            average = rates[month.period_id, currency]
            closing = average + rng.randint(-2_500, 2_500)
            for rate_type, rate in (("average", average), ("closing", closing)):
                rows.append(
                    {
                        "rate_type": rate_type,
                        "period_id": month.period_id,
                        "from_currency_code": currency,
                        "to_currency_code": "EUR",
                        "exchange_rate": f"{rate // 1_000_000}.{rate % 1_000_000:06d}",
                        "source_name": SOURCE,
                    }
                )
    return rows
