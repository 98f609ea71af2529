"""The checkout of the embedded server, over its HTTP face."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from voucherify_async.testing import FakeVoucherify

from ..conftest import KEYS, Now, wired

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=1)]

ORDER = {"amount": 1000, "source_id": "o-1"}


@pytest.fixture
def shop(fake: FakeVoucherify) -> FakeVoucherify:
    """The server with one redeemable of each kind."""
    fake.add_voucher(code="OFF", discount={"type": "AMOUNT", "amount_off": 100}, campaign="Sale")
    fake.add_voucher(
        code="ONCE", discount={"type": "PERCENT", "percent_off": 50}, redemption={"quantity": 1}
    )
    fake.add_voucher(code="GIFT", gift={"amount": 500})
    fake.add_voucher(code="CARD", loyalty_card={"points": 300}, campaign="Loyal")
    for number in (1, 2):
        discount = {"type": "AMOUNT", "amount_off": number, "effect": "APPLY_TO_ORDER"}
        fake.add_promotion_tier(discount, id=f"promo_{number}")
    fake.add_promotion_stack(["promo_1", "promo_2"], id="stack_1")
    return fake


def redeemable(code: str, **more: Any) -> dict[str, Any]:
    """A redeemable of a request."""
    kind = {"promo": "promotion_tier", "stack": "promotion_stack"}.get(code[:5], "voucher")
    return {"object": kind, "id": code, **more}


def request(*codes: str | dict[str, Any], **more: Any) -> dict[str, Any]:
    """A body of a validation or a redemption."""
    items = [redeemable(code) if isinstance(code, str) else code for code in codes]
    return {"redeemables": items, "order": ORDER, **more}


async def post(
    api: httpx.AsyncClient, path: str, body: Any = None, status: int = 200, **query: str
) -> dict[str, Any]:
    """Post a body and return the answer, whose status is looked at."""
    response = await api.post(f"/v1/{path}", json=body or {}, params=query)
    assert response.status_code == status, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def test_a_validation_changes_nothing(api: httpx.AsyncClient, shop: FakeVoucherify) -> None:
    """It tells what each redeemable and the whole come to, and leaves everything as it was."""
    before = {code: dict(voucher) for code, voucher in shop.vouchers.items()}
    gift = redeemable("GIFT", gift={"credits": 60})
    body = request("OFF", gift, "promo_2", customer={"source_id": "me"})
    answer = await post(api, "validations", body)
    assert answer["valid"] is True
    assert answer["order"]["total_amount"] == 1000 - 100 - 60 - 2
    assert answer["order"]["total_applied_discount_amount"] == 162
    assert [item["order"]["total_amount"] for item in answer["redeemables"]] == [900, 840, 838]
    assert [item["result"] for item in answer["redeemables"]] == [
        {"discount": {"type": "AMOUNT", "amount_off": 100}},
        {"gift": {"credits": 60, "balance": 500}},
        {"discount": {"type": "AMOUNT", "amount_off": 2, "effect": "APPLY_TO_ORDER"}},
    ]
    assert answer["redeemables"][0]["campaign_name"] == "Sale"
    assert answer["tracking_id"].startswith("track_")
    assert answer["stacking_rules"] == shop.stacking_rules
    assert "inapplicable_redeemables" not in answer
    assert "session" not in answer
    assert {code: dict(voucher) for code, voucher in shop.vouchers.items()} == before
    assert (shop.redemptions, shop.orders) == ([], [])


async def test_a_validation_that_fails(api: httpx.AsyncClient, shop: FakeVoucherify) -> None:
    """It answers 200 and says so: all redeemables in one list, the two others repeat parts."""
    answer = await post(api, "validations", request("OFF", "NONE"))
    assert answer["valid"] is False
    assert [item["status"] for item in answer["redeemables"]] == ["SKIPPED", "INAPPLICABLE"]
    assert answer["inapplicable_redeemables"][0]["result"]["error"]["code"] == 404
    assert [item["id"] for item in answer["skipped_redeemables"]] == ["OFF"]
    assert "order" not in answer
    shop.stacking_rules["redeemables_application_mode"] = "PARTIAL"
    partial = await post(api, "validations", request("OFF", "NONE"))
    assert partial["valid"] is True
    assert [item["id"] for item in partial["redeemables"]] == ["OFF"]
    assert [item["id"] for item in partial["inapplicable_redeemables"]] == ["NONE"]
    assert partial["order"]["total_amount"] == 900


async def test_one_redemption(api: httpx.AsyncClient, shop: FakeVoucherify) -> None:
    """It counts the use, keeps the order as paid, and can be read back."""
    customer = {"source_id": "me", "name": "Me"}
    answer = await post(api, "redemptions", request("OFF", customer=customer, metadata={"a": 1}))
    (redemption,) = answer["redemptions"]
    assert "parent_redemption" not in answer
    assert redemption["id"].startswith("r_")
    assert (redemption["result"], redemption["status"]) == ("SUCCESS", "SUCCEEDED")
    assert (redemption["metadata"], redemption["redemption"]) == ({"a": 1}, None)
    assert redemption["customer"]["source_id"] == "me"
    assert (
        answer["order"]["customer_id"] == redemption["customer_id"] == redemption["customer"]["id"]
    )
    assert redemption["voucher"]["redemption"]["redeemed_quantity"] == 1
    order = answer["order"]
    assert (order["status"], order["total_amount"], order["source_id"]) == ("PAID", 900, "o-1")
    (entry,) = order["redemptions"].values()
    assert entry["related_object_id"] == shop.vouchers["OFF"]["id"]
    assert entry["related_object_parent_id"] == shop.vouchers["OFF"]["campaign_id"]
    read = (await api.get(f"/v1/redemptions/{redemption['id']}")).json()
    assert read == redemption
    of_voucher = (await api.get("/v1/vouchers/OFF/redemption")).json()
    assert (of_voucher["total"], of_voucher["redemption_entries"]) == (1, [redemption])
    assert (await api.get("/v1/redemptions/r_0")).json()["resource_type"] == "redemption"


async def test_cards_pay(api: httpx.AsyncClient, shop: FakeVoucherify) -> None:
    """Credits and points are taken from the balance, and stand in the card's history."""
    card = redeemable("CARD", reward={"id": "rew_1", "points": 40})
    answer = await post(api, "redemptions", request("GIFT", card))
    gift, loyalty = answer["redemptions"]
    assert (gift["amount"], gift["gift"]) == (500, {"amount": 500})
    assert (loyalty["amount"], loyalty["loyalty_card"]) == (40, {"points": 40})
    assert gift["voucher"]["gift"] == {"amount": 500, "balance": 0, "effect": "APPLY_TO_ORDER"}
    assert gift["voucher"]["redemption"]["redeemed_amount"] == 500
    assert shop.vouchers["CARD"]["loyalty_card"]["balance"] == 260
    assert answer["order"]["total_amount"] == 460
    (paid,) = shop.transactions("GIFT")
    assert (paid["type"], paid["details"]["balance"]["amount"]) == ("CREDITS_REDEMPTION", -500)
    assert paid["details"]["balance"]["balance"] == 0
    assert paid["details"]["redemption"] == {"id": gift["id"]}
    assert paid["details"]["order"] == {"id": answer["order"]["id"], "source_id": "o-1"}
    assert shop.transactions("CARD")[0]["type"] == "POINTS_REDEMPTION"


