"""httpx2 in the place of httpx: a service that has moved there runs one HTTP stack."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from voucherify_async import AsyncVoucherify, ConfigurationError

from .wire import ok, read_request, serving

CALLS = """
import sys, anyio
from voucherify_async import AsyncVoucherify

async def main(**options):
    async with AsyncVoucherify("id", "token", base_url=sys.argv[1], **options) as client:
        await client.vouchers.get("CODE")
        await client.request("GET", "/v1/vouchers/.an-address-that-has-to-be-parsed")
        await client.request("POST", "/v1/vouchers/importCSV", files={"file": b"Code\\nA"})

"""
LOADED = """
print(sorted({"httpx", "httpcore", "httpx2", "httpcore2"} & sys.modules.keys()))
"""
ALIASED = """
import httpx2
httpx2.alias_httpx()
import httpx, httpcore, httpcore2
assert (httpx, httpcore) == (httpx2, httpcore2)
"""
WATCHED = """
import sentry_sdk
events = []
def keep(event, hint):
    events.append(event)
sentry_sdk.init(traces_sample_rate=1.0, before_send_transaction=keep)
def run(backend):
    with sentry_sdk.start_transaction(name="checkout"):
        anyio.run(lambda: main(http_backend=backend))
    print([span["op"] for span in events[0]["spans"]])
"""


def received_and_printed(code: str) -> tuple[list[bytes], str]:
    """What a process of its own sends to a server, and what it prints."""
    received: list[bytes] = []

    def handle(connection: Any) -> None:
        while request := read_request(connection):
            received.append(request)
            connection.sendall(ok())

    with serving(handle) as address:
        command = [sys.executable, "-W", "error", "-c", CALLS + code, f"http://{address}"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return received, done.stdout.strip()


@pytest.mark.parametrize(
    ("backend", "loaded"),
    [("httpcore", ["httpcore", "httpx"]), ("httpx2", ["httpcore2", "httpx2"])],
)
def test_one_http_stack_is_loaded(backend: str, loaded: list[str]) -> None:
    """A call and an upload over either load nothing of the other."""
    run = f"anyio.run(lambda: main(http_backend={backend!r}))"
    received, printed = received_and_printed(run + LOADED)
    assert printed == str(loaded)
    assert len(received) == 3
    assert b"multipart/form-data" in received[2]


def test_where_httpx_is_an_alias_of_its_successor() -> None:
    """`httpx2.alias_httpx()` puts httpx2 under both names, which the default backend bears."""
    received, _ = received_and_printed(ALIASED + "anyio.run(lambda: main())")
    assert len(received) == 3


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["httpcore", "httpx2"])
def test_sentry_sees_each_attempt(backend: str) -> None:
    """Its integrations for both libraries make a span of each, and mark the request."""
    if backend == "httpx2":
        pytest.importorskip("sentry_sdk.integrations.httpx2")
    received, printed = received_and_printed(WATCHED + f"run({backend!r})")
    assert printed == "['http.client', 'http.client', 'http.client']"
    assert all(b"sentry-trace" in request.lower() for request in received)


def test_httpx2_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is missing the client says at once what to install."""
    monkeypatch.setitem(sys.modules, "httpx2", None)
    makers: list[Callable[[], AsyncVoucherify]] = [
        lambda: AsyncVoucherify("id", "token", http_backend="httpx2"),
        lambda: AsyncVoucherify("i", "t", base_url="https://a.test", http_backend="httpx2"),
    ]
    for make in makers:
        with pytest.raises(ConfigurationError, match=r"voucherify-async\[httpx2\]"):
            make()
