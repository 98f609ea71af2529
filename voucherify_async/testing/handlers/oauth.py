"""OAuth 2.0: generate, introspect, revoke a token, on both token endpoints."""

from __future__ import annotations

import binascii
from base64 import b64decode

from .._messages import Incoming, Reply, json_reply, no_content, require_media_type
from .._refusals import ApiFailure
from .._state.state import State

_CLIENT_ID_LENGTH = 21


def generate_token(state: State, call: Incoming) -> Reply:
    """Issue a token for the API keys of the request."""
    return _issue(state, call, call.headers.get("x-app-id", "")[:_CLIENT_ID_LENGTH])


def generate_service_token(state: State, call: Incoming) -> Reply:
    """Issue a token for the service key in the Basic authorization of the request."""
    if not _field(call, "project_id"):
        raise ApiFailure(400, "missing_parameters", "Missing parameters", "project_id is expected")
    return _issue(state, call, basic_credentials(call)[0])


def basic_credentials(call: Incoming) -> tuple[str, str]:
    """Return user and password of a Basic authorization, empty if there is none."""
    scheme, _, encoded = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password


def _issue(state: State, call: Incoming, client_id: str) -> Reply:
    if _field(call, "grant_type") != "client_credentials":
        raise ApiFailure(400, "invalid_grant_type", "Invalid grant_type")
    return json_reply(state.tokens.issue(client_id, _field(call, "scope")))


def introspect_token(state: State, call: Incoming) -> Reply:
    """Tell whether a token is in force."""
    token = _field(call, "access_token")
    if not token:
        raise ApiFailure(400, "missing_parameters", "Missing parameters")
    return json_reply(state.tokens.introspect(token))


def revoke_token(state: State, call: Incoming) -> Reply:
    """End a token."""
    if not state.tokens.revoke(_field(call, "access_token")):
        return Reply(404, b"")
    return no_content()


def _field(call: Incoming, name: str) -> str:
    require_media_type(call, "application/x-www-form-urlencoded")
    value = call.form.get(name) if call.form is not None else None
    return value if isinstance(value, str) else ""
