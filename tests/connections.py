"""Ways to a Redis, for tests that hold the parts of a service in their own hands: as the user of that service."""

from shared.one_redis import OneRedis
from shared.redis_url import redis_at
from shared.wire import Connect
from shared.wires import Wires
from tests.redis_users import as_user

TIMEOUT_S = 5.0


def connector(url: str, name: str = "test", *, user: str = "") -> Connect:
    """How to connect to the one Redis at `url`; as the administrator, or as `generate` or `consume`."""
    redis = redis_at(as_user(url, user), name)
    assert isinstance(redis, OneRedis)
    return lambda: redis.connect(redis.node(""))


def wires(url: str, *, user: str) -> Wires:
    """The wires to the Redis at `url`, none connected yet."""
    return Wires(redis_at(as_user(url, user), "test"), TIMEOUT_S)
