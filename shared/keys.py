"""The names of everything in Redis."""

import base64
import hashlib
import re

SESSION = "[A-Za-z0-9_-]{8,64}"
"""What a session id looks like."""

_SESSION = re.compile(SESSION)
_GROUP = re.compile(r"sse-group-([A-Za-z0-9]+)-.+")

RUNNING = "llm:running"
"""Sorted set: sessions with a running generation, scored by the end of the lease (ms). A hint, never the truth."""

TAKEOVER = "llm:takeover"
"""Channel: a producer has let go of a running generation; any generate process may claim it."""


def is_session(text: str) -> bool:
    """Whether `text` may be a session id. No id holds a brace, a glob or a line break, so keys can't be forged."""
    return _SESSION.fullmatch(text) is not None


def log(session: str) -> str:
    """The Redis Stream of a session, and also the name of its nudge channel."""
    return f"llm:stream:{session}"


def meta(session: str) -> str:
    """The hash beside a log. The braces put it into the cluster slot of its log."""
    return f"{{llm:stream:{session}}}:meta"


def consumer(instance: str) -> str:
    """The key that exists while the consume process `instance` lives."""
    return f"llm:consumer:{instance}"


def control(instance: str) -> str:
    """The channel that wakes the generate process `instance`; its messages are session ids."""
    return f"llm:control:{instance}"


def subject(kind: str, name: str) -> str:
    """Who has a quota (kind `owner`, `address` or `session`), as 22 characters: names of people stay out of keys."""
    return base64.urlsafe_b64encode(hashlib.sha256(f"{kind}:{name}".encode()).digest())[:22].decode()


def quota(subject: str, what: str) -> str:
    """What a subject has of `starts`, `running`, `tokens` or `viewers`. The braces put it all into one cluster slot."""
    return f"llm:quota:{{{subject}}}:{what}"


def group(instance: str, viewer: str) -> str:
    """The consumer group of one viewer of the consume process `instance`."""
    return f"sse-group-{instance}-{viewer}"


def instance_of(group_name: str) -> str | None:
    """The process that owns a consumer group; None for a group that is not Rejoin's."""
    match = _GROUP.fullmatch(group_name)
    return match and match[1]
