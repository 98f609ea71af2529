"""An aiohttp service in front of Voucherify, on one HTTP stack: lookups, credits, webhooks.

```sh
pip install "voucherify-async[aiohttp,cli,testing]"
voucherify-async serve --vouchers 500        # in another terminal; export the lines that it prints
export VOUCHERIFY_WEBHOOK_SECRETS=secret     # of the webhook; "new,old" while it is being replaced
python -m examples.aiohttp_service

curl localhost:8080/vouchers/GIFT-000001
curl localhost:8080/cards/GIFT-000001/credits --json '{"id": "refund-1", "amount": 500}'
curl localhost:8080/credits/refund-1
curl "localhost:8080/vouchers?category=sample"
```

The dictionary of credits and the set of webhooks stand for tables of a database, with a unique key
each. A credit is written down before it is sent; one whose answer was lost is looked for whenever
somebody asks what became of it, and not sent again before that is known.
"""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from voucherify_async import (
    AmbiguousOutcomeError,
    AsyncVoucherify,
    BadRequestError,
    InvalidArgumentError,
    NotFoundError,
    RateLimitError,
    ResponseValidationError,
    VoucherifyError,
    WebhookSignatureError,
    to_dict,
)
from voucherify_async.webhooks import SIGNATURE_HEADER, WebhookEvent, unwrap

log = logging.getLogger(__name__)

CLIENT: Final = web.AppKey("client", AsyncVoucherify)
CREDITS: Final = web.AppKey("credits", dict[str, dict[str, Any]])
HEARD: Final = web.AppKey("heard", set[str])
routes = web.RouteTableDef()


async def voucherify(app: web.Application) -> AsyncIterator[None]:
    """One client for the whole service."""
    async with AsyncVoucherify(http_backend="aiohttp") as client:
        app[CLIENT] = client
        yield


@web.middleware
async def errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Tell callers what they can do about an error; what is our own fault is only logged."""
    try:
        return await handler(request)
    except NotFoundError as error:
        return web.json_response({"error": error.key}, status=404)
    except BadRequestError as error:
        return web.json_response({"error": error.key, "details": error.details}, status=422)
    except InvalidArgumentError as error:
        return web.json_response({"error": str(error)}, status=422)
    except RateLimitError as error:
        headers = {"Retry-After": str(math.ceil(error.retry_after or 60))}
        return web.json_response({"error": "too_many_requests"}, status=429, headers=headers)
    except VoucherifyError:
        log.exception("Voucherify failed")
        return web.json_response({"error": "voucherify"}, status=502)


@routes.get("/vouchers/{code}")
async def voucher(request: web.Request) -> web.Response:
    """One voucher."""
    found = await request.app[CLIENT].vouchers.get(request.match_info["code"])
    return web.json_response(to_dict(found))


@routes.get("/vouchers")
async def vouchers(request: web.Request) -> web.StreamResponse:
    """Every voucher, a line of JSON each, none of them held for longer than its page."""
    listing = request.app[CLIENT].vouchers.list_all(category=request.query.get("category"))
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    async for page in listing.pages():
        if not response.prepared:  # what goes wrong before has a status of its own
            await response.prepare(request)
        lines = "".join(f"{json.dumps(to_dict(voucher))}\n" for voucher in page)
        await response.write(lines.encode())  # raises where the caller has left
    if not response.prepared:
        await response.prepare(request)
    await response.write_eof()
    return response


@routes.post("/cards/{code}/credits")
async def credit(request: web.Request) -> web.Response:
    """Credit a gift card, once however often it is asked for; 202 where it is not known yet."""
    try:
        body = await request.json()
        name, amount = str(body["id"]), body["amount"]
    except (LookupError, TypeError, ValueError) as error:
        raise web.HTTPUnprocessableEntity(text="Expected an object with id and amount") from error
    rows = request.app[CREDITS]
    row = rows.get(name)
    if row is None or row["status"] == "not_done":
        # In the table before the next `await`: who asks a second time finds it there.
        row = rows[name] = {"id": name, "status": "open"}
        vouchers, code = request.app[CLIENT].vouchers, request.match_info["code"]
        try:
            done = await vouchers.update_balance(code, amount, source_id=name, confirm=True)
            row |= {"status": "done", "balance": done.balance}
        except AmbiguousOutcomeError as error:
            row["lost"] = error.to_dict()
        except VoucherifyError:
            row["status"] = "not_done"  # it may be tried again
            raise
    return _told(row)


@routes.get("/credits/{id}")
async def credit_of(request: web.Request) -> web.Response:
    """What became of a credit; one whose answer was lost is looked for."""
    row = request.app[CREDITS].get(request.match_info["id"])
    if row is None:
        raise web.HTTPNotFound
    if "lost" in row:
        settled = await request.app[CLIENT].settle(AmbiguousOutcomeError.from_dict(row["lost"]))
        if settled.status != "unknown":
            row["status"] = settled.status
            row.pop("lost", None)
    return _told(row)


def _told(row: dict[str, Any]) -> web.Response:
    told = {key: value for key, value in row.items() if key != "lost"}
    return web.json_response(told, status=202 if row["status"] == "open" else 200)


@routes.post("/webhooks/voucherify")
async def hear(request: web.Request) -> web.Response:
    """Take a webhook; a delivery that comes again is acknowledged and does nothing."""
    body, signature = await request.read(), request.headers.get(SIGNATURE_HEADER)
    try:
        event = unwrap(body, signature, os.environ["VOUCHERIFY_WEBHOOK_SECRETS"].split(","))
    except WebhookSignatureError as error:
        raise web.HTTPUnauthorized(text=str(error)) from error
    except ResponseValidationError as error:
        raise web.HTTPBadRequest(text=str(error)) from error
    heard = request.app[HEARD]
    if event.dedupe_key not in heard:
        handle(event)
        heard.update({event.dedupe_key} if event.dedupe_key else ())
    return web.Response(status=204)


def handle(event: WebhookEvent) -> None:
    """What the service makes of an event."""
    log.info("%s: %s", event.event_type, list(event.data))


def create_app() -> web.Application:
    """The service."""
    app = web.Application(middlewares=[errors])
    app[CREDITS], app[HEARD] = {}, set()
    app.cleanup_ctx.append(voucherify)
    app.add_routes(routes)
    return app


if __name__ == "__main__":
    web.run_app(create_app(), port=8080)
