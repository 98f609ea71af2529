"""The same client on trio: disable every voucher of a category.

```sh
pip install "voucherify-async[cli,testing]" trio
voucherify-async serve --vouchers 500        # in another terminal; export the lines that it prints
python -m examples.trio_script sample
```
"""

from __future__ import annotations

import sys

import trio

from voucherify_async import AsyncVoucherify, VoucherifyError


async def disable(client: AsyncVoucherify, code: str, failed: dict[str, VoucherifyError]) -> None:
    """Disable one voucher; what goes wrong with it costs no other."""
    try:
        await client.vouchers.disable(code)
    except VoucherifyError as error:
        failed[code] = error


async def main(category: str) -> dict[str, VoucherifyError]:
    """Disable vouchers while the listing is still being read; returns what failed, by its code."""
    failed: dict[str, VoucherifyError] = {}
    with trio.fail_after(600):
        # The nursery takes any number of tasks: the client bounds how many requests are open.
        async with AsyncVoucherify() as client, trio.open_nursery() as nursery:
            async for voucher in client.vouchers.list_all(category=category):
                if voucher.active is not False:
                    nursery.start_soon(disable, client, voucher.code, failed)
    return failed


if __name__ == "__main__":
    problems = trio.run(main, sys.argv[1])
    for code, problem in problems.items():
        sys.stderr.write(f"{code}: {problem}\n")
    raise SystemExit(1 if problems else 0)
