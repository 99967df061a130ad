"""Commands that a service gives beside those it is probed for, and those that it must not be able to give."""

from shared import keys
from shared.redis_facts import Command

SESSION = "somebodys-session"
LOG, META, LIFE = keys.log(SESSION), keys.meta(SESSION), keys.consumer("somebody")

TO_CONNECT: list[Command] = [
    ("PING",), ("CLIENT", "SETNAME", "rejoin-test"), ("ACL", "WHOAMI"), ("INFO", "server"), ("CLUSTER", "SLOTS"),
    ("ASKING",),
]  # fmt: skip
"""What each connection is made with, or learns of a cluster, or is asked by the doctor."""

LISTENING: dict[str, list[Command]] = {
    "generate": [("UNSUBSCRIBE", keys.TAKEOVER), ("SPUBLISH", LOG, "")],
    "consume": [("UNSUBSCRIBE", LOG), ("SSUBSCRIBE", LOG), ("SUNSUBSCRIBE", LOG)],
}
"""Beyond the probes, which are of Redis 6.2 and change nothing of what one listens to."""

NEITHER: list[Command] = [
    ("SET", "other", "1"), ("GET", "other"), ("HGET", "llm:stream-not", "status"), ("DEL", "other"),
    ("EXISTS", "{other}:meta"), ("EVAL", "return 1", 1, "other"), ("EVAL", "return redis.call('GET', 'other')", 0),
    ("SUBSCRIBE", "other"), ("PUBLISH", "other", ""), ("PSUBSCRIBE", "*"), ("PSUBSCRIBE", "llm:stream:*"),
    ("FLUSHALL",), ("FLUSHDB",), ("CONFIG", "GET", "*"), ("CONFIG", "SET", "dir", "/"), ("KEYS", "*"), ("SCAN", 0),
    ("SCRIPT", "FLUSH"), ("SCRIPT", "KILL"), ("CLIENT", "LIST"), ("CLIENT", "KILL", "TYPE", "normal"), ("MONITOR",),
    ("ACL", "LIST"), ("ACL", "SETUSER", "mine"), ("SHUTDOWN",), ("SELECT", 1), ("PUBSUB", "CHANNELS"),
    ("REPLICAOF", "NO", "ONE"), ("CLUSTER", "RESET"), ("MIGRATE", "h", 1, LOG, 0, 1), ("RENAME", LOG, "other"),
    ("XTRIM", LOG, "MAXLEN", 0), ("XSETID", LOG, "9-0"), ("XINFO", "STREAM", LOG), ("DUMP", LOG),
    ("SET", LIFE, "1"), ("SET", LOG, "gone"), ("SET", META, "gone"), ("GETSET", LOG, "gone"),
]  # fmt: skip

REFUSED: dict[str, list[Command]] = {
    "generate": [
        *NEITHER,
        ("XGROUP", "CREATE", LOG, "mine", "0"), ("XGROUP", "SETID", LOG, "mine", "0"),
        ("XREADGROUP", "GROUP", "theirs", "me", "STREAMS", LOG, ">"), ("SUBSCRIBE", "llm:other"),
        ("EVAL", "return redis.call('XGROUP', 'CREATE', KEYS[1], 'mine', '0')", 1, LOG),
    ],
    "consume": [
        *NEITHER,
        ("XADD", LOG, "*", "type", "chunk"), ("XDEL", LOG, "0-1"), ("DEL", LOG),
        ("HSET", META, "owner", "me"), ("HDEL", META, "owner"), ("HGETALL", META), ("DEL", META),
        ("ZADD", keys.RUNNING, 0, SESSION), ("PUBLISH", LOG, ""),
        ("SUBSCRIBE", keys.control("somebody")), ("SUBSCRIBE", keys.TAKEOVER),
        ("EVAL", "return redis.call('XADD', KEYS[1], '*', 'type', 'chunk')", 1, LOG),
        ("EVAL", "return redis.call('HSET', KEYS[1], 'owner', 'me')", 1, META),
    ],
}  # fmt: skip
