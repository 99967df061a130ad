"""The rights that consume-stream needs in Redis: a command for each, which does nothing where it is allowed."""

from shared import keys
from shared.redis_facts import Command


def probes(session: str) -> list[Command]:
    """Commands on a session that does not exist. Redis looks at rights first; then each finds nothing to do."""
    log, meta, group = keys.log(session), keys.meta(session), keys.group("doctor", session)
    life = keys.consumer(session)
    return [
        ("EVAL", "return 1", 0),
        ("XRANGE", log, "-", "+", "COUNT", 1),
        ("XREVRANGE", log, "+", "-", "COUNT", 1),
        ("XGROUP", "CREATE", log, group, "0"),
        ("XGROUP", "SETID", log, group, "0"),
        ("XGROUP", "DESTROY", log, group),
        ("XINFO", "GROUPS", log),
        ("XREADGROUP", "GROUP", group, "viewer", "COUNT", 1, "NOACK", "STREAMS", log, ">"),
        ("XDEL", log, "0-1"),
        ("HGET", meta, "status"),
        ("EXISTS", log, life),
        ("SET", life, "1", "EX", 0),
        ("EXPIRE", life, 60),
        ("DEL", life),
        ("SUBSCRIBE", log),
    ]
