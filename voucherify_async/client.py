"""`AsyncVoucherify`: settings, who owns the HTTP client, and the namespaces."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypedDict, Unpack
from urllib.parse import urlsplit

import anyio
from attrs import evolve, frozen

from . import _protocol
from ._caller import Call, Caller, CallOptions, Settings
from ._clock import Clock
from ._connections import Connections, Quotas
from ._protocol import RateLimit
from ._retry import RetryPolicy
from ._routes import Route
from ._sentinels import UNSET, Unset
from ._version import __version__
from .auth import ApiKeyAuth, Auth
from .errors import ConfigurationError, InvalidArgumentError
from .resources import AsyncActions, Exports, Imports, Transactions, Vouchers

if TYPE_CHECKING:
    import httpx

DEFAULT_TIMEOUT: Final = 30.0
_CLUSTER: Final = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_USER_AGENT: Final = (
    f"voucherify-async/{__version__} Python/{platform.python_version()} {platform.system()}"
)


@frozen
class RawResponse:
    """The answer to `AsyncVoucherify.request`."""

    status_code: int
    """The HTTP status, below 400."""
    headers: Mapping[str, str]
    """The headers, names in lower case."""
    body: Any
    """The decoded JSON body, or None where it is empty."""


class ClientOptions(TypedDict, total=False):
    """What `AsyncVoucherify.with_options` takes."""

    auth: Auth
    timeout: float | httpx.Timeout | None
    retry: RetryPolicy | None
    api_version: str | None
    headers: Mapping[str, str]


class AsyncVoucherify:
    """A client of one Voucherify project.

    ```python
    async with AsyncVoucherify(app_id="...", app_token="...") as client:
        voucher = await client.vouchers.get("SUMMER-10")
    ```

    One client serves a whole service: it keeps its connections, bounds how many requests are open
    at once and knows the quota. It belongs to the event loop that it is first used in.

    Args:
        app_id: The application id; by default `VOUCHERIFY_APP_ID` of the environment.
        app_token: The secret key; by default `VOUCHERIFY_APP_TOKEN` of the environment.
        auth: Another way to sign requests, such as `BearerAuth` or `OAuthClientCredentials`.
        cluster: `api` (Europe), `us1.api`, `as1.api`, or that of a dedicated cluster.
        base_url: The API's address, over `cluster`; by default `VOUCHERIFY_BASE_URL`.
        timeout: Seconds for each step of an attempt (connect, write, read), None for no bound, or
            an `httpx.Timeout`. Waiting for a free connection has no timeout.
        retry: When calls are repeated; None sends each once.
        max_concurrency: How many requests are open at once; more wait for their turn.
        api_version: The API version to ask for, such as `v2018-08-01`; by default the project's.
        http_client: An `httpx.AsyncClient` of yours, or one of the same shape. It is used as it is
            and never closed.
        headers: More headers for every request.
        clock: Another clock, for tests.

    Raises:
        ConfigurationError: Credentials are missing, or a setting makes no sense.
    """

    def __init__(
        self,
        app_id: str | None = None,
        app_token: str | None = None,
        *,
        auth: Auth | None = None,
        cluster: str = "api",
        base_url: str | None = None,
        timeout: float | httpx.Timeout | None = DEFAULT_TIMEOUT,
        retry: RetryPolicy | Unset | None = UNSET,
        max_concurrency: int = 20,
        api_version: str | None = None,
        http_client: httpx.AsyncClient | Any = None,
        headers: Mapping[str, str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        if (
            not isinstance(max_concurrency, int)
            or isinstance(max_concurrency, bool)
            or max_concurrency < 1
        ):
            raise ConfigurationError(
                f"max_concurrency: expected an integer of at least 1, got {max_concurrency!r}"
            )
        clock = clock or Clock()
        address = _base_url(base_url, cluster)
        settings = Settings(
            base_url=address,
            auth=_auth(app_id, app_token, auth),
            timeout=_check_timeout(timeout),
            retry=RetryPolicy() if isinstance(retry, Unset) else retry,
            headers=_headers(api_version, headers),
            clock=clock,
        )
        connections = Connections(
            injected=http_client, base_url=address, max_concurrency=max_concurrency
        )
        self._caller = Caller(settings, connections, Quotas(clock))
        self._owns_connections = True

    def __repr__(self) -> str:
        return f"AsyncVoucherify(base_url={self._caller.settings.base_url!r})"

    def __reduce__(self) -> str:
        raise TypeError("An AsyncVoucherify holds connections and secrets and is not pickled")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections. Calling it again does nothing; an injected client stays open.

        On a client that `with_options` made it does nothing: the connections are another's.
        """
        if self._owns_connections:
            # Closing has to run to its end also while the caller is being cancelled.
            with anyio.CancelScope(shield=True):
                await self._caller.connections.aclose()

    @cached_property
    def vouchers(self) -> Vouchers:
        """The vouchers themselves."""
        return Vouchers(self._caller)

    @cached_property
    def transactions(self) -> Transactions:
        """What happened on gift cards and loyalty cards."""
        return Transactions(self._caller)

    @cached_property
    def imports(self) -> Imports:
        """Many vouchers at once."""
        return Imports(self._caller)

    @cached_property
    def async_actions(self) -> AsyncActions:
        """The background jobs of imports and bulk updates."""
        return AsyncActions(self._caller)

    @cached_property
    def exports(self) -> Exports:
        """CSV files of what the project holds."""
        return Exports(self._caller)

    @property
    def rate_limit(self) -> RateLimit | None:
        """The quota as the last answer stated it; None before the first one."""
        return self._caller.quotas.rate_limit

    def with_options(self, **options: Unpack[ClientOptions]) -> AsyncVoucherify:
        """Another client over the same connections, with some settings changed.

        ```python
        patient = client.with_options(timeout=120, retry=RetryPolicy(max_wait=60))
        ```

        Args:
            **options: `auth`, `timeout`, `retry`, `api_version`, `headers`: as for the class.

        Returns:
            The other client. It closes with this one.

        Raises:
            ConfigurationError: A setting makes no sense.
        """
        unknown = set(options) - ClientOptions.__optional_keys__
        if unknown:
            raise ConfigurationError(
                f"with_options: does not take {', '.join(sorted(unknown))}; make another client"
            )
        caller = self._caller
        settings, quotas = caller.settings, caller.quotas
        if "auth" in options:
            # Other credentials may be another project's, whose quota is another.
            settings, quotas = evolve(settings, auth=options["auth"]), Quotas(settings.clock)
        if "timeout" in options:
            settings = evolve(settings, timeout=_check_timeout(options["timeout"]))
        if "retry" in options:
            settings = evolve(settings, retry=options["retry"])
        if "headers" in options or "api_version" in options:
            added = _headers(options.get("api_version"), options.get("headers"))
            settings = evolve(settings, headers={**settings.headers, **added})
        other = object.__new__(AsyncVoucherify)
        other._caller = Caller(settings, caller.connections, quotas)
        other._owns_connections = False
        return other

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = UNSET,
        files: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        **options: Unpack[CallOptions],
    ) -> RawResponse:
        """Call any endpoint, also one that has no method here yet.

        It is signed, held to the quota and repeated like every other call.

        Args:
            method: The HTTP method.
            path: The path, such as `/v1/campaigns`; values in it have to be percent-quoted.
            params: The query: None is left out, lists repeat their key, mappings become
                `key[inner]`.
            json: The body: a model, or anything that JSON can express.
            files: A multipart upload, as httpx takes it.
            headers: More headers.
            **options: `timeout` in seconds and `retry`, for this call.

        Returns:
            Status, headers and decoded body.

        Raises:
            InvalidArgumentError: The path is no absolute path of the API.
            APIError: Voucherify answered with an error status.
            ResponseValidationError: The body is no JSON.
            AmbiguousOutcomeError: A write may or may not have happened.
        """
        _check_path(path)
        target, _, query = path.partition("?")
        added = _protocol.encode_query(params)
        content = None if json is UNSET else _protocol.encode_json(json, name="json")
        answer = await self._caller.send(
            Call(
                # Not the path itself, which may hold a code that logs and errors must not show.
                Route(method.upper(), "(request)"),
                target,
                "&".join(part for part in (query, added) if part),
                content,
                None if content is None else "application/json",
                files,
                headers or {},
                options,
            )
        )
        return RawResponse(answer.status_code, answer.headers, _protocol.decode_answer(answer))


