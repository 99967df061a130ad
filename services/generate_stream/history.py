"""What the model is told of the earlier turns. Choosing and cutting is pure; reading goes back from the new turn."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from services.generate_stream.attempt import Attempt
from services.generate_stream.bodies import StartBody
from services.generate_stream.log import Log
from services.generate_stream.providers import Message
from shared import events
from shared.events import Entry
from shared.position import Position
from shared.view import Answer, View

Turn = list[Message]


async def conversation(log: Log, attempt: Attempt, body: StartBody, max_bytes: int) -> list[Message]:
    """All that the model is told: the earlier turns and the new question, or the conversation that the body brings.

    Raises RedisAway.
    """
    if body.messages:
        return [Message(message.role, message.content) for message in body.messages]
    earlier: list[Message] = []
    if attempt.generation > 1:
        # The first one has no turn of ours before it: to ask Redis would be two round trips, 0.4 ms, for nothing.
        earlier = await _earlier(log, attempt, body.replaces, max_bytes)
    return [*earlier, Message("user", body.question)]


async def _earlier(log: Log, attempt: Attempt, replaces: int | None, max_bytes: int) -> list[Message]:
    brought, generation = await log.messages(attempt.session)
    base = Base(int(generation), [Message(**message) for message in json.loads(brought)]) if brought else None
    entries = log.back(attempt.session, Position(attempt.ms, 0))
    return await before(entries, base, replaces, max_bytes)


class Base(NamedTuple):
    """The newest generation whose request brought the conversation along, and that conversation."""

    generation: int
    messages: Sequence[Message]


async def before(
    entries: AsyncIterator[Entry], base: Base | None, replaces: int | None, max_bytes: int
) -> list[Message]:
    """The earlier turns, oldest first, from a log read backwards from the new turn's beginning.

    Nothing of what lies before `base` counts. Reading ends there, or when `max_bytes` are full; then only the system's
    words are still taken from it.
    """
    turns: list[Turn] = []
    left_out = {replaces} if replaces else set()
    async for answer in _answers(entries):
        if answer.replaces:
            left_out.add(answer.replaces)
        is_base = base is not None and base.generation == answer.generation
        brought = base.messages if base and is_base else [Message("user", answer.prompt)]
        if not (answer.prompt or is_base):
            continue  # a foreign writer's, without a question
        turns = [*_turns(brought, None if answer.generation in left_out else _reply(answer)), *turns]
        if is_base:
            return newest(turns, max_bytes)
        if sum(map(_size, turns)) > max_bytes:
            break
    system = [message for message in base.messages if message.role == "system"] if base else []
    return newest([system, *turns], max_bytes)


def newest(turns: Sequence[Turn], max_bytes: int) -> list[Message]:
    """As many of the newest whole turns as fit; a system's words come first and stay."""
    system = [message for turn in turns for message in turn if message.role == "system"]
    left = max_bytes - _size(system)
    kept: list[Turn] = []
    for turn in reversed(turns):
        said = [message for message in turn if message.role != "system"]
        left -= _size(said)
        if left < 0:
            break
        kept.append(said)
    return [*system, *(message for turn in reversed(kept) for message in turn)]


def _reply(answer: Answer) -> str | None:
    """What the model said, if that turn counts: failed ones and empty ones do not, nor one that still runs."""
    return answer.text or None if answer.status in ("completed", "stopped") else None


def _turns(brought: Sequence[Message], reply: str | None) -> list[Turn]:
    """Cut a conversation into turns, each from a user's message on; the last one counts only with its reply."""
    turns: list[Turn] = []
    for message in brought:
        if not turns or (message.role == "user" and turns[-1][-1].role != "user"):
            turns.append([])
        turns[-1].append(message)
    if reply is not None:
        return [*turns[:-1], [*turns[-1], Message("assistant", reply)]]
    last = turns.pop()
    system = [message for message in last if message.role == "system"]
    return [*turns, system] if system else turns


async def _answers(entries: AsyncIterator[Entry]) -> AsyncIterator[Answer]:
    """Fold entries that come newest first into answers, newest first."""
    gathered: list[Entry] = []
    unnamed: list[Entry] = []
    number: str | None = None
    async for entry in entries:
        # A foreign writer's entry that names no generation belongs to the one that was named before it.
        unnamed.append(entry)
        generation = entry.fields.get("generation")
        if generation is None:
            continue
        if gathered and generation != number:
            for answer in _fold(gathered):
                yield answer
            gathered = []
        number = generation
        gathered += unnamed
        unnamed = []
    for answer in _fold(gathered + unnamed):
        yield answer


def _fold(newest_first: list[Entry]) -> list[Answer]:
    view = View()
    for entry in reversed(newest_first):
        view.apply(str(entry.id), events.event(entry.fields))
    return list(reversed(view.answers.values()))


def _size(messages: Sequence[Message]) -> int:
    return sum(len(message.content.encode()) for message in messages)
