"""The load log: amounts per period, readings under other mappings, held loads, known files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("mapping_hash", sa.String(64), nullable=True),
        sa.Column("reading", sa.Integer, nullable=False, server_default="1"),
        sa.Column("is_original_kept", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("hold_kind", sa.String(20), nullable=True),
        sa.Column("hold_reason", sa.Text, nullable=True),
        sa.Column("hold_decision", sa.String(20), nullable=True),
    ):
        op.add_column("loads", column)
    op.create_index("ix_loads_superseded", "loads", ["source_id", "superseded_by"])
    op.add_column(
        "quarantine_decisions",
        sa.Column("reading", sa.Integer, nullable=False, server_default="1"),
    )
    op.create_table(
        "load_amounts",
        sa.Column("load_id", sa.Integer, sa.ForeignKey("loads.load_id"), primary_key=True),
        sa.Column("period_id", sa.String(10), primary_key=True),
        sa.Column("currency_code", sa.String(40), primary_key=True),
        sa.Column("records_accepted", sa.BigInteger, nullable=False),
        sa.Column("amount_local", sa.Text, nullable=False),
        sa.Column("gross_local", sa.Text, nullable=False),
    )
    op.create_table(
        "inbox_files",
        sa.Column("source_id", sa.String(80), primary_key=True),
        sa.Column("path", sa.String(500), primary_key=True),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("modified_ns", sa.BigInteger, nullable=False),
        sa.Column("looked_at_ns", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
    op.create_table(
        "hold_decisions",
        sa.Column("decision_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("load_id", sa.Integer, sa.ForeignKey("loads.load_id"), nullable=False),
        sa.Column("decision", sa.String(20), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("person_name", sa.String(120), nullable=False),
        sa.Column("decided_at", sa.String(32), nullable=False),
        sa.CheckConstraint(
            "decision in ('released', 'discarded')", name="ck_hold_decisions_decision"
        ),
        sa.CheckConstraint("trim(why) <> ''", name="ck_hold_decisions_why"),
    )


def downgrade() -> None:
    raise NotImplementedError("books are never downgraded: restore a backup instead")
