"""The caller of a client that is watched: by hooks, by OpenTelemetry, or by both.

A client that nobody watches has the plain `Caller` and pays for none of this.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from .._protocol import answers
from .._protocol.answers import Answer
from .._protocol.retry import Outcome, RetryPolicy
from ..errors import TransportError, VoucherifyError
from .call import Call
from .caller import Caller
from .connections import Connections, Quotas
from .hooks import Hooks, RequestEvent, ResponseEvent, RetryEvent, WaitEvent, tell
from .limits import Limit
from .quota import OnWait
from .settings import Settings
from .tracing import Tracing, tracing


def caller_for(
    settings: Settings, connections: Connections, quotas: Quotas, hooks: Hooks | None
) -> Caller:
    """The plain caller, or a watched one where somebody watches."""
    spans = tracing()
    if hooks is None and spans is None:
        return Caller(settings, connections, quotas)
    return WatchedCaller(settings, connections, quotas, hooks or Hooks(), spans)


class WatchedCaller(Caller):
    """Tells hooks of each attempt, and puts one span around each call."""

    def __init__(
        self,
        settings: Settings,
        connections: Connections,
        quotas: Quotas,
        hooks: Hooks,
        spans: Tracing | None,
    ) -> None:
        super().__init__(settings, connections, quotas)
        self._hooks = hooks
        self._spans = spans

    def with_settings(self, settings: Settings, quotas: Quotas) -> Caller:
        """The caller of a client that shares the connections, and is watched likewise."""
        return WatchedCaller(settings, self.connections, quotas, self._hooks, self._spans)

    async def send(self, call: Call) -> Answer:
        """Send a call, as the plain caller does, within its span."""
        if self._spans is None or not self._spans.is_recording():
            return await super().send(call)
        with self._spans.span(call.route, self.settings.base_url) as span:
            try:
                answer = await super().send(call)
            except Exception as error:
                span.failed(error)
                raise
            span.answered(answer)
            return answer

    async def _attempt(
        self, call: Call, number: int, policy: RetryPolicy, limit: Limit
    ) -> tuple[Outcome, float]:
        hooks, clock = self._hooks, self.settings.clock
        about = _about(call, number)
        await tell(hooks.on_request, partial(RequestEvent, **about))
        if self._spans is not None:
            self._spans.attempted(number)
        began = clock.monotonic()

        async def tell_end(came: Answer | VoucherifyError) -> None:
            elapsed = clock.monotonic() - began
            event = partial(ResponseEvent, **about, **_outcome(came), **_shown_headers(came))
            await tell(hooks.on_response, partial(event, elapsed=elapsed))

        try:
            outcome, sent_at = await super()._attempt(call, number, policy, limit)
        except VoucherifyError as error:
            # Nothing was sent: the quota is used up, say.
            await tell_end(error)
            raise
        await tell_end(outcome)
        return outcome, sent_at

    async def _pause(self, call: Call, number: int, outcome: Outcome, wait: float) -> None:
        event = partial(RetryEvent, **_about(call, number), **_outcome(outcome), wait=wait)
        await tell(self._hooks.on_retry, event)
        await super()._pause(call, number, outcome, wait)

    def _on_wait(self, call: Call, number: int) -> OnWait | None:
        about = _about(call, number)

        async def wait(seconds: float | None) -> None:
            await tell(self._hooks.on_wait, partial(WaitEvent, **about, wait=seconds))

        return wait


def _about(call: Call, number: int) -> dict[str, Any]:
    return {"method": call.route.method, "route": call.route.template, "attempt": number}


def _outcome(outcome: Answer | VoucherifyError) -> dict[str, Any]:
    if isinstance(outcome, Answer):
        return {"status_code": outcome.status_code, "error": None}
    # A quota that is used up raises what a 429 raises, but no answer came.
    status = outcome.status_code if isinstance(outcome, TransportError) else None
    return {"status_code": status, "error": type(outcome).__name__}


def _shown_headers(outcome: Answer | VoucherifyError) -> dict[str, Any]:
    headers = outcome.headers if isinstance(outcome, Answer) else {}
    # A copy, as the answer is still to be judged by its own.
    shown = {name: text for name, text in headers.items() if name != "set-cookie"}
    return {"headers": shown, "request_id": answers.request_id(headers)}
