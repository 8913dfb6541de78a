"""Alembic's entry: migrate the connection that the books hand over."""

from __future__ import annotations

from alembic import context

from pipelines.books.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