def _auth(app_id: str | None, app_token: str | None, auth: Auth | None) -> Auth:
    if auth is not None:
        if app_id is not None or app_token is not None:
            raise ConfigurationError(
                "auth: goes without app_id and app_token; give one or the other"
            )
        return auth
    app_id = os.environ.get("VOUCHERIFY_APP_ID") if app_id is None else app_id
    app_token = os.environ.get("VOUCHERIFY_APP_TOKEN") if app_token is None else app_token
    if not app_id or not app_token:
        missing = "app_id" if not app_id else "app_token"
        raise ConfigurationError(
            f"{missing}: is missing. Pass it to AsyncVoucherify, set VOUCHERIFY_{missing.upper()}, "
            "or pass auth="
        )
    return ApiKeyAuth(app_id, app_token)


def _base_url(base_url: str | None, cluster: str) -> str:
    base_url = os.environ.get("VOUCHERIFY_BASE_URL") if base_url is None else base_url
    if not base_url:
        if not isinstance(cluster, str) or not _CLUSTER.fullmatch(cluster):
            raise ConfigurationError(
                f'cluster: expected a name such as "api" or "us1.api", got {cluster!r}'
            )
        return f"https://{cluster}.voucherify.io"
    url = urlsplit(base_url)
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ConfigurationError(f"base_url: expected an http(s) URL, got {base_url!r}")
    if url.query or url.fragment or url.username or url.password:
        raise ConfigurationError("base_url: takes a scheme, a host, a port and a path, no more")
    return base_url.rstrip("/")


def _check_timeout(timeout: Any) -> Any:
    if isinstance(timeout, (int, float)) and not timeout > 0:
        raise ConfigurationError(f"timeout: expected seconds above 0 or None, got {timeout!r}")
    return timeout


def _check_path(path: str) -> None:
    if not path.startswith("/") or path.startswith("//"):
        raise InvalidArgumentError(
            f"path: expected an absolute path such as /v1/campaigns, got {path!r}"
        )
    segments = path.partition("?")[0].split("/")
    if "#" in path or any(segment in {".", ".."} for segment in segments) or not path.isprintable():
        raise InvalidArgumentError("path: has a dot segment, a fragment or a control character")


def _headers(api_version: str | None, headers: Mapping[str, str] | None) -> dict[str, str]:
    made = {"User-Agent": _USER_AGENT, "Accept": "application/json"}
    if api_version is not None:
        made["X-Voucherify-API-Version"] = api_version
    return {**made, **(headers or {})}
