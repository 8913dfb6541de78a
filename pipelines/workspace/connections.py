"""The typed form of a source's `connection`: the system that `apportion pull` asks for records.

A secret never stands in the settings, only the name of the environment variable that holds it.
What a connection says is refused as far as it can be told without asking the system.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

VARIABLE_PATTERN = r"^[A-Z][A-Z0-9_]*$"
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
ORDER_BY = re.compile(r"\border\s+by\b", re.IGNORECASE)

VariableName = Annotated[str, Field(pattern=VARIABLE_PATTERN)]
FieldName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.]*$")]


def _refuse_unsafe_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise ValueError("holds a user or password; name environment variables for them")
    if parts.scheme == "http" and parts.hostname in LOCAL_HOSTS:
        return url.rstrip("/")
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("expected an address such as https://acme.service-now.com")
    return url.rstrip("/")


SiteAddress = Annotated[str, AfterValidator(_refuse_unsafe_address)]


class _Connection(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    overlap_minutes: int = Field(default=10, ge=0, le=10080)
    """How far before the last change that landed an incremental pull begins again: systems show
    some changes later than the time that they carry."""
    timeout_seconds: int = Field(default=60, ge=1, le=3600)
    """How long to wait for an answer."""


class SqlConnection(_Connection):
    """A database, read by one query through SQLAlchemy."""

    kind: Literal["sql"]
    url_variable: VariableName
    """Environment variable with the SQLAlchemy address, such as
    postgresql+psycopg://user:password@host/database."""
    query: Annotated[str, Field(min_length=1)]
    """The query; its columns are the columns that the mapping reads."""
    updated_column: str | None = None
    """Column of the query that says when a record changed last: a time, a date or a growing whole
    number. Without it every pull reads everything."""


class _RestConnection(_Connection):
    url: SiteAddress
    fields: Annotated[tuple[FieldName, ...], Field(min_length=1)]
    """What to ask of each record."""
    user_variable: VariableName | None = None
    password_variable: VariableName | None = None
    token_variable: VariableName | None = None
    """Environment variables with user and password (basic authentication), or with a token."""
    page_size: int = Field(default=100, ge=1, le=10000)
    max_attempts: int = Field(default=5, ge=1, le=20)
    """How often a request is tried where the server is busy, fails or cannot be reached."""

    @model_validator(mode="after")
    def names_one_credential(self) -> _RestConnection:
        is_basic = self.user_variable is not None and self.password_variable is not None
        is_half = (self.user_variable is None) != (self.password_variable is None)
        if is_half or is_basic == (self.token_variable is not None):
            raise ValueError(
                "expected 'user_variable' and 'password_variable', or 'token_variable' alone"
            )
        return self


class ServiceNowConnection(_RestConnection):
    """A table of a ServiceNow instance, read through its Table API."""

    kind: Literal["servicenow"]
    table: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    sysparm_query: str = ""
    """Encoded query that the records satisfy."""
    updated_field: FieldName | None = "sys_updated_on"
    """Field that says when a record changed last; null reads everything at every pull."""

    @model_validator(mode="after")
    def orders_by_itself(self) -> ServiceNowConnection:
        if "ORDERBY" in self.sysparm_query:
            raise ValueError("'sysparm_query' has an ORDERBY; the order belongs to the pull")
        return self


class JiraConnection(_RestConnection):
    """Issues of a Jira site, read through its REST search."""

    kind: Literal["jira"]
    flavour: Literal["cloud", "server"] = "cloud"
    """Jira Cloud (version 3, pages by token) or Server and Data Center (version 2, by offset)."""
    jql: Annotated[str, Field(min_length=1)]
    """Which issues, such as project = ITSM."""
    is_incremental: bool = True
    """Whether only what changed since the last pull is asked for."""

    @model_validator(mode="after")
    def orders_by_itself(self) -> JiraConnection:
        if ORDER_BY.search(self.jql):
            raise ValueError("'jql' has an ORDER BY; the order belongs to the pull")
        return self


Connection = SqlConnection | ServiceNowConnection | JiraConnection


def is_incremental(connection: Connection) -> bool:
    """Whether a pull asks only for what changed since the last one."""
    if isinstance(connection, SqlConnection):
        return connection.updated_column is not None
    if isinstance(connection, ServiceNowConnection):
        return connection.updated_field is not None
    return connection.is_incremental


def list_variables(connection: Connection) -> tuple[str, ...]:
    """The environment variables that hold the connection's secrets."""
    if isinstance(connection, SqlConnection):
        return (connection.url_variable,)
    named = (connection.user_variable, connection.password_variable, connection.token_variable)
    return tuple(name for name in named if name is not None)
