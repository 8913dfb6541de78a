"""A mail server for tests: speaks SMTP on a free port of this machine, in a thread, and keeps what
it was sent. It can refuse addresses, ask for a password, encrypt, and hang up."""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path


@dataclass
class MailServer:
    """What the server is to do, and what it was sent."""

    port: int = 0
    refused: set[str] = field(default_factory=set)
    """Addresses that it does not know."""
    password: str | None = None
    certificate: Path | None = None
    """Certificate and key in one file; with it the server offers STARTTLS."""
    hangs_up_for: set[str] = field(default_factory=set)
    received: list[tuple[str, EmailMessage]] = field(default_factory=list)
    """Address of the envelope, and the mail."""
    logins: list[str] = field(default_factory=list)
    was_encrypted: list[bool] = field(default_factory=list)
    """Of every mail."""
    connections: int = 0

    def list_recipients(self) -> list[str]:
        return [address for address, _ in self.received]


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.mail: MailServer = self.server.mail  # type: ignore[attr-defined]
        self.mail.connections += 1
        self.is_encrypted = False
        self.is_known = self.mail.password is None
        self.recipient = ""
        self._say("220 test")
        while line := self.rfile.readline():
            verb, _, rest = line.decode().strip().partition(" ")
            answer = getattr(self, f"do_{verb.lower()}", None)
            if answer is None:
                self._say("502 not implemented")
            elif answer(rest) is False:
                return

    def do_ehlo(self, _rest: str) -> None:
        offers = ["test", "8BITMIME"]
        if self.mail.certificate is not None and not self.is_encrypted:
            offers.append("STARTTLS")
        if self.mail.password is not None:
            offers.append("AUTH PLAIN")
        for offer in offers[:-1]:
            self._say(f"250-{offer}")
        self._say(f"250 {offers[-1]}")

    def do_starttls(self, _rest: str) -> None:
        assert self.mail.certificate is not None
        self._say("220 go ahead")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.mail.certificate)
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb")
        self.is_encrypted = True

    def do_auth(self, rest: str) -> None:
        _, user, password = base64.b64decode(rest.split()[1]).decode().split("\0")
        self.is_known = password == self.mail.password
        self.mail.logins.append(user)
        self._say("235 welcome" if self.is_known else f"535 {password} is wrong")

    def do_mail(self, _rest: str) -> None:
        self._say("250 fine" if self.is_known else "530 log in first")

    def do_rcpt(self, rest: str) -> bool:
        address = rest.partition("<")[2].partition(">")[0]
        if address in self.mail.hangs_up_for:
            return False
        self.recipient = address
        self._say("550 no such mailbox" if address in self.mail.refused else "250 fine")
        return True

    def do_data(self, _rest: str) -> None:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b"..") else line)
        message = message_from_bytes(b"".join(lines), policy=policy.default)
        self.mail.received.append((self.recipient, message))
        self.mail.was_encrypted.append(self.is_encrypted)
        self._say("250 taken")

    def do_rset(self, _rest: str) -> None:
        self._say("250 fine")

    def do_quit(self, _rest: str) -> bool:
        self._say("221 bye")
        return False

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())
        self.wfile.flush()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that refuses the server's certificate is no noise in the tests' output."""


@contextmanager
def serve_mail(**options: object) -> Iterator[MailServer]:
    """A running server for the length of a block."""
    mail = MailServer(**options)  # type: ignore[arg-type]
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.mail = mail  # type: ignore[attr-defined]
        mail.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield mail
        finally:
            server.shutdown()
            thread.join()


def make_certificate(directory: Path) -> Path:
    """A certificate of 127.0.0.1, signed by itself, with its key in the same file."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = directory / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
