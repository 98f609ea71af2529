"""Models to a request: each peer makes import items and sends them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from . import own

Items = Iterable[Any]
Send = Callable[[Items], object]


def ours() -> Callable[[dict[str, Any]], object]:
    """Makes one of our models from the API's JSON types."""
    from voucherify_async import AmountDiscount, DiscountVoucherImport, ImportedRedemption

    def make(item: dict[str, Any]) -> object:
        discount = item["discount"]
        return DiscountVoucherImport(
            code=item["code"],
            category=item["category"],
            start_date=datetime.fromisoformat(item["start_date"]),
            expiration_date=datetime.fromisoformat(item["expiration_date"]),
            active=item["active"],
            additional_info=item["additional_info"],
            metadata=item["metadata"],
            discount=AmountDiscount(amount_off=discount["amount_off"], effect=discount["effect"]),
            redemption=ImportedRedemption(quantity=item["redemption"]["quantity"]),
        )

    return make


def ours_mappings() -> Callable[[dict[str, Any]], object]:
    """The documented mappings, which our client takes as well."""
    return lambda item: item


def sdk() -> Callable[[dict[str, Any]], object]:
    """Makes one of the official SDK's models."""
    from voucherify.models.vouchers_import_create_item_request_body import (
        VouchersImportCreateItemRequestBody,
    )

    make: Callable[[dict[str, Any]], object] = VouchersImportCreateItemRequestBody.from_dict
    return make


def sender(peer: str, url: str) -> Send:
    """What sends an import and waits until it is accepted."""
    if peer == "sdk":
        from . import sdk as official

        send: Send = official.api(url).import_vouchers
        return send
    return lambda items: asyncio.run(_send_ours(items, url))


async def _send_ours(items: Items, url: str) -> None:
    async with own.client("ours", url) as client:
        await client.imports.vouchers(items)
