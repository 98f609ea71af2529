"""How requests are signed: API keys, a bearer token, or a token that renews itself.

Nothing here shows a secret: not in a repr, not in a pickle (which is refused), not in an error.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from copy import copy
from typing import TYPE_CHECKING, NoReturn, Protocol
from urllib.parse import urlencode

import anyio

from ._clock import Clock
from ._protocol import routes
from ._protocol.answers import Answer, decode_answer
from ._protocol.routes import Route
from .errors import ConfigurationError, NotFoundError, ResponseValidationError, VoucherifyError

SendForm = Callable[[Route, bytes, Mapping[str, str]], Awaitable[Answer]]
"""Sends a form to the API's own origin with just these headers, and raises on an error status."""


if TYPE_CHECKING:
    from .models.oauth import OAuthToken


class Auth(Protocol):
    """What signs requests. Make your own by writing these two methods."""

    async def headers(self, send_form: SendForm, clock: Clock) -> Mapping[str, str]:
        """The headers that sign the next request."""
        ...

    def rejected(self, headers: Mapping[str, str]) -> bool:
        """Told of a 401 to a request signed with `headers`; True asks for one more try."""
        ...


class _SecretHolder:
    """Keeps secrets out of reprs and pickles."""

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds a secret and is not pickled; make it anew")


class _StaticAuth(_SecretHolder):
    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    async def headers(self, send_form: SendForm, clock: Clock) -> Mapping[str, str]:  # noqa: ARG002
        return self._headers

    def rejected(self, headers: Mapping[str, str]) -> bool:  # noqa: ARG002
        return False


class ApiKeyAuth(_StaticAuth):
    """An application's id and token, from the project's settings.

    Args:
        app_id: The application id (`X-App-Id`).
        app_token: The secret key (`X-App-Token`).

    Raises:
        ConfigurationError: One of them is empty or no header value.
    """

    def __init__(self, app_id: str, app_token: str) -> None:
        _check_secret("app_id", app_id)
        _check_secret("app_token", app_token)
        super().__init__(_Headers({"X-App-Id": app_id, "X-App-Token": app_token}))

    def __repr__(self) -> str:
        return "ApiKeyAuth(app_id=***, app_token=***)"


class BearerAuth(_StaticAuth):
    """A ready OAuth token, used until it ends.

    Args:
        token: The access token.

    Raises:
        ConfigurationError: It is empty or no header value.
    """

    def __init__(self, token: str) -> None:
        _check_secret("token", token)
        super().__init__(_Headers(Authorization=f"Bearer {token}"))

    def __repr__(self) -> str:
        return "BearerAuth(token=***)"


