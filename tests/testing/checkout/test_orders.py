from __future__ import annotations

from typing import Any

import httpx
import pytest

from voucherify_async.testing import FakeVoucherify

from ..conftest import Now

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=1)]

ITEM = {"product_id": "prod_1", "quantity": 2, "price": 300, "product": {"name": "Mug"}}


async def create(api: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    """Create an order and return it."""
    response = await api.post("/v1/orders", json=body)
    assert response.status_code == 200, response.text
    order: dict[str, Any] = response.json()
    return order


async def test_an_order_is_kept(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """It is calculated from its items, names its customer, and can be read by both ids."""
    customer = {"source_id": "me", "name": "Me", "metadata": {"vip": True}}
    order = await create(
        api, source_id="o-1", items=[ITEM], customer=customer, metadata={"a": 1}, status="PAID"
    )
    assert order["id"].startswith("ord_")
    assert (order["amount"], order["total_amount"], order["status"]) == (600, 600, "PAID")
    (item,) = order["items"]
    assert (item["amount"], item["subtotal_amount"], item["product"]) == (600, 600, {"name": "Mug"})
    assert order["customer"] == {"id": order["customer_id"], "object": "customer"}
    for identifier in (order["id"], "o-1"):
        assert (await api.get(f"/v1/orders/{identifier}")).json() == order
    assert (await api.get("/v1/orders/none")).json()["resource_type"] == "order"
    known = fake.add_customer(source_id="me")
    assert (known["id"], known["name"], known["metadata"]) == (
        order["customer_id"],
        "Me",
        {"vip": True},
    )


@pytest.mark.parametrize("by", ["source_id", "id"])
async def test_creating_again_changes(
    api: httpx.AsyncClient, fake: FakeVoucherify, by: str
) -> None:
    """An order whose id or source id is known is changed and not made twice."""
    first = await create(api, source_id="o-1", amount=500, metadata={"a": 1})
    again = await create(api, **{by: first[by]}, amount=700, metadata={"b": 2})
    assert (again["id"], again["amount"], again["metadata"]) == (first["id"], 700, {"a": 1, "b": 2})
    assert again["updated_at"] is not None
    assert len(fake.orders) == 1
    await create(api, amount=1)
    await create(api, amount=1)
    assert len(fake.orders) == 3


async def test_an_update_leaves_the_rest(api: httpx.AsyncClient) -> None:
    """What the body does not name stays; new items bring their own amount."""
    order = await create(api, source_id="o-1", items=[ITEM])
    address = f"/v1/orders/{order['id']}"
    paid = (await api.put(address, json={"status": "FULFILLED"})).json()
    assert (paid["status"], paid["amount"], paid["source_id"]) == ("FULFILLED", 600, "o-1")
    items = [{**ITEM, "quantity": 1}]
    assert (await api.put(address, json={"items": items})).json()["total_amount"] == 300
    assert (await api.put("/v1/orders/none", json={})).status_code == 404
    unfit = await api.put(address, json={"status": "LOST"})
    assert unfit.json()["key"] == "invalid_payload"


async def test_orders_are_listed(api: httpx.AsyncClient, now: Now) -> None:
    """Newest first, in pages, with a total."""
    for name in "abc":
        await create(api, source_id=name)
        now.move(1)
    body = (await api.get("/v1/orders", params={"limit": 2})).json()
    assert ([order["source_id"] for order in body["orders"]], body["total"]) == (["c", "b"], 3)
    oldest = (
        await api.get("/v1/orders", params={"order": "created_at", "page": 3, "limit": 1})
    ).json()
    assert [order["source_id"] for order in oldest["orders"]] == ["c"]


async def test_orders_are_imported(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """An import is an async action that upserts, of 2,000 orders at the most."""
    await create(api, source_id="a", amount=1)
    items = [{"source_id": "a", "amount": 5}, {"source_id": "b", "amount": 6}]
    response = await api.post("/v1/orders/import", json=items)
    fake.polls_until_done = 0
    action = f"/v1/async-actions/{response.json()['async_action_id']}"
    stages = [(await api.get(action)).json() for _ in range(3)]
    told = stages[-1]
    assert (told["type"], told["status"]) == ("ORDERS.IMPORT", "DONE")
    assert told["result"]["done_count"] == 2
    assert {order["source_id"]: order["amount"] for order in fake.orders} == {"a": 5, "b": 6}
    unfit_items: tuple[Any, ...] = ([], [{}] * 2001, [1], [{"amount": "1"}])
    for unfit in unfit_items:
        refused = await api.post("/v1/orders/import", json=unfit)
        assert refused.json()["key"] == "invalid_payload"


async def test_what_happened_is_exported(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """Orders, redemptions and customers have their export, metadata keys included."""
    fake.polls_until_done = 0
    fake.add_voucher(code="GIFT", gift={"amount": 50})
    await api.post(
        "/v1/redemptions",
        json={
            "redeemables": [{"object": "voucher", "id": "GIFT"}],
            "order": {"source_id": "o-1", "amount": 200, "metadata": {"lane": 3}},
            "customer": {"source_id": "me", "name": "Me", "address": {"city": "Y"}},
        },
    )
    wanted = {
        "order": (["source_id", "total_discount_amount", "metadata.lane"], "o-1,50,3"),
        "redemption": (["voucher_code", "gift_amount", "customer_source_id"], "GIFT,50,me"),
        "customer": (["name", "source_id", "address_city"], "Me,me,Y"),
        "publication": (["voucher_code"], None),
    }
    for exported, (fields, line) in wanted.items():
        parameters = {"fields": fields}
        path = "/v1/orders/export" if exported == "order" else "/v1/exports"
        body = {"exported_object": exported, "parameters": parameters}
        made = (await api.post(path, json=body)).json()
        read = (await api.get(f"/v1/exports/{made['id']}")).json()
        rows = (await api.get(read["result"]["url"])).text.splitlines()
        assert rows[1:] == ([] if line is None else [line])


def qualification(**options: Any) -> dict[str, Any]:
    """A body of a qualification."""
    return {"order": {"amount": 1000}, "customer": {"source_id": "me"}, "options": options}


async def test_qualifications_are_walked(
    api: httpx.AsyncClient, fake: FakeVoucherify, now: Now
) -> None:
    """Pages follow one another by ``starting_after``, newest first, and lose none of an instant."""
    for number in range(7):
        fake.add_voucher(code=f"V{number}", discount={"type": "AMOUNT", "amount_off": number + 1})
        if number % 3:
            now.move(1)
    seen: list[str] = []
    cursor = None
    while True:
        body = qualification(limit=2, starting_after=cursor)
        page = (await api.post("/v1/qualifications", json=body)).json()["redeemables"]
        seen += [item["id"] for item in page["data"]]
        if not page["has_more"]:
            break
        cursor = page["more_starting_after"]
        assert cursor == page["data"][-1]["created_at"]
    assert sorted(seen) == [f"V{number}" for number in range(7)]
    assert seen[0] == "V6"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (qualification(limit=50), {"OFF", "USED", "promo_1", "MINE", "GIFT"}),
        ({"order": {"amount": 1000}, "options": {"limit": 50}}, {"OFF", "USED", "promo_1", "GIFT"}),
        ({**qualification(limit=50), "scenario": "CUSTOMER_WALLET"}, {"MINE"}),
        (
            qualification(
                limit=50, filters={"resource_type": {"conditions": {"$is": ["promotion_tier"]}}}
            ),
            {"promo_1"},
        ),
    ],
)
async def test_what_qualifies(
    api: httpx.AsyncClient, fake: FakeVoucherify, body: dict[str, Any], expected: set[str]
) -> None:
    """What applies now, limits of uses apart; members of a campaign for their holder alone."""
    me = fake.add_customer(source_id="me")
    fake.add_voucher(code="OFF")
    fake.add_voucher(code="GIFT", gift={"amount": 5})
    fake.add_voucher(code="LATE", expiration_date="2000-01-01")
    fake.add_voucher(code="USED", redemption={"quantity": 1, "redeemed_quantity": 1})
    fake.add_voucher(code="MINE", campaign="Camp", holder_id=me["id"])
    fake.add_voucher(code="THEIRS", campaign="Camp", holder_id="cust_2")
    fake.add_promotion_tier({"type": "PERCENT", "percent_off": 5}, id="promo_1")
    answer = (await api.post("/v1/qualifications", json=body)).json()
    found = {item["id"]: item for item in answer["redeemables"]["data"]}
    assert found.keys() == expected
    assert answer["redeemables"]["total"] == len(expected)
    if "OFF" in found:
        assert found["OFF"]["order"]["total_amount"] == 0
        assert found["OFF"]["result"]["discount"]["amount_off"] == 1000


@pytest.mark.parametrize(
    "body",
    [
        {"scenario": "SOME"},
        {"options": {"limit": 51}},
        {"options": {"limit": -1}},
        {"options": {"starting_after": "soon"}},
        {"options": {"filters": {"resource_type": {}}}},
        {"order": {"amount": -1}},
    ],
)
async def test_unfit_qualifications(api: httpx.AsyncClient, body: dict[str, Any]) -> None:
    """What does not fit answers 400."""
    response = await api.post("/v1/qualifications", json=body)
    assert response.json()["key"] == "invalid_payload"
