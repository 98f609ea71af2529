"""Calls of every kind, and what can go wrong with them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from voucherify_async import AsyncVoucherify, OAuthClientCredentials
from voucherify_async.testing import FakeVoucherify

from .conftest import MovingClock, policy

Send = Callable[[AsyncVoucherify], Awaitable[Any]]
Fault = Callable[[FakeVoucherify], Any]

CODE = "SECRET-CODE-1"
DISCOUNT = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "AMOUNT", "amount_off": 1}}
READ: dict[str, Send] = {
    "get": lambda c: c.vouchers.get(CODE),
    "list": lambda c: c.vouchers.list(),
    "transactions": lambda c: c.transactions.list("CARD"),
    "raw get": lambda c: c.request("GET", f"/v1/vouchers/{CODE}"),
}
IDEMPOTENT: dict[str, Send] = {
    "update": lambda c: c.vouchers.update(CODE, {"category": "x"}),
    "delete": lambda c: c.vouchers.delete(CODE),
    "raw put": lambda c: c.request("PUT", f"/v1/vouchers/{CODE}", json={"category": "x"}),
}
POST: dict[str, Send] = {
    "balance": lambda c: c.vouchers.update_balance("CARD", 5),
    "generate": lambda c: c.vouchers.generate(DISCOUNT),
    "enable": lambda c: c.vouchers.enable(CODE),
    "disable": lambda c: c.vouchers.disable(CODE),
    "import": lambda c: c.imports.vouchers([{"code": "N", "type": "DISCOUNT_VOUCHER"}]),
    "csv": lambda c: c.imports.csv(b"Code,Voucher Type\nN,DISCOUNT_VOUCHER\n"),
    "bulk": lambda c: c.vouchers.update_in_bulk([{"code": CODE, "metadata": {}}]),
    "metadata": lambda c: c.vouchers.update_metadata_in_bulk([CODE], {}),
    "export": lambda c: c.transactions.export("CARD"),
    "raw post": lambda c: c.request("POST", f"/v1/vouchers/{CODE}/enable"),
}
OPEN: dict[str, Fault] = {
    "reset": lambda f: f.faults.reset(),
    "disconnect": lambda f: f.faults.disconnect(),
    "lose_answer": lambda f: f.faults.lose_answer(),
    "reset_after_headers": lambda f: f.faults.reset_after_headers(),
    "cut_body": lambda f: f.faults.cut_body(),
    "truncated_gzip": lambda f: f.faults.truncated_gzip(),
    "502": lambda f: f.faults.status(502),
    "503": lambda f: f.faults.status(503),
    "503 with Retry-After": lambda f: f.faults.status(503, headers={"Retry-After": "3"}),
    "504 applied": lambda f: f.faults.status(504, applied=True),
    "html": lambda f: f.faults.html(502),
}
GARBLED: dict[str, Fault] = {
    "garbage": lambda f: f.faults.garbage(),
    "list": lambda f: f.faults.garbage(b"[1]"),
}
TIMEOUTS: dict[str, Fault] = {
    "read": lambda f: f.faults.timeout("read"),
    "read applied": lambda f: f.faults.timeout("read", applied=True),
    "write": lambda f: f.faults.timeout("write"),
}
SHUT: dict[str, Fault] = {
    "429 seconds": lambda f: f.faults.rate_limited(3, form="seconds"),
    "429 date": lambda f: f.faults.rate_limited(3, form="date"),
    "429 reset": lambda f: f.faults.rate_limited(3, form="reset"),
    "429 none": lambda f: f.faults.rate_limited(form="none"),
}
UNCONNECTED: dict[str, Fault] = {
    "refuse": lambda f: f.faults.refuse(),
    "connect": lambda f: f.faults.timeout("connect"),
}


LANDED: dict[str, Fault] = {
    "lose_answer": lambda f: f.faults.lose_answer(),
    "reset_after_headers": lambda f: f.faults.reset_after_headers(),
    "cut_body": lambda f: f.faults.cut_body(),
    "garbage": lambda f: f.faults.garbage(),
    "empty": lambda f: f.faults.empty(),
    "timeout": lambda f: f.faults.timeout("read", applied=True),
    "502": lambda f: f.faults.status(502, applied=True),
}


def balance(fake: FakeVoucherify) -> int:
    """What is on the card."""
    return int(fake.vouchers["CARD"]["gift"]["balance"])


def credits_sent(fake: FakeVoucherify) -> list[str]:
    """The labels of the balance updates that arrived."""
    return [r.json()["source_id"] for r in fake.requests if r.path.endswith("/balance")]


def oauth_client(fake: FakeVoucherify, clock: MovingClock, **options: Any) -> AsyncVoucherify:
    """A client that signs with tokens."""
    settings = {"auth": OAuthClientCredentials("the-id", "the-secret"), "retry": policy()}
    return fake.client(**{**settings, "clock": clock, **options})


def token_requests(fake: FakeVoucherify) -> list[Any]:
    """The requests for tokens that arrived."""
    return [r for r in fake.requests if r.path.endswith("/oauth/token")]


def each(table: dict[str, Any]) -> pytest.MarkDecorator:
    """Run a test with each entry of a table."""
    name = "send" if next(iter(table)) in {**READ, **IDEMPOTENT, **POST} else "fault"
    return pytest.mark.parametrize(name, table.values(), ids=list(table))
