"""From which change on a figure has a headline and a colour: `materiality` in apportion.yml."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from pipelines.errors import ApportionError

if TYPE_CHECKING:
    from pipelines.workspace.workspace import Workspace


class Materiality(BaseModel):
    """A change is material where it reaches the amount and the percentage of what it is against.

    What is below is shown as it is, without a colour, and is named as the cause of nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    amount: Annotated[Decimal, Field(ge=0, max_digits=18)] = Decimal(0)
    """In the reporting currency."""
    percent: Annotated[Decimal, Field(ge=0, le=1000)] = Decimal(1)
    """Of what the change is against; against nothing, the amount alone decides."""

    def is_material(self, change: Decimal, base: Decimal) -> bool:
        """Whether an amount that changed by `change` from `base` is worth telling."""
        size = abs(change)
        return bool(size) and size >= self.amount and size * 100 >= self.percent * abs(base)

    def describe(self, currency_code: str) -> str:
        """'1,000.00 EUR and 1 %'; what is zero is left out, and nothing of both."""
        parts = []
        if self.amount:
            parts.append(f"{self.amount:,.2f} {currency_code}")
        if self.percent:
            parts.append(f"{self.percent.normalize():f} %")
        return " and ".join(parts)


USUAL_MATERIALITY = Materiality()
"""What holds where the workspace says nothing."""


def read_materiality(workspace: Workspace) -> Materiality:
    """What the workspace says, for readers of what is published: where its settings cannot be read
    just now, which `apportion doctor` names, its figures can be, and the usual thresholds hold."""
    try:
        return workspace.config.materiality
    except ApportionError:
        return USUAL_MATERIALITY
