"""Write the mail that carries a statement: a subject and a text that say what it is, and the files.

No amount stands in subject or text: they are read on locked screens, the attachments are not. The
id of the message is made of what is sent to whom, so that a mail that came twice is known as one.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from pipelines.dispatch.dispatch_log import Destination
from pipelines.workspace.operation_settings import MailSettings

UNKNOWN_TYPE = "application/octet-stream"


@dataclass(frozen=True)
class Letter:
    """What a mail says of a statement."""

    company: str
    period_name: str
    unit_name: str
    statement_number: str
    manifest_hash: str | None
    """Hash of the manifest of the close; None for a preview."""


def write_message(
    settings: MailSettings, destination: Destination, letter: Letter, files: Sequence[Path]
) -> EmailMessage:
    """The complete mail to one address."""
    message = EmailMessage()
    message["From"] = settings.sender
    message["To"] = destination.address
    if settings.reply_to is not None:
        message["Reply-To"] = settings.reply_to
    message["Subject"] = _write_subject(destination, letter)
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = _make_id(settings, destination, files)
    # Answering machines are asked to keep quiet.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_write_text(destination, letter, files))
    for path in files:
        kind = mimetypes.guess_type(path.name)[0] or UNKNOWN_TYPE
        main, sub = kind.split("/", 1)
        message.add_attachment(path.read_bytes(), maintype=main, subtype=sub, filename=path.name)
    return message


def _write_subject(destination: Destination, letter: Letter) -> str:
    preview = "Preview: " if destination.is_preview else ""
    text = f"{preview}IT bill {letter.period_name}, {letter.unit_name}"
    # A name with a line end would end the header.
    return " ".join(f"{text} ({letter.statement_number})".split())


def _write_text(destination: Destination, letter: Letter, files: Sequence[Path]) -> str:
    if destination.is_preview:
        state = (
            "This is a preview. The period is not closed, and its figures may still change: do not "
            "post it. Say now what is wrong with it."
        )
    else:
        state = (
            f"The period is closed, and these figures do not change any more. Version "
            f"{destination.version}, manifest {letter.manifest_hash}."
        )
    names = "\n".join(f"  {path.name}" for path in files)
    return (
        f"Attached is the statement of what {letter.company} bills {letter.unit_name} for IT in "
        f"{letter.period_name}.\n\n"
        f"Statement: {letter.statement_number}\nFiles:\n{names}\n\n{state}\n"
    )


def _make_id(settings: MailSettings, destination: Destination, files: Sequence[Path]) -> str:
    parts = [repr(destination), *(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
    return f"<{digest}@{settings.sender.rpartition('@')[2]}>"
