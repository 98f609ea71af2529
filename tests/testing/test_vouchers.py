from __future__ import annotations

from typing import Any

import httpx
import pytest

from voucherify_async.testing import FakeVoucherify

from .conftest import Now

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=1)]

GIFT = {"type": "GIFT_VOUCHER", "gift": {"amount": 10000}}
PERCENT = {"type": "PERCENT", "percent_off": 10, "effect": "APPLY_TO_ORDER"}
DISCOUNT = {"type": "DISCOUNT_VOUCHER", "discount": PERCENT}


def error(response: httpx.Response) -> tuple[int, str]:
    """Return status and key of an error, after a look at what all errors have."""
    body = response.json()
    assert body["code"] == response.status_code
    assert body["request_id"] == response.headers["x-request-id"]
    return response.status_code, body["key"]


async def test_created_voucher_is_served_by_code_and_by_id(api: httpx.AsyncClient) -> None:
    """A created voucher has the API's keys, and both its code and its id lead to it."""
    body = {**GIFT, "category": "First", "start_date": "2022-01-01", "validation_rules": ["val_1"]}
    created = (await api.post("/v1/vouchers/CARD", json=body)).json()
    assert created["gift"] == {"amount": 10000, "balance": 10000, "effect": "APPLY_TO_ORDER"}
    assert created["discount"] is None
    assert created["updated_at"] is None
    assert created["created_at"] == "2026-03-17T15:50:00.786Z"
    assert created["start_date"] == "2022-01-01T00:00:00.000Z"
    assert created["redemption"]["redeemed_amount"] == 0
    by_code = (await api.get("/v1/vouchers/CARD")).json()
    assert list(by_code) == [
        "id",
        "code",
        "campaign",
        "campaign_id",
        "category",
        "category_id",
        "categories",
        "type",
        "discount",
        "gift",
        "loyalty_card",
        "start_date",
        "expiration_date",
        "validity_timeframe",
        "validity_day_of_week",
        "active",
        "additional_info",
        "metadata",
        "assets",
        "is_referral_code",
        "created_at",
        "updated_at",
        "validation_rules_assignments",
        "redemption",
        "publish",
        "object",
    ]
    assert by_code["validation_rules_assignments"]["data"][0]["rule_id"] == "val_1"
    assert (await api.get(f"/v1/vouchers/{by_code['id']}")).json() == by_code


@pytest.mark.parametrize("escaped", ["a%2Fb%20c", "%C5%BB%C3%B3%C5%82%C4%87", "100%25", "a+b"])
async def test_escaped_codes_arrive(api: httpx.AsyncClient, escaped: str) -> None:
    """A code with slashes, spaces or letters of any alphabet travels percent-escaped."""
    created = await api.post(f"/v1/vouchers/{escaped}", json=GIFT)
    assert created.status_code == 200
    served = (await api.get(f"/v1/vouchers/{escaped}")).json()
    assert served["code"] == httpx.URL(f"http://x/{escaped}").path.removeprefix("/")


async def test_taken_code_is_a_conflict(api: httpx.AsyncClient) -> None:
    """Creating a voucher under a taken code answers 409 and names the code."""
    await api.post("/v1/vouchers/CARD", json=GIFT)
    response = await api.post("/v1/vouchers/CARD", json=GIFT)
    assert error(response) == (409, "duplicate_found")
    assert response.json()["resource_id"] == "CARD"
    assert response.json()["resource_type"] == "voucher"


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"type": "COUPON"},
        {"type": "GIFT_VOUCHER"},
        {"type": "GIFT_VOUCHER", "gift": {"amount": 12.7}},
        {"type": "GIFT_VOUCHER", "gift": {"amount": True}},
        {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT"}},
        {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": "10"}},
        {"type": "DISCOUNT_VOUCHER", "discount": {"type": "TOMORROW"}},
        {"type": "LOYALTY_CARD", "loyalty_card": {"points": 1}},
        {**DISCOUNT, "start_date": "soon"},
        {**DISCOUNT, "active": "true"},
        {**DISCOUNT, "metadata": []},
        {**DISCOUNT, "category": 1},
        {**DISCOUNT, "validity_day_of_week": [7]},
        {**DISCOUNT, "validation_rules": [1]},
        {**DISCOUNT, "redemption": {"quantity": -1}},
    ],
)
async def test_unfit_body_is_refused(
    api: httpx.AsyncClient, fake: FakeVoucherify, body: Any
) -> None:
    """A body that describes no voucher answers 400 and stores nothing."""
    response = await api.post("/v1/vouchers/CODE", json=body)
    assert error(response) == (400, "invalid_payload")
    assert len(fake.vouchers) == 0


