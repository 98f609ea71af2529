"""A FastAPI service in front of Voucherify: lookups, a checkout, a listing, webhooks.

```sh
pip install "voucherify-async[cli,testing]" fastapi uvicorn
voucherify-async serve --vouchers 500        # in another terminal; export the lines that it prints
export VOUCHERIFY_WEBHOOK_SECRETS=secret     # of the webhook; "new,old" while it is being replaced
uvicorn examples.fastapi_service:app --port 8080

curl localhost:8080/vouchers/SAVE-000000
curl localhost:8080/checkout --json '{"order_id": "o-1", "amount": 5000, "codes": ["SAVE-000000"]}'
curl "localhost:8080/vouchers?category=sample"
```

The dictionary of payments and the set of webhooks stand for tables of a database, with a unique key
each. A payment is written down before it is sent, and one whose answer was lost stays open, and is
not sent again, until `settle` has found out what became of it. A row that is still open after
a restart was cut off by it: the redemptions of `client.orders.get(order_id)` tell what it paid.
"""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final, Literal, TypedDict

import anyio
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field

from voucherify_async import (
    AmbiguousOutcomeError,
    AsyncVoucherify,
    BadRequestError,
    InvalidArgumentError,
    NotFoundError,
    Page,
    RateLimitError,
    RedemptionResult,
    RefusedError,
    ResponseValidationError,
    Voucher,
    VoucherifyError,
    WebhookSignatureError,
    to_dict,
)
from voucherify_async.webhooks import SIGNATURE_HEADER, WebhookEvent, unwrap

SETTLE_EVERY: Final = 30.0
log = logging.getLogger(__name__)


class Cart(BaseModel):
    """What is to be paid; amounts in minor currency units."""

    order_id: str
    amount: Annotated[int, Field(gt=0)]
    codes: Annotated[list[str], Field(min_length=1, max_length=30)]

    def body(self) -> dict[str, Any]:
        """The cart as Voucherify takes it. By its `source_id` a lost payment is found."""
        order = {"source_id": self.order_id, "amount": self.amount}
        return {"redeemables": self.codes, "order": order}


class Payment(BaseModel):
    """A row of the table of payments."""

    order_id: str
    status: Literal["open", "paid", "not_paid"] = "open"
    left_to_pay: int | None = None
    redemption_id: str | None = None
    lost: dict[str, Any] | None = Field(default=None, exclude=True)
    """The error of a payment whose answer was lost: what `settle` needs, as JSON."""

    def close(self, result: RedemptionResult) -> None:
        """Write down what was redeemed: of several codes it may be some, or none."""
        redeemed = [one for one in result.redemptions or () if one.is_successful]
        self.lost = None
        if not redeemed:
            self.status = "not_paid"
            return
        self.status = "paid"
        self.redemption_id = (result.parent_redemption or redeemed[0]).id
        self.left_to_pay = result.order.total_amount if result.order else None


class State(TypedDict):
    """What lives as long as the service."""

    client: AsyncVoucherify
    payments: dict[str, Payment]
    heard: set[str]
    secrets: list[str]


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[State, None]:
    """One client for the whole service, and one task that settles payments."""
    secrets = os.environ["VOUCHERIFY_WEBHOOK_SECRETS"].split(",")
    payments: dict[str, Payment] = {}
    async with AsyncVoucherify() as client, anyio.create_task_group() as tasks:
        tasks.start_soon(settle_payments, client, payments)
        yield State(client=client, payments=payments, heard=set(), secrets=secrets)
        tasks.cancel_scope.cancel()


async def settle_payments(client: AsyncVoucherify, payments: dict[str, Payment]) -> None:
    """Look, again and again, what became of the payments whose answers were lost."""
    while True:
        for payment in [payment for payment in payments.values() if payment.lost]:
            settled = await client.settle(AmbiguousOutcomeError.from_dict(payment.lost or {}))
            if settled.status == "done" and settled.result is not None:
                payment.close(settled.result)
            elif settled.status == "not_done":
                payment.status, payment.lost = "not_paid", None
        await anyio.sleep(SETTLE_EVERY)


def voucherify(request: Request) -> AsyncVoucherify:
    """The service's client."""
    client: AsyncVoucherify = request.state.client
    return client


def table_of_payments(request: Request) -> dict[str, Payment]:
    """The payments by their order."""
    payments: dict[str, Payment] = request.state.payments
    return payments


