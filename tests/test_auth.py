"""Static credentials, and an auth of the user's own."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

import voucherify_async as v

from .resources.support import Wire

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("value", ["", "  ", "a\nb", "ü", None, 5, "\x00"])
@pytest.mark.parametrize(
    "make",
    [
        lambda value: v.ApiKeyAuth(value, "t"),
        lambda value: v.ApiKeyAuth("i", value),
        v.BearerAuth,
    ],
    ids=["app_id", "app_token", "token"],
)
def test_credentials_that_are_none(make: Any, value: Any) -> None:
    """Credentials that no header can carry are refused without being shown."""
    with pytest.raises(v.ConfigurationError) as caught:
        make(value)
    assert "ü" not in str(caught.value)


@pytest.mark.parametrize("auth", [v.ApiKeyAuth("the-id", "the-token"), v.BearerAuth("the-token")])
def test_secrets_are_kept(auth: Any) -> None:
    """A repr hides the secret, and pickle and copy refuse to take it along."""
    assert "the-" not in repr(auth)
    assert "the-" not in str(auth)
    for way in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="holds a secret"):
            way(auth)


class Counting:
    """An auth of the user's own: a new header for every request, and one more try after a 401."""

    def __init__(self, *, tries: bool) -> None:
        self.count = 0
        self.refused: list[str] = []
        self._tries = tries

    async def headers(self, send_form: Any, clock: v.Clock) -> Mapping[str, str]:  # noqa: ARG002
        """The next header."""
        self.count += 1
        return {"X-Own": str(self.count)}

    def rejected(self, headers: Mapping[str, str]) -> bool:
        """Note what was refused."""
        self.refused.append(headers["X-Own"])
        return self._tries


@pytest.mark.parametrize("tries", [True, False])
async def test_own_auth(tries: bool) -> None:
    """An auth of two methods signs every request, and is asked once after a 401."""
    auth = Counting(tries=tries)
    refusal = {"code": 401, "key": "unauthorized", "message": "Unauthorized"}
    wire = Wire({"code": "A"}, httpx.Response(401, json=refusal))
    client = wire.client(auth=auth)
    await client.vouchers.get("A")
    with pytest.raises(v.AuthenticationError):
        await client.vouchers.update("A", {"active": True})
    sent = [request.headers["X-Own"] for request in wire.requests]
    assert sent == (["1", "2", "3"] if tries else ["1", "2"])
    assert auth.refused[0] == "2"
