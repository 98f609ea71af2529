from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from anyio.lowlevel import checkpoint

from voucherify_async import (
    AsyncVoucherify,
    Export,
    ExportResult,
    InvalidArgumentError,
    ProtocolError,
    ResponseValidationError,
    RetryPolicy,
    TransportError,
    VoucherTransaction,
)
from voucherify_async.testing import FakeVoucherify

from .conftest import Skipping, names_in

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=1)]

ORIGIN = "https://api.voucherify.io"


@pytest.fixture
async def client(fake: FakeVoucherify, clock: Skipping) -> AsyncIterator[AsyncVoucherify]:
    """A client of a server with a gift card that has many transactions."""
    fake.add_voucher(code="CARD", gift={"amount": 100_000})
    async with fake:
        client = fake.client(clock=clock)
        for number in range(300):
            await client.vouchers.update_balance("CARD", number + 1, reason=f'no. {number}, "a"\nb')
        fake.clear_requests()
        yield client


def downloads(fake: FakeVoucherify) -> list[str | None]:
    """The range that each download asked for."""
    return [r.headers.get("range") for r in fake.requests if "token" in r.raw_query]


@pytest.mark.parametrize("fault", ["cut_body", "reset_after_headers", "disconnect"])
async def test_broken_download_goes_on(
    fake: FakeVoucherify, client: AsyncVoucherify, tmp_path: Path, fault: str
) -> None:
    """A download that broke off goes on from there, and the file is whole."""
    job = await client.transactions.export("CARD")
    whole = (await job.download(tmp_path / "whole.csv")).read_bytes()
    assert whole.count(b"no. ") == 300
    fake.clear_requests()
    getattr(fake.faults, fault)(path="/v1/exports/", after=1, times=2)
    assert (await job.download(tmp_path / "again.csv")).read_bytes() == whole
    ranges = downloads(fake)
    assert len(ranges) == 3
    if fault == "cut_body":
        assert ranges[1] == f"bytes={len(whole) // 2}-"
    assert names_in(tmp_path) == ["again.csv", "whole.csv"]


async def test_download_that_always_breaks_is_given_up(
    fake: FakeVoucherify, client: AsyncVoucherify, tmp_path: Path
) -> None:
    """A download that makes no headway any more raises and leaves no file."""
    job = await client.transactions.export("CARD")
    fake.faults.reset_after_headers(path="/v1/exports/", after=3, times=None)
    with pytest.raises(TransportError):
        await job.download(tmp_path / "out.csv")
    assert len(downloads(fake)) == RetryPolicy().max_attempts
    assert not names_in(tmp_path)


class Changing:
    """A server whose file breaks off at first, and is another one then."""

    def __init__(self, tags: list[str | None], *, resumable: bool = True) -> None:
        self.requests: list[httpx.Request] = []
        self._tags = tags
        self._resumable = resumable

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Half of the first file, then the second one or its rest."""
        number = len(self.requests)
        self.requests.append(request)
        tag = self._tags[number]
        headers = {} if tag is None else {"ETag": tag}
        body = HEAD + b"".join(b"vtx_%d,5\n" % n for n in range(20))
        if number == 0:
            return httpx.Response(
                200, headers={**headers, "Content-Length": str(len(body))}, stream=Half(body)
            )
        asked = request.headers.get("range")
        if asked and self._resumable and request.headers.get("if-range") == tag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            place = f"bytes {start}-{len(body) - 1}/{len(body)}"
            return httpx.Response(
                206, headers={**headers, "Content-Range": place}, content=body[start:]
            )
        return httpx.Response(200, headers=headers, content=body)


HEAD = b"ID,Amount\n"


class Half(httpx.AsyncByteStream):
    """The first half of a body, and then a broken connection."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body[: len(self._body) // 2]
        raise httpx.ReadError("gone")


def exported(kind: str = "voucher_transactions") -> Export:
    """An export that has ended."""
    result = ExportResult(url=f"{ORIGIN}/v1/exports/exp_1?token=t")
    return Export(id="exp_1", status="DONE", exported_object=kind, result=result)


def client_of(server: Any, clock: Skipping) -> AsyncVoucherify:
    """A client of such a server."""
    http_client = httpx.AsyncClient(transport=httpx.MockTransport(server))
    return AsyncVoucherify("id", "token", http_client=http_client, clock=clock, base_url=ORIGIN)


