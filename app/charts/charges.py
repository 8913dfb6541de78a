"""Charts of what is billed."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from app.charts.service_costs import draw_amounts


def draw_bills(frame: pd.DataFrame, currency: str) -> go.Figure:
    """What each business unit is billed, the largest on top, the budget as a mark.

    `frame`: business_unit_id, business_unit_name, billed_amount, budget_amount.
    """
    return draw_amounts(frame, currency, "billed_amount", "Billed")
