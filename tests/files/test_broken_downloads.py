from __future__ import annotations

import gc
import gzip
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from voucherify_async import (
    APIError,
    AsyncVoucherify,
    Export,
    InvalidArgumentError,
    ProtocolError,
    ResponseValidationError,
    RetryPolicy,
    TransportError,
)

from ..bulk.conftest import names_in
from .conftest import Connect
from .scripted import Scripted, answer, header

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=2)]

FILE = b"ID,Amount\n" + b"".join(b"vtx_%d,%d\n" % (n, n) for n in range(100))
OTHER = b"ID,Amount\nnew_1,1\n"
SIZE, HALF = len(FILE), len(FILE) // 2
A, B = 'ETag: "a"', 'ETag: "b"'
REST = f"Content-Range: bytes {HALF}-{SIZE - 1}/{SIZE}"
CUT = answer("200 OK", A, body=FILE[:HALF], length=SIZE)
WHOLE = answer("200 OK", A, body=FILE)


def chunked(*pieces: bytes, end: bool = True) -> bytes:
    """A body in chunks, with or without the one that ends it."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return body + (b"0\r\n\r\n" if end else b"")


def part(*headers: str, body: bytes = FILE[HALF:]) -> bytes:
    """A 206."""
    return answer("206 Partial Content", *headers, body=body)


GOOD: dict[str, Sequence[bytes]] = {
    "the rest": [CUT, part(A, REST)],
    "the rest of a file with a date": [
        answer("200 OK", A, "Last-Modified: x", body=FILE[:HALF], length=SIZE),
        part(A, REST, "Last-Modified: x"),
    ],
    "the rest in two parts": [
        CUT,
        part(A, f"Content-Range: bytes {HALF}-{HALF + 9}/{SIZE}", body=FILE[HALF : HALF + 10]),
        part(A, f"Content-Range: bytes {HALF + 10}-{SIZE - 1}/{SIZE}", body=FILE[HALF + 10 :]),
    ],
    "the rest after cut chunks": [
        answer("200 OK", A, "Transfer-Encoding: chunked", length=None)
        + chunked(FILE[:HALF], end=False),
        part(A, REST),
    ],
    "the file anew": [CUT, WHOLE],
    "proven by a refusal": [
        answer("200 OK", A, body=FILE, length=None),
        answer("416 Range Not Satisfiable", f"Content-Range: bytes */{SIZE}"),
    ],
    "cut, as the rest proves": [
        answer("200 OK", A, body=FILE[:HALF], length=None),
        part(A, REST),
    ],
}


@pytest.mark.parametrize("script", GOOD.values(), ids=list(GOOD))
async def test_download_goes_on(connect: Connect, tmp_path: Path, script: Sequence[bytes]) -> None:
    """A part that belongs to the file completes it; nothing else is asked for."""
    with Scripted(script).running() as server:
        async with connect(server.origin) as client:
            path = await client.exports.download(server.export(), tmp_path / "out.csv")
            rows = (
                [row.id async for row in client.exports.rows(server.export())]
                if (script[-1] is not WHOLE)
                else None
            )
    assert path.read_bytes() == FILE
    assert rows is None or len(rows) == 100
    ranges = server.ranges[: len(script)]
    assert ranges[0] is None
    assert all(asked is not None for asked in ranges[1:])
    assert header(server.requests[1], "if-range") == '"a"'


LIES: dict[str, bytes] = {
    "an earlier place": part(
        A, f"Content-Range: bytes {HALF - 5}-{SIZE - 1}/{SIZE}", body=FILE[HALF - 5 :]
    ),
    "a later place": part(
        A, f"Content-Range: bytes {HALF + 5}-{SIZE - 1}/{SIZE}", body=FILE[HALF + 5 :]
    ),
    "a far place": part(A, f"Content-Range: bytes {10**12}-{10**12 + 9}/{10**13}"),
    "no place": part(A),
    "several places": part(A, REST, "Content-Range: bytes 0-1/2"),
    "another file": part(B, REST),
    "no tag": part(REST),
    "a weak tag": part('ETag: W/"a"', REST),
    "another date": part(A, REST, "Last-Modified: y"),
    "another size": part(A, f"Content-Range: bytes {HALF}-{SIZE}/{SIZE + 1}", body=FILE[HALF:]),
    "a smaller size": part(A, f"Content-Range: bytes {HALF}-{HALF}/{HALF + 1}", body=b"x"),
    "no size": part(A, f"Content-Range: bytes {HALF}-{SIZE - 1}/*"),
    "a place backwards": part(A, f"Content-Range: bytes {HALF}-{HALF - 1}/{SIZE}", body=b""),
    "a place behind the end": part(
        A, f"Content-Range: bytes {HALF}-{SIZE}/{SIZE}", body=FILE[HALF:] + b"x"
    ),
    "more than said": answer(
        "206 Partial Content", A, REST, "Transfer-Encoding: chunked", length=None
    )
    + chunked(FILE[HALF:], b"x"),
    "another length": answer("206 Partial Content", A, REST, body=FILE[HALF:] + b"x"),
    "packed": part(A, REST, "Content-Encoding: gzip", body=gzip.compress(FILE[HALF:])),
    "a refusal with another size": answer("416 Nope", f"Content-Range: bytes */{SIZE + 9}"),
    "a refusal with the size so far": answer("416 Nope", f"Content-Range: bytes */{HALF}"),
    "nothing": answer("204 No Content", length=None),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=list(LIES))
async def test_part_that_does_not_belong_is_not_believed(
    connect: Connect, tmp_path: Path, lie: bytes
) -> None:
    """After a part of another place or file the download begins anew, and is whole."""
    script = [CUT, lie, answer("200 OK", B, body=OTHER)]
    with Scripted(script).running() as server:
        async with connect(server.origin) as client:
            path = await client.exports.download(server.export(), tmp_path / "out.csv")
            assert path.read_bytes() == OTHER
            assert server.ranges == [None, f"bytes={HALF}-", None] or (
                # What could be the rest of the same file, had it not broken off, is asked for once.
                server.ranges[-1] == f"bytes={HALF}-"
            )
            with pytest.raises(ProtocolError, match="begin again"):
                [row async for row in client.exports.rows(server.export())]


SHORT: dict[str, Sequence[bytes]] = {
    "fewer bytes than the place says": [
        CUT,
        answer("206 Partial Content", A, REST, "Transfer-Encoding: chunked", length=None)
        + chunked(FILE[HALF : HALF + 9]),
    ],
    "a refusal with another size": [
        answer("200 OK", A, body=FILE[:HALF], length=None),
        answer("416 Range Not Satisfiable", f"Content-Range: bytes */{SIZE}"),
    ],
    "a refusal of another file": [
        answer("200 OK", A, body=FILE[:HALF], length=None),
        answer("416 Range Not Satisfiable", B, f"Content-Range: bytes */{HALF}"),
    ],
    "a part that nobody asked for": [
        part(f"Content-Range: bytes 0-{HALF - 1}/{HALF}", body=FILE[:HALF])
    ],
}


@pytest.mark.parametrize("script", SHORT.values(), ids=list(SHORT))
async def test_part_is_not_taken_for_the_whole(
    connect: Connect, tmp_path: Path, script: Sequence[bytes]
) -> None:
    """A part that looks like the end of the file is not, and the download goes on."""
    with Scripted([*script, answer("200 OK", B, body=OTHER)]).running() as server:
        async with connect(server.origin) as client:
            path = await client.exports.download(server.export(), tmp_path / "out.csv")
    assert path.read_bytes() == OTHER
    assert len(server.requests) == len(script) + 1


async def test_packed_file_is_unpacked(connect: Connect, tmp_path: Path) -> None:
    """A server that packs though asked not to is read; its length is not that of the file."""
    script = [answer("200 OK", A, "Content-Encoding: gzip", body=gzip.compress(FILE))]
    with Scripted(script).running() as server:
        async with connect(server.origin) as client:
            path = await client.exports.download(server.export(), tmp_path / "out.csv")
    assert path.read_bytes() == FILE
    assert header(server.requests[0], "accept-encoding") == "identity"


UNPROVEN = answer("200 OK", body=FILE, length=None)


@pytest.mark.parametrize("encrypted", [True, False])
async def test_end_that_nothing_proves_is_an_error(
    connect: Connect,
    http_backend: Any,
    tmp_path: Path,
    encrypted: bool,
    request: pytest.FixtureRequest,
) -> None:
    """A body without a length that ends with the connection is never taken as whole."""
    context: ssl.SSLContext | None = request.getfixturevalue("tls") if encrypted else None
    with Scripted([UNPROVEN], context).running() as server:
        async with connect(server.origin) as client:
            with pytest.raises(TransportError):
                await client.exports.download(server.export(), tmp_path / "out.csv")
            with pytest.raises(TransportError):
                [row async for row in client.exports.rows(server.export())]
            with pytest.raises(TransportError):
                async with client.exports.open(server.export()) as content:
                    assert b"".join([some async for some in content]) == FILE
    # To Rust's TLS a connection that ends without saying so is one that broke off.
    if not (encrypted and http_backend == "pyreqwest"):
        assert len(server.requests) == 3, "asking again would prove nothing"
    assert names_in(tmp_path) == []


async def test_chunks_prove_the_end(connect: Connect, tmp_path: Path, tls: ssl.SSLContext) -> None:
    """A body whose chunks came to their end is whole, however the connection was closed."""
    script = [answer("200 OK", "Transfer-Encoding: chunked", length=None) + chunked(FILE)]
    with Scripted(script, tls).running() as server:
        async with connect(server.origin) as client:
            path = await client.exports.download(server.export(), tmp_path / "out.csv")
            async with client.exports.open(server.export()) as content:
                assert b"".join([some async for some in content]) == FILE
    assert path.read_bytes() == FILE


@pytest.mark.parametrize(
    "script",
    [[CUT, LIES["another file"]], [CUT], [CUT, LIES["no place"], CUT]],
    ids=["lies", "cuts", "both"],
)
async def test_server_that_never_gets_further_is_given_up(
    connect: Connect, tmp_path: Path, script: Sequence[bytes]
) -> None:
    """Beginning anew is no headway: a file that never gets whole is not asked for without end."""
    with Scripted(script).running() as server:
        async with connect(server.origin) as client:
            with pytest.raises(TransportError):
                await client.exports.download(server.export(), tmp_path / "out.csv")
    assert len(server.requests) <= RetryPolicy().max_attempts + 1
    assert names_in(tmp_path) == []


async def test_deadline_ends_the_attempts(connect: Connect, tmp_path: Path) -> None:
    """A policy's deadline bounds the repeated attempts of a download, too."""
    policy = RetryPolicy(deadline=1, backoff=3, max_attempts=99, random=lambda: 1.0)
    with Scripted([CUT, LIES["no place"]]).running() as server:
        async with connect(server.origin, retry=policy) as client:
            with pytest.raises(TransportError):
                await client.exports.download(server.export(), tmp_path / "out.csv")
    assert len(server.requests) == 1


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "Application/JSON"])
async def test_page_in_place_of_a_file_is_refused(
    connect: Connect, tmp_path: Path, kind: str
) -> None:
    """A gateway's login page with status 200 is not a file, and is not asked for again."""
    script = [answer("200 OK", f"Content-Type: {kind}", body=b"<html>sign in</html>")]
    with Scripted(script).running() as server:
        async with connect(server.origin) as client:
            with pytest.raises(ResponseValidationError, match="expected a CSV file"):
                await client.exports.download(server.export(), tmp_path / "out.csv")
    assert len(server.requests) == 1


