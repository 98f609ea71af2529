"""Sockets and TLS under httpcore's connections.

asyncio has a stream of its own, trio goes by anyio; TLS is anyio's on both.
"""

from __future__ import annotations

import math
import ssl
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import anyio
import sniffio
from anyio.abc import ByteStream, SocketAttribute
from anyio.lowlevel import checkpoint_if_cancelled
from anyio.streams.tls import TLSAttribute, TLSStream

from .asyncio_stream import AsyncioStream, Encrypt, connect
from .passage import Passage, is_readable

if TYPE_CHECKING:
    from httpcore import AsyncNetworkBackend, AsyncNetworkStream
else:
    AsyncNetworkBackend = AsyncNetworkStream = object

_BROKEN: Final = (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)


class Wire(AsyncNetworkBackend):
    """Opens the one connection that it is made for.

    Args:
        passage: What watches the connection.
        errors: The module whose errors are raised.
    """

    def __init__(self, passage: Passage, errors: Any) -> None:
        self._passage = passage
        self._errors = errors
        self._socket: AsyncioStream | _WatchedSocket | None = None
        self._stream: AsyncNetworkStream | None = None

    async def aclose(self) -> None:
        """Close the connection, if it was opened."""
        if self._stream is not None:
            await self._stream.aclose()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> AsyncNetworkStream:
        """Connect; the pool asks for no socket options."""
        self._passage.note_connecting()
        try:
            with self._limited(timeout):
                self._stream = await self._connected(host, port, local_address)
                return self._stream
        except (*_BROKEN, UnicodeError) as error:
            raise self._errors.ConnectError(_reasons(error)) from error
        raise self._errors.ConnectTimeout

    async def _connected(
        self, host: str, port: int, local_address: str | None
    ) -> AsyncNetworkStream:
        passage = self._passage
        if sniffio.current_async_library() == "asyncio":
            self._socket = await connect(
                lambda: AsyncioStream(passage, self._encrypt, self._errors),
                host,
                port,
                local_address,
            )
            return self._socket
        stream = await anyio.connect_tcp(host, port, local_host=local_address)
        self._socket = _WatchedSocket(passage, stream)
        return self._over(self._socket, self._socket.has_input)

    def _limited(self, timeout: float | None) -> anyio.CancelScope:
        return _limited(self._passage.bounded(timeout))

    def _over(self, stream: ByteStream, has_raw_input: Callable[[], bool]) -> _Stream:
        return _Stream(self._passage, stream, self._encrypt, has_raw_input, self._errors)

    async def _encrypt(
        self,
        stream: Any,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None,
        timeout: float | None,  # noqa: ASYNC109
    ) -> AsyncNetworkStream:
        below = stream.bytes if isinstance(stream, _Stream) else _Bytes(stream, self._errors)
        encrypted: ByteStream | None = None
        try:
            with self._limited(timeout):
                encrypted = await TLSStream.wrap(
                    below,
                    ssl_context=ssl_context,
                    hostname=server_hostname,
                    standard_compatible=False,
                    server_side=False,
                )
                self._passage.note_encrypted()
                has_input = self._socket.has_input if self._socket else bool
                self._stream = self._over(encrypted, has_input)
                return self._stream
        except (*_BROKEN, anyio.EndOfStream, UnicodeError) as error:
            raise self._errors.ConnectError(str(error)) from error
        finally:
            # Also for who was cancelled: nobody else knows of the connection yet.
            if encrypted is None:
                await anyio.aclose_forcefully(below)
        raise self._errors.ConnectTimeout


