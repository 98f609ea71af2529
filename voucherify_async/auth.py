"""How requests are signed: API keys, a bearer token, or a token that renews itself.

Nothing here shows a secret: not in a repr, not in a pickle (which is refused), not in an error.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from copy import copy
from typing import Any, Final, NoReturn, Protocol, runtime_checkable
from urllib.parse import urlencode

import anyio
from attrs import frozen

from ._checks import is_number
from ._clock import Clock
from ._protocol import routes
from ._protocol.answers import Answer, decode_answer
from ._protocol.headers import SecretForm, SignedHeaders, is_header_text
from ._protocol.route import Route
from .errors import ConfigurationError, NotFoundError, ResponseValidationError, VoucherifyError

_USUAL_LIFE: Final = 900.0
_LONGEST_LIFE: Final = 10.0 * 365 * 86_400
_LEAST_USE: Final = 15.0
"""Seconds between two tokens, whatever is said of them; Voucherify lets 1,000 live at a time."""

SendForm = Callable[
    [Route, bytes | SecretForm, SignedHeaders | Mapping[str, str]], Awaitable[Answer]
]
"""Sends a form to the API's own origin with just these headers, and raises on an error status."""


@runtime_checkable
class Auth(Protocol):
    """What signs requests. Make your own by writing these two methods."""

    async def headers(self, send_form: SendForm, clock: Clock) -> SignedHeaders | Mapping[str, str]:
        """The headers that sign the next request; a mapping is wrapped at once."""
        ...

    def rejected(self, headers: SignedHeaders) -> bool:
        """Told of a 401 to a request signed with `headers`; True asks for one more try.

        `headers["Authorization"]` is the value that was sent.
        """
        ...


class _SecretHolder:
    """Keeps secrets out of reprs and pickles."""

    _project: str | None = None

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds a secret and is not pickled; make it anew")


class _StaticAuth(_SecretHolder):
    _headers: SignedHeaders

    async def headers(self, send_form: SendForm, clock: Clock) -> SignedHeaders:  # noqa: ARG002
        return self._headers

    def rejected(self, headers: SignedHeaders) -> bool:  # noqa: ARG002
        return False


class ApiKeyAuth(_StaticAuth):
    """An application's id and token, from the project's settings.

    Args:
        app_id: The application id (`X-App-Id`).
        app_token: The secret key (`X-App-Token`).

    Raises:
        ConfigurationError: One of them is empty, or a header cannot carry it.
    """

    def __init__(self, app_id: str, app_token: str) -> None:
        try:
            _check_secrets(app_id=app_id, app_token=app_token)
            self._headers = SignedHeaders({"X-App-Id": app_id, "X-App-Token": app_token})
            self._project = _hashed(app_id)
        finally:
            del app_id, app_token

    def __repr__(self) -> str:
        return "ApiKeyAuth(app_id=***, app_token=***)"


