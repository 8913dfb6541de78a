"""Pulls: what was asked of a system, from where to where, and into which file it went."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pulls",
        sa.Column("pull_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("source_id", sa.String(80), nullable=False),
        sa.Column("connection_hash", sa.String(64), nullable=False),
        sa.Column("file_name", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("records", sa.BigInteger, nullable=False),
        sa.Column("cursor_before", sa.Text, nullable=True),
        sa.Column("cursor_after", sa.Text, nullable=True),
        sa.Column("pulled_at", sa.String(32), nullable=False),
        sa.Column("pulled_by", sa.String(120), nullable=False),
    )
    op.create_index("ix_pulls_content", "pulls", ["source_id", "sha256"])


def downgrade() -> None:
    raise NotImplementedError("books are never downgraded: restore a backup instead")
