"""`AsyncVoucherify`: settings, who owns the HTTP client, and the namespaces."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypedDict, Unpack

import anyio
from attrs import evolve, frozen

from ._calls.call import Call, CallOptions, check_options
from ._calls.connections import Connections, Quotas
from ._calls.hooks import Hooks
from ._calls.logs import log_as_environment_says
from ._calls.quota_store import QuotaStore, guarded
from ._calls.settings import (
    API_VERSION,
    DEFAULT_CLUSTER,
    DEFAULT_HEADERS,
    Settings,
    check_auth,
    check_headers,
    client_headers,
    resolve_auth,
    resolve_base_url,
)
from ._calls.watched import caller_for
from ._checks import check_count, check_path
from ._clock import Clock
from ._protocol import bodies
from ._protocol.headers import SignedHeaders
from ._protocol.rate_limits import RateLimit
from ._protocol.retry import RetryPolicy
from ._protocol.route import BoundRoute, Route
from ._transport.choice import DEFAULT_BACKEND, DEFAULT_MAX_ANSWER_BYTES, BackendName, Network
from ._transport.tls import Certificate, Verify
from ._unset import UNSET, Unset
from .auth import Auth
from .errors import ConfigurationError, InvalidArgumentError

if TYPE_CHECKING:
    import httpx

    from ._recovery.settlement import Settled
    from .errors import AmbiguousOutcomeError
    from .resources import (
        AsyncActions,
        Exports,
        Imports,
        Orders,
        Qualifications,
        Redemptions,
        Transactions,
        Validations,
        Vouchers,
    )

DEFAULT_TIMEOUT: Final = 30.0


@frozen
class RawResponse:
    """The answer to `AsyncVoucherify.request`."""

    status_code: int
    """The HTTP status, 200 to 299."""
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
        base_url: The API's address, over `cluster`. Where neither is given, `VOUCHERIFY_BASE_URL`
            of the environment.
        timeout: Seconds for each step of an attempt (connect, write, read), None for no bound, or
            an `httpx.Timeout`. Waiting for a free connection has no timeout.
        retry: When calls are repeated; None sends each once.
        max_concurrency: How many requests are open at once; more wait for their turn.
        api_version: The API version to ask for, such as `v2018-08-01`; by default the project's.
        http_client: An `httpx.AsyncClient` of yours, or one of the same shape. It is used as it is
            and never closed.
        http_backend: What speaks HTTP: `httpcore`; `httpx2`, which
            is the same over httpx's successor, for services that have moved there, and an extra;
            `aiohttp`, which is faster, runs on asyncio only, and is an extra; `pyreqwest`, the
            fastest, which runs on asyncio only, is an extra, and goes by the system's authorities
            (`verify` is a bool); or `auto`, the fastest that is installed, runs on this event loop
            and can do what `proxy`, `verify` and `cert` ask for. Not with `http_client`.
        proxy: The proxy that everything goes through, such as
            `http://user:password@proxy.example:3128`, with the scheme http, https, socks5 or
            socks5h. By default that of the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`,
            but for hosts in `NO_PROXY`). Not with `http_client`.
        verify: What the server's certificate is checked against: True for the system's
            authorities, the path of a file or a folder of them, or an `ssl.SSLContext`; False
            checks nothing, for tests. Not with `http_client`.
        cert: The client's certificate: the path of a file that holds it and its key, or the paths
            of both, and the key's password. Not with `http_client`.
        allow_http: Whether `base_url` may be `http://` on a host other than this machine, which
            sends the credentials in clear text.
        max_answer_bytes: How many bytes the body of an answer may have, unpacked; downloads apart.
            A longer one raises `AnswerTooLargeError`, of a write `AmbiguousOutcomeError`.
        headers: More headers for every request.
        hooks: Functions to call as calls go on.
        quota_store: Where processes that use up one quota keep it, such as
            `RedisQuotaStore("redis://...")`; by default each process counts its own calls.
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
        cluster: str = DEFAULT_CLUSTER,
        base_url: str | None = None,
        timeout: float | httpx.Timeout | None = DEFAULT_TIMEOUT,
        retry: RetryPolicy | Unset | None = UNSET,
        max_concurrency: int = 20,
        api_version: str | None = None,
        http_client: httpx.AsyncClient | Any = None,
        http_backend: BackendName = DEFAULT_BACKEND,
        proxy: str | None = None,
        verify: Verify = True,
        cert: Certificate | None = None,
        allow_http: bool = False,
        max_answer_bytes: int = DEFAULT_MAX_ANSWER_BYTES,
        headers: Mapping[str, str] | None = None,
        hooks: Hooks | None = None,
        quota_store: QuotaStore | None = None,
        clock: Clock | None = None,
    ) -> None:
        # With the client and not with the package, which may be imported for an error's name; and
        # not at the first call, which someone is waiting for.
        from . import resources as _  # noqa: F401

        clock = Clock() if clock is None else clock
        try:
            signing = resolve_auth(app_id, app_token, auth)
            store = guarded(quota_store, clock)
            added = client_headers(api_version, headers)
            network = Network.of(
                resolve_base_url(base_url, cluster, allow_http=allow_http, backend=http_backend),
                http_client=http_client,
                http_backend=http_backend,
                proxy=proxy,
                verify=verify,
                cert=cert,
                max_answer_bytes=max_answer_bytes,
            )
        finally:
            # An error tracker serialises the variables of the frames that an error went through.
            del app_id, app_token, auth, headers, proxy, cert, base_url, quota_store
        check_count("max_concurrency", max_concurrency, error=ConfigurationError)
        if hooks is not None and not isinstance(hooks, Hooks):
            raise ConfigurationError(f"hooks: expected Hooks(...), got {hooks!r}")
        _check_is_asynchronous(http_client)
        log_as_environment_says()
        settings = Settings(
            base_url=network.base_url,
            auth=signing,
            timeout=timeout,
            retry=RetryPolicy() if isinstance(retry, Unset) else retry,
            headers=SignedHeaders(DEFAULT_HEADERS, added),
            clock=clock,
        )
        connections = Connections(network, max_concurrency=max_concurrency)
        self._caller = caller_for(settings, connections, Quotas(clock, signing, store), hooks)
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
                await self._caller.quotas.aclose()

    @cached_property
    def vouchers(self) -> Vouchers:
        """The vouchers themselves."""
        from .resources import Vouchers

        return Vouchers(self._caller)

    @cached_property
    def transactions(self) -> Transactions:
        """What happened on gift cards and loyalty cards."""
        from .resources import Transactions

        return Transactions(self._caller)

    @cached_property
    def imports(self) -> Imports:
        """Many vouchers at once."""
        from .resources import Imports

        return Imports(self._caller)

    @cached_property
    def async_actions(self) -> AsyncActions:
        """The background jobs of imports and bulk updates."""
        from .resources import AsyncActions

        return AsyncActions(self._caller)

    @cached_property
    def exports(self) -> Exports:
        """CSV files of what the project holds."""
        from .resources import Exports

        return Exports(self._caller)

    @cached_property
    def validations(self) -> Validations:
        """What a cart would get, before it is paid."""
        from .resources import Validations

        return Validations(self._caller)

    @cached_property
    def redemptions(self) -> Redemptions:
        """Redeem what a cart is paid with, and take it back."""
        from .resources import Redemptions

        return Redemptions(self._caller)

    @cached_property
    def qualifications(self) -> Qualifications:
        """What a customer could redeem."""
        from .resources import Qualifications

        return Qualifications(self._caller)

    @cached_property
    def orders(self) -> Orders:
        """The orders that customers place."""
        from .resources import Orders

        return Orders(self._caller)

    @property
    def rate_limit(self) -> RateLimit | None:
        """The quota as the last answer stated it; None before the first one."""
        return self._caller.quotas.rate_limit

    async def settle(
        self, error: AmbiguousOutcomeError, **options: Unpack[CallOptions]
    ) -> Settled[Any]:
        """Find out what became of a write whose answer was lost; it reads, and never writes.

        ```python
        settled = await client.settle(error)        # later, in this process or another
        if settled.status == "done":
            print(settled.result)
        ```

        What is there decides at once. What is not there counts as not done only three minutes and
        some seconds after it was sent: for so long Voucherify's load balancer may hold it back.
        Until then, and wherever the traces allow two readings, the outcome is unknown. One thing
        no client can know: whether somebody else undid the write since.

        Args:
            error: What the write raised, or its copy from a queue.

        Returns:
            `done` with the result, `not_done` (it may be sent again), or `unknown`; and what was
            looked at. If looking itself fails, it is `unknown`, with the `error` that came of it.

        Raises:
            InvalidArgumentError: `error` is not an `AmbiguousOutcomeError`.
        """
        from ._recovery.settlement import settle

        return await settle(self._caller, error, options)

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
            signing = check_auth(options.pop("auth"))
            settings, quotas = evolve(settings, auth=signing), quotas.of_other(signing)
        if "timeout" in options:
            settings = evolve(settings, timeout=options["timeout"])
        if "retry" in options:
            settings = evolve(settings, retry=options["retry"])
        if "headers" in options or "api_version" in options:
            kept = settings.headers
            if "api_version" in options:
                kept = kept.without(API_VERSION)
            added = client_headers(options.get("api_version"), options.pop("headers", None))
            settings = evolve(settings, headers=SignedHeaders(kept, added))
        other = object.__new__(AsyncVoucherify)
        other._caller = caller.with_settings(settings, quotas)
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
            **options: As on every method; what `extra_headers` and `extra_query` hold comes beside
                `headers` and `params`.

        Returns:
            Status, headers and decoded body.

        Raises:
            InvalidArgumentError: The path is not an absolute path of the API.
            APIError: Voucherify answered with an error status.
            ResponseValidationError: The body is not JSON; of a write, `UnreadableAnswerError`.
            AmbiguousOutcomeError: A write may or may not have happened.
        """
        try:
            added = check_headers(headers)
        finally:
            del headers
        check_options(options)
        check_path(path)
        if not isinstance(method, str) or not method.isascii() or not method.isalpha():
            raise InvalidArgumentError(f"method: expected a name such as GET, got {method!r}")
        if json is not UNSET and files is not None:
            raise InvalidArgumentError(
                "files: cannot be combined with json; a request has one body"
            )
        path, _, query = path.partition("?")
        call = Call.of(
            # Logs and errors show the template, and the path itself may hold a code.
            BoundRoute(Route("request", method.upper(), "(request)"), path),
            options,
            body=UNSET if json is UNSET else bodies.encode_json(json, name="json"),
            query=query,
            params=params,
            files=files,
            headers=added,
        )
        answer, body = await self._caller.fetch(call, lambda body: body)
        return RawResponse(answer.status_code, answer.headers, body)


def _check_is_asynchronous(http_client: Any) -> None:
    """Refuse a synchronous client: it would send a write, and fail when the answer is awaited."""
    if http_client is not None and not hasattr(http_client, "aclose"):
        raise ConfigurationError(
            "http_client: expected an asynchronous client such as httpx.AsyncClient(...), "
            f"got {type(http_client).__name__}"
        )