async def test_body_has_to_be_json(api: httpx.AsyncClient) -> None:
    """A body of another type answers 415, broken JSON 400."""
    text = {"content-type": "text/plain"}
    response = await api.post("/v1/vouchers/CODE", content=b"{}", headers=text)
    assert error(response) == (415, "unsupported_media_type")
    json = {"content-type": "application/json"}
    response = await api.post("/v1/vouchers/CODE", content=b'{"a', headers=json)
    assert error(response) == (400, "invalid_payload")


async def test_generated_codes_follow_their_pattern(api: httpx.AsyncClient) -> None:
    """A generated code has the pattern, charset, prefix and postfix of its configuration."""
    config = {"pattern": "CARD-###", "prefix": "New-", "postfix": "-0", "charset": "xy"}
    code = (await api.post("/v1/vouchers", json={**GIFT, "code_config": config})).json()["code"]
    assert code.startswith("New-CARD-")
    assert code.endswith("-0")
    assert set(code.removeprefix("New-CARD-").removesuffix("-0")) <= {"x", "y"}
    plain = (await api.post("/v1/vouchers", json={**GIFT, "code_config": {"length": 5}})).json()
    assert len(plain["code"]) == 5
    given = (await api.post("/v1/vouchers", json={**GIFT, "code": "MINE"})).json()
    assert given["code"] == "MINE"


async def test_used_up_pattern_is_refused(api: httpx.AsyncClient) -> None:
    """A pattern without a free code left answers 400."""
    body = {**GIFT, "code_config": {"pattern": "ONE"}}
    assert (await api.post("/v1/vouchers", json=body)).status_code == 200
    assert error(await api.post("/v1/vouchers", json=body)) == (400, "invalid_code_config")


