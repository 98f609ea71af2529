"""Carries one call through: sign it, wait for its turn, send it, and decide what its outcome means.

The rule above all others: a write whose outcome is unknown is not repeated, and says so.
"""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, TypedDict

import anyio
from attrs import field, frozen

from . import _protocol, _retry
from ._clock import Clock
from ._connections import Connections, Quotas
from ._protocol import Answer
from ._retry import Outcome, RetryPolicy
from ._routes import Route
from ._transport import HttpSender, Outgoing, exchange, opened
from .auth import Auth
from .errors import (
    AmbiguousOutcomeError,
    AmbiguousServerError,
    PoolTimeout,
    RateLimitError,
    ReadTimeout,
    TransportError,
    VoucherifyError,
)

_log: Final = logging.getLogger("voucherify_async")
_FORM: Final = "application/x-www-form-urlencoded"
_ONCE: Final = RetryPolicy(max_attempts=1)


class CallOptions(TypedDict, total=False):
    """What every method takes for one call, over the client's own settings."""

    timeout: Any
    """Seconds for each step of an attempt (connect, write, read), None for no bound, or an
    `httpx.Timeout`."""
    retry: RetryPolicy | None
    """The retry policy; None sends once."""


@frozen(kw_only=True)
class Settings:
    """What a client was told; `with_options` makes another of it over the same connections."""

    base_url: str
    auth: Auth
    timeout: Any
    retry: RetryPolicy | None
    headers: Mapping[str, str]
    clock: Clock


@frozen
class Call:
    """One call of the API, ready to be sent as often as it takes."""

    route: Route
    path: str
    query: str = ""
    content: bytes | None = None
    content_type: str | None = None
    files: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(factory=dict)
    options: CallOptions = field(factory=CallOptions)


