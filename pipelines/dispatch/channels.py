"""The ways by which a statement leaves: a mail server, or a folder.

A channel delivers one statement to one address, or raises NotDeliveredError with the reason. It is
opened before the first attempt is written down, so that a server that cannot be reached leaves no
trace but its message.
"""

from __future__ import annotations

import os
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from pipelines.billing.files import write_atomically
from pipelines.dispatch.dispatch_log import Destination
from pipelines.dispatch.message import Letter, write_message
from pipelines.errors import EXIT_USAGE, ApportionError
from pipelines.pull.secrets import hide_secrets
from pipelines.workspace.operation_settings import DispatchSettings, MailSettings
from pipelines.workspace.workspace import Workspace


class MailServerError(ApportionError):
    """The mail server cannot be used as apportion.yml says; nothing was sent."""

    exit_code = EXIT_USAGE

    def __init__(self, settings: MailSettings, reason: str) -> None:
        super().__init__(
            f"mail server {settings.host}:{settings.used_port} ({settings.security}): {reason}. "
            "Correct 'dispatch.mail' in apportion.yml or the server, then send again: what was "
            "sent is not sent twice."
        )


class NotDeliveredError(Exception):
    """One statement did not reach one address; its text says why."""


class Channel(Protocol):
    """A way to the recipients."""

    name: str

    def list_addresses(self, business_unit_id: str, /) -> list[str]:
        """Where the statement of a business unit goes; empty where nobody said."""

    def deliver(self, destination: Destination, letter: Letter, files: Sequence[Path], /) -> None:
        """Deliver it. Raises NotDeliveredError."""


@contextmanager
def open_channel(
    workspace: Workspace, settings: DispatchSettings, folder_name: str
) -> Iterator[Channel]:
    """The configured way. `folder_name`: what the folder of the period is called. Raises
    MailServerError where there is no getting through."""
    if settings.mail is None:
        yield FolderChannel(workspace.root / str(settings.folder), folder_name)
        return
    channel = MailChannel(settings.mail, settings.recipients)
    channel.connect()
    try:
        yield channel
    finally:
        channel.close()


class FolderChannel:
    """Puts the files into a folder, from where something else takes them."""

    name = "folder"

    def __init__(self, folder: Path, folder_name: str) -> None:
        self._folder = folder
        self._folder_name = folder_name

    def list_addresses(self, _business_unit_id: str) -> list[str]:
        return [self._folder_name]

    def deliver(self, destination: Destination, _letter: Letter, files: Sequence[Path]) -> None:
        try:
            for path in files:
                write_atomically(self._folder / destination.address / path.name, path.read_bytes())
        except OSError as error:
            raise NotDeliveredError(str(error)) from error


class MailChannel:
    """Sends one mail per address over one connection."""

    name = "mail"

    def __init__(self, settings: MailSettings, recipients: dict[str, list[str]]) -> None:
        self._settings = settings
        self._recipients = recipients
        self._password = self._read_password()
        self._server: smtplib.SMTP | None = None

    def list_addresses(self, business_unit_id: str) -> list[str]:
        return list(dict.fromkeys(self._recipients.get(business_unit_id, ())))

    def connect(self) -> None:
        """Greet the server, encrypt and log in. Raises MailServerError."""
        settings = self._settings
        place = (settings.host, settings.used_port)
        context = ssl.create_default_context()
        try:
            if settings.security == "tls":
                server: smtplib.SMTP = smtplib.SMTP_SSL(
                    *place, timeout=settings.timeout_seconds, context=context
                )
            else:
                server = smtplib.SMTP(*place, timeout=settings.timeout_seconds)
            self._server = server
            if settings.security == "starttls":
                server.starttls(context=context)
            if settings.user is not None and self._password is not None:
                server.login(settings.user, self._password)
        except OSError as error:
            self.close()
            raise MailServerError(settings, self._describe(error)) from error

    def deliver(self, destination: Destination, letter: Letter, files: Sequence[Path]) -> None:
        message = write_message(self._settings, destination, letter, files)
        if self._server is None:
            self.connect()
        assert self._server is not None
        try:
            self._server.send_message(
                message, from_addr=self._settings.sender, to_addrs=[destination.address]
            )
        except smtplib.SMTPRecipientsRefused as error:
            code, text = error.recipients[destination.address]
            reason = self._hide(f"refused by the server: {code} {_decode(text)}")
            raise NotDeliveredError(reason) from error
        except smtplib.SMTPServerDisconnected as error:
            # The next one gets a new connection.
            self.close()
            raise NotDeliveredError(self._describe(error)) from error
        except (OSError, ValueError) as error:
            if not isinstance(error, smtplib.SMTPException):
                self.close()
            raise NotDeliveredError(self._describe(error)) from error

    def close(self) -> None:
        """Take leave of the server, where it is still there."""
        server, self._server = self._server, None
        if server is not None:
            with suppress(OSError):
                server.quit()
            server.close()

    def _read_password(self) -> str | None:
        variable = self._settings.password_variable
        if variable is None:
            return None
        value = os.environ.get(variable, "").strip("\r\n")
        if not value:
            raise MailServerError(
                self._settings,
                f"expected the environment variable {variable}, which 'password_variable' names, "
                "found none; the value belongs into no file of the workspace",
            )
        return value

    def _describe(self, error: Exception) -> str:
        if isinstance(error, smtplib.SMTPResponseException):
            return self._hide(f"{error.smtp_code} {_decode(error.smtp_error)}")
        return self._hide(str(error) or type(error).__name__)

    def _hide(self, text: str) -> str:
        return hide_secrets(" ".join(text.split()), [self._password] if self._password else [])


def _decode(text: bytes | str) -> str:
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else text
