"""OAuth 2.0 tokens, as the API answers with them."""

# A literal beside `str` names the values that are known today.
# ruff: noqa: PYI051

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

from ._base import Model


@frozen(kw_only=True, repr=False)
class OAuthToken(Model):
    """An access token: the answer of ``POST /v1/oauth/token``."""

    access_token: str | None = field(default=None, repr=False)
    """The token; a secret, and so never in the repr."""
    client_id: str | None = None
    """Id of the OAuth client."""
    expires_at: int | None = None
    """When the token expires, in seconds since 1970."""
    expires_in: int | None = None
    """Seconds until the token expires."""
    scope: str | None = None
    """What the token allows, separated by spaces."""
    token_type: Literal["Bearer"] | str | None = None
    """Scheme of the authorization header."""


__all__ = ["OAuthToken"]
