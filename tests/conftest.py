"""Fixtures for every test."""

from __future__ import annotations

from tests.postgres_server import postgres, postgres_database

__all__ = ["postgres", "postgres_database"]
