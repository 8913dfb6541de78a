"""Disputes and adjustments with their conversation, previews of bills and the answers to them, and
rules that the database keeps itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# What was said of the bill when the dispute was opened.
FIXED = (
    *("dispute_id", "raised_by", "scenario_id", "period_id", "version", "bill_item_id"),
    *("item_kind", "service_id", "service_name", "cost_centre_id", "cost_centre_name"),
    *("business_unit_id", "business_unit_name", "currency_code", "line_cents", "asked_cents"),
    *("reason", "opened_by", "opened_at"),
)
BROKEN_RULES = (
    ("old.state <> 'open'", "a dispute that is decided is never changed"),
    ("new.state = 'open'", "a dispute is changed by its decision alone"),
    (
        " or ".join(f"new.{column} <> old.{column}" for column in FIXED)
        + " or coalesce(new.charge_id, '') <> coalesce(old.charge_id, '')"
        " or old.adjustment_kind <> coalesce(new.adjustment_kind, '')",
        "what is disputed stands fast",
    ),
    (
        "new.state = 'accepted' and exists (select 1 from periods "
        "where scenario_id = new.scenario_id and period_id = new.posting_period_id "
        "and state in ('approved', 'closed') and version = (select max(version) from periods "
        "where scenario_id = new.scenario_id and period_id = new.posting_period_id))",
        "an adjustment is posted in a period that is neither approved nor closed",
    ),
)
UNSTARTED = "new.state <> 'open'"
SELF_ACKNOWLEDGED = (
    "new.answer = 'acknowledged' and exists (select 1 from bill_previews "
    "where preview_id = new.preview_id "
    "and lower(trim(sent_by)) = lower(trim(new.person_name)))"
)
SENDER = "who sent a preview does not acknowledge it"
APPEND_ONLY = ("dispute_messages", "bill_previews", "bill_answers")


def upgrade() -> None:
    _create_disputes()
    _create_answers()
    if op.get_bind().dialect.name == "sqlite":
        _guard_in_sqlite()
    else:
        _guard_in_postgresql()


def _create_disputes() -> None:
    op.create_table(
        "disputes",
        sa.Column("dispute_id", sa.String(20), primary_key=True),
        sa.Column("raised_by", sa.String(20), nullable=False),
        sa.Column("scenario_id", sa.String(40), nullable=False),
        sa.Column("period_id", sa.String(10), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("bill_item_id", sa.String(200), nullable=False),
        sa.Column("item_kind", sa.String(20), nullable=False),
        sa.Column("charge_id", sa.String(200), nullable=True),
        sa.Column("service_id", sa.String(200), nullable=False),
        sa.Column("service_name", sa.Text, nullable=False),
        sa.Column("cost_centre_id", sa.String(200), nullable=False),
        sa.Column("cost_centre_name", sa.Text, nullable=False),
        sa.Column("business_unit_id", sa.String(200), nullable=False),
        sa.Column("business_unit_name", sa.Text, nullable=False),
        sa.Column("currency_code", sa.String(3), nullable=False),
        sa.Column("line_cents", sa.BigInteger, nullable=False),
        sa.Column("asked_cents", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("opened_by", sa.String(120), nullable=False),
        sa.Column("opened_at", sa.String(32), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("decided_by", sa.String(120), nullable=True),
        sa.Column("decided_at", sa.String(32), nullable=True),
        sa.Column("decision_reason", sa.Text, nullable=True),
        sa.Column("adjustment_kind", sa.String(20), nullable=True),
        sa.Column("adjusted_cents", sa.BigInteger, nullable=True),
        sa.Column("posting_period_id", sa.String(10), nullable=True),
        *(sa.CheckConstraint(rule, name=f"ck_disputes_{name}") for name, rule in CHECKS.items()),
    )
    # Two people who dispute one line at once: one of them is refused.
    op.create_index(
        "uq_disputes_open_item",
        "disputes",
        ["scenario_id", "period_id", "bill_item_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "dispute_messages",
        sa.Column("message_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column(
            "dispute_id", sa.String(20), sa.ForeignKey("disputes.dispute_id"), nullable=False
        ),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("person_name", sa.String(120), nullable=False),
        sa.Column("written_at", sa.String(32), nullable=False),
        sa.CheckConstraint("trim(message) <> ''", name="ck_dispute_messages_message"),
    )
    op.create_index("ix_dispute_messages_dispute", "dispute_messages", ["dispute_id"])


CHECKS = {
    "state": "state in ('open', 'accepted', 'rejected', 'withdrawn')",
    "raised_by": "raised_by in ('business_unit', 'finance')",
    "reason": "trim(reason) <> '' and trim(opened_by) <> ''",
    "asked": "asked_cents <> 0 and (asked_cents < 0 or raised_by = 'finance')",
    "decision": "state = 'open' or (coalesce(trim(decided_by), '') <> '' "
    "and decided_at is not null and coalesce(trim(decision_reason), '') <> '')",
    # A person is no second one because of case or spaces.
    "decider_differs": "state not in ('accepted', 'rejected') "
    "or lower(trim(decided_by)) <> lower(trim(opened_by))",
    "withdrawn_by_opener": "state <> 'withdrawn' "
    "or lower(trim(decided_by)) = lower(trim(opened_by))",
    "adjustment": "(state = 'accepted') = (adjusted_cents is not null) "
    "and (state = 'accepted') = (posting_period_id is not null) "
    "and (state <> 'accepted' or adjustment_kind is not null)",
    "adjusted": "adjusted_cents is null "
    "or (asked_cents < 0 and adjusted_cents < 0 and adjusted_cents >= asked_cents) "
    "or (asked_cents > 0 and adjusted_cents > 0 and adjusted_cents <= asked_cents)",
    "kind": "adjustment_kind is null or adjustment_kind = 'adjustment' "
    "or (adjustment_kind = 'service_credit' and asked_cents < 0)",
    "posting": "posting_period_id is null or posting_period_id >= period_id",
}


def _create_answers() -> None:
    op.create_table(
        "bill_previews",
        sa.Column("preview_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("scenario_id", sa.String(40), nullable=False),
        sa.Column("period_id", sa.String(10), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("answer_until", sa.String(10), nullable=False),
        sa.Column("sent_by", sa.String(120), nullable=False),
        sa.Column("sent_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "bill_answers",
        sa.Column("answer_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column(
            "preview_id", sa.Integer, sa.ForeignKey("bill_previews.preview_id"), nullable=False
        ),
        sa.Column("scenario_id", sa.String(40), nullable=False),
        sa.Column("period_id", sa.String(10), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("business_unit_id", sa.String(200), nullable=False),
        sa.Column("bill_hash", sa.String(64), nullable=False),
        sa.Column("answer", sa.String(20), nullable=False),
        sa.Column("comment", sa.Text, nullable=True),
        sa.Column("person_name", sa.String(120), nullable=False),
        sa.Column("answered_at", sa.String(32), nullable=False),
        sa.CheckConstraint(
            "answer in ('acknowledged', 'commented')", name="ck_bill_answers_answer"
        ),
        sa.CheckConstraint(
            "answer <> 'commented' or coalesce(trim(comment), '') <> ''",
            name="ck_bill_answers_comment",
        ),
    )
    for table in ("bill_previews", "bill_answers"):
        op.create_index(f"ix_{table}_period", table, ["scenario_id", "period_id", "version"])


def _guard_in_sqlite() -> None:
    # One trigger, because SQLite runs several in no order that it promises.
    rules = " ".join(f"when {rule} then raise(abort, '{text}')" for rule, text in BROKEN_RULES)
    op.execute(
        "create trigger disputes_rules before update on disputes "
        f"begin select case {rules} end; end"
    )
    op.execute(
        f"create trigger disputes_start_open before insert on disputes when {UNSTARTED} "
        "begin select raise(abort, 'a dispute begins open'); end"
    )
    op.execute(
        "create trigger disputes_no_delete before delete on disputes "
        "begin select raise(abort, 'a dispute is never deleted'); end"
    )
    op.execute(
        "create trigger bill_answers_people before insert on bill_answers "
        f"when {SELF_ACKNOWLEDGED} begin select raise(abort, '{SENDER}'); end"
    )
    for table in APPEND_ONLY:
        for verb in ("update", "delete"):
            op.execute(
                f"create trigger {table}_no_{verb} before {verb} on {table} "
                "begin select raise(abort, 'what was said of a bill is only appended to'); end"
            )


def _guard_in_postgresql() -> None:
    rules = " ".join(
        f"if {condition} then raise exception '{message}'; end if;"
        for condition, message in BROKEN_RULES
    )
    op.execute(
        "create function check_dispute_step() returns trigger as $$ begin "
        f"{rules} return new; end $$ language plpgsql"
    )
    op.execute(
        "create trigger disputes_rules before update on disputes "
        "for each row execute function check_dispute_step()"
    )
    op.execute(
        "create function check_dispute_start() returns trigger as $$ begin "
        f"if {UNSTARTED} then raise exception 'a dispute begins open'; end if; "
        "return new; end $$ language plpgsql"
    )
    op.execute(
        "create trigger disputes_start_open before insert on disputes "
        "for each row execute function check_dispute_start()"
    )
    op.execute(
        "create function check_bill_answer() returns trigger as $$ begin "
        f"if {SELF_ACKNOWLEDGED} then raise exception '{SENDER}'; end if; "
        "return new; end $$ language plpgsql"
    )
    op.execute(
        "create trigger bill_answers_people before insert on bill_answers "
        "for each row execute function check_bill_answer()"
    )
    op.execute(
        "create function refuse_dispute_removal() returns trigger as $$ begin "
        "raise exception 'a dispute is never deleted'; end $$ language plpgsql"
    )
    op.execute(
        "create trigger disputes_no_delete before delete on disputes "
        "for each row execute function refuse_dispute_removal()"
    )
    op.execute(
        "create function refuse_answer_change() returns trigger as $$ begin "
        "raise exception 'what was said of a bill is only appended to'; end $$ language plpgsql"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"create trigger {table}_append_only before update or delete on {table} "
            "for each row execute function refuse_answer_change()"
        )
    # A truncation passes by the triggers of rows.
    for table, function in (
        ("disputes", "refuse_dispute_removal"),
        *((name, "refuse_answer_change") for name in APPEND_ONLY),
    ):
        op.execute(
            f"create trigger {table}_no_truncate before truncate on {table} "
            f"for each statement execute function {function}()"
        )


def downgrade() -> None:
    raise NotImplementedError("books are never downgraded: restore a backup instead")