class _Stream(AsyncNetworkStream):
    """A connection over anyio's streams: of trio, or encrypted."""

    def __init__(
        self,
        passage: Passage,
        stream: ByteStream,
        encrypt: Encrypt,
        has_raw_input: Callable[[], bool],
        errors: Any,
    ) -> None:
        self._passage = passage
        self._errors = errors
        self.bytes = stream
        self._encrypt = encrypt
        self._has_raw_input = has_raw_input

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        self._passage.note_wait()
        try:
            with self._limited(timeout):
                # What has come already is read without a wait, and so also when the time is over.
                await checkpoint_if_cancelled()
                data = await self.bytes.receive(max_bytes)
                self._passage.note_read(len(data))
                return data
        except anyio.EndOfStream:
            return b""
        except _BROKEN as error:
            raise self._errors.ReadError(str(error)) from error
        raise self._errors.ReadTimeout

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        if not buffer:
            return
        if not self._passage.note_write():
            raise self._errors.WriteTimeout
        try:
            with self._limited(timeout):
                await self.bytes.send(buffer)
                return
        except _BROKEN as error:
            raise self._errors.WriteError(str(error)) from error
        raise self._errors.WriteTimeout

    def _limited(self, timeout: float | None) -> anyio.CancelScope:
        return _limited(self._passage.bounded(timeout))

    async def aclose(self) -> None:
        await self.bytes.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> AsyncNetworkStream:
        return await self._encrypt(self, ssl_context, server_hostname, timeout)

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return self._has_input()
        if info == "ssl_object":
            return self.bytes.extra(TLSAttribute.ssl_object, None)
        return {
            "socket": self.bytes.extra(SocketAttribute.raw_socket, None),
            "client_addr": self.bytes.extra(SocketAttribute.local_address, None),
            "server_addr": self.bytes.extra(SocketAttribute.remote_address, None),
        }.get(info)

    def _has_input(self) -> bool:
        """Whether anything came that was not read: on an idle connection, its end for one."""
        encrypted = self.bytes.extra(TLSAttribute.ssl_object, None)
        if encrypted is not None and _has_plaintext(encrypted):
            return True
        return self._has_raw_input()


class _WatchedSocket(ByteStream):
    """A socket of trio, which keeps no byte back: a sending that fails surely was not whole."""

    def __init__(self, passage: Passage, socket: ByteStream) -> None:
        self._passage = passage
        self._socket = socket

    def has_input(self) -> bool:
        """Whether anything came that was not read."""
        return is_readable(self._socket.extra(SocketAttribute.raw_socket).fileno())

    async def receive(self, max_bytes: int = 65536) -> bytes:
        return await self._socket.receive(max_bytes)

    async def send(self, item: bytes) -> None:
        try:
            await self._socket.send(item)
        except BaseException:
            self._passage.note_cut()
            raise

    async def send_eof(self) -> None:
        await self._socket.send_eof()

    async def aclose(self) -> None:
        await self._socket.aclose()

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        return self._socket.extra_attributes


class _Bytes(ByteStream):
    """asyncio's stream in anyio's shape, to speak TLS over."""

    def __init__(self, stream: AsyncioStream, errors: Any) -> None:
        self._stream = stream
        self._errors = errors

    async def receive(self, max_bytes: int = 65536) -> bytes:
        try:
            data = await self._stream.receive(max_bytes)
        except self._errors.ReadError as error:
            raise anyio.BrokenResourceError(str(error)) from None
        if not data:
            raise anyio.EndOfStream
        return data

    async def send(self, item: bytes) -> None:
        try:
            await self._stream.send(item)
        except self._errors.WriteError as error:
            raise anyio.BrokenResourceError(str(error)) from None

    async def send_eof(self) -> None:
        raise NotImplementedError

    async def aclose(self) -> None:
        await self._stream.aclose()

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        return {SocketAttribute.raw_socket: lambda: self._stream.get_extra_info("socket")}


def _has_plaintext(encrypted: ssl.SSLObject) -> bool:
    # Bytes of an answer too many, which TLS has taken from the socket and nobody has read.
    try:
        encrypted.read(1)
    except ssl.SSLWantReadError:
        return False
    except ssl.SSLError:
        return True
    return True


def _reasons(error: BaseException) -> str:
    """What anyio says, and why each address of the host failed, which it keeps in the cause."""
    causes = getattr(error.__cause__, "exceptions", (error.__cause__,))
    return ": ".join([str(error), *{str(cause): None for cause in causes if cause}])


def _limited(timeout: float | None) -> anyio.CancelScope:
    """A block that is left behind when the time is over; what follows it then raises."""
    return anyio.CancelScope(
        deadline=math.inf if timeout is None else anyio.current_time() + timeout
    )
