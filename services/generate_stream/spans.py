"""The spans of a generation: one for each attempt and, within it, one for the call of the model."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from services.generate_stream import conventions
from services.generate_stream.attempt import LOST_CODE, Attempt, Held
from services.generate_stream.draft import Draft
from services.generate_stream.providers import ChatRequest, ProviderError
from shared import tracing
from shared.tracing import Span

_BROKEN = ("fenced", "lost")
"""Ends of an attempt that are nobody's wish, besides `failed`."""


def attempt(one: Attempt) -> Span:
    """The span of an attempt, from its beginning to its last append. One of another process goes on in its trace."""
    span = tracing.span("generation", "internal", _whose(one.session, one.generation, one.number), one.traceparent)
    if one.number > 1:
        span.event("takeover", {"rejoin.losses": one.losses})
    return span


def over(span: Span, outcome: str, draft: Draft) -> None:
    """The attempt is over: by its own end, or because it is another's now."""
    span.set({"rejoin.outcome": outcome, "rejoin.entries": len(draft.entries), "rejoin.content_bytes": draft.size})
    if outcome == "released":
        span.event("release")
    end = draft.entries[-1]
    error = end["code"] if outcome == "failed" else outcome if outcome in _BROKEN else ""
    span.end(error=error, text=end.get("error", ""))


def ended(held: Held, outcome: str) -> None:
    """An attempt that was lost, and is ended without another: nobody else would tell of it."""
    attributes = {**_whose(held.session, held.generation, held.attempt), "rejoin.outcome": outcome}
    span = tracing.span("generation", "internal", attributes, held.traceparent)
    span.event("takeover", {"rejoin.losses": held.losses})
    span.end(error=LOST_CODE if outcome == "failed" else "")


@contextlib.contextmanager
def call(
    within: Span, session: str, provider: str, request: ChatRequest, draft: Draft, ms: Callable[[], int]
) -> Iterator[None]:
    """The call of the model. All that is told of the answer is read off the draft, after its end: no chunk costs it."""
    if not within.recording:
        yield
        return
    began_ms = ms()
    asked = {**tracing.of_session(session), **conventions.asked(provider, request)}
    span = tracing.span(f"chat {request.model}", "client", asked, within.traceparent)
    error = text = ""
    try:
        yield
    except ProviderError as failure:
        error, text = failure.code, failure.text
        raise
    except Exception:
        error = "provider_error"
        raise
    finally:
        span.set(conventions.answered(draft, began_ms))
        if tracing.captures_content():
            span.set(conventions.content(request, draft))
        span.end(error=error, text=text)


def _whose(session: str, generation: int, number: int) -> dict[str, Any]:
    return {**tracing.of_session(session), "rejoin.generation": generation, "rejoin.attempt": number}
