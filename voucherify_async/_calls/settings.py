"""What `AsyncVoucherify` and its `request` are given, checked before anything is sent."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from typing import Any, Final, cast

from attrs import frozen

from .._checks import check_seconds
from .._clock import Clock
from .._protocol.headers import SignedHeaders, wrap
from .._protocol.retry import RetryPolicy
from .._transport.urls import check_base_url
from .._version import __version__
from ..auth import ApiKeyAuth, Auth
from ..errors import ConfigurationError, InvalidArgumentError, VoucherifyError

DEFAULT_CLUSTER: Final = "api"
_CLUSTER: Final = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_REGIONS: Final = frozenset({"us1", "as1"})
"""What is taken for the name of a cluster; any other may be that of a dedicated one."""
DEFAULT_HEADERS: Final = {
    "User-Agent": "voucherify-async/{} Python/{}.{}.{} {}".format(
        __version__, *sys.version_info[:3], sys.platform
    ),
    "Accept": "application/json",
    # A page of 100 vouchers is a tenth of the bytes; what httpx decodes without further packages.
    "Accept-Encoding": "gzip, deflate",
}
_STEPS: Final = ("connect", "read", "write", "pool")
"""What an `httpx.Timeout` has seconds for."""
API_VERSION: Final = "X-Voucherify-API-Version"


@frozen(kw_only=True)
class Settings:
    """What a client was told; `with_options` makes another of it over the same connections.

    Raises:
        ConfigurationError: A setting makes no sense.
    """

    base_url: str
    auth: Auth
    timeout: Any
    retry: RetryPolicy | None
    headers: SignedHeaders
    clock: Clock

    def __attrs_post_init__(self) -> None:
        check_timeout(self.timeout, error=ConfigurationError)
        check_retry(self.retry, error=ConfigurationError)
        if not isinstance(self.clock, Clock):
            raise ConfigurationError(f"clock: expected a Clock, got {self.clock!r}")


def resolve_auth(app_id: str | None, app_token: str | None, auth: Auth | None) -> Auth:
    """What signs the requests: what was given, or the keys of the environment.

    Raises:
        ConfigurationError: There is none, or too much.
    """
    try:
        if auth is not None:
            if app_id is not None or app_token is not None:
                raise ConfigurationError(
                    "auth: cannot be combined with app_id and app_token; give one or the other"
                )
            return check_auth(auth)
        app_id = os.environ.get("VOUCHERIFY_APP_ID") if app_id is None else app_id
        app_token = os.environ.get("VOUCHERIFY_APP_TOKEN") if app_token is None else app_token
        if not app_id or not app_token:
            missing = "app_id" if not app_id else "app_token"
            raise ConfigurationError(
                f"{missing}: is missing. Pass it to AsyncVoucherify, set "
                f"VOUCHERIFY_{missing.upper()}, or pass auth="
            )
        return ApiKeyAuth(app_id, app_token)
    finally:
        # An error tracker serialises the variables of the frames that an error went through.
        del app_id, app_token, auth


def check_auth(auth: Any) -> Auth:
    """Refuse what cannot sign requests, such as a pair of keys; it is not shown.

    Raises:
        ConfigurationError: It does not have the methods of an `Auth`.
    """
    kind, is_auth = type(auth).__name__, isinstance(auth, Auth)
    try:
        if is_auth:
            return cast("Auth", auth)
    finally:
        del auth
    raise ConfigurationError(
        f"auth: expected an object such as ApiKeyAuth(...) or BearerAuth(...), got {kind}"
    )


def resolve_base_url(base_url: str | None, cluster: str, *, allow_http: bool, backend: str) -> str:
    """The API's address: what was given, that of the environment, or the cluster's.

    Raises:
        ConfigurationError: It is not an http(s) URL, has more than a scheme, a host, a port and a
            path, or would send the credentials in clear text over a network.
    """
    if base_url is None and cluster == DEFAULT_CLUSTER:
        # A cluster that the caller names goes before the environment.
        base_url = os.environ.get("VOUCHERIFY_BASE_URL")
    if not base_url:
        if not isinstance(cluster, str) or not _CLUSTER.fullmatch(cluster):
            raise ConfigurationError(
                f'cluster: expected a name such as "api" or "us1.api", got {cluster!r}'
            )
        if cluster in _REGIONS:
            raise ConfigurationError(
                f'cluster: "{cluster}" is a region; its API is cluster="{cluster}.api"'
            )
        return f"https://{cluster}.voucherify.io"
    try:
        return check_base_url(base_url, allow_http=allow_http, backend=backend)
    finally:
        # One that is refused may hold a password.
        del base_url


def check_timeout(timeout: Any, *, error: type[VoucherifyError]) -> None:
    """Refuse what is not a timeout.

    Raises:
        VoucherifyError: It is not a number of seconds, None or an `httpx.Timeout`.
    """
    if timeout is None:
        return
    if not all(hasattr(timeout, step) for step in _STEPS):
        check_seconds("timeout", timeout, error=error)
        return
    for step in _STEPS:
        if getattr(timeout, step) is not None:
            check_seconds(f"timeout.{step}", getattr(timeout, step), zero=True, error=error)


def check_retry(retry: Any, *, error: type[VoucherifyError]) -> None:
    """Refuse what is not a retry policy.

    Raises:
        VoucherifyError: It is neither a `RetryPolicy` nor None.
    """
    if retry is not None and not isinstance(retry, RetryPolicy):
        raise error(f"retry: expected RetryPolicy(...) or None, got {retry!r}")


def client_headers(api_version: str | None, headers: Mapping[str, str] | None) -> SignedHeaders:
    """The headers that a caller adds to every request.

    Raises:
        ConfigurationError: HTTP cannot carry one.
    """
    try:
        added = wrap(headers or {}, name="headers", error=ConfigurationError)
    finally:
        del headers
    if api_version is None:
        return added
    version = wrap({API_VERSION: api_version}, name="api_version", error=ConfigurationError)
    return SignedHeaders(version, added)


def check_headers(headers: Mapping[str, str] | None) -> SignedHeaders:
    """The headers that a caller adds to one request.

    Raises:
        InvalidArgumentError: HTTP cannot carry one; its value is not shown.
    """
    try:
        return wrap(headers or {}, name="headers", error=InvalidArgumentError)
    finally:
        del headers
