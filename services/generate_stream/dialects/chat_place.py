"""Where in its log a turn of the AI SDK's chat stands, and so what is to be begun. The log is the truth."""

import hashlib
import json
from typing import NamedTuple

from services.generate_stream import answers
from services.generate_stream.dialects.chat_body import Fields, Turn
from services.generate_stream.log import Log
from shared import events
from shared.http import ApiError, no_session


class Place(NamedTuple):
    """What a log has of a turn."""

    newest: int = 0
    """Its newest generation; 0 where there is none."""
    message: int = 0
    """The generation that began the newest one's message."""
    parent: int = 0
    """The generation that the newest one's message goes on from, as far as its own beginning tells."""
    latest: int | None = None
    """The last generation of the message that the turn goes on from; None where the log has it not."""


async def start(log: Log, turn: Turn, owner: str) -> Fields:
    """The body of a start. Raises RedisAway, and ApiError with 404."""
    common = {"sessionId": turn.session, **turn.options}
    if not turn.whole and not turn.results:
        return common | await _one_message(log, turn, owner)
    place = await find(log, turn.session, turn.goes_on)
    return common | begun(turn, place)


def begun(turn: Turn, place: Place) -> Fields:
    """What a turn begins. Pure.

    `after` is told also where it is the newest: a repeat by its key is the same request, though the log has grown.
    """
    unknown = turn.imported or (turn.goes_on is not None and place.latest is None)
    if turn.results and not turn.imported:
        elsewhere = place.latest is not None and place.latest != place.newest
        return {"toolResults": turn.results} | ({"after": place.latest} if elsewhere else {})
    if unknown:
        # Begun elsewhere, or the log is gone: the client has what is left of it.
        return {"messages": turn.conversation}
    after = place.latest or 0
    replaced = turn.named if turn.regenerates else None
    if turn.regenerates and replaced is None and place.newest > after and place.parent == after:
        replaced = place.message
    said = {"prompt": turn.prompt, "after": after}
    return said | ({"replaces": replaced} if replaced and replaced <= place.newest else {})


def key(turn: Turn, wanted: Fields, brought: str) -> str:
    """The idempotency key of a start. What tools gave back is its own: each tab on an answer runs its page's tools, and
    those that say the same are told the same. Pure.
    """
    if "toolResults" not in wanted:
        return brought
    said = json.dumps([turn.goes_on, wanted], sort_keys=True)
    return f"tools {hashlib.sha256(said.encode()).hexdigest()}"


async def find(log: Log, session: str, goes_on: int | None) -> Place:
    """Look at the beginnings of generations, from the newest back to the message that is gone on from."""
    place = Place()
    async for entry in log.back(session):
        if not events.is_started(entry.fields):
            continue
        started = events.event(entry.fields)
        number, continues, after = (started.get(name) for name in ("generation", "continues", "after"))
        if not isinstance(number, int):
            continue
        message = continues if isinstance(continues, int) else number
        if not place.newest:
            place = Place(number, message, after if isinstance(after, int) else number - 1)
        if goes_on is None or number < goes_on:
            break
        if goes_on == message:
            return place._replace(latest=number)
    return place


async def _one_message(log: Log, turn: Turn, owner: str) -> Fields:
    """For clients that send their last message alone, or none with a wish to regenerate."""
    if not turn.regenerates and turn.named is None:
        return {"prompt": turn.prompt}
    place = await find(log, turn.session, None)
    number = turn.named or place.message
    answer = await answers.read(log, turn.session, number) if number else None
    # What is asked anew would tell a stranger of itself, by the limit that it does not fit in.
    if answer is None or not await log.knows(turn.session, owner):
        raise no_session()
    prompt = turn.prompt or answer.prompt
    if not prompt:
        raise ApiError(400, "nothing_asked", "What is asked anew has no words.")
    # Without a word of its own it goes on from the one before it, or from what that one replaced: as history has it.
    after = answer.after if answer.after is not None or number == place.newest else number - 1
    return {"prompt": prompt, "replaces": number} | ({} if after is None else {"after": after})
