"""A chunk that tells when it was made. Pure."""

import re
import time

_STAMP = re.compile(rb"@(\d+);")
_WORDS = " and so the answer goes on"
"""As long as what a model says in one delta, or somewhat longer."""


def now_us() -> int:
    """A clock that all processes of one machine share."""
    return time.monotonic_ns() // 1000


def chunk() -> str:
    """The content of one chunk, stamped now."""
    return f"@{now_us()};{_WORDS}"


def stamps(received: bytes) -> list[int]:
    """When each of the chunks in some frames was made, merged ones too."""
    return [int(stamp) for stamp in _STAMP.findall(received)]
