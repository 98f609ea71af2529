"""`RedisQuotaStore`: one quota for many processes, kept in Redis."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, NoReturn

import orjson
import sniffio
from anyio.lowlevel import current_token

from .._checks import check_seconds
from .._protocol.quota_decisions import KEPT, LEASE, QuotaGrant, QuotaRequest
from .._protocol.rate_limits import LONGEST_WINDOW
from ..errors import ClientLoopError, ConfigurationError
from .quota_store import QuotaStore

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.cluster import RedisCluster

_SCRIPT: Final = resources.files("voucherify_async._calls").joinpath("redis_quota.lua").read_bytes()
_SHA: Final = hashlib.sha1(_SCRIPT, usedforsecurity=False).hexdigest()
_LIMITS: Final = (int(LEASE * 1000), int(LONGEST_WINDOW * 1000), KEPT)


class RedisQuotaStore(QuotaStore):
    """Lets processes share one quota through Redis 5 or later (extra `redis`; asyncio only).

    ```python
    store = RedisQuotaStore("redis://:password@cache.example:6379/0")
    async with AsyncVoucherify(quota_store=store) as client:
        ...
    ```

    Each process asks for several calls at a time while plenty is left, and for the last ones one by
    one. While Redis is away, each process counts alone, with a warning in the log.
    The keys hold a hash of the project, and live for two hours.

    Args:
        redis: The URL of a Redis (`redis://`, `rediss://`, `unix://`), whose connections are closed
            with the client; or a `redis.asyncio` client of yours, which stays open.
        prefix: What the keys begin with.
        project: The name of the project whose quota it is. Needed where the credentials do not tell
            (`BearerAuth`, an `Auth` of yours), or where several applications use up one quota.
        timeout: Seconds that a call waits for Redis before it goes on without.

    Raises:
        ConfigurationError: The library `redis` is missing, or a setting makes no sense. The URL is
            not shown.
    """

    def __init__(
        self,
        redis: str | Redis | RedisCluster,
        *,
        prefix: str = "voucherify",
        project: str | None = None,
        timeout: float = 0.5,
    ) -> None:
        try:
            check_seconds("timeout", timeout, error=ConfigurationError)
            for name, text in (("prefix", prefix), ("project", project)):
                if text is not None and (not isinstance(text, str) or not text):
                    raise ConfigurationError(f"{name}: expected a non-empty string, got {text!r}")
            self._is_own = isinstance(redis, str)
            self._redis: Any = _client(redis)
        finally:
            # An error tracker serialises the variables of the frames that an error went through.
            del redis
        self._prefix = prefix
        self._loop: object = None
        self.project = project
        self.timeout = timeout

    def __repr__(self) -> str:
        return f"RedisQuotaStore(prefix={self._prefix!r}, project={self.project!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A RedisQuotaStore holds connections and a secret and is not pickled")

    async def ask(self, key: str, request: QuotaRequest) -> QuotaGrant:
        """Let Redis decide, in one round trip.

        Raises:
            ConfigurationError: trio runs, which `redis` does not.
            ClientLoopError: The connections belong to another event loop.
        """
        from redis.exceptions import InvalidResponse

        self._check_loop()
        decided = await self._decide(
            f"{self._prefix}:{{{key}}}", orjson.dumps(request.to_dict()), *_LIMITS
        )
        match decided:
            case [int(granted), int(wait)]:
                return QuotaGrant(granted=granted, wait=None if wait < 0 else wait / 1000)
        raise InvalidResponse

    async def aclose(self) -> None:
        """Close the connections that the store made itself; used again, it makes new ones."""
        if self._is_own and self._loop is not None:
            self._check_loop()
            self._loop = None
            await self._redis.aclose()

    def _check_loop(self) -> None:
        if sniffio.current_async_library() != "asyncio":
            raise ConfigurationError(
                "quota_store: RedisQuotaStore runs on asyncio only, as the library `redis` does; "
                "on trio write a QuotaStore of your own"
            )
        loop = current_token().native_token
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise ClientLoopError(
                "This RedisQuotaStore was first used in another event loop, which its connections "
                "belong to. Make one per loop, beside the client that uses it"
            )

    async def _decide(self, *arguments: Any) -> object:
        from redis.exceptions import ConnectionError as Lost
        from redis.exceptions import NoScriptError

        try:
            return await self._redis.evalsha(_SHA, 1, *arguments)
        except (NoScriptError, Lost):
            # Redis was restarted, its scripts were flushed, or it dropped an idle connection.
            # Asking twice does no harm: a request says what is held, and not what is added.
            return await self._redis.eval(_SCRIPT, 1, *arguments)


def _client(redis: Any) -> Any:
    """The client that was given, or one of a URL.

    Raises:
        ConfigurationError: It is neither, or the library is missing.
    """
    kind, fault = type(redis).__name__, None
    try:
        from redis.asyncio import Redis, RedisCluster

        if isinstance(redis, (Redis, RedisCluster)):
            return redis
        if isinstance(redis, str):
            return Redis.from_url(redis)
        fault = f"expected the URL of a Redis or a redis.asyncio client, got {kind}"
    except ImportError:
        fault = 'the library is an extra: pip install "voucherify-async[redis]"'
    except Exception:  # noqa: BLE001 - whose text may quote the password, as may its frames
        fault = "expected a URL such as redis://:password@cache.example:6379/0"
    finally:
        del redis
    raise ConfigurationError(f"redis: {fault}")
