"""A real PostgreSQL server for tests: in a directory of its own, on a free port of this machine.

Any test may ask for the fixture `postgres` (one server for all of them) or `postgres_database` (a
database of its own). They are skipped where no server is installed, which `.ci/run` takes care of.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

USER = "apportion"
PASSWORD = "pg-s3cret/wörd"
"""Holds what must be quoted in an address."""
UNPRIVILEGED = ("postgres", "nobody")
START_SECONDS = 30
_numbers = itertools.count(1)


@dataclass(frozen=True)
class PostgresServer:
    """A running server."""

    port: int

    def make_address(self, database: str, password: str = PASSWORD) -> str:
        """The SQLAlchemy address of a database."""
        from sqlalchemy.engine import URL

        url = URL.create("postgresql+psycopg", USER, password, "127.0.0.1", self.port, database)
        return url.render_as_string(hide_password=False)

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection that commits every statement."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=USER,
            password=PASSWORD,
            dbname=database,
            autocommit=True,
        )


@dataclass(frozen=True)
class PostgresDatabase:
    """A database of one test."""

    server: PostgresServer
    name: str

    @property
    def address(self) -> str:
        return self.server.make_address(self.name)

    def execute(self, *statements: str) -> None:
        """Run statements, each for itself."""
        with self.server.connect(self.name) as connection:
            for statement in statements:
                connection.execute(statement.encode())


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests of the session."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server is installed (package postgresql)")
    root = Path(tempfile.mkdtemp(prefix="apportion-postgres-"))
    process = None
    try:
        port = find_free_port()
        process = _start(binaries, root, port)
        yield PostgresServer(port)
    finally:
        if process is not None:
            # A fast shutdown: connections are ended, nothing waits for them.
            process.send_signal(signal.SIGINT)
            process.wait(START_SECONDS)
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def postgres_database(postgres: PostgresServer) -> Iterator[PostgresDatabase]:
    """An empty database."""
    name = f"test_{next(_numbers)}"
    with postgres.connect() as connection:
        connection.execute(f'create database "{name}"'.encode())
    yield PostgresDatabase(postgres, name)
    with postgres.connect() as connection:
        connection.execute(f'drop database "{name}" with (force)'.encode())


def find_binaries() -> Path | None:
    """The directory with `initdb` and `postgres`, of the newest version; None without one."""
    places = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name)
    )
    places = [Path(found).parent for name in ("initdb",) if (found := shutil.which(name))] + places
    whole = [path for path in places if all((path / n).exists() for n in ("initdb", "postgres"))]
    return whole[-1] if whole else None


def find_free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _start(binaries: Path, root: Path, port: int) -> subprocess.Popen[bytes]:
    prefix = _lower_rights(root)
    password = root / "password"
    password.write_text(PASSWORD, "utf-8")
    password.chmod(0o644)
    data, log = root / "data", root / "log"
    options = ("--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync")
    subprocess.run(
        [*prefix, binaries / "initdb", "-D", data, "-U", USER, "--pwfile", password, *options],
        check=True,
        capture_output=True,
        cwd=root,
    )
    listening = ("-h", "127.0.0.1", "-p", str(port), "-c", "unix_socket_directories=")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*prefix, binaries / "postgres", "-D", data, *listening, "-c", "fsync=off"],
            stdout=output,
            stderr=output,
            cwd=root,
        )
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            PostgresServer(port).connect().close()
            return process
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text("utf-8", "replace")) from None
            time.sleep(0.05)


def _lower_rights(root: Path) -> list[str]:
    """What to begin a command with so that the server does not run as root, which it refuses; the
    directory becomes that user's."""
    if os.geteuid() != 0:
        return []
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(root, entry.pw_uid, entry.pw_gid)
        ids = [f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]
        return ["setpriv", *ids, "--"]
    pytest.skip("PostgreSQL refuses to run as root, and there is no user to run it as")
