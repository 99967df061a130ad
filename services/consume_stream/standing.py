"""What a log says to who has a right to it: without that, the same as a log that is not there."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from shared import events, keys
from shared.access.identity import Right
from shared.events import Entry
from shared.position import NONE, Position
from shared.redis import retried
from shared.wire import pack
from shared.wires import Wires

_STEP = 200


async def last(wires: Wires, session: str, right: Right) -> Entry | None:
    """The last entry of a log; None where there is none."""
    log = keys.log(session)
    return await _entry(wires, session, right, pack("XREVRANGE", log, "+", "-", "COUNT", 1))


async def at(wires: Wires, session: str, right: Right, position: Position) -> Entry | None:
    """The entry at a position; None where there is none."""
    return await _entry(wires, session, right, pack("XRANGE", keys.log(session), str(position), str(position)))


async def back(wires: Wires, session: str, before: Position | None = None) -> AsyncIterator[Entry]:
    """The entries of a log, the newest first, from before a position on. Raises RedisError."""
    if before == NONE:
        return  # Redis knows no end before its smallest id, and calls it an error
    log, end = keys.log(session), f"({before}" if before else "+"
    while True:
        step = await wires.of(log).call("XREVRANGE", log, end, "-", "COUNT", _STEP)
        for raw in step:
            yield events.decode(raw)
        if len(step) < _STEP:
            return
        end = f"({step[-1][0].decode()}"


async def allowed(wires: Wires, session: str, right: Right) -> bool:
    """Whether the session grants this right, now."""
    if not right.field:
        return True
    meta = keys.meta(session)
    held = await retried(lambda: wires.of(meta).call("HGET", meta, right.field), tries=2)
    return bool(held == right.value.encode())


async def was_deleted(wires: Wires, session: str, right: Right) -> bool:
    """Whether somebody removed a session, so that no writer is about to fill its log again."""
    meta = keys.meta(session)
    held = await wires.of(meta).call("HMGET", meta, "status", right.field)
    return bool(held[0] == b"deleted" and (not right.field or held[1] == right.value.encode()))


async def _entry(wires: Wires, session: str, right: Right, command: bytes) -> Entry | None:
    async def asked() -> Any:
        # Both in one write: who has the right waits no longer than who needs none.
        return await asyncio.gather(wires.of(keys.log(session)).send(command), allowed(wires, session, right))

    # A connection that breaks at this very moment is no reason to turn a viewer away: the next one may stand at once.
    entries, is_allowed = await retried(asked, tries=2)
    return events.decode(entries[0]) if entries and is_allowed else None
