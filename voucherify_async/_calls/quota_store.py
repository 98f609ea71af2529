"""Where processes keep the quota that they share, and what happens when it cannot be reached."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Final, Protocol, runtime_checkable

import anyio

from .._checks import is_integer, is_number
from .._clock import Clock
from .._protocol.quota_decisions import QuotaGrant, QuotaRequest
from .._protocol.rate_limits import LONGEST_WINDOW
from ..errors import ConfigurationError, VoucherifyError
from .logs import log

_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 30.0


@runtime_checkable
class QuotaStore(Protocol):
    """Where processes keep the quota that they share; `RedisQuotaStore` is one.

    Make your own over any database that can lock a row and tell the time. Subclass this, and let
    the request decide:

    ```python
    class PostgresQuotaStore(QuotaStore):
        def __init__(self, pool):
            self._pool = pool

        async def ask(self, key: str, request: QuotaRequest) -> QuotaGrant:
            async with self._pool.acquire() as db, db.transaction():
                await db.execute("INSERT INTO quota (key) VALUES ($1) ON CONFLICT DO NOTHING", key)
                row = await db.fetchrow(
                    "SELECT state, extract(epoch FROM clock_timestamp())::float AS now "
                    "FROM quota WHERE key = $1 FOR UPDATE",
                    key,
                )
                kept = None if row["state"] is None else json.loads(row["state"])
                state, grant = request.decide(kept, row["now"])
                await db.execute(
                    "UPDATE quota SET state = $2 WHERE key = $1", key, json.dumps(state)
                )
                return grant
    ```

    What `ask` raises, and an answer that comes too late, fail no call: the client counts alone
    until the store is back, and says so in its log. Only a `VoucherifyError` reaches the caller.
    """

    timeout: float = 0.5
    """Seconds that a call waits for the store's answer."""
    project: str | None = None
    """The name of the project whose quota it is. Without one each application id counts apart."""

    async def ask(self, key: str, request: QuotaRequest) -> QuotaGrant:
        """Decide on a request as `request.decide` does, in one step that no other comes between.

        Args:
            key: Which quota: a hash of the project and the kind of calls, up to 40 characters.
            request: What a process asks for.
        """
        ...

    async def aclose(self) -> None:
        """Close what the store opened itself; called when the client is closed."""


def guarded(store: QuotaStore | None, clock: Clock) -> GuardedStore | None:
    """A store that may fail.

    Raises:
        ConfigurationError: It is not a store.
    """
    kind, is_store = type(store).__name__, isinstance(store, QuotaStore)
    if store is None:
        return None
    if is_store:
        return GuardedStore(store, clock)
    # Not shown: it may be a URL with a password.
    del store
    raise ConfigurationError(
        f"quota_store: expected an object such as RedisQuotaStore(...), got {kind}"
    )


class GuardedStore:
    """A quota store that may fail: then the client counts alone for a while, and says so.

    Args:
        store: The store.
        clock: What the pauses between two tries are measured with.
    """

    def __init__(self, store: QuotaStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._pause = 0.0
        self._out_until = -math.inf
        self._is_tried_again = False
        self._unanswered_for = 0.0

    @property
    def project(self) -> str | None:
        """The name of the project, where the store has one."""
        return self._store.project

    def is_out(self) -> bool:
        """Whether the client counts alone for now."""
        return self._pause > 0

    def is_due(self) -> bool:
        """Whether it is time to find out if the store is back."""
        return not self._is_tried_again and self._clock.monotonic() >= self._out_until

    async def ask(self, key: str, request: QuotaRequest, at_most: float) -> QuotaGrant | None:
        """Ask the store; None where it does not answer, and the client has to count alone.

        Args:
            key: Which quota.
            request: What to ask for.
            at_most: Seconds to wait for the answer, if that is less than the store's own limit.

        Raises:
            VoucherifyError: The store is not for this event loop.
        """
        if self.is_out() and not self.is_due():
            return None
        began, seconds = self._clock.monotonic(), min(self._store.timeout, at_most)
        self._is_tried_again = self.is_out()
        grant, failure = None, None
        scope = anyio.CancelScope(deadline=anyio.current_time() + seconds)
        try:
            with scope:
                grant, failure = await self._answer(key, request)
        finally:
            self._is_tried_again = False
            # Of calls that each have less time than the store, too, one has to find out.
            waited = self._clock.monotonic() - began
            self._unanswered_for += seconds if scope.cancelled_caught else waited
            if grant is not None:
                self._answered()
            elif failure is not None or self._unanswered_for >= self._store.timeout:
                self._failed(failure or "no answer in time")
        return grant

    async def aclose(self) -> None:
        """Close the store; one that cannot be closed is left."""
        with anyio.move_on_after(self._store.timeout), suppress(Exception):
            await self._store.aclose()

    async def _answer(
        self, key: str, request: QuotaRequest
    ) -> tuple[QuotaGrant | None, str | None]:
        """The grant, or what went wrong: no text of an error, which may hold a password."""
        try:
            grant = await self._store.ask(key, request)
        except VoucherifyError:
            raise
        except Exception as error:  # noqa: BLE001 - of whatever library the store stands on
            return None, type(error).__name__
        return (grant, None) if _makes_sense(grant, request) else (None, "a senseless answer")

    def _answered(self) -> None:
        self._unanswered_for = 0.0
        if self._pause:
            self._pause = 0.0
            log.warning("The quota store is back: the quota is shared again")

    def _failed(self, failure: str) -> None:
        self._unanswered_for = 0.0
        if not self._pause:
            log.warning(
                "The quota store failed (%s): until it is back, this process counts its calls "
                "alone, and processes together may send too many",
                failure,
            )
        self._pause = min(max(_FIRST_PAUSE, 2 * self._pause), _LONGEST_PAUSE)
        self._out_until = self._clock.monotonic() + self._pause


def _makes_sense(grant: QuotaGrant, request: QuotaRequest) -> bool:
    if not isinstance(grant, QuotaGrant) or not is_integer(grant.granted):
        return False
    wait = grant.wait
    is_wait = wait is None or (is_number(wait) and 0 <= wait <= LONGEST_WINDOW)
    return is_wait and 0 <= grant.granted <= request.wanted
