"""Spans of OpenTelemetry: one for each call, inside the service's own.

```sh
pip install "voucherify-async[cli,otel,testing]" opentelemetry-sdk
voucherify-async serve --vouchers 500        # in another terminal; export the lines that it prints
python -m examples.opentelemetry_spans SAVE-000000
```

A span is named after its method, such as `redemptions.redeem`, and holds the route, the status and
how often the request was sent again: never a code, a token or a body. It is made whatever
`http_backend` sends the call. Only the API package is needed for it; which SDK and exporter there
are is the service's choice, made before its first client.
"""

from __future__ import annotations

import asyncio
import sys
from uuid import uuid4

from opentelemetry import trace
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter

from voucherify_async import AsyncVoucherify, RedemptionResult

tracer = trace.get_tracer(__name__)


def set_up_tracing() -> TracerProvider:
    """Write spans to stdout; a service has an `OTLPSpanExporter` in its place."""
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: "shop"}))
    provider.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider


async def pay(client: AsyncVoucherify, code: str, amount: int) -> RedemptionResult:
    """Pay an order with a code, inside a span of the service's own; `amount` in minor units."""
    order = {"source_id": str(uuid4()), "amount": amount}
    with tracer.start_as_current_span("checkout"):
        await client.validations.validate(
            redeemables=[code], order=order, raise_on_inapplicable=True
        )
        return await client.redemptions.redeem(redeemables=[code], order=order, confirm=True)


async def main(code: str) -> None:
    """Pay an order of 50.00."""
    async with AsyncVoucherify() as client:
        await pay(client, code, 5000)


if __name__ == "__main__":
    provider = set_up_tracing()
    try:
        asyncio.run(main(sys.argv[1]))
    finally:
        provider.shutdown()  # sends the spans that are still held