async def test_a_stack_has_a_parent(api: httpx.AsyncClient, shop: FakeVoucherify) -> None:
    """Several redeemables, or a promotion stack, are children of one parent redemption."""
    for body in (request("OFF", "GIFT"), request("stack_1", order={"amount": 5})):
        answer = await post(api, "redemptions", body)
        parent = answer["parent_redemption"]
        children = [child["id"] for child in answer["redemptions"]]
        assert len(children) == 2
        assert {child["redemption"] for child in answer["redemptions"]} == {parent["id"]}
        assert answer["order"]["redemptions"][parent["id"]]["stacked"] == children
        assert parent["related_object_type"] == "redemption"
    told = await post(api, "validations", request("stack_1"))
    assert [(item["id"], item["status"]) for item in told["redeemables"]] == [
        ("stack_1", "APPLICABLE")
    ]
    assert told["redeemables"][0]["order"]["total_amount"] == told["order"]["total_amount"]


@pytest.mark.parametrize(
    ("codes", "key", "status"),
    [
        (["ONCE"], "quantity_exceeded", 400),
        (["OFF", "ONCE"], "quantity_exceeded", 400),
        ([redeemable("GIFT", gift={"credits": 501})], "gift_amount_exceeded", 400),
        (["NONE"], "not_found", 404),
    ],
)
async def test_failures_are_on_record(
    api: httpx.AsyncClient, shop: FakeVoucherify, codes: list[Any], key: str, status: int
) -> None:
    """A redemption that fails takes nothing, and is kept with its reason."""
    await post(api, "redemptions", request("ONCE", order={"amount": 10}))
    kept = len(shop.redemptions)
    body = request(*codes, customer={"source_id": "me"})
    refused = await post(api, "redemptions", body, status)
    assert (refused["code"], refused["key"]) == (status, key)
    failed = [entry for entry in shop.redemptions[kept:] if entry["id"].startswith("rf_")]
    assert len(failed) == (1 if len(codes) == 1 else 2)
    code = "resource_not_found" if status == 404 else key
    assert {entry["failure_code"] for entry in failed} == {code}
    assert {(entry["result"], entry["status"]) for entry in failed} == {("FAILURE", "FAILED")}
    if status == 400:
        assert refused["resource_id"] in {entry["id"] for entry in failed}
        assert refused["resource_type"] == "redemption"
    assert shop.vouchers["GIFT"]["gift"]["balance"] == 500
    assert shop.vouchers["OFF"]["redemption"]["redeemed_quantity"] == 0
    assert [order["source_id"] for order in shop.orders] == [None]
    listed = (await api.get("/v1/redemptions", params={"result": "FAILURE"})).json()
    assert listed["total"] == len(failed)
    shop.failed_redemption_status = 200
    told = await post(api, "redemptions", body)
    assert {entry["result"] for entry in told["redemptions"]} == {"FAILURE"}
    assert told["inapplicable_redeemables"][0]["result"]["error"]["key"] == key


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({}, "invalid_payload"),
        ({"redeemables": []}, "invalid_payload"),
        ({"redeemables": [redeemable(f"C{n}") for n in range(31)]}, "invalid_payload"),
        ({"redeemables": [{"object": "voucher"}]}, "invalid_payload"),
        ({"redeemables": [{"object": "coupon", "id": "OFF"}]}, "invalid_payload"),
        (request("OFF", "OFF"), "duplicated_redeemables"),
        (request("OFF", "stack_1"), "invalid_redeemables"),
        (request("OFF", order={"amount": -1}), "invalid_payload"),
        (request("OFF", order={"amount": 1.5}), "invalid_payload"),
        (request("OFF", order={"items": {}}), "invalid_payload"),
        (request("OFF", order={"items": [1]}), "invalid_payload"),
        (request("OFF", order={"items": [{"quantity": "1"}]}), "invalid_payload"),
        (request("OFF", order={"amount": 1, "status": "DONE"}), "invalid_payload"),
        (request("OFF", session={"type": "OPEN"}), "invalid_payload"),
        (request("OFF", session={"type": "LOCK", "ttl": 0}), "invalid_payload"),
        (
            request("OFF", session={"type": "LOCK", "ttl": 1, "ttl_unit": "YEARS"}),
            "invalid_payload",
        ),
        (request("OFF", customer={"id": "cust_none"}), "not_found"),
        (request(redeemable("GIFT", gift={"credits": -1})), "invalid_payload"),
        (request("OFF", metadata=[]), "invalid_payload"),
    ],
)
async def test_unfit_bodies(
    api: httpx.AsyncClient, shop: FakeVoucherify, body: Any, key: str
) -> None:
    """A body that does not fit is refused as a whole, and nothing is put on record."""
    for path in ("validations", "redemptions"):
        response = await api.post(f"/v1/{path}", json=body)
        assert response.json()["key"] == key
    assert shop.redemptions == []


