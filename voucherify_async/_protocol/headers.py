"""Request headers and forms that hold credentials, kept out of sight of whoever prints variables.

Error trackers and debuggers serialise the variables of every frame, so a credential must not stand
in one as a text, a mapping or a list. These objects show names only. Their values come out of
`reveal()`, which is called inside the expression that hands them to the HTTP library.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn
from urllib.parse import urlencode

from ..errors import VoucherifyError

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FRAMING: Final = frozenset({"content-length", "transfer-encoding", "expect", "host"})


class _Sealed:
    """Names and values of which only the names are shown."""

    __slots__ = ("_pairs",)

    _pairs: dict[str, tuple[str, str]]

    def __repr__(self) -> str:
        names = ", ".join([name for name, _ in self._pairs.values()])
        return f"{type(self).__name__}({names})"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds a secret and is not pickled; make it anew")


class SignedHeaders(_Sealed):
    """Headers of a request; of two with the same name the later one counts.

    Deliberately not a mapping, which error trackers would write out.

    Args:
        *layers: Headers, the later ones over the earlier ones.
    """

    __slots__ = ()

    def __init__(self, *layers: SignedHeaders | Mapping[str, str]) -> None:
        self._pairs = {}
        for layer in layers:
            self._pairs.update(
                layer._pairs  # noqa: SLF001
                if isinstance(layer, SignedHeaders)
                else zip(map(str.lower, layer), layer.items(), strict=True)
            )

    def __getitem__(self, name: str) -> str:
        return self._pairs[name.lower()][1]

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._pairs

    def without(self, name: str) -> SignedHeaders:
        """These headers but for one."""
        others = SignedHeaders(self)
        others._pairs.pop(name.lower(), None)
        return others

    def reveal(self) -> list[tuple[str, str]]:
        """Names and values, for the HTTP library and for nothing that stays."""
        return list(self._pairs.values())


NO_HEADERS: Final = SignedHeaders()


class SecretForm(_Sealed):
    """The fields of a form that holds a secret."""

    __slots__ = ()

    def __init__(self, **fields: str) -> None:
        self._pairs = dict(zip(fields, fields.items(), strict=True))

    def reveal(self) -> bytes:
        """The body of the request, for the HTTP library and for nothing that stays."""
        return urlencode(list(self._pairs.values())).encode()


def wrap(headers: Any, *, name: str, error: type[VoucherifyError]) -> SignedHeaders:
    """Wrap what a caller handed in, whose values no message and no frame shows.

    Args:
        headers: A mapping, or headers that are wrapped already.
        name: What it is called in the message.
        error: What is raised.

    Raises:
        VoucherifyError: HTTP cannot carry it, or it would break the framing of the request.
    """
    if isinstance(headers, SignedHeaders):
        return headers
    wrong = _fault(headers)
    wrapped = None if wrong else SignedHeaders(headers)
    del headers
    if wrapped is None:
        raise error(f"{name}: {wrong}")
    return wrapped


def is_header_text(value: Any) -> bool:
    """Whether a header can carry a value; an HTTP library would quote one that it refuses."""
    return (
        isinstance(value, str)
        and value.isascii()
        and value.isprintable()
        and value == value.strip()
    )


def _fault(headers: Any) -> str | None:
    """What is wrong with headers; it never raises, as its frame holds them."""
    if not isinstance(headers, Mapping):
        return f"expected a mapping of names to texts, got {type(headers).__name__}"
    for name, value in headers.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            return "has a name that is not a header's"
        if name.lower() in _FRAMING:
            return f"{name!r} is set by the library, which frames the request"
        if not is_header_text(value):
            return f"{name!r} has a value that HTTP cannot carry"
    return None
