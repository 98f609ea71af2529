"""Carries one call through: wait for its turn, sign it, send it, and decide what came of it.

The rule above all others: a write whose outcome is unknown is not repeated, and says so.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from .._protocol import answers, retry
from .._protocol.answers import Answer
from .._protocol.headers import NO_HEADERS, SignedHeaders
from .._protocol.retry import Outcome, RetryPolicy
from .._transport.exchange import Outgoing, StreamedAnswer
from ..errors import ResponseValidationError, VoucherifyError
from . import outcomes
from .admission import Admission
from .attempts import attempt
from .call import Call, CallOptions
from .connections import Connections, Quotas
from .limits import Limit
from .logs import log
from .outcomes import Doubt
from .quota import OnWait
from .settings import DEFAULT_HEADERS, Settings
from .signing import ONCE, Signer

__all__ = ["Call", "CallOptions", "Caller"]

T = TypeVar("T")


class Caller:
    """Sends the calls of one client."""

    def __init__(self, settings: Settings, connections: Connections, quotas: Quotas) -> None:
        self.settings = settings
        self.connections = connections
        self.quotas = quotas
        self._signer = Signer(settings, connections)
        self._plain = (NO_HEADERS, settings.headers)

    async def send(self, call: Call) -> Answer:
        """Send a call, as often as its policy allows, until it is answered with success.

        Raises:
            TransportError: No answer came to a call that changes nothing, or nothing was sent.
            APIError: Voucherify answered with an error status.
            AmbiguousOutcomeError: A write may or may not have happened.
        """
        rule, clock = call.route.rule, self.settings.clock
        policy = self.policy(call.options)
        limit = Limit.of_call(clock, call.route.method, call.route.template, policy)
        doubt: Doubt | None = None
        number = waited_out = 0
        while True:
            number += 1
            try:
                outcome, sent_at = await self._attempt(call, number, policy, limit)
            except VoucherifyError as error:
                # It was not sent this time, which says nothing of the time before.
                if doubt is not None:
                    raise outcomes.ambiguous(call, error, doubt) from error
                raise
            if isinstance(outcome, Answer):
                # Redirects are not followed, so a 3xx is not a success.
                if 200 <= outcome.status_code < 300:
                    return outcome
                if doubt is not None and retry.finds_it_gone(rule, outcome):
                    # The attempt before this one may well be what deleted it.
                    return Answer(204, outcome.headers, b"")
            if retry.may_have_happened(rule, outcome):
                doubt = self._doubt(sent_at, doubt)
            waited_out += policy.waits_out(outcome, patient=call.route.bulk)
            wait = policy.wait(
                rule,
                outcome,
                attempt=number,
                now=clock.time(),
                patient=call.route.bulk,
                waited_out=waited_out,
            )
            if wait is None or wait >= limit.left():
                break
            await self._pause(call, number, outcome, wait)
        raise outcomes.failure(call, outcome, clock.time(), doubt)

    async def fetch(self, call: Call, read: Callable[[Any], T]) -> tuple[Answer, T]:
        """Send a call, hold its answer against it, and read the body.

        Args:
            call: The call.
            read: Makes of the body what the caller wants.

        Returns:
            The answer, and what was read.

        Raises:
            ResponseValidationError: The answer to a read does not fit the call.
            UnreadableAnswerError: The answer to a write does not.
            VoucherifyError: As `send`.
        """
        began = self.settings.clock.time()
        answer = await self.send(call)
        try:
            body = call.target.received(call.content, answers.decode_answer(answer))
        except ResponseValidationError as error:
            # What comes next over this connection may be the answer to another request too.
            await self.connections.distrust()
            outcomes.raise_unreadable(error, call, self._doubt(began))
        try:
            return answer, read(body)
        except ResponseValidationError as error:
            outcomes.raise_unreadable(error, call, self._doubt(began))

    def _doubt(self, sent_at: float, earlier: Doubt | None = None) -> Doubt:
        since = self.connections.server_clock.at(sent_at) if earlier is None else earlier.sent_at
        return Doubt(since, datetime.fromtimestamp(self.settings.clock.time(), UTC))

    def with_settings(self, settings: Settings, quotas: Quotas) -> Caller:
        """The caller of another client over the same connections."""
        return Caller(settings, self.connections, quotas)

    def policy(self, options: CallOptions) -> RetryPolicy:
        """The retry policy of a call with these options."""
        return options.get("retry", self.settings.retry) or ONCE

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
        policy = settings.retry or ONCE
        limit = Limit.of_call(settings.clock, "GET", "(download)", policy)
        async with AsyncExitStack() as opening:
            # The slot is for the opening: whoever works on the body for long may call meanwhile.
            async with Admission(self.connections.slots, limit):
                # Another host gets nothing of ours, and no gateway's key of the caller's either.
                signed = SignedHeaders(DEFAULT_HEADERS, headers)
                if sign:
                    credentials = await limit.run(self._signer.headers, sent=False)
                    signed = SignedHeaders(settings.headers, headers, credentials)
                outgoing = Outgoing("GET", url, signed, None, None, settings.timeout, "(download)")
                response = await limit.of_attempt(policy).run(
                    opening.enter_async_context, sender.open(outgoing), sent=True
                )
            yield response

    async def _attempt(
        self, call: Call, number: int, policy: RetryPolicy, limit: Limit
    ) -> tuple[Outcome, float]:
        """Send once, in turn; once more where the token turns out to have ended.

        Returns:
            What came of it, and when its turn had come, as seconds since 1970.

        Raises:
            VoucherifyError: It was not sent: the quota is used up for longer than the call may
                wait, it could not be signed, or its deadline came before its turn.
        """
        connections = self.connections
        connections.sender()
        connections.check_loop()
        quota = self.quotas.of(call.route)
        max_wait = math.inf if call.route.bulk else policy.max_wait
        on_wait = self._on_wait(call, number)
        async with Admission(connections.slots, limit, quota, max_wait, on_wait) as admission:
            sent_at = self.settings.clock.time()
            outcome = await self._exchange(call, number, policy, limit)
            if isinstance(outcome, Answer):
                admission.answer = outcome
                self.quotas.note(outcome)
                connections.server_clock.note(outcome.headers, self.settings.clock.time())
        return outcome, sent_at

    async def _pause(self, call: Call, number: int, outcome: Outcome, wait: float) -> None:
        """Wait between two attempts."""
        came = outcome.status_code if isinstance(outcome, Answer) else type(outcome).__name__
        route = call.route
        text = "%s %s: %s after attempt %d; again in %.1f s"
        log.info(text, route.method, route.template, came, number, wait)
        await self.settings.clock.sleep(wait)

    def _on_wait(self, call: Call, number: int) -> OnWait | None:  # noqa: ARG002
        """What hears of a wait for the quota."""
        return None

    async def _exchange(
        self, call: Call, number: int, policy: RetryPolicy, limit: Limit
    ) -> Outcome:
        is_last = False
        while True:
            # Asked for again: the client may have been closed while the call waited.
            sender = self.connections.sender()
            signed = await limit.run(self._signer.headers, sent=False)
            outcome = await attempt(
                sender,
                self._outgoing(call, signed),
                number=number,
                limit=limit.of_attempt(policy, upload=call.files is not None),
                clock=self.settings.clock,
            )
            if is_last or not (isinstance(outcome, Answer) and outcome.status_code == 401):
                return outcome
            may_repeat = not retry.may_have_happened(call.route.rule, outcome)
            if not (self._signer.rejected(signed) and may_repeat):
                return outcome
            is_last = True

    def _outgoing(self, call: Call, signed: SignedHeaders) -> Outgoing:
        settings = self.settings
        url = settings.base_url + call.target.path + (f"?{call.query}" if call.query else "")
        timeout = call.options.get("timeout", settings.timeout)
        route, headers = call.route, self._headers(call, signed)
        return Outgoing(
            route.method, url, headers, call.content, call.files, timeout, route.template
        )

    def _headers(self, call: Call, signed: SignedHeaders) -> SignedHeaders:
        own = self.settings.headers
        if call.headers is not NO_HEADERS or call.content_type is not None:
            typed = NO_HEADERS if call.content_type is None else {"Content-Type": call.content_type}
            return SignedHeaders(own, call.headers, signed, typed)
        # Most requests have the same ones.
        if self._plain[0] is not signed:
            self._plain = signed, SignedHeaders(own, signed)
        return self._plain[1]
