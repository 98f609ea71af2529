"""Deliver an event to an endpoint, as Voucherify's webhooks do."""

from __future__ import annotations

import httpx

from ...webhooks import SIGNATURE_HEADER, sign

# Voucherify waits so long for a receiver before it tries again later.
_PATIENCE = 10.0


async def post_signed(
    body: bytes, url: str, secret: str, http_client: httpx.AsyncClient | None
) -> int:
    """Sign and post a body once, and return the status of the answer."""
    headers = {SIGNATURE_HEADER: sign(body, secret), "content-type": "application/json"}
    if http_client is not None:
        return (await http_client.post(url, content=body, headers=headers)).status_code
    # A proxy of the environment would be asked for an address that only this machine has.
    async with httpx.AsyncClient(timeout=_PATIENCE, trust_env=False) as client:
        return (await client.post(url, content=body, headers=headers)).status_code
