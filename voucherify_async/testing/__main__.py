"""``python -m voucherify_async.testing``: serve an embedded Voucherify until Ctrl-C."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any


def _until_interrupted() -> None:
    threading.Event().wait()


def main(
    arguments: Sequence[str] | None = None, *, wait: Callable[[], None] = _until_interrupted
) -> int:
    """Serve as the command line says until ``wait`` ends; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m voucherify_async.testing",
        description="Serve an embedded Voucherify that forgets everything at its end.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at")
    parser.add_argument("--port", type=int, default=8000, help="the port; 0 takes a free one")
    parser.add_argument("--vouchers", type=int, default=0, help="how many vouchers to start with")
    options = parser.parse_args(arguments)
    try:
        from . import FakeVoucherify
    except ImportError as error:
        parser.exit(2, f"{error}\n")
    fake = FakeVoucherify(record=False)
    fake.add_vouchers(_sample(options.vouchers))
    try:
        with fake.serve(options.host, options.port) as url, suppress(KeyboardInterrupt):
            sys.stderr.write("serving until Ctrl-C; in another terminal, export these:\n")
            sys.stdout.write(
                f"VOUCHERIFY_BASE_URL={url}\n"
                f"VOUCHERIFY_APP_ID={fake.app_id}\n"
                f"VOUCHERIFY_APP_TOKEN={fake.app_token}\n"
            )
            sys.stdout.flush()
            wait()
    except OSError as error:
        parser.exit(1, f"cannot listen at {options.host}:{options.port}: {error.strerror}\n")
    return 0


def _sample(count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        if number % 2:
            yield {"code": f"GIFT-{number:06d}", "gift": {"amount": 10_000}}
        else:
            discount = {"type": "PERCENT", "percent_off": 10, "effect": "APPLY_TO_ORDER"}
            yield {"code": f"SAVE-{number:06d}", "discount": discount, "category": "sample"}


if __name__ == "__main__":
    raise SystemExit(main())