@pytest.mark.parametrize(
    ("tags", "asks", "rows"),
    [
        (['"a"', '"a"'], "bytes=", "whole"),
        (['"a"', '"b"'], "bytes=", "error"),
        ([None, None], None, "error"),
        (['W/"a"', 'W/"a"'], None, "error"),
    ],
)
async def test_file_that_may_have_changed_begins_anew(
    clock: Skipping, tmp_path: Path, tags: list[str | None], asks: str | None, rows: str
) -> None:
    """Only the very same file is read on; another one begins anew, and rows already out raise."""
    server = Changing(tags)
    async with client_of(server, clock) as client:
        path = await client.exports.download(exported(), tmp_path / "out.csv")
        assert path.read_bytes().count(b"vtx_") == 20
        assert path.read_bytes().startswith(HEAD)
        asked = server.requests[1].headers.get("range")
        assert (asked or "").startswith(asks or "")
        assert (asked is None) == (asks is None)
        listing = client_of(Changing(tags), clock).exports.rows(exported())
        if rows == "whole":
            assert len([row async for row in listing]) == 20
        else:
            with pytest.raises(ProtocolError, match="begin again"):
                [row async for row in listing]


async def test_rows_are_the_transactions(fake: FakeVoucherify, client: AsyncVoucherify) -> None:
    """The rows of an export are the transactions that the API lists, details and all."""
    job = await client.transactions.export(
        "CARD",
        order="created_at",
        fields=["id", "reason", "source_id", "created_at", "details"],
    )
    rows = [row async for row in job.rows()]
    listed = await client.transactions.list("CARD", order="id").collect()
    assert len(rows) == len(listed) == 300
    assert [(r.id, r.reason, r.source_id, r.created_at) for r in rows] == [
        (t.id, t.reason, t.source_id, t.created_at) for t in listed
    ]
    assert rows[7].details is not None
    assert rows[7].details == listed[7].details


async def test_columns_alone_make_a_balance(client: AsyncVoucherify) -> None:
    """Without the details, the balance is made of its own columns; unknown columns are kept."""
    job = await client.transactions.export("CARD", fields=["id", "type", "balance", "amount"])
    rows = [row async for row in job.rows()]
    first = next(row for row in rows if row.details and row.details.balance)
    assert first.details is not None
    assert first.details.balance is not None
    assert isinstance(first.details.balance.amount, int)
    assert first.source_id is None

    def serve(_: httpx.Request) -> httpx.Response:
        text = "ID,Type,Amount,Mood\nvtx_1,POINTS_ADDITION,7,fine\n"
        return httpx.Response(200, content=text.encode())

    async with client_of(serve, Skipping()) as other:
        (row,) = [row async for row in other.exports.rows(exported())]
    assert row.details is not None
    assert row.details.balance is not None
    assert (row.details.balance.points, row.extra) == (7, {"mood": "fine"})


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("ID,Amount\nvtx_1,x\n", r"\$\[0\]\.amount"),
        ("ID,Amount\nvtx_1,1\nvtx_2\n", r"\$\[1\]"),
        ("ID,Details\nvtx_1,{\n", r"\$\[0\]\.details"),
    ],
)
async def test_rows_that_cannot_be_read(clock: Skipping, text: str, path: str) -> None:
    """A cell that is not what its column takes raises with the row and the column."""
    async with client_of(lambda _: httpx.Response(200, content=text.encode()), clock) as client:
        with pytest.raises(ResponseValidationError, match=path):
            [row async for row in client.exports.rows(exported())]


async def test_rows_of_something_else_are_refused(clock: Skipping) -> None:
    """Only exports of transactions have typed rows."""
    async with client_of(lambda _: httpx.Response(200), clock) as client:
        with pytest.raises(InvalidArgumentError, match="rows of voucher"):
            [row async for row in client.exports.rows(exported("voucher"))]


class Slow(httpx.AsyncByteStream):
    """Rows without end."""

    def __init__(self) -> None:
        self.given = 0
        self.is_closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        """The header, then row after row."""
        await checkpoint()
        self.given += 1
        return HEAD if self.given == 1 else b"vtx_%d,5\n" % self.given

    async def aclose(self) -> None:
        """Note that the client is done with it."""
        self.is_closed = True


@pytest.mark.parametrize("way", ["break", "aclose", "cancel"])
async def test_rows_are_read_as_they_are_needed(clock: Skipping, way: str) -> None:
    """Rows are read but a little ahead of the caller, and leaving early ends the download."""
    body = Slow()
    seen: list[VoucherTransaction] = []
    client = client_of(lambda _: httpx.Response(200, stream=body), clock)

    async def read() -> None:
        rows = client.exports.rows(exported())
        if way == "aclose":
            async with aclosing(rows):
                async for row in rows:
                    seen.append(row)
                    if len(seen) == 10:
                        return
        async for row in rows:
            seen.append(row)
            if len(seen) == 10 and way == "break":
                break

    if way == "cancel":
        with anyio.move_on_after(0.05):
            await read()
    else:
        await read()
    for _ in range(20):
        await checkpoint()
    given = body.given
    for _ in range(20):
        await checkpoint()
    assert body.given == given <= len(seen) + 5
    assert body.is_closed
