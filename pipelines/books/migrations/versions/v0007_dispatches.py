"""To whom a statement was sent, how often it was tried, and what became of it.

Decisions on held deliveries had no guard; now they have that of quarantined records.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# What an attempt was stands fast, and so does its outcome.
FIXED = (
    *("dispatch_id", "period_id", "version", "is_preview", "business_unit_id", "channel"),
    *("address", "attempt", "files", "sha256", "person_name", "started_at"),
)
BROKEN = "old.state <> 'sending' or new.state = 'sending' or " + " or ".join(
    f"new.{column} <> old.{column}" for column in FIXED
)
UNSTARTED = "new.state <> 'sending'"
REWRITTEN = "what was sent is never rewritten"
DELETED = "a dispatch is never deleted"
STARTED = "a dispatch begins as sending"
DECIDED = "decisions can only be appended to: a later one takes the place of an earlier one"


def upgrade() -> None:
    op.create_table(
        "dispatches",
        sa.Column("dispatch_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("period_id", sa.String(10), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("is_preview", sa.Boolean, nullable=False),
        sa.Column("business_unit_id", sa.String(200), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("address", sa.String(400), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("files", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("error", sa.Text, nullable=True),
        sa.Column("person_name", sa.String(120), nullable=False),
        sa.Column("started_at", sa.String(32), nullable=False),
        sa.Column("finished_at", sa.String(32), nullable=True),
        sa.CheckConstraint("state in ('sending', 'sent', 'failed')", name="ck_dispatches_state"),
        sa.CheckConstraint("channel in ('mail', 'folder')", name="ck_dispatches_channel"),
        sa.CheckConstraint("(state = 'failed') = (error is not null)", name="ck_dispatches_error"),
        sa.UniqueConstraint(
            *("period_id", "version", "is_preview", "business_unit_id"),
            *("channel", "address", "attempt"),
            name="uq_dispatches_attempt",
        ),
    )
    if op.get_bind().dialect.name == "sqlite":
        _guard_in_sqlite()
    else:
        _guard_in_postgresql()


def _guard_in_sqlite() -> None:
    for name, event, condition, message in (
        ("start", "insert", f"when {UNSTARTED}", STARTED),
        ("rules", "update", f"when {BROKEN}", REWRITTEN),
        ("no_delete", "delete", "", DELETED),
    ):
        op.execute(
            f"create trigger dispatches_{name} before {event} on dispatches {condition} "
            f"begin select raise(abort, '{message}'); end"
        )
    for verb in ("update", "delete"):
        op.execute(
            f"create trigger hold_decisions_no_{verb} before {verb} on hold_decisions "
            f"begin select raise(abort, '{DECIDED}'); end"
        )


def _guard_in_postgresql() -> None:
    op.execute(
        "create function check_dispatch() returns trigger as $$ begin "
        f"if tg_op = 'INSERT' then if {UNSTARTED} then raise exception '{STARTED}'; end if; "
        f"elsif {BROKEN} then raise exception '{REWRITTEN}'; end if; "
        "return new; end $$ language plpgsql"
    )
    op.execute(
        "create trigger dispatches_rules before insert or update on dispatches "
        "for each row execute function check_dispatch()"
    )
    op.execute(
        "create function refuse_dispatch_removal() returns trigger as $$ begin "
        f"raise exception '{DELETED}'; end $$ language plpgsql"
    )
    op.execute(
        "create trigger dispatches_no_delete before delete on dispatches "
        "for each row execute function refuse_dispatch_removal()"
    )
    op.execute(
        "create trigger dispatches_no_truncate before truncate on dispatches "
        "for each statement execute function refuse_dispatch_removal()"
    )
    op.execute(
        "create function refuse_hold_change() returns trigger as $$ begin "
        f"raise exception '{DECIDED}'; end $$ language plpgsql"
    )
    op.execute(
        "create trigger hold_decisions_append_only before update or delete on hold_decisions "
        "for each row execute function refuse_hold_change()"
    )
    for table in ("hold_decisions", "quarantine_decisions"):
        op.execute(
            f"create trigger {table}_no_truncate before truncate on {table} "
            "for each statement execute function refuse_hold_change()"
        )


def downgrade() -> None:
    raise NotImplementedError("books are never downgraded: restore a backup instead")