async def test_voucher_joins_a_campaign(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """A voucher takes its campaign by id or name, and the campaign's type and value."""
    campaign = fake.add_campaign(
        "Loyal", campaign_type="LOYALTY_PROGRAM", voucher={"points": 5}, id="camp_1"
    )
    body = {"campaign": "Loyal"}
    served = (await api.post("/v1/vouchers/A", json=body)).json()
    assert (served["type"], served["campaign_id"]) == ("LOYALTY_CARD", campaign["id"])
    assert served["loyalty_card"] == {"points": 5, "balance": 5}
    gift = {**GIFT, "campaign_id": "camp_1"}
    assert error(await api.post("/v1/vouchers/B", json=gift)) == (400, "invalid_payload")
    unknown = {**GIFT, "campaign": "Unknown"}
    response = await api.post("/v1/vouchers/B", json=unknown)
    assert error(response) == (404, "not_found")
    assert response.json()["resource_type"] == "campaign"


async def test_campaign_has_its_limits(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """A full campaign takes no voucher, a standalone one no generated code."""
    fake.add_campaign("Full")
    fake.campaign_capacity = 0
    full = {**DISCOUNT, "campaign": "Full"}
    assert error(await api.post("/v1/vouchers/A", json=full)) == (400, "campaign_limit_exceeded")
    fake.add_campaign("Alone", type="STANDALONE")
    alone = {**DISCOUNT, "campaign": "Alone"}
    assert error(await api.post("/v1/vouchers", json=alone)) == (400, "invalid_campaign")
    with pytest.raises(ValueError, match="campaign_type"):
        fake.add_campaign("X", campaign_type="NONE")


async def test_update_merges_and_null_clears(
    api: httpx.AsyncClient, fake: FakeVoucherify, now: Now
) -> None:
    """An update changes what it names, merges metadata, and clears what it sets to null."""
    fake.add_voucher(
        code="A",
        discount=PERCENT,
        category="First",
        expiration_date="2030-01-01",
        metadata={"a": 1},
    )
    now.move(1)
    changes = {"metadata": {"b": 2}, "category": None, "expiration_date": None, "active": False}
    served = (await api.put("/v1/vouchers/A", json=changes)).json()
    assert served["metadata"] == {"a": 1, "b": 2}
    assert served["category"] is None
    assert served["expiration_date"] is None
    assert served["active"] is False
    assert served["discount"] == PERCENT
    assert served["updated_at"] == "2026-03-17T15:50:01.786Z"
    assert (await api.put("/v1/vouchers/A", json={"metadata": None})).json()["metadata"] == {}
    assert error(await api.put("/v1/vouchers/B", json={})) == (404, "not_found")


async def test_update_of_a_value(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """An update sets a card's amount and replaces a discount, but never a discount's type."""
    fake.add_voucher(code="G", gift={"amount": 100, "balance": 40})
    gift = (await api.put("/v1/vouchers/G", json={"gift": {"amount": 200}})).json()["gift"]
    assert (gift["amount"], gift["balance"]) == (200, 200)
    effect = {"gift": {"effect": "APPLY_TO_ITEMS"}}
    gift = (await api.put("/v1/vouchers/G", json=effect)).json()["gift"]
    assert gift == {"amount": 200, "balance": 200, "effect": "APPLY_TO_ITEMS"}
    fake.add_voucher(code="D", discount=PERCENT)
    changed = (await api.put("/v1/vouchers/D", json={"discount": {"percent_off": 20}})).json()
    assert changed["discount"] == {"type": "PERCENT", "percent_off": 20}
    amount = {"discount": {"type": "AMOUNT", "amount_off": 1}}
    assert error(await api.put("/v1/vouchers/D", json=amount)) == (400, "invalid_voucher")


async def test_delete_moves_to_the_bin_unless_forced(
    api: httpx.AsyncClient, fake: FakeVoucherify
) -> None:
    """A deleted voucher is gone; the bin keeps it unless the deletion is forced."""
    fake.add_campaign("C")
    fake.add_vouchers([{"code": "A", "campaign": "C"}, {"code": "B"}])
    response = await api.delete("/v1/vouchers/A")
    assert (response.status_code, response.content) == (204, b"")
    assert (await api.delete("/v1/vouchers/B", params={"force": "true"})).status_code == 204
    assert list(fake.bin) == ["A"]
    assert error(await api.delete("/v1/vouchers/A")) == (404, "not_found")
    response = await api.delete("/v1/vouchers/A", params={"force": "maybe"})
    assert error(response) == (400, "invalid_query_params")


async def test_switching_off_and_on(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """Disabling and enabling answer with the voucher and its new state."""
    fake.add_voucher(code="A")
    assert (await api.post("/v1/vouchers/A/disable")).json()["active"] is False
    assert fake.vouchers["A"]["active"] is False
    assert (await api.post("/v1/vouchers/A/enable")).json()["active"] is True
    assert error(await api.post("/v1/vouchers/B/enable")) == (404, "not_found")


async def test_session_is_released_once(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """Releasing a session answers 204; a missing session or voucher 404 of its own type."""
    fake.add_voucher(code="A")
    fake.add_session("A", "k/1")
    assert (await api.delete("/v1/vouchers/A/sessions/k%2F1")).status_code == 204
    again = await api.delete("/v1/vouchers/A/sessions/k%2F1")
    assert (again.status_code, again.json()["resource_type"]) == (404, "session")
    other = await api.delete("/v1/vouchers/B/sessions/k")
    assert (other.status_code, other.json()["resource_type"]) == (404, "voucher")


async def test_unknown_route_and_method(api: httpx.AsyncClient) -> None:
    """What is not there answers 404, a method that is not taken 405 with the allowed ones."""
    assert error(await api.get("/v1/nothing")) == (404, "not_found")
    assert (await api.get("/v1/vouchers/")).json() == (await api.get("/v1/vouchers")).json()
    response = await api.patch("/v1/vouchers/A")
    assert response.headers["allow"] == "DELETE, GET, POST, PUT"
    body = response.json()
    assert list(body) == ["code", "message", "details", "request_id"]
    assert (response.status_code, body["code"], body["message"]) == (
        405,
        405,
        "HTTP Method Not Allowed",
    )
    assert "PATCH" in body["details"]


async def test_body_over_the_ceiling(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """A body of more than 10 MiB answers 413 in the three-key form and applies nothing."""
    items = b'[{"code":"A"' + b" " * 10_485_760 + b"}]"
    json = {"content-type": "application/json"}
    response = await api.post("/v1/vouchers/import", content=items, headers=json)
    assert response.status_code == 413
    assert response.json() == {
        "statusCode": 413,
        "error": "Request Entity Too Large",
        "message": "Payload content length greater than maximum allowed: 10485760",
    }
    assert len(fake.requests[0].body) == 10_485_760


@pytest.mark.parametrize(
    ("body", "kind", "value"),
    [
        (
            {"type": "GIFT_VOUCHER", "gift": {"amount": 5, "balance": None, "effect": None}},
            "GIFT_VOUCHER",
            {"amount": 5, "balance": 5, "effect": "APPLY_TO_ORDER"},
        ),
        (
            {"loyalty_card": {"points": 5, "balance": None}, "campaign": "Loyal"},
            "LOYALTY_CARD",
            {"points": 5, "balance": 5},
        ),
        (
            {"discount": {"type": "AMOUNT", "amount_off": 9, "effect": None}, "gift": None},
            "DISCOUNT_VOUCHER",
            {"type": "AMOUNT", "amount_off": 9},
        ),
        ({"gift": {"amount": 5}}, "GIFT_VOUCHER", {"amount": 5, "balance": 5}),
    ],
)
async def test_bodies_of_typed_clients(
    api: httpx.AsyncClient, fake: FakeVoucherify, body: Any, kind: str, value: dict[str, Any]
) -> None:
    """A null inside a value counts as not given; a missing type follows from the value."""
    fake.add_campaign("Loyal", campaign_type="LOYALTY_PROGRAM")
    made = (await api.post("/v1/vouchers/A", json=body)).json()
    assert made["type"] == kind
    key = {"GIFT_VOUCHER": "gift", "LOYALTY_CARD": "loyalty_card"}.get(kind, "discount")
    assert made[key] | value == made[key]
    assert None not in made[key].values()
    changed = await api.put("/v1/vouchers/A", json={key: {**value, "effect": None}})
    assert changed.json()[key] == made[key]


async def test_seeds_fill_in_what_is_missing(fake: FakeVoucherify) -> None:
    """A seed needs nothing, takes every served property and serves unknown ones as they are."""
    assert fake.add_voucher()["discount"]["amount_off"] == 1000
    seeded = fake.add_voucher(
        {"code": "A", "holder_id": "cust_1", "tomorrow": [1]},
        loyalty_card={"points": 9, "next_expiration_date": "2030-01-01"},
        created_at="2024-01-02",
        updated_at="2023-12-06T15:34:57.264+00:00",
        campaign="Made",
        redemption={"quantity": 3, "redeemed_points": 4},
        publish={"count": 2},
        is_referral_code=True,
        validation_rules_assignments={"data": [{"rule_id": "val_9"}]},
    )
    assert seeded["type"] == "LOYALTY_CARD"
    assert seeded["campaign"] == "Made"
    assert seeded["holder_id"] == "cust_1"
    assert seeded["tomorrow"] == [1]
    assert seeded["created_at"] == "2024-01-02"
    assert seeded["redemption"]["redeemed_points"] == 4
    assert seeded["validation_rules_assignments"]["total"] == 1
    again = fake.add_voucher(code="A", gift={"amount": 1}, validity_hours={"daily": []})
    assert again["id"] == seeded["id"]
    assert again["validity_hours"] == {"daily": []}
    assert len(fake.vouchers) == 2
    assert "B" not in fake.vouchers
    assert "A" in list(fake.vouchers)
    with pytest.raises(KeyError):
        fake.vouchers["B"]
