"""Sentry: errors, a span for each attempt, and the trace's header on the wire, without codes.

```sh
pip install "voucherify-async[cli,testing]" sentry-sdk
voucherify-async serve --vouchers 500        # in another terminal; export the lines that it prints
SENTRY_DSN=… python -m examples.sentry_errors < codes.txt
```

Sentry watches httpx, and the client's calls go through what it watches (`http_backend="httpcore"`,
the default). No credential of the client is in an event, local variables included. A code is money
too, and stands in the addresses that Sentry notes: `without_codes` takes it out of them.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import Iterable
from typing import Any

import sentry_sdk

from voucherify_async import APIError, AsyncVoucherify, NotFoundError, VoucherifyError

_CODE = re.compile(r'(/v1/vouchers/)[^/?#\s"\\]+')


def without_codes(noted: Any, _hint: Any) -> Any:
    """An event or breadcrumb in which addresses hold no code."""
    return json.loads(_CODE.sub(r"\1{code}", json.dumps(noted, default=str)))


def set_up_sentry() -> None:
    """Once, before the first client."""
    sentry_sdk.init(
        dsn=os.environ.get("SENTRY_DSN"),
        traces_sample_rate=1.0,
        before_breadcrumb=without_codes,
        before_send_transaction=without_codes,
        include_local_variables=False,  # the service's own variables hold codes
    )


async def look_up(client: AsyncVoucherify, codes: Iterable[str]) -> None:
    """Look codes up; whatever goes wrong is reported, but not that there is no such code."""
    for code in codes:
        try:
            await client.vouchers.get(code)
        except NotFoundError:
            continue
        except VoucherifyError as error:
            with sentry_sdk.new_scope() as scope:
                if isinstance(error, APIError):
                    scope.set_tag("voucherify.request_id", error.request_id)
                scope.capture_exception(error)


async def main(codes: Iterable[str]) -> None:
    """Look codes up within one transaction."""
    with sentry_sdk.start_transaction(name="look-up", op="task"):
        async with AsyncVoucherify() as client:
            await look_up(client, codes)


if __name__ == "__main__":
    set_up_sentry()
    # Not from the command line, which Sentry notes too.
    asyncio.run(main([line.strip() for line in sys.stdin]))
    sentry_sdk.flush()
