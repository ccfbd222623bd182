"""The commands' client for the REST API. It raises failures as errors with a sentence for the user.

httpx is imported late: `headwater serve` does not need it and starts faster without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from control.cli.errors import CliError, Refused, ServerUnreachable
from control.cli.target import Target
from control.version import version

if TYPE_CHECKING:
    import httpx

TIMEOUT_S = 15.0
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class ApiClient:
    """Sends and returns JSON. Raises ServerUnreachable, Refused and CliError. Tests replace the ``transport``."""

    def __init__(
        self, target: Target, transport: httpx.BaseTransport | None = None, *, timeout_s: float = TIMEOUT_S
    ) -> None:
        import httpx

        self._target = target
        self._timeout_s = timeout_s
        # The audit log shows the User-Agent.
        headers = {"Accept": "application/json", "User-Agent": f"headwater/{version()}"}
        if target.token is not None:
            headers["Authorization"] = f"Bearer {target.token}"
        self._http = httpx.Client(
            base_url=f"{target.url}/api/v1",
            headers=headers,
            timeout=timeout_s,
            transport=transport,
            # A proxy from the environment cannot reach this machine's loopback.
            trust_env=urlsplit(target.url).hostname not in LOOPBACK,
        )

    def __enter__(self) -> ApiClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, *path: str, query: Mapping[str, Any] | None = None) -> Any:
        return self._request("GET", path, query=query)

    def post(self, *path: str, body: dict[str, Any] | None = None) -> Any:
        return self._request("POST", path, body)

    def patch(self, *path: str, body: dict[str, Any]) -> Any:
        return self._request("PATCH", path, body)

    def put(self, *path: str) -> None:
        self._request("PUT", path)

    def delete(self, *path: str, query: Mapping[str, Any] | None = None) -> None:
        self._request("DELETE", path, query=query)

    def _request(
        self,
        method: str,
        path: tuple[str, ...],
        body: dict[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> Any:
        import httpx

        url = "/" + "/".join(quote(part, safe="") for part in path)
        try:
            response = self._http.request(method, url, json=body, params=query)
        except httpx.ConnectError:
            raise ServerUnreachable(
                f"no Headwater answers at {self._target.url}: is `headwater serve` running?"
            ) from None
        except httpx.TimeoutException:
            raise ServerUnreachable(f"{self._target.url} did not answer within {self._timeout_s:g} s") from None
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise ServerUnreachable(f"{self._target.url}: {str(error) or type(error).__name__}") from None
        if response.is_success:
            return self._json(response) if response.content else None
        raise self._refusal(response)

    def _json(self, response: httpx.Response) -> Any:
        try:
            return response.json()
        except ValueError:
            raise CliError(f"{self._target.url} did not answer with JSON: is it Headwater?") from None

    def _refusal(self, response: httpx.Response) -> CliError:
        problem = None
        if response.headers.get("content-type", "").startswith("application/problem+json"):
            problem = self._json(response)
        if not isinstance(problem, dict):
            reason = f"{response.status_code} {response.reason_phrase}"
            return CliError(f"{self._target.url} answered {reason}: is it Headwater?")
        detail = str(problem.get("detail"))
        if response.status_code == 401 and self._target.token is None:
            detail = "the server requires its token: set HEADWATER_TOKEN (or use --token)"
        return Refused(detail)
