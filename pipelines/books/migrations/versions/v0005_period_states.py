"""The way of a period from open to closed: who prepared, reviewed and approved it, what was
accepted by name, and rules that the database keeps itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# A person is no second one because of case or spaces.
PEOPLE_DIFFER = "{column} is null or lower(trim({column})) <> lower(trim(prepared_by))"
STEPS = (
    "('open', 'open'), ('open', 'calculated'), ('calculated', 'calculated'), "
    "('calculated', 'reviewed'), ('reviewed', 'approved'), ('approved', 'closed'), "
    "('calculated', 'open'), ('reviewed', 'open'), ('approved', 'open'), "
    "('reviewed', 'calculated'), ('approved', 'calculated')"
)
BROKEN_RULES = (
    ("old.state = 'closed'", "a closed period is never changed: reopen it as a new version"),
    (f"(old.state, new.state) not in (values {STEPS})", "a period takes one step after the other"),
    (
        "new.state <> 'open' and (coalesce(trim(new.prepared_by), '') = '' "
        "or new.content_hash is null)",
        "a calculated period names who prepared it and what was calculated",
    ),
    (
        "new.state in ('approved', 'closed') and coalesce(trim(new.approved_by), '') = ''",
        "an approved period names who approved it",
    ),
    (
        "new.state in ('reviewed', 'approved', 'closed') and (new.content_hash <> old.content_hash "
        "or new.prepared_by <> old.prepared_by)",
        "what was calculated is what is reviewed, approved and closed",
    ),
    (
        "new.state = 'closed' and new.approved_by <> old.approved_by",
        "who approved a period stands fast",
    ),
    (
        "new.state = 'closed' and (new.manifest_hash is null or new.previous_hash is null "
        "or new.close_number is null or coalesce(trim(new.closed_by), '') = '')",
        "a closed period names its manifest, the one before and who closed it",
    ),
    (
        "new.scenario_id <> old.scenario_id or new.period_id <> old.period_id "
        "or new.version <> old.version",
        "a period keeps its name and version",
    ),
)
UNSTARTED = "new.state <> 'open'"


def upgrade() -> None:
    for column, check in (
        ("content_hash", None),
        ("prepared_by", None),
        ("prepared_at", None),
        ("reviewed_by", "ck_periods_reviewer_differs"),
        ("reviewed_at", None),
        ("approved_by", "ck_periods_approver_differs"),
        ("approved_at", None),
        ("closed_by", None),
        ("closed_at", None),
        ("manifest_hash", None),
        ("previous_hash", None),
    ):
        size = 64 if column.endswith("_hash") else 32 if column.endswith("_at") else 120
        rule = f" constraint {check} check ({PEOPLE_DIFFER.format(column=column)})" if check else ""
        # Alembic leaves out the check of an added column; both databases take it.
        op.execute(f"alter table periods add column {column} varchar({size}){rule}")
    op.add_column("periods", sa.Column("close_number", sa.Integer, nullable=True))
    op.create_index("uq_periods_close_number", "periods", ["close_number"], unique=True)
    op.create_table(
        "period_steps",
        sa.Column("step_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("scenario_id", sa.String(40), nullable=False),
        sa.Column("period_id", sa.String(10), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("step", sa.String(20), nullable=False),
        sa.Column("run_id", sa.String(40), nullable=True),
        sa.Column("content_hash", sa.String(64), nullable=True),
        sa.Column("why", sa.Text, nullable=True),
        sa.Column("person_name", sa.String(120), nullable=False),
        sa.Column("taken_at", sa.String(32), nullable=False),
        sa.CheckConstraint(
            "step in ('calculate', 'review', 'approve', 'send_back', 'close', "
            "'ask_reopening', 'reopen')",
            name="ck_period_steps_step",
        ),
        sa.CheckConstraint(
            "step not in ('send_back', 'ask_reopening', 'reopen') or trim(why) <> ''",
            name="ck_period_steps_why",
        ),
    )
    op.create_index(
        "ix_period_steps_period", "period_steps", ["scenario_id", "period_id", "version"]
    )
    op.create_table(
        "accepted_blockers",
        sa.Column("acceptance_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("scenario_id", sa.String(40), nullable=False),
        sa.Column("period_id", sa.String(10), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("blocker_id", sa.String(200), nullable=False),
        sa.Column("finding", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("person_name", sa.String(120), nullable=False),
        sa.Column("accepted_at", sa.String(32), nullable=False),
        sa.CheckConstraint("trim(why) <> ''", name="ck_accepted_blockers_why"),
    )
    op.create_index(
        "ix_accepted_blockers_period",
        "accepted_blockers",
        ["scenario_id", "period_id", "version"],
    )
    op.create_table(
        "journal_exports",
        sa.Column("export_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("reference", sa.String(40), nullable=False),
        sa.Column("period_id", sa.String(10), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("layout", sa.String(80), nullable=False),
        sa.Column("file_name", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("total", sa.Text, nullable=False),
        sa.Column("person_name", sa.String(120), nullable=False),
        sa.Column("exported_at", sa.String(32), nullable=False),
        sa.UniqueConstraint("reference", "layout", name="uq_journal_exports_reference"),
    )
    if op.get_bind().dialect.name == "sqlite":
        _guard_in_sqlite()
    else:
        _guard_in_postgresql()


def _guard_in_sqlite() -> None:
    # One trigger, because SQLite runs several in no order that it promises.
    rules = " ".join(f"when {rule} then raise(abort, '{text}')" for rule, text in BROKEN_RULES)
    op.execute(
        f"create trigger periods_rules before update on periods begin select case {rules} end; end"
    )
    op.execute(
        f"create trigger periods_start_open before insert on periods when {UNSTARTED} "
        "begin select raise(abort, 'a period begins open'); end"
    )
    for table, what in (
        ("periods", "a period"),
        ("period_steps", "a step of a period"),
        ("accepted_blockers", "an acceptance"),
        ("journal_exports", "an export"),
    ):
        op.execute(
            f"create trigger {table}_no_delete before delete on {table} "
            f"begin select raise(abort, '{what} is never deleted'); end"
        )
    for table in ("period_steps", "accepted_blockers", "journal_exports"):
        op.execute(
            f"create trigger {table}_no_update before update on {table} "
            f"begin select raise(abort, 'the history of a period is only appended to'); end"
        )


def _guard_in_postgresql() -> None:
    rules = " ".join(
        f"if {condition} then raise exception '{message}'; end if;"
        for condition, message in BROKEN_RULES
    )
    op.execute(
        "create function check_period_step() returns trigger as $$ begin "
        f"{rules} return new; end $$ language plpgsql"
    )
    op.execute(
        "create trigger periods_rules before update on periods "
        "for each row execute function check_period_step()"
    )
    op.execute(
        "create function check_period_start() returns trigger as $$ begin "
        f"if {UNSTARTED} then raise exception 'a period begins open'; end if; "
        "return new; end $$ language plpgsql"
    )
    op.execute(
        "create trigger periods_start_open before insert on periods "
        "for each row execute function check_period_start()"
    )
    op.execute(
        "create function refuse_period_change() returns trigger as $$ begin "
        "raise exception 'the history of a period is only appended to'; end $$ language plpgsql"
    )
    op.execute(
        "create trigger periods_no_delete before delete on periods "
        "for each row execute function refuse_period_change()"
    )
    for table in ("period_steps", "accepted_blockers", "journal_exports"):
        op.execute(
            f"create trigger {table}_append_only before update or delete on {table} "
            "for each row execute function refuse_period_change()"
        )
    # A truncation passes by the triggers of rows.
    for table in (
        *("periods", "period_steps", "accepted_blockers", "journal_exports"),
        "audit_log",
    ):
        op.execute(
            f"create trigger {table}_no_truncate before truncate on {table} "
            "for each statement execute function refuse_period_change()"
        )


def downgrade() -> None:
    raise NotImplementedError("books are never downgraded: restore a backup instead")
