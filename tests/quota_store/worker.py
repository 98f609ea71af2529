"""One of several processes that look codes up: prints how many it found, and its first error."""

from __future__ import annotations

import asyncio
import json
import sys

from voucherify_async import AsyncVoucherify, RedisQuotaStore


def tell(line: str) -> None:
    """Say something to the test."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def main(base_url: str, redis_url: str, codes: list[str]) -> None:
    """Look the codes up, once the word is given."""
    store = RedisQuotaStore(redis_url) if redis_url else None
    async with AsyncVoucherify("id", "token", base_url=base_url, quota_store=store) as client:
        tell("ready")
        sys.stdin.readline()
        lookups = await client.vouchers.get_many(codes)
    errors = [repr(found.error) for found in lookups if not found.ok]
    tell(json.dumps({"found": len(lookups) - len(errors), "error": next(iter(errors), None)}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3])))
