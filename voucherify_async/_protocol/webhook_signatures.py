"""The signatures of webhooks: the hexadecimal HMAC-SHA256 of a body by the webhook's secret."""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from typing import Final

from ..errors import InvalidArgumentError, WebhookSignatureError
from .answers import decode_json

SIGNATURE_HEADER: Final = "x-voucherify-signature"
"""The header that holds the signature."""

# A string, or what else is no white space. Nobody has signed the body yet, so its form is anyone's
# choice: an unclosed string ends with the body, and nothing is ever looked at twice.
_STRING_OR_OTHER: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[^" \t\r\n]++', re.DOTALL)


class Keys:
    """The secrets, out of the sight of error trackers that record local variables."""

    __slots__ = ("_keys",)

    def __init__(self, secret: str | Sequence[str]) -> None:
        texts = (secret,) if isinstance(secret, str) else secret
        fine = isinstance(texts, Sequence) and all(isinstance(t, str) and t for t in texts)
        self._keys = tuple(text.encode("utf-8", "surrogatepass") for text in texts) if fine else ()

    def __repr__(self) -> str:
        return "Keys(***)"

    def sign(self, body: bytes) -> str:
        """The signature of a body by the first secret, as Voucherify makes it."""
        return self._signatures(_compact(body) if _is_json(body) else body)[0]

    def _signatures(self, content: bytes) -> list[str]:
        # Not refused when it was made: the caller's frame still held the secret then.
        if not self._keys:
            raise InvalidArgumentError(
                "secret: expected the webhook's secret, or several, none of them empty"
            )
        return [hmac.new(key, content, "sha256").hexdigest() for key in self._keys]

    def check(self, body: bytes, signature: str | None) -> None:
        """Raise unless one secret made the signature."""
        if signature is not None and not isinstance(signature, str):
            raise InvalidArgumentError(
                f"signature: expected the header's text, got {type(signature).__name__}"
            )
        if not signature:
            raise WebhookSignatureError(f"The header {SIGNATURE_HEADER} is missing")
        if self._fits(body, signature):
            return
        # Whatever stands between Voucherify and here may have laid the JSON out anew.
        compact = _compact(body)
        if compact != body and self._fits(compact, signature) and _is_json(body):
            return
        raise WebhookSignatureError(
            "The signature does not fit the body. Pass the body as it came, not parsed and written "
            "again, and the secret of the webhook that was called"
        )

    def _fits(self, content: bytes, signature: str) -> bool:
        given = signature.strip().lower().encode("utf-8", "replace")
        # Every secret is tried, so that the time taken does not say which one was close.
        found = [hmac.compare_digest(s.encode(), given) for s in self._signatures(content)]
        return any(found)


def body_bytes(body: bytes) -> bytes:
    """The body as bytes, or `InvalidArgumentError` for one that was decoded."""
    if not isinstance(body, (bytes, bytearray, memoryview)):
        raise InvalidArgumentError(
            f"body: expected the request's bytes as they came, got {type(body).__name__}"
        )
    return bytes(body)


def _compact(body: bytes) -> bytes:
    return b"".join(_STRING_OR_OTHER.findall(body))


def _is_json(body: bytes) -> bool:
    try:
        decode_json(body)
    except ValueError:
        return False
    return True
