"""OAuth 2.0 tokens that live 900 seconds."""

from __future__ import annotations

from dataclasses import dataclass

from .._messages import JsonObject
from .._refusals import ApiFailure
from .ids import Ids
from .server_time import ServerTime

LIFETIME = 900
_CEILING = 1000
SCOPES = frozenset(
    (
        "api",
        "assets",
        "async-actions",
        "campaigns",
        "categories",
        "client_api",
        "client_consents",
        "client_customers",
        "client_events",
        "client_promotions",
        "client_publish",
        "client_qualifications",
        "client_redeem",
        "client_redemptions",
        "client_validate",
        "client_validations",
        "client_vouchers",
        "consents",
        "customers",
        "events",
        "exports",
        "locations",
        "loyalties",
        "metadata-schemas",
        "orders",
        "product-collections",
        "products",
        "promotions",
        "publications",
        "qualifications",
        "redemptions",
        "referrals",
        "rewards",
        "segments",
        "skus",
        "task-results",
        "templates",
        "trash-bin",
        "validation-rules-assignments",
        "validation-rules",
        "validations",
        "vouchers",
    )
)


@dataclass(slots=True, eq=False)
class StoredToken:
    """One access token; ``expires`` is in epoch seconds."""

    text: str
    client_id: str
    scope: str
    expires: float

    def render(self, remaining: float) -> JsonObject:
        """Return the JSON object that the API serves."""
        return {
            "access_token": self.text,
            "client_id": self.client_id,
            "expires_at": int(self.expires),
            "expires_in": int(remaining),
            "scope": self.scope,
            "token_type": "Bearer",
        }


class TokenStore:
    """The tokens in force."""

    def __init__(self, ids: Ids, clock: ServerTime) -> None:
        self._ids = ids
        self._clock = clock
        self._tokens: dict[str, StoredToken] = {}
        self.issued: int = 0

    def issue(self, client_id: str, scope: str) -> JsonObject:
        """Issue a token, or raise the API's 400."""
        if not scope or not set(scope.split(" ")) <= SCOPES:
            raise ApiFailure(400, "invalid_scope", f"Invalid scope: {scope}")
        now = self._clock.seconds()
        self._tokens = {text: token for text, token in self._tokens.items() if token.expires > now}
        if len(self._tokens) >= _CEILING:
            details = f"A project has at most {_CEILING} tokens in force"
            raise ApiFailure(400, "too_many_tokens", "Too many tokens", details)
        token = StoredToken(self._ids.text(50), client_id, scope, now + LIFETIME)
        self._tokens[token.text] = token
        self.issued += 1
        return token.render(LIFETIME)

    def adopt(self, text: str, lifetime: float, scope: str) -> None:
        """Put a token of the test's own in force."""
        self._tokens[text] = StoredToken(text, "adopted", scope, self._clock.seconds() + lifetime)

    def scopes(self, text: str) -> frozenset[str] | None:
        """Return what a token in force opens, or None if it is not in force."""
        token = self._tokens.get(text)
        if token is None or token.expires <= self._clock.seconds():
            return None
        return frozenset(token.scope.split(" "))

    def active(self, text: str) -> bool:
        """Tell whether a token is in force."""
        return self.scopes(text) is not None

    def introspect(self, text: str) -> JsonObject:
        """Return what the API tells of a token."""
        if not self.active(text):
            return {"active": False}
        token = self._tokens[text]
        return {**token.render(token.expires - self._clock.seconds()), "active": True}

    def revoke(self, text: str) -> bool:
        """End a token; tell whether it was in force."""
        active = self.active(text)
        self._tokens.pop(text, None)
        return active
