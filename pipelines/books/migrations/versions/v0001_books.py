"""The first books: loads, runs, periods and the audit log, which can only be appended to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "loads",
        sa.Column("load_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("source_id", sa.String(80), nullable=False),
        sa.Column("contract_id", sa.String(80), nullable=False),
        sa.Column("scenario_id", sa.String(40), nullable=False),
        sa.Column("mapping_id", sa.String(80), nullable=False),
        sa.Column("file_name", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("records_delivered", sa.BigInteger, nullable=False),
        sa.Column("records_accepted", sa.BigInteger, nullable=False),
        sa.Column("records_quarantined", sa.BigInteger, nullable=False),
        sa.Column("amounts", sa.Text, nullable=False),
        sa.Column("notes", sa.Text, nullable=False),
        sa.Column("landed_at", sa.String(32), nullable=False),
        sa.Column("landed_by", sa.String(120), nullable=False),
        sa.Column("superseded_by", sa.Integer, sa.ForeignKey("loads.load_id"), nullable=True),
        sa.CheckConstraint(
            "records_delivered = records_accepted + records_quarantined",
            name="ck_loads_counts",
        ),
        sa.UniqueConstraint("source_id", "sha256", name="uq_loads_source_content"),
    )
    op.create_table(
        "load_periods",
        sa.Column("load_id", sa.Integer, sa.ForeignKey("loads.load_id"), primary_key=True),
        sa.Column("period_id", sa.String(10), primary_key=True),
    )
    op.create_index("ix_load_periods_period", "load_periods", ["period_id"])
    op.create_table(
        "runs",
        sa.Column("run_id", sa.String(40), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("started_at", sa.String(32), nullable=False),
        sa.Column("finished_at", sa.String(32), nullable=True),
        sa.Column("person_name", sa.String(120), nullable=False),
        sa.Column("steps", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=True),
        sa.CheckConstraint("state in ('running', 'published', 'failed')", name="ck_runs_state"),
    )
    op.create_table(
        "periods",
        sa.Column("scenario_id", sa.String(40), primary_key=True),
        sa.Column("period_id", sa.String(10), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("run_id", sa.String(40), sa.ForeignKey("runs.run_id"), nullable=True),
        sa.CheckConstraint(
            "state in ('open', 'calculated', 'reviewed', 'approved', 'closed')",
            name="ck_periods_state",
        ),
    )
    op.create_table(
        "audit_log",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("recorded_at", sa.String(32), nullable=False),
        sa.Column("person_name", sa.String(120), nullable=False),
        sa.Column("action", sa.String(80), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("record_hash", sa.String(64), nullable=False, unique=True),
    )
    _forbid_changes_of_the_audit_log()


def _forbid_changes_of_the_audit_log() -> None:
    """The database itself refuses to rewrite the log, whoever asks."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(
                f"create trigger audit_log_no_{verb} before {verb} on audit_log "
                "begin select raise(abort, 'the audit log can only be appended to'); end"
            )
        return
    op.execute(
        "create function refuse_audit_change() returns trigger as $$ begin "
        "raise exception 'the audit log can only be appended to'; end $$ language plpgsql"
    )
    op.execute(
        "create trigger audit_log_append_only before update or delete on audit_log "
        "for each row execute function refuse_audit_change()"
    )


def downgrade() -> None:
    raise NotImplementedError("books are never downgraded: restore a backup instead")
