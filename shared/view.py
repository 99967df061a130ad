"""What a viewer holds: a pure fold of events into answers. History, session pages and tests all read by it."""

from dataclasses import dataclass, field
from typing import Any

from shared import events, position
from shared.events import TERMINAL, Event
from shared.position import NONE, Position


@dataclass
class Answer:
    """One generation as far as it is known: its question, the words so far, how it stands."""

    generation: int
    attempt: int = 1
    prompt: str = ""
    provider: str = ""
    model: str = ""
    started_at: str = ""
    replaces: int | None = None
    status: str = "running"
    text: str = ""
    reasoning: str = ""
    after: int | None = None
    """The generation that it goes on from, where that is not the newest before it; 0 for none."""
    continues: int | None = None
    """The generation whose message it goes on with: what it was asked with is what that one's tools gave back."""
    tool_results: list[Event] = field(default_factory=list)
    """`callId` and `content` of each."""
    tool_calls: list[Event] = field(default_factory=list)
    """`callId`, `name` and `arguments` (JSON, as the model wrote it) of each."""
    metadata: dict[str, str] = field(default_factory=dict)
    """What its client has attached to it."""
    thinking_ms: int | None = None
    """From the attempt's beginning to the last thought before the first word; None where no thought told its `ms`."""
    end: Event = field(default_factory=dict)
    """The terminal event: usage, finishReason, code, error … Empty while the generation runs."""

    @property
    def usage(self) -> Any:
        """The provider's own token counts, or None."""
        return self.end.get("usage")


class View:
    """The answers of one session, oldest first, and the position of the last entry that was folded."""

    def __init__(self) -> None:
        self.position: Position = NONE
        self.answers: dict[int, Answer] = {}
        self._current = 0

    def apply(self, event_id: str | None, event: Event) -> None:
        """Take one frame. An id that was passed already changes nothing; an unknown type changes the position only."""
        if event.get("type") == "reset":
            self.__init__()  # type: ignore[misc]
            return
        if event_id:
            at = position.parse(event_id)
            if at <= self.position:
                return
            self.position = at
        kind = event.get("type")
        if kind == "metadata" and event.get("status") == "started":
            self._start(event)
        elif kind == "metadata" and event.get("status") in TERMINAL:
            answer = self._answer(event)
            answer.status, answer.end = str(event["status"]), event
        elif kind == "chunk":
            _say(self._answer(event), str(event.get("content", "")))
        elif kind == "reasoning":
            _think(self._answer(event), event)
        elif kind == "tool":
            self._answer(event).tool_calls.append({name: str(event.get(name, "")) for name in _CALL})

    def _start(self, event: Event) -> None:
        number = event.get("generation", self._current + 1)
        self._current = number if isinstance(number, int) else self._current + 1
        # A new attempt voids what an earlier one said; the place in the order stays.
        self.answers[self._current] = Answer(
            generation=self._current,
            attempt=event["attempt"] if isinstance(event.get("attempt"), int) else 1,
            prompt=str(event.get("prompt", "")),
            provider=str(event.get("provider", "")),
            model=str(event.get("model", "")),
            started_at=str(event.get("startedAt", "")),
            replaces=_number(event, "replaces"),
            after=_number(event, "after"),
            continues=_number(event, "continues"),
            tool_results=results if isinstance(results := event.get("toolResults"), list) else [],
            metadata=events.metadata(event),
        )

    def _answer(self, event: Event) -> Answer:
        number = event.get("generation", self._current)
        self._current = number if isinstance(number, int) else self._current
        return self.answers.setdefault(self._current, Answer(self._current))


_CALL = ("callId", "name", "arguments")


def _number(event: Event, name: str) -> int | None:
    value = event.get(name)
    return value if isinstance(value, int) else None


def _say(answer: Answer, words: str) -> None:
    # A text that nobody else holds grows where it is: else each word would copy all before it, some seconds of the
    # loop for an answer of the largest size.
    text, answer.text = answer.text, ""
    text += words
    answer.text = text


def _think(answer: Answer, event: Event) -> None:
    # The last entry's `ms` is the only one that joined frames keep: so those who come late measure the same.
    if not answer.text and isinstance(event.get("ms"), int):
        answer.thinking_ms = event["ms"]
    # As in _say.
    reasoning, answer.reasoning = answer.reasoning, ""
    reasoning += str(event.get("content", ""))
    answer.reasoning = reasoning
