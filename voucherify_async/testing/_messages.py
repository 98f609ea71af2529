"""What travels between the faces of the server (ASGI, in process) and its handlers."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias
from urllib.parse import parse_qsl

import anyio.lowlevel
import orjson
from starlette.datastructures import FormData, Headers

from ._refusals import ApiFailure, invalid_payload, invalid_query

JsonObject: TypeAlias = dict[str, Any]
End: TypeAlias = Literal[
    "reset", "disconnect", "refused", "connect_timeout", "read_timeout", "write_timeout"
]

_CHUNK = 65536


class Abort(Exception):
    """The connection ends here, without the rest of the answer."""

    def __init__(self, end: End) -> None:
        super().__init__(end)
        self.end: End = end


@dataclass(slots=True)
class Reply:
    """An answer, and where its body breaks off if a fault says so."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    chunk_size: int = _CHUNK
    break_at: int | None = None
    on_break: Callable[[], Awaitable[None]] | None = None

    @property
    def whole(self) -> bool:
        """Whether the body goes out in one piece."""
        return self.break_at is None and len(self.body) <= self.chunk_size

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the body in pieces; ``on_break`` runs after ``break_at`` bytes and may raise."""
        start = 0
        if self.break_at is not None and self.on_break is not None:
            for piece in self._pieces(0, self.break_at):
                yield piece
            # The receiver must have had its turn, or the break overtakes what came before it.
            await anyio.lowlevel.checkpoint()
            await self.on_break()
            start = self.break_at
        for piece in self._pieces(start, len(self.body)):
            yield piece
            if self.chunk_size < _CHUNK:
                await anyio.lowlevel.checkpoint()

    def _pieces(self, start: int, end: int) -> list[bytes]:
        step = self.chunk_size
        return [self.body[at : min(at + step, end)] for at in range(start, end, step)]


def json_reply(body: object, status: int = 200) -> Reply:
    """Return a JSON answer."""
    headers = {"content-type": "application/json; charset=utf-8"}
    return Reply(status, orjson.dumps(body), headers)


def no_content() -> Reply:
    """Return an answer with no body."""
    return Reply(204, b"")


_BRACKETS = re.compile(r"\[([^\]]*)\]|([^\[\]]+)")


class Query:
    """The query of a request, read with the API's rules."""

    def __init__(self, raw: str) -> None:
        self.pairs = parse_qsl(raw, keep_blank_values=True)

    def text(self, name: str) -> str | None:
        """Return a parameter's last value, or None."""
        return next((value for key, value in reversed(self.pairs) if key == name), None)

    def all(self, name: str) -> list[str]:
        """Return every value of a repeated parameter, indexed forms included."""
        indexed = re.compile(rf"{re.escape(name)}(\[\d*\])?")
        return [value for key, value in self.pairs if indexed.fullmatch(key)]

    def integer(self, name: str, default: int, lowest: int, highest: int | None = None) -> int:
        """Return a whole number within its bounds, or raise the API's 400."""
        text = self.text(name)
        if text is None:
            return default
        number = int(text) if re.fullmatch(r"-?\d{1,9}", text) else None
        if number is None or number < lowest or (highest is not None and number > highest):
            bounds = f"{lowest} to {highest}" if highest is not None else f"{lowest} or more"
            raise invalid_query(f".{name}: a whole number, {bounds}, is expected")
        return number

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        """Return one of the allowed values, or raise the API's 400."""
        value = self.text(name)
        if value is None:
            return default
        if value not in allowed:
            raise invalid_query(f".{name}: one of {', '.join(allowed)} is expected")
        return value

    def flag(self, name: str) -> bool:
        """Return a boolean parameter, false if absent."""
        return self.choice(name, ("true", "false"), "false") == "true"

    def deep(self, name: str) -> JsonObject:
        """Return a ``deepObject`` parameter as nested dicts."""
        tree: JsonObject = {}
        for key, value in self.pairs:
            path = [inside or plain for inside, plain in _BRACKETS.findall(key)]
            if len(path) < 2 or path[0] != name:
                continue
            node = tree
            for part in path[1:-1]:
                node = node.setdefault(part, {})
                if not isinstance(node, dict):
                    raise invalid_query(f".{name}: the key {key} contradicts another one")
            node[path[-1]] = value
        return tree


class Incoming:
    """One request on its way through the server."""

    def __init__(
        self,
        method: str,
        raw_path: str,
        raw_query: str,
        headers: Headers,
        body: bytes,
        *,
        origin: str,
        too_large: bool = False,
        closed: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.method = method
        self.raw_path = raw_path
        self.raw_query = raw_query
        self.headers = headers
        self.body = body
        self.origin = origin
        self.too_large = too_large
        self.closed = closed
        self.request_id = ""
        self.rate_headers: dict[str, str] = {}
        self.path_params: Mapping[str, str] = {}
        self.form: FormData | None = None

    @cached_property
    def query(self) -> Query:
        """The query parameters."""
        return Query(self.raw_query)

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """Return the JSON body, None if there is none; raise the API's 400 or 415."""
        if not self.body:
            return None
        require_media_type(self, "application/json")
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise invalid_payload(f"The body is not JSON: {error}") from None

    def json_object(self) -> JsonObject:
        """Return the JSON body, an object (an empty one if there is no body)."""
        body = self.json()
        if body is None:
            return {}
        if not isinstance(body, dict):
            raise invalid_payload("The body has to be a JSON object")
        return body

    def json_array(self) -> list[Any]:
        """Return the JSON body, an array."""
        body = self.json()
        if not isinstance(body, list):
            raise invalid_payload("The body has to be a JSON array")
        return body


def require_media_type(call: Incoming, expected: str) -> None:
    """Raise the API's 415 unless the body has the expected content type."""
    if call.media_type != expected:
        found = call.media_type or "none"
        raise ApiFailure(
            415,
            "unsupported_media_type",
            "Unsupported Media Type",
            f"The content type {expected} is expected, not {found}",
        )
