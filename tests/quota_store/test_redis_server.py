"""The Redis that the tests start."""

from __future__ import annotations

from redis import Redis

from ..redis_server import RedisServer


def test_each_test_finds_an_empty_redis(redis_server: RedisServer, redis_url: str) -> None:
    """It answers on the port and on the socket, and starts again where it was."""
    with Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("key", "value")
    with Redis.from_url(redis_server.unix_url) as client:
        assert client.get("key") == b"value"
    redis_server.stop()
    redis_server.start()
    assert redis_server.url == redis_url
    with Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
