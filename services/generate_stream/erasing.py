"""Erasing: one generation is removed from its log, and with the last one the session."""

from services.generate_stream.log import Log
from shared.events import Entry

_STEP = 200
"""Entries that are removed at once, some 0.1 ms of Redis."""


async def entries(log: Log, session: str, generation: int) -> list[Entry]:
    """All that the log has of a generation, oldest first. Raises RedisError."""
    found = []
    async for entry in log.back(session):
        number = entry.fields.get("generation", "")
        if number == str(generation):
            found.append(entry)
        elif found or (number.isdigit() and int(number) < generation):
            break
    return found[::-1]


async def erase(log: Log, session: str, generation: int, owner: str) -> str:
    """Remove a generation that is over: `erased`, `running`, or `unknown`. Raises RedisError.

    Broken off, it has removed the question, so that no history has it; asked for again, it goes on.
    """
    reply = "unknown"
    # Until there is none: a Redis that has just come back may get its last second again before the first step.
    while ids := [str(entry.id) for entry in await entries(log, session, generation)]:
        for at in range(0, len(ids), _STEP):
            reply = await log.erase(session, generation, owner, ids[at : at + _STEP])
            if reply != "erased":
                return reply
    return reply