class BearerAuth(_StaticAuth):
    """A ready OAuth token, used until it ends.

    Args:
        token: The access token.

    Raises:
        ConfigurationError: It is empty, or a header cannot carry it.
    """

    def __init__(self, token: str) -> None:
        try:
            _check_secrets(token=token)
            self._headers = SignedHeaders({"Authorization": f"Bearer {token}"})
        finally:
            del token

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
        try:
            _check_secrets(client_id=client_id, client_secret=client_secret)
            self._project = _hashed(project_id or client_id)
            self._sign = (
                SignedHeaders({"X-App-Id": client_id, "X-App-Token": client_secret})
                if project_id is None
                else _basic(client_id, client_secret)
            )
        finally:
            del client_id, client_secret
        scopes = scope.split() if isinstance(scope, str) else list(scope)
        if not scopes:
            raise ConfigurationError('scope: name at least one, such as "api"')
        form = {"grant_type": "client_credentials", "scope": " ".join(scopes)}
        if project_id is None:
            self._route = routes.OAUTH_TOKEN
        else:
            form["project_id"] = project_id
            self._route = routes.OAUTH_TOKEN_V2
        self.scope: str = form["scope"]
        self._form = urlencode(form).encode()
        self._renew_before = renew_before
        self._fetching = anyio.Lock()
        self._failures = 0
        self._failure: VoucherifyError | None = None
        self._bearer: SignedHeaders | None = None
        self._renew_at = 0.0
        self._clock: Clock | None = None
        self._settled_at = 0.0
        self._send_form: SendForm | None = None

    def __repr__(self) -> str:
        return f"OAuthClientCredentials(client_id=***, client_secret=***, scope={self.scope!r})"

    async def headers(self, send_form: SendForm, clock: Clock) -> SignedHeaders:
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

    def rejected(self, headers: SignedHeaders) -> bool:
        """Drop the token that met a 401, unless it has been replaced meanwhile.

        One that came in the place of a dropped one moments ago is kept: another would fare no
        better, and Voucherify gives out so many tokens only.
        """
        if headers is not self._bearer or self._clock is None:
            return True
        now = self._clock.monotonic()
        if now < self._settled_at:
            return False
        self._settled_at = now + _LEAST_USE
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
            form = SecretForm(access_token=bearer["Authorization"].removeprefix("Bearer "))
            try:
                await self._send_form(routes.OAUTH_REVOKE, form, self._sign)
            except NotFoundError:
                # It had ended already.
                return
            except VoucherifyError:
                # Kept, so that it can be revoked again.
                self._bearer = self._bearer or bearer
                raise

    def _current(self, clock: Clock) -> SignedHeaders | None:
        return self._bearer if clock.monotonic() < self._renew_at else None

    async def _fetch(self, send_form: SendForm, clock: Clock) -> SignedHeaders:
        self._send_form, self._clock = send_form, clock
        asked_at = clock.monotonic()
        try:
            token = _read_token(await send_form(self._route, self._form, self._sign))
        except VoucherifyError as error:
            self._failures, self._failure = self._failures + 1, copy(error)
            raise
        # A token that ends sooner than the margin is used for half of its life.
        lifetime = token.lifetime
        use = max(lifetime - self._renew_before, lifetime / 2, _LEAST_USE)
        self._renew_at = asked_at + use
        self._bearer = token.headers
        return token.headers


def project_key(name: str | None, auth: Auth) -> str:
    """What tells the quota of a project from others, without telling the project.

    Args:
        name: The name that it was given, if it was.
        auth: What signs the requests; keys tell their application id, of which this is a hash.

    Raises:
        ConfigurationError: There is no name, and the credentials do not tell one.
    """
    kind, key = type(auth).__name__, getattr(auth, "_project", None)
    del auth
    if name is not None:
        return _hashed(name)
    if not isinstance(key, str):
        raise ConfigurationError(
            f"quota_store: {kind} does not tell whose quota is shared; name the project, such as "
            'RedisQuotaStore(..., project="shop")'
        )
    return key


def _hashed(text: str) -> str:
    return hashlib.sha256(f"quota of {text}".encode()).hexdigest()[:24]


@frozen
class _Token:
    """A token that was fetched, and the seconds that it lives."""

    headers: SignedHeaders
    lifetime: float


def _read_token(answer: Answer) -> _Token:
    """The token of an answer.

    Raises:
        ResponseValidationError: It has no token. What came instead is kept out of the error, as it
            may hold the token or a part of it.
    """
    token = _parse_token(answer)
    if token is None:
        raise ResponseValidationError(
            json_path="$.access_token", expected="a token", value=None, model="OAuthToken"
        )
    return token


def _parse_token(answer: Answer) -> _Token | None:
    """The token of an answer; it never raises, as its frame holds the token."""
    body: Any = None
    with suppress(ResponseValidationError):
        body = decode_answer(answer)
    if not isinstance(body, dict) or not _is_secret(body.get("access_token")):
        return None
    return _Token(
        SignedHeaders({"Authorization": f"Bearer {body['access_token']}"}),
        _lifetime(body.get("expires_in")),
    )


def _lifetime(stated: Any) -> float:
    """The seconds that a token lives; the documented ones where they are not told."""
    return float(stated) if is_number(stated) and 0 < stated <= _LONGEST_LIFE else _USUAL_LIFE


def _check_secrets(**secrets: Any) -> None:
    """Refuse what cannot be a credential; neither the message nor a frame shows it."""
    faults = [fault for name, value in secrets.items() if (fault := _fault(name, value))]
    del secrets
    if faults:
        raise ConfigurationError(faults[0])


def _fault(name: str, value: Any) -> str | None:
    if not isinstance(value, str) or not value.strip():
        return f"{name}: is empty; take it from the project's settings"
    if not is_header_text(value):
        return f"{name}: has characters that no HTTP header can carry"
    return None


def _is_secret(value: Any) -> bool:
    return is_header_text(value) and value != ""


def _basic(name: str, password: str) -> SignedHeaders:
    pair = base64.b64encode(f"{name}:{password}".encode())
    return SignedHeaders({"Authorization": f"Basic {pair.decode()}"})
