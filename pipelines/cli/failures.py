"""Say why a command failed, in one line, and give its exit code.

A failure that the machine causes (no space, no permission) is the user's to correct: exit code 2,
and the same command works afterwards. Anything else that no command foresees is a defect: exit
code 1, with the traceback in a log file that the line names, and on the terminal with `--debug`.
"""

from __future__ import annotations

import errno
import os
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pipelines.cli.output import print_error
from pipelines.errors import EXIT_DEFECT, EXIT_USAGE

LOGS_NAME = "logs"
LOGS_KEPT = 20
NO_SPACE = (
    *("no space left on device", "database or disk is full", "disk quota exceeded"),
    "file too large",
)
"""What databases say of a full disk; each says it in a class of errors of its own."""
FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def report_failure(error: Exception, arguments: Sequence[str], *, has_traceback: bool) -> int:
    """Print what went wrong, and return the exit code."""
    reason = find_machine_failure(error)
    if reason is not None:
        if has_traceback:
            traceback.print_exception(error)
        print_error(reason)
        return EXIT_USAGE
    if has_traceback:
        traceback.print_exception(error)
    log = write_log(error, arguments)
    where = f"The log is in {log}." if log else "Its log could not be written: use --debug."
    first_line = (str(error).splitlines() or [""])[0]
    print_error(
        f"this is a defect of Apportion, please report it: {type(error).__name__}: {first_line}. "
        f"{where}"
    )
    return EXIT_DEFECT


def find_machine_failure(error: Exception) -> str | None:
    """In a sentence, what the machine refused; None where the failure is no fault of it."""
    for cause in _walk_causes(error):
        number = cause.errno if isinstance(cause, OSError) else None
        text = str(cause)
        if number in FULL_DISK or any(words in text.lower() for words in NO_SPACE):
            name = getattr(cause, "filename", None)
            where = f" at {name}" if name else ""
            return (
                f"no space left on the disk{where}. What was there before is unchanged; free some "
                "space and repeat the command."
            )
    if isinstance(error, OSError):
        return (
            f"the file system refused: {error}. What was there before is unchanged; correct it "
            "and repeat the command."
        )
    return None


def write_log(error: Exception, arguments: Sequence[str]) -> Path | None:
    """Write the traceback where the workspace keeps its logs, or to the temporary directory; None
    where neither can be written. Its text may hold delivered data: only its owner may read it."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    text = "".join(traceback.format_exception(error))
    for directory in (_find_log_directory(arguments), Path(tempfile.gettempdir())):
        if directory is None:
            continue
        path = directory / f"apportion-{stamp}.log"
        try:
            directory.mkdir(exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
            for old in sorted(directory.glob("apportion-*.log"))[:-LOGS_KEPT]:
                old.unlink()
        except OSError:
            continue
        return path
    return None


def _find_log_directory(arguments: Sequence[str]) -> Path | None:
    """`logs/` of the workspace that the command was given."""
    from pipelines.workspace.workspace import CONFIG_NAME

    given = Path(os.environ.get("APPORTION_WORKSPACE", "."))
    for number, argument in enumerate(arguments):
        name, sign, value = argument.partition("=")
        if name in ("--workspace", "-w"):
            given = Path(value) if sign else Path(*arguments[number + 1 : number + 2])
    return given / LOGS_NAME if (given / CONFIG_NAME).is_file() else None


def _walk_causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__
