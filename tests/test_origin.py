"""The addresses of one origin: exactly those that `httpx.URL` makes of the same text."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import httpx
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherify_async._transport.urls import Origin

BASES = [
    "https://api.voucherify.io",
    "https://api.voucherify.io:443/prefix",
    "HTTP://Example.TEST:8080",
    "http://127.0.0.1:8000",
    "http://[::1]:8000",
]
PARTS = ("scheme", "raw_scheme", "host", "raw_host", "port", "path", "raw_path", "query", "netloc")


def same(made: httpx.URL, parsed: httpx.URL) -> bool:
    """Whether two addresses agree in every part that a transport or a tracer reads."""
    return made == parsed and all(getattr(made, p) == getattr(parsed, p) for p in PARTS)


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
@pytest.mark.parametrize("base", BASES)
@given(code=st.text(min_size=1).filter(lambda text: text.isprintable()), query=st.text())
def test_an_address_is_what_httpx_makes_of_it(
    library: Any, base: str, code: str, query: str
) -> None:
    """Whatever the code and the query, transports and tracers read what httpx would tell them."""
    text = (
        f"{base}/v1/vouchers/{quote(code, safe='')}?{urlencode([('q', query)], errors='replace')}"
    )
    made, parsed = Origin(base, library).url(text), library.URL(text)
    assert same(made, parsed)
    assert str(made).lower() == str(parsed).lower()


@pytest.mark.parametrize(
    "text",
    [
        "https://elsewhere.test/v1/vouchers/A",
        "https://api.voucherify.io.elsewhere.test/v1/vouchers/A",
        "https://api.voucherify.io@elsewhere.test/v1",
        "https://api.voucherify.io:444/v1/vouchers/A",
        "https://api.voucherify.io/v1/a b",
        "https://api.voucherify.io/v1/../v2",
        "https://api.voucherify.io/v1/ü",
        "https://api.voucherify.io/v1#fragment",
        "https://api.voucherify.io/v1/%zz",
        "https://api.voucherify.io",
    ],
)
def test_an_address_of_another_kind_is_parsed_whole(text: str) -> None:
    """Another host, or what has to be quoted or resolved, goes to httpx."""
    origin = Origin("https://api.voucherify.io")
    made = origin.url(text)
    assert same(made, httpx.URL(text))
    assert origin.host_header(made) == httpx.URL(text).netloc.decode()


def test_an_address_of_the_origin_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The everyday address costs no parsing, until somebody asks for more than its parts."""
    origin = Origin("https://api.voucherify.io")
    parse = httpx.URL.__init__
    parsed: list[str] = []

    def noting(self: httpx.URL, url: str) -> None:
        parsed.append(url)
        parse(self, url)

    monkeypatch.setattr(httpx.URL, "__init__", noting)
    made = origin.url("https://api.voucherify.io/v1/vouchers/A")
    assert (made.raw_host, made.raw_path) == (b"api.voucherify.io", b"/v1/vouchers/A")
    assert not parsed
    assert made.path == "/v1/vouchers/A"
    assert parsed == ["https://api.voucherify.io/v1/vouchers/A"]
    with pytest.raises(AttributeError):
        getattr(made, "no such part")
