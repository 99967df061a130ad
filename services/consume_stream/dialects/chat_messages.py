"""Messages: a conversation as the AI SDK keeps it, made of the same parts that its stream is told. Folding is pure."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from services.consume_stream import frames, standing
from services.consume_stream.access import Access
from services.consume_stream.dialects.chat_parts import Part, Parts
from shared import events
from shared.dialects import chat
from shared.events import Entry
from shared.wires import Wires

_TEXT_MAX_CHARACTERS = 8 * 1024 * 1024

Message = dict[str, Any]
Generation = list[Entry]
"""The entries of the last attempt of one generation, oldest first."""


def number(generation: Generation) -> int:
    """Which it is; 0 for one of a foreign writer's that has no number."""
    found = _event(generation).get("generation")
    return found if isinstance(found, int) else 0


def root(generation: Generation) -> int:
    """The generation whose message it is, or goes on with."""
    continues = _event(generation).get("continues")
    return continues if isinstance(continues, int) else number(generation)


async def path(generations: AsyncIterator[Generation], limit: int, last: int | None = None) -> list[Generation]:
    """A generation, the newest by default, and those that it goes on from, oldest first, of a log read backwards.

    As the model is told of them: a generation goes on from the one before it, or from the one that it is `after`,
    without those that were replaced. It ends early, after a whole generation, past `limit` or much text.
    """
    found: list[Generation] = []
    after = last
    replaced: set[int] = set()
    size = 0
    async for generation in generations:
        started = _event(generation)
        if (after is not None and number(generation) > after) or (not found and not number(generation)):
            continue
        after = started["after"] if isinstance(started.get("after"), int) else None
        if isinstance(started.get("replaces"), int):
            replaced.add(started["replaces"])
        if number(generation) in replaced:
            continue
        found.append(generation)
        size += sum(len(entry.fields.get("content", "")) for entry in generation)
        if after == 0 or len(found) == limit or size > _TEXT_MAX_CHARACTERS:
            break
    return found[::-1]


async def generations(wires: Wires, session: str, access: Access) -> AsyncIterator[Generation]:
    """Those of a log that may be seen, newest first. Raises RedisError."""
    gathered: Generation = []
    begun = False
    async for entry in standing.back(wires, session):
        if not access.shows(entry.fields):
            continue
        if gathered and entry.fields.get("generation") != gathered[-1].fields.get("generation"):
            yield gathered[::-1]
            gathered, begun = [], False
        if not begun:
            gathered.append(entry)
        # What lies before its newest beginning was voided.
        begun = begun or events.is_started(entry.fields)
    if gathered:
        yield gathered[::-1]


def chain(session: str, found: Sequence[Generation]) -> list[Part]:
    """Generations of one message that are all over, and are gone on with, as the beginning of its stream."""
    told: list[Part] = []
    for place, generation in enumerate(found):
        told += _parts(Parts(session, number(generation), onward=place > 0, more=True), generation)
    return told


def messages(session: str, found: Sequence[Generation]) -> list[Message]:
    """Questions and answers. One that is being written is left out: its stream brings it, whole."""
    said: list[Message] = []
    for generation in found:
        of, question = number(generation), _event(generation).get("prompt")
        if question:
            parts = [{"type": "text", "text": str(question)}]
            said.append({"id": chat.question_id(session, of), "role": "user", "parts": parts})
        if not events.is_terminal(generation[-1].fields):
            continue
        message = chat.answer_id(session, root(generation))
        onward = bool(said) and said[-1]["id"] == message
        if not onward:
            said.append({"id": message, "role": "assistant", "parts": []})
        put(said[-1], _parts(Parts(session, of, onward=onward), generation))
    return said


def put(message: Message, parts: Sequence[Part]) -> None:
    """Do to a message what a client does that is told these parts."""
    made: list[Part] = message["parts"]
    for part in parts:
        kind, _, what = part["type"].rpartition("-")
        if "messageMetadata" in part:
            message["metadata"] = message.get("metadata", {}) | part["messageMetadata"]
        if part["type"] == "start-step":
            made.append({"type": "step-start"})
        elif kind in ("text", "reasoning") and what == "start":
            # Whose state is not said here, for whatever is written down is done.
            made.append({"type": kind, "text": "", "state": "done"})
        elif kind in ("text", "reasoning") and what == "delta":
            made[-1]["text"] += part["delta"]
        elif kind == "tool-input":
            failed = what == "error"
            made.append(
                {
                    "type": f"tool-{part['toolName']}",
                    "toolCallId": part["toolCallId"],
                    "state": "output-error" if failed else "input-available",
                    "input": part["input"],
                }
                | ({"errorText": part["errorText"]} if failed else {})
            )
        elif kind == "tool-output":
            _give(made, part, what)


def _give(made: list[Part], part: Part, what: str) -> None:
    of_call = [each for each in made if each.get("toolCallId") == part["toolCallId"]]
    for call in of_call[-1:]:
        call["state"] = f"output-{what}"
        name = "errorText" if what == "error" else "output"
        call[name] = part[name]


def _parts(parts: Parts, generation: Generation) -> list[Part]:
    return [part for entry in frames.merge(generation) for part in parts.of(entry)]


def _event(generation: Generation) -> events.Event:
    return events.event(generation[0].fields)
