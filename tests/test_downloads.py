"""Export files: streamed, whole or not at all, and signed only where the keys belong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

import voucherify_async as v
from voucherify_async import AsyncVoucherify, InvalidArgumentError
from voucherify_async._files.addresses import is_trusted
from voucherify_async.testing import FakeVoucherify

from .resources.support import KEYS, Wire, until

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=2)]

API = "https://api.voucherify.io"
CHUNKED = {"Transfer-Encoding": "chunked"}
PIECES = [b"Code,Value\n", b"A,1\n", b"B,2\n"]


def names_in(folder: Path) -> list[str]:
    """The names of the files in a folder."""
    return sorted(path.name for path in folder.iterdir())


def export(url: str | None) -> v.Export:
    """An export whose file is there."""
    return v.Export(id="exp_1", status="DONE", result=v.ExportResult(url=url))


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://api.voucherify.io/v1/exports/e?token=t", API),
        ("https://API.Voucherify.IO/f", API),
        ("HTTPS://api.voucherify.io/f", API),
        ("https://api.voucherify.io:443/f", API),
        ("https://download.voucherify.io/f", API),
        ("https://Download.voucherify.io:443/f", API),
        ("https://download.voucherify.io/f", f"{API}/prefix"),
        ("https://us1.download.voucherify.io/f", "https://us1.api.voucherify.io"),
        ("https://us1.api.voucherify.io/f", "https://us1.api.voucherify.io"),
        ("https://acme.voucherify.io/f", "https://acme.voucherify.io"),
        ("http://127.0.0.1:8000/f", "http://127.0.0.1:8000"),
        ("http://127.0.0.1/f", "http://127.0.0.1:80"),
        ("https://voucherify.example/f", "https://voucherify.example"),
    ],
)
def test_own_hosts_are_trusted(url: str, base: str) -> None:
    """The keys go to the client's own origin and to the download host of its cluster."""
    assert is_trusted(url, base)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://api.voucherify.io/f", API),
        ("http://download.voucherify.io/f", API),
        ("https://api.voucherify.io:8443/f", API),
        ("https://api.voucherify.io:0/f", API),
        ("https://api.voucherify.io:abc/f", API),
        ("https://download.voucherify.io:8443/f", API),
        ("https://us1.download.voucherify.io/f", API),
        ("https://download.voucherify.io/f", "https://us1.api.voucherify.io"),
        ("https://us1.api.voucherify.io/f", API),
        ("https://evil.voucherify.io/f", API),
        ("https://api.voucherify.io.evil.test/f", API),
        ("https://download.voucherify.io.evil.test/f", API),
        ("https://evil-voucherify.io/f", API),
        ("https://download.evil-voucherify.io/f", "https://api.evil-voucherify.io"),
        ("https://xdownload.voucherify.io/f", API),
        ("https://download.voucherify.io@evil.test/f", API),
        ("https://download.voucherify.io:pw@evil.test/f", API),
        ("https://evil.test/download.voucherify.io", API),
        ("https://evil.test#@download.voucherify.io/", API),
        ("https://evil.test?@download.voucherify.io/", API),
        ("https://evil.test/\\@download.voucherify.io/", API),
        ("https://download.voucherify.io./f", API),
        ("https://d\u043ewnload.voucherify.io/f", API),
        ("https://[download.voucherify.io/f", API),
        ("//api.voucherify.io/f", API),
        ("file:///etc/passwd", API),
        ("", API),
        ("https://download.voucherify.example/f", "https://api.voucherify.example"),
        ("http://127.0.0.1:8001/f", "http://127.0.0.1:8000"),
        ("https://127.0.0.1:8000/f", "http://127.0.0.1:8000"),
        ("http://localhost:8000/f", "http://127.0.0.1:8000"),
    ],
)
def test_other_hosts_are_not(url: str, base: str) -> None:
    """No other scheme, host or port gets the keys, however much its URL looks like ours."""
    assert not is_trusted(url, base)


@pytest.mark.parametrize(
    ("url", "signed"),
    [
        (f"{API}/f?token=t", True),
        ("https://download.voucherify.io/f?token=t", True),
        ("https://evil.test/f?token=t", False),
        ("http://download.voucherify.io/f?token=t", False),
        ("https://us1.download.voucherify.io/f?token=t", False),
    ],
)
@pytest.mark.parametrize("auth", [v.ApiKeyAuth("id", "the-token"), v.BearerAuth("the-token")])
async def test_keys_stay_with_their_cluster(
    url: str, signed: bool, auth: v.Auth, tmp_path: Path
) -> None:
    """A download is signed on the cluster's own hosts, and carries no key anywhere else."""
    wire = Wire(httpx.Response(200, content=b"Code\n"))
    to = tmp_path / "codes.csv"
    assert await wire.client(auth=auth).exports.download(export(url), to) == to
    assert to.read_bytes() == b"Code\n"
    (request,) = wire.requests
    assert str(request.url) == url
    assert ("the-token" in str(request.headers.raw)) == signed
    assert request.headers["Accept"].startswith("text/csv")
    assert request.headers["User-Agent"].startswith("voucherify-async/")


