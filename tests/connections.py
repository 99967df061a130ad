"""Ways to a Redis, for tests that hold the parts of a service in their own hands."""

from shared.one_redis import OneRedis
from shared.redis_url import redis_at
from shared.wire import Connect
from shared.wires import Wires

TIMEOUT_S = 5.0


def connector(url: str, name: str = "test") -> Connect:
    """How to connect to the one Redis at `url`."""
    redis = redis_at(url, name)
    assert isinstance(redis, OneRedis)
    return lambda: redis.connect(redis.node(""))


def wires(url: str) -> Wires:
    """The wires to the Redis at `url`, none connected yet."""
    return Wires(redis_at(url, "test"), TIMEOUT_S)
