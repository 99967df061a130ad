"""A session as a page of JSON: its generations, newest first, as the log tells them."""

from collections.abc import AsyncIterator
from typing import Any

from shared import events, keys
from shared.events import Entry
from shared.position import Position
from shared.view import Answer, View
from shared.wire import Wire

PAGE_MAX_BYTES = 8 * 1024 * 1024
"""A page ends early past so much text, in characters."""

_STEP = 200


async def page(wire: Wire, session: str, before: Position | None, limit: int) -> tuple[list[dict[str, Any]], str]:
    """Up to `limit` generations that began before an entry, and where the next page begins: empty at the end."""
    answers: list[dict[str, Any]] = []
    gathered: list[Entry] = []
    size = 0
    async for entry in _back(wire, session, before):
        gathered.append(entry)
        size += len(entry.fields.get("content", ""))
        if not events.is_started(entry.fields) or entry.fields.get("attempt", "1") != "1":
            continue
        answers.append(_json(gathered))
        gathered = []
        if len(answers) == limit or size > PAGE_MAX_BYTES:
            return answers, str(entry.id)
    if gathered:
        answers.append(_json(gathered))
    return answers, ""


async def _back(wire: Wire, session: str, before: Position | None) -> AsyncIterator[Entry]:
    end = f"({before}" if before else "+"
    while True:
        step = await wire.call("XREVRANGE", keys.log(session), end, "-", "COUNT", _STEP)
        for raw in step:
            yield events.decode(raw)
        if len(step) < _STEP:
            return
        end = f"({step[-1][0].decode()}"


def _json(newest_first: list[Entry]) -> dict[str, Any]:
    view = View()
    for entry in reversed(newest_first):
        view.apply(str(entry.id), events.event(entry.fields))
    return _shown(next(reversed(view.answers.values()), Answer(0)))


def _shown(answer: Answer) -> dict[str, Any]:
    shown = {"generation": answer.generation, "attempt": answer.attempt, "status": answer.status}
    shown |= {"prompt": answer.prompt, "text": answer.text, "reasoning": answer.reasoning}
    shown |= {"provider": answer.provider, "model": answer.model, "startedAt": answer.started_at}
    if answer.replaces is not None:
        shown["replaces"] = answer.replaces
    ended = ("usage", "finishReason", "chunks", "durationMs", "ttftMs", "code", "error", "retryable", "digest")
    return shown | {name: answer.end[name] for name in ended if name in answer.end}
