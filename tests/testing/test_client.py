from __future__ import annotations

import httpx
import pytest

from voucherify_async import ApiKeyAuth
from voucherify_async.testing import FakeVoucherify

pytestmark = pytest.mark.anyio


async def test_client_is_wired_in_process(fake: FakeVoucherify) -> None:
    """The client that the server makes talks to it, with credentials that it accepts."""
    fake.add_voucher(code="A/B", gift={"amount": 5})
    async with fake, fake.client() as client:
        voucher = await client.vouchers.get("A/B")
    assert voucher.code == "A/B"
    (request,) = fake.requests
    assert request.path == "/v1/vouchers/A%2FB"
    assert request.headers["x-app-id"] == fake.app_id


async def test_client_takes_settings_of_its_own() -> None:
    """Options reach the client, credentials and HTTP client included."""
    fake = FakeVoucherify(app_id="one", app_token="two")
    fake.add_voucher(code="A")
    own = httpx.AsyncClient(transport=fake.transport())
    async with own, fake.client(auth=ApiKeyAuth("one", "two"), http_client=own) as client:
        assert (await client.vouchers.get("A")).code == "A"
