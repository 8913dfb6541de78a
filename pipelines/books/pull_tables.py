"""The table of the books that says what was pulled from systems.

A pull is no load: its file counts when it has landed. What has been read of a system is therefore
not stored but found: the cursor of the latest pull whose file is among the loads.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from pipelines.books.tables import metadata

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