async def test_a_session_holds(api: httpx.AsyncClient, shop: FakeVoucherify, now: Now) -> None:
    """A lock keeps others out until it ends by time, by DELETE or by redemption."""
    mine = {"type": "LOCK", "key": "mine", "ttl": 10, "ttl_unit": "MINUTES"}
    held = await post(api, "validations", request("ONCE", "GIFT", session=mine))
    assert held["session"] == mine
    other = request("ONCE", order={"amount": 5})
    assert (await post(api, "redemptions", other, 400))["key"] == "quantity_exceeded"
    taken = await post(api, "redemptions", request("GIFT", order={"amount": 5}), 400)
    assert taken["key"] == "gift_amount_exceeded"
    assert (await api.delete("/v1/vouchers/GIFT/sessions/mine")).status_code == 204
    assert (await post(api, "validations", request("GIFT")))["valid"]
    now.move(601)
    assert (await post(api, "validations", other))["valid"]
    assert (await api.delete("/v1/vouchers/ONCE/sessions/mine")).status_code == 404
    await post(api, "validations", request("ONCE", session=mine))
    done = await post(api, "redemptions", request("ONCE", session=mine))
    assert done["redemptions"][0]["session"] == {"key": "mine"}
    assert (await api.delete("/v1/vouchers/ONCE/sessions/mine")).status_code == 404


