from __future__ import annotations

from base64 import b64encode
from typing import Any

import httpx
import pytest

from voucherify_async.testing import FakeVoucherify

from .conftest import KEYS, Now

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=1)]

GRANT = {"grant_type": "client_credentials", "scope": "vouchers exports"}


def bearer(token: str) -> dict[str, str]:
    """Return the headers of a token."""
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-App-Id": "id"},
        {"X-App-Id": "id", "X-App-Token": ""},
        {"X-App-Id": "id", "X-App-Token": "wrong"},
        bearer("unknown"),
    ],
)
async def test_request_needs_credentials(fake: FakeVoucherify, headers: dict[str, str]) -> None:
    """Without the right credentials every route answers 401, in the form without a key."""
    async with fake:
        stranger = fake.http_client(headers=headers)
        for path in ("/v1/vouchers", "/v1/nothing", "/v1/oauth/token"):
            response = await stranger.get(path)
            body = response.json()
            assert list(body) == ["code", "message", "details", "request_id"]
            assert (response.status_code, body["code"]) == (401, 401)


async def test_exact_credentials() -> None:
    """A server with credentials of its own accepts these alone."""
    fake = FakeVoucherify(app_id="one", app_token="two")
    assert (fake.app_id, fake.app_token) == ("one", "two")
    async with fake:
        assert (await fake.http_client(headers=KEYS).get("/v1/vouchers")).status_code == 401
        right = {"X-App-Id": "one", "X-App-Token": "two"}
        assert (await fake.http_client(headers=right).get("/v1/vouchers")).status_code == 200


async def test_any_credentials_where_the_test_says_so() -> None:
    """A server told to accept any credentials takes all that are not empty."""
    async with FakeVoucherify(app_id=None, app_token=None) as fake:
        stranger = fake.http_client(headers={"X-App-Id": "a", "X-App-Token": "b"})
        assert (await stranger.get("/v1/vouchers")).status_code == 200


@pytest.mark.parametrize(
    ("scope", "path", "status"),
    [
        ("vouchers", "/v1/vouchers", 200),
        ("vouchers exports", "/v1/exports", 200),
        ("api", "/v1/exports", 200),
        ("exports", "/v1/vouchers", 403),
        ("client_vouchers", "/v1/vouchers", 403),
        ("exports", "/v1/nothing", 404),
    ],
)
async def test_a_token_opens_what_its_scope_says(
    fake: FakeVoucherify, scope: str, path: str, status: int
) -> None:
    """A token opens the operations of its scopes alone; ``api`` opens all."""
    fake.add_token("mine", scope=scope)
    async with fake:
        response = await fake.http_client(headers=bearer("mine")).get(path)
    assert response.status_code == status
    if status == 403:
        assert response.json()["key"] == "missing_required_permission"


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("text/html, */*;q=0.1", 200),
        ("", 200),
        ("text/html", 406),
        ("application/xml;q=0.9", 406),
    ],
)
async def test_answers_are_json_alone(api: httpx.AsyncClient, accept: str, status: int) -> None:
    """A request that does not accept JSON answers 406, in the form without a key."""
    response = await api.get("/v1/vouchers", headers={"accept": accept})
    assert response.status_code == status
    assert status == 200 or list(response.json()) == ["code", "message", "details", "request_id"]


async def test_token_lives_for_900_seconds(
    api: httpx.AsyncClient, fake: FakeVoucherify, now: Now
) -> None:
    """A token opens every route until it expires by the server's clock."""
    token = (await api.post("/v1/oauth/token", data=GRANT)).json()
    assert list(token) == [
        "access_token",
        "client_id",
        "expires_at",
        "expires_in",
        "scope",
        "token_type",
    ]
    assert (token["expires_in"], token["scope"]) == (900, "vouchers exports")
    assert fake.tokens_issued == 1
    user = fake.http_client(headers=bearer(token["access_token"]))
    now.move(899)
    assert (await user.get("/v1/vouchers")).status_code == 200
    introspected = await api.post(
        "/v1/oauth/introspect", data={"access_token": token["access_token"]}
    )
    assert introspected.json()["active"] is True
    assert introspected.json()["expires_in"] == 1
    now.move(1)
    assert (await user.get("/v1/vouchers")).status_code == 401
    introspected = await api.post(
        "/v1/oauth/introspect", data={"access_token": token["access_token"]}
    )
    assert introspected.json() == {"active": False}


