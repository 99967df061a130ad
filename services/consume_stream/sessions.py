"""A session as a page of JSON: its generations, newest first, as the log tells them."""

from typing import Any, NamedTuple

from services.consume_stream import standing
from services.consume_stream.access import Access
from shared import events
from shared.events import Entry
from shared.position import Position
from shared.view import Answer, View
from shared.wires import Wires

PAGE_MAX_CHARACTERS = 8 * 1024 * 1024
"""A page ends early, after a whole generation, past so much text."""

_LONG = ("content", "arguments", "toolResults")


class Page(NamedTuple):
    """Generations, newest first; the newest entry read for them; where the next page begins, empty at the end."""

    generations: list[dict[str, Any]]
    newest: Position | None
    next: str


async def page(wires: Wires, session: str, before: Position | None, limit: int, access: Access) -> Page:
    """Up to `limit` generations that began before an entry, or before the end, of those that may be seen."""
    answers: list[dict[str, Any]] = []
    gathered: list[Entry] = []
    newest: Position | None = None
    began, size = before, 0
    async for entry in standing.back(wires, session, before):
        if not access.shows(entry.fields):
            continue
        if not gathered and (len(answers) == limit or size > PAGE_MAX_CHARACTERS):
            return Page(answers, newest, f"{began}")
        newest = newest or entry.id
        gathered.append(entry)
        size += sum(len(entry.fields.get(name, "")) for name in _LONG)
        if events.is_started(entry.fields) and entry.fields.get("attempt", "1") == "1":
            answers.append(_json(gathered))
            began, gathered = entry.id, []
    if gathered:
        answers.append(_json(gathered))
    return Page(answers, newest, "")


def _json(newest_first: list[Entry]) -> dict[str, Any]:
    view = View()
    for entry in reversed(newest_first):
        view.apply(str(entry.id), events.event(entry.fields))
    return _shown(next(reversed(view.answers.values()), Answer(0)))


def _shown(answer: Answer) -> dict[str, Any]:
    shown = {"generation": answer.generation, "attempt": answer.attempt, "status": answer.status}
    shown |= {"prompt": answer.prompt, "text": answer.text, "reasoning": answer.reasoning}
    shown |= {"provider": answer.provider, "model": answer.model, "startedAt": answer.started_at}
    more = {"replaces": answer.replaces, "after": answer.after, "continues": answer.continues}
    shown |= {name: number for name, number in more.items() if number is not None}
    some = {"toolCalls": answer.tool_calls, "toolResults": answer.tool_results, "metadata": answer.metadata}
    shown |= {name: told for name, told in some.items() if told}
    ended = ("usage", "finishReason", "chunks", "durationMs", "ttftMs", "code", "error", "retryable", "digest")
    return shown | {name: answer.end[name] for name in ended if name in answer.end}
