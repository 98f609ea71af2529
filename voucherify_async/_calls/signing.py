"""Signs requests with whatever the client's `Auth` says, and fetches tokens for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .._protocol import answers
from .._protocol.answers import Answer
from .._protocol.headers import SecretForm, SignedHeaders, wrap
from .._protocol.retry import RetryPolicy
from .._protocol.route import Route
from .._transport.exchange import Outgoing
from ..errors import ConfigurationError, TransportError
from .attempts import attempt
from .connections import Connections
from .limits import Limit
from .settings import Settings

_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
ONCE: Final = RetryPolicy(max_attempts=1)


class Signer:
    """What signs the requests of one client."""

    def __init__(self, settings: Settings, connections: Connections) -> None:
        self._settings = settings
        self._connections = connections

    async def headers(self) -> SignedHeaders:
        """The headers that sign the next request.

        Raises:
            ConfigurationError: An `Auth` of the user's own gave what no header can carry.
            VoucherifyError: No token could be fetched.
        """
        return wrap(
            await self._settings.auth.headers(self.send_form, self._settings.clock),
            name="auth",
            error=ConfigurationError,
        )

    def rejected(self, headers: SignedHeaders) -> bool:
        """Tell the `Auth` of a 401; True where it wants one more try."""
        return self._settings.auth.rejected(headers)

    async def send_form(
        self, route: Route, form: bytes | SecretForm, headers: SignedHeaders | Mapping[str, str]
    ) -> Answer:
        """Send a form to the API with just these headers; what an `Auth` fetches tokens with.

        Raises:
            TransportError: No answer came; `sent` is False, as nothing of a call was.
            APIError: Voucherify refused.
        """
        try:
            outgoing = self._with_form(route, form, headers)
        finally:
            # An error tracker serialises the variables of the frames that an error goes through.
            del form, headers
        return await self._send(outgoing)

    def _with_form(
        self, route: Route, form: bytes | SecretForm, headers: SignedHeaders | Mapping[str, str]
    ) -> Outgoing:
        settings = self._settings
        try:
            signed = wrap(headers, name="auth", error=ConfigurationError)
            return Outgoing(
                route.method,
                settings.base_url + route.template,
                SignedHeaders(settings.headers, _FORM, signed),
                form if isinstance(form, bytes) else form.reveal(),
                None,
                settings.timeout,
                route.template,
            )
        finally:
            del form, headers

    async def _send(self, outgoing: Outgoing) -> Answer:
        policy, clock = self._settings.retry or ONCE, self._settings.clock
        limit = Limit.of_call(clock, outgoing.method, outgoing.template, policy)
        number = 0
        while True:
            number += 1
            outcome = await attempt(
                self._connections.sender(),
                outgoing,
                number=number,
                limit=limit.of_attempt(policy),
                clock=clock,
            )
            if isinstance(outcome, Answer) and 200 <= outcome.status_code < 300:
                return outcome
            # A token too many does no harm, so it is asked for again like a read.
            wait = policy.wait("GET", outcome, attempt=number, now=clock.time())
            if wait is None or wait >= limit.left():
                break
            await clock.sleep(wait)
        if isinstance(outcome, TransportError):
            outcome.sent = False
            raise outcome
        raise answers.error_from(outcome, clock.time())