Client = Annotated[AsyncVoucherify, Depends(voucherify)]
Payments = Annotated[dict[str, Payment], Depends(table_of_payments)]

app = FastAPI(title="Shop", lifespan=lifespan)


@app.exception_handler(VoucherifyError)
async def failed(_: Request, error: VoucherifyError) -> JSONResponse:
    """Tell callers what they can do about it; what is the service's own fault is only logged."""
    told: dict[str, Any]
    headers: dict[str, str] = {}
    match error:
        case AmbiguousOutcomeError():  # first, as it may be a ServerError too
            status, told = 502, {"error": "unknown_outcome", "to_do": error.how_to_check}
        case RefusedError():
            keys = [reason.key or reason.message for reason in error.reasons]
            status, told = 409, {"error": "refused", "reasons": keys}
        case NotFoundError():
            status, told = 404, {"error": error.key}
        case BadRequestError():
            status, told = 422, {"error": error.key, "details": error.details}
        case InvalidArgumentError():
            status, told = 422, {"error": str(error)}
        case RateLimitError():
            status, told = 429, {"error": "too_many_requests"}
            headers["Retry-After"] = str(math.ceil(error.retry_after or 60))
        case _:
            log.error("Voucherify failed", exc_info=error)
            status, told = 502, {"error": "voucherify"}
    return JSONResponse(told, status, headers)


@app.get("/vouchers/{code}")
async def voucher(code: str, client: Client) -> Voucher:
    """One voucher."""
    return await client.vouchers.get(code)


@app.get("/vouchers", response_class=StreamingResponse)
async def vouchers(client: Client, category: str | None = None) -> StreamingResponse:
    """Every voucher, a line of JSON each, none of them held for longer than its page."""
    pages = client.vouchers.list_all(category=category).pages()
    first = await anext(pages)  # what goes wrong later can only break the answer off

    async def lines() -> AsyncIterator[str]:
        page: Page[Voucher] | None = first
        while page is not None:
            yield "".join(f"{json.dumps(to_dict(voucher))}\n" for voucher in page)
            page = await anext(pages, None)

    # Nothing has to be closed if the caller leaves: a walk that is dropped reads no further.
    return StreamingResponse(lines(), media_type="application/x-ndjson")


@app.post("/checkout", responses={202: {"model": Payment}})
async def checkout(cart: Cart, client: Client, payments: Payments, response: Response) -> Payment:
    """Pay a cart, once however often it is asked for; 202 where it is not known yet."""
    payment = payments.get(cart.order_id)
    if payment is None or payment.status == "not_paid":
        # In the table before the first `await`: a second click finds it there.
        payment = payments[cart.order_id] = Payment(order_id=cart.order_id)
        try:
            await client.validations.validate(**cart.body(), raise_on_inapplicable=True)
            payment.close(await client.redemptions.redeem(**cart.body(), confirm=True))
        except AmbiguousOutcomeError as error:
            payment.lost = error.to_dict()
        except VoucherifyError:
            payment.status = "not_paid"  # nothing was redeemed: it may be tried again
            raise
    if payment.status == "open":
        response.status_code = 202
        response.headers["Location"] = f"/checkout/{cart.order_id}"
    return payment


@app.get("/checkout/{order_id}")
async def payment_of(order_id: str, payments: Payments) -> Payment:
    """What became of a payment."""
    if order_id not in payments:
        raise HTTPException(404)
    return payments[order_id]


@app.post("/webhooks/voucherify", status_code=204)
async def hear(request: Request) -> None:
    """Take a webhook; a delivery that comes again is acknowledged and does nothing."""
    body, signature = await request.body(), request.headers.get(SIGNATURE_HEADER)
    try:
        event = unwrap(body, signature, request.state.secrets)
    except WebhookSignatureError as error:
        raise HTTPException(401, str(error)) from error
    except ResponseValidationError as error:
        raise HTTPException(400, str(error)) from error
    heard: set[str] = request.state.heard
    if event.dedupe_key not in heard:
        handle(event)
        heard.update({event.dedupe_key} if event.dedupe_key else ())


def handle(event: WebhookEvent) -> None:
    """What the service makes of an event."""
    match event.event_type:
        case "voucher.redeemed" | "redemption.succeeded":
            log.info("Redeemed: %s", event.data.redemption)
        case _:
            log.info("Not of interest: %s", event.event_type)
