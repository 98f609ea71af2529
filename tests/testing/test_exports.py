from __future__ import annotations

from typing import Any

import httpx
import pytest

from voucherify_async.testing import FakeVoucherify

from .conftest import KEYS

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=1)]

UNFIT_FIELDS: tuple[Any, ...] = (["x"], [{}], "id", {"id": 1})


async def done(api: httpx.AsyncClient, body: dict[str, Any]) -> str:
    """Order an export, follow it to its end and return the link to its file."""
    export = (await api.post("/v1/exports", json=body)).json()
    while export["status"] not in {"DONE", "ERROR"}:
        export = (await api.get(f"/v1/exports/{export['id']}")).json()
    assert export["status"] == "DONE"
    url: str = export["result"]["url"]
    return url


async def test_vouchers_are_exported(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """An export of vouchers has the fields, the filter and the order that it was asked for."""
    vouchers: list[dict[str, Any]] = [
        {"code": "G", "gift": {"amount": 200_000}, "metadata": {"a": 1}},
        {"code": "L", "loyalty_card": {"points": 3}, "campaign": "Loyal"},
        {"code": "A", "discount": {"type": "AMOUNT", "amount_off": 150}},
        {"code": "P", "discount": {"type": "PERCENT", "percent_off": 5}, "active": False},
    ]
    fake.add_vouchers(vouchers)
    fields = ["code", "voucher_type", "value", "active", "metadata", "gift_balance", "campaign"]
    parameters: dict[str, Any] = {"fields": fields, "order": "code"}
    url = await done(api, {"exported_object": "voucher", "parameters": parameters})
    response = await api.get(url)
    assert response.headers["content-type"].startswith("text/plain")
    assert response.text.splitlines() == [
        "Code,Voucher Type,Value,Active,Metadata,Gift Balance,Campaign",
        "A,DISCOUNT_VOUCHER,1.50,true,{},,",
        'G,GIFT_VOUCHER,2000.00,true,"{""a"":1}",2000.00,',
        "L,LOYALTY_CARD,3,true,{},,Loyal",
        "P,DISCOUNT_VOUCHER,5,false,{},,",
    ]
    filters = {"code": {"conditions": {"$in": ["G", "L"]}}, "junction": "and"}
    parameters = {"fields": ["code"], "order": "-code", "filters": filters}
    url = await done(api, {"exported_object": "voucher", "parameters": parameters})
    assert (await api.get(url)).text.split() == ["Code", "L", "G"]


async def test_export_goes_through_its_stages(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """Each read of an export leads one stage further; the listing leads none on."""
    export = (await api.post("/v1/exports", json={"exported_object": "order"})).json()
    assert list(export) == [
        "id",
        "object",
        "created_at",
        "status",
        "channel",
        "exported_object",
        "parameters",
        "result",
        "user_id",
    ]
    listed = (await api.get("/v1/exports")).json()
    assert (listed["total"], listed["exports"]) == (1, [export])
    address = f"/v1/exports/{export['id']}"
    stages = [(await api.get(address)).json() for _ in range(3)]
    assert [stage["status"] for stage in stages] == ["SCHEDULED", "IN_PROGRESS", "DONE"]
    assert (await api.get(stages[2]["result"]["url"])).text == "ID,Source ID,Status\r\n"
    fake.fail_next_export()
    fake.polls_until_done = 0
    failing = (await api.post("/v1/exports", json={"exported_object": "voucher"})).json()
    failed = (await api.get(f"/v1/exports/{failing['id']}")).json()
    assert (failed["status"], failed["result"]) == ("ERROR", None)
    orders = {}
    for order in ("created_at", "-created_at", "status", "-status"):
        body = (await api.get("/v1/exports", params={"order": order})).json()
        orders[order] = [item["status"] for item in body["exports"]]
    assert orders["created_at"] == ["DONE", "ERROR"]
    assert orders["-status"] == ["ERROR", "DONE"]


async def test_exports_are_paged_and_deleted(api: httpx.AsyncClient) -> None:
    """Exports are listed by pages, and gone once deleted."""
    ids = [
        (await api.post("/v1/exports", json={"exported_object": "customer"})).json()["id"]
        for _ in range(3)
    ]
    body = (await api.get("/v1/exports", params={"limit": 2, "page": 2})).json()
    assert [item["id"] for item in body["exports"]] == ids[:1]
    assert (await api.delete(f"/v1/exports/{ids[0]}")).status_code == 204
    for method in ("GET", "DELETE"):
        missing = await api.request(method, f"/v1/exports/{ids[0]}")
        assert (missing.status_code, missing.json()["resource_type"]) == (404, "export")


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({}, "invalid_payload"),
        ({"exported_object": "everything"}, "invalid_payload"),
        ({"exported_object": "voucher", "parameters": []}, "invalid_payload"),
        *(
            (
                {"exported_object": exported, "parameters": {"fields": fields}},
                "invalid_export_fields",
            )
            for exported in (
                "voucher",
                "voucher_transactions",
                "redemption",
                "customer",
                "publication",
                "order",
                "points_expiration",
            )
            for fields in UNFIT_FIELDS
        ),
        ({"exported_object": "order", "parameters": {"order": "code"}}, "invalid_payload"),
        ({"exported_object": "order", "parameters": {"order": [1]}}, "invalid_payload"),
        (
            {"exported_object": "voucher", "parameters": {"filters": {"code": {}}}},
            "invalid_payload",
        ),
    ],
)
async def test_unfit_export_is_refused(
    api: httpx.AsyncClient, body: dict[str, Any], key: str
) -> None:
    """An export of unknown objects or fields answers 400."""
    response = await api.post("/v1/exports", json=body)
    assert (response.status_code, response.json()["key"]) == (400, key)


async def test_download_needs_token_and_credentials(
    api: httpx.AsyncClient, fake: FakeVoucherify
) -> None:
    """A download answers 401 unless both the token and the credentials are right."""
    url = await done(api, {"exported_object": "voucher"})
    wrong = await api.get(f"{url}x")
    assert (wrong.status_code, wrong.json()["code"]) == (401, 401)
    stranger = fake.http_client()
    assert (await stranger.get(url)).status_code == 401
    assert (await stranger.get(url, headers=KEYS)).status_code == 200


async def test_download_goes_on_where_it_broke(
    api: httpx.AsyncClient, fake: FakeVoucherify
) -> None:
    """A range gives the rest of the file; for another file it gives the whole."""
    fake.add_vouchers({"code": f"C{number:05d}"} for number in range(3000))
    url = await done(api, {"exported_object": "voucher"})
    whole = await api.get(url)
    assert len(whole.content) > 65_536
    tag = whole.headers["etag"]
    rest = await api.get(url, headers={"range": "bytes=100-", "if-range": tag})
    assert (rest.status_code, rest.content) == (206, whole.content[100:])
    other = await api.get(url, headers={"range": "bytes=100-", "if-range": '"other"'})
    assert (other.status_code, other.content) == (200, whole.content)
    past = await api.get(url, headers={"range": f"bytes={len(whole.content)}-"})
    assert past.status_code == 416
