"""Carries one call through: wait for its turn, sign it, send it, and decide what came of it.

The rule above all others: a write whose outcome is unknown is not repeated, and says so.
"""

from __future__ import annotations

import logging
import math
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import (
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from typing import Final, cast

import anyio

from .._protocol import answers, retry
from .._protocol.answers import Answer
from .._protocol.headers import SecretForm, SignedHeaders, wrap
from .._protocol.retry import Outcome, RetryPolicy
from .._protocol.routes import Route
from .._transport.exchange import Outgoing, Sender, StreamedAnswer
from ..errors import ConfigurationError, TransportError, VoucherifyError
from ..errors import TimeoutError as OwnTimeoutError
from . import outcomes
from .call import Call, CallOptions, Settings
from .connections import Connections, Quotas
from .quota import Quota
from .settings import DEFAULT_HEADERS

__all__ = ["Call", "CallOptions", "Caller", "Settings"]

_log: Final = logging.getLogger("voucherify_async")
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_ONCE: Final = RetryPolicy(max_attempts=1)
_UNBOUND: Final = nullcontext()


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
        policy = self.policy(call.options)
        ends_at = None if policy.deadline is None else clock.monotonic() + policy.deadline
        maybe_done, attempt = False, 0
        while True:
            attempt += 1
            try:
                outcome = await self._attempt(call, attempt, policy, ends_at)
            except VoucherifyError as error:
                # It was not sent this time, which says nothing of the time before.
                if maybe_done:
                    raise outcomes.ambiguous(call, error) from error
                raise
            if isinstance(outcome, Answer):
                # Redirects are not followed, so a 3xx is not a success.
                if 200 <= outcome.status_code < 300:
                    return outcome
                if maybe_done and retry.finds_it_gone(method, outcome):
                    # The attempt before this one may well be what deleted it.
                    return Answer(204, outcome.headers, b"")
            maybe_done = maybe_done or retry.may_have_happened(method, outcome)
            wait = policy.wait(
                method, outcome, attempt=attempt, now=clock.time(), patient=call.route.bulk
            )
            if wait is None or (ends_at is not None and clock.monotonic() + wait >= ends_at):
                break
            await clock.sleep(wait)
        raise outcomes.failure(call, outcome, clock.time(), maybe_done=maybe_done)

    def policy(self, options: CallOptions) -> RetryPolicy:
        """The retry policy of a call with these options."""
        return options.get("retry", self.settings.retry) or _ONCE

    async def send_form(
        self, route: Route, form: bytes | SecretForm, headers: SignedHeaders | Mapping[str, str]
    ) -> Answer:
        """Send a form to the API with just these headers; what an `Auth` fetches tokens with.

        Raises:
            TransportError: No answer came; `sent` is False, as nothing of a call was.
            APIError: Voucherify refused.
        """
        settings, policy = self.settings, self.settings.retry or _ONCE
        try:
            signed = wrap(headers, name="auth", error=ConfigurationError)
        finally:
            del headers
        outgoing = Outgoing(
            route.method,
            settings.base_url + route.template,
            SignedHeaders(settings.headers, _FORM, signed),
            form if isinstance(form, bytes) else form.reveal(),
            None,
            settings.timeout,
            route.template,
        )
        attempt = 0
        while True:
            attempt += 1
            outcome = await self._exchange(self.connections.sender(), outgoing, attempt, None)
            if isinstance(outcome, Answer) and 200 <= outcome.status_code < 300:
                return outcome
            # A token too many does no harm, so that it is asked for again like a read.
            wait = policy.wait("GET", outcome, attempt=attempt, now=settings.clock.time())
            if wait is None:
                break
            await settings.clock.sleep(wait)
        if isinstance(outcome, TransportError):
            outcome.sent = False
            raise outcome
        raise answers.error_from(outcome, settings.clock.time())

    @asynccontextmanager
    async def open(
        self, url: str, headers: Mapping[str, str], *, sign: bool
    ) -> AsyncIterator[StreamedAnswer]:
        """GET an absolute URL and leave the body to be streamed.

        Only if `sign` does what is for the API alone go along: credentials, and the client's own
        headers.

        Raises:
            TransportError: No answer came, or it broke off.
        """
        sender, settings = self.connections.sender(), self.settings
        self.connections.check_loop()
        async with AsyncExitStack() as opening:
            # The slot is for the opening: who works on the body for long may call meanwhile.
            async with self.connections.slots:
                # Another host gets nothing of ours, and no gateway's key of the caller's either.
                own = settings.headers if sign else SignedHeaders(DEFAULT_HEADERS)
                signed = await self._signed() if sign else SignedHeaders()
                complete = SignedHeaders(own, headers, signed)
                outgoing = Outgoing(
                    "GET", url, complete, None, None, settings.timeout, "(download)"
                )
                response = await opening.enter_async_context(sender.open(outgoing))
            yield response

    async def _attempt(
        self, call: Call, number: int, policy: RetryPolicy, ends_at: float | None
    ) -> Outcome:
        """Send once, in turn; once more where the token turns out to have ended.

        Raises:
            VoucherifyError: It was not sent: the quota is used up for longer than the call may
                wait, it could not be signed, or its deadline came before its turn.
        """
        quota = self.quotas.of(call.route)
        self.connections.sender()
        self.connections.check_loop()
        await self._admit(call, quota, policy, ends_at)
        answer: Answer | None = None
        try:
            outcome = await self._exchange_signed(call, number, ends_at)
            answer = outcome if isinstance(outcome, Answer) else None
        finally:
            self.connections.slots.release()
            quota.leave(answer)
        if answer is not None:
            self.quotas.note(answer)
        return outcome

    async def _exchange_signed(self, call: Call, number: int, ends_at: float | None) -> Outcome:
        # Asked for again: the client may have been closed while the call waited.
        sender, auth = self.connections.sender(), self.settings.auth
        method = call.route.method
        signed = await self._sign(call, ends_at)
        outcome = await self._exchange(sender, self._outgoing(call, signed), number, ends_at)
        is_refused = isinstance(outcome, Answer) and outcome.status_code == 401
        if is_refused and auth.rejected(signed) and not retry.may_have_happened(method, outcome):
            again = self._outgoing(call, await self._sign(call, ends_at))
            outcome = await self._exchange(sender, again, number, ends_at)
        return outcome

    async def _admit(
        self, call: Call, quota: Quota, policy: RetryPolicy, ends_at: float | None
    ) -> None:
        """Take a slot and a place in the quota.

        A call that has to wait for the quota waits without a slot, which others can use meanwhile.
        """
        slots = self.connections.slots
        with self._bound(call.route, ends_at, sent=False):
            await slots.acquire()
            if quota.try_enter():
                return
            slots.release()
            max_wait = math.inf if call.route.bulk else policy.max_wait
            if ends_at is not None:
                max_wait = min(max_wait, ends_at - self.settings.clock.monotonic())
            await quota.enter(max_wait)
            try:
                await slots.acquire()
            except BaseException:
                quota.leave(None)
                raise

    async def _sign(self, call: Call, ends_at: float | None) -> SignedHeaders:
        with self._bound(call.route, ends_at, sent=False):
            return await self._signed()

    async def _signed(self) -> SignedHeaders:
        """The headers that sign the next request.

        Raises:
            ConfigurationError: An `Auth` of the user's own gave what no header can carry.
        """
        return wrap(
            await self.settings.auth.headers(self.send_form, self.settings.clock),
            name="auth",
            error=ConfigurationError,
        )

    async def _exchange(
        self, sender: Sender, outgoing: Outgoing, attempt: int, ends_at: float | None
    ) -> Outcome:
        """Send one request, and log what came of it."""
        clock = self.settings.clock
        started = clock.monotonic() if _log.isEnabledFor(logging.DEBUG) else None
        outcome: Outcome | None = None
        try:
            with self._bound(outgoing, ends_at, sent=True):
                outcome = answer = await sender.exchange(outgoing)
        except TransportError as error:
            outcome = error
            return error
        else:
            return answer
        finally:
            if started is not None:
                _log_attempt(outgoing, outcome, attempt, clock.monotonic() - started)

    def _outgoing(self, call: Call, signed: SignedHeaders) -> Outgoing:
        settings = self.settings
        url = settings.base_url + call.target.path + (f"?{call.query}" if call.query else "")
        typed = {} if call.content_type is None else {"Content-Type": call.content_type}
        headers = SignedHeaders(settings.headers, call.headers, signed, typed)
        timeout = call.options.get("timeout", settings.timeout)
        return Outgoing(
            call.route.method, url, headers, call.content, call.files, timeout, call.route.template
        )

    def _bound(
        self, what: Route | Outgoing, ends_at: float | None, *, sent: bool
    ) -> AbstractContextManager[None, None]:
        """End the block when the deadline of the call has come; `sent`: it may reach Voucherify."""
        if ends_at is None:
            return _UNBOUND
        error = OwnTimeoutError(
            f"{what.method} {what.template}: the deadline of the call has passed",
            method=what.method,
            path=what.template,
        )
        error.sent = sent
        ended = _ended(ends_at - self.settings.clock.monotonic(), error)
        # It raises; it never swallows.
        return cast("AbstractContextManager[None, None]", ended)


@contextmanager
def _ended(left: float, error: TransportError) -> Iterator[None]:
    if left <= 0:
        error.sent = False
        raise error
    with anyio.move_on_after(left) as scope:
        yield
    if scope.cancelled_caught:
        raise error


def _log_attempt(outgoing: Outgoing, outcome: Outcome | None, attempt: int, elapsed: float) -> None:
    """What it was and what came of it; never a path, a header or a body, which hold secrets."""
    result: object = "cancelled"
    request_id = None
    if isinstance(outcome, Answer):
        result, request_id = outcome.status_code, answers.request_id(outcome.headers)
    elif outcome is not None:
        result = type(outcome).__name__
    _log.debug(
        "%s %s: %s, attempt %d, %.1f ms, request %s",
        outgoing.method,
        outgoing.template,
        result,
        attempt,
        elapsed * 1000,
        request_id,
    )
