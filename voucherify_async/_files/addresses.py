"""Where a file lies, and whether the credentials of the API may go there."""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult, urlsplit

_OWN_DOMAIN: Final = ".voucherify.io"
_PORTS: Final = {"https": 443, "http": 80}


def is_address(url: str) -> bool:
    """Whether it is an http(s) URL that a request can be sent to."""
    try:
        # Reading the port checks it.
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    # Some read a backslash as a slash, and so another host. Some sign by a user before the host.
    is_clean = url.isprintable() and not {" ", "\\"}.intersection(url) and "@" not in parts.netloc
    return has_host and parts.scheme in _PORTS and is_clean


def is_trusted(url: str, base_url: str) -> bool:
    """Whether the credentials of an API may go to a URL: its own origin, or its download host.

    The download host of `us1.api.voucherify.io` is `us1.download.voucherify.io`.
    """
    base = urlsplit(base_url)
    try:
        target = urlsplit(url)
        if _origin(target) == _origin(base):
            return True
    except ValueError:
        return False
    host = base.hostname or ""
    if not host.endswith(_OWN_DOMAIN):
        return False
    labels = ["download" if label == "api" else label for label in host.split(".")]
    return _origin(target) == ("https", ".".join(labels), 443)


def _origin(url: SplitResult) -> tuple[str, str, int | None]:
    port = _PORTS.get(url.scheme) if url.port is None else url.port
    return url.scheme, url.hostname or "", port
