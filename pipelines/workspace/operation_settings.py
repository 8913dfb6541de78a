"""The typed form of what apportion.yml says about sending statements and about what is kept.

A password never stands in the settings, only the name of the environment variable that holds it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipelines.workspace.connections import LOCAL_HOSTS, VariableName

Address = Annotated[str, Field(pattern=r"^[^@\s,;<>\"]+@[^@\s,;<>\"]+$", max_length=320)]
Recipients = Annotated[list[Address], Field(min_length=1)]
PORTS = {"starttls": 587, "tls": 465, "none": 25}


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MailSettings(_Settings):
    """The mail server that takes the statements."""

    host: Annotated[str, Field(min_length=1)]
    port: int | None = Field(default=None, ge=1, le=65535)
    """Left out: 587 with starttls, 465 with tls, 25 with none."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection is encrypted; a server that does not offer it is not used."""
    sender: Address
    """Address that the statements come from."""
    reply_to: Address | None = None
    user: str | None = None
    password_variable: VariableName | None = None
    """Environment variable with the password of `user`."""
    timeout_seconds: int = Field(default=60, ge=1, le=3600)

    @model_validator(mode="after")
    def keeps_the_password_secret(self) -> MailSettings:
        if (self.user is None) != (self.password_variable is None):
            raise ValueError("expected 'user' and 'password_variable' together, or neither")
        if self.user is not None and self.security == "none" and self.host not in LOCAL_HOSTS:
            raise ValueError("a password is sent with 'security' starttls or tls only")
        return self

    @property
    def used_port(self) -> int:
        return PORTS[self.security] if self.port is None else self.port


class DispatchSettings(_Settings):
    """How the statements of a period reach the business units."""

    mail: MailSettings | None = None
    folder: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    """Directory to put them into instead, from where something else takes them."""
    recipients: dict[str, Recipients] = {}
    """Addresses by business unit; for mail."""

    @model_validator(mode="after")
    def names_one_way(self) -> DispatchSettings:
        if (self.mail is None) == (self.folder is None):
            raise ValueError("expected either 'mail' or 'folder'")
        return self


class RetentionSettings(_Settings):
    """What `apportion gc` leaves; closed periods stay for ever."""

    publications: int = Field(default=3, ge=1)
    """How many of the newest publications stay."""
    evidence_days: int | None = Field(default=None, ge=1)
    """Days for which the evidence of a run stays that no period and no publication rests on; none:
    for ever."""
    bills_days: int | None = Field(default=None, ge=1)
    """Days for which statements of periods stay that are not closed; none: for ever."""
