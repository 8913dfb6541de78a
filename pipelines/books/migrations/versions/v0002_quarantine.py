"""Decisions on quarantined records: who released or discarded which, why, and with what values."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MESSAGE = "decisions can only be appended to: a later one takes the place of an earlier one"


def upgrade() -> None:
    op.create_table(
        "quarantine_decisions",
        sa.Column("decision_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("load_id", sa.Integer, sa.ForeignKey("loads.load_id"), nullable=False),
        sa.Column("row_number", sa.BigInteger, nullable=False),
        sa.Column("decision", sa.String(20), nullable=False),
        sa.Column("values_before", sa.Text, nullable=False),
        sa.Column("values_after", sa.Text, nullable=False),
        sa.Column("correction_id", sa.String(64), nullable=True),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("person_name", sa.String(120), nullable=False),
        sa.Column("decided_at", sa.String(32), nullable=False),
        sa.CheckConstraint(
            "decision in ('release', 'discard')", name="ck_quarantine_decisions_decision"
        ),
        sa.CheckConstraint(
            "(decision = 'release') = (correction_id is not null)",
            name="ck_quarantine_decisions_correction",
        ),
        sa.CheckConstraint("trim(why) <> ''", name="ck_quarantine_decisions_why"),
    )
    op.create_index(
        "ix_quarantine_decisions_record", "quarantine_decisions", ["load_id", "row_number"]
    )
    _forbid_changes()


def _forbid_changes() -> None:
    """The database itself refuses to rewrite a decision, whoever asks."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(
                f"create trigger quarantine_decisions_no_{verb} before {verb} "
                f"on quarantine_decisions begin select raise(abort, '{MESSAGE}'); end"
            )
        return
    op.execute(
        "create function refuse_decision_change() returns trigger as $$ begin "
        f"raise exception '{MESSAGE}'; end $$ language plpgsql"
    )
    op.execute(
        "create trigger quarantine_decisions_append_only before update or delete "
        "on quarantine_decisions for each row execute function refuse_decision_change()"
    )


def downgrade() -> None:
    raise NotImplementedError("books are never downgraded: restore a backup instead")
