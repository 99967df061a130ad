"""What the model is told of the earlier turns. Choosing and cutting is pure; reading goes back from the new turn."""

from collections.abc import AsyncIterator, Sequence
from itertools import takewhile
from typing import NamedTuple

from pydantic import TypeAdapter

from services.generate_stream import asking
from services.generate_stream.attempt import Attempt
from services.generate_stream.bodies import StartBody, TurnMessage
from services.generate_stream.log import Log
from services.generate_stream.providers import Message, ProviderError, ToolCall
from shared import events
from shared.events import Entry
from shared.position import Position
from shared.view import Answer, View

Turn = list[Message]

_BROUGHT = TypeAdapter(list[TurnMessage])


async def conversation(log: Log, attempt: Attempt, body: StartBody, max_bytes: int) -> list[Message]:
    """All that the model is told: the earlier turns and the new question, or the conversation that the body brings.

    Raises RedisAway, and ProviderError where what tools gave back can't be told.
    """
    if body.messages:
        return [asking.message(message) for message in body.messages]
    earlier: list[Message] = []
    if attempt.generation > 1 and body.after != 0:
        # The first one has no turn of ours before it: to ask Redis would be two round trips, 0.4 ms, for nothing.
        earlier = await _earlier(log, attempt, body, max_bytes)
    if not body.toolResults:
        return [*earlier, Message("user", body.question)]
    if not earlier or earlier[-1].role != "tool":
        text = "The calls of tools that this answer goes on from are gone, or too long to be told again."
        raise ProviderError("provider_refused", text, retryable=False)
    return earlier


async def _earlier(log: Log, attempt: Attempt, body: StartBody, max_bytes: int) -> list[Message]:
    brought, generation = await log.messages(attempt.session)
    messages = [asking.message(said) for said in _BROUGHT.validate_json(brought)] if brought else []
    base = Base(int(generation), messages) if brought else None
    entries = log.back(attempt.session, Position(attempt.ms, 0))
    return await before(entries, base, Onward(body.replaces, body.after, asking.results(body)), max_bytes)


class Base(NamedTuple):
    """The newest generation whose request brought the conversation along, and that conversation."""

    generation: int
    messages: Sequence[Message]


class Onward(NamedTuple):
    """What the new turn goes on from: `after` a generation (the newest, or from the beginning with 0), without the one
    that it `replaces`; with results of tools, in that generation's own turn.
    """

    replaces: int | None = None
    after: int | None = None
    results: Sequence[Message] = ()


async def before(entries: AsyncIterator[Entry], base: Base | None, new: Onward, max_bytes: int) -> list[Message]:
    """The earlier turns, oldest first, from a log read backwards from the new turn's beginning.

    A generation goes on from the one before it, or from the one that it is `after`: what lies between does not count,
    nor what lies before `base`. Reading ends there, or when `max_bytes` are full; then only the system's words are
    still taken from it.
    """
    turns: list[Turn] = []
    rest = list(new.results)
    """The end of a turn whose beginning was not read yet: it begins with what tools gave back."""
    left_out = {new.replaces} if new.replaces else set()
    after, base = new.after, _reached(base, new.after)
    async for answer in _answers(entries):
        if after is not None and answer.generation > after:
            continue
        after, is_base = answer.after, base is not None and base.generation == answer.generation
        if answer.replaces:
            left_out.add(answer.replaces)
        said = [] if answer.generation in left_out else _said(answer, rest)
        rest = [*_results(answer), *said] if said and answer.continues is not None else []
        if answer.continues is None and (answer.prompt or is_base):
            brought = base.messages if base and is_base else [Message("user", answer.prompt)]
            turns = [*_turns(brought, said), *turns]
        if is_base:
            return newest(turns, max_bytes)
        base = _reached(base, after)
        if after == 0 or sum(map(_size, turns)) + _size(rest) > max_bytes:
            break
    system = [message for message in base.messages if message.role == "system"] if base else []
    return newest([system, *turns], max_bytes)


def _reached(base: Base | None, after: int | None) -> Base | None:
    """`base`, unless what comes next lies before it: then it is of another branch."""
    return None if base is None or (after is not None and base.generation > after) else base


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


def _said(answer: Answer, rest: Turn) -> Turn:
    """What the model said, and the rest of the turn, if it counts: failed ones and empty ones do not, nor one that
    still runs. Calls that no tool has answered are left out, for vendors refuse them.
    """
    if answer.status not in ("completed", "stopped"):
        return []
    calls = tuple(ToolCall(call["callId"], call["name"], call["arguments"]) for call in answer.tool_calls)
    answered = [message.call_id for message in takewhile(lambda message: message.role == "tool", rest)]
    if calls and sorted(answered) == sorted(call.call_id for call in calls):
        return [Message("assistant", answer.text, calls), *rest]
    return [Message("assistant", answer.text)] if answer.text else []


def _results(answer: Answer) -> Turn:
    told = [result for result in answer.tool_results if isinstance(result, dict)]
    return [Message("tool", str(result.get("content", "")), call_id=str(result.get("callId", ""))) for result in told]


def _turns(brought: Sequence[Message], reply: Turn) -> list[Turn]:
    """Cut a conversation into turns, each from a user's message on; the last one counts only with its reply."""
    turns: list[Turn] = []
    for message in brought:
        if not turns or (message.role == "user" and turns[-1][-1].role != "user"):
            turns.append([])
        turns[-1].append(message)
    if reply:
        return [*turns[:-1], [*turns[-1], *reply]]
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
    return sum(message.size for message in messages)