class Caller:
    """Sends the calls of one client."""

    def __init__(self, settings: Settings, connections: Connections, quotas: Quotas) -> None:
        self.settings = settings
        self.connections = connections
        self.quotas = quotas

    async def send(self, call: Call) -> Answer:
        """Send a call, as often as its policy allows, until it is answered with success.

        Raises:
            TransportError: No answer came to a call that changes nothing, or nothing was sent.
            APIError: Voucherify answered with an error status.
            AmbiguousOutcomeError: A write may or may not have happened.
        """
        method, clock = call.route.method, self.settings.clock
        policy = call.options.get("retry", self.settings.retry) or _ONCE
        ends_at = None if policy.deadline is None else clock.monotonic() + policy.deadline
        maybe_done = False
        for attempt in itertools.count(1):
            try:
                outcome = await self._attempt(call, policy, ends_at)
            except RateLimitError as error:
                if maybe_done:
                    raise self._ambiguous(call, error) from error
                raise
            if isinstance(outcome, Answer):
                if outcome.status_code < 400:
                    return outcome
                if method == "DELETE" and outcome.status_code == 404 and maybe_done:
                    # Gone, and the attempt before this one may well be what deleted it.
                    return Answer(204, outcome.headers, b"")
            maybe_done = maybe_done or _retry.may_have_happened(method, outcome)
            wait = policy.wait(
                method, outcome, attempt=attempt, now=clock.time(), patient=call.route.bulk
            )
            if wait is None or (ends_at is not None and clock.monotonic() + wait >= ends_at):
                break
            await clock.sleep(wait)
        raise self._failure(call, outcome, maybe_done=maybe_done)

    async def send_form(self, route: Route, form: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a form to the API with just these headers; what an `Auth` fetches tokens with.

        Raises:
            TransportError: No answer came.
            APIError: Voucherify refused.
        """
        signed = {**self.settings.headers, "Content-Type": _FORM, **headers}
        url = self.settings.base_url + route.template
        outgoing = Outgoing(
            route.method, url, signed, form, None, self.settings.timeout, route.template
        )
        answer = await exchange(self.connections.sender(), outgoing)
        if answer.status_code >= 400:
            raise _protocol.error_from(answer, self.settings.clock.time())
        return answer

    @asynccontextmanager
    async def open(self, url: str, headers: Mapping[str, str], *, sign: bool) -> AsyncIterator[Any]:
        """GET an absolute URL and leave the body to be streamed; credentials only if `sign`.

        Raises:
            TransportError: No answer came, or it broke off.
        """
        sender = self.connections.sender()
        async with self.connections.slots:
            signed = {**self.settings.headers, **headers}
            if sign:
                signed.update(await self.settings.auth.headers(self.send_form, self.settings.clock))
            outgoing = Outgoing("GET", url, signed, None, None, self.settings.timeout, "(download)")
            async with opened(sender, outgoing) as response:
                yield response

    async def _attempt(self, call: Call, policy: RetryPolicy, ends_at: float | None) -> Outcome:
        """Send once, in turn.

        Raises:
            RateLimitError: The quota is used up for longer than the call may wait.
        """
        sender, clock = self.connections.sender(), self.settings.clock
        max_wait = math.inf if call.route.bulk else policy.max_wait
        if ends_at is not None:
            max_wait = min(max_wait, ends_at - clock.monotonic())
        quota = self.quotas.bulk if call.route.bulk else self.quotas.plain
        await quota.enter(max_wait)
        answer: Answer | None = None
        try:
            with self._bound(call, ends_at, PoolTimeout):
                await self.connections.slots.acquire()
            try:
                with self._bound(call, ends_at, ReadTimeout):
                    answer = await self._exchange(sender, call)
            finally:
                self.connections.slots.release()
        except TransportError as error:
            return error
        finally:
            quota.leave(answer)
        self.quotas.note(answer)
        return answer

    async def _exchange(self, sender: HttpSender, call: Call) -> Answer:
        """Sign and send; once more where the token turns out to have ended."""
        signed = await self._sign()
        answer = await self._logged_exchange(sender, call, signed)
        if answer.status_code == 401 and self.settings.auth.rejected(signed):
            # A 401 was not processed, so that a fresh token may be tried with any method.
            answer = await self._logged_exchange(sender, call, await self._sign())
        return answer

    async def _sign(self) -> Mapping[str, str]:
        try:
            return await self.settings.auth.headers(self.send_form, self.settings.clock)
        except TransportError as error:
            # It was the token's request that failed; of the call itself nothing was sent.
            error.sent = False
            raise

    async def _logged_exchange(
        self, sender: HttpSender, call: Call, signed: Mapping[str, str]
    ) -> Answer:
        started = self.settings.clock.monotonic()
        result: object = "cancelled"
        request_id: str | None = None
        try:
            answer = await exchange(sender, self._outgoing(call, signed))
            result, request_id = answer.status_code, _protocol.request_id(answer.headers)
        except TransportError as error:
            result = type(error).__name__
            raise
        finally:
            if _log.isEnabledFor(logging.DEBUG):
                elapsed = (self.settings.clock.monotonic() - started) * 1000
                method, template = call.route.method, call.route.template
                _log.debug(
                    "%s %s: %s in %.1f ms, %s", method, template, result, elapsed, request_id
                )
        return answer

    def _outgoing(self, call: Call, signed: Mapping[str, str]) -> Outgoing:
        settings = self.settings
        url = settings.base_url + call.path + (f"?{call.query}" if call.query else "")
        headers = {**settings.headers, **call.headers, **signed}
        if call.content_type is not None:
            headers["Content-Type"] = call.content_type
        timeout = call.options.get("timeout", settings.timeout)
        return Outgoing(
            call.route.method, url, headers, call.content, call.files, timeout, call.route.template
        )

    @contextmanager
    def _bound(
        self, call: Call, ends_at: float | None, error: type[TransportError]
    ) -> Iterator[None]:
        """End the block with `error` when the deadline of the call has come."""
        if ends_at is None:
            yield
            return
        with anyio.move_on_after(max(0.0, ends_at - self.settings.clock.monotonic())) as scope:
            yield
        if scope.cancelled_caught:
            method, template = call.route.method, call.route.template
            message = f"{method} {template}: the deadline of the call has passed"
            raise error(message, method=method, path=template)

    def _failure(self, call: Call, outcome: Outcome, *, maybe_done: bool) -> VoucherifyError:
        """The exception for a call that is not repeated any more."""
        now = self.settings.clock.time()
        if isinstance(outcome, TransportError):
            return self._ambiguous(call, outcome) if maybe_done else outcome
        if not maybe_done:
            return _protocol.error_from(outcome, now)
        if outcome.status_code >= 500:
            failed = _protocol.error_from(outcome, now, cls=AmbiguousServerError)
            describe(failed, call)
            return failed
        refused = _protocol.error_from(outcome, now)
        # A definite answer settles it; being told to come later does not.
        return self._ambiguous(call, refused) if refused.status_code in {408, 425, 429} else refused

    @staticmethod
    def _ambiguous(call: Call, cause: VoucherifyError) -> AmbiguousOutcomeError:
        route = call.route
        error = AmbiguousOutcomeError(
            f"{route.method} {route.template} may or may not have happened, and was not repeated: "
            f"{cause}. {route.check}"
        )
        describe(error, call)
        error.__cause__ = cause
        return error


def describe(error: AmbiguousOutcomeError, call: Call) -> None:
    """Tell an error of an unknown outcome which call it was and how to find out."""
    error.method, error.path = call.route.method, call.route.template
    error.sent, error.how_to_check = call.content, call.route.check
