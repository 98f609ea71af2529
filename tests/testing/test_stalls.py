from __future__ import annotations

from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from voucherify_async.testing import FakeVoucherify

from .conftest import CARD, KEYS, credit, wired

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=1)]


@pytest.fixture
def api(card_api: httpx.AsyncClient) -> httpx.AsyncClient:
    """Every test here runs in process and over a socket."""
    return card_api


@pytest.mark.parametrize("at", ["before", "applied", "headers", "body"])
async def test_stall_ends_when_released(
    api: httpx.AsyncClient, fake: FakeVoucherify, at: Any
) -> None:
    """A stalled request goes on once it is released, and later ones pass."""
    stall = fake.faults.stall(at=at, times=2)
    answers: list[httpx.Response] = []

    async def ask() -> None:
        answers.append(await credit(api))

    async with anyio.create_task_group() as group:
        group.start_soon(ask)
        with anyio.fail_after(5):
            while not stall.waiting:
                await anyio.lowlevel.checkpoint()
        assert len(fake.transactions("CARD")) == int(at != "before")
        assert answers == []
        stall.release()
    await ask()
    assert [answer.json()["balance"] for answer in answers] == [101, 102]
    assert stall.waiting == 0


@pytest.mark.parametrize("at", ["before", "body"])
async def test_stall_ends_with_the_connection(
    api: httpx.AsyncClient, fake: FakeVoucherify, at: Any
) -> None:
    """A client that gives up a stalled request frees the server of it."""
    stall = fake.faults.stall(at=at)
    with pytest.raises(httpx.ReadTimeout):
        await api.get(CARD, timeout=httpx.Timeout(None, read=0.01))
    with anyio.fail_after(5):
        while stall.waiting:
            await anyio.lowlevel.checkpoint()
    assert (await api.get(CARD)).status_code == 200


async def test_cancelled_stall_leaves_nothing(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """A cancelled request is gone from the server, too."""
    stall = fake.faults.stall()
    async with anyio.create_task_group() as group:
        group.start_soon(api.get, CARD)
        with anyio.fail_after(5):
            while not stall.waiting:
                await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    with anyio.fail_after(5):
        while stall.waiting:
            await anyio.lowlevel.checkpoint()


async def test_clearing_frees_the_stalled(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """Clearing the script lets the requests go that a stall holds."""
    stall = fake.faults.stall()
    async with anyio.create_task_group() as group:
        group.start_soon(api.get, CARD)
        with anyio.fail_after(5):
            while not stall.waiting:
                await anyio.lowlevel.checkpoint()
        fake.faults.clear()


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("connect", httpx.ConnectTimeout),
        ("read", httpx.ReadTimeout),
        ("write", httpx.WriteTimeout),
    ],
)
async def test_timeout_without_waiting(
    fake: FakeVoucherify, kind: Any, error: type[Exception]
) -> None:
    """In process a timeout is raised at once, the request applied or not."""
    fake.add_voucher(code="CARD", gift={"amount": 100})
    async with fake, wired(fake, "in process") as api:
        fake.faults.timeout(kind)
        fake.faults.timeout(kind, applied=True)
        for applied in (0, 1):
            with pytest.raises(error):
                await credit(api)
            assert len(fake.transactions("CARD")) == applied


async def test_timeout_over_a_socket(fake: FakeVoucherify) -> None:
    """Over a socket the answer never comes, and the client's clock decides."""
    fake.faults.timeout()
    async with wired(fake, "loopback") as api:
        with pytest.raises(httpx.ReadTimeout):
            await api.get(CARD, timeout=httpx.Timeout(None, read=0.01))


async def test_server_stops_under_a_stall(fake: FakeVoucherify) -> None:
    """A server that stops breaks off the requests that it holds."""
    stall = fake.faults.stall()
    with pytest.RaisesGroup(httpx.TransportError):
        async with httpx.AsyncClient(headers=KEYS) as api, anyio.create_task_group() as group:
            with fake.serve() as url:
                group.start_soon(api.get, f"{url}{CARD}")
                with anyio.fail_after(5):
                    while not stall.waiting:
                        await anyio.lowlevel.checkpoint()
    assert stall.waiting == 0
