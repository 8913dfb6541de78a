"""Periods of a load that another load took the place of, while its other periods count."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("load_periods", sa.Column("superseded_by", sa.Integer, nullable=True))


def downgrade() -> None:
    raise NotImplementedError("books are never downgraded: restore a backup instead")
