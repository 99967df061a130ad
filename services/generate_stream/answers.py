"""Answers: one generation read back from the log, and whether what tools gave back is expected by it."""

import dataclasses

from services.generate_stream.attempt import Ask
from services.generate_stream.log import Log
from shared import events
from shared.http import ApiError
from shared.view import Answer, View

_NAMED_MAX = 3
"""Calls that a refusal names."""


async def read(log: Log, session: str, generation: int | None = None) -> Answer | None:
    """One generation as the log has it, the newest by default; None where it has nothing of it."""
    entries = []
    wanted = "" if generation is None else str(generation)
    async for entry in log.back(session):
        number = entry.fields.get("generation", "")
        wanted = wanted or number
        if number == wanted:
            entries.append(entry)
            if events.is_started(entry.fields):
                break
        elif number.isdigit() and wanted.isdigit() and int(number) < int(wanted):
            break
    view = View()
    for entry in reversed(entries):
        view.apply(str(entry.id), events.event(entry.fields))
    return view.answers.get(int(wanted)) if wanted.isdigit() else None


async def expecting(log: Log, ask: Ask) -> tuple[Ask, ApiError | None]:
    """What is asked, with the generation that it goes on from; and why not, where it brings results of tools that none
    has asked for. Raises RedisAway.
    """
    if ask.body.toolResults is None:
        return ask, None
    answer = await read(log, ask.session, ask.body.after)
    if answer is None:
        return ask, _unexpected("there is no generation that has called tools")
    if refusal := _refusal(answer, [result.callId for result in ask.body.toolResults]):
        return ask, refusal
    root = answer.generation if answer.continues is None else answer.continues
    return dataclasses.replace(ask, after=answer.generation, continues=root), None


def _refusal(answer: Answer, answered: list[str]) -> ApiError | None:
    """Why an answer does not go on with these results; None where it does."""
    number, calls = answer.generation, [call["callId"] for call in answer.tool_calls]
    if answer.status == "running":
        return ApiError(
            409, "generation_running", f"Generation {number} of this session is being written.", generation=number
        )
    if answer.status != "completed":
        return _unexpected(f"generation {number} {'was stopped' if answer.status == 'stopped' else 'has failed'}")
    if not calls:
        return _unexpected(f"generation {number} has called no tools")
    if sorted(calls) != sorted(answered):
        named = ", ".join(calls[:_NAMED_MAX]) + (" …" if len(calls) > _NAMED_MAX else "")
        return _unexpected(f"generation {number} expects one for each of its calls, {named}")
    return None


def _unexpected(why: str) -> ApiError:
    return ApiError(422, "tool_results_unexpected", f"toolResults: {why}.")