async def test_sessions_of_our_own_making(
    api: httpx.AsyncClient, shop: FakeVoucherify, now: Now
) -> None:
    """Without a key one is made; a lock lasts 7 days; the same key takes the former's place."""
    made = (await post(api, "validations", request("ONCE", session={"type": "LOCK"})))["session"]
    assert (made["ttl"], made["ttl_unit"]) == (7, "DAYS")
    again = request("ONCE", session=made)
    assert (await post(api, "validations", again))["valid"]
    now.move(7 * 86_400 - 1)
    assert not (await post(api, "validations", request("ONCE")))["valid"]
    await post(api, "validations", request("OFF", session=made))
    assert (await post(api, "validations", request("ONCE")))["valid"]


@pytest.mark.parametrize("stacked", [False, True])
async def test_a_rollback_gives_everything_back(
    api: httpx.AsyncClient, shop: FakeVoucherify, stacked: bool
) -> None:
    """Uses, credits and the order's discount come back, once; the second try is on record."""
    codes = ["GIFT", "promo_1"] if stacked else ["GIFT"]
    done = await post(api, "redemptions", request(*codes, customer={"source_id": "me"}))
    identifier = (done.get("parent_redemption") or done["redemptions"][0])["id"]
    path = f"redemptions/{identifier}/{'rollbacks' if stacked else 'rollback'}"
    body = {"customer": {"source_id": "me"}, "order": {"source_id": "o-1"}, "metadata": {"b": 2}}
    answer = await post(api, path, body, reason="refund")
    first = answer["rollbacks"][0] if stacked else answer
    assert first["id"].startswith("rr_")
    assert (first["object"], first["reason"]) == ("redemption_rollback", "refund")
    assert (first["amount"], first["gift"], first["metadata"]) == (-500, {"amount": -500}, {"b": 2})
    assert first["redemption"] == done["redemptions"][0]["id"]
    assert first["order"]["status"] == "CANCELED"
    assert (first["order"]["total_amount"], shop.orders[0]["total_amount"]) == (1000, 1000)
    entry = shop.orders[0]["redemptions"][identifier]
    whole = answer["parent_rollback"] if stacked else answer
    assert entry["rollback_id"] == whole["id"]
    assert shop.vouchers["GIFT"]["gift"]["balance"] == 500
    assert shop.vouchers["GIFT"]["redemption"]["redeemed_quantity"] == 0
    assert shop.vouchers["GIFT"]["redemption"]["redeemed_amount"] == 0
    kinds = [entry["type"] for entry in shop.transactions("GIFT")]
    assert kinds == ["CREDITS_REDEMPTION", "CREDITS_REFUND"]
    assert shop.transactions("GIFT")[1]["details"]["rollback"] == {"id": first["id"]}
    read = (await api.get(f"/v1/redemptions/{identifier}")).json()
    assert (read["status"], read["result"]) == ("ROLLED_BACK", "SUCCESS")
    assert read["related_redemptions"]["rollbacks"][0]["id"] == whole["id"]
    again = await post(api, path, body, 400)
    assert again["key"] == "already_rolled_back"
    assert again["resource_id"].startswith("rrf_")
    failed = (await api.get(f"/v1/redemptions/{again['resource_id']}")).json()
    assert (failed["result"], failed["failure_code"]) == ("FAILURE", "already_rolled_back")
    assert shop.vouchers["GIFT"]["gift"]["balance"] == 500


