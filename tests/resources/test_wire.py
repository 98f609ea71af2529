"""Every method: the exact request on the wire, and what its answer becomes."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import respx
from attrs import field, frozen

import voucherify_async as v
from voucherify_async import AsyncVoucherify, __version__

from .support import BASE_URL, KEYS

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=1)]

INSTANT = datetime(2025, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
INSTANT_TEXT = "2025-01-02T03:04:05.678Z"
CARD = {"id": "v_1", "code": "A", "type": "GIFT_VOUCHER", "gift": {"amount": 500, "balance": 200}}
CARD_MODEL = v.Voucher(
    id="v_1", code="A", type="GIFT_VOUCHER", gift=v.Gift(amount=500, balance=200)
)
ACCEPTED = {"async_action_id": "aa_1"}
ACTION = {"id": "aa_1", "type": "VOUCHERS.IMPORT", "status": "DONE", "created_at": INSTANT_TEXT}
ACTION_MODEL = v.AsyncAction(id="aa_1", type="VOUCHERS.IMPORT", status="DONE", created_at=INSTANT)
EXPORT = {"id": "exp_1", "status": "DONE", "result": {"url": f"{BASE_URL}/file?token=t"}}
EXPORT_MODEL = v.Export(
    id="exp_1", status="DONE", result=v.ExportResult(url=f"{BASE_URL}/file?token=t")
)
IMPORT = v.GiftVoucherImport(code="A", gift=v.Gift(amount=5))
IMPORT_JSON = {"code": "A", "type": "GIFT_VOUCHER", "gift": {"amount": 5}}
CSV = b"Code,Value\nA,1\n"


def identity(value: Any) -> Any:
    """What came back, as it is."""
    return value


def job_id(job: Any) -> str:
    """The id of a handle."""
    return str(job.id)


def items(page: v.Page[Any]) -> tuple[list[Any], int | None, bool]:
    """What a page holds and says."""
    return list(page), page.total, page.has_more


@frozen(kw_only=True)
class Case:
    """One call, the request it makes, and what becomes of the answer."""

    call: Callable[[AsyncVoucherify], Awaitable[Any]]
    sends: str
    body: Any = None
    status: int = 200
    answer: Any = None
    gives: Any = None
    shown: Callable[[Any], Any] = field(default=identity)


CASES: dict[str, Case] = {
    "vouchers.get": Case(
        call=lambda c: c.vouchers.get("ÄB/ c?#%+"),
        sends="GET /v1/vouchers/%C3%84B%2F%20c%3F%23%25%2B",
        answer={**CARD, "code": "äb/ C?#%+"},
        gives=attrs.evolve(CARD_MODEL, code="äb/ C?#%+"),
    ),
    "vouchers.list": Case(
        call=lambda c: c.vouchers.list(),
        sends="GET /v1/vouchers?limit=100&page=1",
        answer={"object": "list", "data_ref": "vouchers", "vouchers": [CARD], "total": 101},
        gives=([CARD_MODEL], 101, True),
        shown=items,
    ),
    "vouchers.list with all there is": Case(
        call=lambda c: c.vouchers.list(
            limit=2,
            page=3,
            category="a&b",
            campaign_id="camp_1",
            customer="cust_1",
            campaign="Sum mer",
            created_at=v.TimeRange(before=INSTANT, after="2024-01-01T00:00:00Z"),
            updated_at={"after": INSTANT},
            order="-created_at",
            code="A",
            ids=["v_1", "v_2"],
            filters={
                "junction": "or",
                "code": {"conditions": {"$contains": ["SUM", "WIN"]}},
                "active": {"conditions": {"$is": [True]}},
            },
        ),
        sends="GET /v1/vouchers?limit=2&page=3&category=a%26b&campaign_id=camp_1&customer=cust_1"
        "&campaign=Sum+mer&created_at%5Bbefore%5D=2025-01-02T03%3A04%3A05.678Z"
        "&created_at%5Bafter%5D=2024-01-01T00%3A00%3A00Z"
        "&updated_at%5Bafter%5D=2025-01-02T03%3A04%3A05.678Z&order=-created_at&code=A"
        "&ids=v_1&ids=v_2&filters%5Bjunction%5D=or"
        "&filters%5Bcode%5D%5Bconditions%5D%5B%24contains%5D%5B0%5D=SUM"
        "&filters%5Bcode%5D%5Bconditions%5D%5B%24contains%5D%5B1%5D=WIN"
        "&filters%5Bactive%5D%5Bconditions%5D%5B%24is%5D%5B0%5D=true",
        answer={"vouchers": [], "total": 0},
        gives=([], 0, False),
        shown=items,
    ),
    "vouchers.create": Case(
        call=lambda c: c.vouchers.create(
            "A/B",
            v.GiftVoucherCreate(
                code="A/B", gift=v.Gift(amount=500), start_date=INSTANT, expiration_date=None
            ),
        ),
        sends="POST /v1/vouchers/A%2FB",
        body={
            "type": "GIFT_VOUCHER",
            "gift": {"amount": 500},
            "start_date": "2025-01-02T03:04:05.678Z",
            "expiration_date": None,
        },
        answer={**CARD, "code": "A/B"},
        gives=attrs.evolve(CARD_MODEL, code="A/B"),
    ),
    "vouchers.create from a mapping": Case(
        call=lambda c: c.vouchers.create("A", {"type": "GIFT_VOUCHER", "gift": {"amount": 500}}),
        sends="POST /v1/vouchers/A",
        body={"type": "GIFT_VOUCHER", "gift": {"amount": 500}},
        answer=CARD,
        gives=CARD_MODEL,
    ),
    "vouchers.generate": Case(
        call=lambda c: c.vouchers.generate({"type": "GIFT_VOUCHER", "gift": {"amount": 500}}),
        sends="POST /v1/vouchers",
        body={"type": "GIFT_VOUCHER", "gift": {"amount": 500}},
        answer=CARD,
        gives=CARD_MODEL,
    ),
    "vouchers.generate with a pattern": Case(
        call=lambda c: c.vouchers.generate(
            v.DiscountVoucherCreate(
                discount=v.PercentDiscount(percent_off=10), code_config=v.CodeConfig(pattern="A-##")
            )
        ),
        sends="POST /v1/vouchers",
        body={
            "type": "DISCOUNT_VOUCHER",
            "discount": {"type": "PERCENT", "percent_off": 10},
            "code_config": {"pattern": "A-##"},
        },
        answer=CARD,
        gives=CARD_MODEL,
    ),
    "vouchers.update": Case(
        call=lambda c: c.vouchers.update(
            "A", v.VoucherUpdate(expiration_date=None, active=False, metadata={"at": INSTANT})
        ),
        sends="PUT /v1/vouchers/A",
        body={
            "expiration_date": None,
            "active": False,
            "metadata": {"at": "2025-01-02T03:04:05.678Z"},
        },
        answer=CARD,
        gives=CARD_MODEL,
    ),
    "vouchers.update from a mapping with UNSET": Case(
        call=lambda c: c.vouchers.update(
            "A", {"category": v.UNSET, "metadata": {"a": v.UNSET, "b": None}, "start_date": None}
        ),
        sends="PUT /v1/vouchers/A",
        body={"metadata": {"b": None}, "start_date": None},
        answer=CARD,
        gives=CARD_MODEL,
    ),
    "vouchers.delete": Case(
        call=lambda c: c.vouchers.delete("A"), sends="DELETE /v1/vouchers/A", status=204
    ),
    "vouchers.delete for good": Case(
        call=lambda c: c.vouchers.delete("A", force=True),
        sends="DELETE /v1/vouchers/A?force=true",
        status=204,
    ),
    "vouchers.enable": Case(
        call=lambda c: c.vouchers.enable("A"),
        sends="POST /v1/vouchers/A/enable",
        answer=CARD,
        gives=CARD_MODEL,
    ),
    "vouchers.disable": Case(
        call=lambda c: c.vouchers.disable("A"),
        sends="POST /v1/vouchers/A/disable",
        answer=CARD,
        gives=CARD_MODEL,
    ),
    "vouchers.update_balance": Case(
        call=lambda c: c.vouchers.update_balance("A", -300, source_id="s_1", reason="Returned"),
        sends="POST /v1/vouchers/A/balance",
        body={"amount": -300, "source_id": "s_1", "reason": "Returned"},
        answer={"amount": -300, "total": 500, "balance": 200, "type": "gift_voucher"},
        gives=v.BalanceUpdate(amount=-300, total=500, balance=200, type="gift_voucher"),
    ),
    "vouchers.release_session": Case(
        call=lambda c: c.vouchers.release_session("A", "ssn/1"),
        sends="DELETE /v1/vouchers/A/sessions/ssn%2F1",
        status=204,
    ),
    "vouchers.update_in_bulk": Case(
        call=lambda c: c.vouchers.update_in_bulk(
            [
                v.VoucherMetadataUpdate(code="A", metadata={"n": 1}),
                {"code": "B", "metadata": {"n": 2}},
            ]
        ),
        sends="POST /v1/vouchers/bulk/async",
        body=[{"code": "A", "metadata": {"n": 1}}, {"code": "B", "metadata": {"n": 2}}],
        status=202,
        answer=ACCEPTED,
        gives="aa_1",
        shown=job_id,
    ),
    "vouchers.update_metadata_in_bulk": Case(
        call=lambda c: c.vouchers.update_metadata_in_bulk(iter(["A", "B"]), {"n": 1}),
        sends="POST /v1/vouchers/metadata/async",
        body={"codes": ["A", "B"], "metadata": {"n": 1}},
        status=202,
        answer=ACCEPTED,
        gives="aa_1",
        shown=job_id,
    ),
    "transactions.list": Case(
        call=lambda c: c.transactions.list("A", limit=5, order="-id", starting_after_id="vtx_0"),
        sends="GET /v1/vouchers/A/transactions?limit=5&order=-id&starting_after_id=vtx_0",
        answer={"data_ref": "data", "data": [{"id": "vtx_1"}], "has_more": False},
        gives=([v.VoucherTransaction(id="vtx_1")], None, False),
        shown=items,
    ),
    "transactions.find": Case(
        call=lambda c: c.transactions.find("A", source_id="s_1"),
        sends="GET /v1/vouchers/A/transactions?limit=100&order=-id",
        answer={"data": [{"id": "vtx_2"}, {"id": "vtx_1", "source_id": "s_1"}], "has_more": False},
        gives=v.VoucherTransaction(id="vtx_1", source_id="s_1"),
    ),
    "transactions.find in vain": Case(
        call=lambda c: c.transactions.find("A", source_id="s_1"),
        sends="GET /v1/vouchers/A/transactions?limit=100&order=-id",
        answer={"data": [{"id": "vtx_2", "source_id": None}], "has_more": False},
    ),
    "transactions.export": Case(
        call=lambda c: c.transactions.export("A"),
        sends="POST /v1/vouchers/A/transactions/export",
        body={"parameters": {}},
        answer=EXPORT,
        gives="exp_1",
        shown=job_id,
    ),
    "transactions.export with columns": Case(
        call=lambda c: c.transactions.export("A", order="-created_at", fields=["id", "amount"]),
        sends="POST /v1/vouchers/A/transactions/export",
        body={"parameters": {"order": "-created_at", "fields": ["id", "amount"]}},
        answer=EXPORT,
        gives="exp_1",
        shown=job_id,
    ),
    "imports.vouchers": Case(
        call=lambda c: c.imports.vouchers(x for x in (IMPORT, {"code": "B", "at": INSTANT})),
        sends="POST /v1/vouchers/import",
        body=[IMPORT_JSON, {"code": "B", "at": "2025-01-02T03:04:05.678Z"}],
        status=202,
        answer=ACCEPTED,
        gives="aa_1",
        shown=job_id,
    ),
    "imports.vouchers_to_campaign": Case(
        call=lambda c: c.imports.vouchers_to_campaign("camp 1", [IMPORT]),
        sends="POST /v1/campaigns/camp%201/import",
        body=[IMPORT_JSON],
        status=202,
        answer=ACCEPTED,
        gives="aa_1",
        shown=job_id,
    ),
    "async_actions.get": Case(
        call=lambda c: c.async_actions.get("aa_1"),
        sends="GET /v1/async-actions/aa_1",
        answer=ACTION,
        gives=ACTION_MODEL,
    ),
    "async_actions.list": Case(
        call=lambda c: c.async_actions.list(limit=1, end_date=INSTANT),
        sends="GET /v1/async-actions?limit=1&end_date=2025-01-02T03%3A04%3A05.678Z",
        answer={"data_ref": "async_actions", "async_actions": [ACTION], "has_more": False},
        gives=([ACTION_MODEL], None, False),
        shown=items,
    ),
    "async_actions.wait": Case(
        call=lambda c: c.async_actions.wait("aa_1"),
        sends="GET /v1/async-actions/aa_1",
        answer=ACTION,
        gives=ACTION_MODEL,
    ),
    "exports.create": Case(
        call=lambda c: c.exports.create(
            v.VoucherExportCreate(parameters=v.VoucherExportParameters(fields=["code"]))
        ),
        sends="POST /v1/exports",
        body={"exported_object": "voucher", "parameters": {"fields": ["code"]}},
        answer=EXPORT,
        gives="exp_1",
        shown=job_id,
    ),
    "exports.get": Case(
        call=lambda c: c.exports.get("exp_1"),
        sends="GET /v1/exports/exp_1",
        answer=EXPORT,
        gives=EXPORT_MODEL,
    ),
    "exports.list": Case(
        call=lambda c: c.exports.list(limit=1, page=100, order="-status"),
        sends="GET /v1/exports?limit=1&page=100&order=-status",
        answer={"data_ref": "exports", "exports": [EXPORT], "total": 100},
        gives=([EXPORT_MODEL], 100, False),
        shown=items,
    ),
    "exports.delete": Case(
        call=lambda c: c.exports.delete("exp_1"), sends="DELETE /v1/exports/exp_1", status=204
    ),
    "exports.wait": Case(
        call=lambda c: c.exports.wait("exp_1"),
        sends="GET /v1/exports/exp_1",
        answer=EXPORT,
        gives=EXPORT_MODEL,
    ),
}


@pytest.fixture
def router() -> Iterator[respx.Router]:
    """Respx in place of the network, below our own connection pool."""
    with respx.mock(base_url=BASE_URL) as router:
        yield router


@pytest.fixture(params=["own pool", "injected"])
def wired(request: pytest.FixtureRequest) -> Iterator[tuple[respx.Router, dict[str, Any]]]:
    """Respx below our own pool, or as the transport of an injected client; and its settings."""
    if request.param == "own pool":
        with respx.mock(base_url=BASE_URL) as mocked:
            yield mocked, {}
    else:
        routed = respx.Router(base_url=BASE_URL)
        transport = httpx.MockTransport(routed.async_handler)
        yield routed, {"http_client": httpx.AsyncClient(transport=transport)}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_request_and_answer(case: Case, wired: tuple[respx.Router, dict[str, Any]]) -> None:
    """Each method sends exactly the documented request, and returns the model of its answer."""
    router, settings = wired
    route = router.route().respond(case.status, json=case.answer)
    async with AsyncVoucherify(**KEYS, retry=None, **settings) as client:
        result = await case.call(client)
    assert case.shown(result) == case.gives
    assert route.call_count == 1
    request = route.calls.last.request
    assert f"{request.method} {request.url.raw_path.decode()}" == case.sends
    assert request.url.host == "api.voucherify.io"
    assert (json.loads(request.content) if request.content else None) == case.body
    headers = request.headers
    assert (headers["X-App-Id"], headers["X-App-Token"]) == ("id", "token")
    assert headers["User-Agent"].startswith(f"voucherify-async/{__version__} Python/3.")
    assert headers["Accept"] == "application/json"
    assert headers.get("Content-Type") == ("application/json" if request.content else None)
    assert "X-Voucherify-API-Version" not in headers
    assert "Authorization" not in headers


UPLOADS: dict[str, tuple[Callable[[AsyncVoucherify, Any], Awaitable[Any]], str]] = {
    "imports.csv": (lambda c, f: c.imports.csv(f), "/v1/vouchers/importCSV"),
    "imports.csv_to_campaign": (
        lambda c, f: c.imports.csv_to_campaign("camp/1", f),
        "/v1/campaigns/camp%2F1/importCSV",
    ),
}
FILES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "path": (lambda path: path, "codes ü.csv"),
    "text path": (str, "codes ü.csv"),
    "bytes": (lambda path: path.read_bytes(), "vouchers.csv"),
    "bytearray": (lambda path: bytearray(path.read_bytes()), "vouchers.csv"),
    "open file": (lambda path: io.BytesIO(path.read_bytes()), "vouchers.csv"),
}


@pytest.mark.parametrize("file", FILES.values(), ids=FILES.keys())
@pytest.mark.parametrize("upload", UPLOADS.values(), ids=UPLOADS.keys())
async def test_csv_goes_as_multipart(
    router: respx.Router, upload: Any, file: Any, tmp_path: Path
) -> None:
    """A CSV is the multipart field `file`, with its name and bytes, whatever it was given as."""
    call, sends = upload
    given, name = file
    path = tmp_path / "codes ü.csv"
    path.write_bytes(CSV)
    route = router.post(path__regex=".*").respond(202, json=ACCEPTED)
    async with AsyncVoucherify(**KEYS, retry=None) as client:
        assert (await call(client, given(path))).id == "aa_1"
    request = route.calls.last.request
    assert request.url.raw_path.decode() == sends
    boundary = request.headers["Content-Type"].removeprefix("multipart/form-data; boundary=")
    parts = request.content.split(f"--{boundary}".encode())
    assert parts[0] == b""
    assert parts[2:] == [b"--\r\n"]
    head, _, content = parts[1].partition(b"\r\n\r\n")
    assert content == CSV + b"\r\n"
    assert f'name="file"; filename="{name}"' in head.decode()
    assert b"Content-Type: text/csv" in head


@pytest.mark.parametrize(("given", "sent"), [(True, "true"), (False, "false")])
async def test_csv_import_can_call_webhooks(router: respx.Router, given: bool, sent: str) -> None:
    """`webhooks_enable` goes along as a second field of the form."""
    route = router.post("/v1/vouchers/importCSV").respond(202, json=ACCEPTED)
    async with AsyncVoucherify(**KEYS, retry=None) as client:
        await client.imports.csv(CSV, webhooks_enable=given)
    body = route.calls.last.request.content.decode()
    assert re.search(rf'name="webhooks_enable"\r\n\r\n{sent}\r\n', body)
    assert CSV.decode() in body


async def test_balance_update_is_labelled(router: respx.Router) -> None:
    """A balance update without a label gets one of its own, a new one each time."""
    route = router.post("/v1/vouchers/A/balance").respond(200, json={"amount": 5})
    async with AsyncVoucherify(**KEYS, retry=None) as client:
        for _ in range(2):
            await client.vouchers.update_balance("A", 5)
    labels = {json.loads(call.request.content)["source_id"] for call in route.calls}
    assert len(labels) == 2
    assert all(re.fullmatch(r"[0-9a-f-]{36}", label) for label in labels)


async def test_wanted_api_version_and_headers(router: respx.Router) -> None:
    """The API version and own headers go along, and one of a name we send too takes its place."""
    route = router.get("/v1/vouchers/A").respond(200, json=CARD)
    settings: dict[str, Any] = {
        "api_version": "v2018-08-01",
        "headers": {"user-agent": "shop/1", "X-Trace": "7"},
    }
    async with AsyncVoucherify(**KEYS, **settings) as client:
        await client.vouchers.get("A")
    headers = route.calls.last.request.headers
    assert headers["X-Voucherify-API-Version"] == "v2018-08-01"
    assert headers.get_list("User-Agent") == ["shop/1"]
    assert headers["X-Trace"] == "7"


async def test_bearer_token(router: respx.Router) -> None:
    """A bearer token goes in place of the keys."""
    route = router.get("/v1/vouchers/A").respond(200, json=CARD)
    async with AsyncVoucherify(auth=v.BearerAuth("abc")) as client:
        await client.vouchers.get("A")
    headers = route.calls.last.request.headers
    assert headers["Authorization"] == "Bearer abc"
    assert "X-App-Id" not in headers
    assert "X-App-Token" not in headers
