"""Following a session before its reader's eyes, so that whoever leaves may come back to the very word."""

import time
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Protocol

from rejoin.command.memory import Memory, Remembered
from rejoin.command.screen import Screen
from rejoin.command.shown import Showing, Shown
from rejoin.events import AnyEvent, End, Failed, Reasoning, Reset, Started, Stopped, ToolCall, Words

COMPLETE, FAILED, STOPPED, VOID = 0, 1, 3, 5
_KEPT_EVERY_S = 1.0


class Whole(Protocol):
    """What keeps a signal waiting."""

    def held(self) -> AbstractContextManager[None]: ...


class Watching:
    """Shows events and notes after each that it was shown. Events of generations before `since` are passed over."""

    def __init__(
        self, screen: Screen, memory: Memory, whole: Whole, met: Remembered, since: int, *, ended: bool = False
    ) -> None:
        self._screen = screen
        self._memory = memory
        self._whole = whole
        self._met = met
        self._since = since
        # A program gets all events, and holds its words itself.
        self._shown = Shown("" if screen.as_json else met.shown)
        self._kept_at = 0.0
        self._void = False
        self.ended = ended
        """The newest answer that was met has its end."""

    def watch(self, events: Iterable[AnyEvent]) -> int:
        """Show all events; returns how to exit."""
        code = COMPLETE
        self._screen.wait("waiting …")
        try:
            for event in events:
                with self._whole.held():
                    code = self._take(event, code)
        finally:
            self._screen.quiet()
            self.keep()
        if not self._screen.as_json:
            self._screen.end_line()
        return VOID if code == COMPLETE and self._void else code

    def keep(self) -> None:
        """Write down how far it was read."""
        self._met.touched_at = self._kept_at = time.time()
        self._met.shown = "" if self.ended else self._shown.text
        self._memory.keep(self._met)

    def _take(self, event: AnyEvent, code: int) -> int:
        passed = not isinstance(event, Reset) and event.generation < self._since
        if self._screen.as_json and not passed:
            self._screen.record(event.data if isinstance(event, Reset) else {"id": event.id, **event.data})
        elif isinstance(event, Reset):
            self._shown.begin()
        elif not passed:
            self._show(event)
        self._met.position = None if isinstance(event, Reset) else event.id
        if isinstance(event, Started) and not passed:
            self._met.generation, self.ended = event.generation, False
        if time.time() - self._kept_at > _KEPT_EVERY_S:
            self.keep()
        if isinstance(event, End) and not passed:
            self.ended = True
            return FAILED if isinstance(event, Failed) else STOPPED if isinstance(event, Stopped) else COMPLETE
        return code

    def _show(self, event: AnyEvent) -> None:
        screen = self._screen
        match event:
            case Started():
                self._begin(event)
            case Words():
                self._put(self._shown.more(event.text))
            case Reasoning():
                screen.wait("thinking …")
            case ToolCall():
                screen.say(f"calls {event.name}({event.arguments})")
            case Failed():
                self._put(self._shown.end())
                screen.end_line()
                screen.say(f"Failed, {event.code}: {event.error}", "red")
            case Stopped():
                self._put(self._shown.end())
                screen.end_line()
                screen.say("Stopped.", "yellow")
            case End():
                self._put(self._shown.end())
                screen.end_line()

    def _begin(self, event: Started) -> None:
        if event.generation == self._met.generation:
            self._shown.begin()
            return
        if self._met.generation is not None:
            self._screen.end_line()
            if event.prompt:  # there is none where tools have answered
                self._screen.say(f"> {event.prompt}")
        self._shown = Shown()
        self._screen.wait("waiting …")

    def _put(self, showing: Showing) -> None:
        if showing.anew:
            self._screen.end_line()
            self._screen.say("The answer was begun anew. What stands above is void.", "yellow")
            self._void = self._void or not self._screen.out_is_terminal
        self._screen.words(showing.text)
