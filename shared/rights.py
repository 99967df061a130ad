"""The rights in Redis that both services need: a command for each, which does nothing where it is allowed."""

from shared import keys, quotas
from shared.redis_facts import Command


def probes(session: str) -> list[Command]:
    """Commands on a session that does not exist, and on the quotas of nobody."""
    log, meta = keys.log(session), keys.meta(session)
    return [
        ("TIME",),
        ("EVAL", "return 1", 0),
        ("EVALSHA", "0" * 40, 0),
        ("XREVRANGE", log, "+", "-", "COUNT", 1),
        ("XINFO", "GROUPS", log),
        ("XGROUP", "DESTROY", log, keys.group("doctor", session)),
        ("HGET", meta, "status"),
        ("HMGET", meta, "status"),
        ("EXISTS", log, keys.consumer(session)),
        ("EXPIRE", log, 60),
        *quotas.probes(session),
    ]
