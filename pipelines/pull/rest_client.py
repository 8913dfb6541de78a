"""Ask a REST service for pages of records: dlt's client, with answers looked at before they count.

Retries are dlt's: 429 and 5xx, time-outs and broken connections are tried again, at most
`max_attempts` times, after what Retry-After says or ever longer pauses. Credentials go to the
connection's own host only: an answer that redirects is a failure, and no link of an answer is
followed. dlt's settings and telemetry are not used.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipelines.pull.exact_json import parse_exact
from pipelines.pull.failures import PullFailedError, PullRefusedError
from pipelines.pull.secrets import hide_secrets, read_secret
from pipelines.workspace.connections import JiraConnection, ServiceNowConnection

if TYPE_CHECKING:
    from dlt.sources.helpers.rest_client.client import RESTClient
    from dlt.sources.helpers.rest_client.paginators import BasePaginator
    from requests import Response
    from requests.auth import AuthBase

RestConnection = ServiceNowConnection | JiraConnection

LONGEST_PAUSE_SECONDS = 120
MESSAGE_CHARACTERS = 300
TOO_MANY = 429
TRIED_AGAIN = (TOO_MANY, *range(500, 600))


class RestService:
    """One REST service with its credentials."""

    def __init__(self, source_id: str, settings: RestConnection) -> None:
        self.source_id = source_id
        self.settings = settings
        self._secrets: tuple[str, ...] = ()
        auth = self._make_auth()
        self._client = self._make_client(auth)

    def ask(self, path: str, params: dict[str, Any]) -> Any:
        """One answer, parsed exactly."""
        with self._report_errors(path):
            response = self._client.get(
                path, params=params, hooks={"response": [self._look_at]}, allow_redirects=False
            )
            return self.parse(response)

    def ask_pages(
        self, path: str, params: dict[str, Any], records_at: str, paginator: BasePaginator
    ) -> Iterator[tuple[dict[str, Any], Response]]:
        """Answers page by page, parsed exactly. Raises PullFailedError where the service cannot
        be read, PullRefusedError where an answer has no list at `records_at`."""
        with self._report_errors(path):
            for page in self._client.paginate(
                path,
                params=params,
                data_selector=records_at,
                paginator=paginator,
                hooks={"response": [self._look_at]},
                allow_redirects=False,
            ):
                answer = self.parse(page.response)
                if not isinstance(answer, dict) or not isinstance(answer.get(records_at), list):
                    message = f"expected a list '{records_at}' in the answer of {path}, found none"
                    raise PullRefusedError(self.source_id, message, "Look at the url.")
                yield answer, page.response

    def parse(self, response: Response) -> Any:
        """The JSON of an answer, digit by digit."""
        try:
            return parse_exact(response.content.decode("utf-8-sig"))
        except ValueError as error:
            message = f"the answer of {self._show(response)} is no strict JSON ({error})"
            raise PullRefusedError(self.source_id, self._hide(message), "Pull again.") from None

    def _make_auth(self) -> AuthBase:
        from dlt.sources.helpers.rest_client.auth import BearerTokenAuth
        from requests.auth import HTTPBasicAuth

        settings = self.settings
        if settings.token_variable is not None:
            token = read_secret(self.source_id, settings.token_variable, "token_variable")
            self._secrets = (token,)
            return BearerTokenAuth(token)
        user = read_secret(self.source_id, settings.user_variable or "", "user_variable")
        password = read_secret(
            self.source_id, settings.password_variable or "", "password_variable"
        )
        self._secrets = (password,)
        return HTTPBasicAuth(user.encode(), password.encode())

    def _make_client(self, auth: AuthBase) -> RESTClient:
        # Belongs before the import; nothing of dlt's that sends telemetry is used anyway.
        os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
        from dlt.common.configuration.specs import RuntimeConfiguration
        from dlt.sources.helpers.requests.retry import Client
        from dlt.sources.helpers.rest_client.client import RESTClient

        client = Client(
            request_timeout=self.settings.timeout_seconds,
            raise_for_status=False,
            status_codes=TRIED_AGAIN,
            exceptions=(),
            retry_condition=_is_worth_another_try,
            request_max_attempts=self.settings.max_attempts,
            request_max_retry_delay=LONGEST_PAUSE_SECONDS,
        )
        return RESTClient(
            base_url=self.settings.url,
            headers={"Accept": "application/json", "User-Agent": "apportion"},
            auth=auth,
            session=client.session,
            config=RuntimeConfiguration(dlthub_telemetry=False),
        )

    def _look_at(self, response: Response, *_arguments: Any, **_more: Any) -> None:
        """Raise where an answer is none. What is worth another try raises requests' own error,
        which the client looks for."""
        status, where = response.status_code, self._show(response)
        if status in TRIED_AGAIN:
            response.raise_for_status()
        if 300 <= status < 400:
            target = urlsplit(response.headers.get("Location", "")).hostname or "another place"
            message = f"{where} redirects to {target}, as a login page does"
            remedy = "Look at url and at how the account logs in; nothing is followed."
            raise PullFailedError(self.source_id, message, remedy)
        if status in (401, 403):
            word = "does not accept" if status == 401 else "forbids the table or issues to"
            message = f"{where} {word} the credentials of {self._name_variables()} ({status})"
            remedy = "Look at the account, its password or token, and what it may read."
            raise PullFailedError(self.source_id, message, remedy)
        if status >= 400:
            message = f"{where} answered {status}: {self._hide(_say_body(response))}"
            remedy = "Look at url, table, fields and the query."
            raise PullFailedError(self.source_id, message, remedy)
        kind = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if "json" not in kind or response.content.lstrip()[:1] not in (b"{", b"["):
            message = f"{where} answered with {kind or 'no type'} instead of JSON"
            remedy = "That is what a login page or a proxy looks like: look at url and account."
            raise PullFailedError(self.source_id, message, remedy)

    @contextmanager
    def _report_errors(self, path: str) -> Iterator[None]:
        from requests.exceptions import ConnectionError as NotConnectedError
        from requests.exceptions import HTTPError, RequestException, SSLError, Timeout

        where = f"{urlsplit(self.settings.url).netloc}/{path}"
        tries = f"after {self.settings.max_attempts} attempts"
        try:
            yield
        except HTTPError as error:
            status = error.response.status_code if error.response is not None else 0
            word = "still busy" if status == TOO_MANY else "still failing"
            message = f"{where} is {word} {tries} ({status})"
            raise PullFailedError(self.source_id, message, "Pull again later.") from None
        except SSLError as error:
            message = f"the certificate of {where} is not trusted ({self._hide(_say(error))})"
            remedy = "Name the certificates of your organisation in REQUESTS_CA_BUNDLE."
            raise PullFailedError(self.source_id, message, remedy) from None
        except Timeout:
            seconds = self.settings.timeout_seconds
            message = f"{where} did not answer within {seconds} s, {tries}"
            remedy = "Pull again later, raise timeout_seconds, or ask for smaller pages."
            raise PullFailedError(self.source_id, message, remedy) from None
        except NotConnectedError as error:
            message = f"{where} cannot be reached {tries} ({self._hide(_say(error))})"
            raise PullFailedError(self.source_id, message, "Look at url and network.") from None
        except RequestException as error:
            message = f"{where} could not be read ({self._hide(_say(error))})"
            raise PullFailedError(self.source_id, message, "Look at url and account.") from None

        except ValueError as error:
            # dlt's paginators say so where an answer lacks what they go by.
            message = f"the answer of {where} has no pages ({self._hide(_say(error))})"
            raise PullRefusedError(self.source_id, message, "Look at url and flavour.") from None

    def _name_variables(self) -> str:
        settings = self.settings
        if settings.token_variable is not None:
            return settings.token_variable
        return f"{settings.user_variable} and {settings.password_variable}"

    def _show(self, response: Response) -> str:
        parts = urlsplit(response.url)
        return f"{parts.netloc}{parts.path}"

    def _hide(self, text: str) -> str:
        return hide_secrets(text, self._secrets)


def _is_worth_another_try(_response: Response | None, error: BaseException | None) -> bool:
    """A broken connection is; a certificate that is not trusted stays so."""
    from requests.exceptions import ChunkedEncodingError, SSLError, Timeout
    from requests.exceptions import ConnectionError as NotConnectedError

    is_broken = isinstance(error, NotConnectedError | Timeout | ChunkedEncodingError)
    return is_broken and not isinstance(error, SSLError)


def _say(error: Exception) -> str:
    """The innermost reason, without the addresses of objects."""
    reason: Any = error.args[0] if error.args else error
    reason = getattr(reason, "reason", reason)
    return str(reason).split(">: ")[-1].split("): ")[-1][:MESSAGE_CHARACTERS]


def _say_body(response: Response) -> str:
    return " ".join(response.text.split())[:MESSAGE_CHARACTERS]
