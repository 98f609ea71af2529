"""A checkout behind FastAPI: quote a cart, pay it once, refund it.

```sh
pip install voucherify-async fastapi uvicorn
VOUCHERIFY_APP_ID=… VOUCHERIFY_APP_TOKEN=… uvicorn --factory examples.checkout:create_app
```

A dictionary stands for the table of payments that a shop has. What matters is the order of things:
a payment is written down before it is sent, and one of unknown outcome stays open until `settle`
tells what became of it. It is never sent again before that.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from voucherify_async import (
    AmbiguousOutcomeError,
    AsyncVoucherify,
    BadRequestError,
    RedemptionRefusedError,
    RedemptionResult,
    RefusedError,
    VoucherifyError,
)


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

    status: Literal["open", "paid", "refunded"] = "open"
    left_to_pay: int | None = None
    redemption_id: str | None = None
    error: dict[str, Any] | None = Field(default=None, exclude=True)
    """What `settle` needs to find out what became of it, as JSON."""

    def paid_by(self, result: RedemptionResult) -> None:
        """Write down what was redeemed."""
        whole = result.parent_redemption or (result.redemptions or [])[0]
        self.status, self.redemption_id, self.error = "paid", whole.id, None
        self.left_to_pay = result.order.total_amount if result.order else None


async def _redeem(client: AsyncVoucherify, cart: Cart) -> RedemptionResult:
    try:
        return await client.redemptions.redeem(
            **cart.body(), confirm=True, raise_on_inapplicable=True
        )
    except RedemptionRefusedError as error:
        made = error.result.redemptions if error.result else None
        if error.result is None or not any(one.is_successful for one in made or ()):
            raise
        return error.result  # some codes applied: the customer pays what is left


async def _roll_back(client: AsyncVoucherify, redemption_id: str) -> None:
    try:
        await client.redemptions.rollback_stack(redemption_id, reason="refund", confirm=True)
    except BadRequestError as error:
        if error.key != "already_rolled_back":  # by a refund whose answer was lost
            raise


def create_app(**settings: Any) -> FastAPI:
    """The service; `settings` go to `AsyncVoucherify`, by default those of the environment."""
    payments: dict[str, Payment] = {}
    client = AsyncVoucherify(**settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None, None]:
        async with client:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.exception_handler(RefusedError)
    async def refused(_: Request, error: RefusedError) -> JSONResponse:
        why = [reason.key or reason.message for reason in error.reasons]
        return JSONResponse({"refused": why}, status_code=409)

    @app.exception_handler(AmbiguousOutcomeError)
    async def unknown(_: Request, error: AmbiguousOutcomeError) -> JSONResponse:
        return JSONResponse({"unknown": error.how_to_check}, status_code=503)

    @app.post("/quote")
    async def quote(cart: Cart) -> dict[str, int | None]:
        found = await client.validations.validate(**cart.body(), raise_on_inapplicable=True)
        order = found.order
        return {"left_to_pay": order.total_amount if order else cart.amount}

    @app.post("/pay")
    async def pay(cart: Cart) -> Payment:
        if cart.order_id in payments:
            return await payment(cart.order_id)  # a second click pays nothing
        row = payments[cart.order_id] = Payment()
        try:
            row.paid_by(await _redeem(client, cart))
        except AmbiguousOutcomeError as error:
            row.error = error.to_dict()
        except VoucherifyError:
            del payments[cart.order_id]  # nothing was redeemed: it may be tried again
            raise
        return row

    @app.get("/payments/{order_id}")
    async def payment(order_id: str) -> Payment:
        row = payments.get(order_id)
        if row is None:
            raise HTTPException(404)
        if row.error is not None:
            settled = await client.settle(AmbiguousOutcomeError.from_dict(row.error))
            if settled.status == "done" and settled.result is not None:
                row.paid_by(settled.result)
            elif settled.status == "not_done":
                if payments.get(order_id) is row:  # and not one that was begun since
                    del payments[order_id]
                raise HTTPException(404, "It was not paid, and will not be: pay again")
        return row

    @app.post("/payments/{order_id}/refund")
    async def refund(order_id: str) -> Payment:
        row = await payment(order_id)
        if row.status == "open" or row.redemption_id is None:
            raise HTTPException(409, "It is not known yet whether it was paid")
        if row.status == "paid":
            await _roll_back(client, row.redemption_id)
            row.status = "refunded"
        return row

    return app
