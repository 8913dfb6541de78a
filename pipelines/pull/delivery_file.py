"""Write one delivery into the inbox: whole under its final name, or not at all.

Lines go to a hidden file beside their final place, which landing passes over. Its lock says that a
living process writes it, so what a killed pull left behind is taken over by the next one. When all
is there, the file is synced, its control file put beside it, and it is renamed: from that moment
on it is a delivery like any other.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from pipelines.landing.delivery import CONTROL_SUFFIX
from pipelines.pull.failures import PullFailedError
from pipelines.warehouse.publication import sync_directory


class DeliveryFile:
    """The file of one pull, open until it is finished or left."""

    def __init__(self, directory: Path, source_id: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._source_id = source_id
        self._path = directory / f".{source_id}.pulling"
        self._descriptor = self._open_locked()
        self._file = os.fdopen(self._descriptor, "wb")
        self._is_in_place = False
        self.restart()

    def __enter__(self) -> DeliveryFile:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if not self._is_in_place:
            self._path.unlink(missing_ok=True)
        self._file.close()

    def restart(self) -> None:
        """Forget what was written."""
        self._file.seek(0)
        self._file.truncate()
        self._digest = hashlib.sha256()
        self._last = b""
        self.records = 0

    def write(self, lines: Iterable[bytes]) -> None:
        """Write records, one per line."""
        for line in lines:
            # The last line waits, so that `make_distinct` can still change it.
            self._put(self._last)
            self._last = line
            self.records += 1

    @property
    def sha256(self) -> str:
        """The hash of the content as it would be put into place now."""
        digest = self._digest.copy()
        digest.update(self._last)
        return digest.hexdigest()

    def make_distinct(self) -> None:
        """Put a space behind the last record: the same records, in other bytes."""
        self._last = self._last[:-1] + b" \n"

    def put_into_place(self, name: str, reported: int) -> Path:
        """Give the file its final name, with a control file of `reported` records beside it."""
        self._put(self._last)
        self._last = b""
        self._file.flush()
        os.fsync(self._descriptor)
        target = self._path.with_name(name)
        control = target.with_name(name + CONTROL_SUFFIX)
        hidden = control.with_name(f".{control.name}")
        with hidden.open("w", encoding="utf-8") as file:
            file.write(f"records: {reported}\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(hidden, control)
        os.replace(self._path, target)
        self._is_in_place = True
        sync_directory(target.parent)
        return target

    def _put(self, line: bytes) -> None:
        self._file.write(line)
        self._digest.update(line)

    def _open_locked(self) -> int:
        while True:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                raise PullFailedError(
                    self._source_id, "another pull of it is running", "Wait until it has ended."
                ) from None
            # Between opening and locking, the other pull may have put this very file into place.
            if self._path.exists() and self._path.stat().st_ino == os.fstat(descriptor).st_ino:
                return descriptor
            os.close(descriptor)