async def test_redirect_to_another_host_is_refused(tmp_path: Path) -> None:
    """A download that is sent elsewhere is refused, also with a client that follows redirects."""
    wire = Wire(httpx.Response(302, headers={"Location": "https://evil.test/"}))
    client = wire.client(http_client=wire.http_client(follow_redirects=True))
    with pytest.raises(v.APIError, match="302"):
        await client.exports.download(export(f"{API}/f"), tmp_path / "codes.csv")
    assert len(wire.requests) == 1
    assert names_in(tmp_path) == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x.test/f",
        "file:///etc/passwd",
        "/v1/exports/e",
        "https://",
        "https://x.test:abc/",
        "https://x.test:0/",
        "https://[x.test/",
        "https://x.test/\r\nX: y",
        "https://x.test/a b",
        "https://x.test\\@api.voucherify.io/",
        "https://api.voucherify.io@x.test/",
        "https://app:token@x.test/",
    ],
)
async def test_addresses_that_are_none(url: str) -> None:
    """An export whose address is not an http(s) URL is refused, and the address is not shown."""
    wire = Wire()
    with pytest.raises(InvalidArgumentError, match="export") as caught:
        async with wire.client().exports.open(export(url)):
            pass
    assert wire.requests == []
    assert "x.test" not in str(caught.value)


async def test_download_by_id(tmp_path: Path) -> None:
    """With an id the export is looked up first."""
    found = {"id": "exp_1", "status": "DONE", "result": {"url": f"{API}/f"}}
    wire = Wire(found, httpx.Response(200, content=b"Code\n"))
    path = await wire.client().exports.download("exp_1", str(tmp_path / "codes.csv"))
    assert path.read_bytes() == b"Code\n"
    assert wire.targets == ["/v1/exports/exp_1", "/f"]
    wire = Wire(found, httpx.Response(200, content=b"Code\n"))
    async with wire.client().exports.open("exp_1") as chunks:
        assert b"".join([chunk async for chunk in chunks]) == b"Code\n"


class Pieces(httpx.AsyncByteStream):
    """A body in pieces, which counts how many were asked for and may break off."""

    def __init__(self, error: Exception | None = None) -> None:
        self.given = 0
        self.closed = False
        self._error = error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in PIECES:
            self.given += 1
            yield piece
        if self._error is not None:
            raise self._error

    async def aclose(self) -> None:
        """Note that it was closed."""
        self.closed = True


def streaming(pieces: Pieces) -> AsyncVoucherify:
    """A client whose every answer has that body."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=CHUNKED, stream=pieces))
    return AsyncVoucherify(**KEYS, http_client=httpx.AsyncClient(transport=transport), retry=None)


async def test_file_comes_in_pieces() -> None:
    """A download is handed on piece by piece, never as a whole."""
    pieces = Pieces()
    async with streaming(pieces).exports.open(export(f"{API}/f")) as chunks:
        seen = []
        async for chunk in chunks:
            seen.append((chunk, pieces.given))
    assert seen == [(piece, i + 1) for i, piece in enumerate(PIECES)]
    assert pieces.closed


async def test_calls_go_on_beside_a_download(http_backend: Any, fake: FakeVoucherify) -> None:
    """A file that is being worked on takes no place from calls, even where there is only one."""
    with fake.serve() as url:
        async with AsyncVoucherify(
            "id", "token", base_url=url, max_concurrency=1, http_backend=http_backend
        ) as client:
            job = await client.exports.create({"exported_object": "voucher"})
            await job.wait()
            with anyio.fail_after(10):
                async with client.exports.open(job.id) as chunks:
                    async for _ in chunks:
                        assert await client.vouchers.list()
    assert "/v1/vouchers" in [request.path for request in fake.requests]


async def test_leaving_a_download_closes_it() -> None:
    """Who leaves a stream early closes it, and its place is free for the next request."""
    pieces = Pieces()
    client = streaming(pieces)
    for _ in range(30):
        async with client.exports.open(export(f"{API}/f")) as chunks:
            await anext(chunks)
    assert pieces.closed


@pytest.mark.parametrize(
    ("raised", "error"),
    [(httpx.ReadError("gone"), v.ReadError), (httpx.RemoteProtocolError("cut"), v.ProtocolError)],
)
async def test_nothing_is_left_of_a_broken_download(
    raised: Exception, error: type[Exception], tmp_path: Path
) -> None:
    """A download that breaks off leaves nothing, and the file that was there as it was."""
    to = tmp_path / "codes.csv"
    to.write_bytes(b"before")
    with pytest.raises(error):
        await streaming(Pieces(raised)).exports.download(export(f"{API}/f"), to)
    assert names_in(tmp_path) == ["codes.csv"]
    assert to.read_bytes() == b"before"


async def test_target_that_cannot_be_written(tmp_path: Path) -> None:
    """A target that cannot be written is the caller's OSError, and leaves nothing."""
    (tmp_path / "taken").mkdir()
    client = streaming(Pieces())
    with pytest.raises(OSError, match="taken"):
        await client.exports.download(export(f"{API}/f"), tmp_path / "taken")
    with pytest.raises(FileNotFoundError):
        await client.exports.download(export(f"{API}/f"), tmp_path / "no" / "codes.csv")
    assert names_in(tmp_path) == ["taken"]