async def test_refused_rest_ends_the_download(connect: Connect, tmp_path: Path) -> None:
    """A token that has ended meanwhile is told as what it is, and leaves nothing."""
    with Scripted([CUT, answer("403 Forbidden", body=b"{}")]).running() as server:
        async with connect(server.origin) as client:
            with pytest.raises(APIError) as caught:
                await client.exports.download(server.export(), tmp_path / "out.csv")
    assert caught.value.status_code == 403
    assert names_in(tmp_path) == []


async def test_other_hosts_get_nothing_of_ours(connect: Connect, tmp_path: Path) -> None:
    """Keys and the client's own headers go to the API's origin, and to no other host."""
    headers = {"X-Gateway-Key": "the-gateway-key"}
    with Scripted([WHOLE]).running() as own, Scripted([WHOLE]).running() as other:
        async with connect(own.origin, headers=headers) as client:
            await client.exports.download(own.export(), tmp_path / "own.csv")
            await client.exports.download(other.export(), tmp_path / "other.csv")
    (signed,), (bare,) = own.requests, other.requests
    assert header(signed, "x-gateway-key") == "the-gateway-key"
    assert header(signed, "x-app-token") == "the-token"
    for secret in ("gateway", "the-id", "the-token", "x-app", "authorization", "cookie"):
        assert secret not in bare.lower()


