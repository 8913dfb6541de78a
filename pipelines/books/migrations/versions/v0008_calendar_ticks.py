"""Ticks of the close calendar: who said of a task that it is done, or that it is not after all."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MESSAGE = "ticks can only be appended to: one is taken back by another"


def upgrade() -> None:
    op.create_table(
        "calendar_ticks",
        sa.Column("tick_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("period_id", sa.String(10), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("task_id", sa.String(80), nullable=False),
        sa.Column("is_done", sa.Boolean, nullable=False),
        sa.Column("why", sa.Text, nullable=True),
        sa.Column("person_name", sa.String(120), nullable=False),
        sa.Column("ticked_at", sa.String(32), nullable=False),
        sa.CheckConstraint(
            "is_done or coalesce(trim(why), '') <> ''", name="ck_calendar_ticks_why"
        ),
        sa.CheckConstraint("trim(person_name) <> ''", name="ck_calendar_ticks_person"),
    )
    op.create_index("ix_calendar_ticks_period", "calendar_ticks", ["period_id", "version"])
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(
                f"create trigger calendar_ticks_no_{verb} before {verb} on calendar_ticks "
                f"begin select raise(abort, '{MESSAGE}'); end"
            )
        return
    op.execute(
        "create function refuse_tick_change() returns trigger as $$ begin "
        f"raise exception '{MESSAGE}'; end $$ language plpgsql"
    )
    op.execute(
        "create trigger calendar_ticks_append_only before update or delete on calendar_ticks "
        "for each row execute function refuse_tick_change()"
    )
    op.execute(
        "create trigger calendar_ticks_no_truncate before truncate on calendar_ticks "
        "for each statement execute function refuse_tick_change()"
    )


def downgrade() -> None:
    raise NotImplementedError("books are never downgraded: restore a backup instead")