async def test_token_is_revoked_once(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """A revoked token opens nothing; revoking it again answers an empty 404."""
    fake.add_token("mine", lifetime=10)
    user = fake.http_client(headers=bearer("mine"))
    assert (await user.get("/v1/vouchers")).status_code == 200
    revoke = {"access_token": "mine"}
    assert (await api.post("/v1/oauth/token/revoke", data=revoke)).status_code == 204
    assert (await user.get("/v1/vouchers")).status_code == 401
    again = await api.post("/v1/oauth/token/revoke", data=revoke)
    assert (again.status_code, again.content) == (404, b"")


@pytest.mark.parametrize(
    ("form", "key"),
    [
        ({}, "invalid_grant_type"),
        ({"grant_type": "password", "scope": "api"}, "invalid_grant_type"),
        ({"grant_type": "client_credentials"}, "invalid_scope"),
        ({"grant_type": "client_credentials", "scope": "vouchers,exports"}, "invalid_scope"),
    ],
)
async def test_unfit_token_request(api: httpx.AsyncClient, form: dict[str, str], key: str) -> None:
    """A wrong grant type or scope answers 400, another body type 415."""
    form = {"x": "1", **form}
    response = await api.post("/v1/oauth/token", data=form)
    assert (response.status_code, response.json()["key"]) == (400, key)
    assert (await api.post("/v1/oauth/token", json=form)).status_code == 415
    missing = await api.post("/v1/oauth/introspect", data={"x": "1"})
    assert missing.json()["key"] == "missing_parameters"


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_project_has_a_thousand_tokens(
    api: httpx.AsyncClient, fake: FakeVoucherify, now: Now
) -> None:
    """The 1,001st token in force is refused; expired ones make room."""
    for number in range(999):
        fake.add_token(str(number))
    assert (await api.post("/v1/oauth/token", data=GRANT)).status_code == 200
    refused = await api.post("/v1/oauth/token", data=GRANT)
    assert refused.json()["key"] == "too_many_tokens"
    now.move(900)
    assert (await api.post("/v1/oauth/token", data=GRANT)).status_code == 200


def basic(text: str) -> dict[str, str]:
    """Return the headers of a Basic authorization."""
    return {"Authorization": f"Basic {b64encode(text.encode()).decode()}"}


@pytest.mark.parametrize(
    ("headers", "form", "status"),
    [
        (basic("key:secret"), {"project_id": "proj_1"}, 200),
        (basic("key:secret"), {}, 400),
        (basic("key:wrong"), {"project_id": "proj_1"}, 401),
        (basic("key"), {"project_id": "proj_1"}, 401),
        ({"Authorization": "Basic ###"}, {"project_id": "proj_1"}, 401),
        (KEYS, {"project_id": "proj_1"}, 401),
    ],
)
async def test_service_key_gets_a_token(
    headers: dict[str, str], form: dict[str, Any], status: int
) -> None:
    """The newer endpoint takes Basic authorization of a service key and a project."""
    async with FakeVoucherify(client_id="key", client_secret="secret") as fake:
        api = fake.http_client(headers=headers)
        response = await api.post("/v2/oauth/token", data={**GRANT, **form})
        assert response.status_code == status
        if status == 200:
            user = fake.http_client(headers=bearer(response.json()["access_token"]))
            assert (await user.get("/v1/vouchers")).status_code == 200


async def test_quota_is_a_fixed_window(
    api: httpx.AsyncClient, fake: FakeVoucherify, now: Now
) -> None:
    """Past the quota requests answer 429 until the window turns."""
    fake.set_quota(2, window_seconds=10)
    now.move(1)
    epoch = int(now().timestamp())
    seen = [await api.get("/v1/vouchers") for _ in range(3)]
    assert [response.status_code for response in seen] == [200, 200, 429]
    assert [response.headers["x-rate-limit-remaining"] for response in seen] == ["1", "0", "0"]
    limited = seen[2]
    assert limited.headers["x-rate-limit-limit"] == "2"
    assert limited.headers["x-rate-limit-retry"] == str(epoch + 10)
    assert limited.headers["retry-after"] == "9"
    assert limited.headers["x-rate-limit-type"] == "api_calls"
    assert limited.json()["code"] == 429
    now.move(8.9)
    assert (await api.get("/v1/vouchers")).status_code == 429
    now.move(0.1)
    assert (await api.get("/v1/vouchers")).status_code == 200
    fake.set_quota(None)
    free = [await api.get("/v1/vouchers") for _ in range(3)]
    assert all(response.headers["x-rate-limit-remaining"] == "99999" for response in free)


async def test_bulk_calls_count_apart(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """With a bulk limit, imports have a quota of their own; without one they share."""
    fake.set_quota(1, bulk_limit=1)
    assert (await api.post("/v1/vouchers/import", json=[])).status_code == 202
    limited = await api.post("/v1/vouchers/import", json=[])
    assert limited.headers["x-rate-limit-type"] == "bulk_api_calls"
    assert (await api.get("/v1/vouchers")).status_code == 200
    fake.set_quota(1)
    assert (await api.post("/v1/vouchers/import", json=[])).status_code == 202
    assert (await api.get("/v1/vouchers")).status_code == 429


async def test_clock_skew_shows_in_the_headers(
    api: httpx.AsyncClient, fake: FakeVoucherify, now: Now
) -> None:
    """A skewed server is wrong by the same seconds in Date and in X-Rate-Limit-Retry."""
    fake.set_quota(5, window_seconds=60)
    straight = (await api.get("/v1/vouchers")).headers
    assert straight["date"] == "Tue, 17 Mar 2026 15:50:00 GMT"
    fake.clock_skew = 120.0
    skewed = (await api.get("/v1/vouchers")).headers
    assert skewed["date"] == "Tue, 17 Mar 2026 15:52:00 GMT"
    assert int(skewed["x-rate-limit-retry"]) - int(straight["x-rate-limit-retry"]) == 120
    assert fake.clock_skew == 120.0


async def test_clock_has_to_be_aware() -> None:
    """A clock that returns naive datetimes is refused."""
    fake = FakeVoucherify(now=lambda: Now()().replace(tzinfo=None))
    with pytest.raises(ValueError, match="naive"):
        fake.add_voucher()