async def test_rollbacks_that_are_refused(
    api: httpx.AsyncClient, shop: FakeVoucherify, now: Now
) -> None:
    """Children, stacks at the wrong place, strangers, failures and what is too old."""
    done = await post(api, "redemptions", request("OFF", "GIFT", customer={"source_id": "me"}))
    await post(api, "orders", {"source_id": "o-2", "amount": 1})
    shop.add_customer(source_id="you")
    parent, child = done["parent_redemption"]["id"], done["redemptions"][0]["id"]
    failed = (await post(api, "redemptions", request("ONCE", "NONE"), 404), shop.redemptions)[1][-1]
    for path, body, key in (
        (f"{parent}/rollback", {}, "invalid_redemption"),
        (f"{child}/rollback", {}, "invalid_redemption_parent"),
        (f"{child}/rollbacks", {}, "invalid_redemption_parent"),
        (f"{failed['id']}/rollback", {}, "invalid_redemption"),
        (f"{parent}/rollbacks", {"customer": {"source_id": "you"}}, "invalid_customer"),
        (f"{parent}/rollbacks", {"order": {"source_id": "o-2"}}, "invalid_order"),
    ):
        assert (await post(api, f"redemptions/{path}", body, 400))["key"] == key
    body = {"customer": {"id": "cust_none"}}
    assert (await post(api, f"redemptions/{parent}/rollbacks", body, 404))["key"] == "not_found"
    now.move(93 * 86_400)
    old = await post(api, f"redemptions/{parent}/rollbacks", {}, 400)
    assert old["key"] == "invalid_redemption"
    assert shop.vouchers["GIFT"]["gift"]["balance"] == 0


async def test_a_single_redemption_goes_at_both_places(
    api: httpx.AsyncClient, shop: FakeVoucherify
) -> None:
    """``/rollbacks`` takes a redemption without a parent too."""
    done = await post(api, "redemptions", request("OFF"))
    answer = await post(api, f"redemptions/{done['redemptions'][0]['id']}/rollbacks")
    assert len(answer["rollbacks"]) == 1
    assert "parent_rollback" not in answer
    assert answer["order"]["total_amount"] == 1000


async def test_the_stored_order_counts(api: httpx.AsyncClient, shop: FakeVoucherify) -> None:
    """An order that is known is used as it is stored, with what was taken off it before."""
    await post(api, "orders", {"source_id": "o-1", "amount": 300})
    first = await post(api, "redemptions", request("OFF"))
    assert (first["order"]["amount"], first["order"]["total_amount"]) == (300, 200)
    second = await post(api, "redemptions", request("promo_2"))
    assert second["order"]["id"] == first["order"]["id"]
    assert second["order"]["total_amount"] == 198
    assert second["order"]["total_applied_discount_amount"] == 2
    assert second["order"]["total_discount_amount"] == 102
    path = f"redemptions/{first['redemptions'][0]['id']}/rollback"
    rolled_back = await post(api, path)
    assert rolled_back["order"]["total_amount"] == 298


