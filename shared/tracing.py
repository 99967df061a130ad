"""Traces: spans of requests and generations. Where nobody collects them they are nothing, and nothing is loaded."""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Literal, Protocol

Kind = Literal["server", "client", "internal"]
Attributes = Mapping[str, str | bool | int | float | Sequence[str]]

NO_ATTRIBUTES: Attributes = {}


class Span:
    """A span; this one is nothing, so that whoever tells of something need not know whether anybody listens."""

    traceparent = ""
    """Its place as W3C's Trace Context writes it, for who goes on from here; empty where there is none."""
    recording = False
    """Whether what it is told goes anywhere."""

    def rename(self, name: str) -> None:
        """Give it another name."""

    def set(self, attributes: Attributes) -> None:
        """Add attributes."""

    def event(self, name: str, attributes: Attributes = NO_ATTRIBUTES) -> None:
        """Something has happened, just now."""

    def link(self, traceparent: str) -> None:
        """Point to another span; to none, if this is none."""

    def end(self, *, error: str = "", text: str = "") -> None:
        """It is over; with an error, by its code."""


NOTHING = Span()


class Collector(Protocol):
    """Who makes spans that go somewhere."""

    def span(self, name: str, kind: Kind, attributes: Attributes, traceparent: str, tracestate: str) -> Span: ...

    async def close(self) -> None: ...


class _Traces:
    collector: Collector | None = None
    captures_content = False


_TRACES = _Traces()
_current: ContextVar[Span] = ContextVar("span", default=NOTHING)


def setup(collector: Collector, *, captures_content: bool = False) -> None:
    """From now on there are spans, and they go there."""
    _TRACES.collector, _TRACES.captures_content = collector, captures_content


async def close() -> None:
    """Send what is left, for a bounded time."""
    collector, _TRACES.collector = _TRACES.collector, None
    if collector:
        await collector.close()


def wanted() -> bool:
    """Whether there are spans at all."""
    return _TRACES.collector is not None


def captures_content() -> bool:
    """Whether spans may hold what was asked and answered."""
    return _TRACES.captures_content


def span(name: str, kind: Kind, attributes: Attributes, traceparent: str = "", tracestate: str = "") -> Span:
    """Begin a span, below the one at `traceparent` if that is one. A span that never ends is never sent."""
    collector = _TRACES.collector
    return collector.span(name, kind, attributes, traceparent, tracestate) if collector else NOTHING


def enter(one: Span) -> None:
    """Have `current` be this span for the rest of this task, also in tasks that begin in it."""
    _current.set(one)


def current() -> Span:
    """The span of the request that is being served."""
    return _current.get()


def trace_id(traceparent: str) -> str:
    """The trace that a place is in; empty for none."""
    parts = traceparent.split("-")
    return parts[1] if len(parts) > 1 else ""


def of_session(session: str) -> Attributes:
    """What tells whose span it is: by the conventions for GenAI, and by the name that others group by."""
    return {"gen_ai.conversation.id": session, "session.id": session} if session else {}
