"""Whatever a body holds, an operation answers, and with Voucherify's own errors."""

from __future__ import annotations

from typing import Any

import anyio
import httpx
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voucherify_async.testing import FakeVoucherify
from voucherify_async.testing._server.operations import OPERATIONS

from .conftest import KEYS

KEYS_OF_BODIES = st.sampled_from(
    [
        "active",
        "additional_info",
        "amount",
        "applicable_to",
        "campaign",
        "campaign_id",
        "categories",
        "category",
        "code",
        "code_config",
        "codes",
        "conditions",
        "credits",
        "customer",
        "date",
        "discount",
        "discount_amount",
        "effect",
        "expiration_date",
        "exported_object",
        "fields",
        "filters",
        "gift",
        "id",
        "items",
        "junction",
        "key",
        "limit",
        "loyalty_card",
        "metadata",
        "name",
        "object",
        "options",
        "order",
        "parameters",
        "percent_off",
        "points",
        "price",
        "product",
        "product_id",
        "quantity",
        "reason",
        "redeemables",
        "redemption",
        "referrer",
        "reward",
        "scenario",
        "session",
        "sku",
        "source_id",
        "start_date",
        "starting_after",
        "status",
        "tracking_id",
        "ttl",
        "ttl_unit",
        "type",
        "unit_off",
        "unit_type",
        "units",
        "validation_rules",
        "validity_day_of_week",
        "validity_timeframe",
    ]
)
WORDS = st.sampled_from(
    [
        "A",
        "GIFT",
        "voucher",
        "promotion_tier",
        "promotion_stack",
        "promo_1",
        "stack_1",
        "LOCK",
        "DAYS",
        "AMOUNT",
        "PERCENT",
        "UNIT",
        "FIXED",
        "GIFT_VOUCHER",
        "LOYALTY_CARD",
        "DISCOUNT_VOUCHER",
        "APPLY_TO_ITEMS",
        "ADD_MANY_ITEMS",
        "PAID",
        "ALL",
        "order",
        "redemption",
        "customer",
        "voucher_transactions",
        "-created_at",
        "2030-01-01",
        "prod_1",
        "o-1",
        "me",
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS_OF_BODIES, inner, max_size=5),
    max_leaves=12,
)
REDEEMABLE = st.fixed_dictionaries(
    {"object": st.sampled_from(["voucher", "promotion_tier", "promotion_stack"]), "id": WORDS},
    optional={"gift": VALUES, "reward": VALUES},
)
CHECKOUTS = st.fixed_dictionaries(
    {"redeemables": st.lists(REDEEMABLE, min_size=1, max_size=3)},
    optional={"order": VALUES, "customer": VALUES, "session": VALUES, "metadata": VALUES},
)
WRITES = sorted(
    (method, operation.route.path)
    for operation in OPERATIONS
    for method in operation.route.methods or ()
    if method in {"POST", "PUT"} and "oauth" not in operation.route.path
)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    operation=st.sampled_from(WRITES),
    body=VALUES | CHECKOUTS | st.lists(st.dictionaries(KEYS_OF_BODIES, VALUES), max_size=3),
)
def test_no_body_breaks_the_server(operation: tuple[str, str], body: Any) -> None:
    """No operation fails with anything but an error of the API."""
    method, path = operation
    fake = FakeVoucherify()
    fake.add_voucher(code="A", discount={"type": "AMOUNT", "amount_off": 5})
    fake.add_voucher(code="GIFT", gift={"amount": 500})
    fake.add_campaign("A", campaign_type="GIFT_VOUCHERS", voucher={"amount": 5})
    fake.add_promotion_tier({"type": "PERCENT", "percent_off": 5}, id="promo_1")
    fake.add_promotion_stack(["promo_1"], id="stack_1")

    async def send() -> httpx.Response:
        async with fake:
            api = fake.http_client(headers=KEYS)
            for name in ("code", "campaign", "order", "redemption", "action", "export"):
                filled = url.replace(f"{{{name}}}", "A")
                if filled != url:
                    return await api.request(method, filled, content=content, headers=JSON)
            return await api.request(method, url, content=content, headers=JSON)

    url, content = path, orjson.dumps(body)
    response = anyio.run(send)
    assert response.status_code < 500
    if response.status_code >= 400:
        error = response.json()
        assert error["code"] == response.status_code
        assert error["message"]


JSON = {"content-type": "application/json"}


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["order", "filters[x]", "created_at", "limit", "page", "filters"])
@pytest.mark.parametrize("value", ["", "x", "-1", "[", "1e9"])
async def test_odd_queries(fake: FakeVoucherify, name: str, value: str) -> None:
    """Every listing answers whatever a query says."""
    async with fake:
        api = fake.http_client(headers=KEYS)
        for path in ("vouchers", "redemptions", "orders", "exports", "async-actions"):
            response = await api.get(f"/v1/{path}", params={name: value})
            assert response.status_code in {200, 400}