@pytest.mark.parametrize("way", ["open", "rows", "cancelled rows"])
async def test_leaving_early_leaves_nothing_open(
    connect: Connect, way: str, tls: ssl.SSLContext
) -> None:
    """Who leaves a download in the middle leaves no generator behind, of which trio would warn."""
    body = FILE * 3_000
    script = [answer("200 OK", "Transfer-Encoding: chunked", length=None) + chunked(body[:200_000])]
    with Scripted(script, tls).running() as server:
        async with connect(server.origin) as client:
            await _leave(client, server, way)
    gc.collect()


async def _leave(client: AsyncVoucherify, server: Scripted, way: str) -> None:
    if way == "open":
        async with client.exports.open(server.export()) as content:
            async for _ in content:
                break
        return
    rows = client.exports.rows(server.export())
    async for _ in rows:
        break
    if way == "rows":
        await rows.aclose()


async def test_done_export_without_a_file_is_an_error(connect: Connect, tmp_path: Path) -> None:
    """An export that is done and names no file is told as such, and nothing is sent."""
    with Scripted([WHOLE]).running() as server:
        async with connect(server.origin) as client:
            with pytest.raises(ResponseValidationError, match=r"\$\.result\.url"):
                await client.exports.download(Export(id="e", status="DONE"), tmp_path / "out.csv")
            with pytest.raises(InvalidArgumentError, match="wait for it"):
                await client.exports.download(Export(id="e", status="X"), tmp_path / "out.csv")
            with pytest.raises(InvalidArgumentError, match="cannot be the name of a file"):
                await client.exports.download(server.export(), f"{tmp_path}/a\ud800")
    assert server.requests == []


async def test_escaped_download_goes_on_and_begins_anew(connect: Connect, tmp_path: Path) -> None:
    """The escape of formulas holds across a break, and begins anew with the file."""
    file = FILE.replace(b"vtx_", b"=vtx_")
    cut = answer("200 OK", A, body=file[: HALF + 3], length=len(file))
    rest = f"Content-Range: bytes {HALF + 3}-{len(file) - 1}/{len(file)}"
    for script in (
        [cut, part(A, rest, body=file[HALF + 3 :])],
        [cut, answer("200 OK", B, body=file)],
    ):
        with Scripted(script).running() as server:
            async with connect(server.origin) as client:
                to = tmp_path / "out.csv"
                await client.exports.download(server.export(), to, escape=True)
        assert to.read_bytes().replace(b"\r\n", b"\n") == file.replace(b"=vtx_", b"'=vtx_")