class OAuthClientCredentials(_SecretHolder):
    """A token that is fetched when it is first needed and renewed before it ends.

    With API keys it comes from `POST /v1/oauth/token`; with an OAuth service key, which goes with
    a `project_id`, from `POST /v2/oauth/token`. One fetch is under way at a time, however many
    requests wait for it. After a 401 a fresh token is tried once.

    Args:
        client_id: The application id, or the service key's id.
        client_secret: The application token, or the service key's secret.
        scope: What the token may do: names, or one text with spaces between them.
        project_id: The project, for a service key.
        renew_before: Seconds before its end at which a token is replaced.

    Raises:
        ConfigurationError: A credential is empty, or there is no scope.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        *,
        scope: str | Iterable[str] = "api",
        project_id: str | None = None,
        renew_before: float = 60.0,
    ) -> None:
        _check_secret("client_id", client_id)
        _check_secret("client_secret", client_secret)
        scopes = scope.split() if isinstance(scope, str) else list(scope)
        if not scopes:
            raise ConfigurationError('scope: name at least one, such as "api"')
        form = {"grant_type": "client_credentials", "scope": " ".join(scopes)}
        if project_id is None:
            self._route = routes.OAUTH_TOKEN
            self._sign = _Headers({"X-App-Id": client_id, "X-App-Token": client_secret})
        else:
            form["project_id"] = project_id
            self._route = routes.OAUTH_TOKEN_V2
            pair = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
            self._sign = _Headers(Authorization=f"Basic {pair}")
        self.scope = form["scope"]
        self._form = urlencode(form).encode()
        self._renew_before = renew_before
        self._fetching = anyio.Lock()
        self._failures = 0
        self._failure: VoucherifyError | None = None
        self._bearer: _Headers | None = None
        self._renew_at = 0.0
        self._send_form: SendForm | None = None

    def __repr__(self) -> str:
        return f"OAuthClientCredentials(client_id=***, client_secret=***, scope={self.scope!r})"

    async def headers(self, send_form: SendForm, clock: Clock) -> Mapping[str, str]:
        """The `Authorization` header, with a token that is good for a while yet."""
        bearer = self._current(clock)
        if bearer is None:
            failures = self._failures
            async with self._fetching:
                # Whoever waited here finds what the one before got: the token, or no token, which
                # would otherwise be asked for by each of them in turn.
                bearer = self._current(clock)
                if bearer is None and self._failure is not None and self._failures != failures:
                    raise copy(self._failure)
                bearer = bearer or await self._fetch(send_form, clock)
        return bearer

    def rejected(self, headers: Mapping[str, str]) -> bool:
        """Drop the token that met a 401, unless it has been replaced meanwhile."""
        if (
            self._bearer is not None
            and headers.get("Authorization") == self._bearer["Authorization"]
        ):
            self._bearer = None
        return True

    async def revoke(self) -> None:
        """End the current token at Voucherify (`POST /v1/oauth/token/revoke`).

        The next request fetches a new one. Where no token was fetched yet, this does nothing.

        Raises:
            APIError: Voucherify refused.
            TransportError: No answer came; call it again, or let the token end by itself.
        """
        bearer = self._bearer
        if bearer is not None and self._send_form is not None:
            # No request is to be signed with it from here on.
            self._bearer = None
            token = bearer["Authorization"].removeprefix("Bearer ")
            form = urlencode({"access_token": token}).encode()
            try:
                await self._send_form(routes.OAUTH_REVOKE, form, self._sign)
            except NotFoundError:
                # It had ended already.
                return
            except VoucherifyError:
                # Kept, so that it can be revoked again.
                self._bearer = self._bearer or bearer
                raise

    def _current(self, clock: Clock) -> Mapping[str, str] | None:
        return self._bearer if clock.monotonic() < self._renew_at else None

    async def _fetch(self, send_form: SendForm, clock: Clock) -> Mapping[str, str]:
        self._send_form = send_form
        asked_at = clock.monotonic()
        try:
            token = _read_token(await send_form(self._route, self._form, self._sign))
        except VoucherifyError as error:
            self._failures, self._failure = self._failures + 1, copy(error)
            raise
        lifetime = 900 if token.expires_in is None else token.expires_in
        # A token that ends sooner than the margin is used for half of its life.
        self._renew_at = asked_at + max(lifetime - self._renew_before, lifetime / 2)
        self._bearer = _Headers(Authorization=f"Bearer {token.access_token}")
        return self._bearer


class _Headers(dict[str, str]):
    """Headers that sign a request; where a debugger shows variables, it shows no secret."""

    def __repr__(self) -> str:
        return f"<{', '.join(self)}>"


def _read_token(answer: Answer) -> OAuthToken:
    """The token of an answer.

    Raises:
        ResponseValidationError: There is none. What came instead is kept out of the error, as it
            may hold the token or a part of it.
    """
    from ._conversion.converter import from_dict
    from .models.oauth import OAuthToken

    token: OAuthToken | None = None
    with suppress(VoucherifyError):
        token = from_dict(OAuthToken, decode_answer(answer) or {})
    if token is None or not token.access_token or not _is_header_text(token.access_token):
        raise ResponseValidationError(
            path="$.access_token", expected="a token", value=None, model="OAuthToken"
        )
    return token


def _check_secret(name: str, value: str) -> None:
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"{name}: is empty; take it from the project's settings")
    if not _is_header_text(value):
        # The value itself must not be shown.
        raise ConfigurationError(f"{name}: has characters that no HTTP header can carry")


def _is_header_text(value: str) -> bool:
    # One that no header can carry, a blank at its end for one, would be quoted in an error.
    return value.isascii() and value.isprintable() and value == value.strip()
