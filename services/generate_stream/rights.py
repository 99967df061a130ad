"""The rights that generate-stream needs in Redis: a command for each, which does nothing where it is allowed."""

from shared import keys
from shared.redis_facts import Command
from shared.rights import probes as of_both


def probes(session: str) -> list[Command]:
    """Commands on a session that does not exist. Redis looks at rights first; then each finds nothing to do."""
    log, meta, control = keys.log(session), keys.meta(session), keys.control(session)
    return [
        *of_both(session),
        ("XADD", log, "NOMKSTREAM", "1-0", "type", "probe"),
        ("XDEL", log, "1-0"),
        ("HSET", meta, "a name", "its value", "a name without a value"),
        ("HINCRBY", meta, "losses", "no number"),
        ("HGETALL", meta),
        ("HKEYS", meta),
        ("HDEL", meta, "status"),
        ("DEL", log, meta),
        ("ZADD", keys.RUNNING, "XX", 0, session),
        ("ZSCORE", keys.RUNNING, session),
        ("XINFO", "GROUPS", log),
        ("ZRANGEBYSCORE", keys.RUNNING, 0, 0, "LIMIT", 0, 1),
        ("ZREM", keys.RUNNING, session),
        ("PUBLISH", log, ""),
        ("PUBLISH", control, ""),
        ("SUBSCRIBE", control),
        ("SUBSCRIBE", keys.TAKEOVER),
    ]