async def test_limits_of_customers(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """A limit for each customer counts what stands, and needs to know who it is."""
    fake.add_voucher(code="EACH", redemptions_per_customer=1)
    body = {"redeemables": [redeemable("EACH")]}
    mine = {**body, "customer": {"source_id": "me"}}
    done = await post(api, "redemptions", mine)
    refused = await post(api, "redemptions", mine, 400)
    assert refused["key"] == "redemption_rules_violated"
    assert (await post(api, "redemptions", body, 400))["key"] == "missing_customer"
    await post(api, "redemptions", {**body, "customer": {"source_id": "you"}})
    await post(api, f"redemptions/{done['redemptions'][0]['id']}/rollback")
    await post(api, "redemptions", mine)


async def test_seeded_properties_stay_inside(fake: FakeVoucherify) -> None:
    """What a test seeds for the calculation is not served."""
    served = fake.add_voucher(code="A", redemptions_per_customer=1, discounted_products=["prod_1"])
    assert not {"redemptions_per_customer", "discounted_products"} & served.keys()
    tier = fake.add_promotion_tier({"type": "AMOUNT", "amount_off": 1}, banner="B", active=False)
    assert (tier["banner"], tier["active"], tier["object"]) == ("B", False, "promotion_tier")


async def test_discounted_products(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """A discount on items is for the products that the test names."""
    discount = {"type": "AMOUNT", "amount_off": 5, "effect": "APPLY_TO_ITEMS"}
    fake.add_voucher(code="A", discount=discount, discounted_products=["b"])
    items = [{"source_id": name, "quantity": 1, "price": 10} for name in "ab"]
    body = {"redeemables": [redeemable("A")], "order": {"items": items}}
    (told,) = (await post(api, "validations", body))["redeemables"]
    assert [item.get("discount_amount", 0) for item in told["order"]["items"]] == [0, 5]
    assert told["applicable_to"]["data"][0]["id"] == "b"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["rf", "rr", "r", "r"]),
        ({"order": "id"}, ["r", "r", "rf", "rr"]),
        ({"limit": 1, "page": 2}, ["rr"]),
        ({"result": "SUCCESS"}, ["rr", "r", "r"]),
        ([("result", "SUCCESS"), ("result", "FAILURE")], ["rf", "rr", "r", "r"]),
        ({"campaign": "Sale"}, ["rr", "r"]),
        ({"customer": "me"}, ["r"]),
        ({"customer": "nobody"}, []),
        ({"created_at[after]": "2026-03-17T15:50:03Z"}, ["rf"]),
        ({"created_at[before]": "2026-03-17T15:50:01Z"}, ["r"]),
        ({"filters[voucher_code][conditions][$is]": "GIFT"}, ["r"]),
        ({"filters[failure_code][conditions][$is]": "not_found"}, []),
        ({"filters[failure_code][conditions][$is]": "resource_not_found"}, ["rf"]),
        ({"filters[object][conditions][$is]": "redemption_rollback"}, ["rr"]),
    ],
)
async def test_listing(
    api: httpx.AsyncClient, shop: FakeVoucherify, now: Now, query: Any, expected: list[str]
) -> None:
    """Redemptions, failures and rollbacks are listed newest first, and filtered."""
    await post(api, "redemptions", request("GIFT", customer={"source_id": "me"}))
    now.move(1)
    done = await post(api, "redemptions", request("OFF"))
    now.move(0.5)
    await post(api, f"redemptions/{done['redemptions'][0]['id']}/rollback")
    now.move(1)
    await post(api, "redemptions", request("NONE"), 404)
    body = (await api.get("/v1/redemptions", params=query)).json()
    assert [entry["id"].partition("_")[0] for entry in body["redemptions"]] == expected
    assert body["total"] == (4 if "limit" in query else len(expected))


async def test_scopes_open_the_checkout(fake: FakeVoucherify) -> None:
    """A token needs the scope of the operation's path."""
    fake.add_token("mine", scope="validations")
    async with fake:
        user = fake.http_client(headers={"Authorization": "Bearer mine"})
        body = request("OFF")
        assert (await user.post("/v1/validations", json=body)).status_code == 200
        assert (await user.post("/v1/redemptions", json=body)).status_code == 403


async def test_faults_hit_the_checkout(fake: FakeVoucherify) -> None:
    """An answer lost before or after, over a socket: the books know."""
    fake.add_voucher(code="GIFT", gift={"amount": 500})
    body = request(redeemable("GIFT", gift={"credits": 100}))
    fake.faults.reset(path="redemptions")
    fake.faults.lose_answer(path="redemptions")
    with fake.serve() as url:
        async with httpx.AsyncClient(base_url=url, headers=KEYS) as api:
            for balance in (500, 400):
                with pytest.raises(httpx.TransportError):
                    await api.post("/v1/redemptions", json=body)
                assert fake.vouchers["GIFT"]["gift"]["balance"] == balance
            order = (await api.get("/v1/orders/o-1")).json()
            assert len(order["redemptions"]) == 1


@pytest.mark.parametrize("how", ["in process", "loopback"])
async def test_a_redemption_lands_late(fake: FakeVoucherify, now: Now, how: str) -> None:
    """A request whose connection is gone is done all the same, once the clock says so."""
    fake.add_voucher(code="GIFT", gift={"amount": 500})
    body = request(redeemable("GIFT", gift={"credits": 100}))
    fake.faults.land_late(10, path="redemptions")
    async with fake, wired(fake, how) as api:
        with pytest.raises(httpx.TransportError):
            await api.post("/v1/redemptions", json=body)
        now.move(9.9)
        assert (await api.get("/v1/orders/o-1")).status_code == 404
        assert fake.faults.landing == 1
        now.move(0.1)
        assert len((await api.get("/v1/orders/o-1")).json()["redemptions"]) == 1
        assert (fake.faults.landing, fake.faults.land()) == (0, 0)
        fake.faults.land_late(1000, method="POST")
        with pytest.raises(httpx.TransportError):
            await api.post("/v1/redemptions", json=body)
        assert fake.vouchers["GIFT"]["gift"]["balance"] == 400
        assert fake.faults.land() == 1
        assert fake.vouchers["GIFT"]["gift"]["balance"] == 300
