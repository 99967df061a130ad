"""The rights that consume-stream needs in Redis: a command for each, which does nothing where it is allowed."""

from shared import keys
from shared.redis_facts import Command
from shared.rights import probes as of_both


def probes(session: str) -> list[Command]:
    """Commands on a session that does not exist. Redis looks at rights first; then each finds nothing to do."""
    log, group = keys.log(session), keys.group("doctor", session)
    life = keys.consumer(session)
    return [
        *of_both(session),
        ("XRANGE", log, "-", "+", "COUNT", 1),
        ("XGROUP", "CREATE", log, group, "0"),
        ("XGROUP", "SETID", log, group, "0"),
        ("XREADGROUP", "GROUP", group, "viewer", "COUNT", 1, "NOACK", "STREAMS", log, ">"),
        ("EXPIRE", life, 60),
        ("SUBSCRIBE", log),
    ]
