"""The tables of the books: what was loaded, what was decided on quarantined records, what was run,
which periods stand where, what is disputed and answered, who did what.

The books are small and transactional. They are the commit point of a load and of a run; files in
the lake and the warehouse that no row of the books names do not exist.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)

metadata = MetaData()

loads = Table(
    "loads",
    metadata,
    Column("load_id", Integer, primary_key=True, autoincrement=True),
    Column("source_id", String(80), nullable=False),
    Column("contract_id", String(80), nullable=False),
    Column("scenario_id", String(40), nullable=False),
    Column("mapping_id", String(80), nullable=False),
    Column("file_name", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("records_delivered", BigInteger, nullable=False),
    Column("records_accepted", BigInteger, nullable=False),
    Column("records_quarantined", BigInteger, nullable=False),
    # Sums by currency as JSON text of decimals: {"EUR": {"accepted": "1.00", "quarantined": "0"}}.
    Column("amounts", Text, nullable=False),
    Column("notes", Text, nullable=False, default="[]"),
    Column("landed_at", String(32), nullable=False),
    Column("landed_by", String(120), nullable=False),
    Column("superseded_by", Integer, ForeignKey("loads.load_id"), nullable=True),
    # SHA-256 of what decided how the bytes were read; null for loads older than this column.
    Column("mapping_hash", String(64), nullable=True),
    # 1, and one more each time the same content was read again under another mapping.
    Column("reading", Integer, nullable=False, server_default="1"),
    Column("is_original_kept", Boolean, nullable=False, server_default=true()),
    # Whether no amount was written with decimals: such a file may be in cents.
    Column("are_amounts_whole", Boolean, nullable=False, server_default=false()),
    # Why the load waits for a person, and what was decided; it counts if 'released'.
    Column("hold_kind", String(20), nullable=True),
    Column("hold_reason", Text, nullable=True),
    Column("hold_decision", String(20), nullable=True),
    CheckConstraint(
        "records_delivered = records_accepted + records_quarantined",
        name="ck_loads_counts",
    ),
    UniqueConstraint("source_id", "sha256", name="uq_loads_source_content"),
)

load_periods = Table(
    "load_periods",
    metadata,
    Column("load_id", Integer, ForeignKey("loads.load_id"), primary_key=True),
    Column("period_id", String(10), primary_key=True),
    # The load whose records of the period count instead, while other periods of this one count.
    Column("superseded_by", Integer, nullable=True),
)
Index("ix_load_periods_period", load_periods.c.period_id)
Index("ix_loads_superseded", loads.c.source_id, loads.c.superseded_by)

load_amounts = Table(
    "load_amounts",
    metadata,
    Column("load_id", Integer, ForeignKey("loads.load_id"), primary_key=True),
    Column("period_id", String(10), primary_key=True),
    Column("currency_code", String(40), primary_key=True),
    Column("records_accepted", BigInteger, nullable=False),
    # Exact decimals as text: the sum of the accepted records, and of their absolute amounts.
    Column("amount_local", Text, nullable=False),
    Column("gross_local", Text, nullable=False),
)

inbox_files = Table(
    "inbox_files",
    metadata,
    Column("source_id", String(80), primary_key=True),
    Column("path", String(500), primary_key=True),
    Column("bytes", BigInteger, nullable=False),
    Column("modified_ns", BigInteger, nullable=False),
    Column("looked_at_ns", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
)

hold_decisions = Table(
    "hold_decisions",
    metadata,
    Column("decision_id", Integer, primary_key=True, autoincrement=True),
    Column("load_id", Integer, ForeignKey("loads.load_id"), nullable=False),
    Column("decision", String(20), nullable=False),
    Column("why", Text, nullable=False),
    Column("person_name", String(120), nullable=False),
    Column("decided_at", String(32), nullable=False),
    CheckConstraint("decision in ('released', 'discarded')", name="ck_hold_decisions_decision"),
    CheckConstraint("trim(why) <> ''", name="ck_hold_decisions_why"),
)

quarantine_decisions = Table(
    "quarantine_decisions",
    metadata,
    Column("decision_id", Integer, primary_key=True, autoincrement=True),
    Column("load_id", Integer, ForeignKey("loads.load_id"), nullable=False),
    Column("row_number", BigInteger, nullable=False),
    Column("decision", String(20), nullable=False),
    # The fields that a person set, as delivered and as corrected: JSON objects of texts.
    Column("values_before", Text, nullable=False),
    Column("values_after", Text, nullable=False),
    # The reading of the load whose records were decided on.
    Column("reading", Integer, nullable=False, server_default="1"),
    # SHA-256 and name of the file in the lake that holds the released record.
    Column("correction_id", String(64), nullable=True),
    Column("why", Text, nullable=False),
    Column("person_name", String(120), nullable=False),
    Column("decided_at", String(32), nullable=False),
    CheckConstraint("decision in ('release', 'discard')", name="ck_quarantine_decisions_decision"),
    CheckConstraint(
        "(decision = 'release') = (correction_id is not null)",
        name="ck_quarantine_decisions_correction",
    ),
    CheckConstraint("trim(why) <> ''", name="ck_quarantine_decisions_why"),
)
Index(
    "ix_quarantine_decisions_record",
    quarantine_decisions.c.load_id,
    quarantine_decisions.c.row_number,
)

runs = Table(
    "runs",
    metadata,
    Column("run_id", String(40), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("state", String(20), nullable=False),
    Column("started_at", String(32), nullable=False),
    Column("finished_at", String(32), nullable=True),
    Column("person_name", String(120), nullable=False),
    Column("steps", Text, nullable=False, default="[]"),
    Column("error", Text, nullable=True),
    CheckConstraint("state in ('running', 'published', 'failed')", name="ck_runs_state"),
)

periods = Table(
    "periods",
    metadata,
    Column("scenario_id", String(40), primary_key=True),
    Column("period_id", String(10), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("state", String(20), nullable=False),
    Column("run_id", String(40), ForeignKey("runs.run_id"), nullable=True),
    # Hash of the figures that were calculated: what is reviewed, approved and closed is one thing.
    Column("content_hash", String(64), nullable=True),
    Column("prepared_by", String(120), nullable=True),
    Column("prepared_at", String(32), nullable=True),
    Column("reviewed_by", String(120), nullable=True),
    Column("reviewed_at", String(32), nullable=True),
    Column("approved_by", String(120), nullable=True),
    Column("approved_at", String(32), nullable=True),
    Column("closed_by", String(120), nullable=True),
    Column("closed_at", String(32), nullable=True),
    # Hash of the manifest of the frozen files, and of the manifest of the close before this one.
    Column("manifest_hash", String(64), nullable=True),
    Column("previous_hash", String(64), nullable=True),
    # 1 for the first close of these books, and one more for each that followed.
    Column("close_number", Integer, nullable=True),
    CheckConstraint(
        "state in ('open', 'calculated', 'reviewed', 'approved', 'closed')",
        name="ck_periods_state",
    ),
    CheckConstraint(
        "reviewed_by is null or lower(trim(reviewed_by)) <> lower(trim(prepared_by))",
        name="ck_periods_reviewer_differs",
    ),
    CheckConstraint(
        "approved_by is null or lower(trim(approved_by)) <> lower(trim(prepared_by))",
        name="ck_periods_approver_differs",
    ),
)

Index("uq_periods_close_number", periods.c.close_number, unique=True)

period_steps = Table(
    "period_steps",
    metadata,
    Column("step_id", Integer, primary_key=True, autoincrement=True),
    Column("scenario_id", String(40), nullable=False),
    Column("period_id", String(10), nullable=False),
    Column("version", Integer, nullable=False),
    Column("step", String(20), nullable=False),
    Column("run_id", String(40), nullable=True),
    Column("content_hash", String(64), nullable=True),
    Column("why", Text, nullable=True),
    Column("person_name", String(120), nullable=False),
    Column("taken_at", String(32), nullable=False),
    CheckConstraint(
        "step in ('calculate', 'review', 'approve', 'send_back', 'close', "
        "'ask_reopening', 'reopen')",
        name="ck_period_steps_step",
    ),
    CheckConstraint(
        "step not in ('send_back', 'ask_reopening', 'reopen') or trim(why) <> ''",
        name="ck_period_steps_why",
    ),
)
Index(
    "ix_period_steps_period",
    period_steps.c.scenario_id,
    period_steps.c.period_id,
    period_steps.c.version,
)

accepted_blockers = Table(
    "accepted_blockers",
    metadata,
    Column("acceptance_id", Integer, primary_key=True, autoincrement=True),
    Column("scenario_id", String(40), nullable=False),
    Column("period_id", String(10), nullable=False),
    Column("version", Integer, nullable=False),
    Column("blocker_id", String(200), nullable=False),
    # What was found when it was accepted; another finding is another blocker.
    Column("finding", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("person_name", String(120), nullable=False),
    Column("accepted_at", String(32), nullable=False),
    CheckConstraint("trim(why) <> ''", name="ck_accepted_blockers_why"),
)
Index(
    "ix_accepted_blockers_period",
    accepted_blockers.c.scenario_id,
    accepted_blockers.c.period_id,
    accepted_blockers.c.version,
)

journal_exports = Table(
    "journal_exports",
    metadata,
    Column("export_id", Integer, primary_key=True, autoincrement=True),
    Column("reference", String(40), nullable=False),
    Column("period_id", String(10), nullable=False),
    Column("version", Integer, nullable=False),
    Column("layout", String(80), nullable=False),
    Column("file_name", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("total", Text, nullable=False),
    Column("person_name", String(120), nullable=False),
    Column("exported_at", String(32), nullable=False),
    UniqueConstraint("reference", "layout", name="uq_journal_exports_reference"),
)

# An attempt to send a statement to one address. It is written down before it is made, so that two
# who send at once meet here, and an attempt that was cut off is known.
dispatches = Table(
    "dispatches",
    metadata,
    Column("dispatch_id", Integer, primary_key=True, autoincrement=True),
    Column("period_id", String(10), nullable=False),
    Column("version", Integer, nullable=False),
    Column("is_preview", Boolean, nullable=False),
    Column("business_unit_id", String(200), nullable=False),
    Column("channel", String(20), nullable=False),
    Column("address", String(400), nullable=False),
    Column("attempt", Integer, nullable=False),
    # Names and SHA-256 of the files as a JSON object, and the SHA-256 of that text.
    Column("files", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("state", String(20), nullable=False),
    Column("error", Text, nullable=True),
    Column("person_name", String(120), nullable=False),
    Column("started_at", String(32), nullable=False),
    Column("finished_at", String(32), nullable=True),
    CheckConstraint("state in ('sending', 'sent', 'failed')", name="ck_dispatches_state"),
    CheckConstraint("channel in ('mail', 'folder')", name="ck_dispatches_channel"),
    CheckConstraint("(state = 'failed') = (error is not null)", name="ck_dispatches_error"),
    UniqueConstraint(
        "period_id",
        "version",
        "is_preview",
        "business_unit_id",
        "channel",
        "address",
        "attempt",
        name="uq_dispatches_attempt",
    ),
)
# A dispute of a business unit, or an adjustment that finance proposes by itself: one person asks,
# another one decides. Cents are hundredths of the reporting currency; a credit is negative.
disputes = Table(
    "disputes",
    metadata,
    Column("dispute_id", String(20), primary_key=True),
    Column("raised_by", String(20), nullable=False),
    Column("scenario_id", String(40), nullable=False),
    Column("period_id", String(10), nullable=False),
    Column("version", Integer, nullable=False),
    # The item of the bill, with its names as they stood there.
    Column("bill_item_id", String(200), nullable=False),
    Column("item_kind", String(20), nullable=False),
    Column("charge_id", String(200), nullable=True),
    Column("service_id", String(200), nullable=False),
    Column("service_name", Text, nullable=False),
    Column("cost_centre_id", String(200), nullable=False),
    Column("cost_centre_name", Text, nullable=False),
    Column("business_unit_id", String(200), nullable=False),
    Column("business_unit_name", Text, nullable=False),
    Column("currency_code", String(3), nullable=False),
    Column("line_cents", BigInteger, nullable=False),
    # By how much the bill should change.
    Column("asked_cents", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("opened_by", String(120), nullable=False),
    Column("opened_at", String(32), nullable=False),
    Column("state", String(20), nullable=False),
    Column("decided_by", String(120), nullable=True),
    Column("decided_at", String(32), nullable=True),
    Column("decision_reason", Text, nullable=True),
    Column("adjustment_kind", String(20), nullable=True),
    Column("adjusted_cents", BigInteger, nullable=True),
    # The period on whose bill the adjustment stands; it never moves.
    Column("posting_period_id", String(10), nullable=True),
    CheckConstraint(
        "state in ('open', 'accepted', 'rejected', 'withdrawn')", name="ck_disputes_state"
    ),
    CheckConstraint("raised_by in ('business_unit', 'finance')", name="ck_disputes_raised_by"),
    CheckConstraint("trim(reason) <> '' and trim(opened_by) <> ''", name="ck_disputes_reason"),
    CheckConstraint(
        "asked_cents <> 0 and (asked_cents < 0 or raised_by = 'finance')",
        name="ck_disputes_asked",
    ),
    CheckConstraint(
        "state = 'open' or (coalesce(trim(decided_by), '') <> '' "
        "and decided_at is not null and coalesce(trim(decision_reason), '') <> '')",
        name="ck_disputes_decision",
    ),
    CheckConstraint(
        "state not in ('accepted', 'rejected') "
        "or lower(trim(decided_by)) <> lower(trim(opened_by))",
        name="ck_disputes_decider_differs",
    ),
    CheckConstraint(
        "state <> 'withdrawn' or lower(trim(decided_by)) = lower(trim(opened_by))",
        name="ck_disputes_withdrawn_by_opener",
    ),
    CheckConstraint(
        "(state = 'accepted') = (adjusted_cents is not null) "
        "and (state = 'accepted') = (posting_period_id is not null) "
        "and (state <> 'accepted' or adjustment_kind is not null)",
        name="ck_disputes_adjustment",
    ),
    CheckConstraint(
        "adjusted_cents is null "
        "or (asked_cents < 0 and adjusted_cents < 0 and adjusted_cents >= asked_cents) "
        "or (asked_cents > 0 and adjusted_cents > 0 and adjusted_cents <= asked_cents)",
        name="ck_disputes_adjusted",
    ),
    CheckConstraint(
        "adjustment_kind is null or adjustment_kind = 'adjustment' "
        "or (adjustment_kind = 'service_credit' and asked_cents < 0)",
        name="ck_disputes_kind",
    ),
    CheckConstraint(
        "posting_period_id is null or posting_period_id >= period_id", name="ck_disputes_posting"
    ),
)
Index(
    "uq_disputes_open_item",
    disputes.c.scenario_id,
    disputes.c.period_id,
    disputes.c.bill_item_id,
    unique=True,
    sqlite_where=text("state = 'open'"),
    postgresql_where=text("state = 'open'"),
)

dispute_messages = Table(
    "dispute_messages",
    metadata,
    Column("message_id", Integer, primary_key=True, autoincrement=True),
    Column("dispute_id", String(20), ForeignKey("disputes.dispute_id"), nullable=False),
    Column("message", Text, nullable=False),
    Column("person_name", String(120), nullable=False),
    Column("written_at", String(32), nullable=False),
    CheckConstraint("trim(message) <> ''", name="ck_dispute_messages_message"),
)
Index("ix_dispute_messages_dispute", dispute_messages.c.dispute_id)

bill_previews = Table(
    "bill_previews",
    metadata,
    Column("preview_id", Integer, primary_key=True, autoincrement=True),
    Column("scenario_id", String(40), nullable=False),
    Column("period_id", String(10), nullable=False),
    Column("version", Integer, nullable=False),
    # Hash of the calculated figures that were sent.
    Column("content_hash", String(64), nullable=False),
    # The last day on which an answer is expected.
    Column("answer_until", String(10), nullable=False),
    Column("sent_by", String(120), nullable=False),
    Column("sent_at", String(32), nullable=False),
)
Index(
    "ix_bill_previews_period",
    bill_previews.c.scenario_id,
    bill_previews.c.period_id,
    bill_previews.c.version,
)

bill_answers = Table(
    "bill_answers",
    metadata,
    Column("answer_id", Integer, primary_key=True, autoincrement=True),
    Column("preview_id", Integer, ForeignKey("bill_previews.preview_id"), nullable=False),
    Column("scenario_id", String(40), nullable=False),
    Column("period_id", String(10), nullable=False),
    Column("version", Integer, nullable=False),
    Column("business_unit_id", String(200), nullable=False),
    # Hash of the items of the unit's bill: an answer is to that bill and to no other.
    Column("bill_hash", String(64), nullable=False),
    Column("answer", String(20), nullable=False),
    Column("comment", Text, nullable=True),
    Column("person_name", String(120), nullable=False),
    Column("answered_at", String(32), nullable=False),
    CheckConstraint("answer in ('acknowledged', 'commented')", name="ck_bill_answers_answer"),
    CheckConstraint(
        "answer <> 'commented' or coalesce(trim(comment), '') <> ''",
        name="ck_bill_answers_comment",
    ),
)
Index(
    "ix_bill_answers_period",
    bill_answers.c.scenario_id,
    bill_answers.c.period_id,
    bill_answers.c.version,
)
calendar_ticks = Table(
    "calendar_ticks",
    metadata,
    Column("tick_id", Integer, primary_key=True, autoincrement=True),
    Column("period_id", String(10), nullable=False),
    Column("version", Integer, nullable=False),
    # Id of a task of the workspace's close calendar.
    Column("task_id", String(80), nullable=False),
    # False takes an earlier tick back, with a reason.
    Column("is_done", Boolean, nullable=False),
    Column("why", Text, nullable=True),
    Column("person_name", String(120), nullable=False),
    Column("ticked_at", String(32), nullable=False),
    CheckConstraint("is_done or coalesce(trim(why), '') <> ''", name="ck_calendar_ticks_why"),
    CheckConstraint("trim(person_name) <> ''", name="ck_calendar_ticks_person"),
)
Index("ix_calendar_ticks_period", calendar_ticks.c.period_id, calendar_ticks.c.version)

audit_log = Table(
    "audit_log",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("recorded_at", String(32), nullable=False),
    Column("person_name", String(120), nullable=False),
    Column("action", String(80), nullable=False),
    Column("subject", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("record_hash", String(64), nullable=False, unique=True),
)

# A pull is no load: its file counts when it has landed. What has been read of a system is therefore
# not stored but found: the cursor of the latest pull whose file is among the loads.
pulls = Table(
    "pulls",
    metadata,
    Column("pull_id", Integer, primary_key=True, autoincrement=True),
    Column("source_id", String(80), nullable=False),
    # Hash of what is asked, so that the cursor of another question is not taken for this one's.
    Column("connection_hash", String(64), nullable=False),
    Column("file_name", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("records", BigInteger, nullable=False),
    Column("cursor_before", Text, nullable=True),
    Column("cursor_after", Text, nullable=True),
    Column("pulled_at", String(32), nullable=False),
    Column("pulled_by", String(120), nullable=False),
)
Index("ix_pulls_content", pulls.c.source_id, pulls.c.sha256)