@pytest.fixture
def fake() -> FakeVoucherify:
    """A server with a voucher and exports that are there at once."""
    fake = FakeVoucherify()
    fake.polls_until_done = 0
    fake.add_vouchers({"code": f"A{i}"} for i in range(2_000))
    return fake


@pytest.mark.parametrize("fault", ["cut_body", "reset_after_headers"])
async def test_cut_off_over_a_socket(
    http_backend: Any, fake: FakeVoucherify, fault: str, tmp_path: Path
) -> None:
    """A file that is cut off on the wire is an error, never a short file."""
    with fake.serve() as url:
        async with AsyncVoucherify(
            **KEYS, base_url=url, retry=None, http_backend=http_backend
        ) as client:
            job = await client.exports.create({"exported_object": "voucher"})
            getattr(fake.faults, fault)(path=f"/v1/exports/{job.id}", after=1)
            with pytest.raises(v.TransportError):
                await job.download(tmp_path / "codes.csv")
            assert names_in(tmp_path) == []
            whole = await job.download(tmp_path / "codes.csv")
    assert len(whole.read_bytes().splitlines()) == 2_001


async def test_cancelled_download(http_backend: Any, fake: FakeVoucherify, tmp_path: Path) -> None:
    """A download that is cancelled leaves nothing behind, and the client goes on."""
    with fake.serve() as url:
        async with AsyncVoucherify(
            **KEYS, base_url=url, retry=None, http_backend=http_backend
        ) as client:
            job = await client.exports.create({"exported_object": "voucher"})
            export = await job.wait()
            fault = fake.faults.stall(at="body", path=f"/v1/exports/{job.id}")
            async with anyio.create_task_group() as group:
                group.start_soon(client.exports.download, export, tmp_path / "codes.csv")
                await until(lambda: fault.waiting == 1)
                group.cancel_scope.cancel()
            assert names_in(tmp_path) == []
            assert (await client.vouchers.get("A0")).code == "A0"
            fault.release()


async def test_second_server_sees_no_keys(
    http_backend: Any, fake: FakeVoucherify, tmp_path: Path
) -> None:
    """An export whose file lies on another port is fetched without the keys."""
    other = FakeVoucherify()
    with fake.serve() as url, other.serve() as elsewhere:
        async with AsyncVoucherify(
            **KEYS, base_url=url, retry=None, http_backend=http_backend
        ) as client:
            with pytest.raises(v.APIError):
                await client.exports.download(export(f"{elsewhere}/v1/x"), tmp_path / "codes.csv")
    (request,) = other.requests
    assert {"x-app-id", "x-app-token", "authorization"}.isdisjoint(request.headers.keys())
    assert names_in(tmp_path) == []


async def test_refused_download(tmp_path: Path) -> None:
    """A download that is refused raises as any other call does."""
    wire = Wire(httpx.Response(403, json={"message": "Expired", "key": "expired"}))
    with pytest.raises(v.PermissionDeniedError, match="Expired"):
        await wire.client().exports.download(export(f"{API}/f"), tmp_path / "codes.csv")
    assert names_in(tmp_path) == []


def test_address_of_a_file_is_not_shown() -> None:
    """The address of a file opens it, so that no repr shows it."""
    shown: Any = repr(export(f"{API}/f?token=secret"))
    assert "secret" not in shown
