"""What clients made of each other share: the HTTP client, its limiter and the quotas."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import anyio

from .._clock import Clock
from .._concurrency.loops import membership
from .._protocol import rate_limits
from .._protocol.answers import Answer
from .._protocol.rate_limits import RateLimit
from .._protocol.route import Route
from .._transport.choice import Network
from .._transport.exchange import Sender
from ..auth import Auth, project_key
from ..errors import ClientClosedError, ClientLoopError
from .quota import Quota
from .quota_store import GuardedStore
from .server_clock import ServerClock
from .shared_quota import SharedQuota


class Connections:
    """The HTTP client and its limiter; both belong to the event loop that first uses them."""

    def __init__(self, network: Network, *, max_concurrency: int) -> None:
        self._network = network
        self._max_concurrency = max_concurrency
        self._is_own_loop: Callable[[], bool] = lambda: True
        self._sender: Sender | None = None
        self._slots: anyio.Semaphore | None = None
        self.closed: bool = False
        self.server_clock: ServerClock = ServerClock()

    def sender(self) -> Sender:
        """The HTTP client to send with, in the event loop that `check_loop` was called in.

        Raises:
            ClientClosedError: The client was closed.
        """
        if self.closed:
            raise ClientClosedError("This client was closed; make a new one, or close it later")
        if self._sender is None:
            self._is_own_loop = membership()
            self._sender = self._network.sender()
        return self._sender

    def check_loop(self) -> None:
        """Refuse another event loop than the one of the first call, and a fork of its process.

        Raises:
            ClientLoopError: The client belongs to another event loop or process.
        """
        if not self._is_own_loop():
            raise ClientLoopError(
                "This client was first used in another event loop or process, which its "
                "connections belong to. Make one client per loop, such as `async with "
                "AsyncVoucherify() as client:` inside the function that asyncio.run() runs"
            )

    @property
    def max_concurrency(self) -> int:
        """How many requests are open at once at the most."""
        return self._max_concurrency

    @property
    def slots(self) -> anyio.Semaphore:
        """Bounds the requests that are open at once; waiting for one has no timeout."""
        if self._slots is None:
            self._slots = anyio.Semaphore(self._max_concurrency, fast_acquire=True)
        return self._slots

    async def distrust(self) -> None:
        """Use no connection again that was open until now: an answer did not fit its request."""
        if self._sender is not None:
            with anyio.CancelScope(shield=True):
                await self._sender.distrust()

    async def aclose(self) -> None:
        """Close the HTTP client, unless it was injected.

        Raises:
            ClientLoopError: Its connections belong to another event loop.
        """
        sender = self._sender
        if sender is not None and self._network.is_own:
            self.check_loop()
            self._sender = None
            self.closed = True
            await sender.aclose()
        self.closed = True

    def __del__(self) -> None:
        if self._sender is not None and self._network.is_own:
            warnings.warn(
                "An AsyncVoucherify was left open: use `async with`, or await its aclose()",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )


class Quotas:
    """The quotas of one project: Voucherify counts plain calls and bulk calls apart.

    Args:
        clock: The client's clock.
        auth: What signs the requests, which tells the project.
        store: Where other processes count their calls too, if there is one.

    Raises:
        ConfigurationError: The quotas are shared, and nobody says whose they are.
    """

    def __init__(self, clock: Clock, auth: Auth, store: GuardedStore | None) -> None:
        self._clock = clock
        self._store = store
        self._last: Answer | None = None
        self.plain: Quota = Quota(clock)
        self.bulk: Quota = Quota(clock)
        try:
            if store is not None:
                project = project_key(store.project, auth)
                self.plain = SharedQuota(clock, store, f"{project}:plain")
                self.bulk = SharedQuota(clock, store, f"{project}:bulk")
        finally:
            del auth

    def of_other(self, auth: Auth) -> Quotas:
        """The quotas of other credentials, in the same store."""
        return Quotas(self._clock, auth, self._store)

    async def aclose(self) -> None:
        """Leave what other processes share."""
        if self._store is not None:
            await self.plain.aclose()
            await self.bulk.aclose()
            await self._store.aclose()

    def of(self, route: Route) -> Quota:
        """The quota that the calls of a route count in."""
        return self.bulk if route.bulk else self.plain

    @property
    def rate_limit(self) -> RateLimit | None:
        """The quota as the last answer stated it, or None before the first."""
        return None if self._last is None else rate_limits.rate_limit(self._last.headers)

    def note(self, answer: Answer) -> None:
        """Remember the last answer that stated a quota."""
        if "x-rate-limit-limit" in answer.headers:
            self._last = answer
